//! The handle: opens and closes the stores, holds the clock, and delegates; it computes nothing itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;
use serde_json::Value;

use crate::access::{self, Permission, Principal};
use crate::cohort::{self, Cohort, Definition};
use crate::error::{Error, ErrorKind, Result};
use crate::events;
use crate::events::{Catalogue, ImportOptions, ImportReport, IngestReport, Mapping, Source};
use crate::funnel::{self, Funnel, FunnelAnswer};
use crate::insight::{self, Insight, UserInsights};
use crate::people::{self, People, PeopleAnswer};
use crate::query::filter::{Moment, Property};
use crate::query::{Instant, Segment, Selector, Span};
use crate::realtime::{self, Realtime, RealtimeMetric};
use crate::retention::{self, Retention, RetentionAnswer};
use crate::timeline::{Columns, Needs, Stop, Timelines, View};
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
/// Safe to share between threads, and cheap to clone: clones are the same store. Questions never wait for each other, and
/// wait for an import only while the timelines take in what it added.
#[derive(Clone)]
pub struct Analytics {
    warehouse: Arc<dyn Warehouse>,
    timelines: Arc<RwLock<Option<Arc<Timelines>>>>,
    updating: Arc<Mutex<()>>,
    /// How many events the timelines beside the file hold.
    saved: Arc<AtomicU64>,
    columns: Arc<Mutex<Columns>>,
    pool: Arc<rayon::ThreadPool>,
    memory_limit: Option<u64>,
    clock: Clock,
    stop: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
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
            warehouse: Arc::new(warehouse),
            timelines: Arc::default(),
            updating: Arc::default(),
            saved: Arc::default(),
            columns: Arc::default(),
            pool: Arc::new(pool),
            memory_limit: options.memory_limit,
            clock: options.clock,
            stop: None,
        })
    }

    /// Saves what is derived from the events beside the file, and closes it, once no clone is left.
    pub fn close(self) {
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
        Self {
            stop: Some(Arc::new(stop)),
            ..self.clone()
        }
    }

    /// The answer of any word as its JSON: `funnel`, `retention`, `realtime` or `user_insights`, see their `…_json`.
    ///
    /// # Errors
    /// As the word's; `not_in_list` for another word.
    pub fn ask(&self, who: &Principal, word: &str, question: &Value) -> Result<String> {
        match word {
            "funnel" => json(&self.funnel_json(who, question)?),
            "retention" => json(&self.retention_json(who, question)?),
            "realtime" => json(&self.realtime_json(who, question)?),
            "user_insights" => json(&self.user_insights_json(who, question)?),
            other => {
                access::grant(who, Permission::ReadAnalytics, ())?;
                Err(unknown_word(other))
            }
        }
    }

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
            &asked.needs(),
            |view| funnel::answer(&question, view),
        )
    }

    /// The keys of the users behind a number of a funnel's answer, ascending: as many as the number says where users are counted.
    ///
    /// # Errors
    /// As `funnel`; `unknown_group` and `unknown_bucket` for what the answer does not have.
    pub fn funnel_people(
        &self,
        who: &Principal,
        question: &Funnel,
        cell: &funnel::Who,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        let mut faults = asked.faults(self.now());
        faults.extend(cell.faults(asked));
        refuse(faults)?;
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| funnel::people(&question, view, cell),
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
        let timelines = if self.warehouse.head()?.identified {
            Some(self.timelines()?)
        } else {
            None
        };
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
            timelines.as_deref(),
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
        let mut held = current();
        if held.is_none() {
            let saved = self
                .pool
                .install(|| Timelines::saved(&*self.warehouse, self.memory_limit))?;
            held = saved.map(Arc::new);
            let events = held.as_ref().map_or(0, |held| held.head().events);
            self.saved.store(events, Ordering::Relaxed);
        }
        let built = match held {
            Some(held) if fresh(&held) => held,
            Some(held) => Arc::new(
                self.pool
                    .install(|| held.updated(&*self.warehouse, self.memory_limit))?,
            ),
            None => Arc::new(
                self.pool
                    .install(|| Timelines::build(&*self.warehouse, self.memory_limit))?,
            ),
        };
        // Small stores are built in no time; of large ones a copy may lack some of the latest events.
        let saved = self.saved.load(Ordering::Relaxed);
        if built.head().events.abs_diff(saved) > saved / 16 {
            self.save(&built)?;
        }
        *self
            .timelines
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&built));
        Ok(built)
    }

    /// Saves timelines beside the file, where they are large enough for it to pay.
    fn save(&self, timelines: &Timelines) -> Result<()> {
        let events = timelines.head().events;
        if events >= SAVED_FROM && self.pool.install(|| timelines.save(&*self.warehouse))? {
            self.saved.store(events, Ordering::Relaxed);
        }
        Ok(())
    }

    fn default_funnel(&self) -> Result<Vec<Selector>> {
        Ok(self.warehouse.catalogue()?.default_funnel)
    }

    /// The properties, cohorts and amounts that a question needs, as of an instant.
    fn columns(&self, timelines: &Timelines, needs: &Needs<'_>, as_of: Instant) -> Result<Columns> {
        if needs.properties.is_empty() && !needs.amounts {
            return Ok(Columns::default());
        }
        let named = |property: &&Property| matches!(property, Property::Cohort(_));
        let cohorts = if needs.properties.iter().any(named) {
            self.definitions(&needs.properties)?
        } else {
            Vec::new()
        };
        let inner = cohorts.iter().flat_map(|(_, d)| d.properties());
        // One at a time reads what is missing; what is known is shared.
        let mut columns = {
            let mut held = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
            held.load(
                &*self.warehouse,
                timelines.identity(),
                needs.properties.iter().copied().chain(inner),
                needs.amounts,
            )?;
            held.clone()
        };
        for (name, definition) in &cohorts {
            let keys = self.warehouse.user_keys(&definition.ids())?;
            let view = View {
                columns: &columns,
                stop: self.stop(),
                ..View::new(timelines, as_of)
            };
            let members = self
                .pool
                .install(|| cohort::members(definition, &keys, &view))?;
            columns.add_cohort(name, members);
        }
        Ok(columns)
    }

    /// The definitions of the cohorts among properties.
    fn definitions(&self, properties: &[&Property]) -> Result<Vec<(String, Definition)>> {
        let stored = self.warehouse.cohorts()?;
        let mut found: Vec<(String, Definition)> = Vec::new();
        for property in properties {
            let Property::Cohort(name) = property else {
                continue;
            };
            if found.iter().any(|f| f.0 == *name) {
                continue;
            }
            let Some(cohort) = stored.iter().find(|c| c.name == *name) else {
                return Err(Error::field(
                    "cohort",
                    "not_found",
                    format!("there is no cohort `{name}`"),
                ));
            };
            let json = serde_json::from_str(&cohort.definition).map_err(Error::internal)?;
            found.push((name.clone(), Definition::parse(&json)?));
        }
        Ok(found)
    }

    fn stop(&self) -> Stop<'_> {
        self.stop.as_deref().map(Stop::when).unwrap_or_default()
    }

    /// The users behind a number: a word, its question and the cell of its answer, see [`People::parse`]. Their count is the
    /// number, always.
    ///
    /// # Errors
    /// As the word's; `validation_failed` for a cell that the answer does not have; `forbidden` for a principal who may not
    /// see people.
    pub fn people(&self, who: &Principal, request: &Value) -> Result<PeopleAnswer> {
        let request = access::grant(who, Permission::ReadPeople, request)?;
        let people = People::parse(request.inner())?;
        let question = &people.question;
        let (keys, as_of) = match people.word.as_str() {
            "funnel" => {
                let asked = Funnel::parse(question, &self.default_funnel()?, self.now())?;
                let cell = funnel::Who::parse(&people.cell, &asked)?;
                (self.funnel_people(who, &asked, &cell)?, asked.as_of)
            }
            "retention" => {
                let asked = Retention::parse(question, self.now())?;
                let cell = retention::Place::parse(&people.cell)?;
                (self.retention_people(who, &asked, &cell)?, asked.as_of)
            }
            other => {
                return Err(Error::field(
                    "word",
                    "not_in_list",
                    format!("`{other}` is not one of funnel, retention"),
                ));
            }
        };
        let timelines = self.timelines()?;
        let view = View::new(&timelines, as_of.unwrap_or_else(|| self.now()));
        people::answer(&keys, &people, &view, &*self.warehouse)
    }

    /// All cohorts by name.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read.
    pub fn cohorts(&self, who: &Principal) -> Result<Vec<Cohort>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let stored = self.warehouse.cohorts()?.into_iter();
        stored
            .map(|c| {
                Ok(Cohort {
                    name: c.name,
                    definition: serde_json::from_str(&c.definition).map_err(Error::internal)?,
                    created_at: c.created_at,
                })
            })
            .collect()
    }

    /// Makes a cohort; one that is there never changes, so that a name keeps its meaning.
    ///
    /// # Errors
    /// `validation_failed` with what is wrong with the definition, see [`Definition::parse`]; `already_exists`;
    /// `forbidden` for a principal who may not manage cohorts; a store opened only to read.
    pub fn create_cohort(&self, who: &Principal, name: &str, definition: &Value) -> Result<()> {
        let definition = access::grant(who, Permission::ManageCohorts, definition)?;
        let length = name.chars().count();
        if !(1..=100).contains(&length) {
            return Err(Error::field(
                "name",
                "invalid_length",
                "must have 1 to 100 characters",
            ));
        }
        Definition::parse(definition.inner())?;
        let text = definition.inner().to_string();
        if self.warehouse.set_cohort(name, Some(&text), self.now())? {
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::Conflict,
                "already_exists",
                format!(
                    "there is a cohort `{name}` already; cohorts never change, but can be removed"
                ),
            ))
        }
    }

    /// Removes a cohort.
    ///
    /// # Errors
    /// `not_found`; `forbidden` for a principal who may not manage cohorts; a store opened only to read.
    pub fn remove_cohort(&self, who: &Principal, name: &str) -> Result<()> {
        let name = access::grant(who, Permission::ManageCohorts, name)?;
        if self.warehouse.set_cohort(name.inner(), None, self.now())? {
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::NotFound,
                "not_found",
                format!("there is no cohort `{}`", name.inner()),
            ))
        }
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
        let plan = Property::User {
            name: "plan".to_owned(),
            at: Moment::AsOf,
        };
        let mut needs = needs.clone();
        let by_plan = matches!(segment, Segment::Premium | Segment::Free);
        if by_plan {
            needs.properties.push(&plan);
        }
        let columns = self.columns(&timelines, &needs, as_of)?;
        let premium = if by_plan {
            let before = span.to.micros().min(as_of.micros() + 1);
            columns.users_with("plan", before, &self.warehouse.catalogue()?.premium_plans)
        } else {
            Vec::new()
        };
        let view = View {
            premium: &premium,
            columns: &columns,
            stop: self.stop(),
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

/// From so many events on timelines are saved beside the file.
const SAVED_FROM: u64 = 500_000;

/// What `ask` takes as a word.
const WORDS: [&str; 4] = ["funnel", "retention", "realtime", "user_insights"];

fn unknown_word(word: &str) -> Error {
    Error::field(
        "word",
        "not_in_list",
        format!("`{word}` is not one of {}", WORDS.join(", ")),
    )
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
