//! What one user adds to a retention table: the cohorts joined, and the returns after each start (R1–R3, R10).
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, rows below the timeline's length"
)]

use std::collections::BTreeMap;

use super::clock::Clock;
use super::columns::{Columns, Hit};
use super::options::Mode;
use super::question::Retention;
use crate::error::Result;
use crate::query::Span;
use crate::timeline::column::Reader;
use crate::timeline::{Meaning, Members, Stop, Timeline, View};

/// A question made ready to be asked of each user.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) clock: Clock<'a>,
    pub(super) columns: Columns<'a>,
    pub(super) starts: Meaning,
    pub(super) returns: Meaning,
    pub(super) span: Span,
    pub(super) members: Members<'a>,
    pub(super) breakdown: Option<Reader<'a>>,
    mode: Mode,
    /// The names of the start, whatever its filters say.
    named: Option<Vec<bool>>,
    /// The rows that are seen at all.
    seen: Meaning,
    hold: Option<Reader<'a>>,
    stop: Stop<'a>,
}

/// A user with so many events is not looked at in one go.
const PATIENCE: usize = 1 << 16;

/// One user in one cohort.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joined<'h> {
    pub(super) cohort: usize,
    /// The place of the start in the user's timeline.
    pub(super) start: usize,
    /// How many periods have fully elapsed for this user (R7).
    pub(super) elapsed: usize,
    /// The returns, ascending.
    pub(super) hits: &'h [Hit],
}

/// Room for one user at a time.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    hits: Vec<Hit>,
    starts: Vec<(usize, usize)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        question: &'a Retention,
        clock: Clock<'a>,
        columns: Columns<'a>,
        view: &View<'a>,
    ) -> Result<Self> {
        let reader = |property| view.columns.reader(property, view.as_of.micros());
        Ok(Self {
            clock,
            columns,
            starts: view.meaning(&question.start)?,
            returns: view.meaning(&question.returning)?,
            span: question.range.span(),
            members: Members::new(question.segment, question.range.span(), view),
            breakdown: question
                .breakdown
                .as_ref()
                .map(|b| reader(&b.property))
                .transpose()?,
            mode: question.mode,
            named: view.timelines.matching(&question.start.event),
            seen: Meaning {
                names: None,
                rows: view.rows(&question.filters)?,
            },
            hold: question.hold_constant.as_ref().map(reader).transpose()?,
            stop: view.stop,
        })
    }

    /// Whether events are told apart by name alone, and each user's clock is the calendar's.
    pub(super) fn is_plain(&self) -> bool {
        self.mode == Mode::FirstTime
            && !self.clock.is_own()
            && self.hold.is_none()
            && self.breakdown.is_none()
            && [&self.starts, &self.returns, &self.seen]
                .iter()
                .all(|m| m.rows.is_none())
    }

    /// The code of the value by which a user's start is grouped.
    pub(super) fn group(&self, t: &Timeline<'_>, start: usize) -> Option<u32> {
        self.breakdown?.code(t.user, t.ts[start], t.row[start])
    }

    fn starts(&self, t: &Timeline<'_>, row: usize) -> bool {
        self.starts.holds(t.name[row], t.row[row]) && self.seen.holds(t.name[row], t.row[row])
    }

    fn returns(&self, t: &Timeline<'_>, row: usize) -> bool {
        self.returns.holds(t.name[row], t.row[row]) && self.seen.holds(t.name[row], t.row[row])
    }

    /// Calls `see` once for each cohort that a user joins.
    pub(super) fn each(
        &self,
        t: &Timeline<'_>,
        scratch: &mut Scratch,
        mut see: impl FnMut(Joined<'_>),
    ) {
        if !self.members.hold(t) {
            return;
        }
        let rows = 0..t.ts.len();
        let Scratch { hits, starts } = scratch;
        starts.clear();
        match self.mode {
            Mode::FirstTime => starts.extend(
                rows.clone()
                    .find(|row| self.starts(t, *row))
                    .and_then(|row| self.cohort(t, row)),
            ),
            Mode::FirstEverThenFilter => {
                let named = |row: &usize| {
                    let name = t.name[*row];
                    self.seen.holds(name, t.row[*row])
                        && self.named.as_ref().is_none_or(|n| n[usize::from(name)])
                };
                let first = rows.clone().find(named);
                starts.extend(
                    first
                        .filter(|row| self.starts(t, *row))
                        .and_then(|row| self.cohort(t, row)),
                );
            }
            Mode::Recurring => {
                let from = t.ts.partition_point(|ts| *ts < self.span.from.micros());
                let all = (from..rows.end)
                    .take_while(|row| t.ts[*row] < self.span.to.micros())
                    .filter(|row| self.starts(t, *row));
                starts.extend(all.filter_map(|row| self.cohort(t, row)));
                starts.sort_unstable();
                // Of the starts at one time one clock is enough, and of a calendar's period the first.
                starts.dedup_by(|next, kept| {
                    next.0 == kept.0 && (!self.clock.is_own() || t.ts[next.1] == t.ts[kept.1])
                });
            }
        }
        for clocks in starts.chunk_by(|a, b| a.0 == b.0) {
            let Some((cohort, first)) = clocks.first().copied() else {
                continue;
            };
            hits.clear();
            let mut elapsed = usize::MAX;
            if t.ts.len() >= PATIENCE && self.stop.check().is_err() {
                return;
            }
            for (_, row) in clocks {
                elapsed = elapsed.min(self.clock.elapsed(cohort, t.ts[*row]));
            }
            match clocks {
                [(_, row)] => self.look(t, cohort, *row, hits),
                _ => self.look_at_all(t, clocks, hits),
            }
            if !hits.is_sorted() {
                hits.sort_unstable();
            }
            hits.dedup();
            see(Joined {
                cohort,
                start: self.start(t, first),
                elapsed,
                hits,
            });
        }
    }

    fn cohort(&self, t: &Timeline<'_>, row: usize) -> Option<(usize, usize)> {
        let at = t.ts[row];
        let asked = self.span.from.micros() <= at && at < self.span.to.micros();
        let cohort = asked.then(|| self.clock.calendar.locate(at)).flatten()?;
        Some((cohort, row))
    }

    /// The start itself, of the first of all starts at its time: one that is no return, for then any return at that time is
    /// another row; else that first.
    fn start(&self, t: &Timeline<'_>, first: usize) -> usize {
        if self.mode == Mode::FirstEverThenFilter {
            return first;
        }
        (first..t.ts.len())
            .take_while(|row| t.ts[*row] == t.ts[first])
            .find(|row| self.starts(t, *row) && !self.returns(t, *row))
            .unwrap_or(first)
    }

    /// Adds the returns after a start: every other row that is not earlier (R2).
    fn look(&self, t: &Timeline<'_>, cohort: usize, first: usize, hits: &mut Vec<Hit>) {
        let start = self.start(t, first);
        let at = t.ts[start];
        let value = |row: usize| self.hold?.code(t.user, t.ts[row], t.row[row]);
        let held = value(start);
        if self.hold.is_some() && held.is_none() {
            return;
        }
        let before = t.ts[..first]
            .iter()
            .rev()
            .take_while(|ts| **ts == at)
            .count();
        for row in first - before..t.ts.len() {
            if row != start
                && self.returns(t, row)
                && value(row) == held
                && let Some(period) = self.clock.period(cohort, at, t.ts[row])
            {
                hits.push(Hit { period, at: row });
            }
        }
    }

    /// The same after each of a cohort's starts, the earliest first, each of which opened a clock of its own (R3).
    fn look_at_all(&self, t: &Timeline<'_>, clocks: &[(usize, usize)], hits: &mut Vec<Hit>) {
        let mut of_value = BTreeMap::<Option<u32>, Vec<usize>>::new();
        let value = |row: usize| self.hold?.code(t.user, t.ts[row], t.row[row]);
        for (_, first) in clocks {
            let start = self.start(t, *first);
            let held = value(start);
            if self.hold.is_none() || held.is_some() {
                of_value.entry(held).or_default().push(start);
            }
        }
        for (held, starts) in of_value {
            let Some(&first) = starts.first() else {
                continue;
            };
            let rows = t.ts.partition_point(|ts| *ts < t.ts[first])..t.ts.len();
            let rows: Vec<usize> = rows
                .filter(|row| self.returns(t, *row) && value(*row) == held)
                .collect();
            if self.clock.is_even() {
                self.evenly(t, &starts, &rows, hits);
            } else {
                self.by_anniversary(t, &starts, &rows, hits);
            }
        }
    }

    /// Adds every period in which a row lies after any of these starts: the later the start, the earlier the period.
    fn evenly(&self, t: &Timeline<'_>, starts: &[usize], rows: &[usize], hits: &mut Vec<Hit>) {
        let mut before = 0;
        for row in rows.iter().copied() {
            while starts.get(before).is_some_and(|s| t.ts[*s] <= t.ts[row]) {
                before += 1;
            }
            let period = |start: usize| self.clock.period(0, t.ts[start], t.ts[row]);
            // A row is no return to itself; no other start has its time.
            let own = before
                .checked_sub(1)
                .is_some_and(|last| starts[last] == row);
            let mut left = &starts[..before - usize::from(own)];
            while let Some(first) = left.first() {
                let earliest = period(*first);
                hits.extend(earliest.map(|period| Hit { period, at: row }));
                left = &left[left.partition_point(|start| period(*start) == earliest)..];
            }
        }
    }

    /// The same where a later start may have an earlier anniversary, as in a shorter month: period by period the rows within
    /// any start's.
    fn by_anniversary(
        &self,
        t: &Timeline<'_>,
        starts: &[usize],
        rows: &[usize],
        hits: &mut Vec<Hit>,
    ) {
        let Some(last) = rows.last().map(|row| t.ts[*row]) else {
            return;
        };
        let mut begins: Vec<i64> = starts.iter().map(|start| t.ts[*start]).collect();
        for period in 0.. {
            let ends: Vec<i64> = starts
                .iter()
                .map(|start| self.clock.anniversary(t.ts[*start], period + 1))
                .collect();
            let mut spans: Vec<(i64, i64, usize)> = (0..starts.len())
                .map(|i| (begins[i], ends[i], starts[i]))
                .collect();
            spans.sort_unstable();
            if spans.first().is_none_or(|span| span.0 > last) {
                return;
            }
            let (mut begun, mut end) = (0, i64::MIN);
            for row in rows.iter().copied() {
                let ts = t.ts[row];
                while spans.get(begun).is_some_and(|span| span.0 < ts) {
                    end = end.max(spans[begun].1);
                    begun += 1;
                }
                let now = spans[begun..].iter().take_while(|span| span.0 == ts);
                let other = |span: &(i64, i64, usize)| span.2 != row;
                if end > ts || now.clone().any(other) {
                    hits.push(Hit { period, at: row });
                }
            }
            begins = ends;
        }
    }
}
