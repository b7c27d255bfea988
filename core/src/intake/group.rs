//! Batches that wait: one that came leads, and stores all of them together.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::frame::{Frame, Key};
use super::sources::{self, Heard};
use super::{FULL, Intake, LOG, Now, Patience, Sent, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::outcome::Outcome;
use crate::events::{Event, EventBatch, Held, IngestReport, Prepared, Sound};
use crate::query::Instant;
use crate::warehouse::{Committed, Keyed, Warehouse};

/// With so many events waiting further batches are turned away.
pub(super) const CAPACITY: u64 = 100_000;

/// With so many bytes waiting, as they were sent, too.
pub(super) const ROOM: u64 = 32 << 20;

/// A change takes batches until it has so many events, so that those behind it do not wait too long.
const GROUP: u64 = 20_000;

/// Or so many bytes: of each there are several copies while it is stored.
const WEIGHT: u64 = 8 << 20;

/// The batches that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) waiting: Vec<Waiting>,
    pub(super) events: u64,
    bytes: u64,
    /// Whether somebody leads.
    led: bool,
}

/// A batch that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    report: IngestReport,
    events: Sound,
    held: Vec<Held>,
    latest: Option<i64>,
    source: String,
    received: Instant,
    keyed: Option<Keyed>,
    released: Vec<u64>,
    patience: Patience,
    bytes: u64,
    turn: SyncSender<Turn>,
}

impl Queue {
    /// Whether there is room for so many events, of so many bytes. A batch that meets an empty queue is taken however large it is.
    fn has_room(&self, events: u64, bytes: u64) -> bool {
        self.waiting.is_empty() || (self.events + events <= CAPACITY && self.bytes + bytes <= ROOM)
    }

    /// Counts a batch no more.
    fn without(&mut self, gone: &Waiting) {
        self.events = self.events.saturating_sub(gone.report.sent);
        self.bytes = self.bytes.saturating_sub(gone.bytes);
    }

    /// Those that are stored next.
    fn group(&mut self) -> Vec<Waiting> {
        let (mut events, mut bytes) = (0, 0);
        let count = self.waiting.iter().take_while(|waiting| {
            let first = events == 0 && bytes == 0;
            events += waiting.report.sent;
            bytes += waiting.bytes;
            first || (events <= GROUP && bytes <= WEIGHT)
        });
        let count = count.count();
        let group: Vec<Waiting> = self.waiting.drain(..count).collect();
        for waiting in &group {
            self.without(waiting);
        }
        group
    }
}

/// What somebody who waits hears.
#[derive(Debug)]
pub(super) enum Turn {
    Lead,
    Done(Result<IngestReport>),
}

/// Hands the lead on, whatever happens to who has it.
struct Lead<'a>(&'a Intake);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        while let Some(next) = queue.waiting.first() {
            if next.turn.send(Turn::Lead).is_ok() {
                return;
            }
            let gone = queue.waiting.remove(0);
            queue.without(&gone);
        }
        queue.led = false;
    }
}

impl Intake {
    /// Takes a place among those that wait, and the lead where nobody has it.
    pub(super) fn enter(&self, home: &dyn Warehouse, sent: Sent) -> Result<(Receiver<Turn>, bool)> {
        self.refuse_inside(home)?;
        let (turn, turns) = sync_channel(2);
        let Prepared {
            report,
            events,
            held,
            latest,
        } = sent.prepared;
        let batch = self.batches.fetch_add(1, Ordering::Relaxed);
        let held = held.into_iter().map(|held| held.of_batch(batch)).collect();
        let mut queue = lock(&self.queue);
        if !queue.has_room(report.sent, sent.bytes) {
            lock(&self.status).turned_away += 1;
            return Err(Error::new(
                ErrorKind::Limit,
                "overloaded",
                "more events arrive than can be stored; send the batch again shortly",
            ));
        }
        queue.events += report.sent;
        queue.bytes += sent.bytes;
        queue.waiting.push(Waiting {
            report,
            events,
            held,
            latest,
            source: sent.source,
            received: sent.received,
            keyed: sent.keyed,
            released: sent.released,
            patience: sent.patience,
            bytes: sent.bytes,
            turn,
        });
        Ok((turns, !std::mem::replace(&mut queue.led, true)))
    }

    /// Stores what waits, up to the size of a group, and answers it.
    pub(super) fn lead(&self, home: &dyn Warehouse, clock: Now<'_>) {
        let _lead = Lead(self);
        // While an import is under way batches wait here, where whoever sent one may still go.
        home.idle();
        let group: Vec<Waiting> = {
            let mut queue = lock(&self.queue);
            let all = std::mem::take(&mut queue.waiting);
            let (gone, staying) = all.into_iter().partition(|w| w.patience.is_over());
            queue.waiting = staying;
            for waiting in &gone {
                queue.without(waiting);
            }
            refuse(
                gone,
                &Error::new(ErrorKind::Cancelled, "cancelled", "nobody waits for it"),
            );
            queue.group()
        };
        if group.is_empty() {
            return;
        }
        self.serve(home, clock, group);
        let full = lock(&self.log)
            .as_ref()
            .is_some_and(|log| log.bytes() >= LOG);
        if full {
            // Where it cannot be now, it can be after the next batch.
            let _ = self.empty_log(home, clock());
        }
    }

    /// Stores a group, and where that fails each batch alone, so that one that cannot be stored harms no other.
    fn serve(&self, home: &dyn Warehouse, clock: Now<'_>, group: Vec<Waiting>) {
        let frame = Frame::of(&group);
        match frame.and_then(|frame| self.keep(home, &frame, clock())) {
            Ok((unnamed, committed)) => self.answer(clock, group, &unnamed, &committed),
            Err(error) if error.kind() == ErrorKind::Internal && group.len() > 1 => {
                for waiting in group {
                    self.serve(home, clock, vec![waiting]);
                }
            }
            Err(error) if error.kind() == ErrorKind::Internal => {
                self.retry(home, clock, group, &error)
            }
            Err(error) => self.fail(group, &error),
        }
    }

    /// Refuses a group that the store cannot take now, such as one that there is no room for.
    fn fail(&self, group: Vec<Waiting>, error: &Error) {
        let mut status = lock(&self.status);
        status.full = error.code() == FULL;
        status.turned_away += if status.full { group.len() as u64 } else { 0 };
        status.failing = Some(error.message().to_owned());
        drop(status);
        refuse(group, error);
    }

    /// Tries once more to store a batch, and puts it aside where that fails too.
    fn retry(&self, home: &dyn Warehouse, clock: Now<'_>, group: Vec<Waiting>, first: &Error) {
        let again = Frame::of(&group).map(|frame| (self.keep(home, &frame, clock()), frame));
        match again {
            Ok((Ok((unnamed, committed)), _)) => self.answer(clock, group, &unnamed, &committed),
            Ok((Err(error), frame)) => {
                let name = clock().micros().unsigned_abs();
                let put = (self.parked()).map(|parked| {
                    frame
                        .encode()
                        .and_then(|content| parked.put(name, &content))
                });
                if !matches!(put, Some(Ok(()))) {
                    return self.fail(group, &error);
                }
                let parked = Error::new(
                    ErrorKind::Internal,
                    "parked",
                    "it could not be stored and was put beside the file, to be stored from there; sent again, it is stored once \
                     where it has the same key, or its events the same ids",
                );
                // It is alone in its group.
                if let Some(waiting) = group.into_iter().next() {
                    let parked = parked.caused_by(error);
                    let _ = waiting.turn.send(Turn::Done(Err(parked)));
                }
            }
            Err(_) => self.fail(group, first),
        }
    }

    fn answer(&self, clock: Now<'_>, group: Vec<Waiting>, unnamed: &[u64], committed: &Committed) {
        if let (Some(hear), Some(arrived)) = (self.listener.0.get(), &committed.arrived) {
            hear(Arc::clone(arrived));
        }
        let mut status = lock(&self.status);
        status.commits += 1;
        status.failing = None;
        status.full = false;
        let now = clock();
        let mut first = 0;
        for waiting in group {
            let mut report = waiting.report;
            let sent = report.sent;
            Outcome::of(first, sent, unnamed, committed).report(&mut report);
            first += sent;
            status.count(&report, &waiting.source, (waiting.received, now));
            // Somebody who does not wait any more is not told.
            let _ = waiting.turn.send(Turn::Done(Ok(report)));
        }
    }
}

impl Frame {
    /// The batches of a group as one frame.
    fn of(group: &[Waiting]) -> Result<Self> {
        let mut frame = Self::default();
        let mut few: Vec<(u64, &Event)> = Vec::new();
        let mut first = 0;
        for waiting in group {
            let sent = waiting.report.sent;
            if let Some(keyed) = &waiting.keyed {
                let before = serde_json::to_string(&waiting.report).map_err(Error::internal)?;
                frame.keys.push(Key::new(keyed, first, sent, before));
            }
            match &waiting.events {
                Sound::Few(rows) => few.extend(rows.iter().map(|(line, e)| (line + first, e))),
                Sound::Many(events) => {
                    frame.add(&mut few)?;
                    frame.events.push(events.clone().raised(first));
                }
            }
            frame.held.extend(waiting.held.iter().cloned());
            frame.released.extend(&waiting.released);
            let heard = Heard {
                received: waiting.received.micros(),
                latest: waiting.latest,
            };
            sources::hear(&mut frame.sources, &waiting.source, heard);
            first += sent;
        }
        frame.add(&mut few)?;
        Ok(frame)
    }

    /// Adds a few events of several batches as one.
    fn add(&mut self, few: &mut Vec<(u64, &Event)>) -> Result<()> {
        if !few.is_empty() {
            self.events.push(EventBatch::of(few)?);
            few.clear();
        }
        Ok(())
    }

    /// What is kept under the keys of its batches.
    pub(super) fn answers(
        &self,
        unnamed: &[u64],
        committed: &Committed,
    ) -> Result<Vec<(Keyed, String)>> {
        let answers = self
            .keys
            .iter()
            .map(|key| key.answered(&Outcome::of(key.first, key.sent, unnamed, committed)));
        answers.collect()
    }
}

/// Tells all of a group that nothing of it was kept.
fn refuse(group: Vec<Waiting>, error: &Error) {
    for waiting in group {
        let same = Error::new(error.kind(), error.code(), error.message());
        let _ = waiting.turn.send(Turn::Done(Err(same)));
    }
}
