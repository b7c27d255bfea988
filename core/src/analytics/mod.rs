//! The handle: opens and closes the stores, holds the clock, and delegates; it computes nothing itself.

mod adoption;
mod alert;
mod anomaly;
mod audit;
mod chart;
mod churn;
mod cohort;
mod dashboard;
mod data;
mod dropoff;
mod engagement;
mod erase;
mod explain;
mod export;
mod feedback;
mod funnel;
mod ingest;
mod insight;
mod journey;
mod model;
mod notification;
mod once;
mod pickup;
mod predictive;
mod realtime;
mod report;
mod retention;
mod timelines;
mod watch;
mod word;

pub use erase::ErasureReport;
pub use export::{ExportFile, ExportList};
pub use feedback::FeedbackLog;
pub use ingest::{BatchForm, Gone, IngestBatch, ParkedReport, Quarantine};
pub use notification::{
    AlertNews, Attempt, Delivery, DeliveryList, Notification, NotificationList, due,
};
pub use word::words;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use serde::Serialize;

use crate::audit::Recorder;
use crate::error::{Error, Result};
use crate::events::Catalogue;
use crate::export::Files;
use crate::intake::Intake;
use crate::metadata::{MetadataStore, ObjectId, Revocation};
use crate::model::Model;
use crate::query::Instant;
use crate::realtime::Windows;
use crate::timeline::{Ahead, Columns, Halt, Timelines};
use crate::warehouse::duckdb::{Duckdb, opening};
use crate::warehouse::{Open, Warehouse};

/// Tells the time; the only clock there is.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Fills bytes with chance that nobody can guess; the only chance there is.
pub type Chance = Arc<dyn Fn(&mut [u8]) -> Result<()> + Send + Sync>;

/// How long a store that is closed waits for its exports to stop; they go on when it is opened again.
const PATIENCE: Duration = Duration::from_secs(10);

/// For so long a question says nothing of its progress.
const QUIET: Duration = Duration::from_secs(1);

/// How to open a store of events.
#[derive(Clone)]
pub struct Options {
    /// The DuckDB file; nothing for a store in memory that ends with the handle.
    pub path: Option<PathBuf>,
    /// Whether to leave the file as it is, and what is kept elsewhere, beside a process that writes or other readers.
    pub read_only: bool,
    /// How many threads to use; all cores by default.
    pub threads: Option<usize>,
    /// The most bytes that the engine may take, and about the most that timelines may take while they are built and properties beside
    /// them; no limit by default.
    pub memory_limit: Option<u64>,
    /// How long a behavioural question may take before it is given up as `timed_out`; no limit by default.
    pub timeout: Option<Duration>,
    /// The clock that says what "now" is; the system's by default.
    pub clock: Clock,
    /// Where ids and names that cannot be guessed come from; the system by default.
    pub chance: Chance,
    /// Where dashboards, exports and the record are kept: `postgres://…`; by default a file beside that of the events, or memory.
    pub metadata: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: None,
            read_only: false,
            threads: None,
            memory_limit: None,
            timeout: None,
            clock: Arc::new(system_clock),
            chance: Arc::new(system_chance),
            metadata: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("path", &self.path)
            .field("read_only", &self.read_only)
            .field("threads", &self.threads)
            .field("memory_limit", &self.memory_limit)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A store of events that answers behavioural questions.
///
/// Safe to share between threads, and cheap to clone: clones are the same store. Questions never wait for each other, and
/// wait for an import only while the timelines take in what it added.
#[derive(Clone)]
pub struct Analytics {
    warehouse: Arc<dyn Warehouse>,
    intake: Arc<Intake>,
    catalogue: Arc<RwLock<Option<Arc<Catalogue>>>>,
    /// Held by whoever stores events that were read by the catalogue, and by whoever changes it.
    meaning: Arc<RwLock<()>>,
    windows: Arc<Windows>,
    watched: Arc<watch::Watched>,
    timelines: Arc<RwLock<Option<Arc<Timelines>>>>,
    updating: Arc<Mutex<()>>,
    /// What was saved beside the file, until it is needed.
    ahead: Arc<Mutex<Option<Ahead>>>,
    /// How many events the timelines beside the file hold.
    saved: Arc<AtomicU64>,
    columns: Arc<Mutex<Columns>>,
    pool: Arc<rayon::ThreadPool>,
    memory_limit: Option<u64>,
    timeout: Option<Duration>,
    clock: Clock,
    chance: Chance,
    kept: Arc<Kept>,
    exports: Arc<export::Exports>,
    stop: Option<Arc<dyn Fn() -> Option<Halt> + Send + Sync>>,
    progress: Option<Arc<dyn Fn(f64) + Send + Sync>>,
}

impl Analytics {
    /// Opens a file of events for reading and writing, creating it where it is absent.
    ///
    /// # Errors
    /// `locked` where another process writes to it; `not_a_database`, `not_travelsense`, `newer_format` or `corrupt` for
    /// what the file holds; `not_found`, `read_only`, `disk_full` for what the file system refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(Options {
            path: Some(path.as_ref().to_owned()),
            ..Options::default()
        })
    }

    /// Opens a store in memory, which ends with the handle.
    ///
    /// # Errors
    /// As `open`.
    pub fn in_memory() -> Result<Self> {
        Self::open_with(Options::default())
    }

    /// Opens a store as the options say.
    ///
    /// # Errors
    /// As `open`; `out_of_range` for options that cannot be met.
    pub fn open_with(options: Options) -> Result<Self> {
        if options.threads.is_some_and(|n| n == 0 || n > 1024) {
            return Err(Error::field(
                "threads",
                "out_of_range",
                "must be between 1 and 1024",
            ));
        }
        let kept = Kept::new(&options);
        let exports = export::Exports::new(Files::beside(options.path.as_ref()), options.read_only);
        let now = (options.clock)();
        // Within a memory limit a file is looked through piece by piece, when it is known how large it is beside the limit.
        let free = options
            .path
            .as_deref()
            .filter(|_| options.memory_limit.is_none());
        let ahead = free.and_then(Timelines::ahead);
        let warehouse = Duckdb::open(&Open {
            path: options.path.clone(),
            // Memory holds nothing that could be left as it is.
            read_only: options.read_only && options.path.is_some(),
            threads: options.threads,
            memory_limit: options.memory_limit.map(|limit| limit / 4),
            now,
        })?;
        let path = options.path.as_deref();
        let intake = Intake::open(path, options.read_only, &warehouse, now);
        let intake = intake.map_err(|error| opening(error, path))?;
        let windows = Arc::new(Windows::default());
        let arrivals = Arc::clone(&windows);
        intake.listen(move |arrived| arrivals.hear(arrived));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads.unwrap_or_default())
            .thread_name(|i| format!("travelsense-{i}"))
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            warehouse: Arc::new(warehouse),
            intake: Arc::new(intake),
            catalogue: Arc::default(),
            meaning: Arc::default(),
            windows,
            watched: Arc::default(),
            timelines: Arc::default(),
            updating: Arc::default(),
            ahead: Arc::new(Mutex::new(ahead)),
            saved: Arc::default(),
            columns: Arc::default(),
            pool: Arc::new(pool),
            memory_limit: options.memory_limit,
            timeout: options.timeout,
            clock: options.clock,
            chance: options.chance,
            kept: Arc::new(kept),
            exports: Arc::new(exports),
            stop: None,
            progress: None,
        })
    }

    /// Has the exports under way stop; they go on when the store is next opened. Whoever is about to close it says so as early as can
    /// be, and then waits for less.
    pub fn wind_down(&self) {
        self.exports.wind_down();
    }

    /// Saves what is derived from the events beside the file, and closes it, once no clone is left.
    pub fn close(self) {
        self.close_within(PATIENCE);
    }

    /// As `close`, but waits no longer than that for exports to stop. One that does not goes on with the process, and anew when the
    /// store is next opened.
    pub fn close_within(self, patience: Duration) {
        self.exports.close(patience);
        self.intake.close(&*self.warehouse, self.now());
        let held = self
            .timelines
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(held) = held
            && held.head().events != self.saved.load(Ordering::Relaxed)
        {
            // Without it the next to open the file builds it again.
            let _ = self.save(&held);
        }
    }

    /// The same store for a question that is given up, as `cancelled`, soon after `stop` begins to say so.
    #[must_use]
    pub fn until(&self, stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.halting(move || stop().then_some(Halt::Cancelled))
    }

    /// The same store for questions that are given up, as `timed_out`, soon after so much time has passed from now on.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "a limit on how long it takes, which no answer depends on"
    )]
    pub fn within(&self, limit: Duration) -> Self {
        let begin = std::time::Instant::now();
        self.halting(move || (begin.elapsed() >= limit).then_some(Halt::TimedOut))
    }

    /// The same store whose questions, once they have taken a second, tell `hear` from any thread which share of the pass at
    /// hand is done: from 0 to 1. Some questions take several passes.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "when to tell of the progress, which no answer depends on"
    )]
    pub fn watched(&self, hear: impl Fn(f64) + Send + Sync + 'static) -> Self {
        let begin = std::time::Instant::now();
        let hear = move |share| {
            if begin.elapsed() >= QUIET {
                hear(share);
            }
        };
        Self {
            progress: Some(Arc::new(hear)),
            ..self.clone()
        }
    }

    /// The same store that gives up for one reason more. What has said so once says so for ever.
    fn halting(&self, why: impl Fn() -> Option<Halt> + Send + Sync + 'static) -> Self {
        let before = self.stop.clone();
        let said = OnceLock::new();
        let stop = move || {
            said.get().copied().or_else(|| {
                let halt = before.as_deref().and_then(|why| why()).or_else(&why)?;
                Some(*said.get_or_init(|| halt))
            })
        };
        Self {
            stop: Some(Arc::new(stop)),
            ..self.clone()
        }
    }

    /// What time it is for this store.
    pub fn now(&self) -> Instant {
        (self.clock)()
    }
}

impl std::fmt::Debug for Analytics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analytics")
            .field("warehouse", &self.warehouse)
            .finish_non_exhaustive()
    }
}

/// What is kept beside the events; opened when it is first needed, as most programs only ask questions.
struct Kept {
    place: Place,
    store: Mutex<Option<Arc<dyn MetadataStore>>>,
    recorder: Recorder,
    /// Models that are ready to score, the latest last.
    models: Mutex<Vec<(ObjectId, Arc<Model>)>>,
    /// The revocations as they were read at an instant.
    revocations: RwLock<Option<(Instant, Arc<Vec<Revocation>>)>>,
}

/// Where a store of metadata is.
enum Place {
    File(Option<PathBuf>, bool),
    Server(String, bool),
}

impl Kept {
    fn new(options: &Options) -> Self {
        let beside = |path: &PathBuf| {
            let mut name = path.clone().into_os_string();
            name.push(".meta");
            PathBuf::from(name)
        };
        Self {
            place: match &options.metadata {
                Some(url) => Place::Server(url.clone(), options.read_only),
                None => Place::File(options.path.as_ref().map(beside), options.read_only),
            },
            store: Mutex::default(),
            recorder: Recorder::default(),
            models: Mutex::default(),
            revocations: RwLock::default(),
        }
    }

    /// Bytes of memory that its engine holds, where anybody has asked for it yet.
    fn memory(&self) -> Result<u64> {
        let open = self
            .store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        open.map_or(Ok(0), |store| store.memory())
    }
}

fn json<T: Serialize>(answer: &T) -> Result<String> {
    serde_json::to_string(answer).map_err(Error::internal)
}

fn refuse(faults: Vec<crate::error::FieldError>) -> Result<()> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::fields(faults))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's clock"
)]
fn system_clock() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.ok().and_then(|d| i64::try_from(d.as_micros()).ok());
    Instant::saturating_from_micros(micros.unwrap_or_default())
}

fn system_chance(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|e| Error::internal(e.to_string()))
}
