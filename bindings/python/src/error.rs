//! The core's error on its way to Python; which class it becomes is written in `python/travelsense/_errors.py`.

use pyo3::prelude::*;
use travelsense::Error;

/// The exception for an error of the core.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let kind = format!("{:?}", error.kind());
    let fields: Vec<_> = error
        .field_errors()
        .iter()
        .map(|f| (f.field.as_str(), f.code, f.message.as_str()))
        .collect();
    let module = py.import("travelsense._errors")?;
    module
        .getattr("of_core")?
        .call1((kind, error.code(), error.message(), fields))
}
