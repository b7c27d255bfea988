//! A whole series at once: the same detector over every complete bucket of it.

use super::detector::{Detector, Judgement};
use super::finding::{Finding, Shape};
use super::settings::Settings;
use crate::query::{Instant, Zone};

/// A series of equal buckets in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The start of the first bucket.
    pub start: Instant,
    /// Whose weekdays and hours.
    pub zone: Zone,
    /// For each bucket its value, and for shares of how many, for amounts the sum of their squares; a bucket without an answer is
    /// none.
    pub values: Vec<Option<(f64, f64)>>,
}

/// What was found in a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// In the order in which they were found; one that lasted is as it was when it ended.
    pub findings: Vec<Finding>,
    /// What became of each bucket; nothing for those that are not complete, or have no answer.
    pub judged: Vec<Option<Judgement>>,
    /// Where it stands.
    pub detector: Detector,
}

/// Looks at every bucket that is complete at `as_of`: those that ended at least `lateness` microseconds before, so that late events
/// are in (S4).
pub fn scan(settings: Settings, series: &Series, as_of: Instant, lateness: i64) -> Scanned {
    go_on(Detector::new(settings), series, as_of, lateness)
}

/// `scan` from where a detector stands.
pub(super) fn go_on(detector: Detector, series: &Series, as_of: Instant, lateness: i64) -> Scanned {
    let step = detector.settings().step;
    let mut scanned = Scanned {
        findings: Vec::new(),
        judged: Vec::with_capacity(series.values.len()),
        detector,
    };
    let mut lasting: Option<usize> = None;
    let (mut offset, mut until) = (0, i64::MIN);
    for (i, value) in series.values.iter().enumerate() {
        let at = series
            .start
            .micros()
            .saturating_add(step.saturating_mul(i as i64));
        let complete = at.saturating_add(step).saturating_add(lateness) <= as_of.micros();
        let Some((value, of)) = value.filter(|_| complete) else {
            scanned.judged.push(None);
            continue;
        };
        let start = Instant::saturating_from_micros(at);
        if at >= until {
            offset = series.zone.offset(start);
            until = series.zone.next_transition(start).unwrap_or(i64::MAX);
        }
        let judgement = scanned.detector.take(start, offset, value, of);
        for finding in &judgement.findings {
            match lasting.and_then(|at| scanned.findings.get_mut(at)) {
                Some(known) if known.since == finding.since => *known = finding.clone(),
                _ => {
                    scanned.findings.push(finding.clone());
                    if finding.shape != Shape::TrendChange {
                        lasting = Some(scanned.findings.len() - 1);
                    }
                }
            }
        }
        scanned.judged.push(Some(judgement));
    }
    scanned
}

/// Which of the findings of many series at one moment are more than chance among so many (Y. Benjamini and Y. Hochberg, 1995): at
/// most the share `q` of those that remain is chance. `series` is how many were looked at, those without a finding included. A
/// finding without a p-value, of a series that never varied, remains.
pub fn significant(findings: &[Finding], series: usize, q: f64) -> Vec<bool> {
    let mut order: Vec<(f64, usize)> = findings
        .iter()
        .enumerate()
        .filter_map(|(i, f)| Some((f.p_value?, i)))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut real: Vec<bool> = findings.iter().map(|f| f.p_value.is_none()).collect();
    let all = series.max(findings.len()) as f64;
    let last = order
        .iter()
        .enumerate()
        .rposition(|(rank, (p, _))| *p <= q * (rank + 1) as f64 / all);
    for (_, at) in order.iter().take(last.map_or(0, |l| l + 1)) {
        if let Some(real) = real.get_mut(*at) {
            *real = true;
        }
    }
    real
}
