//! What is happening right now.

use napi_derive::napi;
use travelsense::realtime::RealtimeMetric;

use crate::answer::Answer;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a real-time question, given as JSON.
    #[napi]
    pub fn realtime(&self, question: String) -> Promised<Answer> {
        self.ask(move |a, who| {
            let metrics = a.realtime_json(who, &parse(&question)?)?;
            Answer::of(metrics, |metrics| RealtimeMetric::table(metrics))
        })
    }
}
