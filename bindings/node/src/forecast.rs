//! Forecasts and backtests of tables of series, without a store.

use std::io::Cursor;
use std::sync::Arc;

use napi::bindgen_prelude::Uint8Array;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use serde_json::Value;
use travelsense::events::read_ipc;
use travelsense::forecast::{Frame, Table, Watch, on_threads};
use travelsense::{Error, Result};

use crate::answer::{Answer, json_of};
use crate::error::parse;
use crate::patience::{Hear, Stop};
use crate::work::{Promised, promise};

/// The forecasts of a table in Arrow IPC as the question says in its JSON form, which holds the rows itself where there is no
/// frame.
#[napi]
pub(crate) fn forecast(
    frame: Option<Uint8Array>,
    future: Option<Uint8Array>,
    question: String,
    threads: Option<u32>,
    stop: &Stop,
    hear: Option<Hear>,
) -> Promised<Answer> {
    run(
        (frame, future),
        question,
        (threads, stop, hear),
        |table, watch| {
            let made = Arc::new(table.forecast_watched(watch)?);
            let (text, drawn) = (json_of(Arc::clone(&made)), Arc::clone(&made));
            let answer = Answer::later(text, move || made.table());
            Ok(answer.drawn(move |id| drawn.chart(id)))
        },
    )
}

/// The backtests of a table, as `forecast` takes it.
#[napi]
pub(crate) fn backtest(
    frame: Option<Uint8Array>,
    future: Option<Uint8Array>,
    question: String,
    threads: Option<u32>,
    stop: &Stop,
    hear: Option<Hear>,
) -> Promised<Answer> {
    run(
        (frame, future),
        question,
        (threads, stop, hear),
        |table, watch| {
            let made = Arc::new(table.backtest_watched(watch)?);
            let (text, drawn) = (json_of(Arc::clone(&made)), Arc::clone(&made));
            let answer = Answer::later(text, move || made.table());
            Ok(answer.drawn(move |id| drawn.chart(id)))
        },
    )
}

fn run(
    (frame, future): (Option<Uint8Array>, Option<Uint8Array>),
    question: String,
    how: How<'_>,
    make: impl FnOnce(&Table, Watch<'_>) -> Result<Answer> + Send + 'static,
) -> Promised<Answer> {
    let (frame, future) = (copied(frame), copied(future));
    let read = move |question: &Value| match read(frame, "frame")? {
        Some(frame) => Table::read(frame, read(future, "future")?, question),
        None => Table::parse(question),
    };
    made(question, read, how, make)
}

/// How many threads, what gives it up, and who hears how far it is.
pub(crate) type How<'a> = (Option<u32>, &'a Stop, Option<Hear>);

/// The bytes are copied because the caller could change them while another thread reads.
pub(crate) fn copied(bytes: Option<Uint8Array>) -> Option<Vec<u8>> {
    bytes.map(|bytes| bytes.to_vec())
}

/// What is made of a table that is read as a question says.
pub(crate) fn made<A: Sync + 'static>(
    question: String,
    read: impl FnOnce(&Value) -> Result<A> + Send + 'static,
    (threads, stop, hear): How<'_>,
    make: impl FnOnce(&A, Watch<'_>) -> Result<Answer> + Send + 'static,
) -> Promised<Answer> {
    let stop = stop.flag();
    promise(move || {
        let asked = read(&parse(&question)?)?;
        let watch = move |share: f64| {
            if let Some(hear) = &hear {
                hear.call((share,).into(), ThreadsafeFunctionCallMode::NonBlocking);
            }
            !stop.load(std::sync::atomic::Ordering::Relaxed)
        };
        on_threads(threads.map(|n| n as usize), || make(&asked, &watch))
    })
}

/// A frame of bytes.
pub(crate) fn read(bytes: Option<Vec<u8>>, field: &str) -> Result<Option<Frame>> {
    let read = |bytes| read_ipc(Cursor::new(bytes));
    bytes.map(read).transpose().map_err(|e| {
        let message = format!("holds no Arrow IPC: {e}");
        Error::field(field, "invalid_arrow", message)
    })
}
