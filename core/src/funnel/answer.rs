//! The answer of a funnel: counts, rates with intervals, and exact times.

use serde::Serialize;

use super::kernel::{self, Tally};
use super::question::Funnel;
use crate::access::Scoped;
use crate::error::Result;
use crate::query::{Instant, Quantiles, Rate, Segment, Selector, Window, Zone, answer};
use crate::timeline::View;

/// How far the users of a funnel got.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelAnswer {
    /// The first 24 hex digits of the SHA-256 of the rest.
    #[serde(rename = "_id", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The steps in order.
    pub steps: Vec<FunnelStep>,
    /// Users with a first step within the range.
    pub entered: u64,
    /// Users who did all steps.
    pub converted: u64,
    /// Users who did not convert but still can: an entry whose window ends after `asOf` (F5).
    pub open: u64,
    /// Converted of entered.
    pub rate: Rate,
    /// The same funnel over entries whose whole window has passed at `asOf`; once the range is that old, it never moves.
    pub matured: Matured,
    /// From one step to another of the converters' reported chains.
    pub time_to_convert: TimeToConvert,
    /// Events without a user, which no funnel counts (I4).
    pub unattributed_events: u64,
    /// The conversion window, in seconds.
    pub window: Window,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// The zone of the range.
    pub timezone: Zone,
    /// The users counted.
    pub segment: Segment,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
    /// The rules the numbers follow.
    pub preset: &'static str,
    /// How each switch of the preset stands.
    pub switches: Switches,
    /// The version of the time zone database.
    pub tzdb: &'static str,
}

/// One step of a funnel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelStep {
    /// Its number, from 1.
    pub step: usize,
    /// The events it means; null is any.
    pub event: Selector,
    /// Users who got at least this far.
    pub count: u64,
    /// Of those who entered.
    pub rate: Rate,
    /// Of those who got to the step before.
    pub rate_from_previous: Rate,
    /// Users who stopped here; for the last step 0.
    pub dropped: u64,
    /// Converters' time since the step before; all nothing for the first.
    pub time_from_previous: Quantiles,
    /// Converters' time since the first step; all nothing for the first.
    pub time_from_entry: Quantiles,
}

/// The part of a funnel whose entries can no longer change by waiting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matured {
    /// Users with a first step within the range and at or before `asOf` − window.
    pub entered: u64,
    /// Those of them who converted from such an entry.
    pub converted: u64,
    /// Converted of entered.
    pub rate: Rate,
}

/// The time between two steps for converters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeToConvert {
    /// The earlier step, from 1.
    pub from_step: usize,
    /// The later step.
    pub to_step: usize,
    /// Exact figures in seconds.
    #[serde(flatten)]
    pub seconds: Quantiles,
}

/// The switches that presets set.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// How steps are ordered.
    pub order: &'static str,
    /// How much earlier a later step may be stamped, in seconds (F1).
    pub grace: u32,
    /// Whether equal times do not count as "after" (F1).
    pub strict_increase: bool,
    /// Which of equally deep chains is reported (F4).
    pub entry: &'static str,
}

/// Answers a valid funnel over timelines.
///
/// # Errors
/// Only a fault of our own.
pub fn answer(question: &Scoped<&Funnel>, view: &View<'_>) -> Result<FunnelAnswer> {
    let question = *question.inner();
    let span = question.range.span();
    let tally = kernel::run(question, view);
    let Tally {
        counts,
        open,
        matured,
        times,
        ..
    } = tally;
    let steps = question.steps.len();
    let reached = |k: usize| counts.get(k).copied().unwrap_or(0);
    let entered = reached(0);
    let converted = reached(steps - 1);
    let between = |from: usize, to: usize| {
        Quantiles::of_micros(
            times
                .chunks_exact(steps)
                .filter_map(|chain| Some(chain.get(to)? - chain.get(from)?))
                .collect(),
        )
    };

    let step = |k: usize| FunnelStep {
        step: k + 1,
        event: question.steps.get(k).cloned().unwrap_or_default(),
        count: reached(k),
        rate: Rate::of(reached(k), entered),
        rate_from_previous: Rate::of(reached(k), if k == 0 { entered } else { reached(k - 1) }),
        dropped: if k + 1 == steps {
            0
        } else {
            reached(k) - reached(k + 1)
        },
        time_from_previous: if k == 0 {
            Quantiles::default()
        } else {
            between(k - 1, k)
        },
        time_from_entry: if k == 0 {
            Quantiles::default()
        } else {
            between(0, k)
        },
    };
    let (from, to) = question.pair();
    let mut answer = FunnelAnswer {
        id: String::new(),
        steps: (0..steps).map(step).collect(),
        entered,
        converted,
        open,
        rate: Rate::of(converted, entered),
        matured: Matured {
            entered: matured.0,
            converted: matured.1,
            rate: Rate::of(matured.1, matured.0),
        },
        time_to_convert: TimeToConvert {
            from_step: from,
            to_step: to,
            seconds: between(from - 1, to - 1),
        },
        unattributed_events: view.timelines.unattributed(view.as_of),
        window: question.window,
        start_date: span.from,
        end_date: span.to,
        timezone: question.range.zone.clone(),
        segment: question.segment,
        as_of: view.as_of,
        preset: "exact",
        switches: Switches {
            order: "ordered",
            grace: 0,
            strict_increase: question.strict_increase,
            entry: "earliest",
        },
        tzdb: Zone::database_version(),
    };
    answer.id = answer::id(&answer)?;
    Ok(answer)
}
