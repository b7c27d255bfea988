//! How often users come, and at what hours.

use napi_derive::napi;
use travelsense::engagement::EngagementAnswer;

use crate::answer::Answer;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of engagement, given as JSON.
    #[napi]
    pub fn engagement(&self, question: String) -> Promised<Answer> {
        self.ask(move |a, who| {
            let answer = a.engagement_json(who, &parse(&question)?)?;
            Answer::of(answer, EngagementAnswer::table)
        })
    }
}
