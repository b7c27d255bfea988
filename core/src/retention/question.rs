//! The question of a retention table, and what can be wrong with it.

use serde_json::Value;

use super::options::{
    Breakdown, CRITERIA, Criterion, Figure, METRICS, MODES, Metric, Mode, POOLINGS, Pooling, UNITS,
    Unit, brackets, breakdown,
};
use crate::error::{FieldError, Result};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields};
use crate::query::filter::{filters, property};
use crate::query::{Condition, Filter, Instant, Period, Property, Range, Segment, WeekStart};
use crate::timeline::Needs;

/// A retention table: users by the period in which they started, and the share that came back in each later period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The calendar period of cohorts, and of columns where `unit` is the calendar (R4).
    pub period: Period,
    /// How columns count time (R3–R5).
    pub unit: Unit,
    /// Selects the starts.
    pub range: Range,
    /// The event that starts a user; any by default.
    pub start: Condition,
    /// The event that brings a user back; any by default.
    pub returning: Condition,
    /// Only events that meet all of these are seen; segments are judged by all events.
    pub filters: Vec<Filter>,
    /// When a user joins a cohort.
    pub mode: Mode,
    /// Which returns a column counts (R6).
    pub criterion: Criterion,
    /// The figure in the cells (R11).
    pub metric: Metric,
    /// A return counts only if it has the value of this property that the start has; no value equals none.
    pub hold_constant: Option<Property>,
    /// The same table for each value of the start (R10).
    pub breakdown: Option<Breakdown>,
    /// Which cohorts the averages pool (R9).
    pub pooling: Pooling,
    /// Only users of this segment.
    pub segment: Segment,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// How many periods after the first to show; all that have begun by default.
    pub periods: Option<usize>,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
    /// The events that are uses of a feature, for `feature_usage`; the handle takes them from the catalogue.
    pub features: Vec<String>,
}

impl Retention {
    /// The table of a period over a range, any event starting and any event returning.
    pub fn new(period: Period, range: Range) -> Self {
        Self {
            period,
            range,
            ..Self::default()
        }
    }

    /// Reads a question in its JSON form: `cohortPeriod`, `startDate`, `endDate`, `analysisMetric`, `property`, `timezone`,
    /// `segment`, `start`, `return`, `filters`, `mode`, `unit`, `criterion`, `brackets`, `holdConstant`, `breakdown`,
    /// `pooling`, `weekStart`, `periods`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let figure = fields.required("analysisMetric", |v| fields::one_of(v, &METRICS));
        let measured = fields.optional("property", property);
        let asked = fields.optional("criterion", |v| fields::one_of(v, &CRITERIA));
        let cut = fields.optional("brackets", brackets);
        let mut more = Vec::new();
        let mut fault = |field: &str, code, message: &str| {
            more.push(FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        };
        let given = |name: &str| question.get(name).is_some_and(|v| !v.is_null());
        let of_property = matches!(figure, Figure::PropertySum | Figure::PropertyAverage);
        if of_property && !given("property") {
            fault(
                "property",
                "required",
                "is required for a figure of a property",
            );
        }
        if !of_property && given("property") {
            fault(
                "property",
                "contradiction",
                "is only for the metrics property_sum and property_average",
            );
        }
        let in_brackets = given("brackets");
        match &asked {
            Some(None) if !in_brackets => {
                fault(
                    "brackets",
                    "required",
                    "is required where criterion is brackets",
                );
            }
            Some(Some(_)) if in_brackets => {
                fault(
                    "brackets",
                    "contradiction",
                    "is only for the criterion brackets",
                );
            }
            _ => {}
        }
        if in_brackets && given("periods") {
            fault("periods", "contradiction", "has no meaning beside brackets");
        }
        let retention = Self {
            period: fields.required("cohortPeriod", fields::period),
            unit: fields
                .optional("unit", |v| fields::one_of(v, &UNITS))
                .unwrap_or_default(),
            range: fields.range(),
            start: fields.nullable("start", condition).unwrap_or_default(),
            returning: fields.nullable("return", condition).unwrap_or_default(),
            filters: fields.optional("filters", filters).unwrap_or_default(),
            mode: fields
                .optional("mode", |v| fields::one_of(v, &MODES))
                .unwrap_or_default(),
            criterion: match (cut, asked) {
                (Some(brackets), _) => Criterion::Brackets(brackets),
                (None, Some(Some(named))) => named.into(),
                _ => Criterion::On,
            },
            metric: figure.of(measured),
            hold_constant: fields.optional("holdConstant", property),
            breakdown: fields.optional("breakdown", breakdown),
            pooling: fields
                .optional("pooling", |v| fields::one_of(v, &POOLINGS))
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
            features: Vec::new(),
        };
        more.extend(retention.faults(now));
        fields.finish(more)?;
        Ok(retention)
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
        if let Some(message) = self.criterion.fault() {
            wrong("brackets", "invalid_brackets", message);
        }
        if self.unit == Unit::MonthAnniversary && self.period != Period::Monthly {
            wrong(
                "unit",
                "contradiction",
                "month_anniversary needs the cohortPeriod monthly",
            );
        }
        if self.breakdown.as_ref().is_some_and(|b| b.limit == 0) {
            wrong("breakdown", "out_of_range", "must show at least one group");
        }
        faults
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let mut properties: Vec<&Property> = self
            .start
            .properties()
            .chain(self.returning.properties())
            .chain(self.filters.iter().map(|f| &f.property))
            .chain(&self.hold_constant)
            .chain(self.breakdown.iter().map(|b| &b.property))
            .collect();
        if let Metric::PropertySum(of) | Metric::PropertyAverage(of) = &self.metric {
            properties.push(of);
        }
        Needs {
            properties,
            amounts: self.metric == Metric::Revenue,
        }
    }
}
