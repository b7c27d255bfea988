//! What is happening right now.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::realtime::RealtimeMetric;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a real-time question, given as JSON.
    #[napi]
    pub fn realtime(
        &self,
        question: String,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<Answer> {
        let patience = Patience::new(limit, stop, hear);
        self.answer(question, patience, Analytics::realtime_json, |metrics| {
            RealtimeMetric::table(metrics)
        })
    }
}
