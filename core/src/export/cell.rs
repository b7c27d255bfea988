//! Cells of a table, whatever the type of their column.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};

use super::report::Kind;
use crate::error::{Error, Result};
use crate::query::Instant;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Empty,
    Text(&'a str),
    Integer(i64),
    /// A finite number.
    Number(f64),
    Instant(Instant),
    Boolean(bool),
}

/// The columns of one batch in the few types that cells have.
pub(super) struct Cells {
    columns: Vec<ArrayRef>,
    rows: usize,
}

impl Cells {
    /// The cells of a batch whose columns are of these kinds.
    pub(super) fn of(batch: &RecordBatch, kinds: &[(String, Kind)]) -> Result<Self> {
        let columns = batch.columns().iter().zip(kinds);
        let columns = columns.map(|(column, (_, kind))| {
            let wanted = match (kind, column.data_type()) {
                (Kind::Text | Kind::Money, _) => DataType::Utf8,
                (Kind::Boolean, _) => DataType::Boolean,
                (Kind::Instant, _) => DataType::Timestamp(TimeUnit::Microsecond, None),
                (Kind::Integer, _) => DataType::Int64,
                (_, given) if given.is_integer() => DataType::Int64,
                _ => DataType::Float64,
            };
            if *column.data_type() == wanted {
                Ok(column.clone())
            } else {
                cast(column, &wanted).map_err(Error::internal)
            }
        });
        Ok(Self {
            columns: columns.collect::<Result<_>>()?,
            rows: batch.num_rows(),
        })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The cells of a row, from left to right.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = Cell<'_>> {
        self.columns.iter().map(move |column| cell(column, row))
    }
}

fn cell(column: &ArrayRef, row: usize) -> Cell<'_> {
    if row >= column.len() || column.is_null(row) {
        return Cell::Empty;
    }
    match column.data_type() {
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row)),
        DataType::Boolean => Cell::Boolean(column.as_boolean().value(row)),
        DataType::Int64 => Cell::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => {
            let number = column.as_primitive::<Float64Type>().value(row);
            // No format has a number for what is none.
            if number.is_finite() {
                Cell::Number(number)
            } else {
                Cell::Empty
            }
        }
        _ => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            Cell::Instant(Instant::saturating_from_micros(micros))
        }
    }
}
