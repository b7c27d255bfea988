//! The switches of a funnel, and the presets that set them all (G4).

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::query::{Condition, Property, Window};

/// One step: the events it means, and how it stands in the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The events it means.
    pub condition: Condition,
    /// Whether a chain may go without it (F9).
    pub optional: bool,
    /// The least time since the row before it in the chain (F14).
    pub min_gap: Option<Window>,
    /// The most time since the row before it in the chain (F14).
    pub max_gap: Option<Window>,
}

impl<S: Into<Condition>> From<S> for Step {
    fn from(condition: S) -> Self {
        Self {
            condition: condition.into(),
            ..Self::default()
        }
    }
}

/// Events that may not happen between two steps (F6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The events.
    pub condition: Condition,
    /// The earlier step, from 1; not an optional one.
    pub from: usize,
    /// The later step; not an optional one.
    pub to: usize,
}

impl Serialize for Exclusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event", &self.condition.event)?;
        if !self.condition.filters.is_empty() {
            map.serialize_entry("where", &self.condition.filters)?;
        }
        map.serialize_entry("from", &self.from)?;
        map.serialize_entry("to", &self.to)?;
        map.end()
    }
}

/// How steps are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One after the other; other events may lie between.
    #[default]
    Ordered,
    /// One right after the other, within the universe (F7).
    Strict,
    /// In any order (F8); step k then counts who did k of the steps.
    Any,
}

/// The events that break a strict funnel by coming between two steps (F7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Universe {
    /// All.
    #[default]
    All,
    /// All but those of these names.
    Except(Vec<String>),
}

impl Serialize for Universe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Except<'a> {
            except: &'a [String],
        }
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Except(except) => Except { except }.serialize(serializer),
        }
    }
}

/// What an excluded event does (F6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionMode {
    /// The chain ends before the later step; others may go on.
    #[default]
    KillChain,
    /// An entry whose deepest chains all meet one, or would before the window ends, does not count at all.
    RemoveUser,
}

/// What is counted (F10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Users, each by its best chain.
    #[default]
    Users,
    /// Sessions (L4), each by its best chain of its own events.
    Sessions,
    /// Attempts of users.
    Totals,
}

/// What an attempt is where totals are counted (F10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Totals {
    /// One after the other: first steps up to the end of an attempt belong to it.
    #[default]
    Attempts,
    /// Every first step is an attempt of its own.
    EveryEntry,
}

/// Which of equally deep chains is reported (F4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The one with the earliest rows.
    #[default]
    Earliest,
    /// The one with the latest first row, and then the earliest rows.
    Latest,
}

/// Which first steps may begin a chain (F4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entries {
    /// Every one in the range.
    #[default]
    Every,
    /// Only the first one in the range.
    First,
}

/// Whose times are measured (F13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timed {
    /// Those of units that converted.
    #[default]
    Converters,
    /// Those of every unit that reached both steps.
    Reached,
}

/// What the range selects (F5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Selects {
    /// First steps; later ones may fall after it.
    #[default]
    Entry,
    /// All steps: events outside it are not seen.
    AllSteps,
}

/// Whose value groups a unit (F11); always of the reported chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// Its first row's.
    #[default]
    Entry,
    /// That of the row that fills the step of this number, from 1.
    Step(usize),
    /// That of the last row that has one.
    Last,
    /// That of the first row that has one.
    First,
    /// Every distinct value that its rows have; a unit may be in several groups.
    Each,
}

/// Groups of units by the value of properties (F11): searched first, grouped after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// 1 to 4 properties; several make one group for each combination.
    pub properties: Vec<Property>,
    /// Whose value counts.
    pub by: Attribution,
    /// The groups shown, those with most units at step 1 first; the rest is one exact group.
    pub limit: usize,
}

impl Breakdown {
    /// By the value that the entry's row has of a property; the 25 largest groups.
    pub fn new(property: Property) -> Self {
        Self {
            properties: vec![property],
            by: Attribution::Entry,
            limit: GROUPS,
        }
    }
}

/// How many groups are shown where the question does not say.
pub(super) const GROUPS: usize = 25;

pub(super) const ORDERS: [(&str, Order); 3] = [
    ("ordered", Order::Ordered),
    ("strict", Order::Strict),
    ("any", Order::Any),
];

pub(super) const EXCLUSION_MODES: [(&str, ExclusionMode); 2] = [
    ("kill_chain", ExclusionMode::KillChain),
    ("remove_user", ExclusionMode::RemoveUser),
];

pub(super) const UNITS: [(&str, Unit); 3] = [
    ("users", Unit::Users),
    ("sessions", Unit::Sessions),
    ("totals", Unit::Totals),
];

pub(super) const TOTALS: [(&str, Totals); 2] = [
    ("attempts", Totals::Attempts),
    ("every_entry", Totals::EveryEntry),
];

pub(super) const ENTRY: [(&str, Entry); 2] =
    [("earliest", Entry::Earliest), ("latest", Entry::Latest)];

pub(super) const ENTRIES: [(&str, Entries); 2] =
    [("every", Entries::Every), ("first", Entries::First)];

pub(super) const TIMED: [(&str, Timed); 2] = [
    ("converters", Timed::Converters),
    ("reached", Timed::Reached),
];

pub(super) const SELECTS: [(&str, Selects); 2] =
    [("entry", Selects::Entry), ("all_steps", Selects::AllSteps)];

/// A mode without its step.
pub(super) const ATTRIBUTIONS: [(&str, Attribution); 5] = [
    ("entry", Attribution::Entry),
    ("step", Attribution::Step(0)),
    ("last", Attribution::Last),
    ("first", Attribution::First),
    ("each", Attribution::Each),
];
