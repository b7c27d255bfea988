//! An answer as Python holds it: the core's text, and its table for everything that speaks Arrow.

use std::sync::{Arc, OnceLock};

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

use crate::error::raise;

/// An answer of the core; its text and its table are made when they are first asked for.
#[pyclass(frozen, module = "travelsense._native")]
pub(crate) struct Answer {
    made: Arc<dyn Made>,
    text: Arc<OnceLock<String>>,
    table: OnceLock<RecordBatch>,
}

/// What every answer can be turned into.
trait Made: Send + Sync {
    fn text(&self) -> Result<String>;
    fn table(&self) -> Result<RecordBatch>;
    fn charts(&self) -> Vec<Chart>;

    /// The chart of a part of the answer by its name, the first one where there is no name.
    fn chart_of(&self, name: Option<&str>) -> Option<Chart> {
        match name {
            None => self.charts().into_iter().next(),
            Some(_) => None,
        }
    }

    /// A second table.
    fn scores(&self) -> Option<Result<RecordBatch>> {
        None
    }
}

/// An answer of a word, and how it becomes a table and charts.
struct Held<T> {
    answer: T,
    table: fn(&T) -> Result<RecordBatch>,
    charts: fn(&T) -> Vec<Chart>,
}

impl<T: Serialize + Send + Sync> Made for Held<T> {
    fn text(&self) -> Result<String> {
        serde_json::to_string(&self.answer).map_err(Error::internal)
    }

    fn table(&self) -> Result<RecordBatch> {
        (self.table)(&self.answer)
    }

    fn charts(&self) -> Vec<Chart> {
        (self.charts)(&self.answer)
    }
}

/// An answer about many series, each with a chart by its name, and for some with scores.
struct Many<T> {
    answer: T,
    table: fn(&T) -> Result<RecordBatch>,
    chart: fn(&T, Option<&str>) -> Option<Chart>,
    scores: Option<fn(&T) -> Result<RecordBatch>>,
}

impl<T: Serialize + Send + Sync> Made for Many<T> {
    fn text(&self) -> Result<String> {
        serde_json::to_string(&self.answer).map_err(Error::internal)
    }

    fn table(&self) -> Result<RecordBatch> {
        (self.table)(&self.answer)
    }

    fn charts(&self) -> Vec<Chart> {
        self.chart_of(None).into_iter().collect()
    }

    fn chart_of(&self, name: Option<&str>) -> Option<Chart> {
        (self.chart)(&self.answer, name)
    }

    fn scores(&self) -> Option<Result<RecordBatch>> {
        self.scores.map(|scores| scores(&self.answer))
    }
}

impl Answer {
    fn new(made: impl Made + 'static) -> Self {
        Self {
            made: Arc::new(made),
            text: Arc::default(),
            table: OnceLock::new(),
        }
    }

    /// The answer of a word, and how it becomes a table and charts.
    pub(crate) fn of<T: Serialize + Send + Sync + 'static>(
        answer: T,
        table: fn(&T) -> Result<RecordBatch>,
        charts: fn(&T) -> Vec<Chart>,
    ) -> Self {
        Self::new(Held {
            answer,
            table,
            charts,
        })
    }

    /// An answer about many series, and how it becomes a table, the chart of one of them, and scores where it has some.
    pub(crate) fn of_series<T: Serialize + Send + Sync + 'static>(
        answer: T,
        table: fn(&T) -> Result<RecordBatch>,
        chart: fn(&T, Option<&str>) -> Option<Chart>,
        scores: Option<fn(&T) -> Result<RecordBatch>>,
    ) -> Self {
        Self::new(Many {
            answer,
            table,
            chart,
            scores,
        })
    }

    /// The table, made once.
    fn batch(&self, py: Python<'_>) -> PyResult<&RecordBatch> {
        once(py, &self.table, || self.made.table())
    }
}

/// What is in the cell; made without the interpreter's lock where it is not there yet.
fn once<'a, T: Send + Sync>(
    py: Python<'_>,
    cell: &'a OnceLock<T>,
    make: impl Fn() -> Result<T> + Send + Sync,
) -> PyResult<&'a T> {
    py.detach(|| match cell.get() {
        Some(made) => Ok(made),
        // Two who come at once make the same.
        None => make().map(|made| cell.get_or_init(|| made)),
    })
    .map_err(|e| raise(py, &e))
}

#[pymethods]
impl Answer {
    /// The core's JSON, byte for byte what every door gives.
    #[getter]
    fn text(&self, py: Python<'_>) -> PyResult<&str> {
        once(py, &self.text, || self.made.text()).map(String::as_str)
    }

    /// The answer as charts in SVG, which follow light and dark pages: one for most words, one each where it holds several answers.
    #[getter]
    fn svgs(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| {
            let charts = self.made.charts();
            charts.iter().map(|c| c.svg(&Look::default())).collect()
        })
    }

    /// The chart of a part of the answer by its name, the first one where there is no name; nothing where it has none.
    fn svg_of(&self, py: Python<'_>, name: Option<&str>) -> Option<String> {
        py.detach(|| {
            let chart = self.made.chart_of(name);
            chart.map(|c| c.svg(&Look::default()))
        })
    }

    /// The answer with its scores as its table; nothing where it has none.
    #[getter]
    fn scores(&self, py: Python<'_>) -> PyResult<Option<Self>> {
        let scores = py.detach(|| self.made.scores()).transpose();
        let table = scores.map_err(|e| raise(py, &e))?;
        Ok(table.map(|table| Self {
            made: Arc::clone(&self.made),
            text: Arc::clone(&self.text),
            table: table.into(),
        }))
    }

    /// The names of the columns and their Arrow types.
    #[getter]
    fn schema(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let fields = self.batch(py)?.schema_ref().fields().iter();
        Ok(fields
            .map(|f| (f.name().clone(), f.data_type().to_string()))
            .collect())
    }

    /// The columns by name, each a list of Python values.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (table, columns) = (self.batch(py)?, PyDict::new(py));
        for (field, column) in table.schema_ref().fields().iter().zip(table.columns()) {
            columns.set_item(field.name(), values(py, column)?)?;
        }
        Ok(columns)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.batch(py).map(RecordBatch::num_rows)
    }

    /// The table as an Arrow stream; a schema may be asked for, but the table keeps its own.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let table = self.batch(py)?;
        let batches = RecordBatchIterator::new([Ok(table.clone())], table.schema());
        PyCapsule::new_with_value(
            py,
            FFI_ArrowArrayStream::new(Box::new(batches)),
            c"arrow_array_stream",
        )
    }

    /// The schema of the table.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&**self.batch(py)?.schema_ref())
            .map_err(|e| raise(py, &Error::internal(e)))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }
}

/// A column as Python values: numbers, text, `bool`, `date`s, `datetime`s (aware where the column has a zone), and `None`.
fn values<'py>(py: Python<'py>, column: &Arc<dyn Array>) -> PyResult<Bound<'py, PyList>> {
    let fault = |e: ArrowError| raise(py, &Error::internal(e));
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
        Err(raise(
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
