//! The handle: opens and closes the stores, holds the clock, and delegates; it computes nothing itself.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value;

use crate::access::{self, Permission, Principal};
use crate::error::{Error, Result};
use crate::events;
use crate::events::{Catalogue, ImportOptions, ImportReport, IngestReport, Mapping, Source};
use crate::funnel::{self, Funnel, FunnelAnswer};
use crate::insight::{self, Insight, UserInsights};
use crate::query::{Instant, Segment, Selector, Span};
use crate::realtime::{self, Realtime, RealtimeMetric};
use crate::retention::{self, Retention, RetentionAnswer};
use crate::timeline::{Columns, Needs, Timelines, View};
use crate::warehouse::duckdb::Duckdb;
use crate::warehouse::{Open, Warehouse};

/// Tells the time; the only clock there is.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// How to open a store of events.
#[derive(Clone)]
pub struct Options {
    /// The DuckDB file; nothing for a store in memory that ends with the handle.
    pub path: Option<PathBuf>,
    /// Whether to leave the file as it is, beside a process that writes or other readers.
    pub read_only: bool,
    /// How many threads to use; all cores by default.
    pub threads: Option<usize>,
    /// The most bytes timelines may take while they are built; no limit by default.
    pub memory_limit: Option<u64>,
    /// The clock that says what "now" is; the system's by default.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: None,
            read_only: false,
            threads: None,
            memory_limit: None,
            clock: Arc::new(system_clock),
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
            .finish_non_exhaustive()
    }
}

/// A store of events that answers behavioural questions.
///
/// Safe to share between threads; questions never wait for each other, and wait for an import only
/// while the timelines take in what it added.
pub struct Analytics {
    warehouse: Box<dyn Warehouse>,
    timelines: RwLock<Option<Arc<Timelines>>>,
    updating: Mutex<()>,
    columns: Mutex<Columns>,
    pool: rayon::ThreadPool,
    memory_limit: Option<u64>,
    clock: Clock,
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
        let warehouse = Duckdb::open(&Open {
            path: options.path,
            read_only: options.read_only,
            threads: options.threads,
            memory_limit: options.memory_limit,
            now: (options.clock)(),
        })?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads.unwrap_or_default())
            .thread_name(|i| format!("travelsense-{i}"))
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            warehouse: Box::new(warehouse),
            timelines: RwLock::default(),
            updating: Mutex::default(),
            columns: Mutex::default(),
            pool,
            memory_limit: options.memory_limit,
            clock: options.clock,
        })
    }

    /// Writes what is still in memory to the file and closes it.
    pub fn close(self) {}

    /// What time it is for this store.
    pub fn now(&self) -> Instant {
        (self.clock)()
    }

    /// Imports a file or Arrow batches into the events or a platform table: all of it or, where it fails, nothing.
    ///
    /// # Errors
    /// A source that cannot be read, columns that are not there, `cancelled`, a full disk, a store opened only to read;
    /// with `strict`, `validation_failed` where any row is refused; `forbidden` for a principal who may not import.
    pub fn import(
        &self,
        who: &Principal,
        source: Source,
        mapping: &Mapping,
        options: &mut ImportOptions<'_>,
    ) -> Result<ImportReport> {
        let mapping = access::grant(who, Permission::ImportEvents, mapping)?;
        let catalogue = self.warehouse.catalogue()?;
        events::import(
            &*self.warehouse,
            &catalogue,
            source,
            &mapping,
            self.now(),
            options,
        )
    }

    /// Takes a JSON array of events and answers each: accepted, duplicate, or refused with the reasons.
    ///
    /// # Errors
    /// `validation_failed` where it is no array; a full disk, a store opened only to read; `forbidden` for a principal
    /// who may not import. Then nothing of it is kept.
    pub fn ingest(&self, who: &Principal, events: &Value) -> Result<IngestReport> {
        let events = access::grant(who, Permission::ImportEvents, events)?;
        let catalogue = self.warehouse.catalogue()?;
        events::ingest(&*self.warehouse, &catalogue, &events, self.now())
    }

    /// Which events mean what.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read.
    pub fn catalogue(&self, who: &Principal) -> Result<Catalogue> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.warehouse.catalogue()
    }

    /// Changes which events mean what.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage the catalogue; a store opened only to read.
    pub fn set_catalogue(&self, who: &Principal, catalogue: &Catalogue) -> Result<()> {
        let catalogue = access::grant(who, Permission::ManageCatalogue, catalogue)?;
        self.warehouse.set_catalogue(catalogue.inner())
    }

    /// How far the users of a range get through a series of steps.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question; `forbidden` for a principal who may not read.
    pub fn funnel(&self, who: &Principal, question: &Funnel) -> Result<FunnelAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &Needs::default(),
            |view| funnel::answer(&question, view),
        )
    }

    /// Who comes back, by the period in which they started.
    ///
    /// # Errors
    /// As `funnel`; `too_many_periods` or `too_many_cells` for a table that would be too large.
    pub fn retention(&self, who: &Principal, question: &Retention) -> Result<RetentionAnswer> {
        let asked = self.with_features(who, question)?;
        let question = access::grant(who, Permission::ReadAnalytics, &asked)?;
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| retention::answer(&question, view),
        )
    }

    /// The keys of the users that a cell of a retention table counts, ascending.
    ///
    /// # Errors
    /// As `retention`; `not_found` for a cell that the table does not have.
    pub fn retention_people(
        &self,
        who: &Principal,
        question: &Retention,
        cell: &retention::Place,
    ) -> Result<Vec<u32>> {
        let asked = self.with_features(who, question)?;
        let question = access::grant(who, Permission::ReadAnalytics, &asked)?;
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| retention::people(&question, view, cell),
        )
    }

    /// A valid retention question that knows the catalogue's features.
    fn with_features(&self, who: &Principal, question: &Retention) -> Result<Retention> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let mut asked = (*question.inner()).clone();
        if asked.metric == retention::Metric::FeatureUsage {
            asked.features = self.warehouse.catalogue()?.features;
        }
        Ok(asked)
    }

    /// What stands out in how users behave over a range, in words and with the numbers behind them.
    ///
    /// # Errors
    /// As `funnel`.
    pub fn user_insights(&self, who: &Principal, question: &UserInsights) -> Result<Vec<Insight>> {
        question.check(self.now())?;
        Ok(vec![insight::conversion_funnel(
            self.funnel(who, &question.funnel)?,
        )?])
    }

    /// `user_insights` of a question in its JSON form, see [`UserInsights::parse`].
    ///
    /// # Errors
    /// As `user_insights`.
    pub fn user_insights_json(&self, who: &Principal, question: &Value) -> Result<Vec<Insight>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.user_insights(
            who,
            &UserInsights::parse(question, &self.default_funnel()?, self.now())?,
        )
    }

    /// What is happening right now: six figures over the last minutes.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question; `missing_rate` for revenue in a currency without a
    /// rate to the base currency; `forbidden` for a principal who may not read.
    pub fn realtime(&self, who: &Principal, question: &Realtime) -> Result<Vec<RealtimeMetric>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let as_of = question.inner().as_of.unwrap_or_else(|| self.now());
        let catalogue = self.warehouse.catalogue()?;
        realtime::answer(
            &question,
            &*self.warehouse,
            &realtime::Meanings {
                page_views: &catalogue.page_views,
                conversions: &catalogue.conversions,
                errors: &catalogue.errors,
                base_currency: &catalogue.base_currency,
            },
            as_of,
        )
    }

    /// `realtime` of a question in its JSON form, see [`Realtime::parse`].
    ///
    /// # Errors
    /// As `realtime`.
    pub fn realtime_json(&self, who: &Principal, question: &Value) -> Result<Vec<RealtimeMetric>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.realtime(who, &Realtime::parse(question, self.now())?)
    }

    /// `funnel` of a question in its JSON form, see [`Funnel::parse`].
    ///
    /// # Errors
    /// As `funnel`.
    pub fn funnel_json(&self, who: &Principal, question: &Value) -> Result<FunnelAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.funnel(
            who,
            &Funnel::parse(question, &self.default_funnel()?, self.now())?,
        )
    }

    /// `retention` of a question in its JSON form, see [`Retention::parse`].
    ///
    /// # Errors
    /// As `retention`.
    pub fn retention_json(&self, who: &Principal, question: &Value) -> Result<RetentionAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.retention(who, &Retention::parse(question, self.now())?)
    }

    /// The version of the stored data, which grows with every change; an answer asked for now holds at least this much.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read; whatever reading the store raises.
    pub fn data_version(&self, who: &Principal) -> Result<u64> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        Ok(self.warehouse.head()?.version)
    }

    /// Throws the timelines away and builds them anew from the stored events.
    ///
    /// # Errors
    /// `memory_limit`, or whatever reading the store raises.
    pub fn rebuild(&self) -> Result<()> {
        let _one = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = self
            .pool
            .install(|| Timelines::build(&*self.warehouse, self.memory_limit))?;
        *self
            .timelines
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(fresh));
        Ok(())
    }

    /// The timelines with everything stored so far.
    ///
    /// # Errors
    /// `memory_limit`, or whatever reading the store raises.
    pub fn timelines(&self) -> Result<Arc<Timelines>> {
        let head = self.warehouse.head()?;
        let current = || {
            let held = self
                .timelines
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            held.clone()
        };
        let fresh = |held: &Arc<Timelines>| held.head().version >= head.version;
        if let Some(held) = current().filter(fresh) {
            return Ok(held);
        }
        let _one = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let held = current();
        if let Some(held) = held.clone().filter(fresh) {
            return Ok(held);
        }
        let built = self.pool.install(|| match &held {
            Some(held) => held.updated(&*self.warehouse, self.memory_limit),
            None => Timelines::build(&*self.warehouse, self.memory_limit),
        })?;
        let built = Arc::new(built);
        *self
            .timelines
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&built));
        Ok(built)
    }

    fn default_funnel(&self) -> Result<Vec<Selector>> {
        Ok(self.warehouse.catalogue()?.default_funnel)
    }

    /// The properties and amounts that a question needs, as of now.
    fn columns(&self, needs: &Needs<'_>) -> Result<Columns> {
        if needs.properties.is_empty() && !needs.amounts {
            return Ok(Columns::default());
        }
        // One at a time reads what is missing; what is known is shared.
        let mut held = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        held.load(
            &*self.warehouse,
            needs.properties.iter().copied(),
            needs.amounts,
        )?;
        Ok(held.clone())
    }

    /// Answers over the timelines as of an instant, on the threads of this handle.
    fn over<T: Send>(
        &self,
        as_of: Option<Instant>,
        segment: Segment,
        span: Span,
        needs: &Needs<'_>,
        answer: impl FnOnce(&View<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let as_of = as_of.unwrap_or_else(|| self.now());
        let timelines = self.timelines()?;
        let premium = match segment {
            Segment::Premium | Segment::Free => self
                .warehouse
                .premium(span.to.micros().min(as_of.micros() + 1))?,
            _ => Vec::new(),
        };
        let columns = self.columns(needs)?;
        let view = View {
            premium: &premium,
            columns: &columns,
            ..View::new(&timelines, as_of)
        };
        self.pool.install(|| answer(&view))
    }
}

impl std::fmt::Debug for Analytics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analytics")
            .field("warehouse", &self.warehouse)
            .finish_non_exhaustive()
    }
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
