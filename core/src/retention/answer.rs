//! The answer of a retention table: the specification's Cohort Analysis Result, with our own fields beside its own.

use serde::Serialize;

use super::kernel::{self, Table};
use super::question::{Mode, Retention};
use crate::access::Scoped;
use crate::error::Result;
use crate::query::{Instant, Period, Rate, Segment, Selector, WeekStart, Zone, answer};
use crate::timeline::View;

/// Cohorts and the share of each that came back, period by period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionAnswer {
    /// The first 24 hex digits of the SHA-256 of the rest.
    #[serde(rename = "_id", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The period of cohorts and columns.
    pub cohort_period: Period,
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
    pub start: Selector,
    /// The event that brings a user back; null is any.
    #[serde(rename = "return")]
    pub returning: Selector,
    /// Whether stored history begins only at or after the range, so that "first time" may be wrong (R1).
    pub left_censored: bool,
    /// Events without a user, which no cohort counts (I4).
    pub unattributed_events: u64,
    /// The rules the numbers follow.
    pub preset: &'static str,
    /// How cells count: a return within exactly that period (R6).
    pub criterion: &'static str,
    /// The version of the time zone database.
    pub tzdb: &'static str,
}

/// The users who started in one period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cohort {
    /// The first instant of the period.
    pub period: Instant,
    /// How many users.
    pub size: u64,
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
    /// Periods since the start.
    pub period: usize,
    /// `count / eligible`, or nothing where nobody is eligible; 1 for period 0 of a cohort with users (R2).
    pub value: Option<f64>,
    /// Users who returned, of those eligible; the cohort's size for period 0.
    pub count: u64,
    /// Users for whom the period has fully elapsed (R7); the cohort's size for period 0.
    pub eligible: u64,
    /// Whether the period has fully elapsed at `asOf`.
    pub complete: bool,
    /// Users who have returned so far in a period that is not complete.
    pub partial_count: u64,
    /// The lower end of the Wilson 95 % interval of `value`.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

/// The pooled figure of one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeriodAverage {
    /// Periods since the start.
    pub period: usize,
    /// Σ count ÷ Σ eligible over the complete cells of cohorts with users.
    #[serde(flatten)]
    pub rate: Rate,
}

/// Answers a valid retention table over timelines.
///
/// # Errors
/// `too_many_periods` or `too_many_cells` where the table would not fit memory or eyes.
pub fn answer(question: &Scoped<&Retention>, view: &View<'_>) -> Result<RetentionAnswer> {
    let question = *question.inner();
    let span = question.range.span();
    let table = kernel::run(question, view)?;
    let cohorts: Vec<Cohort> = (0..table.cohorts)
        .map(|c| cohort(c, &table, question, view))
        .collect();
    let columns = cohorts.iter().map(|c| c.retention.len()).max().unwrap_or(0);
    let average = (0..columns)
        .map(|n| {
            let complete = cohorts
                .iter()
                .filter_map(|c| c.retention.get(n))
                .filter(|cell| cell.complete);
            let (k, of) =
                complete.fold((0, 0), |(k, of), cell| (k + cell.count, of + cell.eligible));
            PeriodAverage {
                period: n,
                rate: Rate::of(k, of),
            }
        })
        .collect();
    let mut answer = RetentionAnswer {
        id: String::new(),
        cohort_period: question.period,
        analysis_metric: "retention_rate",
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
        preset: "exact",
        criterion: "on",
        tzdb: Zone::database_version(),
    };
    answer.id = answer::id(&answer)?;
    Ok(answer)
}

fn cohort(c: usize, table: &Table, question: &Retention, view: &View<'_>) -> Cohort {
    let buckets = table.calendar.buckets();
    let span = question.range.span();
    let size = table.size(c);
    let begun = |n: &usize| buckets.get(c + n).is_some_and(|b| b.start <= view.as_of);
    let cell = |n: usize| {
        let complete = buckets.get(c + n).is_some_and(|b| b.end <= view.as_of);
        let returned = table.returned(c, n);
        if n == 0 {
            let rate = Rate::of(size, size);
            return Cell {
                period: 0,
                value: rate.value,
                count: size,
                eligible: size,
                complete,
                partial_count: 0,
                low: rate.value,
                high: rate.value,
            };
        }
        let rate = if complete {
            Rate::of(returned, size)
        } else {
            Rate::of(0, 0)
        };
        Cell {
            period: n,
            value: rate.value,
            count: rate.k,
            eligible: rate.n,
            complete,
            partial_count: if complete { 0 } else { returned },
            low: rate.low,
            high: rate.high,
        }
    };
    Cohort {
        period: buckets.get(c).map_or(span.from, |b| b.start),
        size,
        partial: buckets
            .get(c)
            .is_some_and(|b| b.start < span.from || b.end > span.to),
        returned_in_start_period: table.returned(c, 0),
        retention: (0..table.columns).take_while(begun).map(cell).collect(),
    }
}
