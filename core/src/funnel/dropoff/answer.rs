//! The answer about drop-off points.

use std::cmp::Ordering;

use serde::Serialize;
use serde_json::Value;

use super::super::answer::{GroupKind, Switches};
use super::probe::Probe;
use super::question::{DropOff, PropertiesAt};
use super::tally::{Count, Stage, Tally};
use crate::access::Scoped;
use crate::error::Result;
use crate::query::{
    Contrast, Instant, Preset, Property, Rate, Segment, Selector, Window, Zone, answer,
    answer::Stamp, contrast,
};
use crate::timeline::View;

/// Where the units of a funnel stop, what they did next, and what separates them from those who went on.
///
/// Whatever is compared is counted over units whose waiting is over (F5): somebody who can still go on has not stopped.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DropOffAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Each required step but the last, after which nobody stops.
    pub steps: Vec<DropOffStep>,
    /// The whole funnel: what separates those who converted from those who entered and did not.
    pub conversion: Conversion,
    /// The properties that were tried.
    pub properties: Vec<Property>,
    /// Which row's properties.
    pub properties_at: PropertiesAt,
    /// For how long after the entry events count, in seconds; null is the whole window.
    pub within: Option<Window>,
    /// What fewer units have, or lack, was not tried.
    pub min_support: u64,
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

/// Those who came to one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DropOffStep {
    /// Its number, from 1.
    pub step: usize,
    /// The events it means; null is any.
    pub event: Selector,
    /// Units that got at least this far: the funnel's `count`.
    pub reached: u64,
    /// Those of them that stopped here: the funnel's `dropped`.
    pub dropped: u64,
    /// Those of the stopped that can still go on.
    pub open: u64,
    /// The same of units whose whole window has passed; all below is of these.
    pub matured: Left,
    /// What the stopped did next: the user's first event after the last of the chain and within the window, whatever it is.
    /// The most frequent first, equals by name.
    pub next: Vec<Next>,
    /// Those whose next event is none of these.
    pub other: Rate,
    /// Those without a further event within the window.
    pub exit: Rate,
    /// What separates those who went on from those who stopped.
    pub factors: Factors,
}

/// Units that came to a step, and that stopped there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Left {
    /// Units that got at least this far.
    pub reached: u64,
    /// Those of them that stopped here.
    pub dropped: u64,
    /// Dropped of reached.
    pub rate: Rate,
}

/// What some of the stopped did next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// The name of the event.
    pub event: String,
    /// Of all that stopped.
    pub rate: Rate,
}

/// Converters against the rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conversion {
    /// Units that entered.
    pub entered: u64,
    /// Those of them that converted.
    pub converted: u64,
    /// Converted of entered.
    pub rate: Rate,
    /// What separates them.
    pub factors: Factors,
}

/// What separates those who went on from those who did not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Factors {
    /// How many were tried; the p-values are adjusted for so many.
    pub tried: usize,
    /// How many were not, for want of support.
    pub untried: usize,
    /// The strongest correlations first; equals by what they are.
    pub factors: Vec<Factor>,
}

/// Something units have or lack, and the shares of both that went on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Factor {
    /// What it is.
    #[serde(flatten)]
    pub what: What,
    /// The same as people read it.
    pub label: String,
    /// Those with it against those without it.
    #[serde(flatten)]
    pub contrast: Contrast,
}

/// What units can have.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// An event of that name after the entry, before the step with which they went on, and within the window; the events of the
    /// chain itself do not count.
    Event {
        /// Its name.
        event: String,
    },
    /// A value of a property.
    Value {
        /// The property.
        property: Property,
        /// Whether it is a value, none, or the empty text.
        kind: GroupKind,
        /// The value; null where there is none.
        value: Value,
    },
}

/// Answers a valid question about drop-off points over timelines.
///
/// # Errors
/// As the funnel's.
pub fn drop_off(question: &Scoped<&DropOff>, view: &View<'_>) -> Result<DropOffAnswer> {
    let question = *question.inner();
    let funnel = &question.funnel;
    let probe = Probe::new(question, view)?;
    let tally = Tally::run(&probe, view)?;
    let written = Written {
        probe: &probe,
        names: view.timelines.names(),
    };
    let steps = probe
        .required
        .iter()
        .zip(1..)
        .zip(tally.stages.iter().skip(1));
    let steps = steps.map(|((step, depth), stage)| {
        let (dropped, open) = tally.depths.get(depth).copied().unwrap_or_default();
        let event = funnel.steps.get(*step).map(|s| s.condition.event.clone());
        written.step(
            step + 1,
            event.unwrap_or_default(),
            [tally.reached(depth), dropped, open],
            stage,
        )
    });
    let (entered, converted) = tally.stages.first().map(|s| s.units).unwrap_or_default();
    let span = funnel.range.span();
    let mut answer = DropOffAnswer {
        stamp: Stamp::default(),
        steps: steps.collect(),
        conversion: Conversion {
            entered,
            converted,
            rate: Rate::of(converted, entered),
            factors: written.factors(tally.stages.first()),
        },
        properties: question.properties.clone(),
        properties_at: question.properties_at,
        within: question.within,
        min_support: question.min_support,
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

/// Counts, written.
struct Written<'w> {
    probe: &'w Probe<'w>,
    names: &'w [String],
}

impl Written<'_> {
    fn step(
        &self,
        step: usize,
        event: Selector,
        [reached, dropped, open]: [u64; 3],
        stage: &Stage,
    ) -> DropOffStep {
        let (all, on) = stage.units;
        let stopped = all - on;
        let names = self.names.iter().zip(&stage.next);
        let mut next: Vec<(&String, u64)> = names.map(|(n, k)| (n, *k)).collect();
        next.retain(|(_, count)| *count > 0);
        next.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let rest = next.split_off(self.probe.question.limit.min(next.len()));
        DropOffStep {
            step,
            event,
            reached,
            dropped,
            open,
            matured: Left {
                reached: all,
                dropped: stopped,
                rate: Rate::of(stopped, all),
            },
            next: next
                .into_iter()
                .map(|(event, count)| Next {
                    event: event.clone(),
                    rate: Rate::of(count, stopped),
                })
                .collect(),
            other: Rate::of(rest.iter().map(|n| n.1).sum(), stopped),
            exit: Rate::of(stage.exit, stopped),
            factors: self.factors(Some(stage)),
        }
    }

    fn factors(&self, stage: Option<&Stage>) -> Factors {
        let Some(stage) = stage else {
            return Factors {
                tried: 0,
                untried: 0,
                factors: Vec::new(),
            };
        };
        let names = self.names.iter().zip(&stage.names);
        let names = names
            .filter(|(_, count)| count.0 > 0)
            .map(|(event, count)| {
                let what = What::Event {
                    event: event.clone(),
                };
                (what, event.clone(), *count)
            });
        let values = self
            .probe
            .properties
            .iter()
            .zip(&self.probe.question.properties);
        let values = values
            .zip(&stage.values)
            .flat_map(|((grouping, property), values)| {
                // Whoever is not of a cohort is whoever lacks being of it.
                let cohort = matches!(property, Property::Cohort { .. });
                values.iter().filter_map(move |(key, count)| {
                    let (kind, value) = grouping.written(key);
                    let what = What::Value {
                        property: property.clone(),
                        kind,
                        value: value.clone(),
                    };
                    let label = match property {
                        Property::Cohort { name, .. } => format!("in {name}"),
                        _ => format!("{} = {}", named(property), grouping.label(kind, &value)),
                    };
                    (!cohort || value == Value::Bool(true)).then_some((what, label, *count))
                })
            });
        let (tried, untried): (Vec<_>, Vec<_>) = names
            .chain(values)
            .partition(|(_, _, count)| self.supported(*count, stage.units));
        let mut factors: Vec<Factor> = tried
            .into_iter()
            .map(|(what, label, (n, k))| Factor {
                what,
                label,
                contrast: Contrast::of((k, n), (stage.units.1 - k, stage.units.0 - n)),
            })
            .collect();
        contrast::adjust(factors.iter_mut().map(|f| &mut f.contrast));
        let tried = factors.len();
        factors.sort_by(strongest);
        factors.truncate(self.probe.question.limit);
        Factors {
            tried,
            untried: untried.len(),
            factors,
        }
    }

    /// Whether enough units have it and enough lack it.
    fn supported(&self, (n, _): Count, (all, _): Count) -> bool {
        n.min(all - n) >= self.probe.question.min_support
    }
}

/// The strongest first, then events by name, then properties as the question has them, by value.
fn strongest(a: &Factor, b: &Factor) -> Ordering {
    let place = |f: &Factor| match &f.what {
        What::Event { .. } => 0,
        What::Value { .. } => 1,
    };
    let value = |f: &Factor| match &f.what {
        What::Value {
            value, property, ..
        } => (property.clone(), value.to_string()),
        What::Event { .. } => (Property::Session, String::new()),
    };
    let stronger = b.contrast.strength().total_cmp(&a.contrast.strength());
    stronger
        .then_with(|| place(a).cmp(&place(b)))
        .then_with(|| a.label.cmp(&b.label))
        .then_with(|| value(a).cmp(&value(b)))
}

/// A property as people read it.
fn named(property: &Property) -> &str {
    match property {
        Property::Event(name) | Property::User { name, .. } | Property::Cohort { name, .. } => name,
        Property::Session => "session",
    }
}
