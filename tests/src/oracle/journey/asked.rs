//! A question as the oracle reads it: every option with its default.

use serde_json::{Value, json};

use super::super::condition::{Condition, Property};
use super::super::question::{Range, micros, text, window};

/// Every option.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) range: Range,
    pub(super) segment: String,
    pub(super) filters: Vec<Value>,
    pub(super) include: Vec<Condition>,
    pub(super) exclude: Vec<Condition>,
    pub(super) node_by: Option<Property>,
    /// Patterns and the names they give.
    pub(super) rename: Vec<(String, String)>,
    pub(super) sessions: bool,
    pub(super) session_timeout: i64,
    pub(super) collapse: bool,
    pub(super) collapsed_at: String,
    pub(super) start: Option<Condition>,
    pub(super) end: Option<Condition>,
    pub(super) occurrence: String,
    pub(super) max_steps: usize,
    pub(super) steps_from: String,
    pub(super) length: usize,
    pub(super) limit: usize,
    pub(super) nodes_per_step: usize,
    pub(super) around: Option<Condition>,
    pub(super) parts: Vec<String>,
    pub(super) medians: bool,
    pub(super) preset: String,
    pub(super) as_of: i64,
}

impl Asked {
    pub(super) fn read(question: &Value, now: i64) -> Self {
        let given = |name: &str| question.get(name).filter(|v| !v.is_null());
        let word = |name: &str, default: &str| given(name).map_or_else(|| default.to_owned(), text);
        let flag = |name: &str, default: bool| given(name).map_or(default, |v| v == &json!(true));
        let number = |name: &str, default: usize| {
            given(name).map_or(default, |v| v.as_f64().expect("a number") as usize)
        };
        let list = |name: &str| -> Vec<Value> {
            match given(name) {
                Some(Value::Array(list)) => list.clone(),
                Some(one) => vec![one.clone()],
                None => Vec::new(),
            }
        };
        let conditions = |name: &str| list(name).iter().map(Condition::read).collect();
        let posthog = word("preset", "exact") == "posthog";
        let unit = word("unit", if posthog { "sessions" } else { "users" });
        let end = given("end").map(Condition::read);
        let backwards = end.is_some() && !posthog;
        let parts = [
            "nodes",
            "sequences",
            "transitions",
            "sankey",
            "matrix",
            "loops",
        ];
        Self {
            range: Range::read(question),
            segment: word("segment", "all"),
            filters: list("filters"),
            include: conditions("include"),
            exclude: conditions("exclude"),
            node_by: given("nodeBy").cloned().map(Property),
            rename: list("rename").iter().map(rename).collect(),
            sessions: unit == "sessions",
            session_timeout: given("sessionTimeout").map_or(
                if posthog {
                    1_799_999_999
                } else {
                    1_800_000_000
                },
                window,
            ),
            collapse: flag("collapse", posthog),
            collapsed_at: word("collapsedAt", if posthog { "last" } else { "first" }),
            start: given("start").map(Condition::read),
            occurrence: word("occurrence", "first"),
            max_steps: number("maxSteps", if posthog { 5 } else { 10 }),
            steps_from: word("stepsFrom", if backwards { "last" } else { "first" }),
            length: number("length", 3),
            limit: number("limit", 20),
            nodes_per_step: number("nodesPerStep", 10),
            around: given("around").map(Condition::read),
            parts: match given("parts") {
                Some(_) => list("parts").iter().map(text).collect(),
                None => parts.map(str::to_owned).to_vec(),
            },
            medians: flag("medians", true),
            preset: word("preset", "exact"),
            as_of: given("asOf").map_or(now, micros),
            end,
        }
    }

    pub(super) fn wants(&self, part: &str) -> bool {
        self.parts.iter().any(|p| p == part)
    }

    /// The name of a node after renaming.
    pub(super) fn renamed(&self, name: String) -> String {
        let found = self.rename.iter().find(|(pattern, _)| like(pattern, &name));
        found.map_or(name, |(_, new)| new.clone())
    }
}

fn rename(value: &Value) -> (String, String) {
    match value {
        Value::String(both) => (both.clone(), both.clone()),
        pair => (text(&pair["match"]), text(&pair["as"])),
    }
}

/// Whether a text looks like a pattern, in which `*` is any text: the first character of either decides what is tried.
fn like(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('*') => {
            let after = rest.as_str();
            like(after, name) || {
                let mut name = name.chars();
                name.next().is_some() && like(pattern, name.as_str())
            }
        }
        Some(c) => {
            let mut name = name.chars();
            name.next() == Some(c) && like(rest.as_str(), name.as_str())
        }
    }
}
