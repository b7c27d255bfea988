//! The answer of a retention table: the specification's Cohort Analysis Result, with our own fields beside its own.

use serde::Serialize;

use serde_json::Value;

use super::clock::Clock;
use super::columns::Columns;
use super::kernel::{self, Frame, Tally};
use super::measure;
use super::options::{ClockStart, CohortPeriod, Criterion, Maturity, Metric, Mode, Pooling, Unit};
use super::people::shows_size;
use super::question::Retention;
use crate::access::Scoped;
use crate::error::Result;
use crate::query::{
    Condition, Estimate, Filter, Instant, Preset, Property, Rate, Sample, Segment, WeekStart, Zone,
    answer, answer::Stamp,
};
use crate::timeline::{Stop, View};

/// Cohorts and the share of each that came back, period by period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The period of cohorts and columns.
    pub cohort_period: CohortPeriod,
    /// The figure in the cells.
    pub analysis_metric: &'static str,
    /// One row a period of the range.
    pub cohorts: Vec<Cohort>,
    /// The pooled rate of each column over complete cells (R9).
    pub average: Vec<PeriodAverage>,
    /// The users counted.
    pub segment: Segment,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// As `asOf`: an answer is computed, not stored.
    pub created_at: Instant,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
    /// The zone of the calendar.
    pub timezone: Zone,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// When a user joins a cohort.
    pub mode: Mode,
    /// The event that starts a user; null is any.
    pub start: Condition,
    /// The event that brings a user back; null is any.
    #[serde(rename = "return")]
    pub returning: Condition,
    /// Whether stored history begins only at or after the range, so that "first time" may be wrong (R1).
    pub left_censored: bool,
    /// Events without a user, which no cohort counts (I4).
    pub unattributed_events: u64,
    /// The rules the numbers follow.
    pub preset: Preset,
    /// How each switch stands, whether the preset set it or the question.
    pub switches: Switches,
    /// Which returns a column counts (R6).
    pub criterion: Criterion,
    /// How columns count time; absent for the calendar (R3–R5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What every event seen met; absent for nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// The property that the figure is of, where it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<Property>,
    /// The property in which returns equal their start; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_constant: Option<Property>,
    /// Which cohorts the averages pool; absent for all (R9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// The same table by the value of the start, where it was asked for (R10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<Groups>,
    /// Which users were looked at, where not all were (S2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// How each switch of a retention table stands (G4).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// When a user joins a cohort (R1).
    pub mode: Mode,
    /// How columns count time (R3–R5).
    pub unit: Unit,
    /// From when on it is counted (R3).
    pub clock_start: ClockStart,
    /// Which returns a column counts (R6).
    pub criterion: Criterion,
    /// The return events that a period needs to count one.
    pub minimum_occurrences: usize,
    /// Whom a period counts before it has elapsed (R7).
    pub maturity: Maturity,
    /// The property in which returns equal their start (R10).
    pub hold_constant: Option<Property>,
    /// Which cohorts the averages pool (R9).
    pub pooling: Pooling,
    /// The first day of weeks (T3).
    pub week_start: WeekStart,
}

impl Switches {
    fn of(question: &Retention) -> Self {
        Self {
            mode: question.mode,
            unit: question.unit,
            clock_start: question.clock_start,
            criterion: question.criterion.clone(),
            minimum_occurrences: question.minimum_occurrences,
            maturity: question.maturity,
            hold_constant: question.hold_constant.clone(),
            pooling: question.pooling,
            week_start: question.week_start,
        }
    }
}

/// The groups of a breakdown by the value of the start (R10): of every cell, the groups' counts sum up to the table's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Groups {
    /// The property.
    pub property: Property,
    /// How many values `Other` pools.
    pub pooled: usize,
    /// Those with most users first, and `Other` last where there is one.
    pub groups: Vec<Group>,
}

/// The users whose start had one value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The value; null where the start has none, and for `Other`.
    pub value: Value,
    /// How to show it: text as it is, `(not set)`, `(empty)`, `Other`.
    pub label: String,
    /// Users, once for each cohort.
    pub size: u64,
    /// Its rows.
    pub cohorts: Vec<Cohort>,
    /// Its averages.
    pub average: Vec<PeriodAverage>,
}

/// The users who started in one period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cohort {
    /// The first instant of the period.
    pub period: Instant,
    /// How many users.
    pub size: u64,
    /// What `size` says of all users, where they are sampled (S2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Whether the range cuts the period (T3).
    pub partial: bool,
    /// Users with a return event in the period of their start that is not the start itself (R2).
    pub returned_in_start_period: u64,
    /// One cell a period that has begun by `asOf`.
    pub retention: Vec<Cell>,
}

/// One cell of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// Periods since the start; of a bracket its first.
    pub period: usize,
    /// The first period after the bracket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<usize>,
    /// `count / eligible`, or nothing where nobody is eligible; 1 for period 0 of a cohort with users (R2). Of another metric,
    /// what the returns amount to for each eligible user.
    pub value: Option<f64>,
    /// Users who returned, of those eligible; the cohort's size for a rate in period 0.
    pub count: u64,
    /// What `count` says of all users, where they are sampled (S2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Users for whom the period has fully elapsed (R7); the cohort's size for a rate in period 0.
    pub eligible: u64,
    /// Whether the period has fully elapsed at `asOf` for everyone who could have started in the cohort's period.
    pub complete: bool,
    /// Users who have returned so far in a period that has not elapsed for them.
    pub partial_count: u64,
    /// The lower end of the Wilson 95 % interval of `value`.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// What the returns of the eligible amount to, as exact decimal text; absent for a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// The same for each user who returned; absent for a rate and where nobody returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_returning: Option<f64>,
    /// `total` in 10^-12.
    #[serde(skip)]
    amount: Option<i128>,
}

/// The pooled figure of one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeriodAverage {
    /// Periods since the start; of a bracket its first.
    pub period: usize,
    /// Σ count ÷ Σ eligible over the complete cells of cohorts with users; of another metric Σ total ÷ Σ eligible, without an
    /// interval.
    #[serde(flatten)]
    pub rate: Rate,
    /// Σ total, as exact decimal text; absent for a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// Σ total ÷ Σ count; absent for a rate and where nobody returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_returning: Option<f64>,
}

/// Answers a valid retention table over timelines.
///
/// # Errors
/// `too_many_periods` or `too_many_cells` where the table would not fit memory or eyes; `missing_rate` for revenue in a
/// currency without a rate; `amount_too_large`.
pub fn answer(question: &Scoped<&Retention>, view: &View<'_>) -> Result<RetentionAnswer> {
    let question = *question.inner();
    let span = question.range.span();
    let frame = Frame::new(question, view)?;
    let table = kernel::run(question, &frame, view)?;
    let layout = Layout {
        question,
        frame: &frame,
        clock: frame.clock(question, view),
        columns: frame.columns(question),
    };
    let (cohorts, average) = layout.table(&table.all, view.stop)?;
    let breakdown = match &question.breakdown {
        None => None,
        Some(asked) => {
            let reader = view.columns.reader(&asked.property, view.as_of.micros())?;
            let mut groups = Vec::new();
            for (i, tally) in table.groups.iter().enumerate() {
                let (value, label) = match table.shown.get(i) {
                    Some(code) => said(code.map(|code| reader.dictionary().value(code))),
                    None => (Value::Null, "Other".to_owned()),
                };
                let (cohorts, average) = layout.table(tally, view.stop)?;
                groups.push(Group {
                    value,
                    label,
                    size: cohorts.iter().map(|c| c.size).sum(),
                    cohorts,
                    average,
                });
            }
            Some(Groups {
                property: asked.property.clone(),
                pooled: table.pooled,
                groups,
            })
        }
    };
    let mut answer = RetentionAnswer {
        stamp: Stamp::default(),
        cohort_period: question.period,
        analysis_metric: question.metric.name(),
        cohorts,
        average,
        segment: question.segment,
        start_date: span.from,
        end_date: span.to,
        created_at: view.as_of,
        as_of: view.as_of,
        timezone: question.range.zone.clone(),
        week_start: question.week_start,
        mode: question.mode,
        start: question.start.clone(),
        returning: question.returning.clone(),
        left_censored: view
            .timelines
            .first()
            .is_some_and(|first| first >= span.from.micros() && first <= view.as_of.micros()),
        unattributed_events: view.timelines.unattributed(view.as_of),
        preset: question.preset,
        switches: Switches::of(question),
        criterion: question.criterion.clone(),
        unit: Some(question.unit).filter(|u| *u != Unit::Calendar),
        filters: question.filters.clone(),
        property: question.metric.property().cloned(),
        hold_constant: question.hold_constant.clone(),
        pooling: Some(question.pooling).filter(|p| *p != Pooling::All),
        breakdown,
        sample: question.sample.clone(),
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

/// A value as JSON, and how to show it.
fn said(json: Option<&str>) -> (Value, String) {
    let value = json.and_then(|json| serde_json::from_str(json).ok());
    let label = match &value {
        None => "(not set)".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "(empty)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        // Numbers keep all their digits.
        Some(_) => json.unwrap_or_default().to_owned(),
    };
    (value.unwrap_or_default(), label)
}

/// What turns counts into rows.
struct Layout<'a> {
    question: &'a Retention,
    frame: &'a Frame,
    clock: Clock<'a>,
    columns: Columns<'a>,
}

impl Layout<'_> {
    fn table(&self, tally: &Tally, stop: Stop<'_>) -> Result<(Vec<Cohort>, Vec<PeriodAverage>)> {
        let cohorts = (0..self.frame.cohorts).map(|c| {
            stop.check()?;
            Ok(self.cohort(c, tally))
        });
        let cohorts: Vec<Cohort> = cohorts.collect::<Result<_>>()?;
        let columns = cohorts.iter().map(|c| c.retention.len()).max().unwrap_or(0);
        let complete = |c: &Cohort| c.retention.iter().take_while(|cell| cell.complete).count();
        let needed = match self.question.pooling {
            Pooling::All => 0,
            // An empty cohort has nothing in common with any (R9).
            Pooling::CommonCohorts => {
                let filled = cohorts.iter().filter(|c| c.size > 0);
                filled.map(complete).max().unwrap_or(0)
            }
        };
        let pooled: Vec<&Cohort> = cohorts.iter().filter(|c| complete(c) >= needed).collect();
        let average = (0..columns).map(|n| {
            stop.check()?;
            self.average(n, &pooled)
        });
        let average = average.collect::<Result<_>>()?;
        Ok((cohorts, average))
    }

    fn average(&self, n: usize, cohorts: &[&Cohort]) -> Result<PeriodAverage> {
        let cells = cohorts
            .iter()
            .filter_map(|c| c.retention.get(n))
            .filter(|cell| cell.complete);
        let (mut k, mut of, mut sum) = (0, 0, None);
        for cell in cells {
            k += cell.count;
            of += cell.eligible;
            if let Some(amount) = cell.amount {
                let so_far: i128 = sum.unwrap_or_default();
                sum = Some(so_far.checked_add(amount).ok_or_else(measure::too_large)?);
            }
        }
        let mut rate = Rate::of(k, of);
        if self.question.metric != Metric::RetentionRate {
            let figure = sum.unwrap_or_default();
            sum = Some(figure);
            rate = Rate {
                value: measure::each(figure, of),
                low: None,
                high: None,
                ..rate
            };
        }
        Ok(PeriodAverage {
            period: self.columns.periods(n).start,
            rate,
            total: sum.map(measure::text),
            per_returning: sum.and_then(|sum| measure::each(sum, k)),
        })
    }

    fn estimate(&self, count: u64) -> Option<Estimate> {
        let sample = self.question.sample.as_ref();
        sample.map(|sample| sample.estimate(count))
    }

    fn cohort(&self, c: usize, tally: &Tally) -> Cohort {
        let bucket = self.frame.calendar.buckets().get(c);
        let span = self.question.range.span();
        let complete = self.columns.within(self.clock.complete(c));
        let begun = self.columns.begun(self.clock.begun(c));
        let eligible = tally.eligible(c);
        Cohort {
            period: bucket.map_or(span.from, |b| b.start),
            size: tally.size(c),
            estimate: self.estimate(tally.size(c)),
            partial: bucket.is_some_and(|b| b.start < span.from || b.end > span.to),
            returned_in_start_period: tally.within(c),
            retention: (0..begun)
                .zip(eligible)
                .map(|(n, eligible)| self.cell((c, n), n < complete, eligible, tally))
                .collect(),
        }
    }

    fn cell(&self, (c, n): (usize, usize), complete: bool, eligible: u64, tally: &Tally) -> Cell {
        let periods = self.columns.periods(n);
        let mut cell = Cell {
            period: periods.start,
            until: matches!(self.question.criterion, Criterion::Brackets(_)).then_some(periods.end),
            value: None,
            count: 0,
            estimate: None,
            eligible: 0,
            complete,
            partial_count: 0,
            low: None,
            high: None,
            total: None,
            per_returning: None,
            amount: None,
        };
        if n == 0 && shows_size(self.question) {
            let size = tally.size(c);
            let whole = Rate::of(size, size).value;
            return Cell {
                value: whole,
                count: size,
                estimate: self.estimate(size),
                eligible: size,
                low: whole,
                high: whole,
                ..cell
            };
        }
        let [count, late] = tally.returned(c, n);
        cell.count = count;
        cell.estimate = self.estimate(count);
        cell.eligible = eligible;
        cell.partial_count = late;
        match tally.total(c, n) {
            Some(amount) => {
                cell.value = measure::each(amount, cell.eligible);
                cell.per_returning = measure::each(amount, count);
                cell.total = Some(measure::text(amount));
                cell.amount = Some(amount);
            }
            None => {
                let rate = Rate::of(count, cell.eligible);
                (cell.value, cell.low, cell.high) = (rate.value, rate.low, rate.high);
            }
        }
        cell
    }
}
