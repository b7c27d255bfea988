//! A series judged week by week, each by a detector that began so long before that it knows what is usual: what is said of a bucket
//! depends on its week, and on no range that is asked for (G3).

use super::detector::Judgement;
use super::finding::{Finding, Shape};
use super::growth::AGAIN;
use super::scan::{Series, scan};
use super::settings::{DAY, HOUR, Settings, WEEK};
use crate::query::Instant;

/// What lasts for longer is the new normal: a finding that goes on at an instant began after so long before.
const LASTS: i64 = 2 * DAY;

/// What was found in the weeks of a range, and two days before.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Weeks {
    /// In the order in which they were found; one that goes on from week to week is one.
    pub(crate) findings: Vec<Finding>,
    /// What became of each bucket; nothing for those that are not complete, have no answer, or lie before.
    pub(crate) judged: Vec<Option<Judgement>>,
}

/// The start of the week of an instant: Monday, 00:00 UTC.
fn monday(at: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    (at + 3 * DAY).div_euclid(WEEK) * WEEK - 3 * DAY
}

/// Where a detector begins that judges buckets of this length in the week of an instant: two weeks are learned and four compared,
/// and of an hour only one value comes in a day.
pub(crate) fn begins(at: Instant, step: i64) -> i64 {
    let weeks = if step < HOUR { 6 } else { 8 };
    monday(at.micros()) - weeks * WEEK
}

/// Where the first of the detectors begins that judge a range from an instant on.
pub(super) fn first(from: Instant, step: i64) -> i64 {
    begins(before(from), step)
}

fn before(from: Instant) -> Instant {
    Instant::saturating_from_micros(from.micros().saturating_sub(LASTS))
}

/// Judges the buckets of a range from an instant on that are complete at `as_of`, see [`scan`]. Buckets before the first event teach
/// nothing.
pub(crate) fn judge(
    settings: Settings,
    series: &Series,
    (from, event): (Instant, Option<i64>),
    (as_of, lateness): (Instant, i64),
) -> Weeks {
    let (step, start) = (settings.step, series.start.micros());
    let length = i64::try_from(series.values.len()).unwrap_or(i64::MAX);
    let end = start.saturating_add(step.saturating_mul(length));
    let event = event.map_or(start, |at| (at.div_euclid(step) * step).max(start));
    let place = |at: i64| usize::try_from((at - start) / step).unwrap_or(0);
    let mut weeks = Weeks {
        findings: Vec::new(),
        judged: vec![None; series.values.len()],
    };
    let mut week = monday(before(from).micros());
    while week < end {
        let (begin, stop) = (
            begins(Instant::saturating_from_micros(week), step).max(event),
            week.saturating_add(WEEK).min(end),
        );
        if let Some(values) = series.values.get(place(begin)..place(stop)) {
            let part = Series {
                start: Instant::saturating_from_micros(begin),
                zone: series.zone.clone(),
                values: values.to_vec(),
            };
            let scanned = scan(settings, &part, as_of, lateness);
            let own = week.max(begin);
            let judged = (scanned.judged.into_iter())
                .skip(usize::try_from((own - begin) / step).unwrap_or(0));
            let mut any = false;
            for (room, judged) in weeks.judged.iter_mut().skip(place(own)).zip(judged) {
                any |= judged.is_some();
                *room = judged;
            }
            if any {
                weeks.add(week, scanned.findings);
            }
        }
        week = week.saturating_add(WEEK);
    }
    weeks
}

impl Weeks {
    /// What is not as usual in the last bucket.
    pub(crate) fn open(&self) -> Option<&Finding> {
        self.findings.iter().rev().find(|f| lasts(f))
    }

    /// Adds what the detector of a week found. What went on when the week began goes on or ended as that detector says, and what was
    /// told before is not told again.
    fn add(&mut self, week: i64, findings: Vec<Finding>) {
        let week = Instant::saturating_from_micros(week);
        if let Some(known) = self.findings.iter_mut().rev().find(|f| lasts(f)) {
            match findings
                .iter()
                .rev()
                .find(|f| f.found_at < week && same(known, f))
            {
                Some(now) => join(known, now),
                None => known.until = Some(week),
            }
        }
        let told = self.findings.len();
        for mut finding in findings {
            let goes_on = finding.shape != Shape::TrendChange
                && finding.until.is_none_or(|until| until > week);
            if finding.found_at < week && !goes_on {
                continue;
            }
            let before = self.findings.get_mut(..told).unwrap_or_default();
            match before.iter_mut().rev().find(|known| same(known, &finding)) {
                Some(known) => join(known, &finding),
                None => {
                    finding.found_at = finding.found_at.max(week);
                    self.findings.push(finding);
                }
            }
        }
    }
}

/// Whether a finding goes on.
fn lasts(finding: &Finding) -> bool {
    finding.until.is_none() && finding.shape != Shape::TrendChange
}

/// Whether a finding is the same as one of a week before: both go the same way, and neither was over when the other began. Growth
/// that changed is not told again for weeks.
fn same(known: &Finding, finding: &Finding) -> bool {
    let trends = [known, finding].map(|f| f.shape == Shape::TrendChange);
    let together = match trends {
        [true, true] => finding.found_at.micros() - known.found_at.micros() < AGAIN,
        [false, false] => {
            known.until.is_none_or(|until| finding.since < until)
                && finding.until.is_none_or(|until| known.since < until)
        }
        _ => false,
    };
    together && known.direction == finding.direction
}

/// Tells of a finding what is said of it a week later.
fn join(known: &mut Finding, now: &Finding) {
    if now.shape == Shape::TrendChange {
        return;
    }
    known.severity = known.severity.max(now.severity);
    known.until = now.until;
    if known.shape != Shape::LevelShift {
        known.shape = now.shape;
    }
}
