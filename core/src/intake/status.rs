//! How the intake does: what waits, what became of what came, and how old it is.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::log::{Log, failure};
use super::sources::{Heard, Sources};
use super::{Intake, lock};
use crate::error::Result;
use crate::events::{IngestReport, Status};
use crate::query::Instant;

/// There is room again once so many bytes can be written.
const ROOM: usize = 1 << 20;

/// So many sources are told apart: a further one takes the place of one that was silent since the store was opened, and else counts for
/// `other`.
const SOURCES: usize = 100;

/// How the intake of events does since the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestStatus {
    /// Events that wait to be stored.
    pub waiting_events: u64,
    /// Batches that wait to be stored.
    pub waiting_batches: u64,
    /// With so many events waiting, further batches are turned away.
    pub capacity: u64,
    /// Batches that were turned away for want of capacity, or of space on the disk.
    pub turned_away: u64,
    /// Batches answered.
    pub batches: u64,
    /// Changes of the store that they took: one serves all batches that wait.
    pub commits: u64,
    /// Events that were new.
    pub accepted: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Events that were not valid.
    pub refused: u64,
    /// How many were refused for which reason, by the code of the first thing wrong with each.
    pub refused_by_code: BTreeMap<&'static str, u64>,
    /// How long the last batch took from its arrival until it was durable, in seconds.
    pub lag: Option<f64>,
    /// Where events come from.
    pub sources: BTreeMap<String, Freshness>,
    /// Bytes of the log beside the file that the file does not hold without its own log yet.
    pub log_bytes: u64,
    /// Batches that could not be stored and were put beside the file.
    pub parked: u64,
    /// Why the last batch could not be stored, where whoever sent it was told so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// Whether there was no room for it.
    #[serde(skip)]
    pub full: bool,
    /// What was found in the log when the store was opened.
    pub recovery: Recovery,
    /// What the store holds; nothing where that cannot be read.
    pub stored: Option<Stored>,
    /// Why what the store holds cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What a store holds, and what lies beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    /// Events.
    pub events: u64,
    /// When the latest of them happened.
    pub latest: Option<Instant>,
    /// Events that were refused but kept.
    pub quarantined: u64,
    /// Files beside it that hold events and cannot be read.
    pub set_aside: Vec<PathBuf>,
    /// Bytes of memory that the engine holds, for events and for dashboards and the record, its caches among them.
    pub engine_bytes: u64,
}

/// How fresh the events of a source are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Freshness {
    /// How many events were accepted since the store was opened.
    pub accepted: u64,
    /// When the last batch was received, before the store was opened too.
    pub received_at: Option<Instant>,
    /// When the latest valid event happened, before the store was opened too.
    pub latest: Option<Instant>,
    /// How the source does, where it is read from here.
    #[serde(flatten)]
    pub state: Option<SourceState>,
    /// Whether it is only known from before the store was opened.
    #[serde(skip)]
    pub(crate) recalled: bool,
}

/// How a source does that is read from here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceState {
    /// How much it has that was not read yet, where it tells: messages of a stream, bytes of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
    /// Why it cannot be read now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What was found in the log when the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// Events of the log that the file did not hold, and holds now.
    pub replayed: u64,
    /// Batches of the log that they were: one where a process ended in the middle of it, more only where the engine lost its own log.
    #[serde(skip)]
    pub batches: u64,
    /// Bytes of a batch whose writing was never finished and which nobody was told is stored.
    pub cut: u64,
    /// Where damaged bytes were put; somebody should look at them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<PathBuf>,
    /// Batches of the log that could not be stored and were put beside the file.
    pub parked: u64,
}

impl IngestStatus {
    /// Counts a batch that was answered.
    pub(super) fn count(
        &mut self,
        report: &IngestReport,
        source: &str,
        (received, now): (Instant, Instant),
    ) {
        self.batches += 1;
        self.accepted += report.accepted;
        self.duplicates += report.duplicates;
        self.refused += report.refused;
        let refused = report.events.iter().filter(|e| e.status == Status::Refused);
        for answer in refused {
            let code = answer.errors.first().map_or("invalid", |e| e.code);
            *self.refused_by_code.entry(code).or_default() += 1;
        }
        self.lag = Some((now.micros() - received.micros()).max(0) as f64 / 1e6);
        self.source(source).accepted += report.accepted;
    }

    /// Takes in when sources were heard.
    pub(super) fn hear(&mut self, sources: &Sources, now: Instant) {
        // What lies ahead says nothing of how fresh it is, whoever's clock was wrong.
        let passed = |at: &Instant| *at <= now;
        let known = |micros: i64| Instant::saturating_from_micros(micros).min(now);
        for (name, heard) in sources {
            let fresh = self.source(name);
            fresh.recalled = false;
            let received = Some(known(heard.received));
            fresh.received_at = fresh.received_at.filter(passed).max(received);
            fresh.latest = fresh.latest.filter(passed).max(heard.latest.map(known));
        }
    }

    /// Takes in when sources were heard before the store was opened.
    pub(super) fn recall(&mut self, sources: &Sources, now: Instant) {
        self.hear(sources, now);
        for name in sources.keys() {
            self.source(name).recalled = true;
        }
    }

    /// When its sources were heard.
    pub(super) fn heard(&self) -> Sources {
        let heard = self.sources.iter().filter_map(|(name, fresh)| {
            let heard = Heard {
                received: fresh.received_at?.micros(),
                latest: fresh.latest.map(Instant::micros),
            };
            Some((name.clone(), heard))
        });
        heard.collect()
    }

    /// When the latest accepted event of a source happened, where it sent one.
    pub(super) fn latest(&self, name: &str) -> Option<Instant> {
        self.sources.get(name)?.latest
    }

    /// What is known of a source.
    pub(super) fn source(&mut self, name: &str) -> &mut Freshness {
        let room = self.sources.len() < SOURCES;
        let known = self.sources.contains_key(name) || room || self.make_room();
        let name = if known { name } else { "other" };
        self.sources.entry(name.to_owned()).or_default()
    }

    /// Forgets the source that was silent for the longest, if there is one that nothing is known of but from before the store was
    /// opened: names of files come and go.
    fn make_room(&mut self) -> bool {
        let silent = self
            .sources
            .iter()
            .filter(|(_, f)| f.recalled && f.state.is_none());
        let oldest = silent.min_by_key(|(_, f)| f.received_at);
        let oldest = oldest.map(|(name, _)| name.clone());
        oldest.is_some_and(|name| self.sources.remove(&name).is_some())
    }
}

impl Intake {
    /// Adds what was found in the log by another process that opened the store before.
    pub(crate) fn found(&self, before: &Recovery) {
        let mut status = lock(&self.status);
        let recovery = &mut status.recovery;
        recovery.replayed += before.replayed;
        recovery.batches += before.batches;
        recovery.cut += before.cut;
        recovery.parked += before.parked;
        if recovery.set_aside.is_none() {
            recovery.set_aside.clone_from(&before.set_aside);
        }
    }

    /// Notes how a source does.
    pub(crate) fn note(&self, source: &str, state: SourceState) {
        lock(&self.status).source(source).state = Some(state);
    }

    /// When the latest event happened that a source sent; of one that is not known to have sent any, when the store was opened.
    pub(crate) fn heard(&self, source: &str) -> Instant {
        let latest = lock(&self.status).latest(source);
        latest.unwrap_or(self.opened)
    }

    /// Whether there is room for events, as far as is known: once the disk was full it is tried until something is stored, or could be.
    ///
    /// # Errors
    /// `disk_full`, or whatever else keeps a file beside the store from being written.
    pub(crate) fn room(&self) -> Result<()> {
        if !lock(&self.status).full {
            return Ok(());
        }
        if let Some(path) = &self.path {
            let mut probe = path.clone().into_os_string();
            probe.push(".room");
            let probe = PathBuf::from(probe);
            let written = std::fs::File::create(&probe).and_then(|mut file| {
                file.write_all(&vec![0; ROOM])?;
                file.sync_all()
            });
            let _ = std::fs::remove_file(&probe);
            written.map_err(|error| failure(path, error))?;
        }
        let mut status = lock(&self.status);
        (status.full, status.failing) = (false, None);
        Ok(())
    }

    /// How it does.
    pub(crate) fn status(&self) -> IngestStatus {
        let mut status = lock(&self.status).clone();
        let queue = lock(&self.queue);
        status.waiting_events = queue.events;
        status.waiting_batches = queue.waiting.len() as u64;
        drop(queue);
        status.parked = self.parked().map_or(0, |parked| parked.all().len() as u64);
        if let Ok(log) = self.log.try_lock() {
            status.log_bytes = log.as_ref().map_or(0, Log::bytes);
        }
        status
    }
}
