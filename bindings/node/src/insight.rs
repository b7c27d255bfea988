//! What the numbers say about how users behave, in words.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::insight::Insight;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question for user insights, given as JSON.
    #[napi]
    pub fn user_insights(
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
            Analytics::user_insights_json,
            |insights| Insight::table(insights),
        )
    }
}
