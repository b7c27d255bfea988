//! User behaviour insights, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::insight::{self, Insight, UserInsights};

pub(super) const WORD: Word = Word {
    name: "user_insights",
    ask: |a, who, question| json(&a.user_insights_json(who, question)?),
    people: None,
};

impl Analytics {
    /// What stands out in how users behave over a range, in words and with the numbers behind them.
    ///
    /// # Errors
    /// As `funnel`.
    pub fn user_insights(&self, who: &Principal, question: &UserInsights) -> Result<Vec<Insight>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        refuse(question.faults(self.now()))?;
        Ok(vec![insight::conversion_funnel(
            self.funnel(who, &question.funnel)?,
        )?])
    }

    /// `user_insights` of a question in its JSON form, see [`UserInsights::parse`].
    ///
    /// # Errors
    /// As `user_insights`.
    pub fn user_insights_json(&self, who: &Principal, question: &Value) -> Result<Vec<Insight>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.user_insights(
            who,
            &UserInsights::parse(question, &self.default_funnel()?, self.now())?,
        )
    }
}
