//! The question of a retention table, and what can be wrong with it.

use serde::Serialize;
use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields};
use crate::query::{Instant, Period, Range, Segment, Selector, WeekStart};

/// When a user joins a cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Once, at the first matching start event of all stored history (R1).
    #[default]
    FirstTime,
    /// In every period of the range with a start event, anchored at the first in it.
    Recurring,
}

/// A retention table: users by the period in which they started, and the share that came back in each later period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The calendar period of cohorts and columns (R4).
    pub period: Period,
    /// Selects the starts.
    pub range: Range,
    /// The event that starts a user; any by default.
    pub start: Selector,
    /// The event that brings a user back; any by default.
    pub returning: Selector,
    /// When a user joins a cohort.
    pub mode: Mode,
    /// Only users of this segment.
    pub segment: Segment,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// How many periods after the first to show; all that have begun by default.
    pub periods: Option<usize>,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

const PERIODS: [(&str, Period); 3] = [
    ("daily", Period::Daily),
    ("weekly", Period::Weekly),
    ("monthly", Period::Monthly),
];

const MODES: [(&str, Mode); 2] = [
    ("first_time", Mode::FirstTime),
    ("recurring", Mode::Recurring),
];

const METRICS: [(&str, bool); 4] = [
    ("retention_rate", true),
    ("revenue", false),
    ("engagement", false),
    ("feature_usage", false),
];

impl Retention {
    /// The table of a period over a range, any event starting and any event returning.
    pub fn new(period: Period, range: Range) -> Self {
        Self {
            period,
            range,
            ..Self::default()
        }
    }

    /// Reads a question in its JSON form: `cohortPeriod`, `startDate`, `endDate`, `analysisMetric`, `timezone`, `segment`,
    /// `start`, `return`, `mode`, `weekStart`, `periods`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once; a metric that is not built yet is `not_available`.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let retention = Self {
            period: fields.required("cohortPeriod", |v| fields::one_of(v, &PERIODS)),
            range: fields.range(),
            start: fields
                .nullable("start", fields::selector)
                .unwrap_or_default(),
            returning: fields
                .nullable("return", fields::selector)
                .unwrap_or_default(),
            mode: fields
                .optional("mode", |v| fields::one_of(v, &MODES))
                .unwrap_or_default(),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            week_start: fields
                .optional("weekStart", fields::week_start)
                .unwrap_or_default(),
            periods: fields
                .optional("periods", |v| {
                    fields::integer(v, 0, crate::query::calendar::MAX_BUCKETS)
                })
                .map(|n| n as usize),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.required("analysisMetric", |v| {
            if fields::one_of(v, &METRICS)? {
                Ok(())
            } else {
                fields::fault("not_available", "is not available yet; retention_rate is")
            }
        });
        fields.finish(retention.faults(now))?;
        Ok(retention)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        self.range.faults(self.as_of, now)
    }
}
