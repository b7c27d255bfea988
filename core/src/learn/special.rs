//! The functions that likelihoods need and the standard library lacks.

use rayon::prelude::*;

/// Sums of many items are of pieces of this many, so that the number of threads changes no digit.
const PIECE: usize = 4_096;

/// What `of` makes of each piece of the items, in order and in parallel.
pub(crate) fn pieces<T: Sync, R: Send>(
    items: &[T],
    of: impl Fn(&[T]) -> R + Send + Sync,
) -> Vec<R> {
    // One piece is not worth asking other threads for, which takes longer than a small sum.
    if items.len() <= PIECE {
        return vec![of(items)];
    }
    items.par_chunks(PIECE).map(of).collect()
}

/// The derivative of ln Γ at x > 0: the recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18), whose first
/// term left out is below 1e-15 there.
pub(crate) fn digamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < 10.0 {
        below -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0
                    - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * 691.0 / 32_760.0)))));
    below + libm::log(x) - 0.5 / x - series
}

/// 1 / (1 + e^-x), without overflow.
pub(crate) fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + libm::exp(-x))
    } else {
        let e = libm::exp(x);
        e / (1.0 + e)
    }
}

/// ln(1 + e^x), without overflow.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// ln(p / (1 - p)).
pub(crate) fn logit(p: f64) -> f64 {
    libm::log(p) - libm::log1p(-p)
}

/// The quantile function of the normal distribution within ±9, by halving a bracket until no number is left between its ends.
pub(crate) fn probit(p: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digamma_equals_its_closed_forms() {
        let euler = 0.577_215_664_901_532_9;
        assert!((digamma(1.0) + euler).abs() < 1e-14);
        assert!((digamma(0.5) + euler + 2.0 * std::f64::consts::LN_2).abs() < 1e-14);
        let harmonic: f64 = (1..1_000).map(|n| 1.0 / f64::from(n)).sum();
        assert!((digamma(1_000.0) - harmonic + euler).abs() < 1e-12);
    }

    #[test]
    fn quantiles_of_the_normal_distribution_are_the_tabled_ones() {
        assert!((probit(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((probit(0.9) - 1.281_551_565_544_6).abs() < 1e-12);
        assert!(probit(0.5).abs() < 1e-12);
    }

    #[test]
    fn the_logistic_function_has_no_overflow() {
        assert_eq!(
            [logistic(-1e4), logistic(0.0), logistic(1e4)],
            [0.0, 0.5, 1.0]
        );
        assert_eq!([softplus(-1e4), softplus(1e4)], [0.0, 1e4]);
        assert!((logistic(logit(0.2)) - 0.2).abs() < 1e-15);
    }
}
