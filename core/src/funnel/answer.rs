//! The answer of a funnel: counts, rates with intervals, and exact times.

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::breakdown::{self, Grouping, Key};
use super::counts::{Chains, Counts};
use super::options::{
    Attribution, Entries, Entry, Exclusion, ExclusionMode, Order, Selects, Timed, Totals, Unit,
    Universe,
};
use super::plan::Plan;
use super::question::Funnel;
use super::tally::{Cells, Tally};
use super::times::{self, Bin};
use crate::access::Scoped;
use crate::error::Result;
use crate::query::{
    Estimate, Filter, Instant, Money, Period, Preset, Property, Quantiles, Rate, Sample, Segment,
    Selector, WeekStart, Window, Zone, answer, answer::Stamp, survival,
};
use crate::timeline::View;

/// How far the users of a funnel got.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
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
    /// Where the units are no users, the distinct users behind them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
    /// The seconds by which half have converted, where those who did not count for as long as they were watched (Kaplan and
    /// Meier); nothing where fewer than half do.
    pub kaplan_meier_median: Option<f64>,
    /// What the chains' events are worth, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Revenue>,
    /// By property, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<Groups>,
    /// By the time of the entry, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// What may not come between steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// What all events seen say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// The properties whose values all events of a chain share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hold_constant: Vec<Property>,
    /// The name of the rules the numbers follow.
    pub preset: Preset,
    /// How each switch of the preset stands.
    pub switches: Switches,
    /// What whoever reads the numbers should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Which users were looked at, where not all were (S2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// What whoever reads the numbers of a funnel should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// More than a tenth of the converters needed more than half of the window: with a longer one there would be more (M2).
    TightWindow,
}

/// One step of a funnel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelStep {
    /// Its number, from 1.
    pub step: usize,
    /// The events it means; null is any.
    pub event: Selector,
    /// What their properties say.
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Whether a chain may go without it; its count is then of users whose chain has it (F9).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The least time since the row before it in the chain, in seconds (F14).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_gap: Option<Window>,
    /// The most time since that row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gap: Option<Window>,
    /// Users who got at least this far; in any order, who did at least so many steps.
    pub count: u64,
    /// What `count` says of all users, where they are sampled (S2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Of those who entered.
    pub rate: Rate,
    /// Of those who got to the step before that is not optional.
    pub rate_from_previous: Rate,
    /// Users who stopped here; for the last step 0.
    pub dropped: u64,
    /// Converters' time since the step before in their chain; all nothing for the first.
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
    /// How many times lie in each bin, where bins were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<Bin>,
}

/// Distinct users behind units that are no users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Users {
    /// Those with a unit that entered.
    pub entered: u64,
    /// Those with a unit that converted.
    pub converted: u64,
}

/// What the events of reported chains are worth, in the base currency; of no other event of the same users (M1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Revenue {
    /// Of all chains.
    pub total: Money,
    /// Of those that converted.
    pub converted: Money,
}

/// The funnel by the time of its entries (F12).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trend {
    /// The length of buckets.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// The buckets that the range touches, in order.
    pub buckets: Vec<TrendBucket>,
}

/// One bucket of entries; each unit counts by its best chain of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrendBucket {
    /// Its first instant.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
    /// Whether the range cuts it (T3).
    pub partial: bool,
    /// Units with an entry in it.
    pub entered: u64,
    /// Those of them that converted.
    pub converted: u64,
    /// Those that did not but still can.
    pub open: u64,
    /// Converted of entered.
    pub rate: Rate,
    /// Units that reached each step.
    pub counts: Vec<u64>,
    /// What `counts` say of all users, where they are sampled (S2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<Estimate>,
}

/// The funnel by what properties say (F11).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Groups {
    /// The properties.
    pub properties: Vec<Property>,
    /// Whose value counts.
    pub by: Attribution,
    /// The groups with most units at step 1, then by value; after them the rest as one.
    pub groups: Vec<Group>,
}

/// What a group is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// A value.
    Value,
    /// No value.
    NotSet,
    /// The empty text.
    Empty,
    /// Every value without a group of its own.
    Other,
}

/// The funnel of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What it is of.
    pub kind: GroupKind,
    /// The value; of several properties a list; null where there is none.
    pub value: Value,
    /// The value as people read it: `(not set)`, `(empty)` and `Other` where there is none.
    pub label: String,
    /// Units that entered.
    pub entered: u64,
    /// Units that converted.
    pub converted: u64,
    /// Units that did not but still can.
    pub open: u64,
    /// Converted of entered.
    pub rate: Rate,
    /// By entries whose whole window has passed.
    pub matured: Matured,
    /// The steps in order.
    pub steps: Vec<GroupStep>,
    /// Converters' seconds from the first step to the last.
    pub time_to_convert: Quantiles,
    /// What its chains' events are worth, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Revenue>,
}

/// One step of a group's funnel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupStep {
    /// Its number, from 1.
    pub step: usize,
    /// Units that got at least this far.
    pub count: u64,
    /// What `count` says of all users, where they are sampled (S2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Of those that entered.
    pub rate: Rate,
    /// Of those that got to the step before that is not optional.
    pub rate_from_previous: Rate,
    /// Units that stopped here.
    pub dropped: u64,
    /// Converters' time since the step before in their chain; all nothing for the first.
    pub time_from_previous: Quantiles,
}

/// How each switch stands, whether a preset set it or the question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// How steps are ordered.
    pub order: Order,
    /// How much earlier a later step may be stamped, in seconds (F1).
    pub grace: Window,
    /// Whether equal times do not count as "after" (F1).
    pub strict_increase: bool,
    /// Which of equally deep chains is reported (F4).
    pub entry: Entry,
    /// Which first steps may begin a chain (F4).
    pub entries: Entries,
    /// What the range selects (F5).
    pub range: Selects,
    /// In the place of the window, the local days a chain may touch (F2).
    pub window_calendar_days: Option<u32>,
    /// Whose times are measured (F13).
    pub timed: Timed,
    /// Whether in any order the first step must come first (F8).
    pub anchor_first: bool,
    /// What breaks a strict order (F7); null in any other.
    pub universe: Option<Universe>,
    /// What an excluded event does (F6).
    pub exclusion_mode: ExclusionMode,
    /// What is counted (F10).
    pub unit: Unit,
    /// What an attempt is; null unless totals are counted.
    pub totals: Option<Totals>,
    /// The longest pause within a session, in seconds; null unless sessions are counted.
    pub session_timeout: Option<Window>,
}

impl Switches {
    pub(super) fn of(question: &Funnel) -> Self {
        Self {
            order: question.order,
            grace: question.grace,
            strict_increase: question.strict_increase,
            entry: question.entry,
            entries: question.entries,
            range: question.selects,
            window_calendar_days: question.window_calendar_days,
            timed: question.timed,
            anchor_first: question.anchor_first,
            universe: (question.order == Order::Strict).then(|| question.universe.clone()),
            exclusion_mode: question.exclusion_mode,
            unit: question.unit,
            totals: (question.unit == Unit::Totals).then_some(question.totals),
            session_timeout: (question.unit == Unit::Sessions).then_some(question.session_timeout),
        }
    }
}

/// Answers a valid funnel over timelines.
///
/// # Errors
/// `missing_rate` for revenue in a currency without a rate; `too_many_periods` for too long a trend; `too_many_chains` where a
/// user's overlapping events take too long to search; `cancelled`.
pub fn answer(question: &Scoped<&Funnel>, view: &View<'_>) -> Result<FunnelAnswer> {
    let question = *question.inner();
    let span = question.range.span();
    let plan = Plan::new(question, view)?;
    let grouping = question.breakdown.as_ref();
    let grouping = grouping.map(|b| Grouping::new(b, view)).transpose()?;
    let tally = Tally::run(&plan, view, grouping.as_ref())?;
    let count = Counts {
        plan: &plan,
        cells: &tally.all,
    };
    let chains = Chains {
        steps: plan.places.len(),
        cells: &tally.all,
    };
    let (from, to) = question.pair();
    let measured = chains.between(from - 1, to - 1);
    let last_required = plan.places.iter().rposition(|p| !p.optional).unwrap_or(0);
    let converted = chains.between(0, last_required);
    let units_are_users = question.unit == Unit::Users && question.hold_constant.is_empty();
    let steps = (0..plan.places.len()).into_par_iter().map(|k| {
        let step = question.steps.get(k).cloned().unwrap_or_default();
        let counts = count.step(k);
        FunnelStep {
            step: k + 1,
            event: step.condition.event,
            filters: step.condition.filters,
            optional: step.optional,
            min_gap: step.min_gap,
            max_gap: step.max_gap,
            count: counts.count,
            estimate: counts.estimate,
            rate: counts.rate,
            rate_from_previous: counts.rate_from_previous,
            dropped: counts.dropped,
            time_from_previous: counts.time_from_previous,
            time_from_entry: if k == 0 {
                Quantiles::default()
            } else {
                Quantiles::of_micros(chains.between(0, k))
            },
        }
    });
    let (watched, through) = (&tally.all.watched, tally.all.watched_through as usize);
    let slow = |time: &&i64| time.saturating_mul(2) > question.window.micros();
    let late = 10 * converted.iter().filter(slow).count() > converted.len();
    let (steps, half) = rayon::join(
        || steps.collect(),
        || survival::median(converted, watched.clone(), through),
    );
    let mut answer = FunnelAnswer {
        stamp: Stamp::default(),
        steps,
        entered: count.entered(),
        converted: count.converted(),
        open: tally.all.open,
        rate: Rate::of(count.converted(), count.entered()),
        matured: matured(&tally.all),
        time_to_convert: TimeToConvert {
            from_step: from,
            to_step: to,
            histogram: question
                .histogram_bins
                .map_or_else(Vec::new, |bins| times::histogram(&measured, bins)),
            seconds: Quantiles::of_micros(measured),
        },
        unattributed_events: view.timelines.unattributed(view.as_of),
        window: question.window,
        start_date: span.from,
        end_date: span.to,
        timezone: question.range.zone.clone(),
        segment: question.segment,
        as_of: view.as_of,
        users: (!units_are_users).then_some(Users {
            entered: tally.users.0,
            converted: tally.users.1,
        }),
        kaplan_meier_median: half.map(|micros| micros as f64 / 1e6),
        revenue: question.revenue.then(|| revenue(&tally.all)),
        breakdown: grouping
            .as_ref()
            .map(|g| groups(&plan, view, g, &tally))
            .transpose()?,
        trend: question.trend.map(|period| trend(&plan, period, &tally)),
        exclusions: question.exclusions.clone(),
        filters: question.filters.clone(),
        hold_constant: question.hold_constant.clone(),
        preset: question.preset,
        switches: Switches::of(question),
        warnings: (late && question.window_calendar_days.is_none())
            .then_some(Warning::TightWindow)
            .into_iter()
            .collect(),
        sample: question.sample.clone(),
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

fn matured(cells: &Cells) -> Matured {
    let (entered, converted) = cells.matured;
    Matured {
        entered,
        converted,
        rate: Rate::of(converted, entered),
    }
}

fn revenue(cells: &Cells) -> Revenue {
    Revenue {
        total: Money(cells.worth.0),
        converted: Money(cells.worth.1),
    }
}

fn trend(plan: &Plan<'_>, period: Period, tally: &Tally<'_>) -> Trend {
    let calendar = plan.calendar.as_ref();
    let buckets = calendar.map(|c| c.buckets()).unwrap_or_default();
    let buckets = buckets.iter().zip(&tally.buckets).map(|(bucket, cells)| {
        let count = Counts { plan, cells };
        TrendBucket {
            start: bucket.start,
            end: bucket.end,
            partial: bucket.start.micros() < plan.from || bucket.end.micros() > plan.to,
            entered: count.entered(),
            converted: count.converted(),
            open: cells.open,
            rate: Rate::of(count.converted(), count.entered()),
            counts: (0..plan.places.len()).map(|k| count.reached(k)).collect(),
            estimates: (0..plan.places.len())
                .filter_map(|k| plan.question.estimate(count.reached(k)))
                .collect(),
        }
    });
    Trend {
        period,
        week_start: plan.question.week_start,
        buckets: buckets.collect(),
    }
}

fn groups(
    plan: &Plan<'_>,
    view: &View<'_>,
    grouping: &Grouping<'_>,
    tally: &Tally<'_>,
) -> Result<Groups> {
    let Some(asked) = &plan.question.breakdown else {
        return Err(crate::Error::internal("groups that nobody asked for"));
    };
    let shown = shown(grouping, tally, asked.limit);
    let mut rest = Cells::default();
    let hidden = |key: &Key| !shown.contains(key);
    if asked.by == Attribution::Each && tally.groups.len() > shown.len() {
        // A unit with several of the other values is one unit.
        let mut again = Grouping::new(asked, view)?;
        again.shown = Some(shown.iter().cloned().collect());
        let mut tally = Tally::run(plan, view, Some(&again))?;
        rest = tally.groups.remove(&breakdown::other()).unwrap_or_default();
    } else {
        for (_, cells) in tally.groups.iter().filter(|(key, _)| hidden(key)) {
            rest.merge(cells.clone());
        }
    }
    let own = shown
        .iter()
        .filter_map(|key| Some((key.clone(), tally.groups.get(key)?)));
    let other = (tally.groups.len() > shown.len()).then_some((breakdown::other(), &rest));
    let all: Vec<_> = own.chain(other).collect();
    let written = all.into_par_iter().map(|(key, cells)| {
        let count = Counts { plan, cells };
        let chains = Chains {
            steps: plan.places.len(),
            cells,
        };
        let (kind, value) = grouping.written(&key);
        Group {
            kind,
            label: grouping.label(kind, &value),
            value,
            entered: count.entered(),
            converted: count.converted(),
            open: cells.open,
            rate: Rate::of(count.converted(), count.entered()),
            matured: matured(cells),
            steps: (0..plan.places.len()).map(|k| count.step(k)).collect(),
            time_to_convert: Quantiles::of_micros(
                chains.between(0, plan.places.len().saturating_sub(1)),
            ),
            revenue: plan.question.revenue.then(|| revenue(cells)),
        }
    });
    Ok(Groups {
        properties: asked.properties.clone(),
        by: asked.by,
        groups: written.collect(),
    })
}

/// The groups shown by themselves: those with most units at step 1, equals by their values.
pub(super) fn shown(grouping: &Grouping<'_>, tally: &Tally<'_>, limit: usize) -> Vec<Key> {
    let mut keys: Vec<(&Key, u64)> = tally
        .groups
        .iter()
        .map(|(key, cells)| (key, cells.reached(1)))
        .collect();
    keys.sort_by(|a, b| {
        b.1.cmp(&a.1)
            .then_with(|| grouping.texts(a.0).cmp(&grouping.texts(b.0)))
    });
    let limit = limit.max(grouping.always().len());
    keys.into_iter().take(limit).map(|k| k.0.clone()).collect()
}
