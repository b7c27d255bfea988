//! What was not as usual in the tables of other libraries, without a store.

use pyo3::prelude::*;
use travelsense::anomaly::{Detection, DetectionAnswer};

use crate::answer::Answer;
use crate::forecast::{batches, run};
use crate::patience::Patience;

/// What was not as usual in a table, as the question says in its JSON form, which holds the rows itself where there is no frame.
#[pyfunction]
#[pyo3(signature = (frame, question, threads, patience))]
pub(crate) fn detect_anomalies(
    frame: Option<&Bound<'_, PyAny>>,
    question: String,
    threads: Option<usize>,
    patience: Patience,
    py: Python<'_>,
) -> PyResult<Answer> {
    let frame = batches(frame)?;
    let read = move |question: &_| match frame {
        Some(frame) => Detection::read(frame, question),
        None => Detection::parse(question),
    };
    let made = run(py, (question, read), threads, &patience, |asked, watch| {
        asked.detect_watched(watch)
    })?;
    Ok(Answer::of_series(
        made,
        DetectionAnswer::table,
        DetectionAnswer::chart,
        None,
    ))
}
