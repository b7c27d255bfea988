//! An answer, held so that it can be read as text now and as a table when that is asked for.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamWriter;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use serde::Serialize;
use travelsense::{Error, Result};

use crate::rows::Rows;
use crate::work::{Promised, promise};

/// Makes the table of an answer.
type Table = Arc<dyn Fn() -> Result<RecordBatch> + Send + Sync>;

/// An answer of the core.
#[napi]
pub(crate) struct Answer {
    text: String,
    table: Table,
}

#[napi]
impl Answer {
    /// Its JSON, byte for byte what the other doors give.
    #[napi(getter)]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its table in Arrow's stream format.
    #[napi]
    pub fn to_arrow_ipc(&self) -> Promised<Vec<u8>, Uint8Array> {
        let table = Arc::clone(&self.table);
        promise(move || stream(&table()?))
    }

    /// Its table row by row.
    #[napi]
    pub fn rows(&self) -> Promised<Rows> {
        let table = Arc::clone(&self.table);
        promise(move || Ok(Rows::of(table()?)))
    }
}

impl Answer {
    /// An answer and how it becomes a table.
    pub(crate) fn of<T>(answer: T, table: fn(&T) -> Result<RecordBatch>) -> Result<Self>
    where
        T: Serialize + Send + Sync + 'static,
    {
        Ok(Self {
            text: text(&answer)?,
            table: Arc::new(move || table(&answer)),
        })
    }
}

/// The one text of an answer.
pub(crate) fn text<T: Serialize>(answer: &T) -> Result<String> {
    serde_json::to_string(answer).map_err(Error::internal)
}

fn stream(table: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).map_err(Error::internal)?;
    writer.write(table).map_err(Error::internal)?;
    writer.into_inner().map_err(Error::internal)
}
