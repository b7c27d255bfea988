//! The real-time figures again and again, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use travelsense::access::Permission;
use travelsense::audit::Act;
use travelsense::realtime::RealtimeMetric;
use travelsense::{Analytics, Error, Principal, Result};

use crate::frame::{Asker, Id, RequestId};
use crate::problem::Problem;
use crate::routes::question;
use crate::service::Service;

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What is happening now, an event every `refreshInterval` seconds: its id is the end of the window in microseconds, its data what
/// `GET /realtime` has as `data`.
///
/// Whoever comes back with `Last-Event-ID` goes on in the same rhythm. An event is made when it can be sent, so that a slow reader
/// misses some and is never behind. The token is checked for each, and is never part of the path.
pub(crate) async fn stream(
    State(service): State<Service>,
    Extension(id): Id,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let who = match service.authenticate(&headers, &id).await {
        Ok(who) => who,
        Err(problem) => return problem.into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let begun = service
        .look(move |analytics| begin(analytics, &who, &uri))
        .await;
    let watcher = begun.and_then(|(asked, first)| {
        let permit = service.watch()?;
        let interval = first.first().map_or(30, |m| m.metadata.refresh_interval);
        let interval = Duration::from_secs(u64::from(interval));
        let known = headers.get(&LAST_EVENT_ID).and_then(|v| v.to_str().ok());
        let known = known.and_then(|v| v.parse::<i64>().ok());
        let now = first.first().map_or(0, |m| m.timestamp.micros());
        let wait = known.map_or(0, |last| {
            let due = last.saturating_add(interval.as_micros() as i64);
            due.saturating_sub(now)
                .clamp(0, interval.as_micros() as i64)
        });
        Ok(Watcher {
            stopped: service.stopped(),
            service,
            headers,
            id,
            asked,
            interval,
            next: Instant::now() + Duration::from_micros(wait.unsigned_abs()),
            _permit: permit,
        })
    });
    let mut response = match watcher {
        Ok(watcher) => Sse::new(watcher.events())
            .keep_alive(KeepAlive::default())
            .into_response(),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
}

/// Checks the question and answers it for the first time.
fn begin(
    analytics: &Analytics,
    who: &Principal,
    uri: &Uri,
) -> Result<(Value, Vec<RealtimeMetric>)> {
    let act = Act::new("query.realtime_stream", "");
    analytics.on_record(who, Permission::ReadAnalytics, &act, || {
        question(uri, |asked| {
            if asked.get("asOf").is_some() {
                return Err(Error::field(
                    "asOf",
                    "unknown_field",
                    "does not belong here: every event is as of when it is sent",
                ));
            }
            Ok((asked.clone(), analytics.realtime_json(who, asked)?))
        })
    })
}

/// Somebody who watches.
struct Watcher {
    service: Service,
    headers: HeaderMap,
    id: RequestId,
    asked: Value,
    interval: Duration,
    next: Instant,
    stopped: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Watcher {
    fn events(self) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
        stream::unfold(self, |mut watcher| async move {
            let event = watcher.event().await?;
            Some((Ok(event), watcher))
        })
    }

    /// The next event; nothing once the server stops, the token is no longer good, or the figures cannot be told.
    async fn event(&mut self) -> Option<Event> {
        tokio::select! {
            () = tokio::time::sleep_until(self.next) => {}
            _ = self.stopped.wait_for(|stopped| *stopped) => return None,
        }
        let metrics = self.metrics().await.ok()?;
        self.next = Instant::now() + self.interval;
        let at = metrics.first()?.timestamp;
        let data = serde_json::to_string(&metrics).ok()?;
        let event = Event::default()
            .event("metrics")
            .id(at.micros().to_string());
        Some(event.retry(Duration::from_secs(3)).data(data))
    }

    async fn metrics(&self) -> std::result::Result<Vec<RealtimeMetric>, Problem> {
        let who = self.service.authenticate(&self.headers, &self.id).await?;
        let asked = self.asked.clone();
        let answered = self
            .service
            .look(move |analytics| analytics.realtime_json(&who, &asked));
        answered.await
    }
}
