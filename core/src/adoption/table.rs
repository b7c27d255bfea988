//! Adoption as a table, for doors that speak Arrow: one row a feature.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::answer::{AdoptionAnswer, FeatureAdoption};
use crate::error::{Error, Result};

impl AdoptionAnswer {
    /// The features as one Arrow batch: `feature`, `exposed`, `adopters`, `rate`, `rate_low`, `rate_high`, `open`,
    /// `matured_rate`, `users`, `uses`, `median_seconds_to_adopt` (of adopters) and `kaplan_meier_median_seconds`.
    ///
    /// Counts are signed, so that their differences cannot wrap.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let rows = &self.features;
        let names: StringArray = rows.iter().map(|f| Some(&f.feature)).collect();
        let counts = |of: fn(&FeatureAdoption) -> u64| -> ArrayRef {
            let values = rows.iter().map(|f| i64::try_from(of(f)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let figures = |of: fn(&FeatureAdoption) -> Option<f64>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<Float64Array>())
        };

        RecordBatch::try_from_iter_with_nullable([
            ("feature", Arc::new(names) as ArrayRef, false),
            ("exposed", counts(|f| f.exposed), false),
            ("adopters", counts(|f| f.adopters), false),
            ("rate", figures(|f| f.rate.value), true),
            ("rate_low", figures(|f| f.rate.low), true),
            ("rate_high", figures(|f| f.rate.high), true),
            ("open", counts(|f| f.open), false),
            ("matured_rate", figures(|f| f.matured.rate.value), true),
            ("users", counts(|f| f.users), false),
            ("uses", counts(|f| f.uses), false),
            (
                "median_seconds_to_adopt",
                figures(|f| f.time_to_adopt.median),
                true,
            ),
            (
                "kaplan_meier_median_seconds",
                figures(|f| f.kaplan_meier_median),
                true,
            ),
        ])
        .map_err(Error::internal)
    }
}
