//! The first pass: what there is, and hence what is shown.

use super::cells::{Cell, Table};
use super::options::Part;
use super::plain::{Begun, Plain};
use super::plan::Plan;
use super::walk::{self, Item, Path, Places, Side, Unit};
use crate::error::Result;
use crate::timeline::{Timeline, View};

/// Takes the units of users, one after the other.
pub(super) trait Sink: Send {
    /// A unit that has a node in the range.
    fn take(&mut self, plan: &Plan<'_>, user: u32, unit: Unit<'_>);
    fn merged(self, other: Self) -> Self;
}

/// One pass over all users.
pub(super) fn pass<S: Sink>(
    plan: &Plan<'_>,
    view: &View<'_>,
    empty: impl Fn() -> S + Sync + Send,
) -> Result<S> {
    let done = view.fold(
        || (empty(), Vec::<Item>::new()),
        |(sink, items), timeline: Timeline<'_>| {
            if plan.members.hold(&timeline) {
                walk::units(plan, &timeline, items, |unit| {
                    sink.take(plan, timeline.user, unit);
                });
            }
        },
        |a, b| (a.0.merged(b.0), a.1),
    )?;
    Ok(done.0)
}

/// What the first pass counts; a part that is not asked for stays empty.
#[derive(Debug)]
pub(super) struct Tally {
    /// Users and paths.
    pub(super) paths: Cell,
    /// Events that are nodes of paths.
    pub(super) events: u64,
    /// By node: users and occurrences, and the events that they are.
    pub(super) nodes: Table<(Cell, u64)>,
    /// By both ends of transitions.
    pub(super) transitions: Table<Cell>,
    /// Of any transition between two nodes.
    pub(super) all_transitions: Cell,
    /// By sequences.
    pub(super) sequences: Table<Cell>,
    /// Of any sequence.
    pub(super) all_sequences: Cell,
    /// By step and node.
    pub(super) steps: Table<Cell>,
    /// By neighbours before and after, and occurrences of what they are neighbours of.
    pub(super) neighbours: [Table<Cell>; 2],
    pub(super) around: Cell,
    /// By node: self loops, returns, and how many transitions the returns took.
    pub(super) loops: Table<(Cell, Cell, u64)>,
    /// What users began with, where sequences are all that is asked for.
    pub(super) begun: Vec<Vec<Begun>>,
    places: Places,
}

impl Tally {
    pub(super) fn run(plan: &Plan<'_>, view: &View<'_>) -> Result<Self> {
        let Some(plain) = Plain::of(plan) else {
            return pass(plan, view, || Self::empty(plan));
        };
        let counted = plain.count(view)?;
        Ok(Self {
            sequences: plain.table(&counted),
            paths: counted.paths,
            events: counted.events,
            all_sequences: counted.all_sequences,
            begun: counted.begun,
            ..Self::empty(plan)
        })
    }

    fn empty(plan: &Plan<'_>) -> Self {
        let question = plan.question;
        let width = plan.width();
        let sized = |part: &[Part], width: usize, length: usize| {
            if part.iter().any(|p| plan.wants(*p)) {
                Table::new(width, length)
            } else {
                Table::new(0, 1)
            }
        };
        let neighbours = || Table::new(if plan.around.is_some() { width } else { 0 }, 1);
        Self {
            paths: Cell::default(),
            events: 0,
            nodes: Table::new(width, 1),
            transitions: sized(&[Part::Transitions, Part::Nodes], width, 2),
            all_transitions: Cell::default(),
            sequences: sized(&[Part::Sequences], width, question.length),
            all_sequences: Cell::default(),
            steps: sized(&[Part::Sankey], width.max(question.max_steps + 1), 2),
            neighbours: [neighbours(), neighbours()],
            around: Cell::default(),
            loops: Table::new(if plan.wants(Part::Loops) { width } else { 0 }, 1),
            begun: Vec::new(),
            places: Places::default(),
        }
    }

    fn whole(&mut self, plan: &Plan<'_>, user: u32, path: &Path<'_>) {
        let listed = plan.wants(Part::Nodes) || plan.wants(Part::Matrix);
        for item in path.items {
            self.events += u64::from(item.events);
            if listed {
                let (cell, events) = self.nodes.at([item.node].into_iter());
                cell.add(user, 0);
                *events += u64::from(item.events);
            }
        }
        if plan.wants(Part::Transitions) || plan.wants(Part::Nodes) {
            path.transitions(|from, to, micros| {
                self.transitions
                    .at([from, to].into_iter())
                    .add(user, micros);
                self.all_transitions.add(user, 0);
            });
        }
        if plan.around.is_some() {
            path.neighbours(|side, node, micros| {
                let [before, after] = &mut self.neighbours;
                let of = if side == Side::Before {
                    before
                } else {
                    self.around.add(user, 0);
                    after
                };
                of.at([node].into_iter()).add(user, micros);
            });
        }
        if plan.wants(Part::Loops) {
            let loops = &mut self.loops;
            self.places.returns(plan, path, |back| {
                let (own, returns, steps) = loops.at([back.node].into_iter());
                if back.steps == 1 {
                    own.add(user, back.micros);
                } else {
                    returns.add(user, back.micros);
                    *steps += back.steps as u64;
                }
            });
        }
    }
}

impl Sink for Tally {
    #[inline]
    fn take(&mut self, plan: &Plan<'_>, user: u32, unit: Unit<'_>) {
        if let Some(path) = unit.whole(plan) {
            self.whole(plan, user, &path);
        }
        unit.paths(plan, |path| {
            self.paths.add(user, 0);
            if plan.wants(Part::Sankey) {
                path.steps(plan, |step, node| {
                    self.steps.at([step as u16, node].into_iter()).add(user, 0);
                });
            }
        });
        if plan.wants(Part::Sequences) {
            unit.sequences(plan, |items| {
                self.all_sequences.add(user, 0);
                self.sequences
                    .at(items.iter().map(|i| i.node))
                    .add(user, lasted(items));
            });
        }
    }

    fn merged(mut self, other: Self) -> Self {
        self.paths.merge(&other.paths);
        self.events += other.events;
        self.nodes.merge(other.nodes, |a, b| {
            a.0.merge(&b.0);
            a.1 += b.1;
        });
        self.transitions.add(other.transitions);
        self.all_transitions.merge(&other.all_transitions);
        self.sequences.add(other.sequences);
        self.all_sequences.merge(&other.all_sequences);
        self.steps.add(other.steps);
        let [before, after] = other.neighbours;
        self.neighbours[0].add(before);
        self.neighbours[1].add(after);
        self.around.merge(&other.around);
        self.loops.merge(other.loops, |a, b| {
            a.0.merge(&b.0);
            a.1.merge(&b.1);
            a.2 += b.2;
        });
        self
    }
}

/// The time from the first to the last node of a sequence.
#[inline]
pub(super) fn lasted(items: &[Item]) -> i64 {
    match (items.first(), items.last()) {
        (Some(first), Some(last)) => last.ts - first.ts,
        _ => 0,
    }
}
