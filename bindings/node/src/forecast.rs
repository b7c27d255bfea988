//! Forecasts and backtests of tables of series, without a store.

use std::io::Cursor;
use std::sync::Arc;

use napi::bindgen_prelude::Uint8Array;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
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
    (threads, stop, hear): (Option<u32>, &Stop, Option<Hear>),
    make: impl FnOnce(&Table, Watch<'_>) -> Result<Answer> + Send + 'static,
) -> Promised<Answer> {
    let stop = stop.flag();
    // The bytes are copied because the caller could change them while another thread reads.
    let copied = |bytes: Option<Uint8Array>| bytes.map(|bytes| bytes.to_vec());
    let (frame, future) = (copied(frame), copied(future));
    promise(move || {
        let question = parse(&question)?;
        let table = match read(frame, "frame")? {
            Some(frame) => Table::read(frame, read(future, "future")?, &question)?,
            None => Table::parse(&question)?,
        };
        let watch = move |share: f64| {
            if let Some(hear) = &hear {
                hear.call((share,).into(), ThreadsafeFunctionCallMode::NonBlocking);
            }
            !stop.load(std::sync::atomic::Ordering::Relaxed)
        };
        on_threads(threads.map(|n| n as usize), || make(&table, &watch))
    })
}

fn read(bytes: Option<Vec<u8>>, field: &str) -> Result<Option<Frame>> {
    let read = |bytes| read_ipc(Cursor::new(bytes));
    bytes.map(read).transpose().map_err(|e| {
        let message = format!("holds no Arrow IPC: {e}");
        Error::field(field, "invalid_arrow", message)
    })
}
