//! What became of events that were not stored, and people who are to be forgotten.

use napi_derive::napi;
use serde_json::json;
use travelsense::analytics::{BatchForm, IngestBatch};
use travelsense::events::Names;

use crate::answer::text;
use crate::error::parse;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Takes a JSON array of events of a source; by its key a batch is known when it is sent again.
    #[napi]
    pub fn ingest_batch(
        &self,
        events: String,
        source: String,
        key: Option<String>,
    ) -> Promised<String> {
        self.ask(move |a, who| {
            let batch = IngestBatch {
                body: events.as_bytes(),
                form: BatchForm::Array,
                mapping: None,
                source: &source,
                key: key.as_deref(),
                names: Names::None,
                most: usize::MAX,
            };
            a.ingest_batch(who, &batch)
        })
    }

    /// How the intake of events does, as JSON.
    #[napi]
    pub fn ingest_status(&self) -> Promised<String> {
        self.ask(|a, who| text(&a.ingest_status(who)?))
    }

    /// Events that were refused but kept, as JSON.
    #[napi]
    pub fn quarantine(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.quarantine_json(who, &parse(&asked)?)?))
    }

    /// Sends events of the quarantine again; gives what became of each, as JSON.
    #[napi]
    pub fn replay_quarantine(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.replay_quarantine_json(who, &parse(&asked)?)?))
    }

    /// Stores batches that could not be stored when they came; gives what became of them, as JSON.
    #[napi]
    pub fn replay_parked(&self) -> Promised<String> {
        self.ask(|a, who| text(&a.replay_parked(who)?))
    }

    /// Takes everything of users away; gives what was taken, as JSON.
    #[napi]
    pub fn erase(
        &self,
        ids: Vec<String>,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<String> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, move |a, who| {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            text(&a.erase(who, &ids)?)
        })
    }

    /// The version of all that is stored.
    #[napi]
    pub fn data_version(&self) -> Promised<f64> {
        self.ask(|a, who| Ok(a.data_version(who)? as f64))
    }

    /// Takes tokens back.
    #[napi]
    pub fn revoke(&self, asked: String) -> Promised<()> {
        self.ask(move |a, who| a.revoke(who, &parse(&asked)?))
    }

    /// What whoever asks may do, as JSON.
    #[napi]
    pub fn permissions(&self) -> Promised<String> {
        self.ask(|_, who| {
            let names = travelsense::access::permissions(who).iter();
            text(&json!(names.map(|p| p.name()).collect::<Vec<_>>()))
        })
    }

    /// Goes on with exports that were under way when the store was last closed; gives how many.
    #[napi]
    pub fn resume_exports(&self) -> Promised<f64> {
        self.ask(|a, _| Ok(a.resume_exports()? as f64))
    }

    /// Has the real-time figures take in what arrived.
    #[napi]
    pub fn refresh_realtime(&self) -> Promised<()> {
        self.ask(|a, _| a.refresh_realtime())
    }

    /// Judges whether the real-time figures are as usual.
    #[napi]
    pub fn judge_realtime(&self) -> Promised<()> {
        self.ask(|a, _| a.judge_realtime())
    }

    /// Builds the timelines where they are not there yet.
    #[napi]
    pub fn warm_up(&self, limit: String, stop: &Stop, hear: Option<Hear>) -> Promised<()> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, |a, _| a.timelines().map(|_| ()))
    }
}
