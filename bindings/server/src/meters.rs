//! What the server counts of itself, in the text form that Prometheus reads. Nothing of it says who asked or what for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use travelsense::access::{self, Permission};
use travelsense::audit::{Act, Outcome};
use travelsense::export::Status;
use travelsense::metadata::{self, Find, Kind, Sort, documents};
use travelsense::{Analytics, Error, Principal, Result};

use crate::frame::Id;
use crate::openapi::{Api, op};
use crate::problem::Problem;
use crate::service::Service;

/// The upper ends of the buckets of latencies, in seconds; the specification's limits are among them.
const LATENCIES: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What is sent: OpenMetrics, which Prometheus reads.
const MEDIA: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;

/// The counts of one server.
#[derive(Clone)]
pub(crate) struct Meters(Arc<Counts>);

struct Counts {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    hits: Counter,
    misses: Counter,
    kept: Gauge,
    exports: Family<Labels, Gauge>,
    events: Family<Labels, Gauge>,
    waiting: Gauge,
    latest: Family<Labels, Gauge<f64, AtomicU64>>,
    refused: Family<Labels, Gauge>,
    lag: Gauge<f64, AtomicU64>,
    /// Batches that wait, that were turned away, and that were put beside the store.
    batches: Family<Labels, Gauge>,
    log_bytes: Gauge,
    quarantined: Gauge,
    up: Family<Labels, Gauge>,
    behind: Family<Labels, Gauge>,
    engine: Gauge,
    store_up: Gauge,
    version: Gauge,
    resident: Gauge,
    processor: Gauge<f64, AtomicU64>,
    open_files: Gauge,
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}

/// A request that is being answered: one less once it is dropped, whatever became of it.
pub(crate) struct InFlight(Meters);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.dec();
    }
}

impl Meters {
    pub(crate) fn new() -> Self {
        let latency: fn() -> Histogram = || Histogram::new(LATENCIES);
        let mut counts = Counts {
            registry: Registry::with_prefix("travelsense"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(latency),
            in_flight: Gauge::default(),
            hits: Counter::default(),
            misses: Counter::default(),
            kept: Gauge::default(),
            exports: Family::default(),
            events: Family::default(),
            waiting: Gauge::default(),
            latest: Family::default(),
            refused: Family::default(),
            lag: Gauge::default(),
            batches: Family::default(),
            log_bytes: Gauge::default(),
            quarantined: Gauge::default(),
            up: Family::default(),
            behind: Family::default(),
            engine: Gauge::default(),
            store_up: Gauge::default(),
            version: Gauge::default(),
            resident: Gauge::default(),
            processor: Gauge::default(),
            open_files: Gauge::default(),
        };
        let r = &mut counts.registry;
        r.register(
            "requests",
            "Requests answered, by method, route and status",
            counts.requests.clone(),
        );
        r.register(
            "request_seconds",
            "How long answers took, by route",
            counts.seconds.clone(),
        );
        r.register(
            "requests_in_flight",
            "Requests that are being answered",
            counts.in_flight.clone(),
        );
        r.register(
            "cache_hits",
            "Questions answered by an earlier answer",
            counts.hits.clone(),
        );
        r.register(
            "cache_misses",
            "Questions that were computed",
            counts.misses.clone(),
        );
        r.register(
            "cache_bytes",
            "Bytes of answers that are kept",
            counts.kept.clone(),
        );
        r.register(
            "ingest_events",
            "Events that came over HTTP since the start, by what became of them",
            counts.events.clone(),
        );
        r.register(
            "ingest_waiting_events",
            "Events that wait to be stored",
            counts.waiting.clone(),
        );
        r.register(
            "ingest_latest_event_seconds",
            "When the latest event of a source happened, in seconds since 1970",
            counts.latest.clone(),
        );
        r.register(
            "ingest_refused",
            "Events that were not valid, by the code of the first thing wrong with each",
            counts.refused.clone(),
        );
        r.register(
            "ingest_lag_seconds",
            "From the arrival of the last batch until it was durable",
            counts.lag.clone(),
        );
        r.register(
            "ingest_batches",
            "Batches of events, by what became of them: answered, waiting, turned away, parked beside the store",
            counts.batches.clone(),
        );
        r.register(
            "ingest_log_bytes",
            "Bytes of the log that the store does not hold without its own yet",
            counts.log_bytes.clone(),
        );
        r.register(
            "ingest_quarantined_events",
            "Events that were refused but kept",
            counts.quarantined.clone(),
        );
        r.register(
            "ingest_source_up",
            "Whether a source that is read from here can be read",
            counts.up.clone(),
        );
        r.register(
            "ingest_source_behind",
            "How much a source has that was not read yet, where it tells: messages, or bytes of files",
            counts.behind.clone(),
        );
        r.register(
            "engine_bytes",
            "Memory that the engine holds, its cache among it",
            counts.engine.clone(),
        );
        r.register(
            "store_up",
            "Whether what is stored can be read",
            counts.store_up.clone(),
        );
        r.register(
            "exports",
            "Exports that are kept, by status",
            counts.exports.clone(),
        );
        r.register(
            "data_version",
            "Grows with every change of the events",
            counts.version.clone(),
        );
        r.register(
            "process_resident_bytes",
            "Memory of the process",
            counts.resident.clone(),
        );
        r.register(
            "process_cpu_seconds",
            "Processor time of the process so far",
            counts.processor.clone(),
        );
        r.register(
            "process_open_files",
            "Files and sockets that the process holds open",
            counts.open_files.clone(),
        );
        Self(Arc::new(counts))
    }

    /// A request has come.
    pub(crate) fn begin(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.clone())
    }

    /// A request was answered. The route is the pattern it met, so that no caller makes up new series.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: Option<&str>,
        status: StatusCode,
        took: Duration,
    ) {
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
        let method = known.iter().find(|m| **m == method.as_str());
        let route = ("route", route.unwrap_or("none").to_owned());
        let seconds = self.0.seconds.get_or_create(&vec![route.clone()]);
        seconds.observe(took.as_secs_f64());
        let labels = vec![
            ("method", method.copied().unwrap_or("other").to_owned()),
            route,
            ("status", status.as_str().to_owned()),
        ];
        self.0.requests.get_or_create(&labels).inc();
    }

    /// A question was answered, by an earlier answer or not, and so many bytes of answers are kept.
    pub(crate) fn asked(&self, hit: bool, kept: u64) {
        if hit {
            self.0.hits.inc();
        } else {
            self.0.misses.inc();
        }
        self.0.kept.set(kept as i64);
    }

    /// All of it as text, with what the store says now.
    fn render(&self, analytics: &Analytics, who: &Principal) -> Result<String> {
        // What is told every few seconds stands in no record, a refusal does.
        if let Err(error) = access::grant(who, Permission::ReadAnalytics, ()) {
            analytics.record(who, &Act::new("metrics.read", ""), Outcome::of(&error))?;
            return Err(error);
        }
        let counts = &self.0;
        if let Ok(version) = analytics.data_version(who) {
            counts.version.set(version as i64);
        }
        let intake = analytics.ingest_status(who)?;
        counts.store_up.set(i64::from(intake.stored.is_some()));
        for (outcome, count) in [
            ("accepted", intake.accepted),
            ("duplicate", intake.duplicates),
            ("refused", intake.refused),
        ] {
            let label = vec![("outcome", outcome.to_owned())];
            counts.events.get_or_create(&label).set(count as i64);
        }
        counts.waiting.set(intake.waiting_events as i64);
        counts.lag.set(intake.lag.unwrap_or_default());
        counts.log_bytes.set(intake.log_bytes as i64);
        if let Some(stored) = intake.stored {
            counts.quarantined.set(stored.quarantined as i64);
            counts.engine.set(stored.engine_bytes as i64);
        }
        for (code, count) in intake.refused_by_code {
            let label = vec![("code", code.to_owned())];
            counts.refused.get_or_create(&label).set(count as i64);
        }
        for (outcome, count) in [
            ("answered", intake.batches),
            ("waiting", intake.waiting_batches),
            ("turned_away", intake.turned_away),
            ("parked", intake.parked),
        ] {
            let label = vec![("outcome", outcome.to_owned())];
            counts.batches.get_or_create(&label).set(count as i64);
        }
        for (source, fresh) in intake.sources {
            let label = vec![("source", source)];
            if let Some(latest) = fresh.latest {
                let at = counts.latest.get_or_create(&label);
                at.set(latest.micros() as f64 / 1e6);
            }
            let Some(state) = fresh.state else { continue };
            let up = counts.up.get_or_create(&label);
            up.set(i64::from(state.trouble.is_none()));
            if let Some(behind) = state.behind {
                counts.behind.get_or_create(&label).set(behind as i64);
            }
        }
        // Where nothing can be read, as after a full disk, the figures stay as they were, and all others are told.
        if let Err(error) = self.count_exports(analytics) {
            tracing::warn!(code = error.code(), "exports cannot be counted");
        }
        self.process();
        let mut text = String::new();
        encode(&mut text, &counts.registry).map_err(Error::internal)?;
        Ok(text)
    }

    fn count_exports(&self, analytics: &Analytics) -> Result<()> {
        let store = analytics.metadata()?;
        metadata::read(&*store, |session| {
            for status in Status::ALL {
                let find = Find {
                    kind: Kind::Export,
                    user: "",
                    role: "",
                    public: true,
                    search: "",
                    state: status.name(),
                    sort: Sort::Newest,
                    limit: 1,
                    offset: 0,
                };
                let total = documents::find(session, &find)?.total;
                let label = vec![("status", status.name().to_owned())];
                self.0.exports.get_or_create(&label).set(total as i64);
            }
            Ok(())
        })
    }

    /// What the system says of this process; nothing where it does not say.
    fn process(&self) {
        let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
            return;
        };
        // The name of the program, in parentheses, may hold anything; numbers follow (proc(5): utime, stime, rss).
        let fields: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        let field = |n: usize| fields.get(n).copied().unwrap_or_default();
        // Linux tells processor time in hundredths of a second and memory in pages, of 4 KiB but on some ARM machines.
        self.0.processor.set((field(11) + field(12)) as f64 / 100.0);
        self.0.resident.set(field(21) as i64 * 4_096);
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            self.0.open_files.set(open.count() as i64);
        }
    }
}

/// The routes of those who watch over the server.
pub(crate) fn routes() -> Api {
    Api::of("Service").get(
        "/metrics",
        read,
        op(
            "readMetrics",
            "What the server counts of itself, for Prometheus.",
        )
        .needs(Permission::ReadAnalytics)
        .sends(&[MEDIA]),
    )
}

async fn read(State(service): State<Service>, id: Id, headers: HeaderMap) -> Response {
    let who = match service.authenticate(&headers, &id).await {
        Ok(who) => who,
        Err(problem) => return problem.into_response(),
    };
    let meters = service.meters().clone();
    let text = service
        .look(move |analytics| meters.render(analytics, &who))
        .await;
    text.map_or_else(Problem::into_response, |text| {
        ([(CONTENT_TYPE, MEDIA)], text).into_response()
    })
}
