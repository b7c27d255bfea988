//! Journeys by enumeration (P1, P2): every path of every unit written out, and every number counted from the list of them.

mod answer;
mod asked;
mod paths;

use std::collections::BTreeSet;

use serde_json::Value;

use super::History;
use answer::Answer;
use asked::Asked;
use paths::Paths;

/// A journey: the question as doors take it, and the instant of an absent `asOf`.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// The question.
    pub question: Value,
    now: i64,
}

impl Journey {
    /// As questions write it.
    pub fn read(question: &Value, now: i64) -> Self {
        Self {
            question: question.clone(),
            now,
        }
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let asked = Asked::read(&self.question, self.now);
        let paths = Paths::of(&asked, history);
        Answer::new(&asked, &paths).json(history)
    }

    /// The users that a cell of the answer counts; none where the answer has no such cell.
    pub fn people(&self, history: &History, cell: &Value) -> BTreeSet<String> {
        let asked = Asked::read(&self.question, self.now);
        let paths = Paths::of(&asked, history);
        Answer::new(&asked, &paths).people(history, cell)
    }
}
