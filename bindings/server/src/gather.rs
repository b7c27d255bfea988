//! Small batches of events that come at the same time, taken together on one thread: a thread for each would cost more than the events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};
use travelsense::analytics::Gone;
use travelsense::events::IngestReport;
use travelsense::{Analytics, Principal, Result};

use crate::ingest::Batch;

/// Batches that wait to be taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Vec<Waiting>>,
    /// Whether a thread takes them.
    taken: AtomicBool,
}

#[derive(Debug)]
struct Waiting {
    who: Principal,
    batch: Batch,
    /// Raised once nobody waits for the answer.
    gone: Arc<AtomicBool>,
    answer: Sender<Result<IngestReport>>,
}

/// Says that no thread takes them any more, also where it panics.
struct Taking<'a>(&'a Inner);

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::SeqCst);
    }
}

impl Gathered {
    /// Adds a batch; the answer comes once it is durable.
    pub(crate) fn add(
        &self,
        analytics: &Arc<Analytics>,
        who: Principal,
        batch: Batch,
        gone: Arc<AtomicBool>,
    ) -> Receiver<Result<IngestReport>> {
        let (answer, answered) = oneshot::channel();
        self.0.waiting().push(Waiting {
            who,
            batch,
            gone,
            answer,
        });
        if !self.0.taken.swap(true, Ordering::SeqCst) {
            let (gathered, analytics) = (self.clone(), Arc::clone(analytics));
            tokio::task::spawn_blocking(move || gathered.0.take(&analytics));
        }
        answered
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all that wait, until none do.
    fn take(&self, analytics: &Analytics) {
        loop {
            let taking = Taking(self);
            loop {
                let some = std::mem::take(&mut *self.waiting());
                if some.is_empty() {
                    break;
                }
                together(analytics, some);
            }
            drop(taking);
            // One that came in between found the thread still there.
            if self.waiting().is_empty() || self.taken.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }
}

fn together(analytics: &Analytics, some: Vec<Waiting>) {
    let asked: Vec<_> = some
        .iter()
        .map(|waiting| {
            let gone = Arc::clone(&waiting.gone);
            let gone: Gone = Arc::new(move || gone.load(Ordering::Relaxed));
            (&waiting.who, waiting.batch.asked(), gone)
        })
        .collect();
    let answers = analytics.ingest_batches(&asked);
    drop(asked);
    for (waiting, answer) in some.into_iter().zip(answers) {
        // Somebody who does not wait any more is not told.
        let _ = waiting.answer.send(answer);
    }
}
