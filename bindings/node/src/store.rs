//! An open store, as Node holds it.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use napi::bindgen_prelude::{ToNapiValue, TypeName};
use napi_derive::napi;
use serde::Serialize;
use serde_json::Value;
use travelsense::chart::Look;
use travelsense::{Analytics, Error, ErrorKind, Options, Principal, Result};

use crate::answer::Answer;
use crate::error::parse;
use crate::patience::{Hear, Patience, Stop};
use crate::work::{Promised, promise};

/// A store of events; closed when it is told to, or when nothing refers to it any more.
#[napi]
pub(crate) struct Store {
    analytics: Mutex<Option<Arc<Analytics>>>,
    /// Who asks: the program that owns the file, unless it acts for somebody.
    who: Principal,
}

/// Opens the store that the options, as JSON, say.
#[napi]
pub(crate) fn open(options: String) -> Promised<Store> {
    promise(move || {
        let analytics = Analytics::open_with(Options::parse(&parse(&options)?)?)?;
        Ok(Store {
            analytics: Mutex::new(Some(Arc::new(analytics))),
            who: Principal::owner(),
        })
    })
}

#[napi]
impl Store {
    /// Builds what is derived from the stored events anew.
    #[napi]
    pub fn rebuild(&self, limit: String, stop: &Stop, hear: Option<Hear>) -> Promised<()> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, |a, who| a.rebuild(who))
    }

    /// The JSON answer of any word to a question, given as JSON.
    #[napi]
    pub fn query(
        &self,
        word: String,
        question: String,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<String> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, move |a, who| {
            a.ask(who, &word, &parse(&question)?)
        })
    }

    /// The users behind a number, as JSON.
    #[napi]
    pub fn people(
        &self,
        request: String,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<String> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, move |a, who| {
            text(&a.people(who, &parse(&request)?)?)
        })
    }

    /// One person with their events, as JSON.
    #[napi]
    pub fn profile(&self, id: String, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.profile(who, &id, &parse(&asked)?)?))
    }

    /// Exports what a request, given as JSON, asks for, once for a key; gives the job as JSON.
    #[napi]
    pub fn export(&self, request: String, key: Option<String>) -> Promised<String> {
        self.ask(move |a, who| text(&a.export_once(who, &parse(&request)?, key.as_deref())?))
    }

    /// Exports, as JSON.
    #[napi]
    pub fn exports(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.exports(who, &parse(&asked)?)?))
    }

    /// An export, as JSON.
    #[napi]
    pub fn export_job(&self, id: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.export_job(who, &id)?))
    }

    /// Gives an export up; gives the job as JSON.
    #[napi]
    pub fn cancel_export(&self, id: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.cancel_export(who, &id)?))
    }

    /// Copies the file of an export to a path; gives its size in bytes.
    #[napi]
    pub fn save_export(
        &self,
        id: String,
        path: String,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<f64> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, move |a, who| {
            let size = a.save_export(who, &id, path.as_ref())?;
            Ok(size as f64)
        })
    }

    /// The answer of a word to a question, given as JSON, as a chart in SVG.
    #[napi]
    pub fn chart(&self, word: String, question: String) -> Promised<String> {
        self.ask(move |a, who| {
            let chart = a.chart(who, &word, &parse(&question)?)?;
            Ok(chart.svg(&Look::default()))
        })
    }

    /// All cohorts, as JSON.
    #[napi]
    pub fn cohorts(&self) -> Promised<String> {
        self.ask(|a, who| text(&a.cohorts(who)?))
    }

    /// Makes a cohort of a definition, given as JSON.
    #[napi]
    pub fn create_cohort(&self, name: String, definition: String) -> Promised<()> {
        self.ask(move |a, who| a.create_cohort(who, &name, &parse(&definition)?))
    }

    /// Removes a cohort.
    #[napi]
    pub fn remove_cohort(&self, name: String) -> Promised<()> {
        self.ask(move |a, who| a.remove_cohort(who, &name))
    }

    /// The same store for somebody else: what they may not do is refused, and the record holds their name.
    #[napi]
    pub fn acting(&self, id: String, role: String) -> Store {
        Store {
            analytics: Mutex::new(self.held().clone()),
            who: Principal::new(id, role),
        }
    }

    /// Closes the file; nothing happens where it is closed already.
    #[napi]
    pub fn close(&self) -> Promised<()> {
        let held = self.held().take();
        promise(move || {
            if let Some(last) = held.and_then(Arc::into_inner) {
                last.close();
            }
            Ok(())
        })
    }
}

impl Store {
    /// Promises what `call` gets from the store.
    pub(crate) fn ask<T, J>(
        &self,
        call: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send + 'static,
    ) -> Promised<T, J>
    where
        T: Send + 'static,
        J: From<T> + ToNapiValue + TypeName,
    {
        let held = self.held().clone();
        let who = self.who.clone();
        promise(move || call(&*held.ok_or_else(closed)?, &who))
    }

    /// The same for a question that is waited for so long.
    pub(crate) fn patiently<T, J>(
        &self,
        patience: Patience,
        call: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send + 'static,
    ) -> Promised<T, J>
    where
        T: Send + 'static,
        J: From<T> + ToNapiValue + TypeName,
    {
        self.ask(move |a, who| call(&patience.handle(a)?, who))
    }

    /// Promises the answer to a question, given as JSON.
    pub(crate) fn answer<T>(
        &self,
        question: String,
        patience: Patience,
        verb: fn(&Analytics, &Principal, &Value) -> Result<T>,
        table: fn(&T) -> Result<RecordBatch>,
    ) -> Promised<Answer>
    where
        T: Serialize + Send + Sync + 'static,
    {
        self.patiently(patience, move |a, who| {
            Answer::of(verb(a, who, &parse(&question)?)?, table)
        })
    }

    /// The store, for what asks it by itself.
    pub(crate) fn shared(&self) -> Result<Arc<Analytics>> {
        self.held().clone().ok_or_else(closed)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Arc<Analytics>>> {
        self.analytics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// The store is closed.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Conflict, "closed", "the store is closed")
}
