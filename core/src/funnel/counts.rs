//! The numbers of one set of units: how many reached each step, and the times of their chains.

use super::answer::GroupStep;
use super::plan::Plan;
use super::tally::{ABSENT, Cells};
use crate::query::{Quantiles, Rate};

/// The chains' times of one set of units.
pub(super) struct Chains<'c> {
    pub(super) steps: usize,
    pub(super) cells: &'c Cells,
}

impl Chains<'_> {
    fn times(&self, of: impl Fn(&[i64]) -> Option<i64>) -> Vec<i64> {
        let chains = self.cells.times.chunks_exact(self.steps.max(1));
        chains.filter_map(of).map(|time| time.max(0)).collect()
    }

    /// From one step to another, both from 0, where a chain has both.
    pub(super) fn between(&self, from: usize, to: usize) -> Vec<i64> {
        let at = |chain: &[i64], k: usize| chain.get(k).copied().filter(|t| *t != ABSENT);
        self.times(|chain| Some(at(chain, to)? - at(chain, from)?))
    }

    /// From the step before in the chain.
    pub(super) fn since_previous(&self, step: usize) -> Vec<i64> {
        self.times(|chain| {
            let here = chain.get(step).copied().filter(|t| *t != ABSENT)?;
            let before = chain.get(..step)?.iter().rev().find(|t| **t != ABSENT)?;
            Some(here - before)
        })
    }
}

/// The counts of one set of units by step.
pub(super) struct Counts<'c> {
    pub(super) plan: &'c Plan<'c>,
    pub(super) cells: &'c Cells,
}

impl Counts<'_> {
    pub(super) fn entered(&self) -> u64 {
        self.cells.reached(1)
    }

    pub(super) fn converted(&self) -> u64 {
        self.cells.reached(self.plan.required)
    }

    pub(super) fn reached(&self, step: usize) -> u64 {
        match self.plan.places.get(step) {
            Some(place) if place.optional => self.cells.has.get(step).copied().unwrap_or(0),
            Some(place) => self.cells.reached(place.rank),
            None => 0,
        }
    }

    pub(super) fn step(&self, k: usize) -> GroupStep {
        let count = self.reached(k);
        let before = self.plan.places.get(..k).unwrap_or_default();
        let previous = before.iter().rposition(|p| !p.optional);
        let place = self.plan.places.get(k).filter(|p| !p.optional);
        let stopped = place.filter(|p| p.rank < self.plan.required);
        GroupStep {
            step: k + 1,
            count,
            estimate: self.plan.question.estimate(count),
            rate: Rate::of(count, self.entered()),
            rate_from_previous: Rate::of(
                count,
                previous.map_or_else(|| self.entered(), |k| self.reached(k)),
            ),
            dropped: stopped.map_or(0, |p| self.cells.depths.get(p.rank).copied().unwrap_or(0)),
            time_from_previous: Quantiles::of_micros(
                Chains {
                    steps: self.plan.places.len(),
                    cells: self.cells,
                }
                .since_previous(k),
            ),
        }
    }
}
