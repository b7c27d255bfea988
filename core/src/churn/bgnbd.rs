//! How often customers without a contract will come again: the BG/NBD model (Fader, Hardie and Lee, "Counting Your Customers the
//! Easy Way", Marketing Science 24, 2005).
//!
//! While alive, a customer comes at a rate λ; after each repeat visit the customer drops out with probability p. λ is gamma(r, α) and p
//! beta(a, b) over customers. Of a customer with x repeats, the last at t_x, known for T, the likelihood is (equation 6)
//! B(a, b + x)/B(a, b) · Γ(r + x) α^r / (Γ(r) (α + T)^(r+x)) + 1[x > 0] B(a + 1, b + x − 1)/B(a, b) · Γ(r + x) α^r / (Γ(r) (α + t_x)^(r+x)).

use rayon::prelude::*;

use super::minimise::minimise;
use crate::learn::special::{digamma, logistic, pieces, softplus};

/// What the model sees of a customer: repeat visits, when the last one was, and how long the customer has been known.
///
/// Times are from the first visit, in any one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Visits {
    /// Visits after the first one.
    pub(super) repeats: f64,
    /// The time of the last visit; 0 without repeats.
    pub(super) last: f64,
    /// The time at which the history ends.
    pub(super) known: f64,
}

impl Visits {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let key = |v: &Self| [v.repeats, v.last, v.known];
        let pairs = key(self).into_iter().zip(key(other));
        pairs.fold(std::cmp::Ordering::Equal, |order, (a, b)| {
            order.then(a.total_cmp(&b))
        })
    }
}

/// A fitted model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BgNbd {
    /// The shape of the rates.
    pub(super) r: f64,
    /// Their scale, in the unit of the times.
    pub(super) alpha: f64,
    /// The first parameter of the probability of dropping out.
    pub(super) a: f64,
    /// The second one.
    pub(super) b: f64,
}

/// It is fitted to so many customers at most.
const CUSTOMERS: usize = 50_000;

impl BgNbd {
    /// The model of most likelihood; none where nobody came twice, since nothing is known of rates then.
    ///
    /// Of many customers it is fitted to an even sample, whose error is far below that of any one customer's future.
    pub(super) fn fit(customers: impl IntoIterator<Item = Visits>) -> Option<Self> {
        let mut all: Vec<Visits> = customers.into_iter().collect();
        all.par_sort_unstable_by(Visits::order);
        let customers: Vec<(Visits, f64)> = all
            .iter()
            .step_by(all.len().div_ceil(CUSTOMERS).max(1))
            .copied()
            .collect::<Vec<_>>()
            .chunk_by(|a, b| a == b)
            .filter_map(|alike| Some((*alike.first()?, alike.len() as f64)))
            .collect();
        let total: f64 = customers.iter().map(|(_, n)| n).sum();
        let repeats: f64 = customers.iter().map(|(v, n)| v.repeats * n).sum();
        let known: f64 = customers.iter().map(|(v, n)| v.known * n).sum();
        if repeats <= 0.0 || known <= 0.0 {
            return None;
        }
        // In units of the mean time known, so that the bounds mean the same for every history.
        let unit = known / total;
        let scaled: Vec<(Visits, f64)> = customers
            .iter()
            .map(|(v, n)| {
                let (last, known) = (v.last / unit, v.known / unit);
                (Visits { last, known, ..*v }, *n)
            })
            .collect();
        let negative = |p: &[f64; 4]| {
            let model = Self::of(p, 1.0);
            let mut sum = [0.0; 5];
            for piece in pieces(&scaled, |piece| model.negative_log_likelihood(piece)) {
                sum.iter_mut().zip(piece).for_each(|(s, p)| *s += p / total);
            }
            let [value, r, alpha, a, b] = sum;
            (
                value,
                [r * model.r, alpha * model.alpha, a * model.a, b * model.b],
            )
        };
        let start = [0.0, -libm::log((repeats / total).max(1e-3)), 0.0, 1.0];
        Some(Self::of(&minimise(start, negative), unit))
    }

    fn of(p: &[f64; 4], unit: f64) -> Self {
        let [r, alpha, a, b] = p.map(libm::exp);
        Self {
            r,
            alpha: alpha * unit,
            a,
            b,
        }
    }

    /// Minus the log likelihood of weighted customers and its derivatives by r, α, a and b (equation 6 of the paper, by logarithms).
    fn negative_log_likelihood(&self, customers: &[(Visits, f64)]) -> [f64; 5] {
        let Self { r, alpha, a, b } = *self;
        let fixed = libm::lgamma(a + b) - libm::lgamma(b) - libm::lgamma(r) + r * libm::log(alpha);
        let (psi_r, psi_b, psi_ab) = (digamma(r), digamma(b), digamma(a + b));
        let mut sum = [0.0; 5];
        // Gamma functions depend on nothing but the number of repeats, by which customers are sorted.
        let mut repeats = f64::NAN;
        let mut log_of_repeats = 0.0;
        let mut slopes_of_repeats = [0.0; 3];
        for (visits, n) in customers {
            let Visits {
                repeats: x,
                last,
                known,
            } = *visits;
            if x != repeats {
                repeats = x;
                log_of_repeats =
                    fixed + libm::lgamma(r + x) + libm::lgamma(b + x) - libm::lgamma(a + b + x);
                let both = psi_ab - digamma(a + b + x);
                slopes_of_repeats = [
                    digamma(r + x) - psi_r + libm::log(alpha),
                    both,
                    both + digamma(b + x) - psi_b,
                ];
            }
            let (until, since) = (libm::log(alpha + known), libm::log(alpha + last));
            // Of the customers who did come again, some have dropped out since: the odds of it.
            let (odds, dropped) = if x > 0.0 {
                let odds = libm::log(a / (b + x - 1.0)) + (r + x) * (until - since);
                (odds, 1.0 / (b + x - 1.0))
            } else {
                (f64::NEG_INFINITY, 0.0)
            };
            let log = log_of_repeats - (r + x) * until + softplus(odds);
            let gone = logistic(odds);
            let (early, late) = ((r + x) / (alpha + last), (r + x) / (alpha + known));
            let [by_r, by_a, by_b] = slopes_of_repeats;
            let slopes = [
                by_r - until + gone * (until - since),
                r / alpha - late + gone * (late - early),
                by_a + gone / a,
                by_b - gone * dropped,
            ];
            let [value, rest @ ..] = &mut sum;
            *value -= n * log;
            rest.iter_mut().zip(slopes).for_each(|(s, d)| *s -= n * d);
        }
        sum
    }

    /// The probability that a customer has not dropped out (equation 11 of Fader and Hardie's note of 2008). A customer without
    /// repeats has had no occasion to.
    pub(super) fn alive(&self, visits: &Visits) -> f64 {
        let Self { r, alpha, a, b } = *self;
        let x = visits.repeats;
        if x <= 0.0 {
            return 1.0;
        }
        let odds = libm::log(a / (b + x - 1.0))
            + (r + x) * (libm::log(alpha + visits.known) - libm::log(alpha + visits.last));
        logistic(-odds)
    }

    /// The visits expected of a customer in the next `time` (equation 10 of the paper).
    ///
    /// With z = t / (α + T + t), the paper's 2F1(r + x, b + x; a + b + x - 1; z) is (1 - z)^(a - 1 - r - x) 2F1(p, a - 1; c; z) by
    /// Euler's transformation, where p = a + b - 1 - r and c = a + b + x - 1. Neither upper parameter grows with x, so the terms do not
    /// grow before they shrink; the ratio of two terms tends to z < 1, so the series converges, and once it has, what is left out
    /// is less than the last term times z / (1 - z). Taking (a - 1) / c out of all terms but the first leaves no
    /// singularity at a = 1 or c = 0.
    ///
    /// Where a is so large that those terms would have to cancel, the paper's own are summed, all of which are positive.
    pub(super) fn expected(&self, visits: &Visits, time: f64) -> f64 {
        /// For customers just met, z is near 1: then terms shrink by so little that a limit must be set.
        const TERMS: u32 = 20_000;
        let Self { r, alpha, a, b } = *self;
        let x = visits.repeats;
        let c = a + b + x - 1.0;
        let z = time / (alpha + visits.known + time);
        let remaining = (a - 1.0) * libm::log1p(-z);
        if remaining < -9.0 {
            return self.expected_of_many(visits, z);
        }
        let p = a + b - 1.0 - r;
        let (mut term, mut series) = (p * z, 0.0);
        for n in 1..TERMS {
            series += term;
            let n = f64::from(n);
            term *= (p + n) * (a - 1.0 + n) * z / ((c + n) * (n + 1.0));
            if term.abs() * z <= 1e-14 * series.abs() * (1.0 - z) {
                break;
            }
        }
        // The first term of a series is (p)_1 (a)_0 z / ((c + 1)_0 1!), without the factor (a - 1) / c.
        let first = if (a - 1.0).abs() < 1e-9 {
            -libm::log1p(-z)
        } else {
            -libm::expm1(remaining) / (a - 1.0)
        };
        let alive = c * first - libm::exp(remaining) * series;
        (alive * self.alive(visits)).max(0.0)
    }

    /// The same by the paper's formula, (a + b + x − 1)/(a − 1) · (1 − (1 − z)^(r + x) 2F1(r + x, b + x; a + b + x − 1; z)), with the
    /// logarithm of its sum.
    fn expected_of_many(&self, visits: &Visits, z: f64) -> f64 {
        const TERMS: u32 = 200_000;
        const FAR: f64 = 1e200;
        let Self { r, a, b, .. } = *self;
        let x = visits.repeats;
        let c = a + b + x - 1.0;
        let (mut term, mut sum, mut scale) = (1.0, 1.0, 0.0);
        for n in 0..TERMS {
            let n = f64::from(n);
            let ratio = (r + x + n) * (b + x + n) * z / ((c + n) * (n + 1.0));
            term *= ratio;
            sum += term;
            if sum > FAR {
                (term, sum, scale) = (term / FAR, sum / FAR, scale + libm::log(FAR));
            }
            if ratio < 1.0 && term <= 1e-16 * sum * (1.0 - ratio.max(z)) {
                break;
            }
        }
        let log = (r + x) * libm::log1p(-z) + scale + libm::log(sum);
        (c / (a - 1.0) * -libm::expm1(log) * self.alive(visits)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters that the paper gives for CDNOW.
    const CDNOW: BgNbd = BgNbd {
        r: 0.243,
        alpha: 4.414,
        a: 0.793,
        b: 2.426,
    };

    fn seen(repeats: f64, last: f64, known: f64) -> Visits {
        Visits {
            repeats,
            last,
            known,
        }
    }

    /// What is expected by its definition: the mean over the rates and probabilities that a customer who is alive may have. Of rate λ and
    /// probability p it is (1 - e^(-λpt)) / p; λ is gamma(r + x, α + T) and p beta(a, b + x).
    fn by_integration(model: &BgNbd, visits: &Visits, time: f64) -> f64 {
        let BgNbd { r, alpha, a, b } = *model;
        let b = b + visits.repeats;
        let log = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
        let of = |p: f64| {
            let rate = 1.0 + p * time / (alpha + visits.known);
            (1.0 - rate.powf(-(r + visits.repeats))) / p
        };
        // Where a < 1 the density has no bound at 0; in u = p^a it has.
        let root = a.min(1.0);
        let steps = 20_000;
        let sum: f64 = (0..steps)
            .map(|i| {
                let p = ((f64::from(i) + 0.5) / f64::from(steps)).powf(1.0 / root);
                of(p) * (log + (a - root) * p.ln() + (b - 1.0) * (1.0 - p).ln()).exp() / root
            })
            .sum();
        sum / f64::from(steps) * model.alive(visits)
    }

    #[test]
    fn the_expected_purchases_are_those_of_the_paper() {
        // "For instance, consider the purchasing behavior of customer x = 2, t_x = 30.43, T = 38.86: 1.226 in 39 weeks."
        let expected = CDNOW.expected(&seen(2.0, 30.43, 38.86), 39.0);
        assert!((expected - 1.226).abs() < 5e-4, "{expected}");
    }

    #[test]
    fn the_series_gives_what_the_integral_does() {
        let parameters = [
            (0.243, 4.414, 0.793, 2.426),
            (1.5, 10.0, 2.5, 1.2),
            // Where the textbook series divides by zero: a = 1, and a + b + x = 1.
            (0.8, 3.0, 1.0, 2.0),
            (0.8, 3.0, 0.4, 1.6),
            (2.0, 0.5, 3.0, 9.0),
        ];
        let customers = [
            seen(0.0, 0.0, 5.0),
            seen(1.0, 4.0, 30.0),
            seen(40.0, 90.0, 95.0),
        ];
        for (r, alpha, a, b) in parameters {
            let model = BgNbd { r, alpha, a, b };
            for visits in customers {
                for time in [0.5, 10.0, 200.0] {
                    let [series, integral] = [
                        model.expected(&visits, time),
                        by_integration(&model, &visits, time),
                    ];
                    let off = (series - integral).abs() / integral;
                    assert!(
                        off < 2e-4,
                        "{model:?} {visits:?} {time}: {series} {integral}"
                    );
                }
            }
        }
        let model = BgNbd {
            a: 0.5,
            b: 0.5,
            ..CDNOW
        };
        let new = seen(0.0, 0.0, 5.0);
        let off = model.expected(&new, 9.0) / by_integration(&model, &new, 9.0) - 1.0;
        assert!(off.abs() < 1e-2, "{off}");
    }

    #[test]
    fn large_parameters_lose_no_digits() {
        // Of a shop where hardly anybody comes twice, whose likelihood is flat.
        let model = BgNbd {
            r: 0.194,
            alpha: 43.1,
            a: 8_100.0,
            b: 2_840.0,
        };
        for visits in [seen(0.0, 0.0, 126.0), seen(1.0, 114.0, 118.0)] {
            let found = model.expected(&visits, 60.0);
            let off = found / by_integration(&model, &visits, 60.0) - 1.0;
            assert!(found > 0.05 && off.abs() < 1e-4, "{found} {off}");
        }
        // Both sums say the same where both can.
        for (a, b) in [(20.0, 3.0), (40.0, 900.0), (60.0, 60.0)] {
            let model = BgNbd { a, b, ..CDNOW };
            for visits in [seen(0.0, 0.0, 60.0), seen(6.0, 30.0, 60.0)] {
                let (time, known) = (9.0, visits.known);
                let z = time / (model.alpha + known + time);
                assert!((a - 1.0) * (-z).ln_1p() > -9.0);
                let off = model.expected(&visits, time) / model.expected_of_many(&visits, z) - 1.0;
                assert!(off.abs() < 1e-9, "{a} {b} {off}");
            }
        }
    }

    #[test]
    fn a_customer_just_met_and_one_of_thousands_of_visits_have_finite_expectations() {
        for a in [1.3e-4, 0.7, 1.0, 1.0 + 1e-12, 8e3] {
            for alpha in [1e-4, 1.0, 1e4] {
                let model = BgNbd { a, alpha, ..CDNOW };
                for visits in [
                    seen(0.0, 0.0, 0.0),
                    seen(0.0, 0.0, 1.0),
                    seen(5e3, 9e3, 1e4),
                ] {
                    let expected = model.expected(&visits, 3_650.0);
                    assert!(
                        expected.is_finite() && expected >= 0.0,
                        "{model:?} {visits:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_slopes_are_those_of_the_likelihood() {
        let customers = [
            (seen(0.0, 0.0, 30.0), 2.0),
            (seen(1.0, 7.0, 30.0), 1.0),
            (seen(6.0, 20.0, 21.0), 1.0),
        ];
        let model = BgNbd {
            r: 0.7,
            alpha: 3.0,
            a: 0.6,
            b: 1.9,
        };
        let [_, slopes @ ..] = model.negative_log_likelihood(&customers);
        let nudged = [
            BgNbd {
                r: 0.7 + 1e-6,
                ..model
            },
            BgNbd {
                alpha: 3.0 + 1e-6,
                ..model
            },
            BgNbd {
                a: 0.6 + 1e-6,
                ..model
            },
            BgNbd {
                b: 1.9 + 1e-6,
                ..model
            },
        ];
        let [value, ..] = model.negative_log_likelihood(&customers);
        for (slope, nudged) in slopes.into_iter().zip(nudged) {
            let [next, ..] = nudged.negative_log_likelihood(&customers);
            assert!(((next - value) / 1e-6 - slope).abs() < 1e-4, "{slope}");
        }
    }

    #[test]
    fn nothing_is_fitted_where_nobody_came_twice() {
        assert_eq!(BgNbd::fit([]), None);
        assert_eq!(BgNbd::fit([seen(0.0, 0.0, 9.0)]), None);
        assert!(BgNbd::fit([seen(3.0, 8.0, 9.0)]).is_some());
    }
}
