//! What the numbers say about how users behave, in words.

use napi_derive::napi;
use travelsense::insight::Insight;

use crate::answer::Answer;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question for user insights, given as JSON.
    #[napi]
    pub fn user_insights(&self, question: String) -> Promised<Answer> {
        self.ask(move |a, who| {
            let insights = a.user_insights_json(who, &parse(&question)?)?;
            Answer::of(insights, |insights| Insight::table(insights))
        })
    }
}
