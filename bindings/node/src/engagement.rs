//! How often users come, and at what hours.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::engagement::EngagementAnswer;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of engagement, given as JSON.
    #[napi]
    pub fn engagement(
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
            Analytics::engagement_json,
            EngagementAnswer::table,
        )
    }
}
