//! Notifications that the program around the store delivers by itself.

use pyo3::prelude::*;
use travelsense::analytics::{Attempt, due};
use travelsense::metadata;

use crate::error::raise;
use crate::store::text;

/// A notification that is due.
#[pyclass(frozen, module = "travelsense._native")]
pub(crate) struct Letter(pub(crate) metadata::Letter);

#[pymethods]
impl Letter {
    /// What is told and where, as JSON.
    #[getter]
    fn text(&self, py: Python<'_>) -> PyResult<String> {
        due(&self.0)
            .and_then(|told| text(&told))
            .map_err(|e| raise(py, &e))
    }
}

/// How an attempt to deliver one went: it arrived unless it is said why not, and is never tried again where it is lost.
pub(crate) fn attempt(why_not: Option<String>, lost: bool) -> Attempt {
    match why_not {
        None => Attempt::Delivered,
        Some(why) if lost => Attempt::Refused(why),
        Some(why) => Attempt::Failed(why),
    }
}
