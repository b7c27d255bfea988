//! An answer as Python holds it: the core's text, and its table for everything that speaks Arrow.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchIterator,
    StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};
use serde::Serialize;
use travelsense::chart::{Chart, Look};
use travelsense::{Error, Result};

/// An answer of the core.
#[pyclass(frozen, module = "travelsense._native")]
pub(crate) struct Answer {
    text: Arc<Text>,
    table: RecordBatch,
    scores: Option<RecordBatch>,
    draw: Arc<Draw>,
}

/// The JSON of an answer, written when somebody asks for it.
pub(crate) type Text = LazyLock<Result<String>, Box<dyn FnOnce() -> Result<String> + Send>>;

/// The chart of an answer, or of a part of it by name.
type Draw = dyn Fn(Option<&str>) -> Option<Chart> + Send + Sync;

/// The JSON of something that is kept until then.
pub(crate) fn json_of<T: Serialize + Send + Sync + 'static>(answer: Arc<T>) -> Text {
    LazyLock::new(Box::new(move || {
        serde_json::to_string(&*answer).map_err(Error::internal)
    }))
}

impl Answer {
    /// The answer with its table, and its chart where it has one.
    pub(crate) fn new<T: Serialize>(
        answer: &T,
        table: RecordBatch,
        chart: Option<Chart>,
    ) -> Result<Self> {
        let text = serde_json::to_string(answer).map_err(Error::internal)?;
        let text = LazyLock::new(Box::new(move || Ok(text)) as Box<_>);
        Ok(Self::later(text, table, move |_| chart.clone()))
    }

    /// The answer whose text nobody may want.
    pub(crate) fn later(
        text: Text,
        table: RecordBatch,
        draw: impl Fn(Option<&str>) -> Option<Chart> + Send + Sync + 'static,
    ) -> Self {
        Self {
            text: Arc::new(text),
            table,
            scores: None,
            draw: Arc::new(draw),
        }
    }

    /// The answer with a second table.
    pub(crate) fn scored(self, scores: RecordBatch) -> Self {
        Self {
            scores: Some(scores),
            ..self
        }
    }
}

#[pymethods]
impl Answer {
    /// The core's JSON, byte for byte what every door gives.
    #[getter]
    fn text(&self, py: Python<'_>) -> PyResult<&str> {
        let text = py.detach(|| (**self.text).as_ref());
        text.map(String::as_str)
            .map_err(|e| crate::error::raise(py, e))
    }

    /// The answer with its scores as its table; nothing where it has none.
    #[getter]
    fn scores(&self) -> Option<Self> {
        let table = self.scores.clone()?;
        Some(Self {
            text: Arc::clone(&self.text),
            table,
            scores: None,
            draw: Arc::clone(&self.draw),
        })
    }

    /// The answer as a chart in SVG, which follows light and dark pages; nothing where it has none.
    #[getter]
    fn svg(&self) -> Option<String> {
        self.svg_of(None)
    }

    /// The chart of a part of the answer by its name, the first one where there is no name; nothing where it has none.
    fn svg_of(&self, name: Option<&str>) -> Option<String> {
        (self.draw)(name).map(|c| c.svg(&Look::default()))
    }

    /// The names of the columns and their Arrow types.
    #[getter]
    fn schema(&self) -> Vec<(String, String)> {
        let schema = self.table.schema();
        schema
            .fields()
            .iter()
            .map(|f| (f.name().clone(), f.data_type().to_string()))
            .collect()
    }

    /// The columns by name, each a list of Python values.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for (field, column) in self
            .table
            .schema()
            .fields()
            .iter()
            .zip(self.table.columns())
        {
            columns.set_item(field.name(), values(py, column)?)?;
        }
        Ok(columns)
    }

    fn __len__(&self) -> usize {
        self.table.num_rows()
    }

    /// The table as an Arrow stream; a schema may be asked for, but the table keeps its own.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.table.clone())], self.table.schema());
        PyCapsule::new_with_value(
            py,
            FFI_ArrowArrayStream::new(Box::new(batches)),
            c"arrow_array_stream",
        )
    }

    /// The schema of the table.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&*self.table.schema())
            .map_err(|e| crate::error::raise(py, &Error::internal(e)))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }
}

/// A column as Python values: numbers, text, `bool`, `date`s, `datetime`s (aware where the column has a zone), and `None`.
fn values<'py>(py: Python<'py>, column: &Arc<dyn Array>) -> PyResult<Bound<'py, PyList>> {
    let fault = |e: ArrowError| crate::error::raise(py, &Error::internal(e));
    // Python has one type for all widths.
    let wide = match column.data_type() {
        kind if kind.is_integer() => Some(DataType::Int64),
        DataType::LargeUtf8 | DataType::Utf8View => Some(DataType::Utf8),
        DataType::Timestamp(_, zone) => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        DataType::Date64 => Some(DataType::Date32),
        _ => None,
    };
    let column = &match wide {
        Some(kind) => cast(column, &kind).map_err(fault)?,
        None => Arc::clone(column),
    };
    if let Some(column) = column.as_any().downcast_ref::<Int64Array>() {
        PyList::new(py, column)
    } else if let Some(column) = column.as_any().downcast_ref::<Float64Array>() {
        PyList::new(py, column)
    } else if let Some(column) = column.as_any().downcast_ref::<BooleanArray>() {
        PyList::new(py, column)
    } else if let Some(column) = column.as_any().downcast_ref::<StringArray>() {
        PyList::new(py, column)
    } else if let Some(days) = column.as_primitive_opt::<Date32Type>() {
        let datetime = py.import("datetime")?;
        let epoch = datetime.getattr("date")?.call1((1970, 1, 1))?;
        let delta = datetime.getattr("timedelta")?;
        let date = |days| epoch.call_method1("__add__", (delta.call1((days,))?,));
        let dates: PyResult<Vec<_>> = days.iter().map(|d| d.map(date).transpose()).collect();
        PyList::new(py, dates?)
    } else if let Some(instants) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        let datetime = py.import("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        let zone = match column.data_type() {
            DataType::Timestamp(_, Some(zone)) => Some(zone_of(py, zone, &utc)?),
            _ => None,
        };
        let start = datetime
            .getattr("datetime")?
            .call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
        let delta = datetime.getattr("timedelta")?;
        let instant = |micros| {
            let at = start.call_method1("__add__", (delta.call1((0, 0, micros))?,))?;
            match &zone {
                Some(zone) => at.call_method1("astimezone", (zone,)),
                None => {
                    let none = PyDict::new(py);
                    none.set_item("tzinfo", py.None())?;
                    at.call_method("replace", (), Some(&none))
                }
            }
        };
        let instants: PyResult<Vec<_>> = instants
            .iter()
            .map(|m| m.map(instant).transpose())
            .collect();
        PyList::new(py, instants?)
    } else {
        let unknown: &DataType = column.data_type();
        Err(crate::error::raise(
            py,
            &Error::internal(format!("no Python values for {unknown}")),
        ))
    }
}

/// The `tzinfo` of an Arrow zone.
fn zone_of<'py>(
    py: Python<'py>,
    name: &str,
    utc: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if name == "UTC" {
        return Ok(utc.clone());
    }
    if name.starts_with(['+', '-']) {
        let format = "%z";
        let read = py.import("datetime")?.getattr("datetime")?;
        let read = read.call_method1("strptime", (name, format))?;
        return read.getattr("tzinfo");
    }
    py.import("zoneinfo")?.getattr("ZoneInfo")?.call1((name,))
}
