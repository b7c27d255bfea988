//! A prediction as a table, for doors that speak Arrow: one row a bucket.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};

use super::answer::{Interval, Past, PredictiveAnswer};
use crate::error::{Error, Result};
use crate::query::{Instant, Segment};

/// A bucket of a segment: when, its value, and its bounds where it is foretold.
struct Row {
    segment: Segment,
    date: Instant,
    value: Option<f64>,
    bounds: Option<(Option<f64>, Option<f64>)>,
}

impl PredictiveAnswer {
    /// The buckets as one Arrow batch: `segment`, `date` (the bucket's first instant, in UTC), `value`, `predicted` (whether it is
    /// foretold), `lower_bound` and `upper_bound` (of what is foretold).
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let mut rows = Vec::new();
        add(
            &mut rows,
            self.segment,
            &self.historical_data,
            &self.predictions,
        );
        for one in &self.segments {
            add(
                &mut rows,
                one.segment,
                &one.historical_data,
                &one.predictions,
            );
        }
        let segments: StringArray = rows.iter().map(|r| Some(r.segment.name())).collect();
        let dates = rows.iter().map(|r| Some(r.date.micros()));
        let dates = dates.collect::<TimestampMicrosecondArray>();
        let predicted: BooleanArray = rows.iter().map(|r| Some(r.bounds.is_some())).collect();
        let figures = |of: fn(&Row) -> Option<f64>| {
            Arc::new(rows.iter().map(of).collect::<Float64Array>()) as ArrayRef
        };
        RecordBatch::try_from_iter_with_nullable([
            ("segment", Arc::new(segments) as ArrayRef, false),
            (
                "date",
                Arc::new(dates.with_timezone("UTC")) as ArrayRef,
                false,
            ),
            ("value", figures(|r| r.value), true),
            ("predicted", Arc::new(predicted) as ArrayRef, false),
            ("lower_bound", figures(|r| r.bounds?.0), true),
            ("upper_bound", figures(|r| r.bounds?.1), true),
        ])
        .map_err(Error::internal)
    }
}

fn add(rows: &mut Vec<Row>, segment: Segment, past: &[Past], ahead: &[Interval]) {
    rows.extend(past.iter().map(|p| Row {
        segment,
        date: p.date,
        value: p.value,
        bounds: None,
    }));
    rows.extend(ahead.iter().map(|p| Row {
        segment,
        date: p.date,
        value: p.value,
        bounds: Some((p.lower_bound, p.upper_bound)),
    }));
}
