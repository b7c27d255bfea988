//! Which returns of a user each column counts (R6).
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: partition points end at the length of the returns"
)]

use std::ops::Range;

use super::options::Criterion;

/// A return: the period it lies in and its place in the user's timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) period: usize,
    pub(super) at: usize,
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

    /// Calls `see` with disjoint ranges of columns in which a user with these returns, ascending by period, counts.
    #[inline]
    pub(super) fn returned(&self, hits: &[Hit], mut see: impl FnMut(Range<usize>)) {
        let (Some(first), Some(last)) = (hits.first(), hits.last()) else {
            return;
        };
        match self.criterion {
            Criterion::On => {
                let mut seen = None;
                for hit in hits.iter().take_while(|h| h.period < self.count) {
                    if seen != Some(hit.period) {
                        seen = Some(hit.period);
                        see(hit.period..hit.period + 1);
                    }
                }
            }
            Criterion::OnOrAfter => see(0..self.count.min(last.period + 1)),
            Criterion::OnOrBefore => see(first.period.min(self.count)..self.count),
            Criterion::Streak => {
                if first.period == 0 && self.count > 0 {
                    see(0..1);
                }
                let mut next = 1;
                for hit in hits {
                    if hit.period == next {
                        next += 1;
                    }
                }
                see(1..next.min(self.count.max(1)));
            }
            Criterion::Brackets(brackets) => {
                for (column, bracket) in brackets.iter().enumerate() {
                    if !between(hits, bracket.0, bracket.1).is_empty() {
                        see(column..column + 1);
                    }
                }
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
