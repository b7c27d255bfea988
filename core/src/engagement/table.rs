//! Engagement as a table, for doors that speak Arrow: one row a period of the question.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};

use super::answer::{ActivePeriod, EngagementAnswer, LifecyclePeriod};
use crate::error::{Error, Result};
use crate::query::{Instant, Period};

impl EngagementAnswer {
    /// The periods of the question as one Arrow batch: `start`, `end` (UTC), `partial`, `complete`, `active_users` (of the
    /// range), and the lifecycle `active`, `new`, `returning`, `resurrected`, `dormant`; null where a metric was not asked for.
    ///
    /// Counts are signed, so that their differences cannot wrap.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let series = self.active_users.as_ref().map(|series| match self.period {
            Period::Daily => &series.daily,
            Period::Weekly => &series.weekly,
            Period::Monthly => &series.monthly,
        });
        let states = self.lifecycle.as_ref();
        let rows = series
            .map(Vec::len)
            .or(states.map(Vec::len))
            .unwrap_or_default();
        let rows: Vec<(Option<&ActivePeriod>, Option<&LifecyclePeriod>)> = (0..rows)
            .map(|i| (series.and_then(|s| s.get(i)), states.and_then(|s| s.get(i))))
            .collect();
        let instants = |active: fn(&ActivePeriod) -> Instant,
                        state: fn(&LifecyclePeriod) -> Instant|
         -> ArrayRef {
            let of = rows.iter().map(|(a, s)| a.map(active).or(s.map(state)));
            let micros = of.map(|at| at.map(Instant::micros));
            Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
        };
        let flags =
            |active: fn(&ActivePeriod) -> bool, state: fn(&LifecyclePeriod) -> bool| -> ArrayRef {
                let of = rows.iter().map(|(a, s)| a.map(active).or(s.map(state)));
                Arc::new(of.collect::<BooleanArray>())
            };
        let users = rows.iter().map(|(a, _)| a.map(|a| a.users as i64));
        let users: ArrayRef = Arc::new(users.collect::<Int64Array>());
        let counts = |of: fn(&LifecyclePeriod) -> u64| -> ArrayRef {
            let values = rows.iter().map(|(_, s)| s.map(|s| of(s) as i64));
            Arc::new(values.collect::<Int64Array>())
        };

        RecordBatch::try_from_iter_with_nullable([
            ("start", instants(|a| a.start, |s| s.start), false),
            ("end", instants(|a| a.end, |s| s.end), false),
            ("partial", flags(|a| a.partial, |s| s.partial), false),
            ("complete", flags(|a| a.complete, |s| s.complete), false),
            ("active_users", users, true),
            ("active", counts(|s| s.active), true),
            ("new", counts(|s| s.new), true),
            ("returning", counts(|s| s.returning), true),
            ("resurrected", counts(|s| s.resurrected), true),
            ("dormant", counts(|s| s.dormant), true),
        ])
        .map_err(Error::internal)
    }
}
