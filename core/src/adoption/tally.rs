//! Counts users cell by cell.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: features, buckets and frequencies are below those of the question"
)]

use super::people::Who;
use super::plan::{Count, Plan, Scratch, Sink};
use crate::error::Result;
use crate::timeline::View;

/// The numbers of an answer.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) active: u64,
    pub(super) unused: u64,
    pub(super) features: Vec<Counts>,
    /// By number of features, from 1, and frequency.
    pub(super) breadth: Vec<Vec<u64>>,
}

/// The numbers of a feature.
#[derive(Debug, Default)]
pub(super) struct Counts {
    who: [u64; Who::COUNT],
    pub(super) uses: u64,
    pub(super) first: Vec<u64>,
    /// Microseconds from exposure to adoption.
    pub(super) times: Vec<i64>,
    /// Microseconds for which those were watched who still can adopt, and how many were watched to the end.
    pub(super) watched: Vec<i64>,
    pub(super) passed: usize,
}

impl Counts {
    /// Users of a kind.
    pub(super) fn of(&self, who: Who) -> u64 {
        self.who[who as usize]
    }
}

impl Tally {
    fn new(plan: &Plan<'_>) -> Self {
        let features = plan.question.features.len();
        let counts = || Counts {
            first: vec![0; plan.rows.len()],
            ..Counts::default()
        };
        Self {
            features: std::iter::repeat_with(counts).take(features).collect(),
            breadth: vec![vec![0; plan.question.frequencies.len()]; features],
            ..Self::default()
        }
    }

    /// One pass over all users.
    pub(super) fn run(plan: &Plan<'_>, view: &View<'_>) -> Result<Self> {
        let (tally, _) = view.fold(
            || (Self::new(plan), Scratch::default()),
            |(tally, scratch), t| plan.each(&t, scratch, tally),
            |(a, scratch), (b, _)| (a.merge(b), scratch),
        )?;
        Ok(tally)
    }

    fn merge(mut self, mut other: Self) -> Self {
        let sum = |a: &mut [u64], b: &[u64]| a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
        self.active += other.active;
        self.unused += other.unused;
        for (a, b) in self.features.iter_mut().zip(&mut other.features) {
            sum(&mut a.who, &b.who);
            sum(&mut a.first, &b.first);
            a.uses += b.uses;
            a.passed += b.passed;
            a.times.append(&mut b.times);
            a.watched.append(&mut b.watched);
        }
        for (a, b) in self.breadth.iter_mut().zip(&other.breadth) {
            sum(a, b);
        }
        self
    }
}

impl Sink for Tally {
    #[inline]
    fn count(&mut self, count: Count) {
        match count {
            Count::Active => self.active += 1,
            Count::Feature(feature, who) => self.features[feature].who[who as usize] += 1,
            Count::First(feature, bucket) => self.features[feature].first[bucket] += 1,
            Count::Unused => self.unused += 1,
            Count::Breadth(features, often) => self.breadth[features - 1][often] += 1,
        }
    }

    fn uses(&mut self, feature: usize, uses: u64) {
        self.features[feature].uses += uses;
    }

    fn adopted(&mut self, feature: usize, after: i64) {
        self.features[feature].times.push(after);
    }

    fn watched(&mut self, feature: usize, time: Option<i64>) {
        match time {
            Some(time) => self.features[feature].watched.push(time),
            None => self.features[feature].passed += 1,
        }
    }
}
