//! From a user's events to paths: units, the nodes in them, and what of them a question looks at.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: places are below the number of the timeline's events or of the unit's nodes"
)]

use super::options::{Occurrence, StepsFrom};
use super::plan::{NONE, Plan};
use crate::timeline::Timeline;

/// A node of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) ts: i64,
    pub(super) node: u16,
    /// Whether one of its events is the anchor.
    anchor: bool,
    /// Whether one of its events is the one whose neighbours are asked for.
    pub(super) around: bool,
    /// How many events it is.
    pub(super) events: u32,
}

/// All nodes of a unit within the range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'u> {
    items: &'u [Item],
    /// Whether the unit has a node before the range.
    before: bool,
    /// Whether it has one after it.
    after: bool,
}

/// Nodes between two reserved ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'u> {
    pub(super) items: &'u [Item],
    /// START, or TRUNCATED.
    pub(super) left: u16,
    /// END, or TRUNCATED.
    pub(super) right: u16,
}

/// Visits the units of a user that have a node in the range, in order.
#[inline]
pub(super) fn units(
    plan: &Plan<'_>,
    timeline: &Timeline<'_>,
    items: &mut Vec<Item>,
    mut visit: impl FnMut(Unit<'_>),
) {
    let ts = timeline.ts;
    let first = ts.partition_point(|t| *t < plan.from);
    let end = first + ts[first..].partition_point(|t| *t < plan.to);
    let apart = |i: usize| plan.timeout.is_some_and(|most| ts[i] - ts[i - 1] > most);
    let by_name = plan.nodes_of_names();
    let node = |i: usize| match by_name {
        Some(nodes) => nodes[usize::from(timeline.name[i])],
        None => plan.node_of(timeline, i),
    };
    let marks = plan.anchor.is_some() || plan.around.is_some();
    let mut start = first;
    while start < end {
        items.clear();
        let mut i = start;
        while i < end {
            if i > start && apart(i) {
                break;
            }
            let number = node(i);
            if number == NONE {
                i += 1;
                continue;
            }
            let (mut anchor, mut around) = (false, false);
            if marks {
                let (name, row) = (timeline.name[i], timeline.row[i]);
                anchor = plan.anchor.as_ref().is_some_and(|m| m.holds(name, row));
                around = plan.around.as_ref().is_some_and(|m| m.holds(name, row));
            }
            match items.last_mut() {
                Some(last) if plan.collapse && last.node == number => {
                    last.events += 1;
                    last.anchor |= anchor;
                    last.around |= around;
                    if plan.at_last {
                        last.ts = ts[i];
                    }
                }
                _ => items.push(Item {
                    ts: ts[i],
                    node: number,
                    anchor,
                    around,
                    events: 1,
                }),
            }
            i += 1;
        }
        if !items.is_empty() {
            let earlier = |e: &usize| !apart(*e + 1);
            let later = |e: &usize| !apart(*e);
            let is_node = |e: usize| node(e) != NONE;
            visit(Unit {
                items,
                before: start == first && (0..start).rev().take_while(earlier).any(is_node),
                after: i == end && (i..ts.len()).take_while(later).any(is_node),
            });
        }
        start = i;
    }
}

impl<'u> Unit<'u> {
    /// The places of the nodes that paths begin or end at.
    fn anchors(&self, plan: &Plan<'_>) -> impl Iterator<Item = usize> + 'u {
        let items = self.items;
        let (first, last) = match plan.question.occurrence {
            Occurrence::First => {
                let at = items.iter().position(|i| i.anchor);
                (at, at)
            }
            Occurrence::Last => {
                let at = items.iter().rposition(|i| i.anchor);
                (at, at)
            }
            Occurrence::Each => (Some(0), items.len().checked_sub(1)),
        };
        let range = match (first, last) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        };
        range.filter(move |i| items[*i].anchor)
    }

    /// All nodes that any path of the unit looks at, without a limit of steps: each once, also where paths overlap.
    #[inline]
    pub(super) fn whole(&self, plan: &Plan<'_>) -> Option<Path<'u>> {
        if plan.anchor.is_none() {
            return Some(self.path(plan, 0, self.items.len()));
        }
        let mut anchors = self.anchors(plan);
        if plan.question.end.is_some() {
            anchors.last().map(|at| self.path(plan, 0, at + 1))
        } else {
            let at = anchors.next()?;
            Some(self.path(plan, at, self.items.len()))
        }
    }

    fn path(&self, plan: &Plan<'_>, from: usize, to: usize) -> Path<'u> {
        let cut_left = from == 0 && self.before && plan.question.start.is_none();
        let cut_right = to == self.items.len() && self.after && plan.question.end.is_none();
        Path {
            items: &self.items[from..to],
            left: if cut_left {
                plan.truncated()
            } else {
                plan.start()
            },
            right: if cut_right {
                plan.truncated()
            } else {
                plan.end()
            },
        }
    }

    /// The paths of the unit, each of at most so many nodes as the question has steps.
    #[inline]
    pub(super) fn paths(&self, plan: &Plan<'_>, mut visit: impl FnMut(Path<'u>)) {
        let mut cut = |mut path: Path<'u>| {
            let most = plan.question.max_steps;
            let n = path.items.len();
            if n > most && plan.question.keeps_last() {
                path.items = &path.items[n - most..];
                path.left = plan.truncated();
            } else if n > most {
                path.items = &path.items[..most];
                path.right = plan.truncated();
            }
            visit(path);
        };
        if plan.anchor.is_none() {
            cut(self.path(plan, 0, self.items.len()));
            return;
        }
        for at in self.anchors(plan) {
            cut(if plan.question.end.is_some() {
                self.path(plan, 0, at + 1)
            } else {
                self.path(plan, at, self.items.len())
            });
        }
    }

    /// The sequences of the unit: all stretches of so many nodes, or those that begin or end at an anchor.
    #[inline]
    pub(super) fn sequences(&self, plan: &Plan<'_>, mut visit: impl FnMut(&'u [Item])) {
        let n = plan.question.length;
        if plan.anchor.is_none() {
            self.items.windows(n).for_each(visit);
            return;
        }
        for at in self.anchors(plan) {
            let from = if plan.question.end.is_some() {
                (at + 1).checked_sub(n)
            } else {
                Some(at)
            };
            if let Some(sequence) = from.and_then(|from| self.items.get(from..from + n)) {
                visit(sequence);
            }
        }
    }
}

impl Path<'_> {
    /// Each transition: from which node to which, and the time between; none to or from a reserved node.
    #[inline]
    pub(super) fn transitions(&self, mut visit: impl FnMut(u16, u16, i64)) {
        let (mut before, mut then) = (self.left, None);
        for item in self.items {
            visit(before, item.node, then.map_or(0, |then| item.ts - then));
            (before, then) = (item.node, Some(item.ts));
        }
        visit(before, self.right, 0);
    }

    /// Each node with its step.
    #[inline]
    pub(super) fn steps(&self, plan: &Plan<'_>, mut visit: impl FnMut(usize, u16)) {
        let n = self.items.len();
        let backwards = plan.question.steps_from == StepsFrom::Last;
        for (i, item) in self.items.iter().enumerate() {
            visit(if backwards { n - i } else { i + 1 }, item.node);
        }
    }

    /// Each link: the step of its source, the source, the target, and the time between; none to or from a reserved node.
    #[inline]
    pub(super) fn links(&self, plan: &Plan<'_>, mut visit: impl FnMut(usize, u16, u16, i64)) {
        let n = self.items.len();
        let backwards = plan.question.steps_from == StepsFrom::Last;
        let mut i = 0;
        self.transitions(|source, target, micros| {
            visit(
                if backwards { n + 1 - i } else { i },
                source,
                target,
                micros,
            );
            i += 1;
        });
    }

    /// The nodes before and after each node that is asked about.
    pub(super) fn neighbours(&self, mut visit: impl FnMut(Side, u16, i64)) {
        let items = self.items;
        for (i, item) in items.iter().enumerate().filter(|(_, item)| item.around) {
            match i.checked_sub(1).map(|i| &items[i]) {
                Some(before) => visit(Side::Before, before.node, item.ts - before.ts),
                None => visit(Side::Before, self.left, 0),
            }
            match items.get(i + 1) {
                Some(after) => visit(Side::After, after.node, after.ts - item.ts),
                None => visit(Side::After, self.right, 0),
            }
        }
    }
}

/// Before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// A return to a node that the path was at before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Return {
    pub(super) node: u16,
    /// How many transitions ago it was there; 1 is a self loop.
    pub(super) steps: usize,
    pub(super) micros: i64,
}

/// Where a path was last at each node.
#[derive(Debug, Default)]
pub(super) struct Places {
    last: Vec<(u64, usize, i64)>,
    path: u64,
}

impl Places {
    /// Visits the returns of a path.
    pub(super) fn returns(
        &mut self,
        plan: &Plan<'_>,
        path: &Path<'_>,
        mut visit: impl FnMut(Return),
    ) {
        self.last.resize(usize::from(plan.named()), (0, 0, 0));
        self.path += 1;
        for (i, item) in path.items.iter().enumerate() {
            let last = &mut self.last[usize::from(item.node)];
            if last.0 == self.path {
                visit(Return {
                    node: item.node,
                    steps: i - last.1,
                    micros: item.ts - last.2,
                });
            }
            *last = (self.path, i, item.ts);
        }
    }
}
