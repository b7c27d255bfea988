//! The pass where a user's returns are the bits of one register: a calendar of at most 128 periods, each of which is one stretch
//! of time, and rates.
//!
//! A cohort's counts gather in bytes, eight to a word, so that a user costs a few additions instead of a step for each return.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, cohorts and columns at most as many as a register has bits, rows below the timeline's length"
)]

use super::options::Mode;
use super::register::Register;
use super::user::{Plan, since};
use crate::query::Zone;
use crate::query::calendar::{Bits, DayBits, day_beginning};
use crate::timeline::{Day, Timeline};

/// A plain question made ready for the pass.
#[derive(Debug)]
pub(super) struct Plain<'a, R> {
    plan: &'a Plan<'a>,
    bits: Bits<R>,
    /// The end of each bucket.
    ends: Vec<i64>,
    /// For each name, whether its events start and return: all bits or none. Nothing where every event does both.
    names: Option<Vec<[R; 2]>>,
    /// Whether names do not tell all of it.
    by_row: bool,
}

/// A question that days alone answer: of all users, by any event, in a range of whole days.
#[derive(Debug)]
pub(super) struct ByDay<R> {
    bits: DayBits<R>,
    /// The first day of the range, and the one after it.
    from: usize,
    to: usize,
    recurring: bool,
}

/// What one user did, a bit for each bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Marks<R> {
    started: R,
    returned: R,
    /// Where a return follows the first start.
    again: R,
}

/// The counts of users by cohort and column.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub(super) sizes: Vec<u64>,
    /// Users who returned in the period of their start.
    pub(super) within: Vec<u64>,
    pub(super) cells: Vec<u64>,
    columns: usize,
    /// For each cohort as many words as its columns need, each of eight counts that are not yet in `cells`.
    lanes: Vec<u64>,
    /// How many words a cohort has.
    width: usize,
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

fn mask<R: Register>(means: bool) -> R {
    if means { R::ALL } else { R::default() }
}

impl<'a, R: Register> Plain<'a, R> {
    /// Nothing where the calendar or the table is too long or too odd, or more than rates is asked for.
    pub(super) fn new(plan: &'a Plan<'a>, names: usize) -> Option<Self> {
        let calendar = plan.clock.calendar;
        if !plan.shared || plan.columns.count() > R::BITS {
            return None;
        }
        let [starts, returns] = [&plan.starts.names, &plan.returns.names];
        let any = starts.is_none() && returns.is_none();
        let holds = |means: &Option<Vec<bool>>, n: usize| means.as_ref().is_none_or(|m| m[n]);
        let both = |n| [mask(holds(starts, n)), mask(holds(returns, n))];
        Some(Self {
            plan,
            bits: R::calendar(calendar)?,
            ends: calendar.buckets().iter().map(|b| b.end.micros()).collect(),
            names: (!any).then(|| (0..names).map(both).collect()),
            by_row: plan.starts.rows.is_some() || plan.returns.rows.is_some(),
        })
    }

    /// The same by days, where they tell all of it.
    pub(super) fn by_day(&self, zone: &Zone) -> Option<ByDay<R>> {
        let plan = self.plan;
        let any = self.names.is_none() && !self.by_row && plan.members.are_all();
        if !any || plan.mode == Mode::FirstEverThenFilter || plan.breakdown.is_some() {
            return None;
        }
        let bit = |bucket: usize| (bucket < R::BITS).then(|| R::ONE << bucket);
        Some(ByDay {
            bits: DayBits::new(plan.clock.calendar, bit)?,
            from: day_beginning(zone, plan.span.from)?,
            to: day_beginning(zone, plan.span.to)?,
            recurring: plan.mode == Mode::Recurring,
        })
    }

    /// Calls `see` once for each cohort that a user joins: with the cohort, the place of the first start in it, and a bit for
    /// each period after it with a return.
    #[inline]
    pub(super) fn each(&self, t: &Timeline<'_>, see: impl FnMut(usize, usize, R)) {
        if !self.plan.members.hold(t) {
            return;
        }
        if self.plan.mode == Mode::Recurring {
            self.every(t, see);
        } else {
            self.first(t, see);
        }
    }

    #[inline]
    fn first(&self, t: &Timeline<'_>, mut see: impl FnMut(usize, usize, R)) {
        let Some(first) = self.plan.first(t) else {
            return;
        };
        let Some(cohort) = self.plan.cohort(t, first) else {
            return;
        };
        let from = since(t, first);
        let ts = &t.ts[from..];
        let mut word = R::default();
        match &self.names {
            _ if self.by_row => (from..t.ts.len())
                .filter(|row| self.plan.returns(t, *row))
                .for_each(|row| word |= self.bits.of(t.ts[row])),
            None => ts.iter().for_each(|ts| word |= self.bits.of(*ts)),
            Some(names) => ts.iter().zip(&t.name[from..]).for_each(|(ts, name)| {
                word |= self.bits.of(*ts) & names[usize::from(*name)][1];
            }),
        }
        word >>= cohort;
        if word.first() == 0 && !self.returned(t, cohort, first) {
            word &= !R::ONE;
        }
        see(cohort, first, word);
    }

    #[inline]
    fn every(&self, t: &Timeline<'_>, mut see: impl FnMut(usize, usize, R)) {
        let from =
            t.ts.partition_point(|ts| *ts < self.plan.span.from.micros());
        let to = t.ts.partition_point(|ts| *ts < self.plan.span.to.micros());
        let marks = match &self.names {
            _ if self.by_row => self.marks(t, from, to, |row| {
                [
                    mask(self.plan.starts(t, row)),
                    mask(self.plan.returns(t, row)),
                ]
            }),
            None => self.marks(t, from, to, |_| [R::ALL; 2]),
            Some(names) => self.marks(t, from, to, |row| names[usize::from(t.name[row])]),
        };
        let mut left = marks.started;
        // Equal times leave open which row is the start and which the return.
        let tied = || t.ts[from..].windows(2).any(|pair| pair[0] == pair[1]);
        let first_in_doubt =
            marks.started & marks.returned & !marks.again != R::default() && tied();
        let grouped = self.plan.breakdown.is_some();
        while left != R::default() {
            let cohort = left.first();
            left &= !(R::ONE << cohort);
            let mut word = marks.returned >> cohort;
            let mut first = from;
            let in_doubt = first_in_doubt && (marks.again >> cohort).first() != 0;
            if grouped || in_doubt {
                let here = |row: &usize| {
                    self.plan.starts(t, *row) && self.plan.cohort(t, *row) == Some(cohort)
                };
                first = (from..to).find(here).unwrap_or(from);
            }
            let within = if in_doubt {
                word.first() == 0 && self.returned(t, cohort, first)
            } else {
                (marks.again >> cohort).first() == 0
            };
            word = word & !R::ONE | mask::<R>(within) & R::ONE;
            see(cohort, first, word);
        }
    }

    #[inline]
    fn marks(
        &self,
        t: &Timeline<'_>,
        from: usize,
        to: usize,
        means: impl Fn(usize) -> [R; 2],
    ) -> Marks<R> {
        let mut marks = Marks::default();
        for row in from..to {
            let bit = self.bits.of(t.ts[row]);
            let [start, back] = means(row);
            marks.again |= bit & back & marks.started;
            marks.returned |= bit & back;
            marks.started |= bit & start;
        }
        for row in to..t.ts.len() {
            let back = self.bits.of(t.ts[row]) & means(row)[1];
            marks.again |= back & marks.started;
            marks.returned |= back;
        }
        marks
    }

    /// Whether an event other than the start returns within the period of the start (R2).
    #[inline]
    fn returned(&self, t: &Timeline<'_>, cohort: usize, first: usize) -> bool {
        let start = self.plan.start(t, first);
        let end = self.ends[cohort];
        (since(t, first)..t.ts.len())
            .take_while(|row| t.ts[*row] < end)
            .any(|row| row != start && self.plan.returns(t, row))
    }
}

impl<R: Register> ByDay<R> {
    /// Calls `see` once for each cohort that a user joins, with a bit for each period after it with a return.
    #[inline]
    pub(super) fn each(&self, days: &[Day], mut see: impl FnMut(usize, R)) {
        if self.recurring {
            self.every(days, see);
            return;
        }
        let Some((first, later)) = days.split_first() else {
            return;
        };
        if !(self.from..self.to).contains(&first.number()) {
            return;
        }
        let start = self.bits.of(first.number());
        let cohort = start.first();
        if cohort < R::BITS {
            let again = start & mask::<R>(first.several());
            let word = later
                .iter()
                .fold(again, |word, day| word | self.bits.of(day.number()));
            see(cohort, word >> cohort);
        }
    }

    #[inline]
    fn every(&self, days: &[Day], mut see: impl FnMut(usize, R)) {
        let mut marks = Marks::<R>::default();
        for day in days {
            let number = day.number();
            let bit = self.bits.of(number) & mask::<R>(number >= self.from);
            let starts = mask::<R>(number < self.to);
            marks.again |= bit & (marks.started | starts & mask::<R>(day.several()));
            marks.returned |= bit;
            marks.started |= bit & starts;
        }
        let mut left = marks.started;
        while left != R::default() {
            let cohort = left.first();
            left &= !(R::ONE << cohort);
            let within = marks.again >> cohort & R::ONE;
            see(cohort, (marks.returned >> cohort) & !R::ONE | within);
        }
    }
}

impl Packed {
    /// No users yet in so many cohorts and columns.
    pub(super) fn new(cohorts: usize, columns: usize) -> Self {
        Self {
            sizes: vec![0; cohorts],
            within: vec![0; cohorts],
            cells: vec![0; cohorts * columns],
            columns,
            lanes: vec![0; cohorts * columns.div_ceil(8)],
            width: columns.div_ceil(8),
            pending: vec![0; cohorts],
        }
    }

    /// Counts a user of a cohort in the columns whose bits are set.
    #[inline]
    pub(super) fn add<R: Register>(&mut self, cohort: usize, within: bool, word: R) {
        let lanes = &mut self.lanes[cohort * self.width..(cohort + 1) * self.width];
        for (lane, byte) in lanes.iter_mut().zip(word.bytes().as_ref()) {
            *lane = lane.wrapping_add(SPREAD[usize::from(*byte)]);
        }
        self.sizes[cohort] += 1;
        self.within[cohort] += u64::from(within);
        self.pending[cohort] += 1;
        if self.pending[cohort] == u8::MAX {
            self.flush(cohort);
        }
    }

    fn flush(&mut self, cohort: usize) {
        let lanes = &mut self.lanes[cohort * self.width..(cohort + 1) * self.width];
        let cells = &mut self.cells[cohort * self.columns..(cohort + 1) * self.columns];
        for (cell, count) in cells
            .iter_mut()
            .zip(lanes.iter().flat_map(|l| l.to_le_bytes()))
        {
            *cell += u64::from(count);
        }
        lanes.fill(0);
        self.pending[cohort] = 0;
    }

    /// All of it counted in `cells`.
    pub(super) fn counted(mut self) -> Self {
        (0..self.sizes.len()).for_each(|cohort| self.flush(cohort));
        self
    }

    /// Both together.
    pub(super) fn merge(&mut self, other: Self) {
        let other = other.counted();
        let sum = |a: &mut Vec<u64>, b: &[u64]| a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
        sum(&mut self.sizes, &other.sizes);
        sum(&mut self.within, &other.within);
        sum(&mut self.cells, &other.cells);
    }
}
