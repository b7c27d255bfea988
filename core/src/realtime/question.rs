//! The question of the real-time figures, and what can be wrong with it.

use serde::Serialize;
use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::Instant;
use crate::query::fields::{self, Fields};

/// One of the six real-time figures, all over the window `(asOf − w, asOf]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Distinct users with an event.
    ActiveUsers,
    /// Events that the catalogue calls page views.
    PageViews,
    /// All events a second, those without a user among them.
    EventsPerSecond,
    /// Distinct users with an event that the catalogue calls a conversion, of the active users.
    ConversionRate,
    /// Events that the catalogue calls errors, of all events.
    ErrorRate,
    /// The events' amounts in the base currency, a minute.
    RevenuePerMinute,
}

impl Metric {
    /// All six, in the order in which they are answered by default.
    pub const ALL: [Self; 6] = [
        Self::ActiveUsers,
        Self::PageViews,
        Self::EventsPerSecond,
        Self::ConversionRate,
        Self::ErrorRate,
        Self::RevenuePerMinute,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ActiveUsers => "active_users",
            Self::PageViews => "page_views",
            Self::EventsPerSecond => "events_per_second",
            Self::ConversionRate => "conversion_rate",
            Self::ErrorRate => "error_rate",
            Self::RevenuePerMinute => "revenue_per_minute",
        }
    }

    /// What its values count.
    pub fn unit(self) -> &'static str {
        match self {
            Self::ActiveUsers => "users",
            Self::PageViews => "events",
            Self::EventsPerSecond => "events/s",
            Self::ConversionRate | Self::ErrorRate => "share",
            Self::RevenuePerMinute => "money/min",
        }
    }
}

/// How long the window is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeRange {
    /// 5 minutes, as a series of 10 × 30 seconds.
    #[serde(rename = "last_5_minutes")]
    Last5Minutes,
    /// 15 minutes, as a series of 15 × 1 minute.
    #[default]
    #[serde(rename = "last_15_minutes")]
    Last15Minutes,
    /// An hour, as a series of 12 × 5 minutes.
    LastHour,
}

impl TimeRange {
    /// Its length in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Last5Minutes => 300,
            Self::Last15Minutes => 900,
            Self::LastHour => 3_600,
        }
    }

    /// The length of each part of its series, in seconds.
    pub fn step(self) -> u32 {
        match self {
            Self::Last5Minutes => 30,
            Self::Last15Minutes => 60,
            Self::LastHour => 300,
        }
    }
}

/// What is happening right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realtime {
    /// The figures asked for, each answered once and in this order; all six by default.
    pub metrics: Vec<Metric>,
    /// How long the window is; the last 15 minutes by default.
    pub time_range: TimeRange,
    /// How often whoever asks means to ask again, in seconds: 5 to 300, 30 by default. It is handed back, no more.
    pub refresh_interval: u32,
    /// The end of the window, itself inside it; now by default (G2).
    pub as_of: Option<Instant>,
}

impl Default for Realtime {
    fn default() -> Self {
        Self {
            metrics: Metric::ALL.to_vec(),
            time_range: TimeRange::default(),
            refresh_interval: 30,
            as_of: None,
        }
    }
}

impl Realtime {
    /// Reads a question in its JSON form: `metrics`, `timeRange`, `refreshInterval`, `asOf`, all optional.
    /// A metric named twice is answered once, in the place of the first.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let metric = |v: &Value| fields::one_of(v, &Metric::ALL.map(|m| (m.name(), m)));
        let ranges = [
            ("last_5_minutes", TimeRange::Last5Minutes),
            ("last_15_minutes", TimeRange::Last15Minutes),
            ("last_hour", TimeRange::LastHour),
        ];
        let mut fields = Fields::of(question)?;
        let default = Self::default();
        let asked = Self {
            metrics: fields
                .optional("metrics", |v| fields::list(v, metric))
                .unwrap_or(default.metrics),
            time_range: fields
                .optional("timeRange", |v| fields::one_of(v, &ranges))
                .unwrap_or_default(),
            refresh_interval: fields
                .optional("refreshInterval", |v| fields::integer(v, 5, 300))
                .map_or(default.refresh_interval, |seconds| seconds as u32),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(asked.faults(now))?;
        Ok(asked)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, code, message: &str| {
            faults.push(FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        };
        if self.metrics.is_empty() {
            fault("metrics", "empty", "must name at least one metric");
        }
        if !(5..=300).contains(&self.refresh_interval) {
            fault(
                "refreshInterval",
                "out_of_range",
                "must be between 5 and 300",
            );
        }
        if self.as_of.is_some_and(|at| at > now) {
            fault("asOf", "in_future", "must not be in the future");
        }
        faults
    }

    /// Each asked metric once, in the order of its first mention.
    pub(super) fn distinct(&self) -> Vec<Metric> {
        let mut distinct = Vec::with_capacity(self.metrics.len().min(Metric::ALL.len()));
        for metric in &self.metrics {
            if !distinct.contains(metric) {
                distinct.push(*metric);
            }
        }
        distinct
    }
}
