//! The users behind a number of a journey (D1): the same pass over the same plan, with a list in the place of counts.

use serde::Serialize;
use serde_json::Value;

use super::detail::Shown;
use super::node::{Node, node};
use super::options::Part;
use super::plan::Plan;
use super::question::{Journey, MAX_LENGTH, MAX_STEPS};
use super::tally::{Sink, Tally, pass};
use super::walk::{Places, Side, Unit};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::timeline::View;

/// A number of the answer whose users are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Everyone with a path.
    Users,
    /// Who was at a node.
    Node(Node),
    /// Who made any transition.
    Transitions,
    /// Who made a transition.
    Transition(Node, Node),
    /// Who made one that is not shown.
    OtherTransitions,
    /// Who took any sequence.
    Sequences,
    /// Who took a sequence.
    Sequence(Vec<Node>),
    /// Who took one that is not shown.
    OtherSequences,
    /// Who was at a node at a step of the Sankey.
    Step(usize, Node),
    /// Who has a link: the step of its source, source and target.
    Link(usize, Node, Node),
    /// Who was at a node at a step of the matrix.
    Matrix(usize, Node),
    /// Who had the event whose neighbours are counted.
    Around,
    /// Who had a node right before it.
    Previous(Node),
    /// Who had a node right after it.
    Next(Node),
    /// Who went from a node right to it.
    SelfLoop(Node),
    /// Who came back to a node by way of others.
    Return(Node),
}

/// The cells, and the fields that each needs.
const CELLS: [(&str, &[&str]); 16] = [
    ("users", &[]),
    ("node", &["node"]),
    ("transitions", &[]),
    ("transition", &["from", "to"]),
    ("other_transitions", &[]),
    ("sequences", &[]),
    ("sequence", &["nodes"]),
    ("other_sequences", &[]),
    ("step", &["step", "node"]),
    ("link", &["step", "source", "target"]),
    ("matrix", &["step", "node"]),
    ("around", &[]),
    ("previous", &["node"]),
    ("next", &["node"]),
    ("self_loop", &["node"]),
    ("return", &["node"]),
];

impl Who {
    /// Reads `{"cell": "link", "step": 1, "source": "search", "target": {"reserved": "end"}}`. The cells are `users`;
    /// `node`, `previous`, `next`, `self_loop` and `return` with a `node`; `transition` with `from` and `to`; `sequence` with
    /// `nodes`; `step` and `matrix` with `step` and `node`; `link` with `step`, `source` and `target`; `transitions`,
    /// `sequences`, `other_transitions`, `other_sequences` and `around`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(who: &Value) -> Result<Self> {
        let mut fields = Fields::of(who)?;
        let cells: Vec<(&str, usize)> = CELLS.iter().map(|c| c.0).zip(0..).collect();
        let cell = fields
            .optional("cell", |v| fields::one_of(v, &cells))
            .unwrap_or(0);
        let (name, wanted) = CELLS.get(cell).copied().unwrap_or(("users", &[]));
        let fits = |field: &str| {
            if wanted.contains(&field) {
                Ok(())
            } else {
                fault("contradiction", format!("is no field of the cell {name}"))
            }
        };
        let mut missing = Vec::new();
        let mut one = |field: &'static str| {
            let read = |v: &Value| fits(field).and_then(|()| node(v));
            take(&mut fields, field, wanted, &mut missing, read).unwrap_or(Node::Other)
        };
        let (at, from, to) = (one("node"), one("from"), one("to"));
        let (source, target) = (one("source"), one("target"));
        let nodes = take(&mut fields, "nodes", wanted, &mut missing, |v| {
            fits("nodes")?;
            let nodes = fields::list(v, node)?;
            if nodes.is_empty() || nodes.len() > MAX_LENGTH {
                return fault("invalid_length", "must have as many nodes as `length` says");
            }
            Ok(nodes)
        });
        let step = take(&mut fields, "step", wanted, &mut missing, |v| {
            fits("step")?;
            fields::integer(v, 0, MAX_STEPS as i64 + 1).map(|n| n as usize)
        })
        .unwrap_or(0);
        fields.finish(missing)?;
        Ok(match name {
            "node" => Self::Node(at),
            "transitions" => Self::Transitions,
            "transition" => Self::Transition(from, to),
            "other_transitions" => Self::OtherTransitions,
            "sequences" => Self::Sequences,
            "sequence" => Self::Sequence(nodes.unwrap_or_default()),
            "other_sequences" => Self::OtherSequences,
            "step" => Self::Step(step, at),
            "link" => Self::Link(step, source, target),
            "matrix" => Self::Matrix(step, at),
            "around" => Self::Around,
            "previous" => Self::Previous(at),
            "next" => Self::Next(at),
            "self_loop" => Self::SelfLoop(at),
            "return" => Self::Return(at),
            _ => Self::Users,
        })
    }

    /// The part of the answer that it is in; none for what every answer has.
    fn part(&self) -> Option<Part> {
        match self {
            Self::Users | Self::Around | Self::Previous(_) | Self::Next(_) => None,
            Self::Node(_) => Some(Part::Nodes),
            Self::Transitions | Self::Transition(..) | Self::OtherTransitions => {
                Some(Part::Transitions)
            }
            Self::Sequences | Self::Sequence(_) | Self::OtherSequences => Some(Part::Sequences),
            Self::Step(..) | Self::Link(..) => Some(Part::Sankey),
            Self::Matrix(..) => Some(Part::Matrix),
            Self::SelfLoop(_) | Self::Return(_) => Some(Part::Loops),
        }
    }

    /// Whether an answer can say of it that it is nobody.
    fn may_be_nobody(&self) -> bool {
        matches!(
            self,
            Self::Users
                | Self::Transitions
                | Self::OtherTransitions
                | Self::Sequences
                | Self::OtherSequences
                | Self::Matrix(..)
                | Self::Around
                | Self::SelfLoop(_)
                | Self::Return(_)
        )
    }
}

fn take<T>(
    fields: &mut Fields<'_>,
    field: &'static str,
    wanted: &[&str],
    missing: &mut Vec<crate::error::FieldError>,
    read: impl FnOnce(&Value) -> Parsed<T>,
) -> Option<T> {
    let mut given = false;
    let taken = fields.optional(field, |v| {
        given = true;
        read(v)
    });
    if wanted.contains(&field) && !given {
        missing.push(crate::error::FieldError {
            field: field.to_owned(),
            code: "required",
            message: "is required by this cell".to_owned(),
        });
    }
    taken
}

/// The users that a number of the answer counts, ascending.
///
/// # Errors
/// As `answer`; `unknown_cell` for what the answer does not have.
pub fn people(question: &Scoped<&Journey>, view: &View<'_>, who: &Who) -> Result<Vec<u32>> {
    let question = *question.inner();
    // Around an event is looked at whatever the parts are, but some part must be there.
    let part = who.part();
    if part.is_some_and(|part| !question.wants(part))
        || part.is_none() && *who != Who::Users && question.around.is_none()
    {
        return Err(unknown());
    }
    let asked = Journey {
        parts: part.into_iter().collect(),
        medians: false,
        ..question.clone()
    };
    let plan = Plan::new(&asked, view)?;
    let tally = Tally::run(&plan, view)?;
    let shown = Shown::new(&plan, &tally);
    let wanted = Wanted::new(&plan, who).ok_or_else(unknown)?;
    let mut list = pass(&plan, view, || List {
        shown: &shown,
        wanted: &wanted,
        places: Places::default(),
        users: Vec::new(),
    })?;
    list.users.sort_unstable();
    if list.users.is_empty() && !who.may_be_nobody() {
        return Err(unknown());
    }
    Ok(list.users)
}

fn unknown() -> Error {
    Error::field(
        "cell",
        "unknown_cell",
        "is no cell of the answer to this question",
    )
}

/// A cell by the numbers of its nodes.
#[derive(Debug)]
struct Wanted<'w> {
    who: &'w Who,
    nodes: Vec<u16>,
}

impl<'w> Wanted<'w> {
    /// Nothing where there is no such node.
    fn new(plan: &Plan<'_>, who: &'w Who) -> Option<Self> {
        let nodes: Vec<&Node> = match who {
            Who::Transition(a, b) | Who::Link(_, a, b) => vec![a, b],
            Who::Sequence(nodes) => nodes.iter().collect(),
            Who::Node(node)
            | Who::Step(_, node)
            | Who::Matrix(_, node)
            | Who::Previous(node)
            | Who::Next(node)
            | Who::SelfLoop(node)
            | Who::Return(node) => vec![node],
            _ => Vec::new(),
        };
        let nodes = nodes.into_iter().map(|node| plan.number(node));
        Some(Self {
            who,
            nodes: nodes.collect::<Option<_>>()?,
        })
    }
}

/// The users of one cell.
#[derive(Debug)]
struct List<'l> {
    shown: &'l Shown,
    wanted: &'l Wanted<'l>,
    places: Places,
    users: Vec<u32>,
}

impl List<'_> {
    fn counts(&mut self, plan: &Plan<'_>, unit: &Unit<'_>) -> bool {
        let (shown, who, nodes) = (self.shown, self.wanted.who, &self.wanted.nodes[..]);
        let mut met = false;
        match who {
            Who::Users => unit.paths(plan, |_| met = true),
            Who::Step(at, _) => unit.paths(plan, |path| {
                path.steps(plan, |step, node| {
                    met |= step == *at && nodes == [shown.at_step(plan, step, node)];
                });
            }),
            Who::Link(at, ..) => unit.paths(plan, |path| {
                shown.links(plan, &path, |step, source, target, _| {
                    met |= step == *at && nodes == [source, target];
                });
            }),
            Who::Matrix(at, _) => unit.paths(plan, |path| {
                shown.matrix(plan, &path, |step, node| {
                    met |= step == *at && nodes == [node];
                });
            }),
            Who::Sequences => unit.sequences(plan, |_| met = true),
            Who::Sequence(_) => unit.sequences(plan, |items| {
                met |= items.iter().map(|i| i.node).eq(nodes.iter().copied());
            }),
            Who::OtherSequences => unit.sequences(plan, |items| {
                met |= shown
                    .sequences
                    .place(items.iter().map(|i| i.node))
                    .is_none();
            }),
            _ => {
                if let Some(path) = unit.whole(plan) {
                    self.whole(plan, &path, &mut met);
                }
            }
        }
        met
    }

    fn whole(&mut self, plan: &Plan<'_>, path: &super::walk::Path<'_>, met: &mut bool) {
        let (shown, nodes) = (self.shown, &self.wanted.nodes[..]);
        match self.wanted.who {
            Who::Node(_) => *met = path.items.iter().any(|i| nodes == [i.node]),
            Who::Transitions => *met = true,
            Who::Transition(..) => path.transitions(|from, to, _| *met |= nodes == [from, to]),
            Who::OtherTransitions => path.transitions(|from, to, _| {
                *met |= shown.transitions.place([from, to].into_iter()).is_none();
            }),
            Who::Around => path.neighbours(|_, _, _| *met = true),
            Who::Previous(_) => path.neighbours(|side, node, _| {
                *met |= side == Side::Before && nodes == [node];
            }),
            Who::Next(_) => path.neighbours(|side, node, _| {
                *met |= side == Side::After && nodes == [node];
            }),
            Who::SelfLoop(_) => self.places.returns(plan, path, |back| {
                *met |= back.steps == 1 && nodes == [back.node];
            }),
            Who::Return(_) => self.places.returns(plan, path, |back| {
                *met |= back.steps > 1 && nodes == [back.node];
            }),
            _ => {}
        }
    }
}

impl Sink for List<'_> {
    fn take(&mut self, plan: &Plan<'_>, user: u32, unit: Unit<'_>) {
        if self.users.last() != Some(&user) && self.counts(plan, &unit) {
            self.users.push(user);
        }
    }

    fn merged(mut self, other: Self) -> Self {
        self.users.extend(other.users);
        self
    }
}
