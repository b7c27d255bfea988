//! How many users go through a series of steps.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::funnel::FunnelAnswer;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a funnel question, given as JSON.
    #[napi]
    pub fn funnel(
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
            Analytics::funnel_json,
            FunnelAnswer::table,
        )
    }
}
