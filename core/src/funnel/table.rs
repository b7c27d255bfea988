//! A funnel, its drop-off points and its compared groups as tables, for doors that speak Arrow.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::answer::{FunnelAnswer, GroupStep};
use super::compare::Comparison;
use super::dropoff::{DropOffAnswer, DropOffStep, Factor};
use crate::error::{Error, Result};
use crate::query::{Contrast, Quantiles, Selector};

/// A step of all units or of a group.
struct Row<'a> {
    group: Option<&'a str>,
    event: Option<String>,
    step: GroupStep,
    from_entry: Quantiles,
}

impl FunnelAnswer {
    /// The steps as one Arrow batch: `step`, `event`, `count`, `rate`, `rate_low`, `rate_high`, `rate_from_previous`,
    /// `rate_from_previous_low`, `rate_from_previous_high`, `dropped`, and the converters' times in seconds
    /// `median_seconds_from_previous`, `p90_seconds_from_previous`, `median_seconds_from_entry`, `p90_seconds_from_entry`.
    ///
    /// Counts are signed, so that their differences cannot wrap; `event` is null for any event, and names are joined by ` | `
    /// where a step means one of several. Of a sample there also are `estimate`, `estimate_low` and `estimate_high` of the count.
    /// Of a breakdown there is `group` in front: null for all together, whose steps come first, and then each group by its label,
    /// of which no times from the entry are told.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let rows = self.rows();
        let counts = |of: fn(&GroupStep) -> u64| -> ArrayRef {
            let values = rows.iter().map(|r| i64::try_from(of(&r.step)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let figures = |of: fn(&Row<'_>) -> Option<f64>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<Float64Array>())
        };
        let events: StringArray = rows.iter().map(|r| r.event.as_deref()).collect();

        let mut columns = Vec::new();
        if self.breakdown.is_some() {
            let groups: StringArray = rows.iter().map(|r| r.group).collect();
            columns.push(("group", Arc::new(groups) as ArrayRef, true));
        }
        columns.extend([
            ("step", counts(|s| s.step as u64), false),
            ("event", Arc::new(events) as ArrayRef, true),
            ("count", counts(|s| s.count), false),
            ("rate", figures(|r| r.step.rate.value), true),
            ("rate_low", figures(|r| r.step.rate.low), true),
            ("rate_high", figures(|r| r.step.rate.high), true),
            (
                "rate_from_previous",
                figures(|r| r.step.rate_from_previous.value),
                true,
            ),
            (
                "rate_from_previous_low",
                figures(|r| r.step.rate_from_previous.low),
                true,
            ),
            (
                "rate_from_previous_high",
                figures(|r| r.step.rate_from_previous.high),
                true,
            ),
            ("dropped", counts(|s| s.dropped), false),
            (
                "median_seconds_from_previous",
                figures(|r| r.step.time_from_previous.median),
                true,
            ),
            (
                "p90_seconds_from_previous",
                figures(|r| r.step.time_from_previous.p90),
                true,
            ),
            (
                "median_seconds_from_entry",
                figures(|r| r.from_entry.median),
                true,
            ),
            (
                "p90_seconds_from_entry",
                figures(|r| r.from_entry.p90),
                true,
            ),
        ]);
        // What is told of all users stands beside what was counted.
        if self.sample.is_some() {
            columns.extend([
                ("estimate", figures(|r| Some(r.step.estimate?.value)), true),
                (
                    "estimate_low",
                    figures(|r| Some(r.step.estimate?.low)),
                    true,
                ),
                (
                    "estimate_high",
                    figures(|r| Some(r.step.estimate?.high)),
                    true,
                ),
            ]);
        }
        RecordBatch::try_from_iter_with_nullable(columns).map_err(Error::internal)
    }

    /// The steps of all together, and behind them those of each group.
    fn rows(&self) -> Vec<Row<'_>> {
        let all = self.steps.iter().map(|step| Row {
            group: None,
            event: label(&step.event),
            step: GroupStep {
                step: step.step,
                count: step.count,
                estimate: step.estimate,
                rate: step.rate,
                rate_from_previous: step.rate_from_previous,
                dropped: step.dropped,
                time_from_previous: step.time_from_previous,
            },
            from_entry: step.time_from_entry,
        });
        let groups = self.breakdown.iter().flat_map(|b| &b.groups);
        let groups = groups.flat_map(|group| {
            let steps = group.steps.iter().zip(&self.steps);
            steps.map(|(step, of)| Row {
                group: Some(&group.label),
                event: label(&of.event),
                step: *step,
                from_entry: Quantiles::default(),
            })
        });
        all.chain(groups).collect()
    }
}

impl DropOffAnswer {
    /// The steps as one Arrow batch: `step`, `event`, `reached`, `dropped`, `open`; of units whose window is over
    /// `matured_reached`, `matured_dropped`, `rate`, `rate_low`, `rate_high`, `exit_rate`, the most frequent `next_event` with its
    /// `next_rate`, and the strongest `factor` with its `difference`, `difference_low`, `difference_high`, `adjusted_p_value`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let steps = &self.steps;
        let counts = |of: fn(&DropOffStep) -> u64| -> ArrayRef {
            let values = steps.iter().map(|s| i64::try_from(of(s)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let figures = |of: fn(&DropOffStep) -> Option<f64>| -> ArrayRef {
            Arc::new(steps.iter().map(of).collect::<Float64Array>())
        };
        let texts = |of: fn(&DropOffStep) -> Option<String>| -> ArrayRef {
            Arc::new(steps.iter().map(of).collect::<StringArray>())
        };
        fn strongest(step: &DropOffStep) -> Option<&Factor> {
            step.factors.factors.first()
        }
        let contrasts = |of: fn(&Contrast) -> Option<f64>| -> ArrayRef {
            let values = steps.iter().map(|s| of(&strongest(s)?.contrast));
            Arc::new(values.collect::<Float64Array>())
        };

        RecordBatch::try_from_iter_with_nullable([
            ("step", counts(|s| s.step as u64), false),
            ("event", texts(|s| label(&s.event)), true),
            ("reached", counts(|s| s.reached), false),
            ("dropped", counts(|s| s.dropped), false),
            ("open", counts(|s| s.open), false),
            ("matured_reached", counts(|s| s.matured.reached), false),
            ("matured_dropped", counts(|s| s.matured.dropped), false),
            ("rate", figures(|s| s.matured.rate.value), true),
            ("rate_low", figures(|s| s.matured.rate.low), true),
            ("rate_high", figures(|s| s.matured.rate.high), true),
            ("exit_rate", figures(|s| s.exit.value), true),
            (
                "next_event",
                texts(|s| Some(s.next.first()?.event.clone())),
                true,
            ),
            ("next_rate", figures(|s| s.next.first()?.rate.value), true),
            ("factor", texts(|s| Some(strongest(s)?.label.clone())), true),
            ("difference", contrasts(|c| c.difference), true),
            ("difference_low", contrasts(|c| c.low), true),
            ("difference_high", contrasts(|c| c.high), true),
            ("adjusted_p_value", contrasts(|c| c.adjusted_p_value), true),
        ])
        .map_err(Error::internal)
    }
}

impl Comparison {
    /// The groups as one Arrow batch, a row for the whole funnel, whose `step` is null, and one for each required step but the
    /// first: `group`, `step`, `event`, `k`, `n`, `rate`, the same of the rest (`rest_k`, `rest_n`, `rest_rate`), `difference`,
    /// `difference_low`, `difference_high`, `p_value`, `adjusted_p_value`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        struct Row<'a> {
            group: &'a str,
            step: Option<usize>,
            event: Option<String>,
            contrast: &'a Contrast,
        }
        let rows = self.groups.iter().flat_map(|group| {
            let row = |step, event, contrast| Row {
                group: &group.label,
                step,
                event,
                contrast,
            };
            let steps = group.steps.iter();
            let steps = steps.map(move |s| row(Some(s.step), label(&s.event), &s.contrast));
            std::iter::once(row(None, None, &group.conversion)).chain(steps)
        });
        let rows: Vec<Row<'_>> = rows.collect();
        let counts = |of: fn(&Contrast) -> u64| -> ArrayRef {
            let values = rows.iter().map(|r| i64::try_from(of(r.contrast)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let figures = |of: fn(&Contrast) -> Option<f64>| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|r| of(r.contrast))
                    .collect::<Float64Array>(),
            )
        };
        let groups: StringArray = rows.iter().map(|r| Some(r.group)).collect();
        let events: StringArray = rows.iter().map(|r| r.event.as_deref()).collect();
        let steps: Int64Array = rows.iter().map(|r| i64::try_from(r.step?).ok()).collect();

        RecordBatch::try_from_iter_with_nullable([
            ("group", Arc::new(groups) as ArrayRef, false),
            ("step", Arc::new(steps) as ArrayRef, true),
            ("event", Arc::new(events) as ArrayRef, true),
            ("k", counts(|c| c.with.k), false),
            ("n", counts(|c| c.with.n), false),
            ("rate", figures(|c| c.with.value), true),
            ("rest_k", counts(|c| c.without.k), false),
            ("rest_n", counts(|c| c.without.n), false),
            ("rest_rate", figures(|c| c.without.value), true),
            ("difference", figures(|c| c.difference), true),
            ("difference_low", figures(|c| c.low), true),
            ("difference_high", figures(|c| c.high), true),
            ("p_value", figures(|c| c.p_value), true),
            ("adjusted_p_value", figures(|c| c.adjusted_p_value), true),
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
