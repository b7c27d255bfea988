//! What a visit of a customer is worth: the gamma-gamma model (Fader and Hardie, "The Gamma-Gamma Model of Monetary Value", 2013).
//!
//! Amounts of one customer are gamma(p, ν); ν is gamma(q, γ) over customers. So the mean of few visits is drawn towards that of all:
//! after x visits with the mean z, p(γ + xz)/(px + q − 1) is expected of the next (equation 5).

use super::minimise::minimise;
use crate::learn::special::{digamma, pieces};

/// A fitted model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct GammaGamma {
    /// The shape of amounts.
    pub(super) p: f64,
    /// The shape of their rates over customers.
    pub(super) q: f64,
    /// The scale of these, in the unit of the amounts.
    pub(super) gamma: f64,
}

/// It is fitted to an even sample of so many customers at most.
const CUSTOMERS: usize = 100_000;

impl GammaGamma {
    /// The model of most likelihood over customers given by a number of visits and their mean amount, which must be above 0; none for
    /// nobody.
    pub(super) fn fit(customers: &[(f64, f64)]) -> Option<Self> {
        let step = customers.len().div_ceil(CUSTOMERS).max(1);
        let customers: Vec<(f64, f64)> = customers.iter().step_by(step).copied().collect();
        if customers.is_empty() {
            return None;
        }
        let total = customers.len() as f64;
        let unit = customers.iter().map(|(_, mean)| mean / total).sum::<f64>();
        let negative = |at: &[f64; 3]| {
            let model = Self::of(at, unit);
            let mut sum = [0.0; 4];
            for piece in pieces(&customers, |p| model.negative_log_likelihood(p, unit)) {
                sum.iter_mut().zip(piece).for_each(|(s, p)| *s += p / total);
            }
            let [value, p, q, gamma] = sum;
            (value, [p * model.p, q * model.q, gamma])
        };
        Some(Self::of(&minimise([1.0, 1.0, 0.0], negative), unit))
    }

    fn of(at: &[f64; 3], unit: f64) -> Self {
        let [p, q, gamma] = at.map(libm::exp);
        Self {
            p,
            q,
            gamma: gamma * unit,
        }
    }

    /// Minus the log likelihood in amounts of `unit`, and its derivatives by p, q and ln γ.
    fn negative_log_likelihood(&self, customers: &[(f64, f64)], unit: f64) -> [f64; 4] {
        let Self { p, q, .. } = *self;
        let gamma = self.gamma / unit;
        let mut sum = [0.0; 4];
        for (x, mean) in customers {
            let mean = mean / unit;
            let all = libm::log(gamma + x * mean);
            let shape = p * x + q;
            let log = libm::lgamma(shape) - libm::lgamma(p * x) - libm::lgamma(q)
                + q * libm::log(gamma)
                + (p * x - 1.0) * libm::log(mean)
                + p * x * libm::log(*x)
                - shape * all;
            let psi = digamma(shape);
            let slopes = [
                x * (psi - digamma(p * x) + libm::log(mean) + libm::log(*x) - all),
                psi - digamma(q) + libm::log(gamma) - all,
                q - shape * gamma / (gamma + x * mean),
            ];
            let [value, rest @ ..] = &mut sum;
            *value -= log;
            rest.iter_mut().zip(slopes).for_each(|(s, d)| *s -= d);
        }
        sum
    }

    /// The mean amount expected of a customer's visits, from so many with this mean (equation 5 of the paper). A mean that is not above 0,
    /// as refunds make it, is outside of the model: such a customer is as one of whom nothing is known, or, where the model gives
    /// these no finite mean, worth nothing.
    pub(super) fn expected(&self, visits: f64, mean: f64) -> f64 {
        let Self { p, q, gamma } = *self;
        let visits = if mean > 0.0 { visits } else { 0.0 };
        let degrees = p * visits + q - 1.0;
        if degrees > 0.0 {
            p * (gamma + visits * mean.max(0.0)) / degrees
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_amount_is_that_of_the_note() {
        // Fader and Hardie (2013): p = 6.25, q = 3.74, γ = 15.44. The mean of all is p γ / (q - 1); own amounts draw away from it.
        let model = GammaGamma {
            p: 6.25,
            q: 3.74,
            gamma: 15.44,
        };
        let all = 6.25 * 15.44 / 2.74;
        assert!((model.expected(0.0, 0.0) - all).abs() < 1e-12);
        assert!((model.expected(2.0, -5.0) - all).abs() < 1e-12);
        // Customer 1 of the note: 2 visits of 22.35 on average, 24.66 expected.
        assert!((model.expected(2.0, 22.35) - 24.66).abs() < 0.01);
        assert!((model.expected(1e9, 22.35) - 22.35).abs() < 1e-6);
    }

    #[test]
    fn the_slopes_are_those_of_the_likelihood() {
        let customers = [(1.0, 3.0), (4.0, 7.5), (9.0, 2.0)];
        let model = GammaGamma {
            p: 2.0,
            q: 1.5,
            gamma: 6.0,
        };
        let [value, p, q, gamma] = model.negative_log_likelihood(&customers, 1.0);
        let nudged = [
            (
                p,
                GammaGamma {
                    p: 2.0 + 1e-6,
                    ..model
                },
            ),
            (
                q,
                GammaGamma {
                    q: 1.5 + 1e-6,
                    ..model
                },
            ),
            (
                gamma,
                GammaGamma {
                    gamma: 6.0 + 6e-6,
                    ..model
                },
            ),
        ];
        for (slope, nudged) in nudged {
            let [next, ..] = nudged.negative_log_likelihood(&customers, 1.0);
            assert!(((next - value) / 1e-6 - slope).abs() < 1e-4, "{slope}");
        }
    }

    #[test]
    fn amounts_all_alike_are_expected_again() {
        let customers: Vec<(f64, f64)> = (1..50).map(|n| (f64::from(n % 7 + 1), 20.0)).collect();
        let model = GammaGamma::fit(&customers).unwrap();
        assert!((model.expected(1.0, 20.0) - 20.0).abs() < 0.2, "{model:?}");
        assert_eq!(GammaGamma::fit(&[]), None);
    }
}
