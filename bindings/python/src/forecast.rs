//! Forecasts and backtests of the tables of other libraries, without a store.

use pyo3::prelude::*;
use serde_json::Value;
use travelsense::Result;
use travelsense::forecast::{BacktestAnswer, ForecastAnswer, Frame, Table, Watch, on_threads};

use crate::answer::Answer;
use crate::capsule;
use crate::error::raise;
use crate::patience::{Left, Patience, waiting};
use crate::store::json;
use crate::worker::Workers;

/// The forecasts of a table as the question says in its JSON form, which holds the rows itself where there is no frame.
#[pyfunction]
#[pyo3(signature = (frame, future, question, threads, patience))]
pub(crate) fn forecast(
    frame: Option<&Bound<'_, PyAny>>,
    future: Option<&Bound<'_, PyAny>>,
    question: String,
    threads: Option<usize>,
    patience: Patience,
    py: Python<'_>,
) -> PyResult<Answer> {
    let read = reading(batches(frame)?, batches(future)?);
    let made = run(py, (question, read), threads, &patience, |table, watch| {
        table.forecast_watched(watch)
    })?;
    Ok(Answer::of_series(
        made,
        ForecastAnswer::table,
        ForecastAnswer::chart,
        None,
    ))
}

/// The backtests of a table, as `forecast` takes it.
#[pyfunction]
#[pyo3(signature = (frame, future, question, threads, patience))]
pub(crate) fn backtest(
    frame: Option<&Bound<'_, PyAny>>,
    future: Option<&Bound<'_, PyAny>>,
    question: String,
    threads: Option<usize>,
    patience: Patience,
    py: Python<'_>,
) -> PyResult<Answer> {
    let read = reading(batches(frame)?, batches(future)?);
    let made = run(py, (question, read), threads, &patience, |table, watch| {
        table.backtest_watched(watch)
    })?;
    Ok(Answer::of_series(
        made,
        BacktestAnswer::table,
        BacktestAnswer::chart,
        Some(BacktestAnswer::scores),
    ))
}

/// How a table is read that lies in frames, or in the question.
fn reading(
    frame: Option<Frame>,
    future: Option<Frame>,
) -> impl FnOnce(&Value) -> Result<Table> + Send + 'static {
    move |question| match frame {
        Some(frame) => Table::read(frame, future, question),
        None => Table::parse(question),
    }
}

pub(crate) fn batches(frame: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Frame>> {
    frame.map(capsule::batches).transpose()
}

/// Reads a table and makes something of it on threads of its own, while this one hears Ctrl-C and tells how far it is.
pub(crate) fn run<A: Sync + 'static, T: Send + 'static>(
    py: Python<'_>,
    (question, read): (String, impl FnOnce(&Value) -> Result<A> + Send + 'static),
    threads: Option<usize>,
    patience: &Patience,
    make: impl FnOnce(&A, Watch<'_>) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let raised = &mut None;
    let made = py.detach(|| {
        let asked = patience.asked();
        let hears = asked.clone();
        let call = move || {
            let asked = read(&json(&question)?)?;
            on_threads(threads, || make(&asked, &|share| hears.tell(share)))
        };
        let workers = Workers::default();
        waiting(&workers, (patience, &asked), raised, Left::Alone, call)
    });
    let made = made.map_err(|e| raise(py, &e));
    raised.take().map_or(made, Err)
}
