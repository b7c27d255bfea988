//! The users behind a number about drop-off points (D1): the same pass over the same plan, with a list in the place of counts.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: properties are found by their place among those of the question"
)]

use serde_json::Value;

use super::super::answer::GroupKind;
use super::super::people::KINDS;
use super::super::question::MAX_STEPS;
use super::super::run::{Of, Outcome};
use super::super::tally::{Sink, pass};
use super::answer::What;
use super::probe::{Did, Probe, Shown};
use super::question::DropOff;
use crate::access::Scoped;
use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::filter::property;
use crate::timeline::{Timeline, View};

/// A number of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum DropOffCell {
    /// The `reached` of a step.
    Reached,
    /// Its `dropped`.
    Dropped,
    /// Its `open`.
    Open,
    /// The `reached` of its `matured`; of the whole funnel its `entered`.
    MaturedReached,
    /// The `dropped` of its `matured`; of the whole funnel those who did not convert.
    MaturedDropped,
    /// Those who did this next.
    Next(String),
    /// Those who did nothing more.
    Exit,
    /// Those with a factor, or without it.
    Factor(What, Side),
}

/// Which units of a factor's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Whether those who lack it.
    pub without: bool,
    /// Only those who went on, or only those who did not.
    pub went_on: Option<bool>,
}

/// Whose users are asked for. Where units are no users, those with at least one unit that the number counts.
#[derive(Clone, Debug, PartialEq)]
pub struct DropOffWho {
    /// The step, from 1; none for the whole funnel.
    pub step: Option<usize>,
    /// The number.
    pub cell: DropOffCell,
}

/// What a cell's name asks for beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Reached,
    Dropped,
    Open,
    MaturedReached,
    MaturedDropped,
    Next,
    Exit,
    Factor,
}

const CELLS: [(&str, Named); 8] = [
    ("reached", Named::Reached),
    ("dropped", Named::Dropped),
    ("open", Named::Open),
    ("matured_reached", Named::MaturedReached),
    ("matured_dropped", Named::MaturedDropped),
    ("next", Named::Next),
    ("exit", Named::Exit),
    ("factor", Named::Factor),
];

impl DropOffWho {
    /// Reads `{"cell": "next", "step": 1, "event": "map"}`, or `{"cell": "factor", "step": 1, "factor": {"event": "map"}, "without": false,
    /// "wentOn": true}`, where the factor may be `{"property": "p", "kind": "value", "value": "x"}`; without `step`, of the whole funnel.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(who: &Value, question: &DropOff) -> Result<Self> {
        let mut fields = Fields::of(who)?;
        let named = fields.optional("cell", |v| fields::one_of(v, &CELLS));
        let named = named.unwrap_or(Named::MaturedReached);
        let only = |for_which: Named, field: &'static str| -> Parsed<()> {
            if named == for_which {
                Ok(())
            } else {
                let cell = CELLS.iter().find(|c| c.1 == for_which).map_or("", |c| c.0);
                fault("contradiction", format!("`{field}` is of the cell {cell}"))
            }
        };
        let event = fields.optional("event", |v| {
            only(Named::Next, "event")?;
            fields::name(v)
        });
        let what = fields.optional("factor", |v| {
            only(Named::Factor, "factor")?;
            factor(v, question)
        });
        let without = fields.optional("without", |v| {
            only(Named::Factor, "without")?;
            fields::boolean(v)
        });
        let went_on = fields.optional("wentOn", |v| {
            only(Named::Factor, "wentOn")?;
            fields::boolean(v)
        });
        let step = fields.optional("step", |v| fields::integer(v, 1, MAX_STEPS as i64));
        let mut more = Vec::new();
        let mut required = |name: &str| {
            if who.get(name).is_none_or(Value::is_null) {
                more.push(FieldError {
                    field: name.to_owned(),
                    code: "required",
                    message: "is required for this cell".to_owned(),
                });
            }
        };
        let cell = match named {
            Named::Reached => DropOffCell::Reached,
            Named::Dropped => DropOffCell::Dropped,
            Named::Open => DropOffCell::Open,
            Named::MaturedReached => DropOffCell::MaturedReached,
            Named::MaturedDropped => DropOffCell::MaturedDropped,
            Named::Exit => DropOffCell::Exit,
            Named::Next => {
                required("event");
                DropOffCell::Next(event.unwrap_or_default())
            }
            Named::Factor => {
                required("factor");
                let side = Side {
                    without: without.unwrap_or_default(),
                    went_on,
                };
                let nothing = What::Event {
                    event: String::new(),
                };
                DropOffCell::Factor(what.unwrap_or(nothing), side)
            }
        };
        let of_whole =
            [Named::MaturedReached, Named::MaturedDropped, Named::Factor].contains(&named);
        if !of_whole {
            required("step");
        }
        let who = Self {
            step: step.map(|k| k as usize),
            cell,
        };
        more.extend(who.faults(question));
        fields.finish(more)?;
        Ok(who)
    }

    /// Everything wrong with it for a question.
    pub(crate) fn faults(&self, question: &DropOff) -> Vec<FieldError> {
        let steps = &question.funnel.steps;
        let last = steps.iter().rposition(|s| !s.optional);
        let stands = |k: usize| {
            let step = k.checked_sub(1).and_then(|k| steps.get(k));
            step.is_some_and(|s| !s.optional) && last.is_some_and(|last| k <= last)
        };
        let wrong = self.step.is_some_and(|k| !stands(k));
        let fault = wrong.then(|| FieldError {
            field: "step".to_owned(),
            code: "out_of_range",
            message: "must be a step that is not optional, and not the last".to_owned(),
        });
        fault.into_iter().collect()
    }
}

/// `{"event": …}` or `{"property": …, "kind": …, "value": …}`.
fn factor(value: &Value, question: &DropOff) -> Parsed<What> {
    let map = value.as_object().filter(|map| {
        let keys = ["property", "kind", "value"];
        map.len() == 1 && map.contains_key("event")
            || map.contains_key("property") && map.keys().all(|k| keys.contains(&k.as_str()))
    });
    let Some(map) = map else {
        return fault(
            "invalid_type",
            "must be an object with the field `event`, or with `property`, `kind` and `value`",
        );
    };
    if let Some(event) = map.get("event") {
        return Ok(What::Event {
            event: fields::name(event)?,
        });
    }
    let property = property(map.get("property").unwrap_or(&Value::Null))?;
    if !question.properties.contains(&property) {
        return fault("not_in_list", "must be a property of the question");
    }
    let kind = map
        .get("kind")
        .map_or(Ok(GroupKind::Value), |v| fields::one_of(v, &KINDS))?;
    let value = map.get("value").cloned().unwrap_or(Value::Null);
    Ok(What::Value {
        property,
        kind,
        value,
    })
}

/// The users that a number of the answer counts, ascending.
///
/// # Errors
/// As the answer's.
pub fn drop_off_people(
    question: &Scoped<&DropOff>,
    view: &View<'_>,
    who: &DropOffWho,
) -> Result<Vec<u32>> {
    let question = *question.inner();
    let probe = Probe::new(question, view)?;
    let stage = who.step.map_or(0, |k| {
        let before = probe.required.iter().take_while(|step| **step < k);
        before.count()
    });
    let name = match &who.cell {
        DropOffCell::Next(event) | DropOffCell::Factor(What::Event { event }, _) => {
            let names = view.timelines.names().iter();
            names
                .zip(0_u16..)
                .find(|(name, _)| *name == event)
                .map(|(_, key)| key)
        }
        _ => None,
    };
    let mut list = pass(&probe.plan, view, || List {
        probe: &probe,
        cell: &who.cell,
        stage,
        name,
        did: probe.did(),
        now: false,
        users: Vec::new(),
    })?;
    list.users.sort_unstable();
    Ok(list.users)
}

struct List<'l> {
    probe: &'l Probe<'l>,
    cell: &'l DropOffCell,
    stage: usize,
    /// The event asked for, where there is any of its name.
    name: Option<u16>,
    did: Did,
    now: bool,
    users: Vec<u32>,
}

impl List<'_> {
    fn counts(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>) -> bool {
        let found = outcome.found;
        let stopped = self.probe.stopped(outcome) == Some(self.stage);
        match self.cell {
            DropOffCell::Reached => found.depth >= self.stage,
            DropOffCell::Dropped => stopped,
            DropOffCell::Open => stopped && outcome.open,
            DropOffCell::MaturedReached => found.depth >= self.stage,
            DropOffCell::MaturedDropped if self.stage == 0 => !outcome.converted,
            DropOffCell::MaturedDropped => stopped,
            DropOffCell::Exit => stopped && self.probe.next(timeline, found).is_none(),
            DropOffCell::Next(_) => {
                let next = self.probe.next(timeline, found);
                stopped && next.is_some() && next == self.name
            }
            DropOffCell::Factor(what, side) => {
                let mut stages = self.probe.stages(found);
                let Some(shown) = stages.find(|s| s.stage == self.stage) else {
                    return false;
                };
                let has = match what {
                    What::Event { .. } => {
                        self.probe.look(timeline, found, &mut self.did);
                        self.probe
                            .events(&self.did, shown)
                            .any(|name| Some(name) == self.name)
                    }
                    What::Value {
                        property,
                        kind,
                        value,
                    } => self.has(timeline, shown, property, *kind, value),
                };
                has != side.without && side.went_on.is_none_or(|on| on == shown.went_on)
            }
        }
    }

    fn has(
        &self,
        timeline: &Timeline<'_>,
        shown: Shown,
        property: &crate::query::Property,
        kind: GroupKind,
        value: &Value,
    ) -> bool {
        let known = &self.probe.question.properties;
        known.iter().position(|p| p == property).is_some_and(|at| {
            let key = self.probe.value(timeline, shown, at);
            let (its, written) = self.probe.properties[at].written(&key);
            its == kind && (kind != GroupKind::Value || written == *value)
        })
    }
}

impl Sink for List<'_> {
    fn take(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>) {
        let all = [
            DropOffCell::Reached,
            DropOffCell::Dropped,
            DropOffCell::Open,
        ];
        let of = if all.contains(self.cell) {
            Of::All
        } else {
            Of::Matured
        };
        if !self.now && outcome.of == of {
            self.now = self.counts(timeline, outcome);
        }
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
