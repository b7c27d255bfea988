//! The question of what was not as usual, and what can be wrong with it.

use serde_json::Value;

use super::settings::{HOUR, MINUTE, Measure, Settings};
use super::weeks;
use crate::error::{Error, FieldError, Result};
use crate::query::fields::{self, Fields, Parsed};
use crate::query::{Instant, Range, Span, Window};

/// What is looked at: one of the six real-time figures, for each bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Distinct users with an event.
    #[default]
    ActiveUsers,
    /// Events that the catalogue calls page views.
    PageViews,
    /// All events a second.
    EventsPerSecond,
    /// Distinct users with a conversion, of the active users.
    ConversionRate,
    /// Errors, of all events.
    ErrorRate,
    /// The events' amounts in the base currency, a minute.
    RevenuePerMinute,
}

impl Metric {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 6] = [
        ("active_users", Self::ActiveUsers),
        ("page_views", Self::PageViews),
        ("events_per_second", Self::EventsPerSecond),
        ("conversion_rate", Self::ConversionRate),
        ("error_rate", Self::ErrorRate),
        ("revenue_per_minute", Self::RevenuePerMinute),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, metric)| *metric == self);
        named.map_or("active_users", |(name, _)| name)
    }

    /// What its values are.
    pub fn measure(self) -> Measure {
        match self {
            Self::ActiveUsers | Self::PageViews | Self::EventsPerSecond => Measure::Count,
            Self::ConversionRate | Self::ErrorRate => Measure::Share,
            Self::RevenuePerMinute => Measure::Amount,
        }
    }
}

/// The lengths of buckets by name, in microseconds.
const STEPS: [(&str, i64); 4] = [
    ("minute", MINUTE),
    ("five_minutes", 5 * MINUTE),
    ("quarter_hour", 15 * MINUTE),
    ("hour", HOUR),
];

/// A number within bounds.
pub(super) fn between(low: f64, high: f64) -> impl Fn(&Value) -> Parsed<f64> {
    move |v: &Value| match v.as_f64() {
        Some(n) if (low..=high).contains(&n) => Ok(n),
        Some(_) => fields::fault("out_of_range", format!("must be between {low} and {high}")),
        None => fields::fault("invalid_type", "must be a number"),
    }
}

/// An answer has at most so many buckets.
const MOST: i64 = 20_000;

/// What of a metric was not as usual?
#[derive(Clone, Debug, PartialEq)]
pub struct Anomalies {
    /// What is looked at.
    pub metric: Metric,
    /// Which stretch of time. What is usual is learned from the weeks before: from the Monday eight weeks before that of a bucket of an
    /// hour on, and six weeks before that of a shorter one, so that what is said of it does not depend on the range.
    pub range: Range,
    /// The length of a bucket in microseconds; an hour by default.
    pub step: i64,
    /// How many false alarms a week are put up with.
    pub alarms_a_week: f64,
    /// The least change that is told, as a share.
    pub least_change: f64,
    /// The least that must be expected of a stretch.
    pub least_volume: f64,
    /// For how long after its end late events may still come into a bucket; a minute by default. Until then it is not judged.
    pub lateness: Window,
    /// Nothing after this is seen; now by default.
    pub as_of: Option<Instant>,
}

impl Anomalies {
    /// Reads a question in its JSON form: `metric`, `startDate`, `endDate`, and, optionally, `timezone`, `step`, `alarmsPerWeek`,
    /// `minChange`, `minVolume`, `lateness`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let usual = Settings::new(Measure::Count, HOUR);
        let asked = Self {
            metric: fields.required("metric", |v| fields::one_of(v, &Metric::ALL)),
            range: fields.range(),
            step: fields
                .optional("step", |v| fields::one_of(v, &STEPS))
                .unwrap_or(HOUR),
            alarms_a_week: fields
                .optional("alarmsPerWeek", between(0.001, 100.0))
                .unwrap_or(usual.alarms_a_week),
            least_change: fields
                .optional("minChange", between(0.01, 10.0))
                .unwrap_or(usual.least_change),
            least_volume: fields
                .optional("minVolume", between(0.0, 1e9))
                .unwrap_or(usual.least_volume),
            lateness: fields
                .optional("lateness", fields::window)
                .unwrap_or(Window::seconds(60)),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(asked.faults(now))?;
        Ok(asked)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.range.faults(self.as_of, now);
        let span = self.range.span();
        if faults.is_empty()
            && span.to.micros().saturating_sub(span.from.micros()) / self.step.max(1) > MOST
        {
            faults.push(FieldError {
                field: "step".to_owned(),
                code: "too_many_buckets",
                message: format!("makes more than {MOST} buckets of the range"),
            });
        }
        faults
    }

    /// What a detector is told.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            alarms_a_week: self.alarms_a_week,
            least_change: self.least_change,
            least_volume: self.least_volume,
            ..Settings::new(self.metric.measure(), self.step)
        }
    }

    /// The buckets of a range and of what is usual before it, from the first event on: the start of the first, and how many. Buckets
    /// are whole since 1970.
    pub(crate) fn buckets(&self, span: Span, first: Option<i64>) -> Result<(Instant, usize)> {
        let whole = |at: i64| at.div_euclid(self.step) * self.step;
        let learn = weeks::first(span.from, self.step);
        let from = whole(
            first
                .map_or(learn, |first| first.max(learn))
                .min(span.from.micros()),
        );
        let count = (span.to.micros() - from + self.step - 1) / self.step;
        let count = usize::try_from(count).map_err(Error::internal)?;
        Ok((Instant::saturating_from_micros(from), count))
    }
}
