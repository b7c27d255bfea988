//! The durable way in: batches that wait are stored together, and each is answered once all of them are on disk.
//!
//! Whoever comes first leads: it takes all that waits, writes it to the log and into the store, answers, and hands the lead on. So one
//! sync of the disk serves every batch that came while the one before was under way, and no thread has to be kept.

mod aside;
mod flight;
mod frame;
mod group;
mod keys;
mod log;
mod park;
mod recover;
mod sources;
mod status;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) use self::flight::Arrival;
use self::frame::Frame;
use self::group::{CAPACITY, Queue, Turn};
use self::keys::Keys;
use self::log::Log;
use self::park::Parked;
pub use self::status::{Freshness, IngestStatus, Recovery, SourceState, Stored};
use crate::error::{Error, ErrorKind, Result};
use crate::events::{IngestReport, Prepared};
use crate::query::Instant;
use crate::warehouse::{Arrived, Committed, Keyed, Warehouse};

/// What the log has behind the name of the store.
const LOG_NAME: &str = ".log";

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
    /// How long the text is that it came as, where it did.
    pub(crate) bytes: u64,
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
    /// How many batches came: with when it was received, a number tells each from all others.
    batches: AtomicI64,
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
            batches: AtomicI64::default(),
            keys: Mutex::default(),
            status: Mutex::new(IngestStatus {
                capacity: CAPACITY,
                ..IngestStatus::default()
            }),
            aside: Mutex::default(),
            listener: Listener::default(),
        };
        if let Some(path) = path {
            intake.recall(path, home, now)?;
        }
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
        self.path.as_deref().map(|path| beside(path, LOG_NAME))
    }

    fn parked(&self) -> Option<Parked> {
        self.path.as_deref().map(Parked::beside)
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

    /// Makes a frame durable, in the log and in the store.
    fn keep(
        &self,
        home: &dyn Warehouse,
        frame: &Frame,
        now: Instant,
    ) -> Result<(Vec<u64>, Committed)> {
        let mut log = lock(&self.log);
        if log.is_none()
            && let Some(path) = self.log_path()
        {
            let logged = home.logged()?;
            *log = Some(Log::open(path, logged.store, logged.position)?.0);
        }
        let Some(log) = log.as_mut() else {
            let stored = store(home, frame, None)?;
            lock(&self.status).hear(&frame.sources, now);
            return Ok(stored);
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
        if kept.is_ok() {
            // While nobody can empty the log, which has it.
            lock(&self.status).hear(&frame.sources, now);
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
            // How fresh sources are is not worth keeping the log for.
            let _ = self.remember(home);
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

/// The path of a file beside a store.
fn beside(store: &Path, name: &str) -> PathBuf {
    let mut path = store.to_owned().into_os_string();
    path.push(name);
    path.into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
