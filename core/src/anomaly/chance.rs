//! How far chance alone goes.

/// The two-sided probability of a normal value at least so far out.
pub(super) fn beyond(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// How far out a normal value is with this two-sided probability; between 0 and 12.
pub(super) fn out(probability: f64) -> f64 {
    bisect(0.0, 12.0, |z| beyond(z) > probability)
}

/// How many standard deviations a count is off that was expected to be `expected`, of so many where it cannot be more: the signed
/// root of the deviance, which is as good as normal from a few hits on where their difference by its root is skewed.
pub(super) fn off(count: f64, expected: f64, of: Option<f64>) -> f64 {
    let part = |count: f64, expected: f64| {
        let expected = expected.max(0.25);
        let likely = if count > 0.0 {
            count * (count / expected).ln()
        } else {
            0.0
        };
        likely - (count - expected)
    };
    let rest = of.map_or(0.0, |of| part(of - count, of - expected));
    let deviance = 2.0 * (part(count, expected) + rest);
    deviance.max(0.0).sqrt() * (count - expected).signum()
}

/// The height at which a cumulative sum with this allowance raises, on average, one alarm of one direction in so many buckets
/// (D. Siegmund, 1985): its average run length is (e^2kb − 2kb − 1) / 2k² with b = h + 1.166.
pub(super) fn height(allowance: f64, patience: f64) -> f64 {
    let k = allowance.max(0.05);
    // Its inverse is the fixed point of b = ln(1 + 2kb + 2k² run) / 2k, which is close after a few steps.
    let next = |b: f64| (1.0 + 2.0 * k * (b + k * patience)).ln() / (2.0 * k);
    let b = (0..4).fold(next(1.0), |b, _| next(b));
    (b - 1.166).max(0.0)
}

/// How likely chance alone brings such a sum to this height before it is back at nothing.
pub(super) fn reaches(allowance: f64, height: f64, drag: f64) -> f64 {
    (-2.0 * allowance * (height + 1.166) / drag.max(1.0))
        .exp()
        .min(1.0)
}

/// Where a condition that holds at `low` and not at `high` ends.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_values_are_as_rare_as_tables_say() {
        assert!((beyond(1.959_964) - 0.05).abs() < 1e-6);
        assert!((out(0.05) - 1.959_964).abs() < 1e-5);
        assert!((out(0.002_7) - 3.0).abs() < 1e-3);
    }

    #[test]
    fn small_counts_are_as_rare_as_exact_probabilities_say() {
        // P(X ≥ 22) of a Poisson count of 10 is 0.00070, P(X ≤ 10) of one of 30 is 0.000022; half of the last value belongs to
        // either side.
        assert!((off(21.5, 10.0, None) - 3.19).abs() < 0.05);
        assert!((off(10.5, 30.0, None) + 4.09).abs() < 0.05);
        // P(X ≥ 9) of 20 with one in five is 0.00998, and 11 misses of 16 are the same.
        assert!((off(8.5, 4.0, Some(20.0)) - 2.33).abs() < 0.05);
        assert_eq!(off(9.0, 4.0, Some(20.0)), -off(11.0, 16.0, Some(20.0)));
        assert_eq!(off(4.0, 4.0, None), 0.0);
        assert!(off(0.0, 0.0, None).is_finite() && off(20.0, 0.0, Some(20.0)).is_finite());
    }

    #[test]
    fn heights_are_those_of_published_tables() {
        // Montgomery, table 9.3: with k = 0.5, h = 4 has an average run of one direction of about 336, h = 5 of about 930.
        assert!((height(0.5, 336.0) - 4.0).abs() < 0.03);
        assert!((height(0.5, 930.0) - 5.0).abs() < 0.03);
    }
}
