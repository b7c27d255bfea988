//! Groups of a funnel compared, each against the rest.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::condition::property;
use super::super::contrast::{adjust, contrast};
use super::super::numbers::instant;
use super::super::question::seconds;
use super::super::{History, cohort, segment};
use super::answer::{Answer, Values};
use super::asked::Asked;
use super::{Of, Outcome, outcomes};

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Compare {
    /// The question.
    pub question: Value,
    default_steps: Vec<String>,
    now: i64,
}

/// A group: what it is called, and whether an outcome is of it.
struct Group<'g> {
    kind: String,
    value: Value,
    label: String,
    means: Box<dyn Fn(&Outcome<'_>) -> bool + 'g>,
}

impl Compare {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, default_steps: &[&str], now: i64) -> Self {
        Self {
            question: question.clone(),
            default_steps: default_steps.iter().map(|s| (*s).to_owned()).collect(),
            now,
        }
    }

    fn over<T>(
        &self,
        history: &History,
        ask: impl Fn(&Asked, &Answer<'_>, &[Group<'_>], &[&Outcome<'_>]) -> T,
    ) -> T {
        let asked = Asked::read(&self.question, &self.default_steps, self.now);
        let outcomes = outcomes(&asked, history);
        let answer = Answer {
            asked: &asked,
            history,
            outcomes: &outcomes,
        };
        let groups = match self.question.get("between").and_then(Value::as_array) {
            Some(between) => between.iter().map(|b| users(b, &asked, history)).collect(),
            None => values(&answer),
        };
        let mut matured = answer.of(Of::Matured);
        matured.retain(|o| groups.iter().any(|g| (g.means)(o)));
        ask(&asked, &answer, &groups, &matured)
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        self.over(history, |asked, answer, groups, matured| {
            let required: Vec<usize> = (0..asked.steps.len())
                .filter(|k| !asked.steps[*k].optional)
                .collect();
            let share = |group: &Group<'_>, depth: usize, of: usize| {
                let count = |inside: bool| {
                    let mine = matured.iter().filter(|o| (group.means)(o) == inside);
                    let reach = |depth| mine.clone().filter(|o| o.depth >= depth).count() as u64;
                    (reach(depth), reach(of))
                };
                contrast(count(true), count(false))
            };
            let mut compared: Vec<Value> = groups
                .iter()
                .map(|group| {
                    let steps = required.iter().zip(1..).skip(1).map(|(step, depth)| {
                        let mut one = share(group, depth, depth - 1);
                        one["step"] = json!(step + 1);
                        one["event"] = asked.steps[*step].condition.event.json();
                        one
                    });
                    json!({
                        "kind": group.kind,
                        "value": group.value,
                        "label": group.label,
                        "conversion": share(group, required.len(), 1),
                        "steps": steps.collect::<Vec<_>>(),
                    })
                })
                .collect();
            adjust(compared.iter_mut().map(|c| &mut c["conversion"]));
            let steps = compared
                .iter_mut()
                .filter_map(|c| c["steps"].as_array_mut());
            adjust(steps.flatten());
            let several = |o: &&&Outcome<'_>| groups.iter().filter(|g| (g.means)(o)).count() > 1;
            let (from, to) = asked.range.span();
            let mut written = json!({
                "groups": compared,
                "shared": matured.iter().filter(several).count(),
                "window": seconds(asked.window),
                "startDate": instant(from),
                "endDate": instant(to),
                "timezone": asked.range.timezone,
                "segment": asked.segment,
                "asOf": instant(asked.as_of),
                "preset": asked.preset,
                "switches": answer.switches(),
            });
            if let Some(breakdown) = &asked.breakdown {
                written["properties"] = breakdown.properties.iter().map(property).collect();
                written["by"] = match breakdown.by.as_str() {
                    "step" => json!({"step": breakdown.step}),
                    by => json!(by),
                };
            }
            written
        })
    }

    /// The users that a number counts: `group`, `rest` and `step`.
    pub fn people(&self, history: &History, cell: &Value) -> BTreeSet<String> {
        self.over(history, |_, answer, groups, matured| {
            let number =
                |name: &str, absent| cell.get(name).and_then(Value::as_u64).unwrap_or(absent);
            let group = &groups[number("group", 0) as usize];
            let depth = answer.rank(number("step", 1) as usize - 1);
            let rest = cell.get("rest") == Some(&json!(true));
            let mine = matured
                .iter()
                .filter(|o| (group.means)(o) != rest && o.depth >= depth);
            mine.map(|o| o.user.clone()).collect()
        })
    }
}

/// A segment or a cohort.
fn users<'g>(between: &Value, asked: &'g Asked, history: &'g History) -> Group<'g> {
    let (from, to) = asked.range.span();
    let (kind, name) = match between {
        Value::String(name) => ("segment", name.clone()),
        other => (
            "cohort",
            other["cohort"].as_str().expect("a name").to_owned(),
        ),
    };
    let called = name.clone();
    let means = move |o: &Outcome<'_>| match kind {
        "segment" => segment::member(history, &o.user, &called, from, to, asked.as_of),
        _ => cohort::member(history, &o.user, &called, asked.as_of),
    };
    Group {
        kind: kind.to_owned(),
        value: json!(name),
        label: name,
        means: Box::new(means),
    }
}

/// The groups of the breakdown, and the rest of them as one where there are too many.
fn values<'g>(answer: &'g Answer<'g>) -> Vec<Group<'g>> {
    let shown: Vec<Values> = answer.shown();
    let mut groups: Vec<Group<'g>> = Vec::new();
    for values in shown.clone() {
        let (kind, value, label) = answer.written(&values);
        groups.push(Group {
            kind: kind.to_owned(),
            value,
            label,
            means: Box::new(move |o| answer.values(o).contains(&values)),
        });
    }
    if answer.all_groups().len() > shown.len() {
        groups.push(Group {
            kind: "other".to_owned(),
            value: Value::Null,
            label: "Other".to_owned(),
            means: Box::new(move |o| answer.values(o).iter().any(|v| !shown.contains(v))),
        });
    }
    groups
}
