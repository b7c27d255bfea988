//! The pass over all timelines for a retention table.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: cohorts are below the calendar's, columns below the table's, groups below the breakdown's"
)]

use super::clock::Clock;
use super::columns::Columns;
use super::measure::{Measure, too_large};
use super::options::{Criterion, Unit};
use super::plain::{Packed, Plain};
use super::question::Retention;
use super::register::Register;
use super::user::{Joined, Plan, Scratch};
use crate::error::{Error, Result};
use crate::query::{Calendar, Instant, Zone};
use crate::timeline::{Days, Timeline, View};

/// The time of a table: the calendar of its cohorts, and how many cohorts and periods it has.
#[derive(Debug)]
pub(super) struct Frame {
    /// The calendar; cohort c is its bucket c.
    pub(super) calendar: Calendar,
    /// How many of its buckets touch the range.
    pub(super) cohorts: usize,
    periods: usize,
}

/// A table with more cells than this is an error.
const MAX_CELLS: usize = 2_000_000;

impl Frame {
    pub(super) fn new(question: &Retention, view: &View<'_>) -> Result<Self> {
        let span = question.range.span();
        let until = match question.unit {
            Unit::Calendar => Instant::saturating_from_micros(view.as_of.micros() + 1),
            _ => span.to,
        };
        // Whatever lies behind the last column matters only to those who count on or after it.
        let shown = match &question.criterion {
            Criterion::OnOrAfter => None,
            Criterion::Brackets(brackets) => brackets.last().map(|b| b.1 - 1),
            _ => question.periods,
        };
        let most = shown.unwrap_or(usize::MAX);
        let zone = &question.range.zone;
        let (calendar, cohorts) = match question.period.of_dates() {
            Some(period) => {
                let week = question.week_start;
                Calendar::reaching(zone, period, week, span.from, span.to, until, most)?
            }
            None => Calendar::hours(zone, span.from, span.to, until, most)?,
        };
        let mut frame = Self {
            calendar,
            cohorts,
            periods: 0,
        };
        let reach = match question.unit {
            Unit::Calendar => frame.calendar.buckets().len(),
            _ => frame.clock(question, view).begun(0).max(1),
        };
        frame.periods = question.periods.map_or(usize::MAX, |n| n + 1).min(reach);
        let columns = frame.columns(question).count();
        let groups = 1 + question.breakdown.as_ref().map_or(0, |b| b.limit + 1);
        if cohorts * columns * groups > MAX_CELLS {
            return Err(Error::field(
                "periods",
                "too_many_cells",
                format!(
                    "the table would have {cohorts} × {columns} cells; fewer periods, a longer cohortPeriod or a shorter range would do"
                ),
            ));
        }
        Ok(frame)
    }

    pub(super) fn clock<'a>(&'a self, question: &'a Retention, view: &View<'_>) -> Clock<'a> {
        Clock::new(
            (question.unit, question.clock_start),
            &self.calendar,
            &question.range.zone,
            view.as_of,
        )
    }

    pub(super) fn columns<'a>(&self, question: &'a Retention) -> Columns<'a> {
        Columns::new(&question.criterion, self.periods)
    }
}

/// The counts of one table.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    columns: usize,
    sizes: Vec<u64>,
    /// Users who returned in the period of their start.
    within: Vec<u64>,
    /// For each cohort, how many users are eligible for just so many columns.
    eligible: Vec<u64>,
    /// Users who returned, of the eligible and of the others.
    returned: Vec<[u64; 2]>,
    /// What the returns of the eligible amount to.
    totals: Vec<i128>,
}

impl Tally {
    fn new(cohorts: usize, columns: usize, measured: bool) -> Self {
        Self {
            columns,
            sizes: vec![0; cohorts],
            within: vec![0; cohorts],
            eligible: vec![0; cohorts * (columns + 1)],
            returned: vec![[0; 2]; cohorts * columns],
            totals: vec![0; if measured { cohorts * columns } else { 0 }],
        }
    }

    /// Users in a cohort.
    pub(super) fn size(&self, cohort: usize) -> u64 {
        self.sizes[cohort]
    }

    /// Users of a cohort who returned in the period of their start by another event (R2).
    pub(super) fn within(&self, cohort: usize) -> u64 {
        self.within[cohort]
    }

    /// Users for whom each column's periods have elapsed (R7).
    pub(super) fn eligible(&self, cohort: usize) -> Vec<u64> {
        let first = cohort * (self.columns + 1);
        let mut eligible = self.eligible[first + 1..first + self.columns + 1].to_vec();
        for column in (1..eligible.len()).rev() {
            eligible[column - 1] += eligible[column];
        }
        eligible
    }

    /// Users who count in a column, of the eligible and of the others.
    pub(super) fn returned(&self, cohort: usize, column: usize) -> [u64; 2] {
        self.returned[cohort * self.columns + column]
    }

    /// What the returns of the eligible amount to, where anything is measured.
    pub(super) fn total(&self, cohort: usize, column: usize) -> Option<i128> {
        self.totals.get(cohort * self.columns + column).copied()
    }

    fn add(
        &mut self,
        plan: &Plan<'_>,
        measure: Option<&Measure<'_>>,
        t: &Timeline<'_>,
        joined: &Joined<'_>,
    ) -> Result<()> {
        let cohort = joined.cohort;
        let mature = plan.columns.within(joined.elapsed);
        self.sizes[cohort] += 1;
        self.eligible[cohort * (self.columns + 1) + mature] += 1;
        self.within[cohort] += u64::from(joined.returns.within);
        let first = cohort * self.columns;
        let mut done = Ok(());
        plan.columns.returned(&joined.returns, |range| {
            for column in range {
                let late = usize::from(column >= mature);
                self.returned[first + column][late] += 1;
                if let Some(measure) = measure
                    && late == 0
                    && done.is_ok()
                {
                    let hits = plan.columns.measured(joined.hits, column);
                    let total = &mut self.totals[first + column];
                    done = measure.of(t, hits).and_then(|figure| {
                        *total = total.checked_add(figure).ok_or_else(too_large)?;
                        Ok(())
                    });
                }
            }
        });
        done
    }

    fn merge(mut self, other: &Self) -> Result<Self> {
        let sum = |a: &mut Vec<u64>, b: &[u64]| a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
        sum(&mut self.sizes, &other.sizes);
        sum(&mut self.within, &other.within);
        sum(&mut self.eligible, &other.eligible);
        for (x, y) in self.returned.iter_mut().zip(&other.returned) {
            x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
        }
        for (x, y) in self.totals.iter_mut().zip(&other.totals) {
            *x = x.checked_add(*y).ok_or_else(too_large)?;
        }
        Ok(self)
    }
}

/// All users, and each group of a breakdown: the shown ones in order, then the rest.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) all: Tally,
    /// The code of each group shown, none for users whose start has no value.
    pub(super) shown: Vec<Option<u32>>,
    pub(super) groups: Vec<Tally>,
    /// How many values the last group pools; there is none for 0.
    pub(super) pooled: usize,
}

pub(super) fn run(question: &Retention, frame: &Frame, view: &View<'_>) -> Result<Table> {
    let clock = frame.clock(question, view);
    let plan = Plan::new(question, clock, frame.columns(question), view)?;
    let pass = Pass {
        measure: Measure::new(question, view)?,
        plain: Plains::new(&plan, view.timelines.names().len()),
        zone: &question.range.zone,
        cohorts: frame.cohorts,
        plan: &plan,
        view,
    };
    let Some(breakdown) = &question.breakdown else {
        return Ok(Table {
            all: pass.count(1, |_, _| 0)?.remove(0),
            shown: Vec::new(),
            groups: Vec::new(),
            pooled: 0,
        });
    };
    let mut ranked = ranking(&plan, view)?;
    let pooled = ranked.len().saturating_sub(breakdown.limit);
    ranked.truncate(breakdown.limit);
    let mut places = vec![ranked.len(); plan.codes() + 1];
    for (i, code) in ranked.iter().enumerate() {
        places[plan.place(*code)] = i;
    }
    let groups = ranked.len() + usize::from(pooled > 0);
    let groups = pass.count(groups, |t, start| places[plan.place(plan.group(t, start))])?;
    let all = groups.iter().try_fold(pass.empty(), Tally::merge)?;
    Ok(Table {
        all,
        shown: ranked,
        groups,
        pooled,
    })
}

/// The groups by users, most first, and then by value.
pub(super) fn ranking(plan: &Plan<'_>, view: &View<'_>) -> Result<Vec<Option<u32>>> {
    let codes = plan.codes();
    let (users, _) = view.fold(
        || (vec![0_u64; codes + 1], Vec::new()),
        |(users, starts), t| {
            plan.joins(&t, starts);
            for clocks in starts.chunk_by(|a, b| a.0 == b.0) {
                if let Some((_, first)) = clocks.first() {
                    users[plan.place(plan.group(&t, plan.start(&t, *first)))] += 1;
                }
            }
        },
        |(mut a, scratch), (b, _)| {
            a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
            (a, scratch)
        },
    )?;
    let value = |code: Option<u32>| Some(plan.breakdown?.dictionary().value(code?));
    let codes = (0..=codes as u32).map(|code| Some(code).filter(|c| (*c as usize) < codes));
    let mut ranked: Vec<(Option<u32>, u64)> =
        codes.zip(users).filter(|(_, users)| *users > 0).collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| value(a.0).cmp(&value(b.0))));
    Ok(ranked.into_iter().map(|r| r.0).collect())
}

/// The pass over bits, as wide as the calendar needs.
enum Plains<'p> {
    Narrow(Plain<'p, u64>),
    Wide(Plain<'p, u128>),
}

impl<'p> Plains<'p> {
    fn new(plan: &'p Plan<'p>, names: usize) -> Option<Self> {
        let wide = || Plain::new(plan, names).map(Self::Wide);
        Plain::new(plan, names).map(Self::Narrow).or_else(wide)
    }
}

/// What one pass needs.
struct Pass<'p, 'a> {
    plan: &'p Plan<'a>,
    measure: Option<Measure<'a>>,
    plain: Option<Plains<'p>>,
    zone: &'p Zone,
    cohorts: usize,
    view: &'p View<'a>,
}

impl Pass<'_, '_> {
    fn empty(&self) -> Tally {
        let columns = self.plan.columns.count();
        Tally::new(self.cohorts, columns, self.measure.is_some())
    }

    /// One pass with a tally for each group; `group` says which a start in a row belongs to.
    fn count(
        &self,
        groups: usize,
        group: impl Fn(&Timeline<'_>, usize) -> usize + Sync,
    ) -> Result<Vec<Tally>> {
        match &self.plain {
            Some(Plains::Narrow(plain)) => return self.plainly(plain, groups, group),
            Some(Plains::Wide(plain)) => return self.plainly(plain, groups, group),
            None => {}
        }
        let (tallies, _) = self.view.fold(
            || (Ok(vec![self.empty(); groups]), Scratch::default()),
            |(tallies, scratch): &mut (Result<Vec<Tally>>, Scratch), t| {
                self.plan.each(&t, scratch, |joined| {
                    let place = group(&t, joined.start);
                    if let Ok(held) = tallies
                        && let Err(error) =
                            held[place].add(self.plan, self.measure.as_ref(), &t, &joined)
                    {
                        *tallies = Err(error);
                    }
                });
            },
            |(a, scratch), (b, _)| {
                let merge = |(a, b): (Vec<Tally>, Vec<Tally>)| {
                    a.into_iter().zip(&b).map(|(a, b)| a.merge(b)).collect()
                };
                let both = match (a, b) {
                    (Ok(a), Ok(b)) => merge((a, b)),
                    // Whoever finds it first, the same error is told.
                    (Err(a), Err(b)) if b.message() < a.message() => Err(b),
                    (Err(error), _) | (_, Err(error)) => Err(error),
                };
                (both, scratch)
            },
        )?;
        tallies
    }

    fn plainly<R: Register>(
        &self,
        plain: &Plain<'_, R>,
        groups: usize,
        group: impl Fn(&Timeline<'_>, usize) -> usize + Sync,
    ) -> Result<Vec<Tally>> {
        let (cohorts, columns) = (self.cohorts, self.plan.columns);
        let grouped = self.plan.breakdown.is_some();
        let empty = || vec![Packed::new(cohorts, columns.count()); groups];
        let user = |counts: &mut Vec<Packed>, t: Timeline<'_>| {
            plain.each(&t, |cohort, first, word| {
                let place = if grouped {
                    group(&t, self.plan.start(&t, first))
                } else {
                    0
                };
                counts[place].add(cohort, word.first() == 0, columns.of_bits(word));
            });
        };
        let merge = |mut a: Vec<Packed>, b: Vec<Packed>| {
            a.iter_mut().zip(b).for_each(|(a, b)| a.merge(b));
            a
        };
        let counts = match plain.by_day(self.zone) {
            None => self.view.fold(empty, user, merge)?,
            Some(by_day) => {
                let days = |counts: &mut Vec<Packed>, days: &Days| {
                    let counts = &mut counts[0];
                    days.for_each(|days| {
                        by_day.each(days, |cohort, word| {
                            counts.add(cohort, word.first() == 0, columns.of_bits(word));
                        });
                    });
                };
                self.view.fold_days(self.zone, empty, days, user, merge)?
            }
        };
        Ok(counts.into_iter().map(|c| self.unpacked(c)).collect())
    }

    fn unpacked(&self, counts: Packed) -> Tally {
        let counts = counts.counted();
        let mut tally = self.empty();
        let columns = tally.columns;
        for cohort in 0..self.cohorts {
            let mature = self.plan.columns.within(self.plan.mature(cohort));
            tally.eligible[cohort * (columns + 1) + mature] = counts.sizes[cohort];
            for column in 0..columns {
                let cell = cohort * columns + column;
                tally.returned[cell][usize::from(column >= mature)] = counts.cells[cell];
            }
        }
        tally.sizes = counts.sizes;
        tally.within = counts.within;
        tally
    }
}
