//! Where units stop, what they do next, and what separates them, outcome by outcome.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::condition::{Property, meets, property};
use super::super::contrast::{adjust, contrast, strength};
use super::super::numbers::{instant, rate};
use super::super::question::{seconds, window};
use super::super::{Event, History};
use super::answer::Answer;
use super::asked::Asked;
use super::chains::deadline;
use super::{Of, Outcome, outcomes};

/// A question about drop-off points.
#[derive(Clone, Debug, PartialEq)]
pub struct DropOff {
    /// The question.
    pub question: Value,
    default_steps: Vec<String>,
    now: i64,
}

/// One factor with the outcomes that have it.
type Candidate = (Value, String);

/// What is asked beside the funnel.
struct Probe<'p> {
    asked: &'p Asked,
    history: &'p History,
    answer: Answer<'p>,
    rows: BTreeMap<&'p str, Vec<&'p Event>>,
    properties: Vec<Property>,
    at_step: bool,
    within: Option<i64>,
    support: u64,
    limit: usize,
}

impl DropOff {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, default_steps: &[&str], now: i64) -> Self {
        Self {
            question: question.clone(),
            default_steps: default_steps.iter().map(|s| (*s).to_owned()).collect(),
            now,
        }
    }

    fn over<T>(&self, history: &History, ask: impl Fn(&Probe<'_>) -> T) -> T {
        let asked = Asked::read(&self.question, &self.default_steps, self.now);
        let outcomes = outcomes(&asked, history);
        let given = |name: &str| self.question.get(name).filter(|v| !v.is_null());
        let properties = given("properties").and_then(Value::as_array).cloned();
        ask(&Probe {
            asked: &asked,
            history,
            answer: Answer {
                asked: &asked,
                history,
                outcomes: &outcomes,
            },
            rows: history.users(asked.as_of),
            properties: properties
                .unwrap_or_default()
                .into_iter()
                .map(Property)
                .collect(),
            at_step: given("propertiesAt") == Some(&json!("step")),
            within: given("within").map(window),
            support: given("minSupport").and_then(Value::as_u64).unwrap_or(30),
            limit: given("limit").and_then(Value::as_u64).unwrap_or(20) as usize,
        })
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        self.over(history, |probe| probe.json())
    }

    /// The users that a number counts: a cell as questions write it.
    pub fn people(&self, history: &History, cell: &Value) -> BTreeSet<String> {
        self.over(history, |probe| probe.people(cell))
    }
}

impl Probe<'_> {
    /// The required steps, from 0.
    fn required(&self) -> Vec<usize> {
        (0..self.asked.steps.len())
            .filter(|k| !self.asked.steps[*k].optional)
            .collect()
    }

    /// The outcomes that came to a stage: 0 is the whole funnel, else so many required steps are done.
    fn at(&self, of: Of, stage: usize) -> Vec<&Outcome<'_>> {
        let mut outcomes = self.answer.of(of);
        outcomes.retain(|o| o.depth >= stage);
        outcomes
    }

    fn went_on(&self, outcome: &Outcome<'_>, stage: usize) -> bool {
        if stage == 0 {
            outcome.depth == self.asked.required()
        } else {
            outcome.depth > stage
        }
    }

    /// The row with which so many required steps were done.
    fn row<'o>(&self, outcome: &'o Outcome<'_>, depth: usize) -> &'o Event {
        if self.asked.order == "any" {
            return outcome.chain[depth - 1].1;
        }
        let step = self.required()[depth - 1];
        outcome
            .chain
            .iter()
            .find(|c| c.0 == step)
            .expect("a step that was done")
            .1
    }

    fn rows<'o>(&'o self, outcome: &Outcome<'_>) -> &'o [&'o Event] {
        &self.rows[outcome.user.as_str()]
    }

    /// The place of a row among those of its user.
    fn place(&self, outcome: &Outcome<'_>, row: &Event) -> usize {
        let rows = self.rows(outcome);
        rows.iter()
            .position(|r| std::ptr::eq(*r, row))
            .expect("a row of the user")
    }

    fn seen(&self, row: &Event) -> bool {
        meets(&self.asked.filters, self.history, row, self.asked.as_of)
    }

    /// The names of the events on the way.
    fn events(&self, outcome: &Outcome<'_>, stage: usize) -> BTreeSet<String> {
        let entry = outcome.chain[0].1;
        let first = self.place(outcome, entry) + 1;
        let done = if stage == 0 {
            self.asked.required()
        } else {
            stage + 1
        };
        let end = if self.went_on(outcome, stage) {
            self.place(outcome, self.row(outcome, done))
        } else {
            usize::MAX
        };
        let mut last = deadline(self.asked, entry.ts);
        if let Some(within) = self.within {
            last = last.min(entry.ts + within);
        }
        let rows = self.rows(outcome).iter().enumerate();
        rows.filter(|(place, row)| {
            let mine = outcome.chain.iter().any(|c| std::ptr::eq(c.1, **row));
            *place >= first && *place < end && row.ts <= last && !mine && self.seen(row)
        })
        .map(|(_, row)| row.name.clone())
        .collect()
    }

    /// What an outcome has at a stage: every event on the way and every value.
    fn has(&self, outcome: &Outcome<'_>, stage: usize) -> Vec<Candidate> {
        let mut has: Vec<Candidate> = Vec::new();
        for event in self.events(outcome, stage) {
            has.push((json!({"event": event}), event));
        }
        let row = if stage > 0 && self.at_step {
            self.row(outcome, stage)
        } else {
            outcome.chain[0].1
        };
        for of in &self.properties {
            let row = of.row(row, outcome.chain[0].1);
            let value = of.of(self.history, row, self.asked.as_of);
            let name = match &of.0 {
                Value::String(name) => name.clone(),
                user => user["user"].as_str().unwrap_or_default().to_owned(),
            };
            if let Some(cohort) = of.0.get("cohort") {
                if value == Some(json!(true)) {
                    let what = json!({"property": property(of), "kind": "value", "value": true});
                    has.push((what, format!("in {}", cohort.as_str().unwrap_or_default())));
                }
                continue;
            }
            let (kind, label) = match &value {
                None => ("not_set", "(not set)".to_owned()),
                Some(Value::String(text)) if text.is_empty() => ("empty", "(empty)".to_owned()),
                Some(Value::String(text)) => ("value", text.clone()),
                Some(other) => ("value", other.to_string()),
            };
            let what = json!({"property": property(of), "kind": kind, "value": value});
            has.push((what, format!("{name} = {label}")));
        }
        has
    }

    fn factors(&self, stage: usize) -> Value {
        let outcomes = self.at(Of::Matured, stage);
        let mut known: Vec<Candidate> = Vec::new();
        for outcome in &outcomes {
            for candidate in self.has(outcome, stage) {
                if !known.contains(&candidate) {
                    known.push(candidate);
                }
            }
        }
        let all = known.len();
        let mut factors: Vec<Value> = Vec::new();
        for candidate in known {
            let (mut with, mut without) = ((0, 0), (0, 0));
            for outcome in &outcomes {
                let side = if self.has(outcome, stage).contains(&candidate) {
                    &mut with
                } else {
                    &mut without
                };
                side.0 += u64::from(self.went_on(outcome, stage));
                side.1 += 1;
            }
            if with.1 < self.support || without.1 < self.support {
                continue;
            }
            let mut factor = contrast(with, without);
            for (name, value) in candidate.0.as_object().expect("an object") {
                factor[name] = value.clone();
            }
            factor["label"] = json!(candidate.1);
            factors.push(factor);
        }
        adjust(&mut factors);
        let tried = factors.len();
        factors.sort_by(|a, b| {
            let key = |f: &Value| {
                (
                    f["event"].is_null(),
                    f["label"].to_string(),
                    f["value"].to_string(),
                )
            };
            strength(b)
                .total_cmp(&strength(a))
                .then_with(|| key(a).cmp(&key(b)))
        });
        factors.truncate(self.limit);
        json!({"tried": tried, "untried": all - tried, "factors": factors})
    }

    /// The user's first event after the last of the chain.
    fn next(&self, outcome: &Outcome<'_>) -> Option<String> {
        let places = outcome.chain.iter().map(|c| self.place(outcome, c.1));
        let last = places.max().expect("a chain has rows");
        let end = deadline(self.asked, outcome.chain[0].1.ts);
        let mut after = self.rows(outcome).iter().skip(last + 1);
        after
            .find(|row| row.ts <= end && self.seen(row))
            .map(|row| row.name.clone())
    }

    fn step(&self, step: usize, stage: usize) -> Value {
        let reached = self.at(Of::All, stage);
        let stopped = |o: &&&Outcome<'_>| !self.went_on(o, stage);
        let dropped: Vec<_> = reached.iter().filter(stopped).collect();
        let matured = self.at(Of::Matured, stage);
        let left: Vec<_> = matured.iter().filter(stopped).collect();
        let mut next: BTreeMap<String, u64> = BTreeMap::new();
        let mut exit = 0;
        for outcome in &left {
            match self.next(outcome) {
                Some(name) => *next.entry(name).or_default() += 1,
                None => exit += 1,
            }
        }
        let mut next: Vec<(String, u64)> = next.into_iter().collect();
        next.sort_by_key(|n| std::cmp::Reverse(n.1));
        let other = next.iter().skip(self.limit).map(|n| n.1).sum();
        next.truncate(self.limit);
        let n = left.len() as u64;
        let next = next
            .iter()
            .map(|(event, k)| json!({"event": event, "rate": rate(*k, n)}));
        json!({
            "step": step + 1,
            "event": self.asked.steps[step].condition.event.json(),
            "reached": reached.len(),
            "dropped": dropped.len(),
            "open": dropped.iter().filter(|o| o.open).count(),
            "matured": {"reached": matured.len(), "dropped": n, "rate": rate(n, matured.len() as u64)},
            "next": next.collect::<Vec<_>>(),
            "other": rate(other, n),
            "exit": rate(exit, n),
            "factors": self.factors(stage),
        })
    }

    fn json(&self) -> Value {
        let asked = self.asked;
        let required = self.required();
        let steps = required.iter().zip(1..).take(required.len() - 1);
        let matured = self.answer.of(Of::Matured);
        let converted = matured.iter().filter(|o| self.went_on(o, 0)).count() as u64;
        let (from, to) = asked.range.span();
        json!({
            "steps": steps.map(|(step, stage)| self.step(*step, stage)).collect::<Vec<_>>(),
            "conversion": {
                "entered": matured.len(),
                "converted": converted,
                "rate": rate(converted, matured.len() as u64),
                "factors": self.factors(0),
            },
            "properties": self.properties.iter().map(property).collect::<Vec<_>>(),
            "propertiesAt": if self.at_step { "step" } else { "entry" },
            "within": self.within.map(seconds),
            "minSupport": self.support,
            "window": seconds(asked.window),
            "startDate": instant(from),
            "endDate": instant(to),
            "timezone": asked.range.timezone,
            "segment": asked.segment,
            "asOf": instant(asked.as_of),
            "preset": asked.preset,
            "switches": self.answer.switches(),
        })
    }

    fn people(&self, cell: &Value) -> BTreeSet<String> {
        let step = cell
            .get("step")
            .and_then(Value::as_u64)
            .map_or(0, |k| k as usize);
        let stage = if step == 0 {
            0
        } else {
            self.answer.rank(step - 1)
        };
        let named = cell["cell"].as_str().expect("a cell");
        let of = match named {
            "reached" | "dropped" | "open" => Of::All,
            _ => Of::Matured,
        };
        let outcomes = self.at(of, stage);
        let counts = |o: &&&Outcome<'_>| {
            let stopped = !self.went_on(o, stage);
            match named {
                "reached" | "matured_reached" => true,
                "dropped" | "matured_dropped" => stopped,
                "open" => stopped && o.open,
                "exit" => stopped && self.next(o).is_none(),
                "next" => {
                    stopped && self.next(o).map(Value::String).as_ref() == Some(&cell["event"])
                }
                "factor" => {
                    let has = self.has(o, stage).iter().any(|h| h.0 == cell["factor"]);
                    let without = cell.get("without") == Some(&json!(true));
                    let on = cell.get("wentOn").and_then(Value::as_bool);
                    has != without && on.is_none_or(|on| on != stopped)
                }
                other => panic!("`{other}` is no cell"),
            }
        };
        outcomes
            .iter()
            .filter(counts)
            .map(|o| o.user.clone())
            .collect()
    }
}
