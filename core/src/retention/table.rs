//! A retention table in long form, for doors that speak Arrow: one row a cell.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};

use super::answer::{Cell, Cohort, RetentionAnswer};
use crate::error::{Error, Result};

impl RetentionAnswer {
    /// The cells as one Arrow batch, cohorts in order and periods within them: `cohort` (the first instant of its period, UTC),
    /// `cohort_partial`, `size`, `returned_in_start_period`, `period`, `value`, `count`, `eligible`, `complete`,
    /// `partial_count`, `low`, `high`, `total`, `per_returning`. Of a sample there also are `estimate`, `estimate_low` and `estimate_high`
    /// of the count. Of a breakdown there is `group` in front: null for all together, whose cells come first, and then each group by
    /// its label.
    ///
    /// Counts are signed, so that their differences cannot wrap.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let groups = self.breakdown.iter().flat_map(|b| &b.groups);
        let groups = groups.map(|group| (Some(group.label.as_str()), &group.cohorts));
        let (mut labels, mut cells) = (Vec::new(), Vec::new());
        for (label, cohorts) in std::iter::once((None, &self.cohorts)).chain(groups) {
            for cohort in cohorts {
                labels.extend(cohort.retention.iter().map(|_| label));
                cells.extend(cohort.retention.iter().map(|cell| (cohort, cell)));
            }
        }
        let counts = |of: fn(&Cohort, &Cell) -> u64| -> ArrayRef {
            let values = cells.iter().map(|(o, e)| i64::try_from(of(o, e)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let figures = |of: fn(&Cell) -> Option<f64>| -> ArrayRef {
            Arc::new(cells.iter().map(|(_, e)| of(e)).collect::<Float64Array>())
        };
        let flags = |of: fn(&Cohort, &Cell) -> bool| -> ArrayRef {
            let values = cells.iter().map(|(o, e)| Some(of(o, e)));
            Arc::new(values.collect::<BooleanArray>())
        };
        let cohorts = cells.iter().map(|(o, _)| o.period.micros());
        let cohorts = TimestampMicrosecondArray::from_iter_values(cohorts).with_timezone("UTC");

        let totals = cells.iter().map(|(_, e)| e.total.as_deref());

        let mut columns = Vec::new();
        if self.breakdown.is_some() {
            let labels: StringArray = labels.into_iter().collect();
            columns.push(("group", Arc::new(labels) as ArrayRef, true));
        }
        columns.extend([
            ("cohort", Arc::new(cohorts) as ArrayRef, false),
            ("cohort_partial", flags(|o, _| o.partial), false),
            ("size", counts(|o, _| o.size), false),
            (
                "returned_in_start_period",
                counts(|o, _| o.returned_in_start_period),
                false,
            ),
            ("period", counts(|_, e| e.period as u64), false),
            ("value", figures(|e| e.value), true),
            ("count", counts(|_, e| e.count), false),
            ("eligible", counts(|_, e| e.eligible), false),
            ("complete", flags(|_, e| e.complete), false),
            ("partial_count", counts(|_, e| e.partial_count), false),
            ("low", figures(|e| e.low), true),
            ("high", figures(|e| e.high), true),
            ("total", Arc::new(totals.collect::<StringArray>()), true),
            ("per_returning", figures(|e| e.per_returning), true),
        ]);
        // What is told of all users stands beside what was counted.
        if self.sample.is_some() {
            columns.extend([
                ("estimate", figures(|s| Some(s.estimate?.value)), true),
                ("estimate_low", figures(|s| Some(s.estimate?.low)), true),
                ("estimate_high", figures(|s| Some(s.estimate?.high)), true),
            ]);
        }
        RecordBatch::try_from_iter_with_nullable(columns).map_err(Error::internal)
    }
}
