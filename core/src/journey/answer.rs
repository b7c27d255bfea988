//! The answer of a journey.

use serde::Serialize;

use super::node::Node;
use super::options::{CollapsedAt, Occurrence, Preset, Rename, StepsFrom, Unit};
use super::question::Journey;
use crate::query::answer::Stamp;
use crate::query::{Condition, Filter, Instant, Property, Rate, Segment, Window, Zone};

/// Which ways the users of a range take.
///
/// `nodes`, `sequences`, `transitions`, `around` and `loops` look at each node of a unit once, from its anchor on or up to it,
/// without a limit of steps. `sankey` and `matrix` look at paths of at most `maxSteps` nodes; with every occurrence of an
/// anchor there is a path for each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JourneyAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Users with a path.
    pub users: u64,
    /// Paths.
    pub paths: u64,
    /// Events that are nodes of units with a path.
    pub events: u64,
    /// The nodes, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Nodes>,
    /// The most frequent sequences, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequences: Option<Sequences>,
    /// The graph of transitions, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transitions: Option<Transitions>,
    /// Step by step, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sankey: Option<Sankey>,
    /// Paths at each node at each step, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Matrix>,
    /// The neighbours of an event, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub around: Option<Around>,
    /// Returns to the same node, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loops: Option<Loops>,
    /// Events without a user, which are in no path (I4).
    pub unattributed_events: u64,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// The zone of the range.
    pub timezone: Zone,
    /// The users counted.
    pub segment: Segment,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
    /// The name of the rules the numbers follow.
    pub preset: Preset,
    /// How each switch stands, and what makes a node.
    pub switches: Switches,
}

/// The nodes with most users, then by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Nodes {
    /// How many different nodes there are.
    pub distinct: usize,
    /// Whether not all are shown.
    pub truncated: bool,
    /// Those shown.
    pub top: Vec<NodeCount>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeCount {
    /// Which.
    pub node: Node,
    /// Users who were at it.
    pub users: u64,
    /// How often paths were at it.
    pub occurrences: u64,
    /// How many events that is: more than occurrences where consecutive ones were collapsed.
    pub events: u64,
    /// How many paths begin at it.
    pub starts: u64,
    /// How many paths end at it.
    pub ends: u64,
    /// How many paths are cut after it.
    pub truncated: u64,
    /// Of its occurrences, those at which the path ends.
    pub drop_off: Rate,
    /// What is likely to come next after it, the likeliest first, where asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Likely>,
}

/// What is likely to come next, by the chain that tells next actions (interpolated Markov of order 0 to 3), learned from the journey's own paths:
/// its nodes, and END for the end of a path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Likely {
    /// A node, or END.
    pub node: Node,
    /// Its chance.
    pub probability: f64,
}

/// The sequences of `length` nodes that occur most often, then in the order of their names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sequences {
    /// How many nodes each has.
    pub length: usize,
    /// How many different ones there are.
    pub distinct: usize,
    /// Users with any.
    pub users: u64,
    /// How often any occurs.
    pub occurrences: u64,
    /// Whether not all are shown.
    pub truncated: bool,
    /// Those shown.
    pub top: Vec<Sequence>,
    /// All others.
    pub other: Others,
}

/// One sequence of nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sequence {
    /// The nodes in order.
    pub nodes: Vec<Node>,
    /// Users who took it.
    pub users: u64,
    /// How often it occurs.
    pub occurrences: u64,
    /// Of all sequences.
    pub share: Rate,
    /// The mean time from its first node to its last.
    pub mean_seconds: Option<f64>,
    /// The median of these times, exactly; nothing where medians were not asked for.
    pub median_seconds: Option<f64>,
    /// What is likely to come next after its last three nodes, the likeliest first, where asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Likely>,
}

/// All that is not shown by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Others {
    /// Users with any of it.
    pub users: u64,
    /// How often any of it occurs.
    pub occurrences: u64,
}

/// The transitions that occur most often, then in the order of their names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transitions {
    /// How many different ones there are.
    pub distinct: usize,
    /// Users with any.
    pub users: u64,
    /// How often any occurs.
    pub occurrences: u64,
    /// Whether not all are shown.
    pub truncated: bool,
    /// Those shown.
    pub top: Vec<Transition>,
    /// All others.
    pub other: Others,
}

/// From one node to the next; START, END and TRUNCATED are among them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// From which node.
    pub from: Node,
    /// To which.
    pub to: Node,
    /// Users who made it.
    pub users: u64,
    /// How often it was made.
    pub transitions: u64,
    /// Of all transitions from that node.
    pub share: Rate,
    /// The mean time between the two; nothing where one is reserved.
    pub mean_seconds: Option<f64>,
    /// The median of these times, exactly; nothing where medians were not asked for.
    pub median_seconds: Option<f64>,
}

/// Paths step by step.
///
/// What comes in at a node of a step equals what goes out, to END and TRUNCATED included (P2).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sankey {
    /// The steps that a path has, from 1.
    pub columns: Vec<Column>,
    /// The links, by step, then in the order of the names of source and target.
    pub links: Vec<Link>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Its number, from 1; counted backwards where paths end at an anchor.
    pub step: usize,
    /// The nodes with most users, then by name; after them all others as one.
    pub nodes: Vec<StepNode>,
}

/// A node at a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepNode {
    /// Which.
    pub node: Node,
    /// Users with a path that is there at this step.
    pub users: u64,
    /// Paths that are.
    pub paths: u64,
    /// Of all paths.
    pub share: Rate,
}

/// From a node at a step to the next node of the path.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The step of the source. Its target is at the next step; at the one before where steps are counted backwards.
    pub step: usize,
    /// From which node.
    pub source: Node,
    /// To which.
    pub target: Node,
    /// Users with a path that has it.
    pub users: u64,
    /// Paths that have it.
    pub transitions: u64,
    /// The mean time between the two; nothing where one is reserved.
    pub mean_seconds: Option<f64>,
}

/// Where paths are at each step: once a path has ended it stays at what it ended with, so that every step sums to all paths.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matrix {
    /// How many steps the longest path has.
    pub steps: usize,
    /// The nodes with most users, then by name; then Other, START, END and TRUNCATED as far as paths are there.
    pub rows: Vec<MatrixRow>,
}

/// One node of the matrix.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixRow {
    /// Which.
    pub node: Node,
    /// Paths there, by step.
    pub paths: Vec<u64>,
    /// Users with such a path, by step.
    pub users: Vec<u64>,
}

/// What comes right before and after an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Around {
    /// The event.
    pub event: Condition,
    /// Users who had it.
    pub users: u64,
    /// How often nodes have it.
    pub occurrences: u64,
    /// The nodes before it, most frequent first, then by name; at most `limit`.
    pub previous: Vec<Neighbour>,
    /// The nodes after it.
    pub next: Vec<Neighbour>,
    /// Whether not all neighbours are shown.
    pub truncated: bool,
}

/// A node right before or after an event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Neighbour {
    /// Which.
    pub node: Node,
    /// Users where it was.
    pub users: u64,
    /// How often it was.
    pub occurrences: u64,
    /// Of the event's occurrences.
    pub share: Rate,
    /// The mean time between the two; nothing where it is reserved.
    pub mean_seconds: Option<f64>,
}

/// The nodes that paths come back to most often, then by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Loops {
    /// How many such nodes there are.
    pub distinct: usize,
    /// Whether not all are shown.
    pub truncated: bool,
    /// Those shown.
    pub top: Vec<Loop>,
}

/// How often paths come back to a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loop {
    /// Which node.
    pub node: Node,
    /// Users who went from it right to it.
    pub self_users: u64,
    /// How often that was.
    pub self_loops: u64,
    /// Users who came back to it by way of others.
    pub return_users: u64,
    /// How often that was.
    pub returns: u64,
    /// How many transitions a return takes, on average.
    pub mean_steps: Option<f64>,
    /// How long it takes, on average.
    pub mean_seconds: Option<f64>,
}

/// How each switch stands, whether a preset set it or the question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// Whose events make a path.
    pub unit: Unit,
    /// The longest pause within a session, in seconds; null unless sessions are units.
    pub session_timeout: Option<Window>,
    /// What all nodes' events say.
    pub filters: Vec<Filter>,
    /// The only events that are nodes; empty for all.
    pub include: Vec<Condition>,
    /// The events that are none.
    pub exclude: Vec<Condition>,
    /// The property that names nodes; null for the event's name.
    pub node_by: Option<Property>,
    /// Names taken for one.
    pub rename: Vec<Rename>,
    /// Whether consecutive events of one node are one.
    pub collapse: bool,
    /// At whose time it stands; null where nothing is collapsed.
    pub collapsed_at: Option<CollapsedAt>,
    /// The event that paths begin at; null where they begin anywhere, or at any event.
    pub start: Option<Condition>,
    /// The event that paths end at.
    pub end: Option<Condition>,
    /// Which occurrences of it; null without one (P2).
    pub occurrence: Option<Occurrence>,
    /// The most nodes of a path in the Sankey and the matrix.
    pub max_steps: usize,
    /// Which node is step 1.
    pub steps_from: StepsFrom,
    /// The most nodes shown of a step.
    pub nodes_per_step: usize,
    /// The most nodes, sequences and transitions shown.
    pub limit: usize,
}

impl Switches {
    pub(super) fn of(question: &Journey) -> Self {
        Self {
            unit: question.unit,
            session_timeout: (question.unit == Unit::Sessions).then_some(question.session_timeout),
            filters: question.filters.clone(),
            include: question.include.clone(),
            exclude: question.exclude.clone(),
            node_by: question.node_by.clone(),
            rename: question.rename.clone(),
            collapse: question.collapse,
            collapsed_at: question.collapse.then_some(question.collapsed_at),
            start: question.start.clone(),
            end: question.end.clone(),
            occurrence: question.anchor().map(|_| question.occurrence),
            max_steps: question.max_steps,
            steps_from: question.steps_from,
            nodes_per_step: question.nodes_per_step,
            limit: question.limit,
        }
    }
}
