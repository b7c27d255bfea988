//! Who comes back, by the period in which they started.

use napi_derive::napi;
use travelsense::retention::RetentionAnswer;

use crate::answer::Answer;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a retention question, given as JSON.
    #[napi]
    pub fn retention(&self, question: String) -> Promised<Answer> {
        self.ask(move |a, who| {
            let answer = a.retention_json(who, &parse(&question)?)?;
            Answer::of(answer, RetentionAnswer::table)
        })
    }
}
