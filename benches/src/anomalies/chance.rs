//! Numbers that look like chance, the same in each run.

use travelsense::anomaly::Measure;

pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new() -> Self {
        Self(7)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 24) as f64 / f64::from(1 << 24)
    }

    /// So many times as much, each hit by chance: a share has no more hits than there are, and money comes in payments of the size
    /// that most of it comes in.
    pub(super) fn times(
        &mut self,
        (value, of): (f64, f64),
        factor: f64,
        measure: Measure,
    ) -> (f64, f64) {
        match measure {
            Measure::Count => (self.hits(value, factor), of),
            Measure::Share => (self.hits(value, factor).min(of), of),
            Measure::Amount if value == 0.0 => (value, of),
            Measure::Amount => {
                let payments = (value * value / of).round().max(1.0);
                let times = self.hits(payments, factor) / payments;
                (value * times, of * times)
            }
        }
    }

    fn hits(&mut self, value: f64, factor: f64) -> f64 {
        let part = factor.fract();
        let extra = (0..value as u64).filter(|_| self.share() < part).count();
        value * factor.floor() + extra as f64
    }
}
