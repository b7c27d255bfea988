//! Gradient boosting of trees on the logistic loss (J. Friedman, "Greedy Function Approximation", 2001; T. Chen and C. Guestrin,
//! "XGBoost", 2016).
//!
//! F ← F + ηT in each round. A leaf of the tree T is −G/(H + λ), where G and H are the sums of the slopes and of the curvatures of
//! its users' losses, and a branch is the one that raises Σ G²/(H + λ) over its two sides most.
#![expect(
    clippy::indexing_slicing,
    reason = "a numerical kernel: places are below the number of samples, features and nodes"
)]

use rayon::prelude::*;

use super::special::logistic;

const ROUNDS: usize = 60;
const RATE: f64 = 0.15;
const DEPTH: usize = 3;
/// The branches and all nodes of a tree whose nodes have their children at 2k + 1 and 2k + 2.
const BRANCHES: usize = (1 << DEPTH) - 1;
const NODES: usize = (1 << (DEPTH + 1)) - 1;
/// λ: as if so much curvature said nothing.
const RIDGE: f64 = 5.0;
/// No side of a branch has less curvature than this: about so many users whose churn is an even bet, times four.
const LEAST: f64 = 5.0;
/// Features are cut at so many of their quantiles at most.
const CUTS: usize = 63;

/// Where a walk goes left: at most so much of a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Branch {
    feature: usize,
    at: f64,
}

#[derive(Clone, Debug)]
struct Tree {
    /// None where a node is not parted.
    branches: [Option<Branch>; BRANCHES],
    /// What each node says of those who reach it; a walk gives what its last node says.
    values: [f64; NODES],
}

/// Trees that together say the log odds of churn.
#[derive(Clone, Debug)]
pub(super) struct Boost {
    first: f64,
    trees: Vec<Tree>,
}

/// Samples by column: the features, what came, and how much each counts.
pub(super) struct Samples<'a> {
    pub(super) features: &'a [Vec<f64>],
    pub(super) churned: &'a [bool],
    pub(super) weights: &'a [f64],
}

/// A feature by which of its cuts each value is beyond.
struct Binned {
    cuts: Vec<f64>,
    bins: Vec<u8>,
}

impl Binned {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.dedup();
        let cuts: Vec<f64> = if sorted.len() <= CUTS + 1 {
            let middles = sorted
                .windows(2)
                .map(|pair| f64::midpoint(pair[0], pair[1]));
            middles.collect()
        } else {
            let mut all = values.to_vec();
            all.sort_unstable_by(f64::total_cmp);
            let quantile = |k: usize| all[k * (all.len() - 1) / (CUTS + 1)];
            let mut cuts: Vec<f64> = (1..=CUTS).map(quantile).collect();
            cuts.dedup();
            cuts
        };
        let bins = values
            .iter()
            .map(|v| cuts.partition_point(|cut| cut < v) as u8);
        Self {
            bins: bins.collect(),
            cuts,
        }
    }
}

/// The best branch of a node.
#[derive(Clone, Copy, Default)]
struct Best {
    gain: f64,
    feature: usize,
    cut: usize,
}

fn worth(slope: f64, curvature: f64) -> f64 {
    slope * slope / (curvature + RIDGE)
}

impl Boost {
    /// The trees that lose least, round by round; the same on any number of threads.
    pub(super) fn fit(samples: &Samples<'_>) -> Self {
        let n = samples.churned.len();
        let total: f64 = samples.weights.iter().sum();
        let gone = samples.churned.iter().zip(samples.weights);
        let gone: f64 = gone.filter(|s| *s.0).map(|s| *s.1).sum();
        let first = libm::log((gone + 0.5) / (total - gone + 0.5));
        let binned: Vec<Binned> = samples.features.par_iter().map(|f| Binned::of(f)).collect();
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
                *score += tree.values[node];
            }
            trees.push(tree);
        }
        Self { first, trees }
    }

    /// The log odds of a user with these features.
    pub(super) fn score(&self, features: &[f64]) -> f64 {
        let mut score = self.first;
        for tree in &self.trees {
            let mut node = 0;
            while let Some(next) = tree.next(node, features) {
                node = next.0;
            }
            score += tree.values[node];
        }
        score
    }

    /// The log odds before anything is known of a user.
    pub(super) fn base(&self) -> f64 {
        self.first + self.trees.iter().map(|t| t.values[0]).sum::<f64>()
    }

    /// What each feature adds to these: along each walk, what a node says less what the one before it said.
    pub(super) fn contributions(&self, features: &[f64]) -> Vec<f64> {
        let mut added = vec![0.0; features.len()];
        for tree in &self.trees {
            let mut node = 0;
            while let Some((next, feature)) = tree.next(node, features) {
                added[feature] += tree.values[next] - tree.values[node];
                node = next;
            }
        }
        added
    }
}

impl Tree {
    /// Where a walk goes from a node, and by which feature.
    fn next(&self, node: usize, features: &[f64]) -> Option<(usize, usize)> {
        let branch = self.branches.get(node).copied().flatten()?;
        let right = usize::from(features[branch.feature] > branch.at);
        Some((2 * node + 1 + right, branch.feature))
    }
}

/// The next tree, and the node that each sample ends in.
fn grow(binned: &[Binned], slopes: &[(f64, f64)]) -> (Tree, Vec<usize>) {
    let mut tree = Tree {
        branches: [None; BRANCHES],
        values: [0.0; NODES],
    };
    let mut nodes = vec![0_usize; slopes.len()];
    let mut sums = [(0.0, 0.0); NODES];
    for (slope, curvature) in slopes {
        sums[0].0 += slope;
        sums[0].1 += curvature;
    }
    for depth in 0..DEPTH {
        let (from, count) = ((1 << depth) - 1, 1 << depth);
        let each = binned
            .par_iter()
            .map(|feature| candidates(feature, slopes, &nodes, &sums, (from, count)));
        let found: Vec<Vec<Best>> = each.collect();
        for k in 0..count {
            let mut best = Best::default();
            for (feature, of) in found.iter().enumerate() {
                if of[k].gain > best.gain {
                    best = Best { feature, ..of[k] };
                }
            }
            if best.gain > 1e-9 {
                tree.branches[from + k] = Some(Branch {
                    feature: best.feature,
                    at: binned[best.feature].cuts[best.cut],
                });
            }
        }
        for (i, node) in nodes.iter_mut().enumerate() {
            if *node < from {
                continue;
            }
            if let Some(branch) = tree.branches[*node] {
                let feature = &binned[branch.feature];
                let right = usize::from(
                    feature
                        .cuts
                        .get(usize::from(feature.bins[i]))
                        .is_none_or(|cut| *cut > branch.at),
                );
                *node = 2 * *node + 1 + right;
                sums[*node].0 += slopes[i].0;
                sums[*node].1 += slopes[i].1;
            }
        }
    }
    for (value, (slope, curvature)) in tree.values.iter_mut().zip(sums) {
        *value = -RATE * slope / (curvature + RIDGE);
    }
    (tree, nodes)
}

/// The best cut of a feature for each node of a depth.
fn candidates(
    feature: &Binned,
    slopes: &[(f64, f64)],
    nodes: &[usize],
    sums: &[(f64, f64); NODES],
    (from, count): (usize, usize),
) -> Vec<Best> {
    let mut histograms = vec![[(0.0, 0.0); CUTS + 1]; count];
    for ((node, bin), (slope, curvature)) in nodes.iter().zip(&feature.bins).zip(slopes) {
        if let Some(histogram) = node.checked_sub(from).and_then(|k| histograms.get_mut(k)) {
            let cell = &mut histogram[usize::from(*bin)];
            cell.0 += slope;
            cell.1 += curvature;
        }
    }
    let best = |(k, histogram): (usize, &[(f64, f64); CUTS + 1])| {
        let (slope, curvature) = sums[from + k];
        let whole = worth(slope, curvature);
        let (mut left, mut best) = ((0.0, 0.0), Best::default());
        for (cut, cell) in histogram.iter().enumerate().take(feature.cuts.len()) {
            left.0 += cell.0;
            left.1 += cell.1;
            let right = (slope - left.0, curvature - left.1);
            if left.1 < LEAST || right.1 < LEAST {
                continue;
            }
            let gain = worth(left.0, left.1) + worth(right.0, right.1) - whole;
            if gain > best.gain {
                best = Best {
                    gain,
                    cut,
                    ..Best::default()
                };
            }
        }
        best
    };
    histograms.iter().enumerate().map(best).collect()
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
