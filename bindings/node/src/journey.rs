//! Which ways users take.

use napi_derive::napi;
use travelsense::journey::JourneyAnswer;

use crate::answer::Answer;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of journeys, given as JSON.
    #[napi]
    pub fn journey(&self, question: String) -> Promised<Answer> {
        self.ask(move |a, who| {
            let answer = a.journey_json(who, &parse(&question)?)?;
            Answer::of(answer, JourneyAnswer::table)
        })
    }
}
