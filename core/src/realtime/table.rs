//! Real-time figures as a table, for doors that speak Arrow: one row a metric.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};

use super::answer::{Figure, RealtimeMetric};
use crate::error::{Error, Result};

impl RealtimeMetric {
    /// The figures as one Arrow batch: `metric_name`, `value`, `unit`, `timestamp` (the end of the window, UTC),
    /// `window_seconds`, `previous`, `change`, for shares `k`, `n`, `low`, `high`, and for revenue `exact`, `base_currency`.
    /// The series are in the answer itself.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(metrics: &[Self]) -> Result<RecordBatch> {
        let texts = |of: fn(&Self) -> Option<&str>| -> ArrayRef {
            Arc::new(metrics.iter().map(of).collect::<StringArray>())
        };
        let figures = |of: fn(&Self) -> Option<f64>| -> ArrayRef {
            Arc::new(metrics.iter().map(of).collect::<Float64Array>())
        };
        let counts = |of: fn(&Self) -> Option<u64>| -> ArrayRef {
            let values = metrics
                .iter()
                .map(|m| of(m).and_then(|n| i64::try_from(n).ok()));
            Arc::new(values.collect::<Int64Array>())
        };
        let names = metrics.iter().map(|m| Some(m.metric_name.name()));
        let names: StringArray = names.collect();
        let ends = metrics.iter().map(|m| m.timestamp.micros());
        let ends = TimestampMicrosecondArray::from_iter_values(ends).with_timezone("UTC");

        RecordBatch::try_from_iter_with_nullable([
            ("metric_name", Arc::new(names) as ArrayRef, false),
            ("value", figures(|m| m.value.map(Figure::number)), true),
            ("unit", texts(|m| Some(m.metadata.unit)), false),
            ("timestamp", Arc::new(ends) as ArrayRef, false),
            (
                "window_seconds",
                counts(|m| Some(u64::from(m.metadata.window_seconds))),
                false,
            ),
            (
                "previous",
                figures(|m| m.metadata.previous.map(Figure::number)),
                true,
            ),
            ("change", figures(|m| m.metadata.change), true),
            ("k", counts(|m| m.metadata.sample.map(|s| s.k)), true),
            ("n", counts(|m| m.metadata.sample.map(|s| s.n)), true),
            (
                "low",
                figures(|m| m.metadata.sample.and_then(|s| s.low)),
                true,
            ),
            (
                "high",
                figures(|m| m.metadata.sample.and_then(|s| s.high)),
                true,
            ),
            ("exact", texts(|m| m.metadata.exact.as_deref()), true),
            (
                "base_currency",
                texts(|m| m.metadata.base_currency.as_deref()),
                true,
            ),
        ])
        .map_err(Error::internal)
    }
}
