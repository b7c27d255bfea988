//! What makes two answers differ.

use serde::Serialize;
use serde_json::{Map, Value};

use super::question::{DifferenceCell, Which};
use super::rules::Rule;
use crate::error::{FieldError, Result};
use crate::query::answer::{self, Stamp, Versions};

/// Two questions, the switches in which they differ, and the users that only one of them counts.
///
/// Switches act together: what each does alone need not add up to the whole difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The word that was asked.
    pub word: String,
    /// The number whose users are compared.
    pub cell: Value,
    /// The first question.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// The users that the number counts.
    pub users: Users,
    /// What differs, in the order of the rules.
    pub switches: Vec<SwitchDifference>,
}

/// A question with its numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The question with its preset spelled out, switch by switch.
    pub question: Value,
    /// The numbers of its answer.
    pub numbers: Value,
}

/// The users that two questions count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Users {
    /// Those of the first.
    pub a: u64,
    /// Those of the second.
    pub b: u64,
    /// Those of both.
    pub both: u64,
    /// Those of the first only.
    pub only_a: u64,
    /// Those of the second only.
    pub only_b: u64,
}

impl Users {
    fn of(a: &[u32], b: &[u32]) -> Self {
        let count = |users| {
            let cell = DifferenceCell {
                users,
                switch: None,
            };
            cell.of(a, b).len() as u64
        };
        Self {
            a: a.len() as u64,
            b: b.len() as u64,
            both: count(Which::Both),
            only_a: count(Which::OnlyA),
            only_b: count(Which::OnlyB),
        }
    }
}

/// A switch that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SwitchDifference {
    /// Its field in the question.
    pub switch: &'static str,
    /// The rules of its meaning.
    pub rules: &'static [&'static str],
    /// What it decides.
    pub sentence: &'static str,
    /// How it stands in the first question; null where nothing is said.
    pub a: Value,
    /// How it stands in the second.
    pub b: Value,
    /// The numbers of the first question with this switch alone as in the second; null where it cannot be changed alone.
    pub numbers: Option<Value>,
    /// The users of the first question (`a`) and of that one (`b`).
    pub users: Option<Users>,
    /// Why it cannot be changed alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What a question counts: its numbers, and the users of the cell, ascending.
pub(crate) type Counted = (Value, Vec<u32>);

/// The first question with one switch as in the second.
pub(crate) fn changed(a: &Value, b: &Value, field: &str) -> Value {
    let mut changed: Map<String, Value> = a.as_object().cloned().unwrap_or_default();
    match said(b, field) {
        Value::Null => changed.remove(field),
        value => changed.insert(field.to_owned(), value),
    };
    Value::Object(changed)
}

fn said(question: &Value, field: &str) -> Value {
    question.get(field).cloned().unwrap_or_default()
}

/// Compares two questions of a word, both spelled out; `ask` gives what one counts, `same` says whether two mean the same.
pub(crate) fn explain(
    rules: &'static [Rule],
    (a, b): (&Value, &Value),
    (word, cell): (&str, &Value),
    ask: &dyn Fn(&Value) -> Result<Counted>,
    same: &dyn Fn(&Value, &Value) -> bool,
    versions: Versions,
) -> Result<Explanation> {
    let (first, second) = (ask(a)?, ask(b)?);
    let mut switches = Vec::new();
    for rule in rules {
        let alone = changed(a, b, rule.field);
        if said(a, rule.field) == said(b, rule.field) || same(a, &alone) {
            continue;
        }
        let (counted, errors) = match ask(&alone) {
            Ok(counted) => (Some(counted), Vec::new()),
            Err(error) if !error.field_errors().is_empty() => (None, error.field_errors().to_vec()),
            Err(error) => return Err(error),
        };
        switches.push(SwitchDifference {
            switch: rule.field,
            rules: rule.rules,
            sentence: rule.sentence,
            a: said(a, rule.field),
            b: said(b, rule.field),
            users: counted
                .as_ref()
                .map(|(_, users)| Users::of(&first.1, users)),
            numbers: counted.map(|c| c.0),
            errors,
        });
    }
    let mut explanation = Explanation {
        stamp: Stamp::default(),
        word: word.to_owned(),
        cell: cell.clone(),
        users: Users::of(&first.1, &second.1),
        a: Side {
            question: a.clone(),
            numbers: first.0,
        },
        b: Side {
            question: b.clone(),
            numbers: second.0,
        },
        switches,
    };
    explanation.stamp = answer::stamp(&explanation, versions)?;
    Ok(explanation)
}
