//! The questions of the bench, asked of a store opened cold.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use travelsense::query::Period;
use travelsense::{Analytics, Error, Funnel, Principal, Range, Result, Retention, Window};

const FUNNEL: [&str; 4] = ["search", "view_trip", "start_booking", "complete_booking"];

/// Opens the file, builds its timelines and answers each question `runs` times; then opens it once more, where it finds
/// the timelines saved.
pub(crate) fn measure(file: &Path, runs: u64) -> Result<Value> {
    let who = Principal::owner();
    let store = Analytics::open(file)?;
    let (built, build) = timed(|| store.rebuild());
    built?;
    let timelines = store.timelines()?;

    let asked =
        |from, to| Range::new(from, to).ok_or_else(|| Error::internal("the range of a bench"));
    // 60 of the 90 days, as entries; later steps may fall after them.
    let mut funnel = Funnel::new(FUNNEL, asked("2026-01-15", "2026-03-15")?);
    funnel.window = Window::days(7);
    let (answer, funnel_seconds) = repeated(runs, || store.funnel(&who, &funnel))?;
    let steps: Vec<u64> = answer.steps.iter().map(|s| s.count).collect();

    let mut retention = Retention::new(Period::Weekly, asked("2026-01-01", "2026-04-01")?);
    retention.as_of = Some("2026-04-05T12:00:00Z".parse()?);
    let (answer, retention_seconds) = repeated(runs, || store.retention(&who, &retention))?;
    let cohorts: Vec<Vec<u64>> = answer
        .cohorts
        .iter()
        .map(|c| {
            c.retention
                .iter()
                .map(|cell| cell.count + cell.partial_count)
                .collect()
        })
        .collect();

    let peak = crate::peak_memory();
    store.close();
    let store = Analytics::open(file)?;
    let (again, reopened) = timed(|| store.funnel(&who, &funnel));
    if again?
        .steps
        .iter()
        .map(|s| s.count)
        .ne(steps.iter().copied())
    {
        return Err(Error::internal("saved timelines gave another answer"));
    }

    Ok(json!({
        "events": timelines.events(),
        "bytes_per_event": timelines.bytes() as f64 / timelines.events() as f64,
        "build": build,
        "reopened": reopened,
        "peak_mib": peak,
        "funnel": { "answer": steps, "seconds": funnel_seconds },
        "retention": { "answer": cohorts, "seconds": retention_seconds },
    }))
}

fn repeated<T>(runs: u64, mut ask: impl FnMut() -> Result<T>) -> Result<(T, Vec<f64>)> {
    let mut seconds = Vec::new();
    loop {
        let (answer, took) = timed(&mut ask);
        let answer = answer?;
        seconds.push(took);
        if seconds.len() as u64 >= runs {
            return Ok((answer, seconds));
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64())
}
