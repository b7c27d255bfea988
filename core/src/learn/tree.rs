//! A tree of a boosted model: what each step of gradient boosting adds.
//!
//! A leaf is −G/(H + λ), where G and H are the sums of the slopes and of the curvatures of its samples' losses, and a branch is the one
//! that raises Σ G²/(H + λ) over its two sides most.
#![expect(
    clippy::indexing_slicing,
    reason = "a numerical kernel: places are below the number of samples, features and nodes"
)]

use rayon::prelude::*;

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

/// A fitted tree.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// None where a node is not parted.
    branches: [Option<Branch>; BRANCHES],
    /// What each node says of those who reach it; a walk gives what its last node says.
    values: [f64; NODES],
}

/// A feature by which of its cuts each value is beyond.
pub(crate) struct Binned {
    cuts: Vec<f64>,
    bins: Vec<u8>,
}

impl Binned {
    pub(crate) fn of(values: &[f64]) -> Self {
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

impl Tree {
    /// What it says of a sample with these features.
    pub(crate) fn score(&self, features: &[f64]) -> f64 {
        let mut node = 0;
        while let Some((next, _)) = self.next(node, features) {
            node = next;
        }
        self.values[node]
    }

    /// What it says of those who reach a node.
    pub(crate) fn value(&self, node: usize) -> f64 {
        self.values[node]
    }

    /// Where a walk goes from a node, and by which feature.
    pub(crate) fn next(&self, node: usize, features: &[f64]) -> Option<(usize, usize)> {
        let branch = self.branches.get(node).copied().flatten()?;
        let right = usize::from(features[branch.feature] > branch.at);
        Some((2 * node + 1 + right, branch.feature))
    }
}

/// The next tree, and the node that each sample ends in.
pub(crate) fn grow(binned: &[&Binned], slopes: &[(f64, f64)]) -> (Tree, Vec<usize>) {
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
