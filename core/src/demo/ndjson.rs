//! The tables as NDJSON: one JSON object a line, nothing for a null.

use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};

use super::{DAY, Table, World};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

impl World {
    /// Writes a table as NDJSON and returns how many lines it has: times in ISO 8601, amounts as decimal text.
    ///
    /// # Errors
    /// `write_failed` with the error of `to` underneath.
    pub fn write_ndjson(&self, table: Table, mut to: impl Write) -> Result<usize> {
        let mut lines = Vec::new();
        let mut count = 0;
        for batch in self.batches(table) {
            let batch = batch?;
            lines.clear();
            for row in 0..batch.num_rows() {
                line(&batch, row, &mut lines).map_err(Error::internal)?;
            }
            count += batch.num_rows();
            to.write_all(&lines).map_err(|e| {
                let message = format!("the demo data could not be written: {e}");
                Error::new(ErrorKind::Storage, "write_failed", message).caused_by(e)
            })?;
        }
        Ok(count)
    }
}

fn line(batch: &RecordBatch, row: usize, to: &mut Vec<u8>) -> std::io::Result<()> {
    let mut before = b'{';
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if column.is_null(row) {
            continue;
        }
        to.push(before);
        before = b',';
        write!(to, "\"{}\":", field.name())?;
        match column.data_type() {
            DataType::Timestamp(..) => {
                let at = column.as_primitive::<TimestampMicrosecondType>().value(row);
                write!(to, "\"{}\"", Instant::saturating_from_micros(at))?;
            }
            DataType::Date32 => {
                let days = i64::from(column.as_primitive::<Date32Type>().value(row));
                let at = Instant::saturating_from_micros(days * DAY).to_string();
                write!(to, "\"{}\"", at.get(..10).unwrap_or(&at))?;
            }
            DataType::Int64 => write!(to, "{}", column.as_primitive::<Int64Type>().value(row))?,
            DataType::Float64 => write!(to, "{}", column.as_primitive::<Float64Type>().value(row))?,
            _ => {
                let text = column.as_string::<i32>().value(row);
                if field.name() == "properties" {
                    // It is JSON already.
                    to.extend_from_slice(text.as_bytes());
                } else {
                    serde_json::to_writer(&mut *to, text)?;
                }
            }
        }
    }
    to.extend_from_slice(b"}\n");
    Ok(())
}
