//! Bookings by service as a table in long form, for doors that speak Arrow: one row a period and a number of days before.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray,
};

use super::answer::{OnTheBooks, PickupAnswer, PickupPeriod};
use crate::error::{Error, Result};

impl PickupAnswer {
    /// One Arrow batch, periods in order and days before ascending within them: `period` (its first instant, UTC), `partial`,
    /// `booked`, `cancelled`, `on_the_books`, `median_lead_days`, `median_nights`, `days_before`, `books`, `complete`.
    ///
    /// Counts are signed, so that their differences cannot wrap.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let rows: Vec<(&PickupPeriod, &OnTheBooks)> = self
            .periods
            .iter()
            .flat_map(|period| {
                period
                    .figures
                    .pickup
                    .iter()
                    .map(move |books| (period, books))
            })
            .collect();
        let counts = |of: fn(&PickupPeriod, &OnTheBooks) -> u64| -> ArrayRef {
            let values = rows.iter().map(|(p, b)| i64::try_from(of(p, b)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let figures = |of: fn(&PickupPeriod) -> Option<f64>| -> ArrayRef {
            Arc::new(rows.iter().map(|(p, _)| of(p)).collect::<Float64Array>())
        };
        let flags = |of: fn(&PickupPeriod, &OnTheBooks) -> bool| -> ArrayRef {
            let values = rows.iter().map(|(p, b)| Some(of(p, b)));
            Arc::new(values.collect::<BooleanArray>())
        };
        let starts = rows.iter().map(|(p, _)| p.start.micros());
        let starts = TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC");
        RecordBatch::try_from_iter_with_nullable([
            ("period", Arc::new(starts) as ArrayRef, false),
            ("partial", flags(|p, _| p.partial), false),
            ("booked", counts(|p, _| p.figures.booked), false),
            ("cancelled", counts(|p, _| p.figures.cancelled), false),
            ("on_the_books", counts(|p, _| p.figures.on_the_books), false),
            (
                "median_lead_days",
                figures(|p| p.figures.lead_time.median),
                true,
            ),
            (
                "median_nights",
                figures(|p| p.figures.length_of_stay.median),
                true,
            ),
            (
                "days_before",
                counts(|_, b| u64::from(b.days_before)),
                false,
            ),
            ("books", counts(|_, b| b.count), false),
            ("complete", flags(|_, b| b.complete), false),
        ])
        .map_err(Error::internal)
    }
}
