//! Which features users take up, and how soon.

use napi_derive::napi;
use travelsense::adoption::AdoptionAnswer;

use crate::answer::Answer;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of adoption, given as JSON.
    #[napi]
    pub fn adoption(&self, question: String) -> Promised<Answer> {
        self.ask(move |a, who| {
            let answer = a.adoption_json(who, &parse(&question)?)?;
            Answer::of(answer, AdoptionAnswer::table)
        })
    }
}
