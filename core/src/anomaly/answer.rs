//! What was not as usual, and the series it was found in.

use serde::Serialize;

use super::detector::Status;
use super::finding::{Finding, Interval};
use super::question::Anomalies;
use super::series::Metered;
use super::weeks::Weeks;
use crate::error::Result;
use crate::query::answer::{self, Stamp, Versions};
use crate::query::{Instant, Span, Zone};

/// What of a metric was not as usual.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnomalyAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What was looked at.
    pub metric: &'static str,
    /// The length of a bucket in seconds.
    pub step: i64,
    /// Whose weekdays and hours.
    pub timezone: Zone,
    /// The first instant asked for.
    pub start_date: Instant,
    /// The first instant after it.
    pub end_date: Instant,
    /// Nothing after this was seen.
    pub as_of: Instant,
    /// What was found within the range, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// The buckets of the range.
    pub series: Vec<Point>,
}

/// One bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// Its first instant.
    pub start: Instant,
    /// Its value; nothing where its denominator is 0.
    pub value: Option<f64>,
    /// What was expected; nothing where that is not known.
    pub expected: Option<f64>,
    /// The 95 % interval of what was expected; nothing where the series never varies.
    pub interval: Option<Interval>,
    /// How many robust standard deviations it is off; nothing where the series never varies (S4).
    pub score: Option<f64>,
    /// Why it was judged or not; nothing for a bucket that is not complete, has no value, or lies before the first event.
    pub status: Option<Status>,
    /// Whether it is part of a finding.
    pub unusual: bool,
}

/// Puts an answer together.
pub(crate) fn answer(
    asked: &Anomalies,
    (span, as_of): (Span, Instant),
    metered: &Metered,
    weeks: Weeks,
    versions: Versions,
) -> Result<AnomalyAnswer> {
    let start = |i: usize| {
        let after = asked.step.saturating_mul(i as i64);
        Instant::saturating_from_micros(metered.series.start.micros().saturating_add(after))
    };
    let shown = metered.series.values.iter().zip(&weeks.judged).enumerate();
    let series = shown
        .filter(|(i, _)| start(*i).micros() + asked.step > span.from.micros())
        .map(|(i, (value, judged))| {
            let judged = judged.as_ref();
            let per = |of: f64| metered.per(of);
            let of = value.map_or(1.0, |(_, of)| of);
            Point {
                start: start(i),
                value: value.map(|(v, of)| v * per(of)),
                expected: judged.and_then(|j| j.expected).map(|e| e * per(of)),
                interval: judged.and_then(|j| j.interval).map(|w| Interval {
                    low: w.low * per(of),
                    high: w.high * per(of),
                }),
                score: judged.and_then(|j| j.score),
                status: judged.map(|j| j.status),
                unusual: judged.is_some_and(|j| j.unusual),
            }
        })
        .collect();
    let findings = weeks
        .findings
        .into_iter()
        .filter(|f| f.found_at >= span.from)
        .map(|f| metered.scaled(f))
        .collect();
    let mut answer = AnomalyAnswer {
        stamp: Stamp::default(),
        metric: asked.metric.name(),
        step: asked.step / 1_000_000,
        timezone: asked.range.zone.clone(),
        start_date: span.from,
        end_date: span.to,
        as_of,
        findings,
        series,
    };
    answer.stamp = answer::stamp(&answer, versions)?;
    Ok(answer)
}
