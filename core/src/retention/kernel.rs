//! One pass over all timelines for a retention table.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, buckets below the calendar's, rows below the timeline's length"
)]

use super::plain::{Packed, Plain};
use super::question::{Mode, Retention};
use crate::error::{Error, Result};
use crate::query::{Calendar, Instant};
use crate::timeline::{Members, Timeline, View};

/// The counts of all cells.
#[derive(Debug)]
pub(super) struct Table {
    /// The calendar; cohort c is its bucket c.
    pub(super) calendar: Calendar,
    /// How many of its buckets touch the range.
    pub(super) cohorts: usize,
    /// How many columns there are, at most.
    pub(super) columns: usize,
    sizes: Vec<u64>,
    cells: Vec<u64>,
}

impl Table {
    /// Users in a cohort.
    pub(super) fn size(&self, cohort: usize) -> u64 {
        self.sizes[cohort]
    }

    /// Users of a cohort who returned in its n-th period; for n = 0 by an event other than the start.
    pub(super) fn returned(&self, cohort: usize, n: usize) -> u64 {
        self.cells[cohort * self.columns + n]
    }
}

#[derive(Debug)]
struct Counts {
    sizes: Vec<u64>,
    cells: Vec<u64>,
    /// Scratch, all zero between users: the buckets in which the user at hand returned, one bit each.
    returned: Vec<u64>,
    /// Scratch, all zero between users: the cohorts that the user at hand has joined.
    joined: Vec<u64>,
}

/// A table with more cells than this is an error.
const MAX_CELLS: usize = 2_000_000;

/// A retention question made ready for the pass.
struct Plan<'a> {
    calendar: &'a Calendar,
    starts: Option<Vec<bool>>,
    returns: Option<Vec<bool>>,
    from: i64,
    to: i64,
    columns: usize,
    mode: Mode,
    /// Whether each bucket is one stretch of time.
    regular: bool,
}

pub(super) fn run(question: &Retention, view: &View<'_>) -> Result<Table> {
    let span = question.range.span();
    let after = Instant::saturating_from_micros(view.as_of.micros() + 1);
    let (calendar, cohorts) = Calendar::reaching(
        &question.range.zone,
        question.period,
        question.week_start,
        span.from,
        span.to,
        after,
    )?;
    let columns = question
        .periods
        .map_or(usize::MAX, |periods| periods + 1)
        .min(calendar.buckets().len());
    if cohorts * columns > MAX_CELLS {
        return Err(Error::field(
            "periods",
            "too_many_cells",
            format!(
                "the table would have {cohorts} × {columns} cells; fewer periods, a longer cohortPeriod or a shorter range would do"
            ),
        ));
    }
    let plan = Plan {
        starts: view.timelines.matching(&question.start),
        returns: view.timelines.matching(&question.returning),
        from: span.from.micros(),
        to: span.to.micros(),
        columns,
        mode: question.mode,
        regular: calendar.is_regular(),
        calendar: &calendar,
    };
    let members = Members::new(question.segment, span, view);
    let plain = match question.mode {
        Mode::FirstTime => Plain::new(
            &calendar,
            plan.starts.as_ref(),
            plan.returns.as_ref(),
            (plan.from, plan.to),
        ),
        Mode::Recurring => None,
    };
    let (sizes, cells) = match plain {
        Some(plain) => view
            .fold(
                || Packed::new(cohorts, columns),
                |counts, timeline| {
                    if members.hold(&timeline) {
                        plain.count(&timeline, counts);
                    }
                },
                Packed::merge,
            )?
            .counts(),
        None => plan.counts(view, &members, cohorts)?,
    };
    Ok(Table {
        calendar,
        cohorts,
        columns,
        sizes,
        cells,
    })
}

impl Plan<'_> {
    fn counts(
        &self,
        view: &View<'_>,
        members: &Members<'_>,
        cohorts: usize,
    ) -> Result<(Vec<u64>, Vec<u64>)> {
        let words = self.calendar.buckets().len().div_ceil(64);
        let counts = view.fold(
            || Counts {
                sizes: vec![0; cohorts],
                cells: vec![0; cohorts * self.columns],
                returned: vec![0; words],
                joined: vec![0; words],
            },
            |counts, timeline| {
                if members.hold(&timeline) {
                    self.count(&timeline, counts);
                }
            },
            |mut a, b| {
                a.sizes.iter_mut().zip(&b.sizes).for_each(|(x, y)| *x += y);
                a.cells.iter_mut().zip(&b.cells).for_each(|(x, y)| *x += y);
                a
            },
        )?;
        Ok((counts.sizes, counts.cells))
    }

    fn starts(&self, name: u16) -> bool {
        self.starts
            .as_ref()
            .is_none_or(|means| means[usize::from(name)])
    }

    fn returns(&self, name: u16) -> bool {
        self.returns
            .as_ref()
            .is_none_or(|means| means[usize::from(name)])
    }

    fn count(&self, timeline: &Timeline<'_>, counts: &mut Counts) {
        match self.mode {
            Mode::FirstTime => {
                let Some(first) = timeline.name.iter().position(|name| self.starts(*name)) else {
                    return;
                };
                let at = timeline.ts[first];
                if at >= self.from
                    && at < self.to
                    && let Some(cohort) = self.calendar.locate(at)
                {
                    self.mark(timeline, first, &mut counts.returned);
                    self.join(timeline, cohort, first, counts);
                    counts.returned.fill(0);
                }
            }
            Mode::Recurring => self.count_recurring(timeline, counts),
        }
    }

    fn count_recurring(&self, timeline: &Timeline<'_>, counts: &mut Counts) {
        let from = timeline.ts.partition_point(|ts| *ts < self.from);
        let to = timeline.ts.partition_point(|ts| *ts < self.to);
        let mut marked = false;
        for row in from..to {
            let Some(cohort) = self
                .calendar
                .locate(timeline.ts[row])
                .filter(|_| self.starts(timeline.name[row]))
            else {
                continue;
            };
            let (word, bit) = (cohort / 64, 1 << (cohort % 64));
            if counts.joined[word] & bit != 0 {
                continue;
            }
            counts.joined[word] |= bit;
            // Where each bucket is one stretch of time, a later bucket holds later events only, so one look serves all cohorts.
            if !marked || !self.regular {
                counts.returned.fill(0);
                self.mark(timeline, row, &mut counts.returned);
                marked = true;
            }
            self.join(timeline, cohort, row, counts);
        }
        if marked {
            counts.joined.fill(0);
            counts.returned.fill(0);
        }
    }

    /// Sets a bit for each bucket in which the user returned at or after the time of `row`.
    #[inline]
    fn mark(&self, timeline: &Timeline<'_>, row: usize, returned: &mut [u64]) {
        let from = first_at(timeline, row);
        let (times, names) = (&timeline.ts[from..], &timeline.name[from..]);
        // The bits of 64 buckets at a time gather here, since a write to memory for each event would wait for the last one.
        let (mut word, mut bits) = (0, 0_u64);
        let mut set = |ts: i64| {
            if let Some(bucket) = self.calendar.locate(ts) {
                if bucket / 64 != word {
                    returned[word] |= std::mem::take(&mut bits);
                    word = bucket / 64;
                }
                bits |= 1 << (bucket % 64);
            }
        };
        match &self.returns {
            None => times.iter().for_each(|ts| set(*ts)),
            Some(means) => times
                .iter()
                .zip(names)
                .filter(|(_, name)| means[usize::from(**name)])
                .for_each(|(ts, _)| set(*ts)),
        }
        returned[word] |= bits;
    }

    /// Counts a user into a cohort by the start event in `row`, and into the cells of the periods marked.
    #[inline]
    fn join(&self, timeline: &Timeline<'_>, cohort: usize, row: usize, counts: &mut Counts) {
        counts.sizes[cohort] += 1;
        let cells = &mut counts.cells[cohort * self.columns..(cohort + 1) * self.columns];
        if self.returned_at_start(timeline, cohort, first_at(timeline, row)) {
            cells[0] += 1;
        }
        let first = cohort + 1;
        for (word, bits) in counts.returned.iter().enumerate().skip(first / 64) {
            let mut left = if word == first / 64 {
                bits & (u64::MAX << (first % 64))
            } else {
                *bits
            };
            while left != 0 {
                let bucket = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                if let Some(cell) = cells.get_mut(bucket - cohort) {
                    *cell += 1;
                }
            }
        }
    }

    /// Whether there are a start row at the time of the start and another row, in the same period and not earlier, that returns
    /// (R2). `first` is the first row at the time of the start.
    #[inline]
    fn returned_at_start(&self, timeline: &Timeline<'_>, cohort: usize, first: usize) -> bool {
        let start = timeline.ts[first];
        let end = self.calendar.buckets()[cohort].end.micros();
        let mut within = (first..timeline.ts.len())
            .take_while(|row| timeline.ts[*row] < end)
            .filter(|row| self.returns(timeline.name[*row]))
            .filter(|row| self.regular || self.calendar.locate(timeline.ts[*row]) == Some(cohort));
        let Some(row) = within.next() else {
            return false;
        };
        // Two returns: at least one of them is not the start. One: it counts unless it is the only start itself.
        within.next().is_some()
            || timeline.ts[row] != start
            || !self.starts(timeline.name[row])
            || (first..timeline.ts.len())
                .take_while(|r| timeline.ts[*r] == start)
                .filter(|r| self.starts(timeline.name[*r]))
                .count()
                > 1
    }
}

/// The first row at the time of `row`: events at the very time of a start may stand before it in the order.
fn first_at(timeline: &Timeline<'_>, row: usize) -> usize {
    let at = timeline.ts[row];
    row - timeline.ts[..row]
        .iter()
        .rev()
        .take_while(|ts| **ts == at)
        .count()
}
