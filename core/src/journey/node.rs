//! Where a path can be.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::query::fields::{Parsed, fault, one_of};

/// A place of a path: one that events are at, or one of those that stand for none (P1).
///
/// In JSON a name is text, and a reserved place an object, `{"reserved": "end"}`, so that no event can be taken for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// The name of events, or the value of a property of theirs.
    Named(String),
    /// All that are not shown by themselves.
    Other,
    /// Before the first node of a path.
    Start,
    /// After the last node of a path.
    End,
    /// In the place of either where the question cuts the path.
    Truncated,
}

const RESERVED: [(&str, &str); 4] = [
    ("other", "Other"),
    ("start", "(start)"),
    ("end", "(end)"),
    ("truncated", "(truncated)"),
];

impl Node {
    fn reserved(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Named(_) => None,
            Self::Other => Some(RESERVED[0]),
            Self::Start => Some(RESERVED[1]),
            Self::End => Some(RESERVED[2]),
            Self::Truncated => Some(RESERVED[3]),
        }
    }

    /// How it is shown to people: its name, or `Other`, `(start)`, `(end)`, `(truncated)`.
    pub fn label(&self) -> &str {
        match self {
            Self::Named(name) => name,
            reserved => reserved.reserved().map_or("", |r| r.1),
        }
    }

    /// What it is: `node`, `other`, `start`, `end` or `truncated`.
    pub fn kind(&self) -> &'static str {
        self.reserved().map_or("node", |r| r.0)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => serializer.serialize_str(name),
            reserved => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("reserved", reserved.kind())?;
                map.end()
            }
        }
    }
}

/// A name, or `{"reserved": …}`.
pub(super) fn node(value: &Value) -> Parsed<Node> {
    if let Value::String(name) = value {
        return Ok(Node::Named(name.clone()));
    }
    let map = value.as_object().filter(|map| map.len() == 1);
    let Some(reserved) = map.and_then(|map| map.get("reserved")) else {
        return fault(
            "invalid_type",
            "must be the name of a node, or an object with the one field `reserved`",
        );
    };
    let all = [Node::Other, Node::Start, Node::End, Node::Truncated];
    let kinds = all.each_ref().map(|node| (node.kind(), node));
    one_of(reserved, &kinds).cloned()
}
