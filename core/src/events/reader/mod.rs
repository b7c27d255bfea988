//! Readers: each format in a file of its own, all giving rows in chunks.

mod arrow;
mod csv;
mod ipc;
mod ndjson;
mod parquet;

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use ::csv::ByteRecord;
use rayon::prelude::*;
use serde_json::Value;

pub(crate) use self::arrow::Columns;
pub use self::arrow::DEEPEST_TYPE;
pub use self::ipc::read_ipc;
use super::cell::Cell;
use super::report::Progress;
use super::shape::{Places, Refused, Row, Shape};
use super::source::{Format, Source, unreadable};
use crate::error::{Error, Result};

/// Some rows as they were found, and how far the source was read with them.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) progress: Progress,
    pub(crate) body: Body,
}

/// Rows as they were found.
#[derive(Debug)]
pub(crate) enum Body {
    /// Lines of JSON: their numbers and where they are in the bytes; a line that was too long has no place.
    Lines(Vec<u8>, Vec<(u64, Option<Range<usize>>)>),
    /// Records of CSV and their lines.
    Fields(Arc<Header>, Vec<(u64, ByteRecord)>),
    /// Columns, of which the first row has this number.
    Columns(u64, Columns),
}

/// The names of a table's columns and the places they take.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) names: Vec<String>,
    pub(crate) places: Vec<Option<usize>>,
}

impl Header {
    pub(crate) fn new(names: Vec<String>, places: &Places) -> Result<Self> {
        let columns: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut seen = HashSet::with_capacity(columns.len());
        for name in &columns {
            if !seen.insert(name) {
                return Err(Error::field(
                    "source",
                    "duplicate_column",
                    format!("the column `{name}` is there twice"),
                ));
            }
        }
        let places = places.of_columns(&columns)?;
        Ok(Self { names, places })
    }

    /// Sorts the cells of a row by their places.
    fn row<'a>(&'a self, places: &Places, cells: impl Iterator<Item = Cell<'a>>) -> Row<'a> {
        let mut row = places.empty();
        for ((name, place), cell) in self.names.iter().zip(&self.places).zip(cells) {
            match place.and_then(|place| row.placed.get_mut(place)) {
                Some(slot) => *slot = (name, cell),
                None if cell.is_null() => {}
                None => row.rest.push((name, cell)),
            }
        }
        row
    }
}

/// Receives chunks, and may stop the reading.
pub(crate) type Emit<'a> = dyn FnMut(Chunk) -> ControlFlow<()> + 'a;

/// Reads a source to its end or until it is told to stop.
pub(crate) fn read(source: Source, places: &Places, emit: &mut Emit<'_>) -> Result<()> {
    match source {
        Source::Batches(batches) => arrow::batches(batches, places, emit),
        Source::Path(path) => file(&path, Format::of(&path)?, places, emit),
        Source::File(path, format) => file(&path, format, places, emit),
    }
}

fn file(path: &Path, format: Format, places: &Places, emit: &mut Emit<'_>) -> Result<()> {
    // A pipe or a device may never end, and nobody could stop the reading.
    let kind = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if !kind.is_file() && !kind.is_dir() {
        return Err(Error::field(
            "source",
            "not_a_file",
            format!("`{}` is a pipe or a device, not a file", path.display()),
        ));
    }
    match format {
        Format::Ndjson => ndjson::read(path, places, emit),
        Format::Csv => csv::read(path, places, emit),
        Format::Parquet => parquet::read(path, places, emit),
        Format::Arrow => arrow::read(path, places, emit),
    }
}

/// What some rows became, in order.
#[derive(Debug)]
pub(crate) struct Built<T> {
    /// How many rows there were.
    pub(crate) rows: u64,
    /// The valid ones.
    pub(crate) batch: T,
    /// The others with their numbers.
    pub(crate) refused: Vec<(u64, Refused)>,
}

/// Few enough that the threads share a chunk, many enough that handing them out costs nothing.
const GRAIN: usize = 2_048;

impl Body {
    /// Builds every row, in order.
    pub(crate) fn build<S: Shape>(&self, shape: &S) -> Result<Vec<Built<S::Batch>>> {
        match self {
            Self::Lines(bytes, lines) => lines
                .par_chunks(GRAIN)
                .map(|lines| {
                    built(
                        shape,
                        lines.iter().map(|(number, place)| {
                            let line = place.clone().and_then(|place| bytes.get(place));
                            (*number, ndjson::line(line, shape))
                        }),
                    )
                })
                .collect(),
            Self::Fields(header, records) => records
                .par_chunks(GRAIN)
                .map(|records| {
                    built(
                        shape,
                        records
                            .iter()
                            .map(|(line, record)| (*line, csv::record(header, record, shape))),
                    )
                })
                .collect(),
            Self::Columns(first, columns) => {
                let rows = columns.rows();
                let grains: Vec<Range<usize>> = (0..rows)
                    .step_by(GRAIN)
                    .map(|start| start..rows.min(start + GRAIN))
                    .collect();
                grains
                    .into_par_iter()
                    .map(|grain| {
                        built(
                            shape,
                            grain.map(|i| (first + i as u64, columns.row(i, shape))),
                        )
                    })
                    .collect()
            }
        }
    }
}

fn built<S: Shape>(
    shape: &S,
    outcomes: impl Iterator<Item = (u64, std::result::Result<S::Out, Refused>)>,
) -> Result<Built<S::Batch>> {
    let mut good = Vec::with_capacity(outcomes.size_hint().0);
    let mut refused = Vec::new();
    for (number, outcome) in outcomes {
        match outcome {
            Ok(row) => good.push((number, row)),
            Err(why) => refused.push((number, why)),
        }
    }
    let rows = (good.len() + refused.len()) as u64;
    Ok(Built {
        rows,
        batch: shape.gather(good)?,
        refused,
    })
}

/// Builds one from a JSON value.
pub(crate) fn value<S: Shape>(value: &Value, shape: &S) -> std::result::Result<S::Out, Refused> {
    match value.as_object() {
        Some(object) => shape.build(shape.places().of_object(object)),
        None => Err(Refused::one(
            "event",
            "invalid_type",
            "must be a JSON object",
        )),
    }
}

/// Builds one from the text of a JSON value.
pub(crate) fn text<S: Shape>(text: &[u8], shape: &S) -> std::result::Result<S::Out, Refused> {
    ndjson::line(Some(text), shape)
}

/// Builds those of the records of a text, whose columns another text names.
pub(crate) fn records<S: Shape>(
    header: &[u8],
    body: &[u8],
    delimiter: u8,
    shape: &S,
) -> Result<Vec<std::result::Result<S::Out, Refused>>> {
    let (header, records) = csv::records(header, body, delimiter, shape.places())?;
    let built = records
        .iter()
        .map(|record| csv::record(&header, record, shape));
    Ok(built.collect())
}
