//! Why two questions differ.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::explain::Explanation;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Explains the difference of two questions, given as JSON.
    #[napi]
    pub fn explain_difference(
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
            Analytics::explain_difference_json,
            Explanation::table,
        )
    }
}
