//! What of a metric was not as usual, and what of a table of series.

use std::sync::Arc;

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use serde_json::Value;
use travelsense::Analytics;
use travelsense::anomaly::{AnomalyAnswer, Detection};

use crate::answer::{Answer, json_of};
use crate::forecast::{copied, made, read};
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question about anomalies, given as JSON.
    #[napi]
    pub fn anomalies(
        &self,
        question: String,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<Answer> {
        let patience = Patience::new(limit, stop, hear);
        self.answer(
            question,
            patience,
            Analytics::anomalies_json,
            AnomalyAnswer::table,
        )
    }
}

/// What was not as usual in a table in Arrow IPC, as the question says in its JSON form, which holds the rows itself where there is no
/// frame.
#[napi]
pub(crate) fn detect_anomalies(
    frame: Option<Uint8Array>,
    question: String,
    threads: Option<u32>,
    stop: &Stop,
    hear: Option<Hear>,
) -> Promised<Answer> {
    let frame = copied(frame);
    let read = move |question: &Value| match read(frame, "frame")? {
        Some(frame) => Detection::read(frame, question),
        None => Detection::parse(question),
    };
    made(question, read, (threads, stop, hear), |asked, watch| {
        let made = Arc::new(asked.detect_watched(watch)?);
        let (text, drawn) = (json_of(Arc::clone(&made)), Arc::clone(&made));
        let answer = Answer::later(text, move || made.table());
        Ok(answer.drawn(move |id| drawn.chart(id)))
    })
}
