//! The plain funnel: steps in order inside a window, counted by users, without any other option.
//!
//! Per user the pass keeps, for each step, the *latest* entry from which a chain has reached it. Such a chain exists inside
//! the window if and only if this entry is not too old, because every chain that reaches step k has a prefix that
//! reaches step k − 1 from an entry no later than the latest. The reported chain (the earliest, F4) is looked for
//! only where it is asked for.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, name keys are below the number of names, rows below the timeline's length"
)]

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
pub(super) fn steps_of(plan: &Plan<'_>, timeline: &Timeline<'_>, steps: &mut Vec<u16>) -> bool {
    let mut several = 0;
    steps.clear();
    steps.extend(timeline.name.iter().zip(timeline.row).map(|(name, row)| {
        let mask = plan.steps_of(*name, *row);
        several |= mask & mask.wrapping_sub(1);
        // One more than the place of the only bit, and 0 where there is none.
        64 - mask.leading_zeros() as u16
    }));
    several == 0
}

/// For each number of steps, the latest entry of a chain that has so many.
type Latest = [i64; 128];

/// What is used again from user to user.
#[derive(Debug)]
pub(super) struct Room {
    latest: Latest,
    found: Found,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            latest: [NEVER; 128],
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
        let bare = |step: &super::options::Step| {
            !step.optional && step.min_gap.is_none() && step.max_gap.is_none()
        };
        if !plain || !question.steps.iter().all(bare) {
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
        let Room { latest, found } = room;
        let depth = self.depth(timeline, (self.from, self.to), latest);
        if depth == 0 {
            return;
        }
        let last_matured = self.as_of - self.window;
        let all_matured = self.to - 1 <= last_matured;
        let open = !all_matured
            && depth < self.steps
            && self
                .last_entry(timeline)
                .is_some_and(|at| at > last_matured);
        self.find(timeline, (self.from, self.to), depth, open, found);
        self.tell(timeline, Of::All, found, open, &mut sink);
        if all_matured {
            self.tell(timeline, Of::Matured, found, false, &mut sink);
        } else {
            let span = (self.from, self.to.min(last_matured + 1));
            let depth = self.depth(timeline, span, latest);
            if depth > 0 {
                self.find(timeline, span, depth, false, found);
                self.tell(timeline, Of::Matured, found, false, &mut sink);
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
        Room { latest, found }: &mut Room,
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
            let depth = self.depth(&ahead, span, latest);
            let end = timeline.ts.partition_point(|ts| *ts < span.1);
            let waiting = (row..end).rev().find(|row| self.enters(timeline, *row));
            let open = depth < self.steps
                && waiting.is_some_and(|row| timeline.ts[row] > self.as_of - self.window);
            self.find(&ahead, span, depth, open, found);
            for (_, place) in &mut found.chain {
                *place += first as u32;
            }
            self.tell(timeline, Of::Bucket(bucket), found, open, sink);
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
        depth: usize,
        open: bool,
        found: &mut Found,
    ) {
        found.depth = depth;
        found.chain.clear();
        if depth == self.steps || open || self.chains {
            self.chain(timeline, span, depth, &mut found.chain);
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
    fn depth(&self, timeline: &Timeline<'_>, span: (i64, i64), latest: &mut Latest) -> usize {
        match &self.step_of {
            Some(step_of) => self.depth_of_disjoint(timeline, step_of, span, latest),
            None => overlap::depth(self, timeline, span),
        }
    }

    /// The same where every event can fill at most one step.
    ///
    /// `entry[k]` is the latest entry of a chain of k steps; `entry[0]` is the event at hand, where it lies in the range, so
    /// that step 1 goes on from it like any other step from the one before. Events of no step run idle on a step whose
    /// predecessor is never reached, which costs less than a branch that cannot be foreseen.
    #[inline]
    fn depth_of_disjoint(
        &self,
        timeline: &Timeline<'_>,
        step_of: &[u8],
        (from, to): (i64, i64),
        entry: &mut Latest,
    ) -> usize {
        entry[..=self.steps].fill(NEVER);
        let range = (to.max(from) - from) as u64;
        let mut best = 0;
        let mut before = NEVER;
        let mut tied = 0_u64;
        for (ts, name) in timeline.ts.iter().zip(timeline.name) {
            let ts = *ts;
            let step = step_of[usize::from(*name)];
            entry[0] = if (ts.wrapping_sub(from) as u64) < range {
                ts
            } else {
                NEVER
            };
            let bit = 1_u64.unbounded_shl(u32::from(step).wrapping_sub(1));
            if ts == before {
                // Equal times count in whichever order helps (F1): an event may open the way for a tied one seen before
                // it, so the steps of all events at this time are looked at again, in the order of the steps.
                tied |= bit;
                let mut todo = tied;
                while todo != 0 {
                    best = best.max(self.go_on(ts, todo.trailing_zeros() as u8 + 1, entry));
                    todo &= todo - 1;
                }
            } else {
                tied = bit;
                best = best.max(self.go_on(ts, step, entry));
            }
            before = ts;
            if best == self.steps {
                break;
            }
        }
        best
    }

    /// Lets the latest chain of `step - 1` steps go on with an event of `step`; gives the step where it did, else 0.
    #[inline(always)]
    fn go_on(&self, ts: i64, step: u8, entry: &mut Latest) -> usize {
        let step = usize::from(step & 127);
        let start = entry[(step.wrapping_sub(1)) & 127];
        let fits = ts - start <= self.window;
        entry[step] = if fits { start } else { entry[step] };
        if fits { step } else { 0 }
    }

    /// The steps and rows of the reported chain of so many steps: the lexicographically earliest ones (F4).
    fn chain(
        &self,
        timeline: &Timeline<'_>,
        (from, to): (i64, i64),
        depth: usize,
        chain: &mut Vec<(u8, u32)>,
    ) {
        let Some(step_of) = &self.step_of else {
            chain.extend((0..).zip(overlap::chain(self, timeline, (from, to), depth)));
            return;
        };
        // From one entry the earliest fitting row of each step in turn is best; as entries get later these rows only move
        // forward, so all entries together cost one pass a step.
        let rows = timeline.ts.len();
        let is =
            |row: usize, step: usize| usize::from(step_of[usize::from(timeline.name[row])]) == step;
        let mut at = [0_usize; MAX_STEPS];
        for row in timeline.ts.partition_point(|ts| *ts < from)..rows {
            let ts = timeline.ts[row];
            if ts >= to {
                break;
            }
            if !is(row, 1) {
                continue;
            }
            at[0] = row;
            let mut reached = 1;
            while reached < depth {
                let previous = timeline.ts[at[reached - 1]];
                let next = &mut at[reached];
                while *next < rows && (timeline.ts[*next] < previous || !is(*next, reached + 1)) {
                    *next += 1;
                }
                if *next == rows || timeline.ts[*next] - ts > self.window {
                    break;
                }
                reached += 1;
            }
            if reached == depth {
                chain.extend((0..).zip(at[..reached].iter().map(|row| *row as u32)));
                return;
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
