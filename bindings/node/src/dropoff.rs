//! Where the users of a funnel stop, and which of its groups differ.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::funnel::{Comparison, DropOffAnswer};

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of drop-off points, given as JSON.
    #[napi]
    pub fn drop_off(
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
            Analytics::drop_off_json,
            DropOffAnswer::table,
        )
    }

    /// Compares the groups of a funnel, given as JSON.
    #[napi]
    pub fn compare(
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
            Analytics::compare_json,
            Comparison::table,
        )
    }
}
