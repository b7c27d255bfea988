//! How long Python waits for the answer to a question, and who hears how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use pyo3::prelude::*;
use travelsense::{Analytics, Error, Options, Result};

use crate::store::json;
use crate::worker::Workers;

/// How often a waiting thread looks for Ctrl-C.
const LOOK: Duration = Duration::from_millis(20);

/// So many looks later, a question that was given up is left alone.
const MORE: u32 = 10;

/// No share has been told since it was last looked at: the bits of no number.
const QUIET: u64 = u64::MAX;

/// What Python gives beside a question: its time limit in JSON form, a function that hears the share that is done, and
/// what gives it up from another thread.
#[derive(FromPyObject)]
pub(crate) struct Patience(String, Option<Py<PyAny>>, Option<Py<Stop>>);

impl Default for Patience {
    fn default() -> Self {
        Self("{}".to_owned(), None, None)
    }
}

/// Gives up the questions that were asked with it, from any thread.
#[pyclass(frozen, module = "travelsense._native")]
#[derive(Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Gives them up.
    fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they were given up.
    #[getter]
    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A question under way.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    stop: Arc<AtomicBool>,
    share: Arc<AtomicU64>,
}

impl Asked {
    /// Takes in which share is done, and says whether the question goes on.
    pub(crate) fn tell(&self, share: f64) -> bool {
        self.share.store(share.to_bits(), Ordering::Relaxed);
        !self.stop.load(Ordering::Relaxed)
    }

    /// Whether something was told that nobody has looked at.
    pub(crate) fn told(&self) -> bool {
        self.share.load(Ordering::Relaxed) != QUIET
    }
}

impl Patience {
    /// A question that begins.
    pub(crate) fn asked(&self) -> Asked {
        let stop = self.2.as_ref().map(|stop| Arc::clone(&stop.get().0));
        let asked = Asked {
            stop: stop.unwrap_or_default(),
            ..Asked::default()
        };
        asked.share.store(QUIET, Ordering::Relaxed);
        asked
    }

    /// The store for a question that this one waits for.
    pub(crate) fn handle(&self, store: &Analytics) -> Result<(Analytics, Asked)> {
        let asked = self.asked();
        let (stop, share) = (Arc::clone(&asked.stop), Arc::clone(&asked.share));
        let mut handle = store.until(move || stop.load(Ordering::Relaxed));
        if let Some(limit) = Options::limit(&json(&self.0)?)? {
            handle = handle.within(limit);
        }
        if self.1.is_some() {
            handle = handle.watched(move |done| share.store(done.to_bits(), Ordering::Relaxed));
        }
        Ok((handle, asked))
    }

    /// Looks for Ctrl-C and tells what there is to tell; an exception of either gives the question up.
    pub(crate) fn look(&self, asked: &Asked) -> PyResult<()> {
        let looked = Python::attach(|py| {
            py.check_signals()?;
            match (asked.share.swap(QUIET, Ordering::Relaxed), &self.1) {
                (QUIET, _) | (_, None) => Ok(()),
                (bits, Some(hear)) => hear.call1(py, (f64::from_bits(bits),)).map(drop),
            }
        });
        if looked.is_err() {
            asked.stop.store(true, Ordering::Relaxed);
        }
        looked
    }
}

/// What becomes of a call that an exception gives up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// Its end is waited for, since it changes something.
    Awaited,
    /// It ends by itself: what it builds for all who ask may take longer than somebody at the keyboard waits.
    Alone,
}

/// Makes a call on another thread, and looks meanwhile for Ctrl-C and how far it is.
pub(crate) fn waiting<T: Send + 'static>(
    workers: &Workers,
    (patience, asked): (&Patience, &Asked),
    raised: &mut Option<PyErr>,
    left: Left,
    call: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let answer = workers.call(call)?;
    let mut more = MORE;
    let got = loop {
        match answer.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) if raised.is_none() => {
                *raised = patience.look(asked).err();
            }
            Err(RecvTimeoutError::Timeout) if left == Left::Alone && more == 0 => {
                return Err(Error::internal("a question was left"));
            }
            Err(RecvTimeoutError::Timeout) => more = more.saturating_sub(1),
            Err(RecvTimeoutError::Disconnected) => {
                break Err(Error::internal("a question panicked"));
            }
            Ok(got) => break got,
        }
    };
    // What was told last, and Ctrl-C at the end.
    if raised.is_none() && asked.told() {
        *raised = patience.look(asked).err();
    }
    got
}
