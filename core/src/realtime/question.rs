//! The question of the real-time figures, and what can be wrong with it.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields, Parsed};
use crate::query::{Instant, Window};

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

/// What is counted: one of the six figures, or the events of some names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// One of the six.
    Metric(Metric),
    /// Events of a name, or of a list of the catalogue.
    Events(Of),
    /// Distinct users with such an event.
    Users(Of),
}

/// Which events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// Those of a name.
    Name(String),
    /// Those of a list of the catalogue.
    List(List),
}

/// A list of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// `$page_views`.
    PageViews,
    /// `$conversions`.
    Conversions,
    /// `$errors`.
    Errors,
    /// `$features`.
    Features,
    /// `$revenue`: events that carry money.
    Revenue,
}

const LISTS: [(&str, List); 5] = [
    ("$page_views", List::PageViews),
    ("$conversions", List::Conversions),
    ("$errors", List::Errors),
    ("$features", List::Features),
    ("$revenue", List::Revenue),
];

impl From<Metric> for Measure {
    fn from(metric: Metric) -> Self {
        Self::Metric(metric)
    }
}

impl Of {
    fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::List(list) => {
                let found = LISTS.iter().find(|l| l.1 == *list);
                found.map_or("", |l| l.0)
            }
        }
    }
}

impl Measure {
    /// Its name: that of the metric, `events:search`, `users:$features`.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Metric(metric) => Cow::Borrowed(metric.name()),
            Self::Events(of) => Cow::Owned(format!("events:{}", of.name())),
            Self::Users(of) => Cow::Owned(format!("users:{}", of.name())),
        }
    }

    /// What its values count.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Metric(metric) => metric.unit(),
            Self::Events(_) => "events",
            Self::Users(_) => "users",
        }
    }

    /// The events it counts by themselves.
    pub(super) fn of(&self) -> Option<&Of> {
        match self {
            Self::Metric(_) => None,
            Self::Events(of) | Self::Users(of) => Some(of),
        }
    }

    fn parse(value: &Value) -> Parsed<Self> {
        let of = |name: &str| {
            if let Some(list) = LISTS.iter().find(|list| list.0 == name) {
                return Ok(Of::List(list.1));
            }
            if name.starts_with('$') {
                let lists = LISTS.map(|list| list.0).join(", ");
                return fields::fault("not_in_list", format!("`{name}` is not one of {lists}"));
            }
            if name.is_empty() || name.chars().count() > 200 {
                return fields::fault(
                    "invalid_length",
                    "must name an event in 1 to 200 characters",
                );
            }
            Ok(Of::Name(name.to_owned()))
        };
        match value.as_str().and_then(|text| text.split_once(':')) {
            Some(("events", name)) => of(name).map(Self::Events),
            Some(("users", name)) => of(name).map(Self::Users),
            _ => fields::one_of(value, &Metric::ALL.map(|m| (m.name(), m))).map(Self::Metric),
        }
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

/// How long the window is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeRange {
    /// 5 minutes, as a series of 10 × 30 seconds.
    Last5Minutes,
    /// 15 minutes, as a series of 15 × 1 minute.
    #[default]
    Last15Minutes,
    /// An hour, as a series of 12 × 5 minutes.
    LastHour,
    /// So many whole seconds, at most a day, as a series of at most 12 parts of whole seconds.
    Last(u32),
}

/// The longest window, in seconds.
const LONGEST: u32 = 86_400;

const RANGES: [(&str, TimeRange); 3] = [
    ("last_5_minutes", TimeRange::Last5Minutes),
    ("last_15_minutes", TimeRange::Last15Minutes),
    ("last_hour", TimeRange::LastHour),
];

impl Serialize for TimeRange {
    /// As a question names it.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if let Some(known) = RANGES.iter().find(|range| range.1 == *self) {
            return serializer.serialize_str(known.0);
        }
        let seconds = self.seconds();
        let text = match (seconds % 3_600, seconds % 60) {
            (0, _) => format!("{}h", seconds / 3_600),
            (_, 0) => format!("{}m", seconds / 60),
            _ => format!("{seconds}s"),
        };
        serializer.serialize_str(&text)
    }
}

impl TimeRange {
    /// Its length in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Last5Minutes => 300,
            Self::Last15Minutes => 900,
            Self::LastHour => 3_600,
            Self::Last(seconds) => seconds.max(1),
        }
    }

    /// The length of each part of its series, in seconds.
    pub fn step(self) -> u32 {
        match self {
            Self::Last5Minutes => 30,
            Self::Last15Minutes => 60,
            Self::LastHour => 300,
            Self::Last(seconds) => {
                let parts = (1..=12).rev().find(|parts| seconds.is_multiple_of(*parts));
                (seconds / parts.unwrap_or(1)).max(1)
            }
        }
    }

    fn parse(value: &Value) -> Parsed<Self> {
        let known = value.as_str().and_then(|text| {
            let known = RANGES.iter().find(|range| range.0 == text);
            known.map(|range| range.1)
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let window = value.as_str().and_then(Window::parse);
        let Some(window) = window else {
            return fields::one_of(value, &RANGES);
        };
        let seconds = window.micros() / 1_000_000;
        match u32::try_from(seconds) {
            Ok(seconds @ 1..=LONGEST) if window.micros() % 1_000_000 == 0 => {
                Ok(Self::Last(seconds))
            }
            _ => fields::fault("out_of_range", "must be whole seconds, from 1s to 24h"),
        }
    }
}

/// So many lists of events are counted by themselves at most.
const COUNTED: usize = 16;

/// What is happening right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realtime {
    /// The figures asked for, each answered once and in this order; all six by default.
    pub metrics: Vec<Measure>,
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
            metrics: Metric::ALL.map(Measure::from).to_vec(),
            time_range: TimeRange::default(),
            refresh_interval: 30,
            as_of: None,
        }
    }
}

impl Realtime {
    /// Reads a question in its JSON form: `metrics`, `timeRange`, `refreshInterval`, `asOf`, all optional.
    /// A metric is one of the six, or `events:NAME` or `users:NAME` for the events of a name or, as `$features`, of a list of the catalogue;
    /// a range one of the three or a length of time up to `24h`.
    /// A metric named twice is answered once, in the place of the first.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let default = Self::default();
        let asked = Self {
            metrics: fields
                .optional("metrics", |v| fields::list(v, Measure::parse))
                .unwrap_or(default.metrics),
            time_range: fields
                .optional("timeRange", TimeRange::parse)
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
        if let TimeRange::Last(seconds) = self.time_range
            && !(1..=LONGEST).contains(&seconds)
        {
            fault("timeRange", "out_of_range", "must be from 1s to 24h");
        }
        if self.lists().len() > COUNTED {
            fault(
                "metrics",
                "too_many",
                "may count at most 16 lists of events",
            );
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
    pub(super) fn distinct(&self) -> Vec<&Measure> {
        let mut distinct = Vec::new();
        for metric in &self.metrics {
            if !distinct.contains(&metric) {
                distinct.push(metric);
            }
        }
        distinct
    }

    /// The events that are counted by themselves, each once.
    pub(super) fn lists(&self) -> Vec<&Of> {
        let mut lists = Vec::new();
        for of in self.metrics.iter().filter_map(Measure::of) {
            if !lists.contains(&of) {
                lists.push(of);
            }
        }
        lists
    }
}
