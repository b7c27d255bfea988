//! What the routes share: the store, the keys, and how many questions may run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::HeaderMap;
use tokio::sync::Semaphore;
use travelsense::access::{self, Permission, Verifier};
use travelsense::{Analytics, Error, ErrorKind, Principal, Result};

use crate::bearer;
use crate::problem::Problem;

/// The state behind the routes.
#[derive(Clone, Debug)]
pub struct Service {
    analytics: Arc<Analytics>,
    verifier: Arc<Verifier>,
    running: Arc<Semaphore>,
    limits: Limits,
}

/// How much the server takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many questions are answered at once; others wait.
    pub running: usize,
    /// How long a question may wait and run before its asker is told to try again.
    pub timeout: Duration,
    /// The most bytes of a request's body.
    pub body: usize,
}

impl Default for Limits {
    /// As many questions as there are cores, 30 seconds, and 64 KiB.
    fn default() -> Self {
        let running = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            running,
            timeout: Duration::from_secs(30),
            body: 64 * 1024,
        }
    }
}

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
        let running = Arc::new(Semaphore::new(limits.running.max(1)));
        Self {
            analytics,
            verifier: Arc::new(verifier),
            running,
            limits,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Who asks (401 if nobody is proved).
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Principal> {
        self.verifier
            .verify(bearer::token(headers)?, self.analytics.now())
    }

    /// Whether they may (403 if not).
    pub(crate) fn authorise(who: &Principal, permission: Permission) -> Result<()> {
        let decision = access::decide(who, permission);
        if decision.allow {
            return Ok(());
        }
        tracing::warn!(who = %who.id().escape_debug(), reason = decision.reason, "refused");
        Err(Error::new(
            ErrorKind::Forbidden,
            "forbidden",
            decision.reason,
        ))
    }

    /// Runs a question on a thread where it may block.
    ///
    /// Whoever waits too long is told so; a question that nobody waits for any more is given up.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Analytics) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        let deadline = tokio::time::Instant::now() + self.limits.timeout;
        let turn =
            tokio::time::timeout_at(deadline, Arc::clone(&self.running).acquire_owned()).await;
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
            Ok(Ok(answer)) => answer,
            Ok(Err(failed)) => {
                tracing::error!(error = %failed, "a question panicked");
                Err(Problem::internal())
            }
            Err(_) => Err(Problem::timeout()),
        }
    }
}
