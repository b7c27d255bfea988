//! Cumulative sums: how long a series has been off the same way, and by how much.

use super::baseline::Baseline;
use super::settings::Measure;

/// One bucket alone brings a sum so high at most.
pub(super) const ALONE: f64 = 4.0;

/// A sum of deviations one way, which falls back to nothing while all is well (E. S. Page, 1954).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Run {
    /// The sum, in standard deviations beyond what is allowed.
    pub(super) height: f32,
    /// The start of the first bucket since it was nothing.
    pub(super) since: i64,
    /// How many buckets.
    pub(super) buckets: u32,
    /// What was expected of them, in all.
    pub(super) expected: f64,
    /// What came.
    pub(super) observed: f64,
    /// Of how many, for shares; the squares of amounts.
    pub(super) of: f64,
}

/// A bucket that was judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pub(super) start: i64,
    /// Its start in local time.
    pub(super) local: i64,
    /// What its rhythm says, were all as it was.
    pub(super) rhythm: f64,
    pub(super) expected: f64,
    pub(super) observed: f64,
    pub(super) of: f64,
}

impl Run {
    /// Takes a bucket in that is `z` standard deviations off this way.
    pub(super) fn take(&mut self, z: f64, allowance: f64, bucket: &Bucket) {
        // One bucket alone cannot raise an alarm, however far it is off: the next must agree.
        let more = z.clamp(-5.0, allowance + ALONE) - allowance;
        let height = (f64::from(self.height) + more).max(0.0);
        if height == 0.0 {
            *self = Self::default();
            return;
        }
        if self.buckets == 0 {
            self.since = bucket.start;
        }
        self.height = height as f32;
        self.buckets = self.buckets.saturating_add(1);
        self.expected += bucket.expected;
        self.observed += bucket.observed;
        self.of += bucket.of;
    }

    /// By how much the whole is off, of what was expected.
    pub(super) fn change(&self) -> Option<f64> {
        (self.expected != 0.0).then(|| (self.observed - self.expected) / self.expected.abs())
    }

    /// One standard deviation of the whole, where each bucket has `deviation` units of chance.
    pub(super) fn spread(
        &self,
        baseline: &Baseline,
        measure: Measure,
        (deviation, drag): (f64, f64),
    ) -> f64 {
        baseline.unit(measure, self.expected, self.of) * deviation * drag.max(1.0).sqrt()
    }
}
