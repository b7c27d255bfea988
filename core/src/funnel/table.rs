//! A funnel as a table, for doors that speak Arrow: one row a step.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::answer::{FunnelAnswer, FunnelStep};
use crate::error::{Error, Result};
use crate::query::Selector;

impl FunnelAnswer {
    /// The steps as one Arrow batch: `step`, `event`, `count`, `rate`, `rate_low`, `rate_high`, `rate_from_previous`,
    /// `rate_from_previous_low`, `rate_from_previous_high`, `dropped`, and the converters' times in seconds
    /// `median_seconds_from_previous`, `p90_seconds_from_previous`, `median_seconds_from_entry`, `p90_seconds_from_entry`.
    ///
    /// Counts are signed, so that their differences cannot wrap; `event` is null for any event, and names are joined by ` | `
    /// where a step means one of several.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let steps = &self.steps;
        let counts = |of: fn(&FunnelStep) -> u64| -> ArrayRef {
            let values = steps.iter().map(|s| i64::try_from(of(s)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let figures = |of: fn(&FunnelStep) -> Option<f64>| -> ArrayRef {
            Arc::new(steps.iter().map(of).collect::<Float64Array>())
        };
        let events: StringArray = steps.iter().map(|s| label(&s.event)).collect();

        RecordBatch::try_from_iter_with_nullable([
            ("step", counts(|s| s.step as u64), false),
            ("event", Arc::new(events) as ArrayRef, true),
            ("count", counts(|s| s.count), false),
            ("rate", figures(|s| s.rate.value), true),
            ("rate_low", figures(|s| s.rate.low), true),
            ("rate_high", figures(|s| s.rate.high), true),
            (
                "rate_from_previous",
                figures(|s| s.rate_from_previous.value),
                true,
            ),
            (
                "rate_from_previous_low",
                figures(|s| s.rate_from_previous.low),
                true,
            ),
            (
                "rate_from_previous_high",
                figures(|s| s.rate_from_previous.high),
                true,
            ),
            ("dropped", counts(|s| s.dropped), false),
            (
                "median_seconds_from_previous",
                figures(|s| s.time_from_previous.median),
                true,
            ),
            (
                "p90_seconds_from_previous",
                figures(|s| s.time_from_previous.p90),
                true,
            ),
            (
                "median_seconds_from_entry",
                figures(|s| s.time_from_entry.median),
                true,
            ),
            (
                "p90_seconds_from_entry",
                figures(|s| s.time_from_entry.p90),
                true,
            ),
        ])
        .map_err(Error::internal)
    }
}

/// The events of a step in one cell; nothing for any.
fn label(selector: &Selector) -> Option<String> {
    match selector {
        Selector::Any => None,
        Selector::Event(name) => Some(name.clone()),
        Selector::AnyOf(names) => Some(names.join(" | ")),
    }
}
