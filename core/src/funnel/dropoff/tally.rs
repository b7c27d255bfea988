//! Counts what units show at each stage.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: stages are at most the number of steps, name keys below the number of names"
)]

use std::collections::HashMap;

use super::super::breakdown::Key;
use super::super::run::{Of, Outcome};
use super::super::tally::{Sink, pass};
use super::probe::{Did, Probe};
use crate::error::Result;
use crate::timeline::{Timeline, View};

/// How many units, and how many of them went on.
pub(super) type Count = (u64, u64);

fn add(count: &mut Count, went_on: bool) {
    count.0 += 1;
    count.1 += u64::from(went_on);
}

fn merge(mine: &mut Count, theirs: Count) {
    mine.0 += theirs.0;
    mine.1 += theirs.1;
}

/// The units whose waiting is over, at one stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    pub(super) units: Count,
    /// By the name of an event they had.
    pub(super) names: Vec<Count>,
    /// For each property, by its value.
    pub(super) values: Vec<HashMap<Key, Count>>,
    /// By the name of the event after the last of their chain, those that stopped here.
    pub(super) next: Vec<u64>,
    /// Those of them without one.
    pub(super) exit: u64,
}

impl Stage {
    fn sized(names: usize, properties: usize) -> Self {
        Self {
            names: vec![(0, 0); names],
            values: vec![HashMap::new(); properties],
            next: vec![0; names],
            ..Self::default()
        }
    }

    fn merge(&mut self, other: Self) {
        merge(&mut self.units, other.units);
        for (mine, theirs) in self.names.iter_mut().zip(other.names) {
            merge(mine, theirs);
        }
        for (mine, theirs) in self.values.iter_mut().zip(other.values) {
            for (key, count) in theirs {
                merge(mine.entry(key).or_default(), count);
            }
        }
        for (mine, theirs) in self.next.iter_mut().zip(other.next) {
            *mine += theirs;
        }
        self.exit += other.exit;
    }
}

/// What the pass counts.
#[derive(Debug)]
pub(super) struct Tally<'p> {
    probe: &'p Probe<'p>,
    did: Did,
    /// `depths[d]`: all units whose best chain has so many required steps, and those of them that can still go on.
    pub(super) depths: Vec<(u64, u64)>,
    /// The whole funnel, and then behind each required step.
    pub(super) stages: Vec<Stage>,
}

impl<'p> Tally<'p> {
    pub(super) fn run(probe: &'p Probe<'p>, view: &View<'_>) -> Result<Self> {
        let names = view.timelines.names().len();
        let stages = probe.plan.required.max(1);
        pass(&probe.plan, view, || Tally {
            probe,
            did: probe.did(),
            depths: vec![(0, 0); probe.plan.required + 1],
            stages: vec![Stage::sized(names, probe.properties.len()); stages],
        })
    }

    /// All units of at least so many required steps.
    pub(super) fn reached(&self, depth: usize) -> u64 {
        self.depths.iter().skip(depth).map(|d| d.0).sum()
    }
}

impl Sink for Tally<'_> {
    fn take(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>) {
        let found = outcome.found;
        match outcome.of {
            Of::All => {
                self.depths[found.depth].0 += 1;
                self.depths[found.depth].1 += u64::from(outcome.open);
            }
            Of::Matured => {
                self.probe.look(timeline, found, &mut self.did);
                for shown in self.probe.stages(found) {
                    let stage = &mut self.stages[shown.stage];
                    add(&mut stage.units, shown.went_on);
                    for name in self.probe.events(&self.did, shown) {
                        add(&mut stage.names[usize::from(name)], shown.went_on);
                    }
                    for (property, values) in stage.values.iter_mut().enumerate() {
                        let key = self.probe.value(timeline, shown, property);
                        add(values.entry(key).or_default(), shown.went_on);
                    }
                }
                if let Some(stopped) = self.probe.stopped(outcome) {
                    let stage = &mut self.stages[stopped];
                    match self.probe.next(timeline, found) {
                        Some(name) => stage.next[usize::from(name)] += 1,
                        None => stage.exit += 1,
                    }
                }
            }
            Of::Bucket(_) => {}
        }
    }

    fn end(&mut self, _: u32) {}

    fn merged(mut self, other: Self) -> Self {
        for (mine, theirs) in self.depths.iter_mut().zip(other.depths) {
            merge(mine, theirs);
        }
        for (mine, theirs) in self.stages.iter_mut().zip(other.stages) {
            mine.merge(theirs);
        }
        self
    }
}
