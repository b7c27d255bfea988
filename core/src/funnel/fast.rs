//! The plain funnel: steps in order inside a window, counted by users, without any other option but gaps (`gaps.rs`).
//!
//! Per user the pass keeps, for each step, until when the window of the *latest* entry is open from which a chain has reached it.
//! Such a chain goes on if and only if this window is open, because every chain that reaches step k has a prefix that
//! reaches step k − 1 from an entry no later than the latest. The reported chain (the earliest, F4) is looked for
//! only where it is asked for.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, name keys are below the number of names, rows below the timeline's length"
)]

use std::hint::select_unpredictable;

use super::gaps::{self, Gaps};
use super::options::{Entries as Candidates, Entry, Order, Selects, Timed, Unit};
use super::outcome::Found;
use super::overlap;
use super::plan::Plan;
use super::question::MAX_STEPS;
use super::run::{Of, Outcome};
use crate::timeline::Timeline;

/// A plain funnel made ready for the pass.
#[derive(Clone, Debug)]
pub(super) struct Fast {
    pub(super) steps: usize,
    /// For each name key, the steps it can fill: bit k is step k + 1.
    pub(super) masks: Vec<u64>,
    /// For each name key, the one step it can fill, from 1, or `IDLE`; only where no name can fill two.
    step_of: Option<Vec<u8>>,
    /// The times between steps, where they are bounded; then no name can fill two steps.
    gaps: Option<Gaps>,
    pub(super) window: i64,
    pub(super) strict: bool,
    /// Entries lie in `from..to`.
    pub(super) from: i64,
    pub(super) to: i64,
    as_of: i64,
    /// Whether it reads timelines with the step, from 1, in the place of the name, since properties decide which it is.
    pub(super) by_row: bool,
    /// Whether the chain of every user is asked for, and not only of those who converted or still can.
    chains: bool,
}

/// Writes down the step that each event of a user fills, from 1, or 0; `false` where one could fill several.
pub(super) fn steps_of(
    plan: &Plan<'_>,
    timeline: &Timeline<'_>,
    places: &mut Vec<u32>,
    steps: &mut Vec<u16>,
) -> bool {
    let mut several = 0;
    steps.clear();
    if let Some((names, means, bit, rows)) = plan.one_step_by_row() {
        // Rows lie anywhere in memory: they are looked up side by side, and only where the name does not decide.
        places.resize(timeline.name.len().max(places.len()), 0);
        let mut asked = 0;
        for (place, name) in (0..).zip(timeline.name) {
            let mask = names[usize::from(*name)];
            several |= mask & mask.wrapping_sub(1);
            steps.push(64 - mask.leading_zeros() as u16);
            places[asked] = place;
            asked += usize::from(means[usize::from(*name)]);
        }
        for place in &places[..asked] {
            let step = &mut steps[*place as usize];
            let holds = rows.hold(timeline.row[*place as usize]);
            several |= u64::from(holds & (*step != 0));
            *step = select_unpredictable(holds, bit, *step);
        }
        return several == 0;
    }
    steps.extend(timeline.name.iter().zip(timeline.row).map(|(name, row)| {
        let mask = plan.steps_of(*name, *row);
        several |= mask & mask.wrapping_sub(1);
        // One more than the place of the only bit, and 0 where there is none.
        64 - mask.leading_zeros() as u16
    }));
    several == 0
}

/// For each number of steps, when the window of the latest entry of a chain that has so many ends.
pub(super) type Latest = [i64; 128];

/// How far the best chain comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    pub(super) depth: usize,
    /// The row at which a chain of all steps is first complete, where there is one and no event can fill two steps.
    pub(super) row: usize,
}

/// What is used again from user to user.
#[derive(Debug)]
pub(super) struct Room {
    latest: Latest,
    /// For each number of steps, the row at which a chain of so many is first complete, where somebody looks at the chains.
    first: [u32; 128],
    gaps: gaps::Room,
    found: Found,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            latest: [NEVER; 128],
            first: [0; 128],
            gaps: gaps::Room::default(),
            found: Found {
                depth: 0,
                chain: Vec::new(),
            },
        }
    }
}

/// The step of events of no step; the step before it is never reached.
const IDLE: u8 = 127;

/// An entry time that no window reaches; far enough from the ends of `i64` that differences cannot overflow.
pub(super) const NEVER: i64 = i64::MIN / 4;

/// The bit of a step; none for events of no step.
pub(super) fn bit(step: u8) -> u64 {
    1_u64.unbounded_shl(u32::from(step).wrapping_sub(1))
}

/// Lets the latest chain of `step - 1` steps go on with an event of `step`; gives when the window of the latest chain of `step`
/// steps ends.
#[inline(always)]
fn go_on(ts: i64, step: u8, deadline: &mut Latest) -> i64 {
    let step = usize::from(step & 127);
    let open = deadline[step.wrapping_sub(1) & 127];
    let ends = select_unpredictable(ts <= open, open, deadline[step]);
    deadline[step] = ends;
    ends
}

impl Fast {
    /// The plan as a plain funnel, where it is one.
    pub(super) fn of(plan: &Plan<'_>) -> Option<Self> {
        let question = plan.question;
        let plain = question.order == Order::Ordered
            && question.unit == Unit::Users
            && question.selects == Selects::Entry
            && question.entry == Entry::Earliest
            && question.entries == Candidates::Every
            && question.window_calendar_days.is_none()
            && question.exclusions.is_empty()
            && question.hold_constant.is_empty()
            && plan.grace == 0
            && plan.calendar.as_ref().is_none_or(|c| c.is_regular());
        if !plain || question.steps.iter().any(|step| step.optional) {
            return None;
        }
        let by_row = plan.masks_of_names().is_none();
        if by_row && plan.whole || plan.by_entry() {
            return None;
        }
        let masks = plan.masks_of_names().map_or_else(
            || {
                std::iter::once(0)
                    .chain((0..MAX_STEPS).map(|k| 1 << k))
                    .collect()
            },
            <[u64]>::to_vec,
        );
        let disjoint = masks.iter().all(|mask| mask.count_ones() <= 1);
        let gaps = Gaps::of(&plan.places);
        if gaps.is_some() && (!disjoint || question.strict_increase) {
            return None;
        }
        let step = |mask: &u64| {
            if *mask == 0 {
                IDLE
            } else {
                mask.trailing_zeros() as u8 + 1
            }
        };
        Some(Self {
            steps: question.steps.len(),
            step_of: (disjoint && !question.strict_increase)
                .then(|| masks.iter().map(step).collect()),
            masks,
            gaps,
            window: question.window.micros(),
            strict: question.strict_increase,
            from: plan.from,
            to: plan.to,
            as_of: plan.as_of,
            by_row,
            chains: plan.whole
                || question.breakdown.is_some()
                || question.revenue
                || question.timed == Timed::Reached,
        })
    }

    /// The outcomes of one member of the segment, as `run::member` gives them.
    #[inline]
    pub(super) fn member(
        &self,
        plan: &Plan<'_>,
        timeline: &Timeline<'_>,
        room: &mut Room,
        mut sink: impl FnMut(Outcome<'_>),
    ) {
        let span = (self.from, self.to);
        let reached = self.depth(timeline, span, room);
        if reached.depth == 0 {
            return;
        }
        let last_matured = self.as_of - self.window;
        let all_matured = self.to - 1 <= last_matured;
        let open = !all_matured
            && reached.depth < self.steps
            && self
                .last_entry(timeline)
                .is_some_and(|at| at > last_matured);
        self.find(timeline, span, reached, open, room);
        self.tell(timeline, Of::All, &room.found, open, &mut sink);
        if all_matured {
            self.tell(timeline, Of::Matured, &room.found, false, &mut sink);
        } else {
            let span = (self.from, self.to.min(last_matured + 1));
            let reached = self.depth(timeline, span, room);
            if reached.depth > 0 {
                self.find(timeline, span, reached, false, room);
                self.tell(timeline, Of::Matured, &room.found, false, &mut sink);
            }
        }
        if let Some(calendar) = &plan.calendar {
            self.buckets(calendar, timeline, room, &mut sink);
        }
    }

    /// The best chain of each bucket that has an entry.
    fn buckets(
        &self,
        calendar: &crate::query::Calendar,
        timeline: &Timeline<'_>,
        room: &mut Room,
        sink: &mut impl FnMut(Outcome<'_>),
    ) {
        let mut row = timeline.ts.partition_point(|ts| *ts < self.from);
        while row < timeline.ts.len() && timeline.ts[row] < self.to {
            if self.masks[usize::from(timeline.name[row])] & 1 == 0 {
                row += 1;
                continue;
            }
            let Some(bucket) = calendar.locate(timeline.ts[row]) else {
                row += 1;
                continue;
            };
            let Some(bounds) = calendar.buckets().get(bucket) else {
                return;
            };
            let span = (
                self.from.max(bounds.start.micros()),
                self.to.min(bounds.end.micros()),
            );
            // Nothing but what lies between its first entry and the end of its last window matters to a bucket.
            let ahead = timeline.between(span.0, span.1.saturating_add(self.window));
            let first = timeline.ts.partition_point(|ts| *ts < span.0);
            let reached = self.depth(&ahead, span, room);
            let end = timeline.ts.partition_point(|ts| *ts < span.1);
            let waiting = (row..end).rev().find(|row| self.enters(timeline, *row));
            let open = reached.depth < self.steps
                && waiting.is_some_and(|row| timeline.ts[row] > self.as_of - self.window);
            self.find(&ahead, span, reached, open, room);
            for (_, place) in &mut room.found.chain {
                *place += first as u32;
            }
            self.tell(timeline, Of::Bucket(bucket), &room.found, open, sink);
            row = end;
        }
    }

    fn enters(&self, timeline: &Timeline<'_>, row: usize) -> bool {
        self.masks[usize::from(timeline.name[row])] & 1 == 1
    }

    /// The best chain, of so many steps; without its rows where nobody looks at them.
    fn find(
        &self,
        timeline: &Timeline<'_>,
        span: (i64, i64),
        reached: Reached,
        open: bool,
        room: &mut Room,
    ) {
        room.found.depth = reached.depth;
        room.found.chain.clear();
        if reached.depth == self.steps || open || self.chains {
            self.chain(timeline, span, reached, room);
        }
    }

    fn tell(
        &self,
        timeline: &Timeline<'_>,
        of: Of,
        found: &Found,
        open: bool,
        sink: &mut impl FnMut(Outcome<'_>),
    ) {
        let entry = found.chain.first().map(|c| timeline.ts[c.1 as usize]);
        sink(Outcome {
            of,
            found,
            converted: found.depth == self.steps,
            open,
            // Without a chain nothing is open, so that every window has passed.
            watched: entry.map_or(self.window, |entry| self.window.min(self.as_of - entry)),
        });
    }

    /// How many steps the best chain of a user has.
    #[inline]
    fn depth(&self, timeline: &Timeline<'_>, span: (i64, i64), room: &mut Room) -> Reached {
        match &self.step_of {
            Some(step_of) if self.gaps.is_some() => {
                self.reach_with_gaps(timeline, step_of, self.steps, span, room)
            }
            Some(step_of) if self.chains => {
                self.reach::<true>(timeline, step_of, self.steps, span, room)
            }
            Some(step_of) => self.reach::<false>(timeline, step_of, self.steps, span, room),
            None => Reached {
                depth: overlap::depth(self, timeline, span),
                row: 0,
            },
        }
    }

    /// How many steps, up to `goal`, the best chain has where every event can fill at most one step; with `FIRST`, also the
    /// row at which a chain of each number of steps is first complete.
    ///
    /// `deadline[k]` is when the window of the latest entry of a chain of k steps ends; `deadline[0]` is that of the event at
    /// hand, where it can be an entry, so that step 1 goes on from it like any other step from the one before. Events of no
    /// step run idle on a step whose predecessor is never reached, and what goes on is selected rather than branched on:
    /// neither can be foreseen.
    #[inline]
    fn reach<const FIRST: bool>(
        &self,
        timeline: &Timeline<'_>,
        step_of: &[u8],
        goal: usize,
        (from, to): (i64, i64),
        Room {
            latest: deadline,
            first,
            ..
        }: &mut Room,
    ) -> Reached {
        deadline[..=goal].fill(NEVER);
        let rows = timeline.ts.len().min(timeline.name.len());
        let end = to.saturating_add(self.window);
        let mut row = 0;
        while row < rows && timeline.ts[row] < from {
            row += 1;
        }
        let (mut before, mut last, mut tied) = (NEVER, IDLE, 0);
        while row < rows {
            let ts = timeline.ts[row];
            if ts >= end {
                break;
            }
            let step = step_of[usize::from(timeline.name[row])];
            deadline[0] = select_unpredictable(ts < to, ts.saturating_add(self.window), NEVER);
            let was = deadline[usize::from(step & 127)];
            let reached = go_on(ts, step, deadline);
            if FIRST {
                let at = &mut first[usize::from(step & 127)];
                *at = select_unpredictable(was == NEVER, row as u32, *at);
            }
            if ts == before {
                // Equal times count in whichever order helps (F1): an event may open the way for a tied one seen before
                // it, so the steps of all events at this time are looked at again, in the order of the steps.
                tied |= bit(last) | bit(step);
                let mut todo = tied;
                while todo != 0 {
                    let step = todo.trailing_zeros() as u8 + 1;
                    let new = deadline[usize::from(step)] == NEVER;
                    if go_on(ts, step, deadline) > NEVER && new {
                        first[usize::from(step)] = row as u32;
                    }
                    todo &= todo - 1;
                }
                if deadline[goal] > NEVER {
                    return Reached { depth: goal, row };
                }
            } else {
                tied = 0;
            }
            if usize::from(step) == goal && reached > NEVER {
                return Reached { depth: goal, row };
            }
            (before, last) = (ts, step);
            row += 1;
        }
        // A chain of k steps begins with one of k - 1, so the steps that were reached are the first ones.
        let depth = deadline[1..=goal].iter().filter(|at| **at > NEVER).count();
        Reached { depth, row: rows }
    }

    /// The same where the times between steps are bounded.
    fn reach_with_gaps(
        &self,
        timeline: &Timeline<'_>,
        step_of: &[u8],
        goal: usize,
        span: (i64, i64),
        room: &mut Room,
    ) -> Reached {
        let Some(gaps) = &self.gaps else {
            return self.reach::<false>(timeline, step_of, goal, span, room);
        };
        let room = (&mut room.latest, &mut room.gaps);
        gaps.reach(self, timeline, step_of, goal, span, room)
    }

    /// The steps and rows of the reported chain: the lexicographically earliest ones (F4).
    ///
    /// No chain is complete before the first one that is, so the earliest entry whose window is open then is the earliest
    /// of any chain, and from it the earliest fitting row of each step in turn is in time for all that follow.
    fn chain(
        &self,
        timeline: &Timeline<'_>,
        span: (i64, i64),
        Reached { depth, row }: Reached,
        room: &mut Room,
    ) {
        let Some(step_of) = &self.step_of else {
            let chain = &mut room.found.chain;
            chain.extend((0..).zip(overlap::chain(self, timeline, span, depth)));
            return;
        };
        if let Some(gaps) = &self.gaps {
            let reached = if depth == self.steps {
                Reached { depth, row }
            } else {
                self.reach_with_gaps(timeline, step_of, depth, span, room)
            };
            let into = (&mut room.found.chain, &mut room.gaps);
            gaps.chain(self, timeline, step_of, span, reached, into);
            return;
        }
        let last = if depth == self.steps {
            row
        } else if self.chains {
            room.first[depth] as usize
        } else {
            self.reach::<false>(timeline, step_of, depth, span, room)
                .row
        };
        let earliest = span.0.max(timeline.ts[last].saturating_sub(self.window));
        let mut row = last;
        while row > 0 && timeline.ts[row - 1] >= earliest {
            row -= 1;
        }
        for step in 1..=depth {
            while row < timeline.ts.len()
                && usize::from(step_of[usize::from(timeline.name[row])]) != step
            {
                row += 1;
            }
            room.found.chain.push((step as u8 - 1, row as u32));
            let here = timeline.ts[row];
            while row > 0 && timeline.ts[row - 1] == here {
                row -= 1;
            }
        }
    }

    /// The time of the last entry.
    fn last_entry(&self, timeline: &Timeline<'_>) -> Option<i64> {
        let rows = timeline.ts.iter().zip(timeline.name).rev();
        rows.filter(|(ts, _)| (self.from..self.to).contains(*ts))
            .find(|(_, name)| self.masks[usize::from(**name)] & 1 == 1)
            .map(|(ts, _)| *ts)
    }
}
