//! An answer as Python holds it: the core's text, and its table for everything that speaks Arrow.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchIterator,
    StringArray,
};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
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
    text: String,
    table: RecordBatch,
    chart: Option<Chart>,
}

impl Answer {
    /// The answer with its table, and its chart where it has one.
    pub(crate) fn new<T: Serialize>(
        answer: &T,
        table: RecordBatch,
        chart: Option<Chart>,
    ) -> Result<Self> {
        let text = serde_json::to_string(answer).map_err(Error::internal)?;
        Ok(Self { text, table, chart })
    }
}

#[pymethods]
impl Answer {
    /// The core's JSON, byte for byte what every door gives.
    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    /// The answer as a chart in SVG, which follows light and dark pages; nothing where it has none.
    #[getter]
    fn svg(&self) -> Option<String> {
        self.chart.as_ref().map(|c| c.svg(&Look::default()))
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

/// A column as Python values: numbers, text, `bool`, aware `datetime`s, and `None`.
fn values<'py>(py: Python<'py>, column: &Arc<dyn Array>) -> PyResult<Bound<'py, PyList>> {
    if let Some(column) = column.as_any().downcast_ref::<Int64Array>() {
        PyList::new(py, column)
    } else if let Some(column) = column.as_any().downcast_ref::<Float64Array>() {
        PyList::new(py, column)
    } else if let Some(column) = column.as_any().downcast_ref::<BooleanArray>() {
        PyList::new(py, column)
    } else if let Some(column) = column.as_any().downcast_ref::<StringArray>() {
        PyList::new(py, column)
    } else if let Some(column) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        let datetime = py.import("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        let epoch = datetime
            .getattr("datetime")?
            .call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
        let delta = datetime.getattr("timedelta")?;
        let instant = |micros| epoch.call_method1("__add__", (delta.call1((0, 0, micros))?,));
        let instants: PyResult<Vec<_>> =
            column.iter().map(|m| m.map(instant).transpose()).collect();
        PyList::new(py, instants?)
    } else {
        let unknown: &DataType = column.data_type();
        Err(crate::error::raise(
            py,
            &Error::internal(format!("no Python values for {unknown}")),
        ))
    }
}
