//! An answer, held so that it can be read as text, as a table and as a picture when that is asked for.

use std::sync::{Arc, LazyLock};

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamWriter;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use serde::Serialize;
use travelsense::chart::{Chart, Look};
use travelsense::{Error, Result};

use crate::error::to_js;
use crate::rows::Rows;
use crate::work::{Promised, promise};

/// The JSON of an answer, written when somebody asks for it.
pub(crate) type Text = LazyLock<Result<String>, Box<dyn FnOnce() -> Result<String> + Send>>;

/// Makes the table of an answer.
type Table = Arc<dyn Fn() -> Result<RecordBatch> + Send + Sync>;

/// Makes the chart of an answer, or of a part of it by name.
type Draw = Arc<dyn Fn(Option<&str>) -> Option<Chart> + Send + Sync>;

/// An answer of the core.
#[napi]
pub(crate) struct Answer {
    text: Text,
    table: Table,
    draw: Draw,
}

#[napi]
impl Answer {
    /// Its JSON, byte for byte what the other doors give.
    #[napi(getter)]
    pub fn text(&self) -> napi::Result<&str> {
        match &*self.text {
            Ok(text) => Ok(text),
            Err(e) => Err(to_js(Error::internal(e.to_string()))),
        }
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

    /// Its chart in SVG, or that of a part of it by name; nothing where it has none.
    #[napi]
    pub fn svg(&self, name: Option<String>) -> Promised<Option<String>> {
        let draw = Arc::clone(&self.draw);
        promise(move || Ok(draw(name.as_deref()).map(|c| c.svg(&Look::default()))))
    }
}

impl Answer {
    /// An answer and how it becomes a table.
    pub(crate) fn of<T>(answer: T, table: fn(&T) -> Result<RecordBatch>) -> Result<Self>
    where
        T: Serialize + Send + Sync + 'static,
    {
        let text = text(&answer)?;
        let text = LazyLock::new(Box::new(move || Ok(text)) as Box<_>);
        Ok(Self::later(text, move || table(&answer)))
    }

    /// An answer whose text nobody may want.
    pub(crate) fn later(
        text: Text,
        table: impl Fn() -> Result<RecordBatch> + Send + Sync + 'static,
    ) -> Self {
        Self {
            text,
            table: Arc::new(table),
            draw: Arc::new(|_| None),
        }
    }

    /// The answer with a chart.
    pub(crate) fn drawn(
        self,
        draw: impl Fn(Option<&str>) -> Option<Chart> + Send + Sync + 'static,
    ) -> Self {
        Self {
            draw: Arc::new(draw),
            ..self
        }
    }
}

/// The one text of an answer.
pub(crate) fn text<T: Serialize>(answer: &T) -> Result<String> {
    serde_json::to_string(answer).map_err(Error::internal)
}

/// The JSON of something that is kept until then.
pub(crate) fn json_of<T: Serialize + Send + Sync + 'static>(answer: Arc<T>) -> Text {
    LazyLock::new(Box::new(move || text(&*answer)))
}

fn stream(table: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).map_err(Error::internal)?;
    writer.write(table).map_err(Error::internal)?;
    writer.into_inner().map_err(Error::internal)
}
