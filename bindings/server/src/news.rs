//! What becomes of alerts, as server-sent events.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use travelsense::access::Permission;
use travelsense::analytics::AlertNews;
use travelsense::audit::Act;
use travelsense::{Instant, Principal};

use crate::frame::{Asker, Id, RequestId};
use crate::problem::Problem;
use crate::service::Service;

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(2);

/// A rule that comes round once a day is evaluated for the instant it was due at, which may be as long ago, in microseconds: as it was
/// just made, or as nobody evaluated rules.
const LATE: i64 = 24 * 60 * 60 * 1_000_000;

/// So many are read at once, and so many times.
const MOST: usize = 1_000;

/// What becomes of alerts, an event each: its id is the instant of the evaluation in microseconds, its data a JSON object.
///
/// Whoever comes back with `Last-Event-ID` hears all since; what became of several rules at one instant may be told twice. The token is
/// checked at each look.
pub(crate) async fn stream(
    State(service): State<Service>,
    Extension(id): Id,
    headers: HeaderMap,
) -> Response {
    let who = match service.authenticate(&headers, &id).await {
        Ok(who) => who,
        Err(problem) => return problem.into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let begun = service
        .look(move |analytics| {
            let act = Act::new("alert.stream", "");
            analytics.on_record(&who, Permission::ReadAlerts, &act, || Ok(analytics.now()))
        })
        .await;
    let listener = begun.and_then(|now| {
        let permit = service.watch()?;
        let last = headers.get(&LAST_EVENT_ID).and_then(|v| v.to_str().ok());
        let last = last.and_then(|v| v.parse::<i64>().ok());
        // What lies ahead was told by a clock that was wrong.
        let last = last.filter(|last| *last <= now.micros());
        Ok(Listener {
            stopped: service.stopped(),
            service,
            headers,
            id,
            last,
            begun: false,
            latest: last.map_or(now, Instant::saturating_from_micros),
            told: BTreeSet::new(),
            seen: None,
            next: VecDeque::new(),
            _permit: permit,
        })
    });
    let mut response = match listener {
        Ok(listener) => Sse::new(listener.events())
            .keep_alive(KeepAlive::default())
            .into_response(),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
}

/// Somebody who listens.
struct Listener {
    service: Service,
    headers: HeaderMap,
    id: RequestId,
    /// What came before this is known already; without it, all that is there when it begins.
    last: Option<i64>,
    begun: bool,
    latest: Instant,
    /// What was told of the time in which more may appear: its instant, and a hash of its rule and of what became of it.
    told: BTreeSet<(i64, u64)>,
    /// How many events there were of that time, and since when it was.
    seen: Option<(Instant, u64)>,
    next: VecDeque<AlertNews>,
    stopped: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut listener| async move {
            let event = listener.event().await?;
            Some((Ok(event), listener))
        })
    }

    /// The next event; nothing once the server stops, or the token is no longer good.
    async fn event(&mut self) -> Option<Event> {
        loop {
            if let Some(news) = self.next.pop_front() {
                let data = serde_json::to_string(&news).ok()?;
                let event = Event::default()
                    .event(news.event)
                    .id(news.at.micros().to_string());
                return Some(event.retry(Duration::from_secs(3)).data(data));
            }
            self.look().await.ok()?;
            if self.next.is_empty() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = self.stopped.wait_for(|stopped| *stopped) => return None,
                }
            }
        }
    }

    async fn look(&mut self) -> Result<(), Problem> {
        let who: Principal = self.service.authenticate(&self.headers, &self.id).await?;
        let since = Instant::saturating_from_micros(self.latest.micros() - LATE);
        let seen = self.seen;
        let (count, found) = self
            .service
            .look(move |analytics| {
                let count = analytics.count_alert_news(&who, since)?;
                let mut found = Vec::new();
                // Nothing is ever taken out of what became of rules, so that as many are the same.
                while seen != Some((since, count)) {
                    let page = analytics.alert_news(&who, since, (MOST, found.len()))?;
                    let full = page.len() == MOST;
                    found.extend(page);
                    if !full {
                        break;
                    }
                }
                Ok((count, found))
            })
            .await?;
        let begun = std::mem::replace(&mut self.begun, true);
        self.seen = Some((since, count));
        for news in found {
            let mut hash = DefaultHasher::new();
            (&news.alert, &news.event).hash(&mut hash);
            let key = (news.at.micros(), hash.finish());
            let known = !begun && self.last.is_none_or(|last| news.at.micros() < last);
            if self.told.insert(key) && !known {
                self.latest = self.latest.max(news.at);
                self.next.push_back(news);
            }
        }
        let old = self.latest.micros() - LATE;
        self.told.retain(|told| told.0 >= old);
        Ok(())
    }
}
