//! Conditions made ready for a pass: which names they mean, and which rows.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, rows below the number of row keys"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::View;
use super::column::Reader;
use crate::error::Result;
use crate::query::filter::Test;
use crate::query::{Condition, Filter};

/// One bit for each row key.
#[derive(Clone, Debug)]
pub(crate) struct Rows(Vec<u64>);

impl Rows {
    /// Whether a row is among them.
    #[inline]
    pub(crate) fn hold(&self, row: u32) -> bool {
        self.0[(row / 64) as usize] >> (row % 64) & 1 == 1
    }
}

/// A condition made ready for a pass.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    /// For each name key, whether events of that name are meant; none where all are.
    pub(crate) names: Option<Vec<bool>>,
    /// The rows whose properties meet all filters; none where there is no filter.
    pub(crate) rows: Option<Rows>,
}

impl Meaning {
    /// Whether an event is meant.
    #[inline]
    pub(crate) fn holds(&self, name: u16, row: u32) -> bool {
        self.names
            .as_ref()
            .is_none_or(|names| names[usize::from(name)])
            && self.rows.as_ref().is_none_or(|rows| rows.hold(row))
    }
}

/// A filter that is judged once for each value.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    reader: Reader<'a>,
    /// By the code of a value, whether it meets the filter.
    present: Vec<bool>,
    /// Whether the lack of one does.
    absent: bool,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(filter: &Filter, reader: Reader<'a>) -> Self {
        let test = Test::new(filter);
        let values = reader.dictionary().values().par_iter();
        Self {
            reader,
            present: values.map(|value| test.holds(Some(value))).collect(),
            absent: test.holds(None),
        }
    }

    /// Whether what is known of a user at a time, or what a row says, meets it.
    pub(crate) fn holds(&self, user: u32, ts: i64, row: u32) -> bool {
        let code = self.reader.code(user, ts, row);
        code.map_or(self.absent, |code| self.present[code as usize])
    }
}

impl View<'_> {
    /// A condition made ready for a pass over this view. Its properties must be loaded.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub(crate) fn meaning(&self, condition: &Condition) -> Result<Meaning> {
        Ok(Meaning {
            names: self.timelines.matching(&condition.event),
            rows: self.rows(&condition.filters)?,
        })
    }

    /// The rows that meet all filters; nothing where there is none.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub(crate) fn rows(&self, filters: &[Filter]) -> Result<Option<Rows>> {
        let mut met: Option<Vec<u64>> = None;
        for filter in filters {
            let rows = self.met(filter)?;
            met = Some(match met {
                None => rows,
                Some(mut all) => {
                    all.iter_mut().zip(rows).for_each(|(a, b)| *a &= b);
                    all
                }
            });
        }
        Ok(met.map(Rows))
    }

    fn met(&self, filter: &Filter) -> Result<Vec<u64>> {
        let reader = self.columns.reader(&filter.property, self.as_of.micros())?;
        let Judge {
            reader,
            present,
            absent,
        } = Judge::new(filter, reader);
        let words = (self.timelines.head().rows as usize).div_ceil(64);
        match reader {
            Reader::Event(column) => Ok((0..words)
                .into_par_iter()
                .with_min_len(1 << 10)
                .map(|word| column.codes.flagged(word, &present, absent))
                .collect()),
            // The rows of one user lie anywhere, so several threads set bits of one word.
            user @ (Reader::User { .. } | Reader::Cohort { .. }) => {
                let met: Vec<AtomicU64> = std::iter::repeat_with(AtomicU64::default)
                    .take(words)
                    .collect();
                self.timelines.fold(
                    || (),
                    |(), timeline| {
                        for (ts, row) in timeline.ts.iter().zip(timeline.row) {
                            let holds = user
                                .code(timeline.user, *ts, *row)
                                .map_or(absent, |code| present[code as usize]);
                            if holds {
                                met[(row / 64) as usize]
                                    .fetch_or(1 << (row % 64), Ordering::Relaxed);
                            }
                        }
                    },
                    |(), ()| (),
                );
                Ok(met.into_iter().map(AtomicU64::into_inner).collect())
            }
        }
    }
}
