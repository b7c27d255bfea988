//! Bookings by the day of service.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::pickup::PickupAnswer;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question about bookings, given as JSON.
    #[napi]
    pub fn pickup(
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
            Analytics::pickup_json,
            PickupAnswer::table,
        )
    }
}
