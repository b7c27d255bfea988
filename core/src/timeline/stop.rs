//! How a question is told to give up, and tells how far it is.

use crate::error::{Error, ErrorKind, Result};

/// Why a question is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Whoever asked it does not want it any more.
    Cancelled,
    /// Its time is over.
    TimedOut,
}

/// Asked now and then while a question is answered; once it says why to end it, it must say so ever after.
#[derive(Clone, Copy, Default)]
pub struct Stop<'a>(Option<&'a (dyn Fn() -> Option<Halt> + Send + Sync)>);

impl<'a> Stop<'a> {
    /// Stops when the function says so.
    pub fn when(stop: &'a (dyn Fn() -> Option<Halt> + Send + Sync)) -> Self {
        Self(Some(stop))
    }

    /// # Errors
    /// `cancelled` or `timed_out` where it is time to stop.
    pub(crate) fn check(self) -> Result<()> {
        let (code, message) = match self.0.and_then(|stop| stop()) {
            None => return Ok(()),
            Some(Halt::Cancelled) => (
                "cancelled",
                "the question was given up before it was answered",
            ),
            Some(Halt::TimedOut) => (
                "timed_out",
                "the question was not answered within its time limit",
            ),
        };
        Err(Error::new(ErrorKind::Cancelled, code, message))
    }
}

impl std::fmt::Debug for Stop<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stop").field(&self.0.is_some()).finish()
    }
}

/// Told now and then, from any thread, which share of the pass at hand is done: from 0 to 1. Some questions take several passes.
#[derive(Clone, Copy, Default)]
pub struct Progress<'a>(Option<&'a (dyn Fn(f64) + Send + Sync)>);

impl<'a> Progress<'a> {
    /// Tells the function.
    pub fn to(hear: &'a (dyn Fn(f64) + Send + Sync)) -> Self {
        Self(Some(hear))
    }

    pub(crate) fn tell(self, share: f64) {
        if let Some(hear) = self.0 {
            hear(share);
        }
    }
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// What long work hears and tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course<'a> {
    /// Asked now and then whether the work goes on.
    pub stop: Stop<'a>,
    /// Told how far it is.
    pub progress: Progress<'a>,
}

impl Course<'_> {
    /// Tells that so much of all is done.
    ///
    /// # Errors
    /// As [`Stop::check`].
    pub(crate) fn went(self, done: u64, all: u64) -> Result<()> {
        self.progress.tell(done as f64 / all.max(1) as f64);
        self.stop.check()
    }
}
