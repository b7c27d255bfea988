//! The question of user insights, and what can be wrong with it.

use serde::Serialize;
use serde_json::Value;

use crate::adoption::{Adoption, Feature};
use crate::engagement::Engagement;
use crate::error::{FieldError, Result};
use crate::funnel::Funnel;
use crate::journey::{self, Journey};
use crate::query::fields::{self, Fields};
use crate::query::sample::sample;
use crate::query::{Instant, Selector};

/// A kind of insight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InsightType {
    /// How often users come, and at what hours.
    EngagementPatterns,
    /// How many users go all the way through the funnel, and where the others stop.
    ConversionFunnel,
    /// Where the others stop, what they do next, and what separates them from those who go on.
    DropOffPoints,
    /// Which features users take up, and how soon.
    FeatureAdoption,
    /// Which ways users take, session by session.
    UserJourneys,
}

/// What stands out in how users behave over a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInsights {
    /// The only kind asked for; every available kind by default.
    pub insight_type: Option<InsightType>,
    /// At most so many insights, 1 to 100; 20 by default.
    pub limit: usize,
    /// The funnel that is looked at, with the range and the segment of all insights.
    pub funnel: Funnel,
}

const LIMIT: usize = 20;

/// The specification's five types by their names.
const TYPES: [(&str, InsightType); 5] = [
    ("engagement_patterns", InsightType::EngagementPatterns),
    ("conversion_funnel", InsightType::ConversionFunnel),
    ("drop_off_points", InsightType::DropOffPoints),
    ("feature_adoption", InsightType::FeatureAdoption),
    ("user_journeys", InsightType::UserJourneys),
];

impl InsightType {
    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        let found = TYPES.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(name, _)| name)
    }
}

impl UserInsights {
    /// Every available insight about this funnel.
    pub fn new(funnel: Funnel) -> Self {
        Self {
            insight_type: None,
            limit: LIMIT,
            funnel,
        }
    }

    /// Reads a question in its JSON form: `startDate`, `endDate`, `segment`, `insightType`, `limit`, and the fields of a
    /// funnel: `steps`, `window`, `timezone`, `strictIncrease`, `timeBetween`, `asOf`. Steps that are absent are the
    /// catalogue's default funnel.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, default_steps: &[Selector], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let mut insights = Self {
            insight_type: fields.optional("insightType", |v| fields::one_of(v, &TYPES)),
            limit: fields
                .optional("limit", |v| fields::integer(v, 1, 100))
                .map_or(LIMIT, |n| n as usize),
            funnel: Funnel::read(&mut fields, default_steps),
        };
        // Only the funnel itself is told of a sample.
        if insights.insight_type == Some(InsightType::ConversionFunnel) {
            insights.funnel.sample = fields.optional("sample", sample);
        }
        fields.finish(insights.funnel.faults(now))?;
        Ok(insights)
    }

    /// The same range and users, asked how often they come.
    pub(crate) fn engagement(&self) -> Engagement {
        let funnel = &self.funnel;
        Engagement {
            range: funnel.range.clone(),
            segment: funnel.segment,
            filters: funnel.filters.clone(),
            week_start: funnel.week_start,
            as_of: funnel.as_of,
            ..Engagement::default()
        }
    }

    /// The same range and users, asked which features they take up.
    pub(crate) fn adoption(&self, features: Vec<Feature>) -> Adoption {
        let funnel = &self.funnel;
        Adoption {
            features,
            range: funnel.range.clone(),
            segment: funnel.segment,
            filters: funnel.filters.clone(),
            week_start: funnel.week_start,
            as_of: funnel.as_of,
            ..Adoption::default()
        }
    }

    /// The same range and users, asked which ways they take in a session.
    pub(crate) fn journey(&self) -> Journey {
        let funnel = &self.funnel;
        Journey {
            segment: funnel.segment,
            filters: funnel.filters.clone(),
            unit: journey::Unit::Sessions,
            collapse: true,
            as_of: funnel.as_of,
            ..Journey::new(funnel.range.clone())
        }
    }

    /// What is wrong with it.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.funnel.faults(now);
        if !(1..=100).contains(&self.limit) {
            faults.push(FieldError {
                field: "limit".to_owned(),
                code: "out_of_range",
                message: "must be between 1 and 100".to_owned(),
            });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(question: Value) -> Vec<(String, &'static str)> {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        match UserInsights::parse(&question, &["search".into(), "book".into()], now) {
            Ok(_) => Vec::new(),
            Err(e) => e
                .field_errors()
                .iter()
                .map(|f| (f.field.clone(), f.code))
                .collect(),
        }
    }

    #[test]
    fn every_field_is_checked_and_all_errors_come_at_once() {
        let with = |name: &str, value: Value| {
            let mut question = json!({"startDate": "2026-01-01", "endDate": "2026-01-31"});
            question[name] = value;
            question
        };
        assert_eq!(faults(with("limit", json!(100))), []);
        assert_eq!(faults(with("limit", Value::Null)), []);
        assert_eq!(faults(with("insightType", json!("conversion_funnel"))), []);
        assert_eq!(faults(with("insightType", json!("drop_off_points"))), []);
        assert_eq!(
            faults(with("insightType", json!("engagement_patterns"))),
            []
        );
        assert_eq!(faults(with("insightType", json!("feature_adoption"))), []);
        assert_eq!(faults(with("insightType", json!("user_journeys"))), []);
        let table = [
            ("limit", json!(0), "out_of_range"),
            ("limit", json!(101), "out_of_range"),
            ("limit", json!(-1), "out_of_range"),
            ("limit", json!(1.5), "invalid_type"),
            ("limit", json!("20"), "invalid_type"),
            ("segment", json!("gold"), "not_in_list"),
            ("insightType", json!("funnels"), "not_in_list"),
            ("insightType", json!(1), "invalid_type"),
            ("steps", json!([]), "invalid_length"),
            ("color", json!("red"), "unknown_field"),
        ];
        for (field, value, code) in table {
            assert_eq!(faults(with(field, value)), [(field.to_owned(), code)]);
        }
        let all = faults(
            json!({"startDate": "soon", "limit": 0, "insightType": "x", "window": "-1d", "x": 1}),
        );
        let fields: Vec<&str> = all.iter().map(|f| f.0.as_str()).collect();
        assert_eq!(
            fields,
            [
                "insightType",
                "limit",
                "window",
                "startDate",
                "endDate",
                "x"
            ]
        );
    }
}
