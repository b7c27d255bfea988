//! The buckets as a table, for doors that speak Arrow: one row a bucket.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};

use super::answer::{AnomalyAnswer, Point};
use super::detector::Status;
use crate::error::{Error, Result};

impl AnomalyAnswer {
    /// The buckets as one Arrow batch, in the order of time: `start` (UTC), `value`, `expected`, `low`, `high`, `score`, `status`,
    /// `unusual`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let figures = |of: fn(&Point) -> Option<f64>| -> ArrayRef {
            Arc::new(self.series.iter().map(of).collect::<Float64Array>())
        };
        let starts = self.series.iter().map(|p| p.start.micros());
        let starts = TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC");
        let status = self.series.iter().map(|p| p.status.map(name));
        let unusual = self.series.iter().map(|p| Some(p.unusual));
        RecordBatch::try_from_iter_with_nullable([
            ("start", Arc::new(starts) as ArrayRef, false),
            ("value", figures(|p| p.value), true),
            ("expected", figures(|p| p.expected), true),
            ("low", figures(|p| p.interval.map(|i| i.low)), true),
            ("high", figures(|p| p.interval.map(|i| i.high)), true),
            ("score", figures(|p| p.score), true),
            ("status", Arc::new(status.collect::<StringArray>()), true),
            (
                "unusual",
                Arc::new(unusual.collect::<BooleanArray>()),
                false,
            ),
        ])
        .map_err(Error::internal)
    }
}

pub(super) fn name(status: Status) -> &'static str {
    match status {
        Status::Judged => "judged",
        Status::Learning => "learning",
        Status::TooFew => "too_few",
        Status::Seen => "seen",
    }
}
