//! Which events a step, a start or a return means.

use serde::{Serialize, Serializer};

/// A set of event names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Any event.
    #[default]
    Any,
    /// Events of that name.
    Event(String),
    /// Events of any of those names.
    AnyOf(Vec<String>),
}

impl Selector {
    /// Whether an event of that name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Event(mine) => mine == name,
            Self::AnyOf(names) => names.iter().any(|mine| mine == name),
        }
    }
}

impl From<&str> for Selector {
    fn from(name: &str) -> Self {
        Self::Event(name.to_owned())
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_none(),
            Self::Event(name) => serializer.serialize_str(name),
            Self::AnyOf(names) => serializer.collect_seq(names),
        }
    }
}
