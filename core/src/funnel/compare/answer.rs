//! The answer of a comparison.

use serde::Serialize;
use serde_json::Value;

use super::super::answer::{GroupKind, Switches};
use super::super::options::Attribution;
use super::super::plan::Plan;
use super::question::{Between, Compare};
use super::tally::{Depths, Groups, Split};
use crate::access::Scoped;
use crate::error::Result;
use crate::query::{
    Contrast, Instant, Preset, Property, Segment, Selector, Window, Zone, answer, answer::Stamp,
    contrast,
};
use crate::timeline::View;

/// Each group of a funnel against the rest: the units of the other groups that are not of it.
///
/// All is counted over units whose waiting is over (F5). Of two groups that share nobody, either is the rest of the other. The
/// p-values of the whole funnel are adjusted for the number of groups, those of the steps for groups times steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The groups, as they were given, or as the breakdown has them.
    pub groups: Vec<Compared>,
    /// Units of several groups, which count in each of them.
    pub shared: u64,
    /// The properties of the breakdown; none where segments or cohorts are compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
    /// Whose value counts in the breakdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Attribution>,
    /// The conversion window, in seconds.
    pub window: Window,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// The zone of the range.
    pub timezone: Zone,
    /// The users counted.
    pub segment: Segment,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
    /// The name of the rules the numbers follow.
    pub preset: Preset,
    /// How each switch of the preset stands.
    pub switches: Switches,
}

/// What a group is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum GroupName {
    /// A group of the breakdown.
    Breakdown(GroupKind),
    /// A segment or a cohort.
    Users(UserGroup),
}

/// A group of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserGroup {
    /// A segment.
    Segment,
    /// A cohort.
    Cohort,
}

/// One group against the rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// What it is of.
    pub kind: GroupName,
    /// The value, the segment or the name of the cohort; null where there is none.
    pub value: Value,
    /// As people read it.
    pub label: String,
    /// Who converted of those who entered, in the group and in the rest.
    pub conversion: Contrast,
    /// Each required step but the first.
    pub steps: Vec<ComparedStep>,
}

/// One step of a group against the rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedStep {
    /// Its number, from 1.
    pub step: usize,
    /// The events it means; null is any.
    pub event: Selector,
    /// Who got this far of those who got to the required step before.
    #[serde(flatten)]
    pub contrast: Contrast,
}

/// Answers a valid comparison over timelines.
///
/// # Errors
/// As the funnel's.
pub fn compare(question: &Scoped<&Compare>, view: &View<'_>) -> Result<Comparison> {
    let question = *question.inner();
    let funnel = &question.funnel;
    let mut plan = Plan::new(funnel, view)?;
    plan.whole = true;
    let groups = Groups::new(question, &plan, view)?;
    let split = Split::run(&groups, &plan, view)?;
    let names = names(question, &groups);
    let places = plan.places.iter().zip(&funnel.steps).enumerate();
    let required: Vec<(usize, &Selector)> = places
        .filter(|(_, (place, _))| !place.optional)
        .map(|(k, (_, step))| (k + 1, &step.condition.event))
        .collect();
    let last = plan.required;
    let mut compared: Vec<Compared> = names
        .into_iter()
        .zip(&split.own)
        .map(|((kind, value, label), own)| Compared {
            kind,
            value,
            label,
            conversion: between(own, &split.all, last, 1),
            steps: required
                .iter()
                .zip(1..)
                .skip(1)
                .map(|((step, event), depth)| ComparedStep {
                    step: *step,
                    event: (*event).clone(),
                    contrast: between(own, &split.all, depth, depth - 1),
                })
                .collect(),
        })
        .collect();
    contrast::adjust(compared.iter_mut().map(|c| &mut c.conversion));
    let steps = compared.iter_mut().flat_map(|c| &mut c.steps);
    contrast::adjust(steps.map(|s| &mut s.contrast));
    let span = funnel.range.span();
    let mut answer = Comparison {
        stamp: Stamp::default(),
        groups: compared,
        shared: split.shared,
        properties: funnel
            .breakdown
            .iter()
            .flat_map(|b| b.properties.clone())
            .collect(),
        by: funnel.breakdown.as_ref().map(|b| b.by),
        window: funnel.window,
        start_date: span.from,
        end_date: span.to,
        timezone: funnel.range.zone.clone(),
        segment: funnel.segment,
        as_of: view.as_of,
        preset: funnel.preset,
        switches: Switches::of(funnel),
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

/// Who got so deep, of those who got to `from`: of a group and of the rest.
fn between(own: &Depths, all: &Depths, depth: usize, from: usize) -> Contrast {
    let (k, n) = (own.reached(depth), own.reached(from));
    Contrast::of((k, n), (all.reached(depth) - k, all.reached(from) - n))
}

fn names(question: &Compare, groups: &Groups<'_>) -> Vec<(GroupName, Value, String)> {
    match groups {
        Groups::Values(grouping, keys, _) => {
            let written = keys.iter().map(|key| {
                let (kind, value) = grouping.written(key);
                let label = grouping.label(kind, &value);
                (GroupName::Breakdown(kind), value, label)
            });
            written.collect()
        }
        Groups::Users(_) => {
            let named = question.between.iter().map(|between| match between {
                Between::Segment(segment) => (UserGroup::Segment, segment.name()),
                Between::Cohort(name) => (UserGroup::Cohort, name.as_str()),
            });
            named
                .map(|(kind, name)| (GroupName::Users(kind), Value::from(name), name.to_owned()))
                .collect()
        }
    }
}
