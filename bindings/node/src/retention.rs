//! Who comes back, by the period in which they started.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::retention::RetentionAnswer;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a retention question, given as JSON.
    #[napi]
    pub fn retention(
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
            Analytics::retention_json,
            RetentionAnswer::table,
        )
    }
}
