//! Churn and value as tables, for doors that speak Arrow: one row a user.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::answer::{ChurnAnswer, Risk};
use super::worth::{ValueAnswer, Worth};
use crate::error::{Error, Result};

fn texts<T>(rows: &[T], of: impl Fn(&T) -> String) -> ArrayRef {
    Arc::new(
        rows.iter()
            .map(|row| Some(of(row)))
            .collect::<StringArray>(),
    )
}

fn figures<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<Float64Array>())
}

/// Counts are signed, so that their differences cannot wrap.
fn counts<T>(rows: &[T], of: impl Fn(&T) -> u64) -> ArrayRef {
    let values = rows.iter().map(|row| i64::try_from(of(row)).ok());
    Arc::new(values.collect::<Int64Array>())
}

impl ChurnAnswer {
    /// The users as one Arrow batch: `user_id`, `probability`, `low`, `high`, `expected_active_days`, `active_days`,
    /// `days_since_active`, `days_known` and `reasons`, in words.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let rows = &self.users;
        let words = |risk: &Risk| {
            let texts: Vec<&str> = risk.reasons.iter().map(|r| r.text.as_str()).collect();
            texts.join("; ")
        };
        RecordBatch::try_from_iter_with_nullable([
            ("user_id", texts(rows, |r| r.user_id.clone()), false),
            ("probability", figures(rows, |r| Some(r.probability)), false),
            ("low", figures(rows, |r| Some(r.low)), false),
            ("high", figures(rows, |r| Some(r.high)), false),
            (
                "expected_active_days",
                figures(rows, |r| r.expected_active_days),
                true,
            ),
            ("active_days", counts(rows, |r| r.active_days), false),
            (
                "days_since_active",
                counts(rows, |r| r.days_since_active),
                false,
            ),
            ("days_known", counts(rows, |r| r.days_known), false),
            ("reasons", texts(rows, words), false),
        ])
        .map_err(Error::internal)
    }
}

impl ValueAnswer {
    /// The users as one Arrow batch: `user_id`, `expected_value`, `expected_purchases`, `value_per_purchase`, `probability_alive`,
    /// `purchases`, `value` and `days_since_purchase`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let rows: &[Worth] = &self.users;
        RecordBatch::try_from_iter_with_nullable([
            ("user_id", texts(rows, |r| r.user_id.clone()), false),
            ("expected_value", figures(rows, |r| r.expected_value), true),
            (
                "expected_purchases",
                figures(rows, |r| Some(r.expected_purchases)),
                false,
            ),
            (
                "value_per_purchase",
                figures(rows, |r| r.value_per_purchase),
                true,
            ),
            (
                "probability_alive",
                figures(rows, |r| Some(r.probability_alive)),
                false,
            ),
            ("purchases", counts(rows, |r| r.purchases), false),
            ("value", figures(rows, |r| Some(r.value)), false),
            (
                "days_since_purchase",
                counts(rows, |r| r.days_since_purchase),
                false,
            ),
        ])
        .map_err(Error::internal)
    }
}
