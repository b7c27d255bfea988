//! The durable way in: batches that wait are stored together, and each is answered once all of them are on disk.
//!
//! Whoever comes first leads: it takes all that waits, writes it to the log and into the store, answers, and hands the lead on. So one
//! sync of the disk serves every batch that came while the one before was under way, and no thread has to be kept.

mod aside;
mod flight;
mod frame;
mod keys;
mod log;
mod park;
mod status;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) use self::flight::Arrival;
use self::frame::{Frame, Key};
use self::keys::Keys;
use self::log::Log;
use self::park::Parked;
pub use self::status::{Freshness, IngestStatus, Recovery, SourceState, Stored};
use crate::error::{Error, ErrorKind, Result};
use crate::events::outcome::Outcome;
use crate::events::{Event, EventBatch, Held, IngestReport, Prepared, Sound};
use crate::query::Instant;
use crate::warehouse::{Arrived, Committed, Keyed, Warehouse};

/// With so many events waiting further batches are turned away.
const CAPACITY: u64 = 100_000;

/// A change takes batches until it has so many events, so that those behind it do not wait too long.
const GROUP: u64 = 20_000;

/// From so many bytes on the log is emptied, once the file is whole without it.
const LOG: u64 = 16 << 20;

/// The code of a disk that has no space left.
const FULL: &str = "disk_full";

/// The code of an engine that has to be opened again.
const INVALIDATED: &str = "invalidated";

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
    pub(crate) patience: Patience,
}

/// Whether whoever sent a batch still waits for its answer.
#[derive(Clone, Default)]
pub(crate) struct Patience(pub(crate) Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Patience {
    fn is_over(&self) -> bool {
        self.0.as_deref().is_some_and(|gone| gone())
    }
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Patience").field(&self.0.is_some()).finish()
    }
}

/// The way in of one store.
#[derive(Debug)]
pub(crate) struct Intake {
    /// The store's file, where it has one that may be written.
    path: Option<PathBuf>,
    opened: Instant,
    log: Mutex<Option<Log>>,
    queue: Mutex<Queue>,
    keys: Mutex<Keys>,
    status: Mutex<IngestStatus>,
    /// Whoever has it takes from the quarantine or from what was parked, or erases there.
    aside: Mutex<()>,
    listener: Listener,
}

/// Who hears of events once they are stored.
#[derive(Default)]
struct Listener(OnceLock<Box<dyn Fn(Arc<Arrived>) + Send + Sync>>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
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
    events: Sound,
    held: Vec<Held>,
    latest: Option<i64>,
    source: String,
    received: Instant,
    keyed: Option<Keyed>,
    released: Vec<u64>,
    patience: Patience,
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
            opened: now,
            log: Mutex::default(),
            queue: Mutex::default(),
            keys: Mutex::default(),
            status: Mutex::new(IngestStatus {
                capacity: CAPACITY,
                ..IngestStatus::default()
            }),
            aside: Mutex::default(),
            listener: Listener::default(),
        };
        if read_only {
            return Ok(intake);
        }
        if intake.log_path().is_some_and(|path| path.exists()) {
            intake.recover(home, now)?;
        }
        // Those of the log are among them now.
        *lock(&intake.keys) = Keys::of(home.keys_since(Keys::since(now))?);
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
            if parked.holds(*position, content) {
                recovery.parked += 1;
                continue;
            }
            let replay = || {
                caught(|| {
                    let frame = Frame::decode(content)?;
                    store(home, &frame, Some(*position)).map(|_| frame.len())
                })
            };
            let again = |error: Error| match error.kind() {
                // It would find the engine broken, which says nothing of the batch.
                ErrorKind::Storage => Err(error),
                _ => replay(),
            };
            match replay().or_else(again) {
                Ok(events) => {
                    recovery.replayed += events;
                    recovery.batches += 1;
                }
                // A full disk is no fault of the batch: it stays in the log.
                Err(error) if error.kind() == ErrorKind::Storage && error.code() != INVALIDATED => {
                    return Err(error);
                }
                Err(error) => {
                    parked.put(*position, content)?;
                    recovery.parked += 1;
                    if error.code() == INVALIDATED {
                        // The engine has to be opened again, and will not meet this batch any more.
                        return Err(error);
                    }
                }
            }
        }
        if home.checkpoint(self.keys_before(now))? {
            log.reset()?;
        }
        *lock(&self.log) = Some(log);
        lock(&self.status).recovery = recovery;
        Ok(())
    }

    /// Before when keys may be forgotten: those of parked batches are needed for as long as these are there.
    fn keys_before(&self, now: Instant) -> Instant {
        match self.parked().is_some_and(|parked| !parked.all().is_empty()) {
            true => Instant::MIN,
            false => Keys::since(now),
        }
    }

    /// Stores a batch, together with others that wait, and answers once it is durable.
    ///
    /// # Errors
    /// `overloaded` beyond capacity; `cancelled` where whoever sent it went; the store's own. Then nothing of the batch is kept.
    /// `parked` where it could not be stored and lies beside the file.
    pub(crate) fn take(
        &self,
        home: &dyn Warehouse,
        clock: Now<'_>,
        sent: Sent,
    ) -> Result<IngestReport> {
        let mut taken = self.take_all(home, clock, vec![sent]);
        let gone = || Err(Error::internal("a batch was given up"));
        taken.pop().unwrap_or_else(gone)
    }

    /// The same of several batches that came together.
    pub(crate) fn take_all(
        &self,
        home: &dyn Warehouse,
        clock: Now<'_>,
        sent: Vec<Sent>,
    ) -> Vec<Result<IngestReport>> {
        let entered: Vec<_> = sent
            .into_iter()
            .map(|sent| self.enter(home, sent))
            .collect();
        if entered.iter().flatten().any(|entered| entered.1) {
            self.lead(home, clock);
        }
        let answered = |turns: Receiver<Turn>| loop {
            match turns.recv() {
                Ok(Turn::Done(report)) => return report,
                Ok(Turn::Lead) => self.lead(home, clock),
                Err(_) => return Err(Error::internal("a batch was given up")),
            }
        };
        // They stand in the queue in this order, so that the lead comes to the first that was not answered.
        let entered = entered.into_iter();
        entered.map(|entered| answered(entered?.0)).collect()
    }

    /// From now on this is told of events once they are stored.
    pub(crate) fn listen(&self, hear: impl Fn(Arc<Arrived>) + Send + Sync + 'static) {
        let _ = self.listener.0.set(Box::new(hear));
    }

    /// An error on a thread that has a change under way: whoever leads would wait for it, and it for them.
    pub(crate) fn refuse_inside(&self, home: &dyn Warehouse) -> Result<()> {
        if home.changing() {
            home.load()?;
        }
        Ok(())
    }

    /// Keeps others from the quarantine and from what was parked.
    pub(crate) fn alone(&self, home: &dyn Warehouse) -> Result<MutexGuard<'_, ()>> {
        self.refuse_inside(home)?;
        Ok(lock(&self.aside))
    }

    /// Takes a place among those that wait, and the lead where nobody has it.
    fn enter(&self, home: &dyn Warehouse, sent: Sent) -> Result<(Receiver<Turn>, bool)> {
        self.refuse_inside(home)?;
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
            patience: sent.patience,
            turn,
        });
        Ok((turns, !std::mem::replace(&mut queue.led, true)))
    }

    /// Stores what waits, up to the size of a group, and answers it.
    fn lead(&self, home: &dyn Warehouse, clock: Now<'_>) {
        let _lead = Lead(self);
        // While an import is under way batches wait here, where whoever sent one may still go.
        home.idle();
        let group: Vec<Waiting> = {
            let mut queue = lock(&self.queue);
            let all = std::mem::take(&mut queue.waiting);
            let (gone, staying) = all.into_iter().partition(|w| w.patience.is_over());
            queue.waiting = staying;
            for waiting in &gone {
                queue.events = queue.events.saturating_sub(waiting.report.sent);
            }
            refuse(
                gone,
                &Error::new(ErrorKind::Cancelled, "cancelled", "nobody waits for it"),
            );
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
        let again = Frame::of(&group).map(|frame| (self.keep(home, &frame), frame));
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
        let kept = caught(|| {
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
        });
        if kept.is_err() && log.end() > before {
            // Whoever is told that it failed may send it again.
            log.take_back(before)?;
        }
        kept
    }

    /// Makes the file whole without its own log, and empties ours; `false` where that cannot be.
    fn empty_log(&self, home: &dyn Warehouse, now: Instant) -> Result<bool> {
        if home.changing() {
            return Ok(false);
        }
        // Whoever leads has the log before the store, too.
        let mut log = lock(&self.log);
        let whole = home.checkpoint(self.keys_before(now))?;
        if let Some(log) = log.as_mut().filter(|log| whole && log.bytes() > 0) {
            log.reset()?;
        }
        Ok(whole)
    }

    /// Forgets what the logs hold of events that are gone.
    ///
    /// # Errors
    /// `not_forgotten` where the engine's own log cannot be emptied.
    pub(crate) fn forget(&self, home: &dyn Warehouse, now: Instant) -> Result<()> {
        if self.path.is_none() || self.empty_log(home, now)? {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Storage,
            "not_forgotten",
            "they are erased, but the logs beside the file cannot be emptied now; erase them once more",
        ))
    }

    /// Makes a change durable that did not come this way, and so is in no log but the engine's own.
    pub(crate) fn settle(&self, home: &dyn Warehouse, now: Instant) {
        if self.path.is_some() {
            // Where it cannot be now, the engine's log has the change.
            let _ = self.empty_log(home, now);
        }
    }

    /// Leaves no log behind where the file is whole without it.
    pub(crate) fn close(&self, home: &dyn Warehouse, now: Instant) {
        let logged = lock(&self.log).as_ref().is_some_and(|log| log.bytes() > 0);
        if (!logged || self.empty_log(home, now).is_ok())
            && let Some(log) = lock(&self.log).take_if(|log| log.bytes() == 0)
        {
            log.remove();
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

/// What it gives, or an error where it panics.
fn caught<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    // Whatever it changed is taken back: a change that is dropped keeps nothing, and so does the log.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(Error::internal("it panicked")))
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
