//! Measures the engine on generated events, for `benches/run` to set beside its peers.
//!
//! Every command prints JSON, one object a line:
//! - `bench load STORE EVENTS [LIMIT]` fills a new store; `bench busy STORE EVENTS` does so with the events of a single user.
//! - `bench build STORE [LIMIT]` builds its timelines and saves them.
//! - `bench reopen STORE QUESTIONS NAME` opens it and answers one question.
//! - `bench serve STORE QUESTIONS [LIMIT]` answers requests from standard input, under a memory limit in bytes.
//! - `bench single STORE QUESTIONS NAME…` answers on a single thread.
//! - `bench anomalies USERS DAYS` finds injected incidents in a demo, in buckets of 1 to 60 minutes, and counts false alarms.
//! - `bench bandwidth` measures how fast memory can be read.
#![expect(
    clippy::print_stdout,
    reason = "a program whose output is the measurement"
)]
#![expect(clippy::disallowed_methods, reason = "measuring needs a clock")]

mod anomalies;
mod ask;
mod bandwidth;
mod generate;

use std::path::Path;
use std::process::ExitCode;

use arrow::array::RecordBatchReader;
use ask::{Questions, open, repeated, timed};
use serde_json::{Map, Value, json};
use travelsense::events::{ImportOptions, Mapping, Source};
use travelsense::{Principal, Result};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok().filter(|n| *n > 0);
    let measured = match &words[..] {
        ["load", store, events] => number(events).map(|n| load(store, generate::reader(n), None)),
        ["load", store, events, limit] => number(events)
            .zip(number(limit))
            .map(|(n, limit)| load(store, generate::reader(n), Some(limit))),
        ["busy", store, events] => number(events).map(|n| load(store, generate::busy(n), None)),
        ["build", store] => Some(build(store, None)),
        ["build", store, limit] => number(limit).map(|limit| build(store, Some(limit))),
        ["reopen", store, questions, name] => Some(reopen(store, questions, name)),
        ["single", store, questions, names @ ..] => Some(single(store, questions, names)),
        ["serve", store, questions] => Some(serve(store, questions, None)),
        ["serve", store, questions, limit] => {
            number(limit).map(|limit| serve(store, questions, Some(limit)))
        }
        ["anomalies", users, days] => {
            let counts = number(users).zip(number(days));
            counts.map(|(users, days)| anomalies::measure(users as u32, days as u32))
        }
        ["bandwidth"] => Some(Ok(json!({ "bytesPerSecond": bandwidth::measure() }))),
        _ => None,
    };
    match measured {
        Some(Ok(Value::Null)) => ExitCode::SUCCESS,
        Some(Ok(figures)) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Some(Err(error)) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!(
                "usage: bench load|busy STORE EVENTS [LIMIT] | build STORE [LIMIT] | reopen STORE QUESTIONS NAME | \
                 serve STORE QUESTIONS [LIMIT] | single STORE QUESTIONS NAME… | anomalies USERS DAYS | bandwidth"
            );
            ExitCode::from(2)
        }
    }
}

fn load(
    store: &str,
    events: impl RecordBatchReader + Send + 'static,
    limit: Option<u64>,
) -> Result<Value> {
    let store = open(Path::new(store), None, limit)?;
    let (report, seconds) = timed(|| {
        store.import(
            &Principal::owner(),
            Source::Batches(Box::new(events)),
            &Mapping::default(),
            &mut ImportOptions::default(),
        )
    });
    let report = report?;
    let peak = peak_memory();
    store.close();
    Ok(json!({
        "accepted": report.accepted,
        "refused": report.refused,
        "seconds": seconds,
        "peakMib": peak,
    }))
}

fn build(store: &str, limit: Option<u64>) -> Result<Value> {
    let store = open(Path::new(store), None, limit)?;
    let (built, seconds) = timed(|| store.rebuild(&Principal::owner()));
    built?;
    let peak = peak_memory();
    store.close();
    Ok(json!({ "seconds": seconds, "peakMib": peak }))
}

fn reopen(store: &str, questions: &str, name: &str) -> Result<Value> {
    let questions = Questions::read(Path::new(questions))?;
    let (opened, open_seconds) = timed(|| open(Path::new(store), None, None));
    let opened = opened?;
    let (answer, answer_seconds) = timed(|| questions.ask(&opened, name));
    answer?;
    Ok(json!({ "open": open_seconds, "answer": answer_seconds }))
}

fn serve(store: &str, questions: &str, limit: Option<u64>) -> Result<Value> {
    let questions = Questions::read(Path::new(questions))?;
    ask::serve(
        Path::new(store),
        &questions,
        limit,
        &mut std::io::stdout().lock(),
    )?;
    Ok(Value::Null)
}

/// The best nanoseconds an event, by question.
fn single(store: &str, questions: &str, names: &[&str]) -> Result<Value> {
    const RUNS: u64 = 5;
    let questions = Questions::read(Path::new(questions))?;
    let store = open(Path::new(store), Some(1), None)?;
    let events = store.timelines()?.events();
    let mut figures = Map::new();
    for name in names {
        let (_, seconds) = repeated(RUNS, 20.0, || questions.ask(&store, name))?;
        let best = seconds.into_iter().fold(f64::INFINITY, f64::min);
        figures.insert((*name).to_owned(), json!(best * 1e9 / events as f64));
    }
    Ok(Value::Object(figures))
}

/// The most memory this process has had, in MiB; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kib| kib / 1024)
}
