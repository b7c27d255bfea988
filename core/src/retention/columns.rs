//! Which returns of a user each column counts (R6).
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: partition points end at the length of the returns"
)]

use std::ops::Range;

use super::options::Criterion;
use super::register::Register;

/// A return: the period it lies in and its place in the user's timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) period: usize,
    pub(super) at: usize,
}

/// The returns of a user after joining a cohort.
#[derive(Clone, Copy, Debug)]
pub(super) struct Returns<'h> {
    /// Whether one lies in the period of the start (R2).
    pub(super) within: bool,
    /// Those of later periods, ascending; of a period at least one.
    pub(super) later: &'h [Hit],
    /// The number that their periods begin with.
    pub(super) base: usize,
}

/// The columns of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    criterion: &'a Criterion,
    count: usize,
}

impl<'a> Columns<'a> {
    /// So many columns, but for brackets, which are their own.
    pub(super) fn new(criterion: &'a Criterion, count: usize) -> Self {
        let count = match criterion {
            Criterion::Brackets(brackets) => brackets.len(),
            _ => count,
        };
        Self { criterion, count }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The first period from which on a return makes no difference.
    pub(super) fn reach(&self) -> usize {
        match self.criterion {
            Criterion::OnOrAfter => usize::MAX,
            Criterion::Brackets(brackets) => brackets.iter().map(|b| b.1).max().unwrap_or(0),
            _ => self.count,
        }
    }

    /// The periods that must have elapsed: all up to the end of this range.
    pub(super) fn periods(&self, column: usize) -> Range<usize> {
        match self.criterion {
            Criterion::Brackets(brackets) => brackets
                .get(column)
                .map_or(0..0, |(first, end)| *first..*end),
            _ => column..column + 1,
        }
    }

    /// How many columns lie wholly within the first `periods` periods.
    pub(super) fn within(&self, periods: usize) -> usize {
        match self.criterion {
            Criterion::Brackets(brackets) => brackets.partition_point(|b| b.1 <= periods),
            _ => periods.min(self.count),
        }
    }

    /// How many columns begin within the first `periods` periods.
    pub(super) fn begun(&self, periods: usize) -> usize {
        match self.criterion {
            Criterion::Brackets(brackets) => brackets.partition_point(|b| b.0 < periods),
            _ => periods.min(self.count),
        }
    }

    /// Calls `see` with disjoint ranges of columns in which a user with these returns counts.
    #[inline]
    pub(super) fn returned(&self, back: &Returns<'_>, mut see: impl FnMut(Range<usize>)) {
        let later = || back.later.iter().map(|h| h.period - back.base);
        match self.criterion {
            Criterion::On => {
                if back.within && self.count > 0 {
                    see(0..1);
                }
                let mut seen = 0;
                for period in later().take_while(|p| *p < self.count) {
                    if period != seen {
                        seen = period;
                        see(period..period + 1);
                    }
                }
            }
            Criterion::OnOrAfter => {
                let last = later().next_back().or(back.within.then_some(0));
                see(0..last.map_or(0, |last| self.count.min(last + 1)));
            }
            Criterion::OnOrBefore => {
                let first = if back.within { Some(0) } else { later().next() };
                see(first.map_or(self.count, |first| first.min(self.count))..self.count);
            }
            Criterion::Streak => {
                if back.within && self.count > 0 {
                    see(0..1);
                }
                let mut next = 1;
                for period in later() {
                    if period == next {
                        next += 1;
                    }
                }
                see(1..next.min(self.count.max(1)));
            }
            Criterion::Brackets(brackets) => {
                for (column, (first, end)) in brackets.iter().enumerate() {
                    let within = back.within && *first == 0;
                    let (first, end) = (first + back.base, end + back.base);
                    if within || !between(back.later, first, end).is_empty() {
                        see(column..column + 1);
                    }
                }
            }
        }
    }

    /// The columns, one bit each, in which a user counts who returned in the periods whose bits are set; a register must hold
    /// all of both.
    #[inline]
    pub(super) fn of_bits<R: Register>(&self, word: R) -> R {
        match self.criterion {
            Criterion::On => word,
            Criterion::OnOrAfter => word.up_to_last(),
            Criterion::OnOrBefore => word | word.negative(),
            // Adding 1 carries through the periods from 1 on that have a return, up to the first that has none.
            Criterion::Streak => {
                let later = word >> 1;
                word & R::ONE | (later & !later.next()) << 1
            }
            Criterion::Brackets(brackets) => {
                let counts = brackets.iter().enumerate().filter(|(_, (first, end))| {
                    word & R::onward(*first) & !R::onward(*end) != R::default()
                });
                counts.fold(R::default(), |columns, (column, _)| {
                    columns | R::ONE << column
                })
            }
        }
    }

    /// The returns that a column in which the user counts measures (R11); of a streak, those of its last period.
    pub(super) fn measured<'h>(&self, hits: &'h [Hit], column: usize) -> &'h [Hit] {
        match self.criterion {
            Criterion::On | Criterion::Streak => between(hits, column, column + 1),
            Criterion::OnOrAfter => between(hits, column, usize::MAX),
            Criterion::OnOrBefore => between(hits, 0, column + 1),
            Criterion::Brackets(_) => {
                let periods = self.periods(column);
                between(hits, periods.start, periods.end)
            }
        }
    }
}

fn between(hits: &[Hit], first: usize, end: usize) -> &[Hit] {
    let from = hits.partition_point(|h| h.period < first);
    let to = hits.partition_point(|h| h.period < end);
    &hits[from..to.max(from)]
}
