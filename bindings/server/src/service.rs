//! What the routes share: the store, the keys, and how many questions may run at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use travelsense::access::Verifier;
use travelsense::audit::{Act, Outcome};
use travelsense::events::IngestReport;
use travelsense::{Analytics, Error, ErrorKind, Principal, Result};

use crate::answers::Answers;
use crate::bearer;
use crate::frame::RequestId;
use crate::gather::Gathered;
use crate::host;
use crate::ingest::Batch;
use crate::keys::FetchedKeys;
use crate::meters::Meters;
use crate::problem::Problem;
use crate::rate::Rate;
use crate::session::Entrances;

/// The state behind the routes.
#[derive(Clone, Debug)]
pub struct Service {
    analytics: Arc<Analytics>,
    /// Who verifies tokens; without one the program around the routes says who asks.
    verifier: Arc<RwLock<Option<Arc<Verifier>>>>,
    fetched: Option<Arc<FetchedKeys>>,
    running: Arc<Semaphore>,
    looking: Arc<Semaphore>,
    /// Batches of events that may be under way: they wait for the disk, not for a core, and must not wait behind questions.
    taking: Arc<Semaphore>,
    /// How much of them is unpacked at once, in KiB.
    unpacked: Arc<Semaphore>,
    gathered: Gathered,
    /// Who may watch the figures at once.
    watching: Arc<Semaphore>,
    stopping: Arc<watch::Sender<bool>>,
    /// Whether the engine met a failure that it cannot go on after.
    broken: Arc<watch::Sender<bool>>,
    rate: Option<Arc<Rate>>,
    limits: Limits,
    entrances: Entrances,
    meters: Meters,
    answers: Answers,
    leaving: Arc<AtomicBool>,
}

/// How many look at what is kept at once. Each waits for the disk, once for all that wait together, so that many are faster than few;
/// and none waits for a question about the events.
const LOOKING: usize = 64;

/// How much the server takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many questions are answered at once; others wait.
    pub running: usize,
    /// How long a question may wait and run before its asker is told to try again.
    pub timeout: Duration,
    /// The most bytes of a request's body.
    pub body: usize,
    /// How many requests a second each principal may send, and twice as many at once; no limit without one.
    pub rate: Option<u32>,
    /// How many bytes of answers are kept for those who ask the same; none for 0.
    pub cache: u64,
    /// How many connections are open at once; others wait.
    pub connections: u32,
    /// How long a connection may be silent: before a request, within its head, and between two pieces of its body; and how long it
    /// may read nothing of what is sent to it.
    pub silence: Duration,
}

impl Default for Limits {
    /// As many questions as there are cores, 30 seconds, 64 KiB, no limit of requests, 64 MiB of answers, and 2,048 connections that
    /// are closed after 30 silent seconds.
    fn default() -> Self {
        let running = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            running,
            timeout: Duration::from_secs(30),
            body: 64 * 1024,
            rate: None,
            cache: 64 * 1024 * 1024,
            connections: 2_048,
            silence: Duration::from_secs(30),
        }
    }
}

/// So many batches of events are under way at once; others are told to come again.
const TAKING: usize = 256;

/// So many KiB of batches are in memory at once as they are before they are stored; whoever sends more waits.
const UNPACKED: usize = 64 << 10;

/// The room in memory that a batch takes.
pub(crate) struct Weight(OwnedSemaphorePermit);

impl Weight {
    /// Gives back what it does not need, now that it is known how large it is.
    pub(crate) fn is(&mut self, bytes: usize) {
        let more = self.0.num_permits().saturating_sub(kib(bytes) as usize);
        drop(self.0.split(more));
    }
}

/// So many bytes in KiB.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 10).clamp(1, UNPACKED)).unwrap_or(1)
}

/// So many may watch the real-time figures at once.
const WATCHING: usize = 1_024;

/// Raised once nobody waits for a question any more: when the time is up, or the asker has gone.
#[derive(Default)]
struct Left(Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Service {
    /// Answers from this store whoever these keys prove.
    pub fn new(analytics: Arc<Analytics>, verifier: Verifier, limits: Limits) -> Self {
        Self::of(analytics, Some(Arc::new(verifier)), limits)
    }

    /// Answers from this store whoever the program around the routes says that asks: [`Host`](crate::Host).
    pub fn hosted(analytics: Arc<Analytics>, limits: Limits) -> Self {
        Self::of(analytics, None, limits)
    }

    fn of(analytics: Arc<Analytics>, verifier: Option<Arc<Verifier>>, limits: Limits) -> Self {
        let running = Arc::new(Semaphore::new(limits.running.max(1)));
        let meters = Meters::new();
        Self {
            analytics,
            verifier: Arc::new(RwLock::new(verifier)),
            fetched: None,
            running,
            looking: Arc::new(Semaphore::new(LOOKING)),
            taking: Arc::new(Semaphore::new(TAKING)),
            unpacked: Arc::new(Semaphore::new(UNPACKED)),
            gathered: Gathered::default(),
            watching: Arc::new(Semaphore::new(WATCHING)),
            stopping: Arc::new(watch::Sender::new(false)),
            broken: Arc::new(watch::Sender::new(false)),
            rate: limits.rate.map(|rate| Arc::new(Rate::new(rate))),
            limits,
            entrances: Entrances::default(),
            answers: Answers::new(limits.cache, meters.clone()),
            meters,
            leaving: Arc::default(),
        }
    }

    /// From now on the server says that it is not ready, since it is about to stop.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    pub(crate) fn analytics(&self) -> &Arc<Analytics> {
        &self.analytics
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Lets a browser log in with this token by a code, once.
    pub fn admit_once(&self, code: impl Into<String>, token: impl Into<String>) {
        self.entrances.add(code.into(), token.into());
    }

    pub(crate) fn entrances(&self) -> &Entrances {
        &self.entrances
    }

    /// From now on nobody is told anything new: streams end, so that the server can stop.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Completes when the engine has to be opened again, which takes a new process.
    pub async fn broken(&self) {
        let mut broken = self.broken.subscribe();
        let _ = broken.wait_for(|broken| *broken).await;
    }

    /// Whether the engine has to be opened again.
    pub fn is_broken(&self) -> bool {
        *self.broken.borrow()
    }

    /// Looks whether an answer says that the engine is broken.
    fn heard<T>(&self, answer: std::result::Result<T, Problem>) -> std::result::Result<T, Problem> {
        if let Err(problem) = &answer {
            self.hear(problem.code());
        }
        answer
    }

    /// Looks whether the code of an error says that the engine is broken.
    pub(crate) fn hear(&self, code: &str) {
        if code == Problem::BROKEN && !self.is_broken() {
            tracing::error!("the engine met a failure that it cannot go on after: the server ends");
            self.broken.send_replace(true);
        }
    }

    /// Turns true when the server stops.
    pub(crate) fn stopped(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// A place among those who watch the figures.
    pub(crate) fn watch(&self) -> std::result::Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.watching).try_acquire_owned();
        place.map_err(|_| Problem::overloaded())
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// The same, with keys that are fetched again where a token names one that is not known.
    #[must_use]
    pub fn fetching(self, keys: Arc<FetchedKeys>) -> Self {
        Self {
            fetched: Some(keys),
            ..self
        }
    }

    /// From now on these keys prove who asks.
    pub fn rotate(&self, verifier: Verifier) {
        *self
            .verifier
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(verifier));
    }

    /// Who asks: 401 if nobody is proved or the token was taken back, 429 if they ask too often.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        id: &RequestId,
    ) -> std::result::Result<Principal, Problem> {
        let Some(verifier) = self.verifier() else {
            let who = id.2.who.clone().ok_or_else(host::nobody)?;
            return self.admit(who.asking(&id.1, &id.0));
        };
        let token = bearer::token(headers);
        if let (Ok(token), Some(fetched)) = (&token, &self.fetched)
            && verifier.lacks_key_of(token)
        {
            fetched.refresh(self).await;
        }
        let verifier = self.verifier().unwrap_or(verifier);
        let proven = token.and_then(|token| verifier.prove(token, self.analytics.now()));
        // The store may block, and PostgreSQL's client must not run on an asynchronous thread.
        let proven = match proven {
            Ok(proof) => match self.analytics.admit_at_once(&proof) {
                Some(admitted) => admitted.map(|()| proof.principal),
                None => {
                    let analytics = self.analytics.clone();
                    let admitted = tokio::task::spawn_blocking(move || {
                        analytics.admit(&proof).map(|()| proof.principal)
                    });
                    // A store that does not answer must not keep whoever asks for ever.
                    let admitted = tokio::time::timeout(self.limits.timeout, admitted).await;
                    let admitted = admitted.map_err(|_| Problem::timeout())?;
                    admitted.map_err(|_| Problem::internal())?
                }
            },
            Err(error) => Err(error),
        };
        match proven {
            Ok(who) => self.admit(who.asking(&id.1, &id.0)),
            Err(error) => {
                self.turn_away(&error, id).await;
                Err(error.into())
            }
        }
    }

    /// Whether whoever sends a request may be somebody, as far as can be told before its body is read.
    pub(crate) fn may_send(&self, request: &Request) -> bool {
        let Some(verifier) = self.verifier() else {
            let host = request.extensions().get::<host::Host>();
            return host.is_some_and(|host| host.who.is_some());
        };
        bearer::token(request.headers()).is_ok_and(|token| {
            verifier.prove(token, self.analytics.now()).is_ok()
                || self.fetched.is_some() && verifier.lacks_key_of(token)
        })
    }

    fn verifier(&self) -> Option<Arc<Verifier>> {
        let held = self.verifier.read().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    /// Whether the program around the routes says who asks.
    pub(crate) fn is_hosted(&self) -> bool {
        self.verifier().is_none()
    }

    /// Lets somebody who is proved in, unless they ask too often.
    fn admit(&self, who: Principal) -> std::result::Result<Principal, Problem> {
        match &self.rate {
            Some(rate) => rate
                .take(who.id(), tokio::time::Instant::now())
                .map(|()| who)
                .map_err(Problem::too_many),
            None => Ok(who),
        }
    }

    /// Puts it on record that a token proved nobody. One who sends none has tried nothing.
    async fn turn_away(&self, error: &Error, id: &RequestId) {
        if error.kind() != ErrorKind::Unauthenticated || error.code() == "token_missing" {
            return;
        }
        let nobody = Principal::new("", "").asking(&id.1, &id.0);
        let code = error.code();
        // In no turn of a question: whoever tries many tokens does not keep others from their answers.
        let recorded = self.look(move |analytics| {
            let act = Act::new("access.authenticate", "");
            analytics.record(&nobody, &act, (Outcome::Refused, code))
        });
        if recorded.await.is_err() {
            tracing::error!(code, "a refusal could not be put on record");
        }
    }

    /// Runs a question on a thread where it may block.
    ///
    /// Whoever waits too long is told so; a question that nobody waits for any more is given up.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Analytics) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        self.take_turn(&self.running, question).await
    }

    /// The same for dashboards and the record, which wait for the disk and not for a processor.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Analytics) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        self.take_turn(&self.looking, question).await
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        question: impl FnOnce(&Analytics) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        let deadline = tokio::time::Instant::now() + self.limits.timeout;
        let turn = tokio::time::timeout_at(deadline, Arc::clone(turns).acquire_owned()).await;
        let Ok(Ok(permit)) = turn else {
            return Err(Problem::overloaded());
        };
        let left = Left::default();
        let flag = Arc::clone(&left.0);
        let analytics = self.analytics.until(move || flag.load(Ordering::Relaxed));
        let span = tracing::Span::current();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(|| question(&analytics).map_err(Problem::from))
        });
        match tokio::time::timeout_at(deadline, task).await {
            Ok(Ok(answer)) => self.heard(answer),
            Ok(Err(failed)) => {
                tracing::error!(error = %failed, "a question panicked");
                Err(Problem::internal())
            }
            Err(_) => Err(Problem::timeout()),
        }
    }

    /// Takes a small batch of events without a key, together with others that come at the same time.
    pub(crate) async fn take_few(
        &self,
        who: Principal,
        batch: Batch,
    ) -> std::result::Result<IngestReport, Problem> {
        let Ok(_permit) = self.taking.try_acquire() else {
            return Err(Problem::overloaded());
        };
        // A batch that nobody waits for any more leaves the queue: whoever sent it sends it again.
        let left = Left::default();
        let answer = self
            .gathered
            .add(&self.analytics, who, batch, Arc::clone(&left.0));
        match tokio::time::timeout(self.limits.timeout, answer).await {
            Ok(Ok(answer)) => self.heard(answer.map_err(Problem::from)),
            Ok(Err(_)) => {
                tracing::error!("a batch panicked");
                Err(Problem::internal())
            }
            Err(_) => Err(Problem::late()),
        }
    }

    /// Waits until there is room in memory for a batch of so many bytes at most.
    pub(crate) async fn weigh(&self, bytes: usize) -> std::result::Result<Weight, Problem> {
        let weight = Arc::clone(&self.unpacked).acquire_many_owned(kib(bytes));
        match tokio::time::timeout(self.limits.timeout, weight).await {
            Ok(Ok(weight)) => Ok(Weight(weight)),
            _ => Err(Problem::overloaded()),
        }
    }

    /// Takes a batch of events on a thread where it may block, or turns it away at once where too many are under way.
    pub(crate) async fn take<T: Send + 'static>(
        &self,
        batch: impl FnOnce(&Analytics) -> std::result::Result<T, Problem> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        let Ok(permit) = Arc::clone(&self.taking).try_acquire_owned() else {
            return Err(Problem::overloaded());
        };
        // A batch that nobody waits for any more leaves the queue: whoever sent it sends it again.
        let left = Left::default();
        let flag = Arc::clone(&left.0);
        let analytics = self.analytics.until(move || flag.load(Ordering::Relaxed));
        let span = tracing::Span::current();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(|| batch(&analytics))
        });
        match tokio::time::timeout(self.limits.timeout, task).await {
            Ok(Ok(answer)) => self.heard(answer),
            Ok(Err(failed)) => {
                tracing::error!(error = %failed, "a batch panicked");
                Err(Problem::internal())
            }
            Err(_) => Err(Problem::late()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_engine_is_heard_of() {
        let analytics = Arc::new(Analytics::in_memory().unwrap());
        let key = travelsense::access::Key::secret(b"k3Jd92hfQmzX7vLpWs8Tn4RbYc6Qd1Gz").unwrap();
        let verifier = Verifier::new(vec![key], "a", "b").unwrap();
        let service = Service::new(analytics, verifier, Limits::default());
        let told = |code| Err::<(), _>(Problem::from(Error::new(ErrorKind::Storage, code, "x")));
        assert!(service.heard(told("disk_full")).is_err());
        assert!(!service.is_broken());
        assert!(service.heard(told("invalidated")).is_err());
        assert!(service.is_broken());
    }
}
