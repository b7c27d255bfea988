//! Counts, for each group, how far its units got whose waiting is over.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: depths are at most the number of steps, groups are found by their place"
)]

use std::collections::HashMap;

use super::super::breakdown::{self, Grouping, Key};
use super::super::outcome::Found;
use super::super::plan::Plan;
use super::super::run::{Of, Outcome};
use super::super::tally::{Sink, Tally, pass};
use super::super::{answer::shown, question::Funnel};
use super::question::{Between, Compare};
use crate::error::Result;
use crate::query::Property;
use crate::timeline::column::Reader;
use crate::timeline::{Members, Timeline, View};

/// The groups, made ready to be asked which of them a unit is of.
#[derive(Debug)]
pub(super) enum Groups<'a> {
    /// Those of a breakdown, with the place of each; `Other` last where there is one.
    Values(Grouping<'a>, Vec<Key>, HashMap<Key, usize>),
    /// Segments and cohorts.
    Users(Vec<Users<'a>>),
}

/// A group of users.
#[derive(Debug)]
pub(super) enum Users<'a> {
    Segment(Members<'a>),
    Cohort(Reader<'a>),
}

impl<'a> Groups<'a> {
    pub(super) fn new(question: &'a Compare, plan: &Plan<'a>, view: &View<'a>) -> Result<Self> {
        let funnel: &Funnel = &question.funnel;
        if let Some(asked) = &funnel.breakdown {
            let mut grouping = Grouping::new(asked, view)?;
            let tally = Tally::run(plan, view, Some(&grouping))?;
            let mut keys = shown(&grouping, &tally, asked.limit);
            let more = tally.groups.len() > keys.len();
            grouping.shown = Some(keys.iter().cloned().collect());
            if more {
                keys.push(breakdown::other());
            }
            let places = keys.iter().cloned().zip(0..).collect();
            return Ok(Self::Values(grouping, keys, places));
        }
        let span = funnel.range.span();
        let groups = question.between.iter().map(|between| match between {
            Between::Segment(segment) => Ok(Users::Segment(Members::new(*segment, span, view))),
            Between::Cohort(name) => {
                let cohort = Property::cohort(name);
                let reader = view.columns.reader(&cohort, view.as_of.micros())?;
                Ok(Users::Cohort(reader))
            }
        });
        Ok(Self::Users(groups.collect::<Result<_>>()?))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Values(_, keys, _) => keys.len(),
            Self::Users(groups) => groups.len(),
        }
    }

    /// The places of the groups that a unit is of.
    pub(super) fn of(&self, timeline: &Timeline<'_>, found: &Found) -> Vec<usize> {
        match self {
            Self::Values(grouping, _, places) => {
                let keys = grouping.keys(timeline, found);
                keys.iter()
                    .filter_map(|key| places.get(key).copied())
                    .collect()
            }
            Self::Users(groups) => {
                let mine = groups.iter().zip(0..).filter(|(group, _)| match group {
                    Users::Segment(members) => members.hold(timeline),
                    // Of a cohort, code 1 is yes.
                    Users::Cohort(reader) => reader.code(timeline.user, 0, 0) == Some(1),
                });
                mine.map(|(_, place)| place).collect()
            }
        }
    }
}

/// `depths[d]`: units of so many required steps.
#[derive(Clone, Debug)]
pub(super) struct Depths(Vec<u64>);

impl Depths {
    /// Units of at least so many.
    pub(super) fn reached(&self, depth: usize) -> u64 {
        self.0.iter().skip(depth).sum()
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += theirs;
        }
    }
}

/// What the pass counts.
#[derive(Debug)]
pub(super) struct Split<'s> {
    groups: &'s Groups<'s>,
    /// Of each group.
    pub(super) own: Vec<Depths>,
    /// Of units of any of them.
    pub(super) all: Depths,
    /// Units of several.
    pub(super) shared: u64,
}

impl<'s> Split<'s> {
    pub(super) fn run(groups: &'s Groups<'s>, plan: &Plan<'_>, view: &View<'_>) -> Result<Self> {
        let none = Depths(vec![0; plan.required + 1]);
        pass(plan, view, || Split {
            groups,
            own: vec![none.clone(); groups.len()],
            all: none.clone(),
            shared: 0,
        })
    }
}

impl Sink for Split<'_> {
    fn take(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>) {
        if outcome.of != Of::Matured {
            return;
        }
        let mine = self.groups.of(timeline, outcome.found);
        if mine.is_empty() {
            return;
        }
        self.shared += u64::from(mine.len() > 1);
        self.all.0[outcome.found.depth] += 1;
        for group in mine {
            self.own[group].0[outcome.found.depth] += 1;
        }
    }

    fn end(&mut self, _: u32) {}

    fn merged(mut self, other: Self) -> Self {
        self.all.merge(&other.all);
        self.shared += other.shared;
        for (mine, theirs) in self.own.iter_mut().zip(&other.own) {
            mine.merge(theirs);
        }
        self
    }
}
