//! Puts what was counted into an answer.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::answer::{
    Around, Column, JourneyAnswer, Link, Loop, Loops, Matrix, MatrixRow, Neighbour, NodeCount,
    Nodes, Others, Sankey, Sequence, Sequences, StepNode, Switches, Transition, Transitions,
};
use super::cells::{Cell, Table};
use super::detail::{Detail, Shown};
use super::next::Next;
use super::options::Part;
use super::plan::Plan;
use super::question::Journey;
use super::tally::Tally;
use crate::access::Scoped;
use crate::error::Result;
use crate::query::answer::{self, Stamp};
use crate::query::{Quantiles, Rate};
use crate::timeline::View;

/// Answers a valid journey over timelines.
///
/// # Errors
/// `too_many_nodes` where names or values are too many to be nodes; `cancelled`.
pub fn answer(question: &Scoped<&Journey>, view: &View<'_>) -> Result<JourneyAnswer> {
    let question = *question.inner();
    let plan = Plan::new(question, view)?;
    let tally = Tally::run(&plan, view)?;
    let shown = Shown::new(&plan, &tally);
    let mut detail = Detail::run(&plan, view, (&tally, &shown))?;
    let report = Report {
        plan: &plan,
        tally: &tally,
        shown: &shown,
        sequence_medians: medians(std::mem::take(&mut detail.sequence_times)),
        transition_medians: medians(std::mem::take(&mut detail.transition_times)),
        next: Next::run(&plan, view)?,
        detail,
    };
    let span = question.range.span();
    let mut answer = JourneyAnswer {
        stamp: Stamp::default(),
        users: tally.paths.users,
        paths: tally.paths.times,
        events: tally.events,
        nodes: plan.wants(Part::Nodes).then(|| report.nodes()),
        sequences: plan.wants(Part::Sequences).then(|| report.sequences()),
        transitions: plan.wants(Part::Transitions).then(|| report.transitions()),
        sankey: plan.wants(Part::Sankey).then(|| report.sankey()),
        matrix: plan.wants(Part::Matrix).then(|| report.matrix()),
        around: report.around(),
        loops: plan.wants(Part::Loops).then(|| report.loops()),
        unattributed_events: view.timelines.unattributed(view.as_of),
        start_date: span.from,
        end_date: span.to,
        timezone: question.range.zone.clone(),
        segment: question.segment,
        as_of: view.as_of,
        preset: question.preset,
        switches: Switches::of(question),
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

struct Report<'r> {
    plan: &'r Plan<'r>,
    tally: &'r Tally,
    shown: &'r Shown,
    detail: Detail<'r>,
    next: Next,
    sequence_medians: Vec<Option<f64>>,
    transition_medians: Vec<Option<f64>>,
}

impl Report<'_> {
    fn nodes(&self) -> Nodes {
        let plan = self.plan;
        let between = |from: u16, to: u16| {
            let cell = self.tally.transitions.get([from, to].into_iter());
            cell.map_or(0, |cell| cell.times)
        };
        let top = self.shown.nodes.iter().map(|(node, cell, events)| {
            let ends = between(*node, plan.end());
            NodeCount {
                node: plan.node(*node),
                users: cell.users,
                occurrences: cell.times,
                events: *events,
                starts: between(plan.start(), *node),
                ends,
                truncated: between(*node, plan.truncated()),
                drop_off: Rate::of(ends, cell.times),
                next: self.next.after(plan, std::iter::once(*node)),
            }
        });
        Nodes {
            distinct: self.shown.distinct_nodes,
            truncated: self.shown.distinct_nodes > self.shown.nodes.len(),
            top: top.collect(),
        }
    }

    fn sequences(&self) -> Sequences {
        let (all, ranked) = (&self.tally.all_sequences, &self.shown.sequences);
        let top = ranked
            .top
            .iter()
            .enumerate()
            .map(|(i, (nodes, cell))| Sequence {
                nodes: nodes.iter().map(|n| self.plan.node(*n)).collect(),
                users: cell.users,
                occurrences: cell.times,
                share: Rate::of(cell.times, all.times),
                mean_seconds: cell.mean_seconds(),
                median_seconds: self.sequence_medians.get(i).copied().flatten(),
                next: self.next.after(self.plan, nodes.iter().copied()),
            });
        Sequences {
            length: self.plan.question.length,
            distinct: ranked.distinct,
            users: all.users,
            occurrences: all.times,
            truncated: ranked.truncated(),
            top: top.collect(),
            other: others(&self.detail.other_sequences),
        }
    }

    fn transitions(&self) -> Transitions {
        let (all, ranked) = (&self.tally.all_transitions, &self.shown.transitions);
        let mut outgoing: Table<u64> = Table::new(self.plan.width(), 1);
        for (nodes, cell) in self.tally.transitions.counted() {
            *outgoing.at(nodes.iter().copied().take(1)) += cell.times;
        }
        let top = ranked
            .top
            .iter()
            .enumerate()
            .filter_map(|(i, (nodes, cell))| {
                let &[from, to] = &nodes[..] else {
                    return None;
                };
                let of = outgoing.get([from].into_iter()).copied().unwrap_or(0);
                let timed = self.timed(from, to);
                Some(Transition {
                    from: self.plan.node(from),
                    to: self.plan.node(to),
                    users: cell.users,
                    transitions: cell.times,
                    share: Rate::of(cell.times, of),
                    mean_seconds: timed.then(|| cell.mean_seconds()).flatten(),
                    median_seconds: timed
                        .then(|| self.transition_medians.get(i).copied().flatten())
                        .flatten(),
                })
            });
        Transitions {
            distinct: ranked.distinct,
            users: all.users,
            occurrences: all.times,
            truncated: ranked.truncated(),
            top: top.collect(),
            other: others(&self.detail.other_transitions),
        }
    }

    /// Whether there is a time between two nodes.
    fn timed(&self, from: u16, to: u16) -> bool {
        from <= self.plan.other() && to <= self.plan.other()
    }

    fn sankey(&self) -> Sankey {
        let mut columns: Vec<Column> = Vec::new();
        let mut counted = self.detail.columns.counted();
        let rank = |node: u16, users: u64| (node == self.plan.other(), Reverse(users), node);
        counted.sort_by_key(|(at, cell)| {
            let (step, node) = (at.first().copied(), at.last().copied().unwrap_or(0));
            (step, rank(node, cell.users))
        });
        for (at, cell) in counted {
            let (Some(step), Some(node)) = (at.first(), at.last()) else {
                continue;
            };
            let step = usize::from(*step);
            let node = StepNode {
                node: self.plan.node(*node),
                users: cell.users,
                paths: cell.times,
                share: Rate::of(cell.times, self.tally.paths.times),
            };
            match columns.last_mut() {
                Some(column) if column.step == step => column.nodes.push(node),
                _ => columns.push(Column {
                    step,
                    nodes: vec![node],
                }),
            }
        }
        let links = self.detail.links.counted();
        let links = links.into_iter().filter_map(|(at, cell)| {
            let &[step, source, target] = &at[..] else {
                return None;
            };
            let timed = self.timed(source, target);
            Some(Link {
                step: usize::from(step),
                source: self.plan.node(source),
                target: self.plan.node(target),
                users: cell.users,
                transitions: cell.times,
                mean_seconds: timed.then(|| cell.mean_seconds()).flatten(),
            })
        });
        Sankey {
            columns,
            links: links.collect(),
        }
    }

    fn matrix(&self) -> Matrix {
        let plan = self.plan;
        let counted = self.detail.matrix.counted();
        let at_node = counted
            .iter()
            .filter(|(at, _)| at.last().is_some_and(|node| *node <= plan.other()));
        let steps = at_node.filter_map(|(at, _)| at.first().copied()).max();
        let steps = usize::from(steps.unwrap_or(0));
        let reserved = [plan.other(), plan.start(), plan.end(), plan.truncated()];
        let rows = self.shown.rows.iter().chain(&reserved).map(|node| {
            let cell = |step: usize| {
                let cell = self.detail.matrix.get([step as u16, *node].into_iter());
                cell.copied().unwrap_or_default()
            };
            MatrixRow {
                node: plan.node(*node),
                paths: (1..=steps).map(|step| cell(step).times).collect(),
                users: (1..=steps).map(|step| cell(step).users).collect(),
            }
        });
        Matrix {
            steps,
            rows: rows
                .filter(|row| row.paths.iter().any(|n| *n > 0))
                .collect(),
        }
    }

    fn around(&self) -> Option<Around> {
        let event = self.plan.question.around.clone()?;
        let (limit, of) = (self.plan.question.limit, self.tally.around.times);
        let mut truncated = false;
        let mut side = |counts: &Table<Cell>| {
            let mut counted = counts.counted();
            counted.sort_by_key(|(_, cell)| Reverse(cell.times));
            truncated |= counted.len() > limit;
            counted.truncate(limit);
            let neighbours = counted.into_iter().filter_map(|(nodes, cell)| {
                let node = *nodes.first()?;
                let timed = self.timed(node, node);
                Some(Neighbour {
                    node: self.plan.node(node),
                    users: cell.users,
                    occurrences: cell.times,
                    share: Rate::of(cell.times, of),
                    mean_seconds: timed.then(|| cell.mean_seconds()).flatten(),
                })
            });
            neighbours.collect::<Vec<_>>()
        };
        let [before, after] = &self.tally.neighbours;
        let (previous, next) = (side(before), side(after));
        Some(Around {
            event,
            users: self.tally.around.users,
            occurrences: of,
            previous,
            next,
            truncated,
        })
    }

    fn loops(&self) -> Loops {
        let mut loops: Vec<Loop> = Vec::new();
        for (nodes, (own, returns, steps)) in self.tally.loops.entries() {
            let Some(node) = nodes.first().filter(|_| own.times + returns.times > 0) else {
                continue;
            };
            loops.push(Loop {
                node: self.plan.node(*node),
                self_users: own.users,
                self_loops: own.times,
                return_users: returns.users,
                returns: returns.times,
                mean_steps: (returns.times > 0).then(|| *steps as f64 / returns.times as f64),
                mean_seconds: returns.mean_seconds(),
            });
        }
        loops.sort_by_key(|l| Reverse(l.self_loops + l.returns));
        let distinct = loops.len();
        loops.truncate(self.plan.question.limit);
        Loops {
            distinct,
            truncated: distinct > loops.len(),
            top: loops,
        }
    }
}

fn others(cell: &Cell) -> Others {
    Others {
        users: cell.users,
        occurrences: cell.times,
    }
}

fn medians(times: Vec<Vec<i64>>) -> Vec<Option<f64>> {
    let times = times.into_par_iter();
    times.map(|t| Quantiles::of_micros(t).median).collect()
}
