//! Insights as a table, for doors that speak Arrow: one row an insight.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::Insight;
use crate::error::{Error, Result};

impl Insight {
    /// The insights as one Arrow batch: `insight_type`, `title`, `description`, `confidence`, `segment`; the figures behind
    /// them are in `data`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(insights: &[Self]) -> Result<RecordBatch> {
        let texts = |of: fn(&Self) -> &str| -> ArrayRef {
            Arc::new(
                insights
                    .iter()
                    .map(|i| Some(of(i)))
                    .collect::<StringArray>(),
            )
        };
        let confidence: Int64Array = insights
            .iter()
            .map(|i| i.confidence.map(i64::from))
            .collect();

        RecordBatch::try_from_iter_with_nullable([
            ("insight_type", texts(|i| i.insight_type.name()), false),
            ("title", texts(|i| &i.title), false),
            ("description", texts(|i| &i.description), false),
            ("confidence", Arc::new(confidence) as ArrayRef, true),
            ("segment", texts(|i| i.segment.name()), false),
        ])
        .map_err(Error::internal)
    }
}
