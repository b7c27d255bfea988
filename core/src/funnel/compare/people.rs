//! The users behind a number of a comparison (D1).

use serde_json::Value;

use super::super::plan::Plan;
use super::super::question::MAX_STEPS;
use super::super::run::{Of, Outcome};
use super::super::tally::{Sink, pass};
use super::question::Compare;
use super::tally::Groups;
use crate::access::Scoped;
use crate::error::{Error, FieldError, Result};
use crate::query::fields::{self, Fields};
use crate::timeline::{Timeline, View};

/// A number of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparedCell {
    /// The group, from 0, in the order of the answer.
    pub group: usize,
    /// Whether the rest is meant instead.
    pub rest: bool,
    /// Those who got to this step, from 1; those who entered are of step 1.
    pub step: usize,
}

impl ComparedCell {
    /// Reads `{"group": 0, "rest": false, "step": 2}`; without `step`, those who entered.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(cell: &Value, question: &Compare) -> Result<Self> {
        let mut fields = Fields::of(cell)?;
        let cell = Self {
            group: fields.required("group", |v| {
                fields::integer(v, 0, 1_000).map(|n| n as usize)
            }),
            rest: fields.optional("rest", fields::boolean).unwrap_or_default(),
            step: fields
                .optional("step", |v| fields::integer(v, 1, MAX_STEPS as i64))
                .map_or(1, |n| n as usize),
        };
        fields.finish(cell.faults(question))?;
        Ok(cell)
    }

    /// Everything wrong with it for a question.
    pub(crate) fn faults(&self, question: &Compare) -> Vec<FieldError> {
        let step = self
            .step
            .checked_sub(1)
            .and_then(|k| question.funnel.steps.get(k));
        if step.is_some_and(|s| !s.optional) {
            return Vec::new();
        }
        vec![FieldError {
            field: "step".to_owned(),
            code: "out_of_range",
            message: "must be a step that is not optional".to_owned(),
        }]
    }
}

/// The users that a number of the answer counts, ascending; where units are no users, those with at least one that counts.
///
/// # Errors
/// As the answer's; `unknown_group` for a group that it does not have.
pub fn compared_people(
    question: &Scoped<&Compare>,
    view: &View<'_>,
    cell: &ComparedCell,
) -> Result<Vec<u32>> {
    let question = *question.inner();
    let mut plan = Plan::new(&question.funnel, view)?;
    plan.whole = true;
    let groups = Groups::new(question, &plan, view)?;
    if cell.group >= groups.len() {
        return Err(Error::field(
            "group",
            "unknown_group",
            format!("must be below {}, the number of groups", groups.len()),
        ));
    }
    let place = cell.step.checked_sub(1).and_then(|k| plan.places.get(k));
    let depth = place.map_or(1, |p| p.rank);
    let mut list = pass(&plan, view, || List {
        groups: &groups,
        cell,
        depth,
        now: false,
        users: Vec::new(),
    })?;
    list.users.sort_unstable();
    Ok(list.users)
}

struct List<'l> {
    groups: &'l Groups<'l>,
    cell: &'l ComparedCell,
    depth: usize,
    now: bool,
    users: Vec<u32>,
}

impl Sink for List<'_> {
    fn take(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>) {
        if self.now || outcome.of != Of::Matured || outcome.found.depth < self.depth {
            return;
        }
        let mine = self.groups.of(timeline, outcome.found);
        self.now = !mine.is_empty() && mine.contains(&self.cell.group) != self.cell.rest;
    }

    fn end(&mut self, user: u32) {
        if self.now {
            self.users.push(user);
        }
        self.now = false;
    }

    fn merged(mut self, other: Self) -> Self {
        self.users.extend(other.users);
        self
    }
}
