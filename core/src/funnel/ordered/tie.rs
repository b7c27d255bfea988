//! Rows of one time, whose order inside it is free (F1): which steps they can fill together, each row at most one (F3).
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: rows are below the number of rows, steps at most 64"
)]

use std::ops::Range;

use super::super::plan::{Plan, Row};
use super::super::question::MAX_STEPS;

/// How a row stands to the others of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// None of them fills two steps: whichever comes next is another row.
    Free,
    /// It is the only one.
    Alone,
    /// They are the knot of this number.
    Knot(usize),
}

/// Rows of one time, of which a step may take what another needs, or which an exclusion means.
#[derive(Debug)]
pub(super) struct Knot {
    /// Its rows.
    pub(super) rows: Range<u32>,
    /// Of each the steps it can fill and the exclusions it means; of rows alike no more than matter.
    kinds: Vec<Kind>,
    /// All exclusions that its rows mean.
    pub(super) excluded: u64,
}

/// The steps that a row can fill, and the exclusions it means.
pub(super) type Kind = (u64, u64);

pub(super) fn kind(row: &Row) -> Kind {
    (row.mask, row.excluded)
}

/// For each row how it stands to the others of its time, and the knots. With a grace times do not part rows, and all are free.
pub(super) fn ties(plan: &Plan<'_>, rows: &[Row]) -> (Vec<Tie>, Vec<Knot>) {
    if plan.grace > 0 {
        return (vec![Tie::Free; rows.len()], Vec::new());
    }
    let mut ties = Vec::with_capacity(rows.len());
    let mut knots = Vec::new();
    for group in rows.chunk_by(|a, b| a.ts == b.ts) {
        let tie = match group {
            [_] => Tie::Alone,
            group
                if group
                    .iter()
                    .any(|row| row.excluded != 0 || several(row.mask)) =>
            {
                let first = ties.len() as u32;
                let mut kinds: Vec<Kind> = group.iter().map(kind).collect();
                few(&mut kinds);
                knots.push(Knot {
                    rows: first..first + group.len() as u32,
                    kinds,
                    excluded: group.iter().fold(0, |all, row| all | row.excluded),
                });
                Tie::Knot(knots.len() - 1)
            }
            _ => Tie::Free,
        };
        ties.extend(group.iter().map(|_| tie));
    }
    (ties, knots)
}

/// Whether there is more than one step in a mask.
pub(super) fn several(mask: u64) -> bool {
    mask & mask.wrapping_sub(1) != 0
}

/// How many required steps, from the first on, can each have a row of its own, whatever the times.
pub(super) fn apart(plan: &Plan<'_>, rows: &[Row]) -> usize {
    let mut masks: Vec<u64> = rows.iter().map(|row| row.mask).collect();
    few(&mut masks);
    let mut filled = Filled::new(&masks);
    let required = plan.places.iter().enumerate().filter(|(_, p)| !p.optional);
    let required = required.take_while(|(step, _)| filled.fill(*step));
    required.count()
}

/// Leaves of equals twice as many as there are steps: more change nothing, whatever a chain has taken of them.
fn few<T: Ord + Copy>(of: &mut Vec<T>) {
    const MOST: usize = 2 * MAX_STEPS;
    if of.len() > MOST {
        of.sort_unstable();
        let sorted = std::mem::take(of);
        let kept = (0..sorted.len()).filter(|i| *i < MOST || sorted[i - MOST] != sorted[*i]);
        of.extend(kept.map(|i| sorted[i]));
    }
}

/// Steps that have rows of their own: a matching that grows.
struct Filled<'m> {
    masks: &'m [u64],
    by: Vec<Option<u8>>,
    seen: Vec<bool>,
}

impl<'m> Filled<'m> {
    fn new(masks: &'m [u64]) -> Self {
        Self {
            masks,
            by: vec![None; masks.len()],
            seen: vec![false; masks.len()],
        }
    }

    /// Finds a row for one more step, moving others to other rows where needed.
    fn fill(&mut self, step: usize) -> bool {
        self.seen.fill(false);
        self.moved(step)
    }

    fn moved(&mut self, step: usize) -> bool {
        let can = |mask: u64| mask >> step & 1 == 1;
        let free = (0..self.by.len()).find(|row| self.by[*row].is_none() && can(self.masks[*row]));
        if let Some(row) = free {
            self.by[row] = Some(step as u8);
            return true;
        }
        for row in 0..self.by.len() {
            if self.seen[row] || !can(self.masks[row]) {
                continue;
            }
            self.seen[row] = true;
            if let Some(other) = self.by[row]
                && self.moved(usize::from(other))
            {
                self.by[row] = Some(step as u8);
                return true;
            }
        }
        false
    }
}

/// How many of these steps can have rows of their own.
fn matched(masks: &[u64], mut steps: u64) -> usize {
    let mut filled = Filled::new(masks);
    let mut count = 0;
    while steps != 0 {
        count += usize::from(filled.fill(steps.trailing_zeros() as usize));
        steps &= steps - 1;
    }
    count
}

/// Where a chain is among the rows of one time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Within {
    /// The first step that has one of them.
    pub(super) first: usize,
    /// The last one.
    pub(super) step: usize,
    /// The optional steps still to come after it.
    pub(super) left: usize,
}

/// The exclusions that are at work at the time of rows, once a chain has left them after step `last`: those that begin at an
/// earlier time and end at a later one, or count until the window ends where an excluded row removes the user.
pub(super) fn at_work(plan: &Plan<'_>, limit: usize, first: usize, last: usize) -> u64 {
    let exclusions = plan.exclusions.iter().enumerate();
    let works =
        |(from, to): (usize, usize)| from < first && to > last && (to < limit || plan.removes);
    exclusions.fold(0, |bits, (x, exclusion)| {
        bits | u64::from(works(*exclusion)) << x
    })
}

/// Calls `see` with every step after which a chain can go on to later rows, and with the optional steps then to come, until it
/// has seen enough: all steps up to it have rows of their own among those of a knot that the chain does not have, and all rows that
/// an exclusion at work means have steps.
///
/// Where some steps can be matched to rows, and some rows to steps, both can be at once (Mendelsohn and Dulmage, 1958).
pub(super) fn exits(
    plan: &Plan<'_>,
    (limit, excluding): (usize, bool),
    knot: &Knot,
    used: impl Iterator<Item = Kind>,
    at: Within,
    mut see: impl FnMut(usize, usize) -> bool,
) {
    let mut kinds = knot.kinds.clone();
    for kind in used {
        if let Some(place) = kinds.iter().position(|k| *k == kind) {
            kinds.swap_remove(place);
        }
    }
    let masks: Vec<u64> = kinds.iter().map(|kind| kind.0).collect();
    let (mut must, mut may) = (0_u64, 0_u64);
    for last in at.step..limit {
        let place = &plan.places[last];
        let own = usize::from(last > at.step && place.optional);
        if last > at.step && (place.min_gap > 0 || plan.question.strict_increase) {
            if own == 0 {
                return;
            }
            continue;
        }
        let steps = if last > at.step { must | 1 << last } else { 0 };
        let needed = steps.count_ones() as usize;
        let fit = needed <= masks.len() && matched(&masks, steps) == needed;
        if own == 0 && !fit {
            return;
        }
        if fit && own <= at.left {
            let works = if excluding {
                at_work(plan, limit, at.first, last)
            } else {
                0
            };
            let meant = kinds.iter().filter(|kind| kind.1 & works != 0);
            let meant: Vec<u64> = meant.map(|kind| kind.0).collect();
            let then = at.left - own;
            if matched(&meant, steps | may) == meant.len() {
                let least = meant.len() - matched(&meant, steps);
                let most = matched(&masks, steps | may) - needed;
                for optional in least..=most.min(then) {
                    if see(last, then - optional) {
                        return;
                    }
                }
            }
        }
        if last > at.step {
            *(if own == 0 { &mut must } else { &mut may }) |= 1 << last;
        }
    }
}
