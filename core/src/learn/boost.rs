//! Gradient boosting of trees on the logistic loss (J. Friedman, "Greedy Function Approximation", 2001; T. Chen and C. Guestrin,
//! "XGBoost", 2016): F ← F + ηT in each round.
#![expect(
    clippy::indexing_slicing,
    reason = "a numerical kernel: places are below the number of samples, features and nodes"
)]

use rayon::prelude::*;

use super::special::logistic;
use super::tree::{Binned, Tree, grow};

const ROUNDS: usize = 60;

/// Trees that together say the log odds of churn.
#[derive(Clone, Debug)]
pub(crate) struct Boost {
    first: f64,
    trees: Vec<Tree>,
}

/// Samples by column: the features, what came, and how much each counts.
pub(crate) struct Samples<'a> {
    pub(crate) features: &'a [Vec<f64>],
    pub(crate) churned: &'a [bool],
    pub(crate) weights: &'a [f64],
}

impl Boost {
    /// The trees that lose least, round by round; the same on any number of threads.
    pub(crate) fn fit(samples: &Samples<'_>) -> Self {
        let n = samples.churned.len();
        let total: f64 = samples.weights.iter().sum();
        let gone = samples.churned.iter().zip(samples.weights);
        let gone: f64 = gone.filter(|s| *s.0).map(|s| *s.1).sum();
        let first = libm::log((gone + 0.5) / (total - gone + 0.5));
        let binned: Vec<Binned> = samples.features.par_iter().map(|f| Binned::of(f)).collect();
        let binned: Vec<&Binned> = binned.iter().collect();
        let mut scores = vec![first; n];
        let mut trees = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let slopes: Vec<(f64, f64)> = (0..n)
                .map(|i| {
                    let p = logistic(scores[i]);
                    let label = f64::from(u8::from(samples.churned[i]));
                    let weight = samples.weights[i];
                    (weight * (p - label), weight * p * (1.0 - p))
                })
                .collect();
            let (tree, nodes) = grow(&binned, &slopes);
            for (score, node) in scores.iter_mut().zip(nodes) {
                *score += tree.value(node);
            }
            trees.push(tree);
        }
        Self { first, trees }
    }

    /// The log odds of a user with these features.
    pub(crate) fn score(&self, features: &[f64]) -> f64 {
        let mut score = self.first;
        for tree in &self.trees {
            score += tree.score(features);
        }
        score
    }

    /// The log odds before anything is known of a user.
    pub(crate) fn base(&self) -> f64 {
        self.first + self.trees.iter().map(|t| t.value(0)).sum::<f64>()
    }

    /// What each feature adds to these: along each walk, what a node says less what the one before it said.
    pub(crate) fn contributions(&self, features: &[f64]) -> Vec<f64> {
        let mut added = vec![0.0; features.len()];
        for tree in &self.trees {
            let mut node = 0;
            while let Some((next, feature)) = tree.next(node, features) {
                added[feature] += tree.value(next) - tree.value(node);
                node = next;
            }
        }
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(i: usize, salt: usize) -> f64 {
        let bits = ((i * 7 + salt) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
            / 9_007_199_254_740_992.0
    }

    /// Whether the log odds are 2 or −2 depends on whether two features are both above or both below a half, which no sum of
    /// weights says; a third feature says nothing.
    fn samples(n: usize) -> (Vec<Vec<f64>>, Vec<bool>, Vec<f64>) {
        let features: Vec<Vec<f64>> = (0..3)
            .map(|f| (0..n).map(|i| unit(i, f)).collect())
            .collect();
        let churned = (0..n).map(|i| {
            let alike = (features[0][i] > 0.5) == (features[1][i] > 0.5);
            unit(i, 5) < logistic(if alike { 2.0 } else { -2.0 })
        });
        let churned = churned.collect();
        (features, churned, vec![1.0; n])
    }

    #[test]
    fn what_depends_on_two_features_together_is_found() {
        let (features, churned, weights) = samples(6_000);
        let asked = Samples {
            features: &features,
            churned: &churned,
            weights: &weights,
        };
        let boost = Boost::fit(&asked);
        for (x, expected) in [
            ([0.2, 0.2, 0.5], 2.0),
            ([0.8, 0.8, 0.1], 2.0),
            ([0.2, 0.8, 0.9], -2.0),
            ([0.8, 0.2, 0.4], -2.0),
        ] {
            let score = boost.score(&x);
            assert!((score - expected).abs() < 0.6, "{x:?}: {score}");
            let added: f64 = boost.contributions(&x).iter().sum();
            assert!((boost.base() + added - score).abs() < 1e-9);
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let again = pool.install(|| Boost::fit(&asked));
        assert_eq!(
            again.score(&[0.3, 0.6, 0.1]).to_bits(),
            boost.score(&[0.3, 0.6, 0.1]).to_bits()
        );
    }

    #[test]
    fn what_says_nothing_or_is_too_little_gives_the_share_that_churned() {
        let constant = [vec![1.0; 400]];
        let churned: Vec<bool> = (0..400).map(|i| i % 4 == 0).collect();
        let boost = Boost::fit(&Samples {
            features: &constant,
            churned: &churned,
            weights: &vec![1.0; 400],
        });
        let p = logistic(boost.score(&[1.0]));
        assert!((p - 0.25).abs() < 0.01, "{p}");
        let few = Boost::fit(&Samples {
            features: &[vec![0.0, 1.0]],
            churned: &[true, false],
            weights: &[1.0, 1.0],
        });
        assert!(few.score(&[0.0]).abs() < 1e-9);
        let none = Boost::fit(&Samples {
            features: &[Vec::new()],
            churned: &[],
            weights: &[],
        });
        assert!(none.score(&[3.0]).is_finite());
    }
}
