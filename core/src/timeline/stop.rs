//! How a question is told to give up.

use crate::error::{Error, ErrorKind, Result};

/// Asked now and then while a question is answered; `true` ends it.
#[derive(Clone, Copy, Default)]
pub struct Stop<'a>(Option<&'a (dyn Fn() -> bool + Send + Sync)>);

impl<'a> Stop<'a> {
    /// Stops when the function says so.
    pub fn when(stop: &'a (dyn Fn() -> bool + Send + Sync)) -> Self {
        Self(Some(stop))
    }

    /// # Errors
    /// `cancelled` where it is time to stop.
    pub(crate) fn check(self) -> Result<()> {
        if self.0.is_some_and(|stop| stop()) {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "cancelled",
                "the question was given up before it was answered",
            ));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Stop<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stop").field(&self.0.is_some()).finish()
    }
}
