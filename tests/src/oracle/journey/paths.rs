//! The paths themselves, one by one.

use serde_json::{Value, json};

use super::super::question::text;
use super::super::{Event, History, segment};
use super::asked::Asked;

/// A place of a path; reserved ones come after all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Named(String),
    Other,
    Start,
    End,
    Truncated,
}

impl Node {
    pub(super) fn json(&self) -> Value {
        let reserved = |name: &str| json!({ "reserved": name });
        match self {
            Self::Named(name) => json!(name),
            Self::Other => reserved("other"),
            Self::Start => reserved("start"),
            Self::End => reserved("end"),
            Self::Truncated => reserved("truncated"),
        }
    }

    pub(super) fn read(value: &Value) -> Self {
        match value.get("reserved").map(text).as_deref() {
            None => Self::Named(text(value)),
            Some("other") => Self::Other,
            Some("start") => Self::Start,
            Some("end") => Self::End,
            Some(_) => Self::Truncated,
        }
    }

    pub(super) fn named(&self) -> bool {
        matches!(self, Self::Named(_))
    }
}

/// A node of a path, with the events that it is.
#[derive(Clone, Debug)]
pub(super) struct Item<'h> {
    pub(super) node: Node,
    pub(super) events: Vec<&'h Event>,
    pub(super) ts: i64,
}

/// Nodes of a user between two reserved ones.
#[derive(Clone, Debug)]
pub(super) struct Path<'h> {
    pub(super) user: String,
    pub(super) items: Vec<Item<'h>>,
    pub(super) left: Node,
    pub(super) right: Node,
}

/// All paths of a question.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths<'h> {
    /// What of each unit any of its paths looks at, however long.
    pub(super) whole: Vec<Path<'h>>,
    /// Each path, with no more nodes than there are steps.
    pub(super) cut: Vec<Path<'h>>,
    /// The sequences that are counted.
    pub(super) sequences: Vec<(String, Vec<Item<'h>>)>,
}

impl<'h> Paths<'h> {
    pub(super) fn of(asked: &Asked, history: &'h History) -> Self {
        let mut paths = Self::default();
        let (from, to) = asked.range.span();
        for (user, rows) in history.users(asked.as_of) {
            if !segment::member(history, user, &asked.segment, from, to, asked.as_of) {
                continue;
            }
            let mut units: Vec<Vec<&Event>> = Vec::new();
            for row in rows {
                let goes_on = units.last().and_then(|u| u.last()).is_some_and(|last| {
                    !asked.sessions || row.ts - last.ts <= asked.session_timeout
                });
                if goes_on {
                    units.last_mut().expect("a unit").push(row);
                } else {
                    units.push(vec![row]);
                }
            }
            for unit in units {
                paths.of_unit(asked, history, user, &unit);
            }
        }
        paths
    }

    fn of_unit(&mut self, asked: &Asked, history: &'h History, user: &str, rows: &[&'h Event]) {
        let (from, to) = asked.range.span();
        let nodes: Vec<(Node, &Event)> = rows
            .iter()
            .filter_map(|row| Some((node(asked, history, row)?, *row)))
            .collect();
        let before = nodes.iter().any(|(_, row)| row.ts < from);
        let after = nodes.iter().any(|(_, row)| row.ts >= to);
        let inside = nodes
            .into_iter()
            .filter(|(_, row)| (from..to).contains(&row.ts));
        let mut items: Vec<Item<'h>> = Vec::new();
        for (node, row) in inside {
            match items.last_mut() {
                Some(item) if asked.collapse && item.node == node => item.events.push(row),
                _ => items.push(Item {
                    node,
                    events: vec![row],
                    ts: row.ts,
                }),
            }
        }
        for item in &mut items {
            let at = if asked.collapsed_at == "last" {
                item.events.last()
            } else {
                item.events.first()
            };
            item.ts = at.expect("an event").ts;
        }
        if items.is_empty() {
            return;
        }
        let all = items.len();
        let condition = asked.start.as_ref().or(asked.end.as_ref());
        let anchors: Vec<usize> = match condition {
            None => Vec::new(),
            Some(condition) => (0..all)
                .filter(|i| {
                    let events = &items[*i].events;
                    events
                        .iter()
                        .any(|e| condition.means(history, e, asked.as_of))
                })
                .collect(),
        };
        let anchors: Vec<usize> = match asked.occurrence.as_str() {
            "first" => anchors.first().copied().into_iter().collect(),
            "last" => anchors.last().copied().into_iter().collect(),
            _ => anchors,
        };
        let stretches: Vec<(usize, usize)> = match (condition, &asked.end) {
            (None, _) => vec![(0, all)],
            (_, None) => anchors.iter().map(|at| (*at, all)).collect(),
            (_, Some(_)) => anchors.iter().map(|at| (0, at + 1)).collect(),
        };
        let path = |(low, high): (usize, usize)| Path {
            user: user.to_owned(),
            items: items[low..high].to_vec(),
            left: if before && asked.start.is_none() {
                Node::Truncated
            } else {
                Node::Start
            },
            right: if after && asked.end.is_none() {
                Node::Truncated
            } else {
                Node::End
            },
        };
        // Of overlapping paths the longest has all nodes of the others.
        let longest = stretches.iter().max_by_key(|s| s.1 - s.0);
        self.whole.extend(longest.copied().map(path));
        for stretch in &stretches {
            let mut cut = path(*stretch);
            let surplus = cut.items.len().saturating_sub(asked.max_steps);
            if surplus > 0 && (asked.end.is_some() || asked.steps_from == "last") {
                cut.items.drain(..surplus);
                cut.left = Node::Truncated;
            } else if surplus > 0 {
                cut.items.truncate(asked.max_steps);
                cut.right = Node::Truncated;
            }
            self.cut.push(cut);
        }
        let n = asked.length;
        for low in 0..all {
            let high = low + n;
            let counts = match (condition, &asked.end) {
                (None, _) => true,
                (_, None) => anchors.contains(&low),
                (_, Some(_)) => anchors.contains(&(high - 1)),
            };
            if high <= all && counts {
                self.sequences
                    .push((user.to_owned(), items[low..high].to_vec()));
            }
        }
    }
}

/// The node that an event is.
fn node(asked: &Asked, history: &History, row: &Event) -> Option<Node> {
    let means = |conditions: &[super::super::condition::Condition]| {
        conditions
            .iter()
            .any(|c| c.means(history, row, asked.as_of))
    };
    let seen = super::super::condition::meets(&asked.filters, history, row, asked.as_of);
    if !seen || !asked.include.is_empty() && !means(&asked.include) || means(&asked.exclude) {
        return None;
    }
    let name = match &asked.node_by {
        None => row.name.clone(),
        Some(property) => match property.of(history, row, asked.as_of)? {
            Value::String(text) => text,
            other => other.to_string(),
        },
    };
    Some(Node::Named(asked.renamed(name)))
}
