//! What days tell that no bucket tells: levels that changed by little, and growth that is not what it was.

use super::chance;
use super::detector::Detector;
use super::finding::{Direction, Finding, Interval, Severity, Shape};
use super::settings::{DAY, Measure, WEEK};
use super::trend::{Change, Sort};
use crate::query::Instant;

/// After growth changed, what is usual needs so long to have grown that way for all of the days that are compared.
pub(super) const AGAIN: i64 = 6 * WEEK;

impl Detector {
    /// What changed within the last four weeks and is told now that a day is over.
    pub(super) fn grown(&mut self, (at, local): (i64, i64)) -> Option<Finding> {
        let change = self.days.change(self.settings.least_change)?;
        // Days are local, and so is their beginning.
        let since = (change.day * DAY).saturating_sub(local - at);
        let finding = self.changed(&change, since, at);
        match change.sort {
            Sort::Step => {
                self.follow(Some(change.size.exp()), since, (at, local));
                // What of the step no level took up hours did.
                self.baseline.hours = Default::default();
                self.days.forget_before(change.day);
            }
            Sort::Bend if at < self.bent => return None,
            Sort::Bend => self.bent = at.saturating_add(AGAIN),
        }
        Some(finding)
    }

    fn changed(&self, change: &Change, since: i64, at: i64) -> Finding {
        let of = |expected: f64, came: f64| (came - expected) / expected.abs();
        let by = of(change.expected, change.observed);
        let most = if self.settings.measure == Measure::Share {
            1.0
        } else {
            f64::INFINITY
        };
        Finding {
            shape: match change.sort {
                Sort::Step => Shape::LevelShift,
                Sort::Bend => Shape::TrendChange,
            },
            direction: if by >= 0.0 {
                Direction::Up
            } else {
                Direction::Down
            },
            severity: Severity::of(Some(change.size.exp_m1())),
            since: Instant::saturating_from_micros(since),
            found_at: Instant::saturating_from_micros(at),
            until: (change.sort == Sort::Step).then(|| Instant::saturating_from_micros(at)),
            expected: change.expected,
            interval: Interval {
                low: change.expected * (-1.96 * change.error).exp(),
                high: (change.expected * (1.96 * change.error).exp()).min(most),
            },
            observed: change.observed,
            change: Some(by),
            score: Some(change.score),
            p_value: Some(chance::beyond(change.score)),
        }
    }
}
