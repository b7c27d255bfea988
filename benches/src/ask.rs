//! Questions in their JSON form, asked of a store.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use travelsense::{Analytics, Error, Options, Principal, Result};

/// The questions of the bench by name: the word, and the question as every door takes it.
pub(crate) struct Questions(Value);

impl Questions {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).map_err(Error::internal)?;
        serde_json::from_slice(&text)
            .map(Self)
            .map_err(Error::internal)
    }

    /// Answers one of them, as JSON.
    pub(crate) fn ask(&self, store: &Analytics, name: &str) -> Result<String> {
        let asked = self.0.get(name);
        let asked = asked.ok_or_else(|| Error::internal(format!("no question `{name}`")))?;
        let word = asked.get("word").and_then(Value::as_str);
        let question = asked.get("question").unwrap_or(&Value::Null);
        store.ask(&Principal::owner(), word.unwrap_or_default(), question)
    }
}

/// Opens a store whose clock stands still soon after the last event.
pub(crate) fn open(
    file: &Path,
    threads: Option<usize>,
    memory_limit: Option<u64>,
) -> Result<Analytics> {
    let now: travelsense::Instant = "2026-06-01T00:00:00Z".parse()?;
    Analytics::open_with(Options {
        path: Some(file.to_owned()),
        threads,
        memory_limit,
        clock: Arc::new(move || now),
        ..Options::default()
    })
}

/// Answers requests, one a line: `{"question": name, "runs": most, "seconds": most}`, and at the end of them tells the
/// memory that all of it took.
pub(crate) fn serve(
    file: &Path,
    questions: &Questions,
    memory_limit: Option<u64>,
    out: &mut impl Write,
) -> Result<()> {
    let store = open(file, None, memory_limit)?;
    let (timelines, seconds) = timed(|| store.timelines());
    let timelines = timelines?;
    let mut tell = |what: &dyn std::fmt::Display| {
        writeln!(out, "{what}")
            .and_then(|()| out.flush())
            .map_err(Error::internal)
    };
    tell(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "events": timelines.events(),
        "bytes": timelines.bytes(),
        "opened": seconds,
    }))?;
    drop(timelines);
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(Error::internal)?;
        let request: Value = serde_json::from_str(&line).map_err(Error::internal)?;
        let name = request.get("question").and_then(Value::as_str);
        let (runs, limit) = (
            request.get("runs").and_then(Value::as_u64),
            request.get("seconds").and_then(Value::as_f64),
        );
        let (answer, seconds) =
            repeated(runs.unwrap_or(1), limit.unwrap_or(f64::INFINITY), || {
                questions.ask(&store, name.unwrap_or_default())
            })?;
        tell(&format_args!(
            r#"{{"seconds":{},"answer":{answer}}}"#,
            json!(seconds)
        ))?;
    }
    let bytes = store.timelines()?.bytes();
    tell(&json!({ "peakMib": crate::peak_memory(), "bytes": bytes }))
}

/// Does something so many times or until so many seconds have passed, but at least twice, since the first time is cold.
pub(crate) fn repeated<T>(
    runs: u64,
    limit: f64,
    mut ask: impl FnMut() -> Result<T>,
) -> Result<(T, Vec<f64>)> {
    let mut seconds = Vec::new();
    loop {
        let (answer, took) = timed(&mut ask);
        let answer = answer?;
        seconds.push(took);
        let enough = seconds.len() as u64 >= runs || seconds.iter().sum::<f64>() >= limit;
        if enough && (seconds.len() > 1 || runs == 1) {
            return Ok((answer, seconds));
        }
    }
}

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64())
}
