//! The question of engagement, and what can be wrong with it.

use serde::Serialize;
use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields, fault};
use crate::query::filter::filters;
use crate::query::{Condition, Filter, Instant, Period, Range, Segment, WeekStart, Window};
use crate::timeline::Needs;

/// How often the users of a range are active. A user is active whenever an event that is meant happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engagement {
    /// What is computed; everything by default.
    pub metrics: Vec<Metric>,
    /// Selects the events; each metric says what it sees before and after it.
    pub range: Range,
    /// Only users of this segment.
    pub segment: Segment,
    /// The events that are activity; any by default.
    pub event: Condition,
    /// Only events that meet all of these are seen; segments are judged by all events.
    pub filters: Vec<Filter>,
    /// The calendar period of the lifecycle, and that of which stickiness counts how many a user is active in; days by default.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// How many events a period needs for stickiness to count it; 1 by default.
    pub min_events: u32,
    /// The longest pause within a session (L4); 30 minutes by default.
    pub session_timeout: Window,
    /// Whose rules the numbers follow.
    pub preset: Preset,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

/// A part of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Active users by day, week and month.
    ActiveUsers,
    /// On how many days users are active, and what share of a month's or a week's users comes a day (L2).
    Stickiness,
    /// New, returning, resurrected and dormant users (L1).
    Lifecycle,
    /// Sessions (L4).
    Sessions,
    /// Activity by weekday and hour.
    HeatMap,
}

pub(super) const METRICS: [(&str, Metric); 5] = [
    ("active_users", Metric::ActiveUsers),
    ("stickiness", Metric::Stickiness),
    ("lifecycle", Metric::Lifecycle),
    ("sessions", Metric::Sessions),
    ("heat_map", Metric::HeatMap),
];

/// Whose rules the numbers follow (G4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Those written here.
    #[default]
    Exact,
    /// Users are new in the period of their first event of any kind, whether it is activity or not.
    Posthog,
}

const PRESETS: [(&str, Preset); 2] = [("exact", Preset::Exact), ("posthog", Preset::Posthog)];

impl Default for Engagement {
    fn default() -> Self {
        Self {
            metrics: METRICS.map(|m| m.1).to_vec(),
            range: Range::default(),
            segment: Segment::default(),
            event: Condition::default(),
            filters: Vec::new(),
            period: Period::Daily,
            week_start: WeekStart::default(),
            min_events: 1,
            session_timeout: Window::seconds(1800),
            preset: Preset::default(),
            as_of: None,
        }
    }
}

impl Engagement {
    /// Everything about a range, by day.
    pub fn new(range: Range) -> Self {
        Self {
            range,
            ..Self::default()
        }
    }

    /// Reads a question in its JSON form: `metrics`, `startDate`, `endDate`, `timezone`, `segment`, `event`, `filters`,
    /// `period`, `weekStart`, `minEvents`, `sessionTimeout`, `preset`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let default = Self::default();
        let engagement = Self {
            metrics: fields
                .optional("metrics", |v| {
                    let metrics = fields::list(v, |v| fields::one_of(v, &METRICS))?;
                    if metrics.is_empty() {
                        return fault("empty", "must name at least one metric");
                    }
                    Ok(metrics)
                })
                .unwrap_or(default.metrics),
            range: fields.range(),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            event: fields.nullable("event", condition).unwrap_or_default(),
            filters: fields.optional("filters", filters).unwrap_or_default(),
            period: fields
                .optional("period", fields::period)
                .unwrap_or(default.period),
            week_start: fields
                .optional("weekStart", fields::week_start)
                .unwrap_or_default(),
            min_events: fields
                .optional("minEvents", |v| fields::integer(v, 1, 1_000_000))
                .map_or(default.min_events, |n| n as u32),
            session_timeout: fields
                .optional("sessionTimeout", fields::window)
                .unwrap_or(default.session_timeout),
            preset: fields
                .optional("preset", |v| fields::one_of(v, &PRESETS))
                .unwrap_or_default(),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(engagement.faults(now))?;
        Ok(engagement)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.range.faults(self.as_of, now);
        if self.min_events == 0 {
            faults.push(FieldError {
                field: "minEvents".to_owned(),
                code: "out_of_range",
                message: "must be at least 1".to_owned(),
            });
        }
        faults
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let filters = self.filters.iter().map(|f| &f.property);
        Needs {
            properties: self.event.properties().chain(filters).collect(),
            ..Needs::default()
        }
    }

    /// Whether the answer has a part.
    pub(super) fn asks(&self, metric: Metric) -> bool {
        self.metrics.contains(&metric)
    }

    /// What an event must be to be activity.
    pub(super) fn activity(&self) -> Condition {
        let filters = self.event.filters.iter().chain(&self.filters);
        Condition {
            event: self.event.event.clone(),
            filters: filters.cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_checked_and_all_errors_come_at_once() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let faults = |question: &Value| match Engagement::parse(question, now) {
            Ok(_) => Vec::new(),
            Err(e) => e
                .field_errors()
                .iter()
                .map(|f| (f.field.clone(), f.code))
                .collect(),
        };
        let range = json!({"startDate": "2026-01-01", "endDate": "2026-01-31"});
        assert_eq!(faults(&range), []);
        let table = [
            ("metrics", json!([]), "empty"),
            ("metrics", json!("sessions"), "invalid_type"),
            ("period", json!("hourly"), "not_in_list"),
            ("weekStart", json!("funday"), "not_in_list"),
            ("minEvents", json!(0), "out_of_range"),
            ("minEvents", json!(1.5), "invalid_type"),
            ("sessionTimeout", json!("-1m"), "out_of_range"),
            ("sessionTimeout", json!("soon"), "invalid_window"),
            ("event", json!([]), "empty"),
            ("filters", json!(1), "invalid_type"),
            ("preset", json!("mixpanel"), "not_in_list"),
            ("asOf", json!("2027-01-01T00:00:00Z"), "in_future"),
            ("color", json!("red"), "unknown_field"),
        ];
        for (field, value, code) in table {
            let mut question = range.clone();
            question[field] = value;
            assert_eq!(faults(&question), [(field.to_owned(), code)]);
        }
        let all = faults(&json!({"metrics": ["smiles"], "startDate": "2026-02-01", "endDate": 1}));
        assert_eq!(
            all,
            [
                ("metrics[0]".to_owned(), "not_in_list"),
                ("endDate".to_owned(), "invalid_type")
            ]
        );
    }
}
