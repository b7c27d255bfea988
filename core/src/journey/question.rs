//! The question of a journey.

use serde_json::Value;

use super::options::{CollapsedAt, Occurrence, Part, Preset, Rename, StepsFrom, Unit};
use super::parse;
use crate::error::Result;
use crate::query::fields::Fields;
use crate::query::{Condition, Filter, Instant, Property, Range, Segment, Window};
use crate::timeline::Needs;

/// The ways that users take through the nodes of a range.
///
/// A path is the nodes of a unit in the order of its events (G2). It begins with START and ends with END, or with TRUNCATED in
/// the place of either where the question cuts it: where the unit has a node before or after the range, or where the path
/// has more than `max_steps` nodes. These three are no events, and nothing selects them (P1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Selects the events.
    pub range: Range,
    /// Only users of this segment.
    pub segment: Segment,
    /// Only events that meet all of these are nodes.
    pub filters: Vec<Filter>,
    /// Only these events are nodes; all where there is none.
    pub include: Vec<Condition>,
    /// These events are no nodes.
    pub exclude: Vec<Condition>,
    /// The property whose value, as text, is the name of a node; the event's name by default. Events without it are no nodes.
    pub node_by: Option<Property>,
    /// Names that are taken for one; the first that matches counts.
    pub rename: Vec<Rename>,
    /// Whose events make a path.
    pub unit: Unit,
    /// The longest pause within a session (L4); 30 minutes by default.
    pub session_timeout: Window,
    /// Whether consecutive events of one node are one node of the path, which keeps their number.
    pub collapse: bool,
    /// At whose time such a node stands.
    pub collapsed_at: CollapsedAt,
    /// Paths begin at a node that has such an event; units without one have no path.
    pub start: Option<Condition>,
    /// Paths end at a node that has such an event.
    pub end: Option<Condition>,
    /// Which nodes of a unit that is.
    pub occurrence: Occurrence,
    /// The most nodes of a path in the Sankey and the matrix, 1 to 100; the first, or before an end the last. 10 by default.
    pub max_steps: usize,
    /// Which node is step 1; the last where paths end at an anchor, otherwise the first.
    pub steps_from: StepsFrom,
    /// How many nodes the sequences have that are counted, 1 to 8; 3 by default.
    pub length: usize,
    /// The most nodes, sequences and transitions shown, 1 to 1,000; 20 by default.
    pub limit: usize,
    /// The most nodes shown of a step, 1 to 100; the rest is Other, exactly. 10 by default.
    pub nodes_per_step: usize,
    /// The event whose neighbours are counted.
    pub around: Option<Condition>,
    /// The parts of the answer; all by default.
    pub parts: Vec<Part>,
    /// Whether medians are computed.
    pub medians: bool,
    /// How many nodes are told that are likely to come next after each node and sequence shown, 0 to 10; none by default.
    pub next_actions: usize,
    /// The name of the rules that the switches were set by.
    pub preset: Preset,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

pub(super) const MAX_LENGTH: usize = 8;
pub(super) const MAX_STEPS: usize = 100;
pub(super) const MAX_SHOWN: usize = 1_000;
pub(super) const MAX_PER_STEP: usize = 100;
pub(super) const MAX_NEXT: usize = 10;

impl Journey {
    /// The paths of users through all events of a range.
    pub fn new(range: Range) -> Self {
        Self {
            range,
            segment: Segment::default(),
            filters: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            node_by: None,
            rename: Vec::new(),
            unit: Unit::default(),
            session_timeout: Window::seconds(1800),
            collapse: false,
            collapsed_at: CollapsedAt::default(),
            start: None,
            end: None,
            occurrence: Occurrence::default(),
            max_steps: 10,
            steps_from: StepsFrom::default(),
            length: 3,
            limit: 20,
            nodes_per_step: 10,
            around: None,
            parts: Part::ALL.to_vec(),
            medians: true,
            next_actions: 0,
            preset: Preset::default(),
            as_of: None,
        }
    }

    /// Reads a question in its JSON form: `startDate`, `endDate`, `timezone`, `segment`, `filters`, `include`, `exclude`,
    /// `nodeBy`, `rename`, `unit`, `sessionTimeout`, `collapse`, `collapsedAt`, `start`, `end`, `occurrence`, `maxSteps`,
    /// `stepsFrom`, `length`, `limit`, `nodesPerStep`, `around`, `parts`, `medians`, `nextActions`, `preset`, `asOf`. Switches
    /// that are absent are those of the preset.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let journey = parse::journey(&mut fields);
        fields.finish(journey.faults(now))?;
        Ok(journey)
    }

    /// Sets the switches of a preset (G4).
    #[must_use]
    pub fn under(mut self, preset: Preset) -> Self {
        self.preset = preset;
        if preset == Preset::Posthog {
            self.unit = Unit::Sessions;
            // A pause of exactly 30 minutes ends a session there.
            self.session_timeout =
                Window::from_micros(1_800_000_000 - 1).unwrap_or(self.session_timeout);
            self.collapse = true;
            self.collapsed_at = CollapsedAt::Last;
            self.max_steps = 5;
            self.steps_from = StepsFrom::First;
        }
        self
    }

    /// Whether a part of the answer is asked for.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// The event that paths begin or end at.
    pub(crate) fn anchor(&self) -> Option<&Condition> {
        self.start.as_ref().or(self.end.as_ref())
    }

    /// Whether the last nodes of a path are kept where it is too long.
    pub(crate) fn keeps_last(&self) -> bool {
        self.end.is_some() || self.steps_from == StepsFrom::Last
    }

    /// The properties it looks at.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let conditions = self.include.iter().chain(&self.exclude);
        let conditions = conditions.chain(self.anchor()).chain(&self.around);
        let mut properties: Vec<&Property> = conditions.flat_map(|c| c.properties()).collect();
        properties.extend(self.filters.iter().map(|f| &f.property));
        properties.extend(&self.node_by);
        Needs {
            properties,
            ..Needs::default()
        }
    }
}
