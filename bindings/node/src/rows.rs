//! The table of an answer, row by row.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use napi_derive::napi;
use serde_json::Value;
use travelsense::{Error, Instant, Result};

use crate::work::{Promised, promise};

/// So many rows cross at a time, so that the event loop is never held up by many.
const AT_ONCE: usize = 500;

/// The rows of a table that have not been read yet.
#[napi]
pub(crate) struct Rows {
    table: Arc<RecordBatch>,
    next: Mutex<usize>,
}

#[napi]
impl Rows {
    /// The columns: their names, and `int64`, `instant` or `other` for what their values are.
    #[napi(getter)]
    pub fn columns(&self) -> Vec<Vec<String>> {
        let fields = self.table.schema_ref().fields().iter();
        let columns = fields.map(|field| {
            let kind = match field.data_type() {
                DataType::Int64 => "int64",
                DataType::Timestamp(TimeUnit::Microsecond, _) => "instant",
                _ => "other",
            };
            vec![field.name().clone(), kind.to_owned()]
        });
        columns.collect()
    }

    /// The next rows as a JSON array of arrays, whole numbers as text; an empty one behind the last.
    #[napi]
    pub fn next(&self) -> Promised<String> {
        let table = Arc::clone(&self.table);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let from = *next;
        let until = (from + AT_ONCE).min(table.num_rows());
        *next = until;
        promise(move || {
            let columns = table.columns().iter().map(|column| values(column));
            let mut columns = columns.collect::<Result<Vec<_>>>()?;
            let row = |i: usize| columns.iter_mut().map(|cell| cell(i)).collect::<Vec<_>>();
            let rows: Vec<Vec<Value>> = (from..until).map(row).collect();
            crate::answer::text(&rows)
        })
    }
}

impl Rows {
    pub(crate) fn of(table: RecordBatch) -> Self {
        Self {
            table: Arc::new(table),
            next: Mutex::new(0),
        }
    }
}

/// What gives the values of a column by their row.
fn values<'a>(column: &'a dyn Array) -> Result<Box<dyn FnMut(usize) -> Value + 'a>> {
    Ok(match column.data_type() {
        DataType::Boolean => {
            let values = column.as_boolean();
            Box::new(move |i| or_null(values, i, || values.value(i).into()))
        }
        DataType::Int64 => {
            let values = column.as_primitive::<Int64Type>();
            Box::new(move |i| or_null(values, i, || values.value(i).to_string().into()))
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>();
            Box::new(move |i| or_null(values, i, || values.value(i).into()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let values = column.as_primitive::<TimestampMicrosecondType>();
            Box::new(move |i| {
                or_null(values, i, || {
                    let at = Instant::from_micros(values.value(i));
                    at.map_or(Value::Null, |at| serde_json::json!(at))
                })
            })
        }
        _ => {
            static PLAIN: FormatOptions<'static> = FormatOptions::new();
            let texts = ArrayFormatter::try_new(column, &PLAIN).map_err(Error::internal)?;
            Box::new(move |i| or_null(column, i, || texts.value(i).to_string().into()))
        }
    })
}

fn or_null(column: &dyn Array, i: usize, value: impl FnOnce() -> Value) -> Value {
    if column.is_null(i) {
        Value::Null
    } else {
        value()
    }
}
