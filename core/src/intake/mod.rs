//! The durable way in: batches that wait are stored together, and each is answered once all of them are on disk.
//!
//! Whoever comes first leads: it takes all that waits, writes it to the log and into the store, answers, and hands the lead on. So one
//! sync of the disk serves every batch that came while the one before was under way, and no thread has to be kept.

mod frame;
mod keys;
mod log;
mod park;
mod status;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::frame::{Frame, Key};
use self::keys::Keys;
use self::log::Log;
use self::park::Parked;
pub use self::status::{Freshness, IngestStatus, Recovery};
use crate::error::{Error, ErrorKind, Result};
use crate::events::outcome::Outcome;
use crate::events::{EventBatch, Held, IngestReport, Prepared};
use crate::query::Instant;
use crate::warehouse::{Answered, Committed, Keyed, Warehouse};

/// With so many events waiting further batches are turned away.
const CAPACITY: u64 = 100_000;

/// A change takes batches until it has so many events, so that those behind it do not wait too long.
const GROUP: u64 = 20_000;

/// From so many bytes on the log is emptied, once the file is whole without it.
const LOG: u64 = 16 << 20;

/// What tells the time.
pub(crate) type Now<'a> = &'a (dyn Fn() -> Instant + 'a);

/// A batch that arrives.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) prepared: Prepared,
    /// Where it comes from.
    pub(crate) source: String,
    pub(crate) received: Instant,
    /// By which it is known again; begun by [`Intake::begin`].
    pub(crate) keyed: Option<Keyed>,
    /// Events that leave the quarantine with it.
    pub(crate) released: Vec<u64>,
}

/// The way in of one store.
#[derive(Debug)]
pub(crate) struct Intake {
    /// The store's file, where it has one that may be written.
    path: Option<PathBuf>,
    log: Mutex<Option<Log>>,
    queue: Mutex<Queue>,
    keys: Mutex<Keys>,
    status: Mutex<IngestStatus>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    events: u64,
    /// Whether somebody leads.
    led: bool,
}

#[derive(Debug)]
struct Waiting {
    report: IngestReport,
    events: EventBatch,
    held: Vec<Held>,
    latest: Option<i64>,
    source: String,
    received: Instant,
    keyed: Option<Keyed>,
    released: Vec<u64>,
    turn: SyncSender<Turn>,
}

/// What somebody who waits hears.
#[derive(Debug)]
enum Turn {
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
            queue.events = queue.events.saturating_sub(gone.report.sent);
        }
        queue.led = false;
    }
}

impl Intake {
    /// Opens the way into a store at a path, or in memory, and brings what its log holds into it.
    pub(crate) fn open(
        path: Option<&Path>,
        read_only: bool,
        home: &dyn Warehouse,
        now: Instant,
    ) -> Result<Self> {
        let intake = Self {
            path: path.filter(|_| !read_only).map(Path::to_owned),
            log: Mutex::default(),
            queue: Mutex::default(),
            keys: Mutex::default(),
            status: Mutex::new(IngestStatus {
                capacity: CAPACITY,
                ..IngestStatus::default()
            }),
        };
        if read_only {
            return Ok(intake);
        }
        *lock(&intake.keys) = Keys::of(home.keys_since(Keys::since(now))?);
        if intake.log_path().is_some_and(|path| path.exists()) {
            intake.recover(home, now)?;
        }
        Ok(intake)
    }

    fn log_path(&self) -> Option<PathBuf> {
        let mut name = self.path.clone()?.into_os_string();
        name.push(".log");
        Some(name.into())
    }

    fn parked(&self) -> Option<Parked> {
        self.path.as_deref().map(Parked::beside)
    }

    /// Brings into the store what only the log holds.
    fn recover(&self, home: &dyn Warehouse, now: Instant) -> Result<()> {
        let (Some(path), Some(parked)) = (self.log_path(), self.parked()) else {
            return Ok(());
        };
        let logged = home.logged()?;
        let (mut log, found) = Log::open(path, logged.store, logged.position)?;
        let mut recovery = Recovery {
            cut: found.cut,
            set_aside: found.set_aside,
            ..Recovery::default()
        };
        for (position, content) in &found.frames {
            let replay = || {
                let frame = Frame::decode(content)?;
                store(home, &frame, Some(*position)).map(|_| frame.len())
            };
            match replay().or_else(|_| replay()) {
                Ok(events) => recovery.replayed += events,
                // A full disk is no fault of the batch: it stays in the log.
                Err(error)
                    if error.kind() != ErrorKind::Internal
                        && error.kind() != ErrorKind::Corrupt =>
                {
                    return Err(error);
                }
                Err(_) => {
                    parked.put(*position, content)?;
                    recovery.parked += 1;
                }
            }
        }
        if home.checkpoint(Keys::since(now))? {
            log.reset()?;
        }
        *lock(&self.log) = Some(log);
        lock(&self.status).recovery = recovery;
        Ok(())
    }

    /// What was answered to the batch of this key, or nothing where it is new: then it is under way until it is taken.
    pub(crate) fn begin(&self, home: &dyn Warehouse, keyed: Keyed) -> Result<Option<String>> {
        if !lock(&self.keys).begin(keyed)? {
            return Ok(None);
        }
        let answered = home.answered(keyed.key)?;
        let answer = answered.filter(|Answered { body, .. }| *body == keyed.body);
        answer
            .map(|answered| Some(answered.answer))
            .ok_or_else(|| Error::internal("the answer to a batch was not kept"))
    }

    /// The batch of a key is given up before it was taken.
    pub(crate) fn give_up(&self, keyed: Keyed) {
        lock(&self.keys).end(keyed, false);
    }

    /// Stores a batch, together with others that wait, and answers once it is durable.
    ///
    /// # Errors
    /// `overloaded` beyond capacity; the store's own. Then nothing of the batch is kept.
    pub(crate) fn take(
        &self,
        home: &dyn Warehouse,
        clock: Now<'_>,
        sent: Sent,
    ) -> Result<IngestReport> {
        let keyed = sent.keyed;
        let taken = self.enter(home, sent).and_then(|(turns, leads)| {
            if leads {
                self.lead(home, clock);
            }
            loop {
                match turns.recv() {
                    Ok(Turn::Done(report)) => return report,
                    Ok(Turn::Lead) => self.lead(home, clock),
                    Err(_) => return Err(Error::internal("a batch was given up")),
                }
            }
        });
        if let Some(keyed) = keyed {
            lock(&self.keys).end(keyed, taken.is_ok());
        }
        taken
    }

    /// Takes a place among those that wait, and the lead where nobody has it.
    fn enter(&self, home: &dyn Warehouse, sent: Sent) -> Result<(Receiver<Turn>, bool)> {
        if home.changing() {
            // On this very thread: whoever leads would wait for it, and it for them.
            home.load()?;
        }
        let (turn, turns) = sync_channel(2);
        let Prepared {
            report,
            events,
            held,
            latest,
        } = sent.prepared;
        let mut queue = lock(&self.queue);
        // A batch that meets an empty queue is taken however large it is.
        if queue.events > 0 && queue.events + report.sent > CAPACITY {
            lock(&self.status).turned_away += 1;
            return Err(Error::new(
                ErrorKind::Limit,
                "overloaded",
                "more events arrive than can be stored; send the batch again shortly",
            ));
        }
        queue.events += report.sent;
        queue.waiting.push(Waiting {
            report,
            events,
            held,
            latest,
            source: sent.source,
            received: sent.received,
            keyed: sent.keyed,
            released: sent.released,
            turn,
        });
        Ok((turns, !std::mem::replace(&mut queue.led, true)))
    }

    /// Stores what waits, up to the size of a group, and answers it.
    fn lead(&self, home: &dyn Warehouse, clock: Now<'_>) {
        let _lead = Lead(self);
        let group = {
            let mut queue = lock(&self.queue);
            let mut events = 0;
            let mut count = 0;
            for waiting in &queue.waiting {
                if count > 0 && events + waiting.report.sent > GROUP {
                    break;
                }
                events += waiting.report.sent;
                count += 1;
            }
            queue.events = queue.events.saturating_sub(events);
            queue.waiting.drain(..count).collect()
        };
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
        match frame.and_then(|frame| self.keep(home, &frame)) {
            Ok((unnamed, committed)) => self.answer(clock, group, &unnamed, &committed),
            Err(error) if error.kind() == ErrorKind::Internal && group.len() > 1 => {
                for waiting in group {
                    self.serve(home, clock, vec![waiting]);
                }
            }
            Err(error) if error.kind() == ErrorKind::Internal => {
                self.retry(home, clock, group, &error)
            }
            Err(error) => refuse(group, &error),
        }
    }

    /// Tries once more to store a batch, and puts it aside where that fails too.
    fn retry(&self, home: &dyn Warehouse, clock: Now<'_>, group: Vec<Waiting>, first: &Error) {
        let again = Frame::of(&group).and_then(|frame| Ok((self.keep(home, &frame), frame)));
        match again {
            Ok((Ok((unnamed, committed)), _)) => self.answer(clock, group, &unnamed, &committed),
            Ok((Err(error), frame)) => {
                let name = clock().micros().unsigned_abs();
                let put = (self.parked()).map(|parked| {
                    frame
                        .encode()
                        .and_then(|content| parked.put(name, &content))
                });
                if matches!(put, Some(Ok(()))) {
                    lock(&self.status).parked += 1;
                }
                refuse(group, &error);
            }
            Err(_) => refuse(group, first),
        }
    }

    fn answer(&self, clock: Now<'_>, group: Vec<Waiting>, unnamed: &[u64], committed: &Committed) {
        let mut status = lock(&self.status);
        status.commits += 1;
        let now = clock();
        let mut first = 0;
        for waiting in group {
            let mut report = waiting.report;
            let sent = report.sent;
            Outcome::of(first, sent, unnamed, committed).report(&mut report);
            first += sent;
            status.count(
                &report,
                &waiting.source,
                waiting.latest,
                (waiting.received, now),
            );
            // Somebody who does not wait any more is not told.
            let _ = waiting.turn.send(Turn::Done(Ok(report)));
        }
    }

    /// Makes a frame durable, in the log and in the store.
    fn keep(&self, home: &dyn Warehouse, frame: &Frame) -> Result<(Vec<u64>, Committed)> {
        let mut log = lock(&self.log);
        if log.is_none()
            && let Some(path) = self.log_path()
        {
            let logged = home.logged()?;
            *log = Some(Log::open(path, logged.store, logged.position)?.0);
        }
        let Some(log) = log.as_mut() else {
            return store(home, frame, None);
        };
        let content = frame.encode()?;
        let before = log.end();
        let kept = (|| {
            let mut load = home.load()?;
            // The disk takes the log while the engine takes the events.
            let (logged, staged) = std::thread::scope(|scope| {
                let logging = scope.spawn(|| log.append(&content));
                let staged = stage(load.as_mut(), frame);
                (logging.join(), staged)
            });
            let position = logged.map_err(|_| Error::internal("the log failed"))??;
            load.position(position);
            let unnamed = staged?;
            let committed = load.commit_answering(&mut |c| frame.answers(&unnamed, c))?;
            Ok((unnamed, committed))
        })();
        if kept.is_err() && log.end() > before {
            // Whoever is told that it failed may send it again.
            log.take_back(before)?;
        }
        kept
    }

    /// Makes the file whole without its own log, and empties ours.
    fn empty_log(&self, home: &dyn Warehouse, now: Instant) -> Result<()> {
        let mut log = lock(&self.log);
        let Some(log) = log.as_mut().filter(|log| log.bytes() > 0) else {
            return Ok(());
        };
        if home.checkpoint(Keys::since(now))? {
            log.reset()?;
        }
        Ok(())
    }

    /// Forgets what the log holds of events that are gone.
    pub(crate) fn forget(&self, home: &dyn Warehouse, now: Instant) -> Result<()> {
        self.empty_log(home, now)
    }

    /// Makes a change durable that did not come this way, and so is in no log but the engine's own.
    pub(crate) fn settle(&self, home: &dyn Warehouse, now: Instant) {
        if self.path.is_some() {
            // Where it has to wait, the engine's log has the change.
            let _ = home.checkpoint(Keys::since(now));
        }
    }

    /// Leaves no log behind where the file is whole without it.
    pub(crate) fn close(&self, home: &dyn Warehouse, now: Instant) {
        if self.empty_log(home, now).is_ok()
            && let Some(log) = lock(&self.log).take_if(|log| log.bytes() == 0)
        {
            log.remove();
        }
    }

    /// Stores the batches that were put aside; gives how many events were new and how many batches are left.
    pub(crate) fn store_parked(&self, home: &dyn Warehouse) -> Result<(u64, u64)> {
        let Some(parked) = self.parked() else {
            return Ok((0, 0));
        };
        let (mut accepted, mut left) = (0, 0);
        for path in parked.all() {
            let frame = Parked::read(&path).and_then(|content| Frame::decode(&content));
            match frame.and_then(|frame| self.keep(home, &frame)) {
                Ok((_, committed)) => {
                    accepted += committed.accepted;
                    parked.remove(&path);
                }
                Err(_) => left += 1,
            }
        }
        Ok((accepted, left))
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

impl Frame {
    /// The batches of a group as one frame.
    fn of(group: &[Waiting]) -> Result<Self> {
        let mut frame = Self::default();
        let mut first = 0;
        for waiting in group {
            let sent = waiting.report.sent;
            if let Some(keyed) = &waiting.keyed {
                let before = serde_json::to_string(&waiting.report).map_err(Error::internal)?;
                frame.keys.push(Key::new(keyed, first, sent, before));
            }
            if !waiting.events.is_empty() {
                frame.events.push(waiting.events.clone().raised(first));
            }
            frame.held.extend(waiting.held.iter().cloned());
            frame.released.extend(&waiting.released);
            first += sent;
        }
        Ok(frame)
    }

    /// What is kept under the keys of its batches.
    fn answers(&self, unnamed: &[u64], committed: &Committed) -> Result<Vec<(Keyed, String)>> {
        let answers = self
            .keys
            .iter()
            .map(|key| key.answered(&Outcome::of(key.first, key.sent, unnamed, committed)));
        answers.collect()
    }
}

/// Stores a frame that has its position in the log already, or needs none.
fn store(
    home: &dyn Warehouse,
    frame: &Frame,
    position: Option<u64>,
) -> Result<(Vec<u64>, Committed)> {
    let mut load = home.load()?;
    if let Some(position) = position {
        load.position(position);
    }
    let unnamed = stage(load.as_mut(), frame)?;
    let committed = load.commit_answering(&mut |c| frame.answers(&unnamed, c))?;
    Ok((unnamed, committed))
}

fn stage(load: &mut dyn crate::warehouse::Load, frame: &Frame) -> Result<Vec<u64>> {
    load.hold(&frame.held)?;
    load.release(&frame.released)?;
    if frame.events.is_empty() {
        return Ok(Vec::new());
    }
    load.events(&frame.events)
}

/// Tells all of a group that nothing of it was kept.
fn refuse(group: Vec<Waiting>, error: &Error) {
    for waiting in group {
        let same = Error::new(error.kind(), error.code(), error.message());
        let _ = waiting.turn.send(Turn::Done(Err(same)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
