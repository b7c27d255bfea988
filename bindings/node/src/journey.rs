//! Which ways users take.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::journey::JourneyAnswer;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of journeys, given as JSON.
    #[napi]
    pub fn journey(
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
            Analytics::journey_json,
            JourneyAnswer::table,
        )
    }
}
