//! One pass over all timelines for a funnel.
//!
//! Per user the pass keeps, for each step, the *latest* entry from which a chain has reached it. Such a chain exists inside
//! the window if and only if this entry is not too old, because every chain that reaches step k has a prefix that
//! reaches step k − 1 from an entry no later than the latest. The reported chain (the earliest, F4) is looked for
//! only where a user converted.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, name keys are below the number of names, rows below the timeline's length"
)]

use super::overlap;
use super::question::{Funnel, MAX_STEPS};
use crate::timeline::{Members, Timeline, View};

/// What the pass counts.
#[derive(Debug)]
pub(super) struct Tally {
    /// `counts[k]`: users who did at least steps 1 to k + 1.
    pub(super) counts: Vec<u64>,
    /// Users who did not convert but have an entry whose window is not over.
    pub(super) open: u64,
    /// Users entered and converted by entries whose window is over.
    pub(super) matured: (u64, u64),
    /// The step times of each converter's reported chain, one after the other; in no particular order of users.
    pub(super) times: Vec<i64>,
    /// Scratch for one user.
    entries: Entries,
}

impl Tally {
    fn empty(steps: usize) -> Self {
        Self {
            counts: vec![0; steps],
            open: 0,
            matured: (0, 0),
            times: Vec::new(),
            entries: [NEVER; 128],
        }
    }

    fn merged(mut self, other: Self) -> Self {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.open += other.open;
        self.matured.0 += other.matured.0;
        self.matured.1 += other.matured.1;
        self.times.extend(other.times);
        self
    }
}

/// A funnel made ready for the pass.
#[derive(Debug)]
pub(super) struct Plan {
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
    /// Nothing after this is seen.
    as_of: i64,
}

/// For each number of steps, the latest entry of a chain that has so many.
type Entries = [i64; 128];

/// The step of events of no step; the step before it is never reached.
const IDLE: u8 = 127;

/// An entry time that no window reaches; far enough from the ends of `i64` that differences cannot overflow.
pub(super) const NEVER: i64 = i64::MIN / 4;

pub(super) fn run(question: &Funnel, view: &View<'_>) -> Tally {
    let plan = Plan::new(question, view);
    let members = Members::new(question.segment, question.range.span(), view);
    let last_matured = plan.as_of - plan.window;
    let all_matured = plan.to - 1 <= last_matured;
    let restricted = Plan {
        to: plan.to.min(last_matured + 1),
        masks: plan.masks.clone(),
        step_of: plan.step_of.clone(),
        ..plan
    };

    let mut tally = view.timelines.fold(
        || Tally::empty(plan.steps),
        |tally, timeline| {
            let timeline = timeline.until(plan.as_of);
            if !members.hold(&timeline) {
                return;
            }
            let depth = plan.depth(&timeline, &mut tally.entries);
            if depth == 0 {
                return;
            }
            tally.counts[depth - 1] += 1;
            if depth == plan.steps {
                plan.chain(&timeline, &mut tally.times);
            }
            if !all_matured {
                if depth < plan.steps
                    && plan
                        .last_entry(&timeline)
                        .is_some_and(|at| at > last_matured)
                {
                    tally.open += 1;
                }
                let depth = restricted.depth(&timeline, &mut tally.entries);
                tally.matured.0 += u64::from(depth > 0);
                tally.matured.1 += u64::from(depth == plan.steps);
            }
        },
        Tally::merged,
    );
    for k in (1..plan.steps).rev() {
        tally.counts[k - 1] += tally.counts[k];
    }
    if all_matured {
        tally.matured = (tally.counts[0], tally.counts[plan.steps - 1]);
    }
    tally
}

impl Plan {
    fn new(question: &Funnel, view: &View<'_>) -> Self {
        let names = view.timelines.names().len();
        let mut masks = vec![0_u64; names];
        for (k, step) in question.steps.iter().take(MAX_STEPS).enumerate() {
            match view.timelines.matching(step) {
                None => masks.iter_mut().for_each(|mask| *mask |= 1 << k),
                Some(means) => {
                    for (mask, _) in masks.iter_mut().zip(means).filter(|(_, m)| *m) {
                        *mask |= 1 << k;
                    }
                }
            }
        }
        let disjoint = masks.iter().all(|mask| mask.count_ones() <= 1);
        let step = |mask: &u64| {
            if *mask == 0 {
                IDLE
            } else {
                mask.trailing_zeros() as u8 + 1
            }
        };
        let span = question.range.span();
        Self {
            steps: question.steps.len(),
            step_of: (disjoint && !question.strict_increase)
                .then(|| masks.iter().map(step).collect()),
            masks,
            window: question.window.micros(),
            strict: question.strict_increase,
            from: span.from.micros(),
            to: span.to.micros(),
            as_of: view.as_of.micros(),
        }
    }

    /// How many steps the best chain of a user has.
    #[inline]
    fn depth(&self, timeline: &Timeline<'_>, entries: &mut Entries) -> usize {
        match &self.step_of {
            Some(step_of) => self.depth_of_disjoint(timeline, step_of, entries),
            None => overlap::depth(self, timeline),
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
        entry: &mut Entries,
    ) -> usize {
        entry[..=self.steps].fill(NEVER);
        let range = (self.to.max(self.from) - self.from) as u64;
        let mut best = 0;
        let mut before = NEVER;
        let mut tied = 0_u64;
        for (ts, name) in timeline.ts.iter().zip(timeline.name) {
            let ts = *ts;
            let step = step_of[usize::from(*name)];
            entry[0] = if (ts.wrapping_sub(self.from) as u64) < range {
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
    fn go_on(&self, ts: i64, step: u8, entry: &mut Entries) -> usize {
        let step = usize::from(step & 127);
        let start = entry[(step.wrapping_sub(1)) & 127];
        let fits = ts - start <= self.window;
        entry[step] = if fits { start } else { entry[step] };
        if fits { step } else { 0 }
    }

    /// Appends the times of a converter's reported chain: the lexicographically earliest rows (F4).
    fn chain(&self, timeline: &Timeline<'_>, times: &mut Vec<i64>) {
        let Some(step_of) = &self.step_of else {
            return overlap::chain(self, timeline, times);
        };
        // From one entry the earliest fitting row of each step in turn is best; as entries get later these rows only move
        // forward, so all entries together cost one pass a step.
        let rows = timeline.ts.len();
        let is =
            |row: usize, step: usize| usize::from(step_of[usize::from(timeline.name[row])]) == step;
        let mut at = [0_usize; MAX_STEPS];
        for row in 0..rows {
            let ts = timeline.ts[row];
            if !is(row, 1) || ts < self.from || ts >= self.to {
                continue;
            }
            at[0] = row;
            let mut reached = 1;
            while reached < self.steps {
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
            if reached == self.steps {
                times.extend(at[..reached].iter().map(|row| timeline.ts[*row]));
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
