//! The switches of a journey, and the presets that set them all (G4).

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Whose events make a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A user's, all in the range.
    #[default]
    Users,
    /// Those of each session of a user (L4); all of the user's events decide where a session ends, not only the nodes.
    Sessions,
}

/// Which occurrences of the anchor begin, or end, a path (P2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Occurrence {
    /// The first of a unit.
    #[default]
    First,
    /// The last of a unit.
    Last,
    /// Each, with a path of its own; these paths may overlap.
    Each,
}

/// Which node of a path is step 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepsFrom {
    /// The first; steps are counted forwards.
    #[default]
    First,
    /// The last; steps are counted backwards.
    Last,
}

/// At whose time a node stands that consecutive events collapsed into (P1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CollapsedAt {
    /// That of the first of them.
    #[default]
    First,
    /// That of the last of them.
    Last,
}

/// A part of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The nodes, and how many paths end at each.
    Nodes,
    /// The most frequent sequences.
    Sequences,
    /// The graph of transitions.
    Transitions,
    /// Nodes and links step by step.
    Sankey,
    /// The share of paths at each node at each step.
    Matrix,
    /// Returns to the same node.
    Loops,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Nodes,
        Self::Sequences,
        Self::Transitions,
        Self::Sankey,
        Self::Matrix,
        Self::Loops,
    ];
}

/// Nodes that are taken for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// What the whole name looks like; `*` stands for any text. It matches no reserved node.
    pub pattern: String,
    /// The name they get.
    pub name: String,
}

impl Rename {
    /// Whether a node's name looks like the pattern.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut parts = self.pattern.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        // Each part in between as early as possible leaves most for those behind it.
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl Serialize for Rename {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("match", &self.pattern)?;
        map.serialize_entry("as", &self.name)?;
        map.end()
    }
}

/// A set of switches under a name (G4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// These rules.
    #[default]
    Exact,
    /// PostHog: sessions that end after 30 minutes or more, five steps counted forwards, consecutive repeats collapsed at the
    /// time of the last.
    Posthog,
}

pub(super) const UNITS: [(&str, Unit); 2] = [("users", Unit::Users), ("sessions", Unit::Sessions)];

pub(super) const OCCURRENCES: [(&str, Occurrence); 3] = [
    ("first", Occurrence::First),
    ("last", Occurrence::Last),
    ("each", Occurrence::Each),
];

pub(super) const STEPS_FROM: [(&str, StepsFrom); 2] =
    [("first", StepsFrom::First), ("last", StepsFrom::Last)];

pub(super) const COLLAPSED_AT: [(&str, CollapsedAt); 2] =
    [("first", CollapsedAt::First), ("last", CollapsedAt::Last)];

pub(super) const PARTS: [(&str, Part); 6] = [
    ("nodes", Part::Nodes),
    ("sequences", Part::Sequences),
    ("transitions", Part::Transitions),
    ("sankey", Part::Sankey),
    ("matrix", Part::Matrix),
    ("loops", Part::Loops),
];

pub(super) const PRESETS: [(&str, Preset); 2] =
    [("exact", Preset::Exact), ("posthog", Preset::Posthog)];

#[cfg(test)]
mod tests {
    use super::Rename;

    #[test]
    fn a_star_stands_for_any_text_and_the_whole_name_must_match() {
        let table = [
            ("/trip/*", "/trip/5", true),
            ("/trip/*", "/trip/", true),
            ("/trip/*", "/trips", false),
            ("/trip/*", "x/trip/5", false),
            ("*", "", true),
            ("*a*a", "aa", true),
            ("*a*a", "a", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("search", "search", true),
            ("search", "searches", false),
            ("**", "x", true),
        ];
        for (pattern, text, matches) in table {
            let rename = Rename {
                pattern: pattern.to_owned(),
                name: String::new(),
            };
            assert_eq!(rename.matches(text), matches, "{pattern} {text}");
        }
    }
}
