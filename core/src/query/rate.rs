//! A share with what it rests on (S1).

use serde::Serialize;

/// `k` of `n`, with the Wilson 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// `k / n`, or nothing where `n` is 0.
    pub value: Option<f64>,
    /// How many did.
    pub k: u64,
    /// Of how many.
    pub n: u64,
    /// The lower end of the Wilson 95 % interval.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// Whether `n` is below 30, too few to lean on.
    pub small: bool,
}

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Rate {
    /// `k` of `n`.
    ///
    /// The interval is Wilson's score interval (E. B. Wilson, 1927): centre `(k + z²/2) / (n + z²)`.
    pub fn of(k: u64, n: u64) -> Self {
        let small = n < 30;
        if n == 0 {
            return Self {
                value: None,
                k,
                n,
                low: None,
                high: None,
                small,
            };
        }
        let (k_, n_) = (k as f64, n as f64);
        let p = k_ / n_;
        let z2 = Z * Z;
        let centre = (k_ + z2 / 2.0) / (n_ + z2);
        let half = Z / (n_ + z2) * (n_ * p * (1.0 - p) + z2 / 4.0).sqrt();
        // At the ends the interval touches 0 and 1 exactly; rounding must not push it past them.
        let low = if k == 0 {
            0.0
        } else {
            (centre - half).max(0.0)
        };
        let high = if k == n {
            1.0
        } else {
            (centre + half).min(1.0)
        };
        Self {
            value: Some(p),
            k,
            n,
            low: Some(low),
            high: Some(high),
            small,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn a_denominator_of_zero_gives_nothing() {
        assert_eq!(Rate::of(0, 0).value, None);
        assert_eq!(Rate::of(0, 0).low, None);
    }

    #[test]
    fn wilson_interval_equals_the_published_example() {
        // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
        let rate = Rate::of(81, 263);
        assert!((rate.low.unwrap() - 0.2553).abs() < 5e-5);
        assert!((rate.high.unwrap() - 0.3662).abs() < 5e-5);
        // The same table: 0 of 20 gives 0 to 0.1611.
        assert!((Rate::of(0, 20).high.unwrap() - 0.1611).abs() < 5e-5);
    }
}
