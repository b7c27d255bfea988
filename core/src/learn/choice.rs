//! Gradient boosting of chances: a softmax over classes (J. Friedman, "Greedy Function Approximation", 2001, algorithm 6) that begins at
//! the logarithms of chances that are given, and mends them: F_k ← F_k + ηT_k in each round, for each class k.
#![expect(
    clippy::indexing_slicing,
    reason = "a numerical kernel: places are below the number of samples, features and classes"
)]

use rayon::prelude::*;

use super::tree::{Binned, Tree, grow};

const ROUNDS: usize = 30;

/// Trees that together mend the chances of classes.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// By class.
    trees: Vec<Vec<Tree>>,
}

/// What is known of one sample, or of many by column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Features<T> {
    /// By feature, what is the same for all classes.
    pub(crate) common: Vec<T>,
    /// By class and feature, what is of a class.
    pub(crate) own: Vec<Vec<T>>,
    /// By class, the logarithm of the chance to begin at.
    pub(crate) start: Vec<T>,
}

impl Features<Vec<f64>> {
    /// Samples by column; all have as many features and classes.
    pub(crate) fn columns(rows: &[Features<f64>]) -> Self {
        let Some(first) = rows.first() else {
            return Self::default();
        };
        let column = |of: &dyn Fn(&Features<f64>) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
        Self {
            common: (0..first.common.len())
                .map(|f| column(&|row| row.common[f]))
                .collect(),
            own: (0..first.own.len())
                .map(|k| {
                    (0..first.own[k].len())
                        .map(|f| column(&|row| row.own[k][f]))
                        .collect()
                })
                .collect(),
            start: (0..first.start.len())
                .map(|k| column(&|row| row.start[k]))
                .collect(),
        }
    }
}

impl Choice {
    /// The trees that lose least, round by round, of samples by column and the class that came of each; the same on any number of threads.
    pub(crate) fn fit(samples: &Features<Vec<f64>>, came: &[usize]) -> Self {
        let bin = |columns: &[Vec<f64>]| -> Vec<Binned> {
            columns.par_iter().map(|f| Binned::of(f)).collect()
        };
        let common = bin(&samples.common);
        let own: Vec<Vec<Binned>> = samples.own.iter().map(|of| bin(of)).collect();
        let columns: Vec<Vec<&Binned>> = own
            .iter()
            .map(|own| common.iter().chain(own).collect())
            .collect();
        let mut scores = samples.start.clone();
        let mut trees = vec![Vec::with_capacity(ROUNDS); scores.len()];
        for _ in 0..ROUNDS {
            let chances = softmax(&scores, came.len());
            let grown: Vec<Tree> = columns
                .par_iter()
                .zip(&chances)
                .zip(&mut scores)
                .enumerate()
                .map(|(class, ((columns, chances), scores))| {
                    let slopes: Vec<(f64, f64)> = chances
                        .iter()
                        .zip(came)
                        .map(|(p, came)| (p - f64::from(u8::from(*came == class)), p * (1.0 - p)))
                        .collect();
                    let (tree, nodes) = grow(columns, &slopes);
                    for (score, node) in scores.iter_mut().zip(nodes) {
                        *score += tree.value(node);
                    }
                    tree
                })
                .collect();
            for (of, tree) in trees.iter_mut().zip(grown) {
                of.push(tree);
            }
        }
        Self { trees }
    }

    /// The chances of the classes of one sample.
    pub(crate) fn chances(&self, sample: &Features<f64>) -> Vec<f64> {
        let mut row = sample.common.clone();
        let scores = self.trees.iter().zip(&sample.own).zip(&sample.start);
        let scores: Vec<Vec<f64>> = scores
            .map(|((trees, own), start)| {
                row.truncate(sample.common.len());
                row.extend_from_slice(own);
                vec![start + trees.iter().map(|t| t.score(&row)).sum::<f64>()]
            })
            .collect();
        softmax(&scores, 1).into_iter().flatten().collect()
    }
}

/// By class and sample, the chances of scores by class and sample.
fn softmax(scores: &[Vec<f64>], samples: usize) -> Vec<Vec<f64>> {
    let mut most = vec![f64::NEG_INFINITY; samples];
    for of in scores {
        for (most, score) in most.iter_mut().zip(of) {
            *most = most.max(*score);
        }
    }
    let mut chances: Vec<Vec<f64>> = scores
        .iter()
        .map(|of| {
            let powers = of.iter().zip(&most).map(|(s, most)| libm::exp(s - most));
            powers.collect()
        })
        .collect();
    let mut sums = vec![0.0; samples];
    for of in &chances {
        sums.iter_mut().zip(of).for_each(|(sum, p)| *sum += p);
    }
    for of in &mut chances {
        of.iter_mut().zip(&sums).for_each(|(p, sum)| *p /= sum);
    }
    chances
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of three classes, the first comes where one feature is small, otherwise the second or third by a feature of their own.
    fn samples(n: usize) -> (Features<Vec<f64>>, Vec<usize>) {
        let unit = |i: usize, salt: usize| {
            let bits = ((i * 3 + salt) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
                / 9_007_199_254_740_992.0
        };
        let column = |salt: usize| -> Vec<f64> { (0..n).map(|i| unit(i, salt)).collect() };
        let (small, mine) = (column(0), column(1));
        let came = (0..n).map(|i| match (small[i] < 0.3, mine[i] < 0.5) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        });
        let came = came.collect();
        let features = Features {
            common: vec![small],
            own: vec![vec![mine]; 3],
            start: vec![vec![(1.0_f64 / 3.0).ln(); n]; 3],
        };
        (features, came)
    }

    fn one(small: f64, mine: f64) -> Features<f64> {
        Features {
            common: vec![small],
            own: vec![vec![mine]; 3],
            start: vec![(1.0_f64 / 3.0).ln(); 3],
        }
    }

    #[test]
    fn what_chances_leave_out_is_mended_and_they_add_up_to_1() {
        let (features, came) = samples(3_000);
        let choice = Choice::fit(&features, &came);
        for (sample, class) in [(one(0.1, 0.9), 0), (one(0.8, 0.2), 1), (one(0.8, 0.9), 2)] {
            let chances = choice.chances(&sample);
            assert!(chances[class] > 0.9, "{chances:?}");
            assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let again = pool.install(|| Choice::fit(&features, &came));
        assert_eq!(
            again.chances(&one(0.4, 0.4)),
            choice.chances(&one(0.4, 0.4))
        );
    }

    #[test]
    fn what_says_nothing_leaves_chances_as_they_are() {
        let n = 900;
        let features = Features {
            common: vec![vec![1.0; n]],
            own: vec![Vec::new(); 3],
            start: vec![vec![(1.0_f64 / 3.0).ln(); n]; 3],
        };
        let came: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let choice = Choice::fit(&features, &came);
        let mut sample = one(1.0, 0.0);
        sample.own = vec![Vec::new(); 3];
        for p in choice.chances(&sample) {
            assert!((p - 1.0 / 3.0).abs() < 1e-9, "{p}");
        }
        let nothing = Choice::fit(&Features::default(), &[]);
        assert!(nothing.chances(&Features::default()).is_empty());
    }
}
