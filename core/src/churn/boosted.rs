//! Boosted trees over what is known of users and their attributes, and whether they win over the regression.

use std::collections::BTreeMap;

use super::features::{FEATURES, Row};
use super::hazard::{Hazard, Sample};
use super::measure::log_loss;
use crate::learn::boost::{Boost, Samples};
use crate::learn::special::{logistic, logit};

/// What is known of a user's attributes: the ranks of their values; none for one that was never said.
pub(super) type Known = Vec<Option<u32>>;

/// A sample, and what was known of the attributes of its user.
pub(super) type Wide = (Sample, Known);

/// How much more often users with a value of an attribute churned than others, as a difference of log odds.
#[derive(Clone, Debug)]
struct Encoder(BTreeMap<Option<u32>, f64>);

/// A value is taken to have been seen with so many more users of the common share.
const PRIOR: f64 = 20.0;

impl Encoder {
    fn of(samples: &[&Wide], which: usize) -> Self {
        let mut sums: BTreeMap<Option<u32>, (f64, f64)> = BTreeMap::new();
        let mut all = (0.0, 0.0);
        for (sample, known) in samples {
            let value = known.get(which).copied().flatten();
            let gone = sample.weight * f64::from(u8::from(sample.churned));
            for sum in [sums.entry(value).or_default(), &mut all] {
                sum.0 += gone;
                sum.1 += sample.weight;
            }
        }
        let share = (all.0 + 0.5) / (all.1 + 1.0);
        let odds =
            |(gone, of): (f64, f64)| logit((gone + PRIOR * share) / (of + PRIOR)) - logit(share);
        Self(
            sums.into_iter()
                .map(|(value, s)| (value, odds(s)))
                .collect(),
        )
    }

    /// A value that was never seen says nothing.
    fn at(&self, value: Option<u32>) -> f64 {
        self.0.get(&value).copied().unwrap_or(0.0)
    }
}

/// Trees fitted to some samples.
#[derive(Clone, Debug)]
struct Fitted {
    encoders: Vec<Encoder>,
    boost: Boost,
}

impl Fitted {
    fn of(samples: &[&Wide]) -> Self {
        let attributes = samples.first().map_or(0, |s| s.1.len());
        let encoders: Vec<Encoder> = (0..attributes)
            .map(|which| Encoder::of(samples, which))
            .collect();
        let rows: Vec<Vec<f64>> = samples
            .iter()
            .map(|(sample, known)| features(&encoders, &sample.row, known))
            .collect();
        let column = |f: usize| -> Vec<f64> {
            let values = rows.iter().filter_map(|row| row.get(f).copied());
            values.collect()
        };
        let columns: Vec<Vec<f64>> = (0..FEATURES + attributes).map(column).collect();
        let churned: Vec<bool> = samples.iter().map(|s| s.0.churned).collect();
        let weights: Vec<f64> = samples.iter().map(|s| s.0.weight).collect();
        let boost = Boost::fit(&Samples {
            features: &columns,
            churned: &churned,
            weights: &weights,
        });
        Self { encoders, boost }
    }

    fn score(&self, row: &Row, known: &Known) -> f64 {
        self.boost.score(&features(&self.encoders, row, known))
    }
}

fn features(encoders: &[Encoder], row: &Row, known: &Known) -> Vec<f64> {
    let told = encoders.iter().zip(known).map(|(e, value)| e.at(*value));
    row.iter().copied().chain(told).collect()
}

/// The trees of all users, and those that each fifth of the users had no part in, by which they differ.
#[derive(Clone, Debug)]
pub(super) struct Boosted {
    whole: Fitted,
    folds: Vec<Fitted>,
}

const FOLDS: usize = 5;

/// So many users must have gone and stayed, then and before, for trees to be trusted.
const LEAST: usize = 200;

/// Trees must lose this much less than the regression.
const MARGIN: f64 = 0.99;

impl Boosted {
    /// Whether trees of the older samples lose less on the newest ones, which come first, than the regression does.
    pub(super) fn wins(samples: &[Wide], newest: usize) -> bool {
        let Some((new, old)) = samples.split_at_checked(newest) else {
            return false;
        };
        let enough = |of: &[Wide]| {
            let gone = of.iter().filter(|s| s.0.churned).count();
            gone.min(of.len() - gone) >= LEAST
        };
        if !enough(new) || !enough(old) {
            return false;
        }
        let mut plain: Vec<Sample> = old.iter().map(|s| s.0).collect();
        plain.sort_by_key(|s| s.user);
        let Some(hazard) = Hazard::fit(&plain) else {
            return true;
        };
        let trees = Fitted::of(&old.iter().collect::<Vec<_>>());
        let loss = |score: &dyn Fn(&Wide) -> f64| {
            let judged = new.iter().map(|s| (logistic(score(s)), s.0.churned));
            log_loss(&judged.collect::<Vec<_>>())
        };
        loss(&|s| trees.score(&s.0.row, &s.1)) < MARGIN * loss(&|s| hazard.score(&s.0.row))
    }

    /// Trees of all samples, and the scores of the newest by trees that their users had no part in.
    pub(super) fn fit(samples: &[Wide], newest: usize) -> (Self, Vec<(f64, bool)>) {
        let folds: Vec<Fitted> = (0..FOLDS)
            .map(|fold| {
                let others = samples.iter().filter(|s| s.0.user % FOLDS != fold);
                Fitted::of(&others.collect::<Vec<_>>())
            })
            .collect();
        let scored = samples.iter().take(newest).filter_map(|(sample, known)| {
            let fold = folds.get(sample.user % FOLDS)?;
            Some((fold.score(&sample.row, known), sample.churned))
        });
        let scored = scored.collect();
        let whole = Fitted::of(&samples.iter().collect::<Vec<_>>());
        (Self { whole, folds }, scored)
    }

    /// The log odds of a user.
    pub(super) fn score(&self, row: &Row, known: &Known) -> f64 {
        self.whole.score(row, known)
    }

    /// Their variance, by how much they move where a fifth of the users is left out (the jackknife of groups; Tukey, 1958).
    pub(super) fn variance(&self, row: &Row, known: &Known) -> f64 {
        let scores: Vec<f64> = self.folds.iter().map(|f| f.score(row, known)).collect();
        let k = scores.len().max(1) as f64;
        let mean = scores.iter().sum::<f64>() / k;
        let squares: f64 = scores.iter().map(|s| (s - mean) * (s - mean)).sum();
        (k - 1.0) / k * squares
    }

    /// The log odds before anything is known of a user.
    pub(super) fn base(&self) -> f64 {
        self.whole.boost.base()
    }

    /// What each feature adds to these, and each attribute.
    pub(super) fn contributions(&self, row: &Row, known: &Known) -> (Row, Vec<f64>) {
        let features = features(&self.whole.encoders, row, known);
        let added = self.whole.boost.contributions(&features);
        let mut own = [0.0; FEATURES];
        own.iter_mut()
            .zip(&added)
            .for_each(|(to, from)| *to = *from);
        (own, added.into_iter().skip(FEATURES).collect())
    }
}
