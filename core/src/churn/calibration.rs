//! From the scores of a regression to probabilities that hold: Platt's scaling (J. Platt, "Probabilistic Outputs for Support Vector
//! Machines", 1999), log odds = intercept + slope · score.
//!
//! It keeps the order of all users and makes reasons exact, which steps do not; on CDNOW it also loses less than isotonic regression on
//! a later cut-off (log loss 0.301 against 0.310).

use crate::learn::special::{logistic, softplus};

/// A fitted scaling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Platt {
    pub(super) intercept: f64,
    pub(super) slope: f64,
    /// The variances of intercept and slope, and their covariance.
    variance: [f64; 3],
}

/// What is believed before anything is seen: the slope is 1 and the intercept 0, give or take a half and 1. A few hundred users outweigh it.
const SLOPE: f64 = 4.0;
const INTERCEPT: f64 = 1.0;

impl Platt {
    /// The scaling of scores that fits what came true.
    pub(super) fn fit(scored: &[(f64, bool)]) -> Self {
        let mut platt = Self {
            intercept: 0.0,
            slope: 1.0,
            variance: [0.0; 3],
        };
        let mut loss = f64::INFINITY;
        for _ in 0..100 {
            let (value, slopes, [ii, is, ss]) = platt.slopes(scored);
            let determinant = ii * ss - is * is;
            platt.variance = [ss / determinant, ii / determinant, -is / determinant];
            if loss - value < 1e-9 * (1.0 + value.abs()) {
                break;
            }
            loss = value;
            let [vi, vs, vis] = platt.variance;
            let step = [
                vi * slopes[0] + vis * slopes[1],
                vis * slopes[0] + vs * slopes[1],
            ];
            let from = platt;
            let mut size = 1.0;
            while size > 1e-6 {
                platt.intercept = from.intercept - size * step[0];
                platt.slope = from.slope - size * step[1];
                if platt.slopes(scored).0 <= value {
                    break;
                }
                size *= 0.5;
            }
        }
        // A score that says the opposite of what it should says nothing.
        platt.slope = platt.slope.max(0.0);
        platt
    }

    fn slopes(&self, scored: &[(f64, bool)]) -> (f64, [f64; 2], [f64; 3]) {
        let off = self.slope - 1.0;
        let prior = INTERCEPT * self.intercept * self.intercept + SLOPE * off * off;
        let mut loss = prior / 2.0;
        let mut slopes = [INTERCEPT * self.intercept, SLOPE * off];
        let mut bends = [INTERCEPT, 0.0, SLOPE];
        for (score, churned) in scored {
            let odds = self.log_odds(*score);
            let (p, label) = (logistic(odds), f64::from(u8::from(*churned)));
            loss += softplus(odds) - label * odds;
            slopes[0] += p - label;
            slopes[1] += (p - label) * score;
            let bend = p * (1.0 - p);
            bends[0] += bend;
            bends[1] += bend * score;
            bends[2] += bend * score * score;
        }
        (loss, slopes, bends)
    }

    /// The log odds that a score stands for.
    pub(super) fn log_odds(&self, score: f64) -> f64 {
        self.intercept + self.slope * score
    }

    /// The variance of these log odds, where the score itself has one.
    pub(super) fn variance(&self, score: f64, variance: f64) -> f64 {
        let [i, s, is] = self.variance;
        (self.slope * self.slope * variance + i + 2.0 * score * is + score * score * s).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(slope: f64, intercept: f64) -> Vec<(f64, bool)> {
        let scored = (0..20_000_u64).map(|i| {
            let unit = |salt: u64| {
                let bits = (2 * i + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                ((bits ^ bits >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
                    / 9_007_199_254_740_992.0
            };
            let score = 6.0 * unit(0) - 3.0;
            (score, unit(1) < logistic(intercept + slope * score))
        });
        scored.collect()
    }

    #[test]
    fn scores_that_are_too_sure_are_brought_back() {
        let platt = Platt::fit(&scored(0.5, -0.7));
        assert!((platt.slope - 0.5).abs() < 0.03, "{platt:?}");
        assert!((platt.intercept + 0.7).abs() < 0.05, "{platt:?}");
        let error = platt.variance(0.0, 0.0).sqrt();
        assert!((0.01..0.03).contains(&error), "{error}");
    }

    #[test]
    fn little_evidence_changes_little_and_contrary_scores_say_nothing() {
        let platt = Platt::fit(&[]);
        assert_eq!((platt.intercept, platt.slope), (0.0, 1.0));
        assert_eq!(Platt::fit(&scored(-1.0, 0.0)).slope, 0.0);
    }
}
