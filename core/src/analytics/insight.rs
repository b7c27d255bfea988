//! User behaviour insights, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::adoption::Adoption;
use crate::error::Result;
use crate::funnel::DropOff;
use crate::insight::{self, Insight, InsightType, UserInsights};
use crate::query::Property;
use crate::query::filter::Moment;

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
        let wanted = |kind| question.insight_type.is_none_or(|only| only == kind);
        let mut insights = Vec::new();
        if wanted(InsightType::EngagementPatterns) {
            let answer = self.engagement(who, &question.engagement())?;
            insights.push(insight::engagement_patterns(answer)?);
        }
        if wanted(InsightType::ConversionFunnel) {
            let answer = self.funnel(who, &question.funnel)?;
            insights.push(insight::conversion_funnel(answer)?);
        }
        if wanted(InsightType::DropOffPoints) {
            let mut asked = DropOff::new(question.funnel.clone());
            asked.properties = plan();
            insights.push(insight::drop_off_points(self.drop_off(who, &asked)?)?);
        }
        if wanted(InsightType::FeatureAdoption) {
            let features = Adoption::named(&self.features()?);
            let answer = self.adoption(who, &question.adoption(features))?;
            insights.push(insight::feature_adoption(answer)?);
        }
        if wanted(InsightType::UserJourneys) {
            let answer = self.journey(who, &question.journey())?;
            insights.push(insight::user_journeys(answer)?);
        }
        insights.truncate(question.limit);
        Ok(insights)
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

/// The property that every platform has: the plan, as it was when the user entered.
fn plan() -> Vec<Property> {
    vec![Property::User {
        name: "plan".to_owned(),
        at: Moment::AtEvent,
    }]
}
