//! Next actions as a table, for doors that speak Arrow.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};

use super::answer::NextActionAnswer;
use crate::error::{Error, Result};

/// Whose, what, how likely, and between what.
type Row<'r> = (Option<&'r str>, &'r str, f64, Option<(f64, f64)>);

impl NextActionAnswer {
    /// The actions as one Arrow batch: `user_id` (null for the segment together, whose rows come first), `event`, `probability`, `low` and
    /// `high` (null for the segment).
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let together = self
            .actions
            .iter()
            .map(|n| (None, n.event.as_str(), n.probability, None));
        let alone = self.users.iter().flat_map(|user| {
            user.next.iter().map(|n| {
                let id = Some(user.user_id.as_str());
                (id, n.event.as_str(), n.probability, Some((n.low, n.high)))
            })
        });
        let rows: Vec<Row<'_>> = together.chain(alone).collect();
        let users: StringArray = rows.iter().map(|r| r.0).collect();
        let events: StringArray = rows.iter().map(|r| Some(r.1)).collect();
        let figures = |of: &dyn Fn(&Row<'_>) -> Option<f64>| {
            Arc::new(rows.iter().map(of).collect::<Float64Array>()) as ArrayRef
        };
        RecordBatch::try_from_iter_with_nullable([
            ("user_id", Arc::new(users) as ArrayRef, true),
            ("event", Arc::new(events) as ArrayRef, false),
            ("probability", figures(&|r| Some(r.2)), false),
            ("low", figures(&|r| r.3.map(|i| i.0)), true),
            ("high", figures(&|r| r.3.map(|i| i.1)), true),
        ])
        .map_err(Error::internal)
    }
}
