//! The discrete-time hazard of going away: logistic regression over users at past cut-offs (P. D. Allison, "Discrete-Time Methods for
//! the Analysis of Event Histories", 1982), with a ridge penalty: the w of most Σ weight · log P(what came) − ½λ|w|², where
//! P(gone) = 1 / (1 + e^(−w₀ − w·x)) and x are the features in standard deviations.
#![expect(
    clippy::indexing_slicing,
    reason = "a numerical kernel over arrays of one fixed length"
)]

use super::features::{FEATURES, Row};
use crate::learn::special::{logistic, pieces, softplus};

/// A user at a cut-off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Whose it is: a place among users, all of whose samples stand together.
    pub(super) user: usize,
    pub(super) row: Row,
    pub(super) churned: bool,
    pub(super) weight: f64,
}

/// A fitted regression over standardised features.
#[derive(Clone, Debug)]
pub(super) struct Hazard {
    mean: Row,
    scale: Row,
    /// The intercept and a weight for each feature.
    weights: Vector,
    /// Of these.
    covariance: Matrix,
}

/// The intercept and the features.
const M: usize = FEATURES + 1;
type Vector = [f64; M];
type Matrix = [[f64; M]; M];

/// The penalty of a squared weight: as if each were normal about 0 with a standard deviation of a half, by how much one standard
/// deviation of a feature changes the log odds. Thousands of users outweigh it; it keeps dozens from being learned by heart.
const RIDGE: f64 = 4.0;

impl Hazard {
    /// The regression that loses least; none where it cannot be found, which only numbers out of all proportion do.
    pub(super) fn fit(samples: &[Sample]) -> Option<Self> {
        let total: f64 = samples.iter().map(|s| s.weight).sum();
        let mut mean = [0.0; FEATURES];
        let mut scale = [0.0; FEATURES];
        for s in samples {
            for (mean, x) in mean.iter_mut().zip(&s.row) {
                *mean += s.weight * x / total;
            }
        }
        for s in samples {
            for j in 0..FEATURES {
                let off = s.row[j] - mean[j];
                scale[j] += s.weight * off * off / total;
            }
        }
        for s in &mut scale {
            *s = if *s > 1e-12 { 1.0 / s.sqrt() } else { 0.0 };
        }
        let churned: f64 = samples.iter().filter(|s| s.churned).map(|s| s.weight).sum();
        let mut weights = [0.0; M];
        weights[0] = libm::log((churned + 0.5) / (total - churned + 0.5));
        let mut hazard = Self {
            mean,
            scale,
            weights,
            covariance: [[0.0; M]; M],
        };
        hazard.descend(samples)?;
        Some(hazard)
    }

    /// Newton's method, each step halved until the loss, which is convex, falls; so it ends at the one minimum.
    fn descend(&mut self, samples: &[Sample]) -> Option<()> {
        let mut now = self.slopes(samples);
        for _ in 0..100 {
            let factor = cholesky(&now.curvature)?;
            let step = solve(&factor, &now.slope);
            let gain: f64 = (0..M).map(|i| step[i] * now.slope[i]).sum();
            let from = self.weights;
            let mut size = 1.0;
            let next = loop {
                for i in 0..M {
                    self.weights[i] = from[i] - size * step[i];
                }
                let next = self.slopes(samples);
                if next.loss <= now.loss || size < 1e-6 {
                    break next;
                }
                size *= 0.5;
            };
            now = next;
            if gain < 1e-9 {
                let factor = cholesky(&now.curvature)?;
                self.covariance = self.sandwich(samples, &factor);
                return Some(());
            }
        }
        None
    }

    fn point(&self, row: &Row) -> Vector {
        let mut point = [1.0; M];
        for j in 0..FEATURES {
            point[j + 1] = (row[j] - self.mean[j]) * self.scale[j];
        }
        point
    }

    fn slopes(&self, samples: &[Sample]) -> Slopes {
        let pieces = pieces(samples, |piece| {
            let mut sum = Slopes::default();
            for sample in piece {
                sum.add(&self.point(&sample.row), &self.weights, sample);
            }
            sum
        });
        let mut sum = Slopes::default();
        for piece in &pieces {
            sum.loss += piece.loss;
            for i in 0..M {
                sum.slope[i] += piece.slope[i];
                for j in 0..=i {
                    sum.curvature[i][j] += piece.curvature[i][j];
                }
            }
        }
        for i in 1..M {
            sum.loss += RIDGE * self.weights[i] * self.weights[i] / 2.0;
            sum.slope[i] += RIDGE * self.weights[i];
            sum.curvature[i][i] += RIDGE;
        }
        sum
    }

    /// The covariance of the weights that stays right although the samples of one user are alike (the sandwich of Huber and White,
    /// users being the clusters).
    fn sandwich(&self, samples: &[Sample], factor: &Matrix) -> Matrix {
        let mut middle = [[0.0; M]; M];
        for user in samples.chunk_by(|a, b| a.user == b.user) {
            let mut slope = [0.0; M];
            for sample in user {
                let point = self.point(&sample.row);
                let off = sample.weight * (logistic(dot(&self.weights, &point)) - label(sample));
                for i in 0..M {
                    slope[i] += off * point[i];
                }
            }
            for i in 0..M {
                for j in 0..M {
                    middle[i][j] += slope[i] * slope[j];
                }
            }
        }
        // H^-1 M H^-1, column by column, twice.
        let mut once = [[0.0; M]; M];
        for i in 0..M {
            once[i] = solve(factor, &middle[i]);
        }
        let mut twice = [[0.0; M]; M];
        for i in 0..M {
            let mut column = [0.0; M];
            for j in 0..M {
                column[j] = once[j][i];
            }
            twice[i] = solve(factor, &column);
        }
        twice
    }

    /// The log odds of a user's going away.
    pub(super) fn score(&self, row: &Row) -> f64 {
        dot(&self.weights, &self.point(row))
    }

    /// The variance of these log odds.
    pub(super) fn variance(&self, row: &Row) -> f64 {
        let point = self.point(row);
        let mut sum = 0.0;
        for i in 0..M {
            sum += point[i] * dot(&self.covariance[i], &point);
        }
        sum.max(0.0)
    }

    /// What each feature adds to the log odds over what it adds at another row.
    pub(super) fn contributions(&self, row: &Row, other: &Row) -> Row {
        let mut added = [0.0; FEATURES];
        for j in 0..FEATURES {
            added[j] = self.weights[j + 1] * self.scale[j] * (row[j] - other[j]);
        }
        added
    }
}

/// The loss over samples, its slope by the weights, and its curvature, of which the lower half is kept.
struct Slopes {
    loss: f64,
    slope: Vector,
    curvature: Matrix,
}

impl Default for Slopes {
    fn default() -> Self {
        Self {
            loss: 0.0,
            slope: [0.0; M],
            curvature: [[0.0; M]; M],
        }
    }
}

impl Slopes {
    fn add(&mut self, point: &Vector, weights: &Vector, sample: &Sample) {
        let score = dot(weights, point);
        let p = logistic(score);
        let off = sample.weight * (p - label(sample));
        let bend = sample.weight * p * (1.0 - p);
        self.loss += sample.weight * (softplus(score) - label(sample) * score);
        for i in 0..M {
            self.slope[i] += off * point[i];
            let bent = bend * point[i];
            for (curvature, x) in self.curvature[i].iter_mut().zip(point).take(i + 1) {
                *curvature += bent * x;
            }
        }
    }
}

fn label(sample: &Sample) -> f64 {
    f64::from(u8::from(sample.churned))
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower triangle whose product with its transpose is this matrix; none for one that is not positive definite.
fn cholesky(matrix: &Matrix) -> Option<Matrix> {
    let mut lower = [[0.0; M]; M];
    for i in 0..M {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = matrix[i][j] - inner;
            lower[i][j] = if i != j {
                rest / lower[j][j]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    Some(lower)
}

fn solve(lower: &Matrix, right: &Vector) -> Vector {
    let mut x = *right;
    for i in 0..M {
        let known: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
        x[i] = (x[i] - known) / lower[i][i];
    }
    for i in (0..M).rev() {
        let known: f64 = (i + 1..M).map(|k| lower[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / lower[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Users whose log odds are 0.8 · first feature - 0.5, at one cut-off, or at two that say the same twice.
    fn samples(copies: usize) -> Vec<Sample> {
        let mut samples = Vec::new();
        for user in 0..4_000 {
            let unit = |salt: u64| {
                let bits = (user as u64 * 2 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                ((bits ^ bits >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
                    / 9_007_199_254_740_992.0
            };
            let mut row = [0.0; FEATURES];
            row[0] = 4.0 * unit(0) - 2.0;
            let churned = unit(1) < logistic(0.8 * row[0] - 0.5);
            for _ in 0..copies {
                samples.push(Sample {
                    user,
                    row,
                    churned,
                    weight: 1.0,
                });
            }
        }
        samples
    }

    #[test]
    fn the_weights_that_made_the_users_are_found() {
        let hazard = Hazard::fit(&samples(1)).unwrap();
        let mut at = [0.0; FEATURES];
        let zero = hazard.score(&at);
        at[0] = 1.0;
        let one = hazard.score(&at);
        assert!(
            (zero + 0.5).abs() < 0.12 && (one - zero - 0.8).abs() < 0.1,
            "{zero} {one}"
        );
        let added = hazard.contributions(&at, &[0.0; FEATURES]);
        assert!((added.iter().sum::<f64>() - (one - zero)).abs() < 1e-12);
    }

    #[test]
    fn the_error_is_that_of_theory_and_does_not_shrink_by_saying_things_twice() {
        let (once, twice) = (samples(1), samples(2));
        let hazard = Hazard::fit(&once).unwrap();
        let row = [0.0; FEATURES];
        // At the mean of the only feature, the variance is about that of a share.
        let p = logistic(hazard.score(&row));
        let theory = 1.0 / (4_000.0 * p * (1.0 - p));
        let ratio = hazard.variance(&row) / theory;
        assert!((0.85..1.25).contains(&ratio), "{ratio}");
        let doubled = Hazard::fit(&twice).unwrap();
        let ratio = doubled.variance(&row) / hazard.variance(&row);
        assert!((0.95..1.05).contains(&ratio), "{ratio}");
    }

    #[test]
    fn what_separates_perfectly_gets_finite_weights() {
        let mut samples = samples(1);
        for sample in &mut samples {
            sample.churned = sample.row[0] > 0.0;
        }
        let hazard = Hazard::fit(&samples).unwrap();
        let score = hazard.score(&[2.0; FEATURES]);
        assert!(score.is_finite() && score > 3.0);
    }
}
