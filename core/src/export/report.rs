//! The model that all formats write.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use serde::Serialize;

use crate::chart::Chart;
use crate::error::Result;
use crate::query::{Instant, Span, Zone};

/// What is exported.
#[derive(Debug)]
pub struct Report<'a> {
    /// What it is called.
    pub title: String,
    /// What it is about beside the range: names and values, such as the segment.
    pub filters: Vec<(String, String)>,
    /// The range of time it is about.
    pub range: Span,
    /// The zone of the range and of every time a reader sees; files for programs hold instants in UTC.
    pub zone: Zone,
    /// When it was made.
    pub generated_at: Instant,
    /// Its parts, in order.
    pub sections: Vec<Section<'a>>,
}

/// One part of a report.
#[derive(Debug)]
pub struct Section<'a> {
    /// What programs call it: letters, digits and `_`.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What limits its numbers.
    pub notes: Vec<String>,
    /// Its picture.
    pub chart: Option<Chart>,
    /// The chart that a workbook makes of its table itself.
    pub plot: Option<Plot>,
    /// Its numbers.
    pub table: Table<'a>,
}

/// A chart over columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// What it looks like.
    pub form: Form,
    /// The column that names the marks.
    pub names: String,
    /// The columns with their figures.
    pub figures: Vec<String>,
}

/// What a chart looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines over time.
    Line,
    /// Lines over time, what is below them tinted.
    Area,
    /// Areas over time, one upon the other.
    StackedArea,
    /// Points over time that nothing joins.
    Points,
    /// Columns over time, side by side.
    Columns,
    /// Columns over time, one upon the other.
    StackedColumns,
    /// Bars one under another.
    Bars,
    /// The parts of a whole: the first row's figures, as a disc.
    Pie,
    /// The same as a ring.
    Donut,
    /// Tinted cells.
    Heat,
}

/// What the values of a column are, beyond their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A share of 1.
    Share,
    /// An amount of money: exact, as decimal text.
    Money,
    /// A length of time in seconds.
    Seconds,
    /// A point in time.
    Instant,
    /// Yes or no.
    Boolean,
}

/// Rows of named, typed columns, batch by batch.
pub struct Table<'a> {
    schema: SchemaRef,
    kinds: Vec<Kind>,
    /// Whether a document for people has the column.
    paper: Vec<bool>,
    batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send + 'a>,
}

impl<'a> Table<'a> {
    /// A table whose batches have this schema: text, booleans, numbers, and times in UTC.
    pub fn new(
        schema: SchemaRef,
        batches: impl Iterator<Item = Result<RecordBatch>> + Send + 'a,
    ) -> Self {
        let kinds = schema.fields().iter().map(|f| kind(f.data_type()));
        Self {
            kinds: kinds.collect(),
            paper: vec![true; schema.fields().len()],
            schema,
            batches: Box::new(batches),
        }
    }

    /// A table that is here already.
    pub fn of(batch: RecordBatch) -> Self {
        Self::new(batch.schema(), std::iter::once(Ok(batch)))
    }

    /// The same table where the columns of these names are of another kind.
    #[must_use]
    pub fn with(mut self, names: &[&str], kind: Kind) -> Self {
        for (field, known) in self.schema.fields().iter().zip(&mut self.kinds) {
            if names.contains(&field.name().as_str()) {
                *known = kind;
            }
        }
        self
    }

    /// The same table of which a document shows only the columns that this says; all others are in the other formats.
    #[must_use]
    pub fn on_paper(mut self, shows: impl Fn(&str) -> bool) -> Self {
        for (field, shown) in self.schema.fields().iter().zip(&mut self.paper) {
            *shown = shows(field.name());
        }
        self
    }

    /// The places of the columns that a document shows.
    pub(super) fn paper(&self) -> Vec<usize> {
        let shown = self.paper.iter().enumerate();
        shown.filter_map(|(i, shown)| shown.then_some(i)).collect()
    }

    /// The names of the columns with what their values are.
    pub(super) fn columns(&self) -> Vec<(String, Kind)> {
        let names = self.schema.fields().iter().map(|f| f.name().clone());
        names.zip(self.kinds.iter().copied()).collect()
    }

    pub(super) fn into_batches(self) -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send + 'a> {
        self.batches
    }
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("columns", &self.columns())
            .finish_non_exhaustive()
    }
}

fn kind(of: &DataType) -> Kind {
    match of {
        DataType::Boolean => Kind::Boolean,
        DataType::Timestamp(..) => Kind::Instant,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Number,
        other if other.is_integer() => Kind::Integer,
        _ => Kind::Text,
    }
}

/// The name of a column as people read it: `rate_low` is `rate low`.
pub(super) fn spoken(name: &str) -> String {
    name.replace('_', " ")
}
