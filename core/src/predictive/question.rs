//! The question of a prediction, and what can be wrong with it.

use serde::Serialize;
use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::{Instant, Period, Range, Segment};
use crate::timeline::Needs;

/// What is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// Users whose first event ever falls on a day.
    #[default]
    UserGrowth,
    /// The amounts of users' events on a day, in the base currency; refunds count against it.
    Revenue,
    /// Events on a day that the catalogue calls conversions: bookings.
    DemandForecast,
    /// The share of the users active in a week who are not active in the four weeks after it.
    ChurnRate,
    /// First uses on a day, by users, of a feature of the catalogue.
    FeatureAdoption,
}

const PREDICTIONS: [(&str, Prediction); 5] = [
    ("user_growth", Prediction::UserGrowth),
    ("revenue", Prediction::Revenue),
    ("demand_forecast", Prediction::DemandForecast),
    ("churn_rate", Prediction::ChurnRate),
    ("feature_adoption", Prediction::FeatureAdoption),
];

impl Prediction {
    /// The length of its buckets.
    pub fn period(self) -> Period {
        match self {
            Self::ChurnRate => Period::Weekly,
            _ => Period::Daily,
        }
    }
}

/// A prediction from the history of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictive {
    /// What is predicted.
    pub prediction: Prediction,
    /// The history.
    pub range: Range,
    /// The level of the intervals in per cent, 0 to 100; 95 by default. At 0 the interval is a point; at 100 it holds
    /// everything that can be, and what has no upper limit has none.
    pub confidence_level: f64,
    /// How many buckets ahead, 1 to 365; a quarter of the history by default, at least 1 and at most 90.
    pub horizon: Option<usize>,
    /// Only users of this segment.
    pub segment: Segment,
    /// Segments that are predicted beside it, each by itself.
    pub segments: Vec<Segment>,
    /// The one feature of `feature_adoption`; every feature of the catalogue by default.
    pub feature: Option<String>,
    /// The two letters of a country whose holidays count.
    pub country: Option<String>,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
    /// The name under which the prediction is kept, so that what comes can be joined; its intervals learn from what is kept there.
    pub feedback: Option<String>,
}

impl Predictive {
    /// A prediction from a range with everything else at its default.
    #[must_use]
    pub fn new(prediction: Prediction, range: Range) -> Self {
        Self {
            prediction,
            range,
            confidence_level: 95.0,
            horizon: None,
            segment: Segment::All,
            segments: Vec::new(),
            feature: None,
            country: None,
            as_of: None,
            feedback: None,
        }
    }

    /// Reads a question in its JSON form: `startDate`, `endDate`, `timezone`, `predictionType`, `confidenceLevel`, and our own
    /// `horizon`, `segment`, `segments` (a list), `feature`, `country`, `asOf`, `feedback`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let asked = Self {
            confidence_level: fields.optional("confidenceLevel", level).unwrap_or(95.0),
            feedback: fields.optional("feedback", fields::log_name),
            ..Self::read(&mut fields)
        };
        fields.finish(asked.faults(now))?;
        Ok(asked)
    }

    /// What a prediction and its backtest are both asked.
    fn read(fields: &mut Fields<'_>) -> Self {
        let range = fields.range();
        let prediction = fields.required("predictionType", |v| fields::one_of(v, &PREDICTIONS));
        Self {
            horizon: fields
                .optional("horizon", |v| fields::integer(v, 1, 365))
                .map(|n| n as usize),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            segments: fields
                .optional("segments", |v| fields::list(v, fields::segment))
                .unwrap_or_default(),
            feature: fields.optional("feature", fields::name),
            country: fields.optional("country", country),
            as_of: fields.optional("asOf", fields::instant),
            ..Self::new(prediction, range)
        }
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.range.faults(self.as_of, now);
        let mut wrong = |field: &str, code, message: &str| {
            faults.push(FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        };
        if !(0.0..=100.0).contains(&self.confidence_level) {
            wrong("confidenceLevel", "out_of_range", LEVEL);
        }
        if self.horizon.is_some_and(|h| !(1..=365).contains(&h)) {
            wrong("horizon", "out_of_range", "must be between 1 and 365");
        }
        if self.feature.is_some() && self.prediction != Prediction::FeatureAdoption {
            wrong(
                "feature",
                "not_used",
                "goes with the predictionType feature_adoption",
            );
        }
        faults
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        Needs {
            properties: Vec::new(),
            amounts: self.prediction == Prediction::Revenue,
            ..Needs::default()
        }
    }

    /// A segment for which all that any of the segments needs is loaded.
    pub(crate) fn widest(&self) -> Segment {
        let by_plan = |s: &Segment| matches!(s, Segment::Premium | Segment::Free);
        let found = self.segments.iter().copied().find(by_plan);
        found.unwrap_or(self.segment)
    }
}

/// How predictions would have done: from past origins of the history, with nothing of what came later (S6).
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// The prediction; its horizon is that of each origin.
    pub asked: Predictive,
    /// From how many past origins, 1 to 100; 10 by default.
    pub origins: usize,
    /// How many buckets lie between two origins; the horizon by default.
    pub step: Option<usize>,
}

impl Tested {
    /// Reads a question in its JSON form: that of a prediction without `confidenceLevel` and `feedback`, `origins`, `step`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let of = |n: i64| n as usize;
        let tested = Self {
            asked: Predictive::read(&mut fields),
            origins: fields
                .optional("origins", |v| fields::integer(v, 1, 100))
                .map_or(10, of),
            step: fields
                .optional("step", |v| fields::integer(v, 1, 365))
                .map(of),
        };
        fields.finish(tested.asked.faults(now))?;
        Ok(tested)
    }
}

const LEVEL: &str = "must be between 0 and 100";

fn level(value: &Value) -> Parsed<f64> {
    match value.as_f64() {
        None => fault("invalid_type", "must be a number"),
        Some(level) if (0.0..=100.0).contains(&level) => Ok(level),
        Some(_) => fault("out_of_range", LEVEL),
    }
}

fn country(value: &Value) -> Parsed<String> {
    let given = fields::text(value)?;
    let known = crate::forecast::countries();
    if known.iter().any(|c| c.eq_ignore_ascii_case(given)) {
        return Ok(given.to_ascii_uppercase());
    }
    let known = known.join(", ");
    fault(
        "unknown_country",
        format!("`{given}` is not one of {known}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_checked_and_all_errors_come_at_once() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let faults = |question: &Value| match Predictive::parse(question, now) {
            Ok(_) => Vec::new(),
            Err(e) => e
                .field_errors()
                .iter()
                .map(|f| (f.field.clone(), f.code))
                .collect(),
        };
        let whole = json!({
            "startDate": "2026-01-01", "endDate": "2026-01-31", "predictionType": "user_growth"
        });
        assert_eq!(faults(&whole), []);
        let table = [
            ("predictionType", json!("weather"), "not_in_list"),
            ("predictionType", json!(7), "invalid_type"),
            ("predictionType", Value::Null, "required"),
            ("confidenceLevel", json!(-0.1), "out_of_range"),
            ("confidenceLevel", json!(100.1), "out_of_range"),
            ("confidenceLevel", json!("high"), "invalid_type"),
            ("horizon", json!(0), "out_of_range"),
            ("horizon", json!(366), "out_of_range"),
            ("segment", json!("vip"), "not_in_list"),
            ("segments", json!("new"), "invalid_type"),
            ("feature", json!("map"), "not_used"),
            ("country", json!("XX"), "unknown_country"),
            ("startDate", json!("2026-03-02"), "in_future"),
            ("colour", json!("red"), "unknown_field"),
        ];
        for (field, value, code) in table {
            let mut question = whole.clone();
            question[field] = value;
            assert!(
                faults(&question).contains(&(field.to_owned(), code)),
                "{field}: {:?}",
                faults(&question)
            );
        }
        for level in [0.0, 0.1, 50.0, 99.9, 100.0] {
            let mut question = whole.clone();
            question["confidenceLevel"] = json!(level);
            assert_eq!(faults(&question), [], "{level}");
        }
        assert_eq!(
            faults(&json!({}))
                .iter()
                .map(|f| f.0.as_str())
                .collect::<Vec<_>>(),
            ["startDate", "endDate", "predictionType"]
        );
    }
}
