//! How long Node waits for the answer to a question, and who hears how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::Status;
use napi::bindgen_prelude::FnArgs;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use travelsense::{Analytics, Options, Result};

use crate::error::parse;

/// Hears which share of the pass at hand is done, from 0 to 1.
pub(crate) type Hear = ThreadsafeFunction<FnArgs<(f64,)>, (), FnArgs<(f64,)>, Status, false>;

/// Stops the import or gives up the question that it was given to.
#[napi]
pub(crate) struct Stop(Arc<AtomicBool>);

#[napi]
impl Stop {
    /// One that has not been told to stop.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Stops an import before its next rows, of which nothing is kept; gives a question up soon after.
    #[napi]
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Stop {
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// What a question is asked with, taken from JavaScript before another thread asks it.
pub(crate) struct Patience {
    limit: String,
    stop: Arc<AtomicBool>,
    hear: Option<Hear>,
}

impl Patience {
    /// A time limit as JSON, what may stop it, and who hears how far it is.
    pub(crate) fn new(limit: String, stop: &Stop, hear: Option<Hear>) -> Self {
        Self {
            limit,
            stop: stop.flag(),
            hear,
        }
    }

    /// The store for a question that is waited for so long.
    pub(crate) fn handle(self, store: &Analytics) -> Result<Analytics> {
        let stop = self.stop;
        let mut handle = store.until(move || stop.load(Ordering::Relaxed));
        if let Some(limit) = Options::limit(&parse(&self.limit)?)? {
            handle = handle.within(limit);
        }
        if let Some(hear) = self.hear {
            handle = handle.watched(move |share| {
                hear.call((share,).into(), ThreadsafeFunctionCallMode::NonBlocking);
            });
        }
        Ok(handle)
    }
}
