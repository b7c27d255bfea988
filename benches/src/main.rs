//! Measures the engine on generated events, for `benches/run` to set beside its peers.
//!
//! `bench load FILE EVENTS` fills a new store and prints how long that took; `bench ask FILE RUNS` opens it cold, builds the
//! timelines and answers each question so many times. Both print one JSON object.
#![expect(
    clippy::print_stdout,
    reason = "a program whose output is the measurement"
)]
#![expect(clippy::disallowed_methods, reason = "measuring needs a clock")]

mod ask;
mod generate;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};
use travelsense::events::{ImportOptions, Mapping, Source};
use travelsense::{Analytics, Error, Principal, Result};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok().filter(|n| *n > 0);
    let measured = match words[..] {
        ["load", file, events] => number(events).map(|events| load(Path::new(file), events)),
        ["ask", file, runs] => number(runs).map(|runs| ask::measure(Path::new(file), runs)),
        _ => None,
    };
    match measured {
        Some(Ok(figures)) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Some(Err(error)) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("usage: bench load FILE EVENTS | bench ask FILE RUNS");
            ExitCode::from(2)
        }
    }
}

fn load(file: &Path, events: u64) -> Result<Value> {
    let store = Analytics::open(file)?;
    let began = Instant::now();
    let source = Source::Batches(Box::new(generate::reader(events).map_err(Error::internal)?));
    let report = store.import(
        &Principal::owner(),
        source,
        &Mapping::default(),
        &mut ImportOptions::default(),
    )?;
    store.close();
    let seconds = began.elapsed().as_secs_f64();
    Ok(json!({ "accepted": report.accepted, "refused": report.refused, "seconds": seconds }))
}

/// The most memory this process has had, in MiB; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kib| kib / 1024)
}
