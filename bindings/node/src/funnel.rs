//! How many users go through a series of steps.

use napi_derive::napi;
use travelsense::funnel::FunnelAnswer;

use crate::answer::Answer;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a funnel question, given as JSON.
    #[napi]
    pub fn funnel(&self, question: String) -> Promised<Answer> {
        self.ask(move |a, who| {
            let answer = a.funnel_json(who, &parse(&question)?)?;
            Answer::of(answer, FunnelAnswer::table)
        })
    }
}
