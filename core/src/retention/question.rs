//! The question of a retention table, and what can be wrong with it.

use serde_json::Value;

use super::options::{
    Breakdown, ClockStart, CohortPeriod, Criterion, Maturity, Metric, Mode, Pooling, Unit,
};
use super::parse;
use crate::error::{FieldError, Result};
use crate::query::{
    Condition, Filter, Instant, Preset, Property, Range, Sample, Segment, WeekStart,
};
use crate::timeline::Needs;

/// A retention table: users by the period in which they started, and the share that came back in each later period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The calendar period of cohorts, and of columns where `unit` is the calendar (R4).
    pub period: CohortPeriod,
    /// How columns count time (R3–R5).
    pub unit: Unit,
    /// From when on they count it, where that is from each start.
    pub clock_start: ClockStart,
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
    /// The return events that a period needs to count one; those of a period with fewer count for nothing.
    pub minimum_occurrences: usize,
    /// Whom a period counts before it has elapsed (R7).
    pub maturity: Maturity,
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
    /// Only users of this sample, with what its counts say of all (S2).
    pub sample: Option<Sample>,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// How many periods after the first to show; all that have begun by default.
    pub periods: Option<usize>,
    /// The name of the rules that the switches were set by.
    pub preset: Preset,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
    /// The events that are uses of a feature, for `feature_usage`; the handle takes them from the catalogue.
    pub features: Vec<String>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            period: CohortPeriod::default(),
            unit: Unit::default(),
            clock_start: ClockStart::default(),
            range: Range::default(),
            start: Condition::default(),
            returning: Condition::default(),
            filters: Vec::new(),
            mode: Mode::default(),
            criterion: Criterion::default(),
            minimum_occurrences: 1,
            maturity: Maturity::default(),
            metric: Metric::default(),
            hold_constant: None,
            breakdown: None,
            pooling: Pooling::default(),
            segment: Segment::default(),
            sample: None,
            week_start: WeekStart::default(),
            periods: None,
            preset: Preset::default(),
            as_of: None,
            features: Vec::new(),
        }
    }
}

impl Retention {
    /// The table of a period over a range, any event starting and any event returning.
    pub fn new(period: impl Into<CohortPeriod>, range: Range) -> Self {
        Self {
            period: period.into(),
            range,
            ..Self::default()
        }
    }

    /// Reads a question in its JSON form: `cohortPeriod`, `startDate`, `endDate`, `analysisMetric`, `property`, `timezone`,
    /// `segment`, `start`, `return`, `filters`, `mode`, `unit`, `clockStart`, `criterion`, `brackets`, `minimumOccurrences`, `maturity`,
    /// `holdConstant`, `breakdown`, `pooling`, `weekStart`, `periods`, `sample`, `preset`, `asOf`. Switches that are absent are those of
    /// the preset.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        parse::retention(question, now)
    }

    /// Sets the switches of a preset (G4).
    ///
    /// PostHog: recurring; weeks begin on Sunday; a return needs the value of the start by which tables are broken down, where
    /// that is one of events. Mixpanel: returns on a period or after it. Amplitude: recurring. Both count periods from each
    /// start, days of 24 hours, weeks of 7 and months of 30 such days; Amplitude's days from the full hour, its weeks and months
    /// from the local day of the start. ClickHouse's `retention`: recurring. All of them count users in periods that have not
    /// elapsed.
    #[must_use]
    pub fn under(mut self, preset: Preset) -> Self {
        self.preset = preset;
        if preset == Preset::Exact {
            return self;
        }
        self.maturity = Maturity::Ignored;
        if preset != Preset::Mixpanel {
            self.mode = Mode::Recurring;
        }
        match preset {
            Preset::Posthog => {
                self.week_start = WeekStart(jiff::civil::Weekday::Sunday);
                let of_events = |p: &Property| matches!(p, Property::Event(_));
                let property = self.breakdown.as_ref().map(|b| b.property.clone());
                self.hold_constant = property.filter(of_events);
            }
            Preset::Mixpanel | Preset::Amplitude => {
                self.unit = match self.period {
                    CohortPeriod::Hourly => Unit::Calendar,
                    CohortPeriod::Daily => Unit::Hours24,
                    CohortPeriod::Weekly => Unit::Days7,
                    CohortPeriod::Monthly => Unit::Days30,
                };
            }
            Preset::Exact | Preset::Clickhouse => {}
        }
        match (preset, self.period) {
            (Preset::Mixpanel, _) => self.criterion = Criterion::OnOrAfter,
            (Preset::Amplitude, CohortPeriod::Hourly) => {}
            (Preset::Amplitude, CohortPeriod::Daily) => self.clock_start = ClockStart::Hour,
            (Preset::Amplitude, _) => self.clock_start = ClockStart::Day,
            _ => {}
        }
        self
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
        if self.minimum_occurrences == 0 {
            wrong("minimumOccurrences", "out_of_range", "must be at least 1");
        }
        if let Some(message) = self.criterion.fault() {
            wrong("brackets", "invalid_brackets", message);
        }
        if self.unit == Unit::MonthAnniversary && self.period != CohortPeriod::Monthly {
            wrong(
                "unit",
                "contradiction",
                "month_anniversary needs the cohortPeriod monthly",
            );
        }
        let by_length = matches!(self.unit, Unit::Hours24 | Unit::Days7 | Unit::Days30);
        if self.clock_start != ClockStart::Event && !by_length {
            wrong(
                "clockStart",
                "contradiction",
                "needs the unit 24h, 7d or 30d",
            );
        }
        if self.sample.is_some() && self.metric != Metric::RetentionRate {
            wrong(
                "sample",
                "contradiction",
                "needs the analysisMetric retention_rate",
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
            sample: self.sample.as_ref(),
        }
    }
}
