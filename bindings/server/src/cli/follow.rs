//! `travelsense import` of what goes on: a stream, a table that grows, files with `--follow`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use travelsense::Analytics;
use travelsense::events::Mapping;

use super::failure::Failure;
use super::serve::runtime;
use super::{Outcome, output};
use crate::serve::signalled;
use crate::source::{self, Feed, Taken, Trouble};

/// Takes what a source has and ends, or goes `on` until SIGINT or SIGTERM.
pub(super) fn run(
    analytics: Analytics,
    feed: &mut dyn Feed,
    mapping: &Mapping,
    (on, json): (bool, bool),
) -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    // What is being stored is stored before a signal is heard.
    let runtime = runtime()?;
    let (flag, (told, heard)) = (Arc::clone(&stop), std::sync::mpsc::channel());
    runtime.spawn(async move {
        let signal = signalled();
        let _ = told.send(signal.as_ref().err().map(ToString::to_string));
        if let Ok(signal) = signal {
            signal.await;
            flag.store(true, Ordering::Relaxed);
        }
    });
    if let Ok(Some(why)) = heard.recv() {
        return Err(Failure::failed(format!("signals: {why}")));
    }
    let mut sum = Taken::default();
    let mut said = Ok(());
    let mut hear = |source: &str, taken: Taken| {
        sum += taken;
        if json || said.is_err() {
            return;
        }
        let mut lines = vec![format!("{} events", taken.accepted)];
        if taken.refused > 0 {
            lines.push(format!("{} events of {source} were refused", taken.refused));
        }
        if taken.conflicts > 0 {
            lines.push(format!(
                "{} events of {source} have the ids of others and another content, and were kept out",
                taken.conflicts
            ));
        }
        if taken.parked {
            lines.push(format!(
                "events of {source} could not be stored and wait beside the store"
            ));
        }
        said = lines.iter().try_for_each(|line| output::line(line));
    };
    let read = source::read(&analytics, mapping, feed, (on, &stop), &mut hear);
    runtime.shutdown_background();
    analytics.close();
    read.map_err(Failure::from)?;
    said?;
    if json {
        let (accepted, duplicates, refused) = (sum.accepted, sum.duplicates, sum.refused);
        let report = json!({
            "sent": accepted + duplicates + refused,
            "accepted": accepted,
            "duplicates": duplicates,
            "refused": refused,
            "conflicts": sum.conflicts,
        });
        output::line(&report.to_string())?;
    }
    Ok(())
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Wrong(why) => Self::invalid(why),
            Trouble::Broken(why) => Self::failed(why),
        }
    }
}
