//! Which features users take up, and how soon.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::adoption::AdoptionAnswer;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of adoption, given as JSON.
    #[napi]
    pub fn adoption(
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
            Analytics::adoption_json,
            AdoptionAnswer::table,
        )
    }
}
