//! What comes next, who is about to go away, what users will be worth and do.

use napi_derive::napi;
use travelsense::Analytics;
use travelsense::churn::{ChurnAnswer, ValueAnswer};
use travelsense::forecast::BacktestAnswer;
use travelsense::next_action::NextActionAnswer;
use travelsense::predictive::PredictiveAnswer;

use crate::answer::Answer;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Answers a question of prediction, given as JSON.
    #[napi]
    pub fn predictive(
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
            Analytics::predictive_json,
            PredictiveAnswer::table,
        )
    }

    /// Answers a question of a backtest, given as JSON.
    #[napi]
    pub fn backtest(
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
            Analytics::backtest_json,
            BacktestAnswer::table,
        )
    }

    /// Answers a question of churn, given as JSON.
    #[napi]
    pub fn churn(
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
            Analytics::churn_json,
            ChurnAnswer::table,
        )
    }

    /// Answers a question of customer value, given as JSON.
    #[napi]
    pub fn value(
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
            Analytics::value_json,
            ValueAnswer::table,
        )
    }

    /// Answers a question of next actions, given as JSON.
    #[napi]
    pub fn next_action(
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
            Analytics::next_action_json,
            NextActionAnswer::table,
        )
    }
}
