//! Series as they were, for those who foretell nothing.

use serde::Serialize;

use super::answer::given_up;
use super::batch::{Watch, each};
use super::grid::{Frequency, Gaps};
use super::interval::Kind;
use super::lay::lay;
use super::series::Series;
use super::table::Table;
use crate::error::Result;

/// One series on its regular periods.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Past {
    /// The series.
    pub(crate) id: String,
    /// The distance of two periods.
    pub(crate) frequency: Frequency,
    /// Its complete periods: times and values, not a number where missing.
    pub(crate) points: Vec<(i64, f64)>,
    /// What was done to lay it out.
    pub(crate) laid: Layout,
}

/// What was done to lay a series out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// What values are taken to be.
    pub kind: Kind,
    /// Periods of the history.
    pub periods: usize,
    /// Periods that had no row.
    pub filled: usize,
    /// What a period without a row was taken for.
    pub gaps: Option<Gaps>,
    /// Rows of a period that already had one.
    pub repeated: usize,
    /// Rows after the time as of which it was looked at; they were not seen.
    pub future: usize,
    /// Whether the last period was not over and left out.
    pub partial: bool,
}

impl Table {
    /// What `make` makes of each series as it was, in their order; `watch` is told which share is done.
    ///
    /// # Errors
    /// `cancelled` where `watch` gave it up.
    pub(crate) fn each_past<T: Send>(
        &self,
        watch: Watch<'_>,
        make: impl Fn(Past) -> T + Sync,
    ) -> Result<Vec<T>> {
        each(&self.series, watch, |series| make(self.past(series))).ok_or_else(given_up)
    }

    fn past(&self, series: &Series) -> Past {
        let laid = lay(series, &self.options);
        let points = laid.history();
        let grid = &laid.grid;
        Past {
            id: series.id.clone(),
            frequency: grid.frequency,
            laid: Layout {
                kind: laid.kind,
                periods: points.len(),
                filled: grid.filled,
                gaps: (grid.filled > 0 || grid.gaps == Gaps::Closed).then_some(grid.gaps),
                repeated: grid.repeated,
                future: laid.future,
                partial: laid.partial,
            },
            points,
        }
    }
}
