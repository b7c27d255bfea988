//! The six figures by the periods of a calendar, for reports over longer ranges.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};

use super::answer::{Meanings, share};
use super::money::Money;
use super::question::Metric;
use super::users;
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::query::{Calendar, Instant, Rate, Span};
use crate::timeline::{Stop, Timelines};
use crate::warehouse::{Recent, Warehouse};

/// The figures of one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Its first instant within the range.
    pub start: Instant,
    /// Whether the range cuts it, or it is not over.
    pub partial: bool,
    /// Distinct users with an event.
    pub active_users: u64,
    /// Events that the catalogue calls page views.
    pub page_views: u64,
    /// All events a second.
    pub events_per_second: f64,
    /// Distinct users with a conversion, of the active users.
    pub conversion_rate: Rate,
    /// Errors, of all events.
    pub error_rate: Rate,
    /// The events' amounts in the base currency, a minute.
    pub revenue_per_minute: f64,
}

/// Answers the figures of each period of a calendar that begins before `now`, within a range; seconds that the range or a period
/// cuts are not counted.
pub(crate) fn daily(
    asked: &Scoped<(&Calendar, Span)>,
    warehouse: &dyn Warehouse,
    meanings: &Meanings<'_>,
    now: Instant,
    timelines: Option<&Timelines>,
    stop: Stop<'_>,
) -> Result<Vec<Figures>> {
    let (calendar, span) = *asked.inner();
    let after = Instant::saturating_from_micros(now.micros() + 1);
    let mut figures = Vec::new();
    for bucket in calendar.buckets() {
        stop.check()?;
        let from = bucket.start.max(span.from);
        let to = bucket.end.min(span.to).min(after);
        let seconds = u32::try_from((to.micros() - from.micros()) / 1_000_000).unwrap_or(0);
        if seconds == 0 {
            continue;
        }
        let asked = Recent {
            as_of: Instant::saturating_from_micros(to.micros() - 1),
            window: seconds,
            step: seconds,
            page_views: meanings.page_views,
            conversions: meanings.conversions,
            errors: meanings.errors,
            counted: &[],
        };
        let mut live = warehouse.recent(&asked)?;
        if let Some(timelines) = timelines {
            users::recount(&mut live, timelines, &asked)?;
        }
        let tally = live.now;
        let none = Rate::of(0, 0);
        // The window before it is the first part, this one the second.
        let amounts = live.amounts.iter().filter(|a| a.slot == 1);
        let revenue = Money::sum(amounts, meanings.base_currency)?.per_minute(seconds)?;
        figures.push(Figures {
            start: from,
            partial: from > bucket.start || to < bucket.end,
            active_users: tally.users,
            page_views: tally.page_views,
            events_per_second: tally.events as f64 / f64::from(seconds),
            conversion_rate: share(Metric::ConversionRate, &tally).unwrap_or(none),
            error_rate: share(Metric::ErrorRate, &tally).unwrap_or(none),
            revenue_per_minute: revenue.nearest(),
        });
    }
    Ok(figures)
}

/// The figures as a table: `period`, and a column for each of these metrics by its name; shares have `…_low` and `…_high`.
///
/// # Errors
/// Only a fault of our own.
pub fn table(figures: &[Figures], metrics: &[Metric]) -> Result<RecordBatch> {
    let counts = |of: fn(&Figures) -> u64| -> ArrayRef {
        let values = figures.iter().map(|f| i64::try_from(of(f)).ok());
        Arc::new(values.collect::<Int64Array>())
    };
    let numbers = |of: &dyn Fn(&Figures) -> Option<f64>| -> ArrayRef {
        Arc::new(figures.iter().map(of).collect::<Float64Array>())
    };
    let starts = figures.iter().map(|f| Some(f.start.micros()));
    let starts: TimestampMicrosecondArray = starts.collect();
    let mut columns: Vec<(String, ArrayRef)> = vec![("period".to_owned(), Arc::new(starts))];
    for metric in metrics {
        let name = metric.name().to_owned();
        let rate: Option<fn(&Figures) -> Rate> = match metric {
            Metric::ConversionRate => Some(|f| f.conversion_rate),
            Metric::ErrorRate => Some(|f| f.error_rate),
            _ => None,
        };
        if let Some(rate) = rate {
            columns.push((name.clone(), numbers(&|f| rate(f).value)));
            columns.push((format!("{name}_low"), numbers(&|f| rate(f).low)));
            columns.push((format!("{name}_high"), numbers(&|f| rate(f).high)));
            continue;
        }
        let column = match metric {
            Metric::ActiveUsers => counts(|f| f.active_users),
            Metric::PageViews => counts(|f| f.page_views),
            Metric::RevenuePerMinute => numbers(&|f| Some(f.revenue_per_minute)),
            _ => numbers(&|f| Some(f.events_per_second)),
        };
        columns.push((name, column));
    }
    let fields = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(fields).map_err(Error::internal)
}
