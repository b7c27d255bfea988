//! The pass over the plain case: first starts ever, in a calendar of at most 64 periods each of which is one stretch of time,
//! by events told apart by name alone.
//!
//! A user's returns are the bits of one word; a cohort's counts gather in bytes, eight to a word, so that a user costs a few
//! additions instead of a step for each return.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, cohorts below 64, columns at most 64, rows below the timeline's length"
)]

use super::user::Plan;
use crate::query::calendar::Bits;
use crate::timeline::Timeline;

/// A plain question made ready for the pass.
#[derive(Debug)]
pub(super) struct Plain {
    bits: Bits,
    /// The end of each bucket.
    ends: Vec<i64>,
    starts: Option<Vec<bool>>,
    /// All bits for the names that return.
    returns: Option<Vec<u64>>,
    from: i64,
    to: i64,
}

/// The counts of users by cohort and column.
#[derive(Debug)]
pub(super) struct Packed {
    sizes: Vec<u64>,
    cells: Vec<u64>,
    columns: usize,
    /// For each cohort eight counts in a word, not yet in `cells`.
    lanes: Vec<[u64; 8]>,
    /// How many users are in the lanes of a cohort, at most 255.
    pending: Vec<u8>,
}

/// The bits of a byte as eight bytes of 0 or 1.
const SPREAD: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte] |= (byte as u64 >> bit & 1) << (8 * bit);
            bit += 1;
        }
        byte += 1;
    }
    table
};

impl Plain {
    /// Nothing where the calendar is too long or too odd.
    pub(super) fn new(plan: &Plan<'_>) -> Option<Self> {
        let calendar = plan.clock.calendar;
        let all = |means: &Vec<bool>| {
            means
                .iter()
                .map(|m| if *m { u64::MAX } else { 0 })
                .collect()
        };
        Some(Self {
            bits: calendar.bits()?,
            ends: calendar.buckets().iter().map(|b| b.end.micros()).collect(),
            starts: plan.starts.names.clone(),
            returns: plan.returns.names.as_ref().map(all),
            from: plan.span.from.micros(),
            to: plan.span.to.micros(),
        })
    }

    /// Counts one user.
    #[inline]
    pub(super) fn count(&self, timeline: &Timeline<'_>, counts: &mut Packed) {
        let (ts, names) = (timeline.ts, timeline.name);
        let mut first = match &self.starts {
            None => 0,
            Some(means) => match names.iter().position(|name| means[usize::from(*name)]) {
                Some(first) => first,
                None => return,
            },
        };
        let at = ts[first];
        let bit = self.bits.of(at);
        if at < self.from || at >= self.to || bit == 0 {
            return;
        }
        let cohort = bit.trailing_zeros() as usize;
        // Events at the very time of the start may stand before it in the order.
        while first > 0 && ts[first - 1] == at {
            first -= 1;
        }
        let mut word = 0;
        match &self.returns {
            None => ts[first..].iter().for_each(|t| word |= self.bits.of(*t)),
            Some(keep) => ts[first..]
                .iter()
                .zip(&names[first..])
                .for_each(|(t, name)| word |= self.bits.of(*t) & keep[usize::from(*name)]),
        }
        let within = word & bit != 0 && self.returned_at_start(timeline, first, self.ends[cohort]);
        counts.add(cohort, word >> cohort & !1 | u64::from(within));
    }

    /// Whether an event other than the start returns before `end` (R2); some event does.
    #[inline]
    fn returned_at_start(&self, timeline: &Timeline<'_>, first: usize, end: i64) -> bool {
        let (ts, names) = (timeline.ts, timeline.name);
        let starts = |row: usize| {
            self.starts
                .as_ref()
                .is_none_or(|means| means[usize::from(names[row])])
        };
        let Some(keep) = &self.returns else {
            // Every event returns, and one of those at the time of the start is the start.
            return ts.get(first + 1).is_some_and(|t| *t < end);
        };
        let mut within = (first..ts.len())
            .take_while(|row| ts[*row] < end)
            .filter(|row| keep[usize::from(names[*row])] != 0);
        let Some(row) = within.next() else {
            return false;
        };
        // Two returns: at least one of them is not the start. One: it counts unless it is the only start itself.
        within.next().is_some()
            || ts[row] != ts[first]
            || !starts(row)
            || (first..ts.len())
                .take_while(|r| ts[*r] == ts[first])
                .filter(|r| starts(*r))
                .count()
                > 1
    }
}

impl Packed {
    /// No users yet in so many cohorts and columns, 64 of each at most.
    pub(super) fn new(cohorts: usize, columns: usize) -> Self {
        Self {
            sizes: vec![0; cohorts],
            cells: vec![0; cohorts * columns],
            columns,
            lanes: vec![[0; 8]; cohorts],
            pending: vec![0; cohorts],
        }
    }

    /// Counts a user of a cohort in the columns whose bits are set.
    #[inline]
    fn add(&mut self, cohort: usize, word: u64) {
        let used = self.columns.div_ceil(8).min(8);
        for (lane, byte) in self.lanes[cohort][..used]
            .iter_mut()
            .zip(word.to_le_bytes())
        {
            *lane = lane.wrapping_add(SPREAD[usize::from(byte)]);
        }
        self.sizes[cohort] += 1;
        self.pending[cohort] += 1;
        if self.pending[cohort] == u8::MAX {
            self.flush(cohort);
        }
    }

    fn flush(&mut self, cohort: usize) {
        let lanes = std::mem::take(&mut self.lanes[cohort]);
        let cells = &mut self.cells[cohort * self.columns..(cohort + 1) * self.columns];
        for (cell, count) in cells
            .iter_mut()
            .zip(lanes.iter().flat_map(|l| l.to_le_bytes()))
        {
            *cell += u64::from(count);
        }
        self.pending[cohort] = 0;
    }

    /// The sizes and the cells, cohort by cohort.
    pub(super) fn counts(mut self) -> (Vec<u64>, Vec<u64>) {
        (0..self.sizes.len()).for_each(|cohort| self.flush(cohort));
        (self.sizes, self.cells)
    }

    /// Both together.
    pub(super) fn merge(mut self, other: Self) -> Self {
        let (sizes, cells) = other.counts();
        self.sizes.iter_mut().zip(&sizes).for_each(|(a, b)| *a += b);
        self.cells.iter_mut().zip(&cells).for_each(|(a, b)| *a += b);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant as Clock;

    use crate::access::{self, Permission, Principal};
    use crate::query::{Instant, Period, Range};
    use crate::retention::{Mode, Retention};
    use crate::timeline::{Timelines, View};

    /// The plain pass beside the general one over 20 million events of a million users:
    /// `cargo test -- --ignored --nocapture a_plain_pass`.
    #[test]
    #[ignore = "a measurement"]
    #[expect(
        clippy::disallowed_methods,
        clippy::print_stdout,
        reason = "it measures, for people to read"
    )]
    fn a_plain_pass_takes_less_than_a_general_one() {
        let hash = |i: i64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) as u64 >> 20;
        let row = |i: i64| {
            let user = (hash(i) % 1_000_000) as u32;
            (
                user,
                1_700_000_000_000_000 + i * 400_000,
                (hash(i + 7) % 9) as u16,
            )
        };
        let names = (0..9).map(|n| n.to_string()).collect();
        let timelines = Timelines::from_rows(names, (0..20_000_000).map(row)).unwrap();
        let as_of = Instant::saturating_from_micros(1_708_100_000_000_000);
        let view = View::new(&timelines, as_of);
        for returning in [None, Some("3")] {
            for mode in [Mode::FirstTime, Mode::Recurring] {
                let range = Range::new("2023-11-01", "2024-02-16").unwrap();
                let question = Retention {
                    mode,
                    returning: returning.map(Into::into).unwrap_or_default(),
                    ..Retention::new(Period::Weekly, range)
                };
                let scoped =
                    access::grant(&Principal::owner(), Permission::ReadAnalytics, &question)
                        .unwrap();
                let best = (0..5)
                    .map(|_| {
                        let begin = Clock::now();
                        super::super::answer(&scoped, &view).unwrap();
                        begin.elapsed()
                    })
                    .min();
                println!("{mode:?}, return {returning:?}: {best:?}");
            }
        }
    }
}
