//! Threads on which questions are answered, kept from one to the next.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use travelsense::{Error, Result};

type Job = Box<dyn FnOnce() + Send>;

/// A thread that waits, by what wakes it.
struct Worker(Sender<(Job, Worker)>);

/// As many threads as there are questions at a time; each ends with the last store that may ask.
#[derive(Clone, Default)]
pub(crate) struct Workers(Arc<Mutex<Vec<Worker>>>);

impl Workers {
    /// Makes a call on one of them; what it gives can be received here.
    ///
    /// # Errors
    /// `internal` where there can be no more threads.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Receiver<T>> {
        let (give, answer) = channel();
        let job = Box::new(move || {
            // Nobody waits for it where it was given up.
            let _ = give.send(call());
        });
        let idle = self.idle().pop();
        let worker = idle.map_or_else(|| self.hire(), Ok)?;
        let wake = worker.0.clone();
        wake.send((job, worker))
            .map_err(|_| Error::internal("a thread is gone"))?;
        Ok(answer)
    }

    fn hire(&self) -> Result<Worker> {
        let (wake, woken) = channel::<(Job, Worker)>();
        let idle = Arc::downgrade(&self.0);
        let work = move || {
            for (job, itself) in woken {
                job();
                if let Some(idle) = idle.upgrade() {
                    Self(idle).idle().push(itself);
                }
            }
        };
        let thread = thread::Builder::new().name("travelsense-question".to_owned());
        thread.spawn(work).map_err(Error::internal)?;
        Ok(Worker(wake))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
