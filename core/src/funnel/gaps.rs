//! Plain funnels with a shortest or longest time between steps (F14), where every event can fill at most one step.
//!
//! Of all rows that a chain has reached, the latest from which the next step is not too soon decides whether the chain goes on: its
//! entry is the latest of all, and if it lies too far back, or its window is over, so do and are those of the others. The
//! same holds from the end backwards, which tells from where a chain can be completed.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, name keys are below the number of names, rows below the timeline's length"
)]

use std::collections::VecDeque;
use std::hint::select_unpredictable;

use super::fast::{Fast, Latest, NEVER, Reached, bit};
use super::plan::Place;
use crate::timeline::Timeline;

/// For each step, from 1, the shortest and the longest time since the one before.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    least: Latest,
    most: Latest,
    /// Whether any step has a shortest time.
    wait: bool,
}

/// Longer than any time between two events.
const EVER: i64 = i64::MAX / 4;

/// What is used again from user to user.
#[derive(Debug)]
pub(super) struct Room {
    /// For each number of steps, until when the latest chain of so many can go on.
    until: Latest,
    waiting: Vec<Waiting>,
    /// By row: minus the earliest time at which a chain that goes on from it is complete.
    complete: Vec<i64>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            until: [NEVER; 128],
            waiting: Vec::new(),
            complete: Vec::new(),
        }
    }
}

/// The rows of a step that chains have reached, in the order of their times, each with what its chain is worth.
#[derive(Clone, Debug, Default)]
struct Waiting {
    soon: VecDeque<(i64, i64)>,
    /// The latest from which the next step is not too soon.
    latest: Option<(i64, i64)>,
}

impl Waiting {
    fn clear(&mut self) {
        self.soon.clear();
        self.latest = None;
    }

    fn put(&mut self, time: i64, worth: i64) {
        self.soon.push_back((time, worth));
    }

    /// What the chain is worth that goes on at a time.
    fn go_on(&mut self, time: i64, least: i64, most: i64) -> Option<i64> {
        while self.soon.front().is_some_and(|row| time - row.0 >= least) {
            self.latest = self.soon.pop_front();
        }
        let (before, worth) = self.latest?;
        (time - before <= most).then_some(worth)
    }
}

impl Gaps {
    /// The gaps of steps, where there are any.
    pub(super) fn of(places: &[Place]) -> Option<Self> {
        let (mut least, mut most) = ([0; 128], [EVER; 128]);
        for (place, step) in places.iter().zip(1..) {
            least[step] = place.min_gap.min(EVER);
            most[step] = place.max_gap.map_or(EVER, |gap| gap.min(EVER));
        }
        let wait = places.iter().any(|place| place.min_gap > 0);
        let any = wait || places.iter().any(|place| place.max_gap.is_some());
        any.then_some(Self { least, most, wait })
    }

    /// How many steps, up to `goal`, the best chain has, and the row at which one of `goal` steps is first complete.
    #[inline]
    pub(super) fn reach(
        &self,
        fast: &Fast,
        timeline: &Timeline<'_>,
        step_of: &[u8],
        goal: usize,
        span: (i64, i64),
        (deadline, room): (&mut Latest, &mut Room),
    ) -> Reached {
        let mut row = 0;
        let rows = timeline.ts.len().min(timeline.name.len());
        while row < rows && timeline.ts[row] < span.0 {
            row += 1;
        }
        if self.wait {
            self.reach_waiting(fast, timeline, step_of, goal, (row, span.1), room)
        } else {
            let until = &mut room.until;
            self.reach_latest(
                fast,
                timeline,
                step_of,
                goal,
                (row, span.1),
                (deadline, until),
            )
        }
    }

    /// The same where nothing is too soon: of each number of steps the latest chain is all there is to know.
    ///
    /// What the next event is cannot be foreseen, so that what goes on is selected rather than branched on.
    fn reach_latest(
        &self,
        fast: &Fast,
        timeline: &Timeline<'_>,
        step_of: &[u8],
        goal: usize,
        (mut row, to): (usize, i64),
        (deadline, until): (&mut Latest, &mut Latest),
    ) -> Reached {
        deadline[..=goal].fill(NEVER);
        until[..=goal].fill(NEVER);
        let rows = timeline.ts.len().min(timeline.name.len());
        let end = to.saturating_add(fast.window);
        let (mut before, mut last, mut tied) = (NEVER, 0, 0);
        while row < rows {
            let ts = timeline.ts[row];
            if ts >= end {
                break;
            }
            let step = step_of[usize::from(timeline.name[row])] & 127;
            let entered = select_unpredictable(ts < to, ts.saturating_add(fast.window), NEVER);
            (deadline[0], until[0]) = (entered, entered);
            let mut reached = self.go_on(ts, step, deadline, until);
            if ts == before {
                // Equal times count in whichever order helps (F1).
                tied |= bit(last) | bit(step);
                let mut todo = tied;
                while todo != 0 {
                    self.go_on(ts, todo.trailing_zeros() as u8 + 1, deadline, until);
                    todo &= todo - 1;
                }
                reached = deadline[goal];
            } else {
                tied = 0;
            }
            if (usize::from(step) == goal || tied != 0) && reached > NEVER {
                return Reached { depth: goal, row };
            }
            (before, last) = (ts, step);
            row += 1;
        }
        let depth = deadline[1..=goal].iter().filter(|at| **at > NEVER).count();
        Reached { depth, row: rows }
    }

    /// Lets the latest chain of `step - 1` steps go on with an event of `step`, where it may; gives when the window of the latest
    /// chain of `step` steps ends.
    #[inline(always)]
    fn go_on(&self, ts: i64, step: u8, deadline: &mut Latest, until: &mut Latest) -> i64 {
        let step = usize::from(step & 127);
        let before = step.wrapping_sub(1) & 127;
        let open = ts <= until[before];
        let ends = select_unpredictable(open, deadline[before], deadline[step]);
        let next = ends.min(ts.saturating_add(self.most[(step + 1) & 127]));
        until[step] = select_unpredictable(open, next, until[step]);
        deadline[step] = ends;
        ends
    }

    /// The same where chains wait until the next step is not too soon.
    fn reach_waiting(
        &self,
        fast: &Fast,
        timeline: &Timeline<'_>,
        step_of: &[u8],
        goal: usize,
        (first, to): (usize, i64),
        room: &mut Room,
    ) -> Reached {
        let waiting = room.waiting(goal);
        let end = to.saturating_add(fast.window);
        let (mut before, mut tied, mut depth) = (NEVER, 0, 0);
        let events = timeline.ts.iter().zip(timeline.name).enumerate();
        for (row, (ts, name)) in events.skip(first).take_while(|(_, (ts, _))| **ts < end) {
            let this = bit(step_of[usize::from(*name)]);
            tied = if *ts == before { tied | this } else { this };
            before = *ts;
            let mut todo = if this == 0 { 0 } else { tied };
            while todo != 0 {
                let step = todo.trailing_zeros() as usize + 1;
                todo &= todo - 1;
                let ends = match step.checked_sub(2) {
                    _ if step > goal => None,
                    None => (*ts < to).then(|| ts.saturating_add(fast.window)),
                    Some(from) => waiting[from].go_on(*ts, self.least[step], self.most[step]),
                };
                let Some(ends) = ends.filter(|ends| ts <= ends) else {
                    continue;
                };
                depth = depth.max(step);
                if step == goal {
                    return Reached { depth, row };
                }
                waiting[step - 1].put(*ts, ends);
            }
        }
        Reached {
            depth,
            row: timeline.ts.len(),
        }
    }

    /// The rows of the reported chain (F4), of so many steps, where `last` is the row at which one is first complete: no chain from
    /// the earliest entry of any needs a row beyond it.
    pub(super) fn chain(
        &self,
        fast: &Fast,
        timeline: &Timeline<'_>,
        step_of: &[u8],
        (from, to): (i64, i64),
        Reached { depth, row: last }: Reached,
        (chain, room): (&mut Vec<(u8, u32)>, &mut Room),
    ) {
        let first = from.max(timeline.ts[last].saturating_sub(fast.window));
        let first = timeline.ts[..=last].partition_point(|ts| *ts < first);
        let step = |row: usize| usize::from(step_of[usize::from(timeline.name[row])]);
        self.look_back(timeline, &step, first..last + 1, depth, room);
        let complete = |row: usize| room.complete[row - first].saturating_neg();
        let (mut row, mut deadline) = (first, NEVER);
        for next in 1..=depth {
            let fits = |row: usize| {
                let ts = timeline.ts[row];
                let ends = if next == 1 {
                    ts.saturating_add(fast.window)
                } else {
                    deadline
                };
                step(row) == next && complete(row) <= ends && (next > 1 || ts < to)
            };
            while row <= last && !fits(row) {
                row += 1;
            }
            if row > last {
                break;
            }
            chain.push((next as u8 - 1, row as u32));
            let ts = timeline.ts[row];
            if next == 1 {
                deadline = ts.saturating_add(fast.window);
            }
            // Equal times stand in any order, so that the next row may lie before this one.
            let least = ts + self.least[(next + 1) & 127];
            while row > first && timeline.ts[row - 1] >= least {
                row -= 1;
            }
            while row <= last && timeline.ts[row] < least {
                row += 1;
            }
        }
    }

    /// Writes down for each of these rows when a chain of so many steps that goes on from it can be complete: what `reach` does,
    /// with times that run backwards.
    fn look_back(
        &self,
        timeline: &Timeline<'_>,
        step: &impl Fn(usize) -> usize,
        rows: std::ops::Range<usize>,
        depth: usize,
        room: &mut Room,
    ) {
        room.complete.clear();
        room.complete.resize(rows.len(), NEVER);
        room.waiting(depth);
        let mut end = rows.end;
        while end > rows.start {
            let ts = timeline.ts[end - 1];
            let mut start = end - 1;
            while start > rows.start && timeline.ts[start - 1] == ts {
                start -= 1;
            }
            let mut todo = (start..end).fold(0, |todo, row| todo | bit(step(row) as u8));
            while todo != 0 {
                let here = 64 - todo.leading_zeros() as usize;
                todo &= !bit(here as u8);
                let worth = match here.cmp(&depth) {
                    std::cmp::Ordering::Greater => continue,
                    std::cmp::Ordering::Equal => Some(-ts),
                    std::cmp::Ordering::Less => {
                        let (least, most) = (self.least[here + 1], self.most[here + 1]);
                        room.waiting[here].go_on(-ts, least, most)
                    }
                };
                let Some(worth) = worth else {
                    continue;
                };
                room.waiting[here - 1].put(-ts, worth);
                for row in start..end {
                    if step(row) == here {
                        room.complete[row - rows.start] = worth;
                    }
                }
            }
            end = start;
        }
    }
}

impl Room {
    /// Empty lists for so many steps.
    fn waiting(&mut self, steps: usize) -> &mut [Waiting] {
        if self.waiting.len() < steps {
            self.waiting.resize_with(steps, Waiting::default);
        }
        for waiting in &mut self.waiting[..steps] {
            waiting.clear();
        }
        &mut self.waiting[..steps]
    }
}
