//! Retention tables by looking at every pair of a start and a return (R1–R11).

mod answer;
mod asked;
mod member;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Event, History, segment};
use answer::Answer;
use asked::Asked;
use member::Member;

/// A retention table: the question as doors take it, and what it is asked with.
#[derive(Clone, Debug, PartialEq)]
pub struct Retention {
    /// The question.
    pub question: Value,
    /// The events that are uses of a feature.
    pub features: Vec<String>,
    now: i64,
}

/// The features of the catalogue that a new store has.
const FEATURES: [&str; 5] = ["map", "wishlist", "price_alert", "chat", "review"];

/// The users behind a number: a cell as questions name it.
#[derive(Clone, Debug)]
pub struct Who<'w> {
    /// The place of the cohort among the rows, and of the column.
    pub cell: (usize, usize),
    /// `cohort`, `returned_in_start_period`, `eligible`, `retained`, `not_retained` or `returned_so_far`.
    pub who: &'w str,
    /// The place of a group among those of a breakdown.
    pub group: Option<usize>,
}

impl Retention {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, now: i64) -> Self {
        Self {
            question: question.clone(),
            features: FEATURES.map(str::to_owned).to_vec(),
            now,
        }
    }

    /// As the doors read it.
    pub fn json(&self) -> Value {
        self.question.clone()
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        self.over(history, |answer| answer.json())
    }

    /// The users that a number counts.
    pub fn people(&self, history: &History, who: &Who<'_>) -> BTreeSet<String> {
        self.over(history, |answer| answer.people(who))
    }

    fn over<T>(&self, history: &History, tell: impl Fn(&Answer<'_>) -> T) -> T {
        let asked = Asked::read(&self.question, self.now);
        let (from, to) = asked.range.span();
        let users = history.users(asked.as_of);
        let all = users.iter().filter(|(user, _)| {
            segment::member(history, user, &asked.segment, from, to, asked.as_of)
        });
        let all: Vec<&Vec<&Event>> = all.map(|(_, rows)| rows).collect();
        let joined = |cohort| -> Vec<Member<'_>> {
            let members = all.iter();
            let members = members.filter_map(|rows| Member::of(&asked, history, rows, cohort));
            members.collect()
        };
        let cohorts = asked.touching(from, to);
        tell(&Answer {
            asked: &asked,
            history,
            features: &self.features,
            cohorts: cohorts.iter().map(|c| (*c, joined(*c))).collect(),
        })
    }
}
