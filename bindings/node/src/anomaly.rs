//! What of a metric was not as usual.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::anomaly::AnomalyAnswer;

use crate::answer::Answer;
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
