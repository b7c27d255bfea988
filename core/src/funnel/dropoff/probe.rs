//! What one unit shows of itself at each stage of a funnel: whether it went on, what it did on the way, what it did next.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: chains hold places in the timeline, name keys are below the number of names"
)]

use std::collections::BTreeMap;

use super::super::breakdown::{Grouping, Key};
use super::super::options::{Breakdown, Order, Totals};
use super::super::outcome::Found;
use super::super::plan::Plan;
use super::super::run::Outcome;
use super::question::{DropOff, PropertiesAt};
use crate::error::Result;
use crate::timeline::{Timeline, View};

/// A place that no timeline has.
const NEVER: u32 = u32::MAX;

/// Drop-off points made ready for the pass.
#[derive(Debug)]
pub(super) struct Probe<'a> {
    pub(super) question: &'a DropOff,
    pub(super) plan: Plan<'a>,
    /// For each property its values.
    pub(super) properties: Vec<Grouping<'a>>,
    /// The steps that are not optional, from 0.
    pub(super) required: Vec<usize>,
    names: usize,
}

/// What a unit shows at a stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// 0 for the whole funnel, else how many required steps it is behind.
    pub(super) stage: usize,
    /// Whether it did the next of them; of the whole funnel, all.
    pub(super) went_on: bool,
    /// Events before this place count: that of the row with which it went on, or any.
    end: u32,
    /// The row whose properties count.
    row: u32,
    /// The row of the entry.
    entry: u32,
}

/// What one unit did: kept from one to the next, so that nothing is allocated for each.
#[derive(Debug)]
pub(super) struct Did {
    /// For each name, the place of its first event after the entry that is no part of the chain; `NEVER` where there is none.
    first: Vec<u32>,
    /// The names that have one.
    names: Vec<u16>,
    /// Of the user at hand, the places of the events of each name, where one user has many windows that overlap.
    places: BTreeMap<u16, Vec<u32>>,
    user: Option<u32>,
}

impl<'a> Probe<'a> {
    pub(super) fn new(question: &'a DropOff, view: &View<'a>) -> Result<Self> {
        let mut plan = Plan::new(&question.funnel, view)?;
        plan.whole = true;
        let properties = question.properties.iter();
        let required = plan.places.iter().enumerate().filter(|(_, p)| !p.optional);
        Ok(Self {
            required: required.map(|(k, _)| k).collect(),
            plan,
            question,
            properties: properties
                .map(|p| Grouping::new(&Breakdown::new(p.clone()), view))
                .collect::<Result<_>>()?,
            names: view.timelines.names().len(),
        })
    }

    pub(super) fn did(&self) -> Did {
        Did {
            first: vec![NEVER; self.names],
            names: Vec::new(),
            places: BTreeMap::new(),
            user: None,
        }
    }

    /// Looks at what a unit did between its entry and the end of its window, or of `within`.
    pub(super) fn look(&self, timeline: &Timeline<'_>, found: &Found, did: &mut Did) {
        for name in did.names.drain(..) {
            did.first[usize::from(name)] = NEVER;
        }
        let Some(&(_, entry)) = found.chain.first() else {
            return;
        };
        let ts = timeline.ts[entry as usize];
        let within = self.question.within.map_or(i64::MAX, |w| w.micros());
        let last = self.plan.deadline(ts).min(ts.saturating_add(within));
        let of_chain = |place: u32| found.chain.iter().any(|c| c.1 == place);
        if self.plan.question.totals == Totals::EveryEntry {
            self.index(timeline, did);
            for (name, places) in &did.places {
                let after = places.partition_point(|place| *place <= entry);
                let mut after = places[after..].iter();
                let first = after.find(|place| !of_chain(**place));
                if let Some(first) = first.filter(|place| timeline.ts[**place as usize] <= last) {
                    did.first[usize::from(*name)] = *first;
                    did.names.push(*name);
                }
            }
            return;
        }
        for place in entry + 1..timeline.ts.len() as u32 {
            let i = place as usize;
            if timeline.ts[i] > last {
                break;
            }
            let name = timeline.name[i];
            let known = did.first[usize::from(name)] != NEVER;
            let counts = !known && self.plan.sees(name, timeline.row[i]) && !of_chain(place);
            if counts {
                did.first[usize::from(name)] = place;
                did.names.push(name);
            }
        }
    }

    /// Finds where each name stands in a timeline, once for each user.
    fn index(&self, timeline: &Timeline<'_>, did: &mut Did) {
        if did.user == Some(timeline.user) {
            return;
        }
        did.user = Some(timeline.user);
        did.places.clear();
        for (place, (name, row)) in (0..).zip(timeline.name.iter().zip(timeline.row)) {
            if self.plan.sees(*name, *row) {
                did.places.entry(*name).or_default().push(place);
            }
        }
    }

    /// Every stage that a unit came to.
    pub(super) fn stages<'f>(&'f self, found: &'f Found) -> impl Iterator<Item = Shown> + 'f {
        let all = self.plan.required;
        let row = found.chain.first().map_or(0, |c| c.1);
        let converted = found.depth == all;
        let whole = Shown {
            stage: 0,
            went_on: converted,
            end: if converted {
                self.place(found, all)
            } else {
                NEVER
            },
            row,
            entry: row,
        };
        let stages = (1..all).take_while(move |stage| *stage <= found.depth);
        let stages = stages.map(move |stage| {
            let went_on = found.depth > stage;
            Shown {
                stage,
                went_on,
                end: if went_on {
                    self.place(found, stage + 1)
                } else {
                    NEVER
                },
                row: match self.question.properties_at {
                    PropertiesAt::Entry => row,
                    PropertiesAt::Step => self.place(found, stage),
                },
                entry: row,
            }
        });
        std::iter::once(whole).chain(stages)
    }

    /// The place of the row with which a unit did so many required steps.
    fn place(&self, found: &Found, depth: usize) -> u32 {
        let row = if self.plan.question.order == Order::Any {
            found.chain.get(depth - 1)
        } else {
            let step = self.required.get(depth - 1);
            let is = |c: &&(u8, u32)| step == Some(&usize::from(c.0));
            found.chain.iter().find(is)
        };
        row.map_or(NEVER, |c| c.1)
    }

    /// The names of the events that a unit had by the end of a stage.
    pub(super) fn events<'d>(&self, did: &'d Did, shown: Shown) -> impl Iterator<Item = u16> + 'd {
        let names = did.names.iter().copied();
        names.filter(move |name| did.first[usize::from(*name)] < shown.end)
    }

    /// The value of one of the properties at a stage.
    pub(super) fn value(&self, timeline: &Timeline<'_>, shown: Shown, property: usize) -> Key {
        self.properties[property].at(timeline, shown.row, shown.entry)
    }

    /// The stage at which a unit stopped.
    pub(super) fn stopped(&self, outcome: &Outcome<'_>) -> Option<usize> {
        (!outcome.converted).then_some(outcome.found.depth)
    }

    /// The name of the user's first event after the last row of a chain, inside its window.
    pub(super) fn next(&self, timeline: &Timeline<'_>, found: &Found) -> Option<u16> {
        let entry = found.chain.first()?.1;
        let last = found.chain.iter().map(|c| c.1).max()?;
        let deadline = self.plan.deadline(timeline.ts[entry as usize]);
        let after = last as usize + 1..timeline.ts.len();
        let inside = after.take_while(|i| timeline.ts[*i] <= deadline);
        let mut seen = inside.filter(|i| self.plan.sees(timeline.name[*i], timeline.row[*i]));
        seen.next().map(|i| timeline.name[i])
    }
}
