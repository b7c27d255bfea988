//! The second pass: what the first one chose to show, with all the rest as Other, exactly.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: an index holds places among what is shown"
)]

use std::cmp::Reverse;

use super::cells::{Cell, Table};
use super::options::{Part, StepsFrom};
use super::plain::Plain;
use super::plan::Plan;
use super::tally::{Sink, Tally, lasted, pass};
use super::walk::{Item, Path, Unit};
use crate::error::Result;
use crate::timeline::View;

/// What is shown by itself.
#[derive(Debug)]
pub(super) struct Shown {
    /// Nodes of any path, those with most users first, then by name; and how many events they are.
    pub(super) nodes: Vec<(u16, Cell, u64)>,
    /// How many nodes there are.
    pub(super) distinct_nodes: usize,
    /// The most frequent sequences.
    pub(super) sequences: Ranked,
    /// The most frequent transitions.
    pub(super) transitions: Ranked,
    /// The rows of the matrix, in order.
    pub(super) rows: Vec<u16>,
    /// For each step whether each node is shown.
    by_step: Vec<Vec<bool>>,
    in_matrix: Vec<bool>,
}

/// The most frequent of some sequences: by how often they occur, then in the order of their nodes.
#[derive(Debug)]
pub(super) struct Ranked {
    pub(super) top: Vec<(Vec<u16>, Cell)>,
    /// How many there are.
    pub(super) distinct: usize,
    /// How often any other occurs.
    others: u64,
    /// One more than the place among the top; 0 for the others.
    index: Table<u32>,
}

impl Ranked {
    fn new(counts: &Table<Cell>, limit: usize, (width, length): (usize, usize)) -> Self {
        let mut top = counts.counted();
        let distinct = top.len();
        top.sort_by_key(|(_, cell)| Reverse(cell.times));
        let others = top.iter().skip(limit).map(|(_, cell)| cell.times).sum();
        top.truncate(limit);
        let mut index = Table::new(width, length);
        for (place, (nodes, _)) in (1..).zip(&top) {
            *index.at(nodes.iter().copied()) = place;
        }
        Self {
            top,
            distinct,
            others,
            index,
        }
    }

    /// Whether not all are shown.
    pub(super) fn truncated(&self) -> bool {
        self.distinct > self.top.len()
    }

    /// The place among those shown.
    #[inline]
    pub(super) fn place(&self, nodes: impl Iterator<Item = u16>) -> Option<usize> {
        let place = self.index.get(nodes).copied().unwrap_or(0);
        (place as usize).checked_sub(1)
    }
}

impl Shown {
    pub(super) fn new(plan: &Plan<'_>, tally: &Tally) -> Self {
        let question = plan.question;
        let (limit, width) = (question.limit, plan.width());
        let listed = |part, length| {
            if plan.wants(part) {
                (width, length)
            } else {
                (0, 1)
            }
        };
        let mut nodes: Vec<(u16, Cell, u64)> = tally
            .nodes
            .entries()
            .into_iter()
            .filter(|(_, (cell, _))| cell.times > 0)
            .map(|(nodes, (cell, events))| (nodes[0], *cell, *events))
            .collect();
        let distinct_nodes = nodes.len();
        nodes.sort_by_key(|(_, cell, _)| Reverse(cell.users));
        let rows: Vec<u16> = nodes
            .iter()
            .take(question.nodes_per_step)
            .map(|n| n.0)
            .collect();
        nodes.truncate(limit);
        let mut in_matrix = vec![false; usize::from(plan.named())];
        for row in &rows {
            in_matrix[usize::from(*row)] = true;
        }
        let mut ranked: Vec<Vec<(u64, u16)>> = vec![Vec::new(); question.max_steps + 1];
        for (at, cell) in tally.steps.counted() {
            ranked[usize::from(at[0])].push((cell.users, at[1]));
        }
        let by_step = ranked.into_iter().map(|mut step| {
            let mut shown = vec![false; usize::from(plan.named())];
            step.sort_by_key(|(users, node)| (Reverse(*users), *node));
            for (_, node) in step.into_iter().take(question.nodes_per_step) {
                shown[usize::from(node)] = true;
            }
            shown
        });
        Self {
            nodes,
            distinct_nodes,
            sequences: Ranked::new(
                &tally.sequences,
                limit,
                listed(Part::Sequences, question.length),
            ),
            transitions: Ranked::new(
                &tally.transitions,
                if plan.wants(Part::Transitions) {
                    limit
                } else {
                    0
                },
                listed(Part::Transitions, 2),
            ),
            rows,
            by_step: by_step.collect(),
            in_matrix,
        }
    }

    /// What a node at a step of a path is shown as; what is reserved, as itself.
    #[inline]
    pub(super) fn at_step(&self, plan: &Plan<'_>, step: usize, node: u16) -> u16 {
        let shown = |step: &Vec<bool>| step.get(usize::from(node)).copied();
        match self.by_step.get(step).and_then(shown) {
            Some(false) => plan.other(),
            _ => node,
        }
    }

    /// What a node is shown as in the matrix.
    #[inline]
    fn in_matrix(&self, plan: &Plan<'_>, node: u16) -> u16 {
        match self.in_matrix.get(usize::from(node)) {
            Some(false) => plan.other(),
            _ => node,
        }
    }

    /// Each link of a path, as it is shown.
    #[inline]
    pub(super) fn links(
        &self,
        plan: &Plan<'_>,
        path: &Path<'_>,
        mut visit: impl FnMut(usize, u16, u16, i64),
    ) {
        let backwards = plan.question.steps_from == StepsFrom::Last;
        path.links(plan, |step, source, target, micros| {
            let next = if backwards {
                step.saturating_sub(1)
            } else {
                step + 1
            };
            let source = self.at_step(plan, step, source);
            visit(step, source, self.at_step(plan, next, target), micros);
        });
    }

    /// Where a path is at each step, as the matrix shows it: once it has ended, at what it ended with.
    #[inline]
    pub(super) fn matrix(
        &self,
        plan: &Plan<'_>,
        path: &Path<'_>,
        mut visit: impl FnMut(usize, u16),
    ) {
        path.steps(plan, |step, node| visit(step, self.in_matrix(plan, node)));
        let beyond = if plan.question.steps_from == StepsFrom::Last {
            path.left
        } else {
            path.right
        };
        for step in path.items.len() + 1..=plan.question.max_steps {
            visit(step, beyond);
        }
    }
}

/// What the second pass counts.
#[derive(Debug)]
pub(super) struct Detail<'s> {
    shown: &'s Shown,
    /// By step and node.
    pub(super) columns: Table<Cell>,
    /// By the step of the source, source and target.
    pub(super) links: Table<Cell>,
    /// By step and row.
    pub(super) matrix: Table<Cell>,
    /// Of sequences, and of transitions, that are not shown.
    pub(super) other_sequences: Cell,
    pub(super) other_transitions: Cell,
    /// How long each sequence, and each transition, shown took each time.
    pub(super) sequence_times: Vec<Vec<i64>>,
    pub(super) transition_times: Vec<Vec<i64>>,
}

impl<'s> Detail<'s> {
    /// Nothing is looked at again where the first pass has said it all.
    pub(super) fn run(
        plan: &Plan<'_>,
        view: &View<'_>,
        (tally, shown): (&Tally, &'s Shown),
    ) -> Result<Self> {
        let question = plan.question;
        let steps = plan.wants(Part::Sankey) || plan.wants(Part::Matrix);
        let lists = plan.wants(Part::Sequences) || plan.wants(Part::Transitions);
        let others = shown.sequences.truncated() || shown.transitions.truncated();
        if let Some(plain) = Plain::of(plan).filter(|_| others && !question.medians) {
            let sequences = &shown.sequences;
            return Ok(Self {
                other_sequences: Cell::of(
                    plain.others(view, &sequences.index, &tally.begun)?,
                    sequences.others,
                ),
                ..Self::empty(plan, shown)
            });
        }
        if steps || lists && question.medians || others {
            pass(plan, view, || Self::empty(plan, shown))
        } else {
            Ok(Self::empty(plan, shown))
        }
    }

    fn empty(plan: &Plan<'_>, shown: &'s Shown) -> Self {
        let question = plan.question;
        let width = plan.width().max(question.max_steps + 2);
        let sized = |part, length| {
            if plan.wants(part) {
                Table::new(width, length)
            } else {
                Table::new(0, 1)
            }
        };
        let times = |of: &Ranked| vec![Vec::new(); if question.medians { of.top.len() } else { 0 }];
        Self {
            shown,
            columns: sized(Part::Sankey, 2),
            links: sized(Part::Sankey, 3),
            matrix: sized(Part::Matrix, 2),
            other_sequences: Cell::default(),
            other_transitions: Cell::default(),
            sequence_times: times(&shown.sequences),
            transition_times: times(&shown.transitions),
        }
    }

    fn sequence(&mut self, user: u32, items: &[Item]) {
        match self.shown.sequences.place(items.iter().map(|i| i.node)) {
            Some(place) => {
                if let Some(times) = self.sequence_times.get_mut(place) {
                    times.push(lasted(items));
                }
            }
            None => self.other_sequences.add(user, 0),
        }
    }
}

impl Sink for Detail<'_> {
    #[inline]
    fn take(&mut self, plan: &Plan<'_>, user: u32, unit: Unit<'_>) {
        let shown = self.shown;
        if plan.wants(Part::Transitions)
            && let Some(path) = unit.whole(plan)
        {
            path.transitions(|from, to, micros| {
                match shown.transitions.place([from, to].into_iter()) {
                    Some(place) => {
                        if let Some(times) = self.transition_times.get_mut(place) {
                            times.push(micros);
                        }
                    }
                    None => self.other_transitions.add(user, 0),
                }
            });
        }
        if plan.wants(Part::Sequences) {
            unit.sequences(plan, |items| self.sequence(user, items));
        }
        if !plan.wants(Part::Sankey) && !plan.wants(Part::Matrix) {
            return;
        }
        unit.paths(plan, |path| {
            if plan.wants(Part::Sankey) {
                path.steps(plan, |step, node| {
                    let node = shown.at_step(plan, step, node);
                    self.columns
                        .at([step as u16, node].into_iter())
                        .add(user, 0);
                });
                shown.links(plan, &path, |step, source, target, micros| {
                    self.links
                        .at([step as u16, source, target].into_iter())
                        .add(user, micros);
                });
            }
            if plan.wants(Part::Matrix) {
                shown.matrix(plan, &path, |step, node| {
                    self.matrix.at([step as u16, node].into_iter()).add(user, 0);
                });
            }
        });
    }

    fn merged(mut self, other: Self) -> Self {
        self.columns.add(other.columns);
        self.links.add(other.links);
        self.matrix.add(other.matrix);
        self.other_sequences.merge(&other.other_sequences);
        self.other_transitions.merge(&other.other_transitions);
        let extend = |mine: &mut Vec<Vec<i64>>, theirs: Vec<Vec<i64>>| {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.extend(theirs);
            }
        };
        extend(&mut self.sequence_times, other.sequence_times);
        extend(&mut self.transition_times, other.transition_times);
        self
    }
}
