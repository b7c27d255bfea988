//! What one user adds to a retention table: the cohorts joined, and the returns after each start (R1–R3, R10).
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, rows below the timeline's length"
)]

use std::collections::BTreeMap;

use super::clock::Clock;
use super::columns::{Columns, Hit, Returns};
use super::options::{Maturity, Metric, Mode};
use super::question::Retention;
use crate::error::Result;
use crate::query::{Condition, Span};
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
    pub(super) mode: Mode,
    /// Whether periods count before they have elapsed (R7).
    pub(super) early: bool,
    /// Whether a return is the same for all cohorts of a user: of which period it is, and whether it counts, does not depend on
    /// the start.
    pub(super) shared: bool,
    /// The first event of these decides, whatever filters the start has.
    named: Option<Meaning>,
    /// How many periods of each cohort have fully elapsed, where that is the same for all of its users.
    elapsed: Vec<usize>,
    hold: Option<Reader<'a>>,
    minimum: usize,
    stop: Stop<'a>,
}

/// After so many steps it is asked whether to stop.
const PATIENCE: usize = 1 << 16;

/// One user in one cohort.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joined<'h> {
    pub(super) cohort: usize,
    /// The place of the start in the user's timeline.
    pub(super) start: usize,
    /// How many periods count for this user, since they have fully elapsed (R7).
    pub(super) elapsed: usize,
    /// What a column counts.
    pub(super) returns: Returns<'h>,
    /// The returns, ascending; left out where they are shared.
    pub(super) hits: &'h [Hit],
}

/// Room for one user at a time.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    hits: Vec<Hit>,
    starts: Vec<(usize, usize)>,
    /// Steps since it was asked whether to stop.
    steps: usize,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        question: &'a Retention,
        clock: Clock<'a>,
        columns: Columns<'a>,
        view: &View<'a>,
    ) -> Result<Self> {
        let reader = |property| view.columns.reader(property, view.as_of.micros());
        // What is not seen at all neither starts nor returns.
        let seen = |condition: &Condition| Condition {
            event: condition.event.clone(),
            filters: [&condition.filters[..], &question.filters[..]].concat(),
        };
        let named = Condition::from(question.start.event.clone());
        Ok(Self {
            clock,
            columns,
            starts: view.meaning(&seen(&question.start))?,
            returns: view.meaning(&seen(&question.returning))?,
            span: question.range.span(),
            members: Members::new(question.segment, question.range.span(), view),
            breakdown: question
                .breakdown
                .as_ref()
                .map(|b| reader(&b.property))
                .transpose()?,
            mode: question.mode,
            early: question.maturity == Maturity::Ignored,
            shared: !clock.is_own()
                && clock.calendar.is_regular()
                && question.hold_constant.is_none()
                && question.minimum_occurrences == 1
                && question.metric == Metric::RetentionRate,
            named: (question.mode == Mode::FirstEverThenFilter)
                .then(|| view.meaning(&seen(&named)))
                .transpose()?,
            elapsed: if clock.is_own() {
                Vec::new()
            } else {
                let cohorts = 0..clock.calendar.buckets().len();
                cohorts.map(|cohort| clock.complete(cohort)).collect()
            },
            hold: question.hold_constant.as_ref().map(reader).transpose()?,
            minimum: question.minimum_occurrences,
            stop: view.stop,
        })
    }

    /// The code of the value by which a user's start is grouped.
    pub(super) fn group(&self, t: &Timeline<'_>, start: usize) -> Option<u32> {
        self.breakdown?.code(t.user, t.ts[start], t.row[start])
    }

    /// How many values there are to group by.
    pub(super) fn codes(&self) -> usize {
        let breakdown = self.breakdown.as_ref();
        breakdown.map_or(0, |b| b.dictionary().values().len())
    }

    /// The place of a value among so many; behind them that of none.
    pub(super) fn place(&self, code: Option<u32>) -> usize {
        code.map_or_else(|| self.codes(), |code| code as usize)
    }

    #[inline]
    pub(super) fn starts(&self, t: &Timeline<'_>, row: usize) -> bool {
        self.starts.holds(t.name[row], t.row[row])
    }

    #[inline]
    pub(super) fn returns(&self, t: &Timeline<'_>, row: usize) -> bool {
        self.returns.holds(t.name[row], t.row[row])
    }

    /// Calls `see` once for each cohort that a user joins.
    #[inline]
    pub(super) fn each(
        &self,
        t: &Timeline<'_>,
        scratch: &mut Scratch,
        mut see: impl FnMut(Joined<'_>),
    ) {
        let Scratch {
            hits,
            starts,
            steps,
        } = scratch;
        self.joins(t, starts);
        hits.clear();
        if let Some((_, first)) = starts.first()
            && self.shared
        {
            self.later(t, *first, hits);
        }
        for clocks in starts.chunk_by(|a, b| a.0 == b.0) {
            let Some((cohort, first)) = clocks.first().copied() else {
                continue;
            };
            if self.stops(steps, t.ts.len() - first + self.columns.count()) {
                return;
            }
            let joined = if self.shared {
                self.share(t, cohort, first, hits)
            } else {
                self.own(t, cohort, clocks, hits, steps)
            };
            see(joined);
        }
    }

    /// Whether it is time to stop, after so many steps more; what was found by then is thrown away.
    #[inline]
    fn stops(&self, steps: &mut usize, more: usize) -> bool {
        *steps += more;
        *steps >= PATIENCE && {
            *steps = 0;
            self.stop.check().is_err()
        }
    }

    /// The cohorts that a user joins, ascending, each with the rows that start the user's clocks in it.
    #[inline]
    pub(super) fn joins(&self, t: &Timeline<'_>, starts: &mut Vec<(usize, usize)>) {
        starts.clear();
        if !self.members.hold(t) {
            return;
        }
        if self.mode != Mode::Recurring {
            let first = self.first(t);
            starts.extend(first.and_then(|row| Some((self.cohort(t, row)?, row))));
            return;
        }
        let own = self.clock.is_own();
        let from = t.ts.partition_point(|ts| *ts < self.span.from.micros());
        let to = t.ts.partition_point(|ts| *ts < self.span.to.micros());
        for row in from..to {
            if self.starts(t, row)
                && let Some(cohort) = self.clock.calendar.locate(t.ts[row])
                && (own || starts.last().is_none_or(|last| last.0 != cohort))
            {
                starts.push((cohort, row));
            }
        }
        if !starts.is_sorted() {
            starts.sort_unstable();
        }
        // Of the starts at one time one clock is enough, and of a calendar's period the first.
        starts.dedup_by(|next, kept| next.0 == kept.0 && (!own || t.ts[next.1] == t.ts[kept.1]));
    }

    /// The place of the first start ever.
    #[inline]
    pub(super) fn first(&self, t: &Timeline<'_>) -> Option<usize> {
        match &self.named {
            None => position(&self.starts, t),
            Some(named) => position(named, t).filter(|row| self.starts(t, *row)),
        }
    }

    /// The cohort that a start in a row joins.
    #[inline]
    pub(super) fn cohort(&self, t: &Timeline<'_>, row: usize) -> Option<usize> {
        let at = t.ts[row];
        let asked = self.span.from.micros() <= at && at < self.span.to.micros();
        asked.then(|| self.clock.calendar.locate(at)).flatten()
    }

    /// The start itself, of the first of all starts at its time: one that is no return, for then any return at that time is
    /// another row; else that first.
    #[inline]
    pub(super) fn start(&self, t: &Timeline<'_>, first: usize) -> usize {
        if self.mode == Mode::FirstEverThenFilter {
            return first;
        }
        (first..t.ts.len())
            .take_while(|row| t.ts[*row] == t.ts[first])
            .find(|row| self.starts(t, *row) && !self.returns(t, *row))
            .unwrap_or(first)
    }

    /// Adds the last return of each of the calendar's periods from the first start on.
    #[inline]
    fn later(&self, t: &Timeline<'_>, first: usize, hits: &mut Vec<Hit>) {
        for at in since(t, first)..t.ts.len() {
            if self.returns(t, at)
                && let Some(period) = self.clock.calendar.locate(t.ts[at])
            {
                match hits.last_mut() {
                    Some(last) if last.period == period => last.at = at,
                    _ => hits.push(Hit { period, at }),
                }
            }
        }
    }

    /// A user in a cohort where the calendar's returns are at hand.
    #[inline]
    fn share<'h>(
        &self,
        t: &Timeline<'_>,
        cohort: usize,
        first: usize,
        hits: &'h [Hit],
    ) -> Joined<'h> {
        let start = self.start(t, first);
        let mut ahead = hits.partition_point(|h| h.period < cohort);
        let mut within = false;
        if let Some(last) = hits.get(ahead).filter(|h| h.period == cohort) {
            ahead += 1;
            within = last.at > first || self.returned(t, first, start, last.at + 1);
        }
        Joined {
            cohort,
            start,
            elapsed: self.elapsed(cohort, t.ts[start]),
            returns: Returns {
                within,
                later: &hits[ahead..],
                base: cohort,
            },
            hits: &[],
        }
    }

    /// Whether a row other than the start, at its time or later but before the row `end`, returns (R2).
    #[inline]
    pub(super) fn returned(
        &self,
        t: &Timeline<'_>,
        first: usize,
        start: usize,
        end: usize,
    ) -> bool {
        (since(t, first)..end).any(|row| row != start && self.returns(t, row))
    }

    /// A user in a cohort, each of whose clocks looks for returns of its own.
    fn own<'h>(
        &self,
        t: &Timeline<'_>,
        cohort: usize,
        clocks: &[(usize, usize)],
        hits: &'h mut Vec<Hit>,
        steps: &mut usize,
    ) -> Joined<'h> {
        hits.clear();
        let mut elapsed = usize::MAX;
        for (_, row) in clocks {
            elapsed = elapsed.min(self.elapsed(cohort, t.ts[*row]));
        }
        match clocks {
            [(_, row)] => self.look(t, cohort, *row, hits),
            _ => self.look_at_all(t, clocks, hits, steps),
        }
        if !hits.is_sorted() {
            hits.sort_unstable();
        }
        hits.dedup();
        if self.minimum > 1 {
            keep_runs(hits, self.minimum);
        }
        let later = hits.partition_point(|h| h.period == 0);
        Joined {
            cohort,
            start: clocks.first().map_or(0, |(_, first)| self.start(t, *first)),
            elapsed,
            returns: Returns {
                within: later > 0,
                later: &hits[later..],
                base: 0,
            },
            hits,
        }
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
        for row in since(t, first)..t.ts.len() {
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
    fn look_at_all(
        &self,
        t: &Timeline<'_>,
        clocks: &[(usize, usize)],
        hits: &mut Vec<Hit>,
        steps: &mut usize,
    ) {
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
                self.evenly(t, &starts, &rows, hits, steps);
            } else {
                self.period_by_period(t, starts, &rows, hits, steps);
            }
        }
    }

    /// Adds every period in which a row lies after any of these starts: the later the start, the earlier the period.
    fn evenly(
        &self,
        t: &Timeline<'_>,
        starts: &[usize],
        rows: &[usize],
        hits: &mut Vec<Hit>,
        steps: &mut usize,
    ) {
        let (mut before, reach) = (0, self.columns.reach());
        for row in rows.iter().copied() {
            while starts.get(before).is_some_and(|s| t.ts[*s] <= t.ts[row]) {
                before += 1;
            }
            let period = |start: usize| self.clock.period(0, t.ts[start], t.ts[row]);
            // A row is no return to itself; no other start has its time.
            let own = before
                .checked_sub(1)
                .is_some_and(|last| starts[last] == row);
            let left = &starts[..before - usize::from(own)];
            let far = |start: &usize| period(*start).is_some_and(|period| period >= reach);
            let mut left = &left[left.partition_point(far)..];
            while let Some(first) = left.first() {
                let earliest = period(*first);
                hits.extend(earliest.map(|period| Hit { period, at: row }));
                left = &left[left.partition_point(|start| period(*start) == earliest)..];
                if self.stops(steps, 1) {
                    return;
                }
            }
        }
    }

    /// The same where a later start may be in a later period, as of months of which one is shorter: period by period the rows
    /// within any start's.
    fn period_by_period(
        &self,
        t: &Timeline<'_>,
        mut starts: Vec<usize>,
        rows: &[usize],
        hits: &mut Vec<Hit>,
        steps: &mut usize,
    ) {
        let Some(last) = rows.last().map(|row| t.ts[*row]) else {
            return;
        };
        // Of starts whose clocks count from one instant the first sees all that the others see.
        if self.clock.is_fixed() {
            starts.dedup_by_key(|start| self.clock.end(t.ts[*start], 0));
        }
        let mut begins: Vec<i64> = starts.iter().map(|start| t.ts[*start]).collect();
        let before = |ts: i64| rows.partition_point(|row| t.ts[*row] < ts);
        let mut period = 0;
        while period < self.columns.reach() {
            let mut spans: Vec<(i64, i64, usize)> = begins
                .iter()
                .zip(&starts)
                .map(|(begin, start)| (*begin, self.clock.end(t.ts[*start], period), *start))
                .collect();
            for (begin, span) in begins.iter_mut().zip(&spans) {
                *begin = span.1.max(*begin);
            }
            spans.sort_unstable();
            if spans.first().is_none_or(|span| span.0 > last) {
                return;
            }
            let from = spans.first().map_or(0, |span| before(span.0));
            let to = spans.iter().map(|span| span.1).max().map_or(0, before);
            let (mut begun, mut end, found) = (0, i64::MIN, hits.len());
            for row in rows[from..to.max(from)].iter().copied() {
                let ts = t.ts[row];
                while spans.get(begun).is_some_and(|span| span.0 < ts) {
                    end = end.max(spans[begun].1);
                    begun += 1;
                }
                let mut now = spans[begun..].iter().take_while(|span| span.0 == ts);
                if end > ts || now.any(|span| span.1 > ts && span.2 != row) {
                    hits.push(Hit { period, at: row });
                }
            }
            if self.stops(steps, starts.len() + to.saturating_sub(from)) {
                return;
            }
            period += 1;
            if hits.len() > found {
                continue;
            }
            // Nothing was there: on to the next period of any start that holds a row.
            let next = begins.iter().zip(&starts).filter_map(|(begin, start)| {
                let row = rows.get(before(*begin))?;
                self.clock.period(0, t.ts[*start], t.ts[*row])
            });
            let Some(next) = next.min() else {
                return;
            };
            if next > period {
                period = next;
                for (begin, start) in begins.iter_mut().zip(&starts) {
                    *begin = self.clock.end(t.ts[*start], period - 1).max(*begin);
                }
            }
        }
    }

    /// How many periods count for a user of a cohort who started at `t0`.
    #[inline]
    fn elapsed(&self, cohort: usize, t0: i64) -> usize {
        if self.early {
            usize::MAX
        } else if self.clock.is_own() {
            self.clock.elapsed(cohort, t0)
        } else {
            self.elapsed[cohort]
        }
    }

    /// How many count for all users of a cohort, where that is the same for all.
    pub(super) fn mature(&self, cohort: usize) -> usize {
        if self.early {
            usize::MAX
        } else {
            self.elapsed[cohort]
        }
    }
}

/// The first row at the time of a row: events at the very time of a start may stand before it in the order.
#[inline]
pub(super) fn since(t: &Timeline<'_>, row: usize) -> usize {
    let at = t.ts[row];
    let before = t.ts[..row].iter().rev();
    row - before.take_while(|ts| **ts == at).count()
}

/// The first row that is meant.
#[inline]
fn position(meaning: &Meaning, t: &Timeline<'_>) -> Option<usize> {
    match meaning {
        Meaning {
            names: None,
            rows: None,
        } => Some(0).filter(|_| !t.ts.is_empty()),
        Meaning {
            names: Some(names),
            rows: None,
        } => t.name.iter().position(|name| names[usize::from(*name)]),
        _ => (0..t.ts.len()).find(|row| meaning.holds(t.name[*row], t.row[*row])),
    }
}

/// Takes out the returns of periods that have fewer than a number of them.
fn keep_runs(hits: &mut Vec<Hit>, minimum: usize) {
    let (mut kept, mut from) = (0, 0);
    while from < hits.len() {
        let period = hits[from].period;
        let run = hits[from..].partition_point(|h| h.period == period);
        if run >= minimum {
            hits.copy_within(from..from + run, kept);
            kept += run;
        }
        from += run;
    }
    hits.truncate(kept);
}
