//! Trees that mend the chances of the chain by what else is known of a user, and whether they win over it.

use rayon::prelude::*;
use serde::Serialize;

use super::classes::Classes;
use super::habit::{Habit, Sample};
use crate::learn::chain::{Chain, Chance};
use crate::learn::choice::{Choice, Features};
use crate::learn::special::logit;
use crate::query::{Instant, Rate};

/// How good the chain and the trees were for what users did next from instants of the latest fifth of actions on, both learned from what
/// was done before it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backtest {
    /// The instant that about four fifths of the actions lie before.
    pub split_at: Instant,
    /// How many actions were foretold: at up to four instants of a user after it.
    pub actions: u64,
    /// The chain.
    pub markov: Score,
    /// The trees.
    pub boosting: Score,
}

/// How good chances were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// How often the action was the likeliest one.
    pub top_one: Rate,
    /// How often it was one of the three likeliest.
    pub top_three: Rate,
    /// The mean of minus the logarithm of the chance given to the action that came.
    pub log_loss: f64,
}

/// The trees of all users, and those that each third of the users had no part in, by which they differ.
#[derive(Clone, Debug)]
pub(super) struct Boosted {
    whole: Trees,
    folds: Vec<Trees>,
}

const FOLDS: u64 = 3;
/// So many samples must be there, before and then, for trees to be trusted.
const LEAST: usize = 300;
/// Trees must lose this much less than the chain.
const MARGIN: f64 = 0.99;

/// What was learned from, and when.
pub(super) struct Lessons<'a> {
    /// What came within the fifth before the latest, and within the latest.
    pub(super) samples: [Vec<Sample>; 2],
    /// The chains of what was done before each.
    pub(super) chains: [&'a Chain; 2],
    pub(super) order: usize,
    pub(super) split_at: Instant,
}

impl Lessons<'_> {
    /// How good chain and trees were, and the trees where they won; none where there is too little to tell.
    pub(super) fn learn(mut self) -> Option<(Backtest, Option<Boosted>)> {
        if self.samples.iter().any(|s| s.len() < LEAST) {
            return None;
        }
        // In an order that depends on nothing but what was done, so that sums are the same to the last digit.
        self.samples.iter_mut().for_each(|s| s.sort_unstable());
        let [before, then] = &self.samples;
        let [past, known] = self.chains;
        let trees = Trees::fit(&before.iter().collect::<Vec<_>>(), past, self.order);
        let backtest = Backtest {
            split_at: self.split_at,
            actions: then.len() as u64,
            markov: score(then, |habit| known.chances(habit.context, self.order)),
            boosting: score(then, |habit| trees.chances(habit, known, self.order)),
        };
        let wins = backtest.boosting.log_loss < MARGIN * backtest.markov.log_loss;
        let boosted = wins.then(|| {
            let of = |keep: &dyn Fn(&Sample) -> bool| {
                let kept: Vec<&Sample> = then.iter().filter(|s| keep(s)).collect();
                Trees::fit(&kept, known, self.order)
            };
            let whole = of(&|_| true);
            Boosted {
                folds: (0..FOLDS)
                    .map(|fold| of(&|s| s.user % FOLDS != fold))
                    .collect(),
                whole,
            }
        });
        Some((backtest, boosted))
    }
}

impl Boosted {
    /// The chances of a user's next action, in the order of the chain's actions.
    pub(super) fn chances(&self, habit: &Habit, chain: &Chain, order: usize) -> Vec<Chance> {
        self.whole.chances(habit, chain, order)
    }

    /// By action of the chain, the standard error of the log odds of these: by how much they move where a third of the users is left out (the
    /// jackknife of groups; Tukey, 1958).
    pub(super) fn errors(&self, habit: &Habit, chain: &Chain, order: usize) -> Vec<f64> {
        let odds = |trees: &Trees| -> Vec<f64> {
            let chances = trees.chances(habit, chain, order);
            chances.iter().map(|c| logit(c.probability)).collect()
        };
        let folds: Vec<Vec<f64>> = self.folds.iter().map(odds).collect();
        let k = folds.len().max(1) as f64;
        let actions = folds.first().map_or(0, Vec::len);
        let error = |action: usize| {
            let each = || folds.iter().filter_map(|f| f.get(action));
            let mean = each().sum::<f64>() / k;
            let squares: f64 = each().map(|x| (x - mean) * (x - mean)).sum();
            ((k - 1.0) / k * squares).sqrt()
        };
        (0..actions).map(error).collect()
    }
}

/// Trees and the classes that they tell apart.
#[derive(Clone, Debug)]
struct Trees {
    classes: Classes,
    choice: Choice,
}

impl Trees {
    fn fit(samples: &[&Sample], chain: &Chain, order: usize) -> Self {
        let classes = Classes::of_samples(samples);
        let rows: Vec<Features<f64>> = samples
            .par_iter()
            .map(|s| s.habit.features(&classes, chain, order))
            .collect();
        let came: Vec<usize> = samples.iter().map(|s| classes.of(s.came)).collect();
        Self {
            choice: Choice::fit(&Features::columns(&rows), &came),
            classes,
        }
    }

    fn chances(&self, habit: &Habit, chain: &Chain, order: usize) -> Vec<Chance> {
        let features = habit.features(&self.classes, chain, order);
        let mended = self.choice.chances(&features);
        let of = |class: usize| mended.get(class).copied().unwrap_or_default();
        let mut chances = chain.chances(habit.context, order);
        // All others share theirs as they do by the chain; something new is one of them.
        let alone = chances.iter().filter(|c| self.classes.alone(c.action));
        let others = 1.0 - alone.map(|c| c.probability).sum::<f64>();
        let share = of(self.classes.count() - 1) / others.max(1e-12);
        for chance in &mut chances {
            chance.probability = if self.classes.alone(chance.action) {
                of(self.classes.of(chance.action))
            } else {
                (chance.probability * share).max(1e-15)
            };
        }
        chances
    }
}

/// Holds chances against what came.
fn score(samples: &[Sample], chances: impl Fn(&Habit) -> Vec<Chance> + Sync) -> Score {
    let judged: Vec<(u64, u64, f64)> = samples
        .par_iter()
        .map(|sample| {
            let chances = chances(&sample.habit);
            let found = chances.iter().find(|c| c.action == sample.came);
            let Some(found) = found else {
                let new = 1.0 - chances.iter().map(|c| c.probability).sum::<f64>();
                return (0, 0, -libm::log(new.max(1e-15)));
            };
            let better = chances.iter().filter(|c| before(c, found)).count();
            let loss = -libm::log(found.probability.max(1e-15));
            (u64::from(better < 1), u64::from(better < 3), loss)
        })
        .collect();
    let n = judged.len() as u64;
    Score {
        top_one: Rate::of(judged.iter().map(|j| j.0).sum(), n),
        top_three: Rate::of(judged.iter().map(|j| j.1).sum(), n),
        log_loss: judged.iter().map(|j| j.2).sum::<f64>() / n.max(1) as f64,
    }
}

/// Whether one action stands before another: the likelier, of equals the first by name.
fn before(one: &Chance, other: &Chance) -> bool {
    (one.probability, other.action) > (other.probability, one.action)
}
