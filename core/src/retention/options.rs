//! The options of a retention table.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::query::calendar::MAX_BUCKETS;
use crate::query::fields::{self, Parsed, fault};
use crate::query::filter::property;
use crate::query::{Period, Property};

/// The calendar period of cohorts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CohortPeriod {
    /// A local hour; one that a clock shows twice is two (T2).
    Hourly,
    /// A local day.
    Daily,
    /// A week.
    #[default]
    Weekly,
    /// A calendar month.
    Monthly,
}

impl From<Period> for CohortPeriod {
    fn from(period: Period) -> Self {
        match period {
            Period::Daily => Self::Daily,
            Period::Weekly => Self::Weekly,
            Period::Monthly => Self::Monthly,
        }
    }
}

impl CohortPeriod {
    /// The period of dates; nothing for hours.
    pub(super) fn of_dates(self) -> Option<Period> {
        match self {
            Self::Hourly => None,
            Self::Daily => Some(Period::Daily),
            Self::Weekly => Some(Period::Weekly),
            Self::Monthly => Some(Period::Monthly),
        }
    }
}

/// When a user joins a cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Once, at the first event of all stored history that the start means, filters included (R1).
    #[default]
    FirstTime,
    /// Once, at the first event of the start's name of all stored history; not at all where that event fails the start's filters.
    FirstEverThenFilter,
    /// In every period of the range with a start event: anchored at the first in it where columns follow the calendar,
    /// at every one of them otherwise (R3).
    Recurring,
}

/// How columns count time from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// By the civil periods of the cohorts (R4).
    #[default]
    #[serde(rename = "calendar")]
    Calendar,
    /// By 24 hours from the very start (R3).
    #[serde(rename = "24h")]
    Hours24,
    /// By 7 times 24 hours from the very start.
    #[serde(rename = "7d")]
    Days7,
    /// By 30 times 24 hours from the very start (R5).
    #[serde(rename = "30d")]
    Days30,
    /// By local anniversaries of the start a month apart, each clamped on its own: Jan 31, Feb 29, Mar 31 (R5).
    #[serde(rename = "month_anniversary")]
    MonthAnniversary,
}

/// From when on a clock of a start's own counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockStart {
    /// From the very start (R3).
    #[default]
    Event,
    /// From the full local hour before it.
    Hour,
    /// From the first instant of its local day.
    Day,
}

/// Which returns a column counts (R6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Criterion {
    /// In period n.
    #[default]
    On,
    /// In period n or any later one up to `asOf`, also beyond the last column.
    OnOrAfter,
    /// In period n or any earlier one; the start period counts where the user really returned in it (R2).
    OnOrBefore,
    /// In every period from 1 to n.
    Streak,
    /// In any period of a half-open bracket; one column a bracket. No bracket is shown as the cohort's size.
    Brackets(Vec<(usize, usize)>),
}

/// The criteria that are a name alone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    On,
    OnOrAfter,
    OnOrBefore,
    Streak,
}

impl From<Named> for Criterion {
    fn from(named: Named) -> Self {
        match named {
            Named::On => Self::On,
            Named::OnOrAfter => Self::OnOrAfter,
            Named::OnOrBefore => Self::OnOrBefore,
            Named::Streak => Self::Streak,
        }
    }
}

impl Criterion {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::On => "on",
            Self::OnOrAfter => "on_or_after",
            Self::OnOrBefore => "on_or_before",
            Self::Streak => "streak",
            Self::Brackets(_) => "brackets",
        }
    }

    /// What is wrong with it.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let Self::Brackets(brackets) = self else {
            return None;
        };
        if brackets.is_empty() || brackets.len() > 1_000 {
            return Some("must be 1 to 1,000 brackets");
        }
        if brackets.iter().any(|(a, b)| a >= b) {
            return Some("must end after they begin");
        }
        let ascend = brackets.iter().zip(brackets.iter().skip(1));
        if ascend.into_iter().any(|(one, next)| one.1 > next.0) {
            return Some("must be sorted and must not overlap");
        }
        None
    }
}

/// The figure in the cells (R11), of the returns that the column counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// Users who returned ÷ eligible users.
    #[default]
    RetentionRate,
    /// Money in the base currency, for each eligible user.
    Revenue,
    /// Return events for each eligible user.
    Engagement,
    /// Distinct features used for each eligible user.
    FeatureUsage,
    /// The sum of a numeric property for each eligible user.
    PropertySum(Property),
    /// Each user's mean of a numeric property, to 12 digits, summed, for each eligible user.
    PropertyAverage(Property),
}

impl Metric {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RetentionRate => "retention_rate",
            Self::Revenue => "revenue",
            Self::Engagement => "engagement",
            Self::FeatureUsage => "feature_usage",
            Self::PropertySum(_) => "property_sum",
            Self::PropertyAverage(_) => "property_average",
        }
    }

    /// The property it looks at.
    pub(super) fn property(&self) -> Option<&Property> {
        match self {
            Self::PropertySum(of) | Self::PropertyAverage(of) => Some(of),
            _ => None,
        }
    }
}

/// A metric without its property.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Figure {
    #[default]
    RetentionRate,
    Revenue,
    Engagement,
    FeatureUsage,
    PropertySum,
    PropertyAverage,
}

impl Figure {
    pub(super) fn of(self, property: Option<Property>) -> Metric {
        match (self, property) {
            (Self::PropertySum, Some(of)) => Metric::PropertySum(of),
            (Self::PropertyAverage, Some(of)) => Metric::PropertyAverage(of),
            (Self::Revenue, _) => Metric::Revenue,
            (Self::Engagement, _) => Metric::Engagement,
            (Self::FeatureUsage, _) => Metric::FeatureUsage,
            _ => Metric::RetentionRate,
        }
    }
}

/// Which cohorts the averages pool (R9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// In each column those whose cell is complete, which may be fewer from column to column.
    #[default]
    All,
    /// In every column the same ones: those that are complete in every column that any cohort is complete in.
    CommonCohorts,
}

/// Which users a period counts before it has fully elapsed for them (R7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Maturity {
    /// None; those who have returned so far are told apart.
    #[default]
    Elapsed,
    /// All, as if it had; `complete` still says whether it has.
    Ignored,
}

/// The same table for each value that the start events have of a property (R10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The property.
    pub property: Property,
    /// The groups shown, those with most users first; the rest is one exact group.
    pub limit: usize,
}

const GROUPS: usize = 25;

impl Breakdown {
    /// The 25 largest groups.
    pub fn new(property: Property) -> Self {
        Self {
            property,
            limit: GROUPS,
        }
    }
}

impl Serialize for Criterion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

pub(super) const PERIODS: [(&str, CohortPeriod); 4] = [
    ("hourly", CohortPeriod::Hourly),
    ("daily", CohortPeriod::Daily),
    ("weekly", CohortPeriod::Weekly),
    ("monthly", CohortPeriod::Monthly),
];

pub(super) const MODES: [(&str, Mode); 3] = [
    ("first_time", Mode::FirstTime),
    ("first_ever_then_filter", Mode::FirstEverThenFilter),
    ("recurring", Mode::Recurring),
];

pub(super) const METRICS: [(&str, Figure); 6] = [
    ("retention_rate", Figure::RetentionRate),
    ("revenue", Figure::Revenue),
    ("engagement", Figure::Engagement),
    ("feature_usage", Figure::FeatureUsage),
    ("property_sum", Figure::PropertySum),
    ("property_average", Figure::PropertyAverage),
];

pub(super) const UNITS: [(&str, Unit); 5] = [
    ("calendar", Unit::Calendar),
    ("24h", Unit::Hours24),
    ("7d", Unit::Days7),
    ("30d", Unit::Days30),
    ("month_anniversary", Unit::MonthAnniversary),
];

pub(super) const CLOCK_STARTS: [(&str, ClockStart); 3] = [
    ("event", ClockStart::Event),
    ("hour", ClockStart::Hour),
    ("day", ClockStart::Day),
];

/// Brackets have limits of their own, hence no criterion here.
pub(super) const CRITERIA: [(&str, Option<Named>); 5] = [
    ("on", Some(Named::On)),
    ("on_or_after", Some(Named::OnOrAfter)),
    ("on_or_before", Some(Named::OnOrBefore)),
    ("streak", Some(Named::Streak)),
    ("brackets", None),
];

pub(super) const POOLINGS: [(&str, Pooling); 2] = [
    ("all", Pooling::All),
    ("common_cohorts", Pooling::CommonCohorts),
];

pub(super) const MATURITIES: [(&str, Maturity); 2] = [
    ("elapsed", Maturity::Elapsed),
    ("ignored", Maturity::Ignored),
];

/// A list of pairs `[first, end]`.
pub(super) fn brackets(value: &Value) -> Parsed<Vec<(usize, usize)>> {
    fields::list(value, |pair| {
        let Some([a, b]) = pair.as_array().map(Vec::as_slice) else {
            return fault("invalid_type", "must be a pair of whole numbers");
        };
        let limit = |v| fields::integer(v, 0, MAX_BUCKETS).map(|n| n as usize);
        Ok((limit(a)?, limit(b)?))
    })
}

/// A property, or `{"property": …, "limit": …}`.
pub(super) fn breakdown(value: &Value) -> Parsed<Breakdown> {
    let Some(map) = value.as_object().filter(|map| map.contains_key("property")) else {
        return property(value).map(Breakdown::new);
    };
    if let Some(unknown) = map.keys().find(|k| *k != "property" && *k != "limit") {
        return fault(
            "unknown_field",
            format!("has the unknown field `{unknown}`; known are property, limit"),
        );
    }
    Ok(Breakdown {
        property: property(map.get("property").unwrap_or(&Value::Null))?,
        limit: map
            .get("limit")
            .filter(|v| !v.is_null())
            .map_or(Ok(GROUPS), |v| {
                fields::integer(v, 1, 1_000).map(|n| n as usize)
            })?,
    })
}
