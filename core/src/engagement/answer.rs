//! The answer to a question of engagement.

use serde::Serialize;

use super::people::State;
use super::plan::{Plan, SCALES, Scale, Trailing};
use super::question::{Engagement, Metric, Preset};
use super::tally::Tally;
use crate::access::Scoped;
use crate::error::Result;
use crate::query::calendar::{Bucket, WEEKDAYS};
use crate::query::{
    Condition, Filter, Instant, Period, Quantiles, Rate, Segment, WeekStart, Window, Zone, answer,
    answer::Stamp,
};
use crate::timeline::View;

/// How often the users of a range are active.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngagementAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Distinct users active in the range.
    pub users: u64,
    /// Their events in the range that are activity.
    pub events: u64,
    /// Active users by day, week and month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_users: Option<ActiveUsers>,
    /// On how many days users are active (L2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stickiness: Option<Stickiness>,
    /// New, returning, resurrected and dormant users, period by period (L1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Vec<LifecyclePeriod>>,
    /// The sessions that begin in the range (L4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Sessions>,
    /// Activity by weekday and local hour: 168 cells, in the order of the week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heat_map: Option<Vec<HeatMapHour>>,
    /// The period of `lifecycle` and `stickiness`.
    pub period: Period,
    /// The users counted.
    pub segment: Segment,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
    /// The zone of the calendar.
    pub timezone: Zone,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// The events that are activity; null is any.
    pub event: Condition,
    /// What every event seen met; absent for nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// How many events a period needs for stickiness to count it.
    pub min_events: u32,
    /// The longest pause within a session, in seconds.
    pub session_timeout: Window,
    /// The rules the numbers follow.
    pub preset: Preset,
    /// Whether stored history begins only at or after the range, so that "new" may be wrong.
    pub left_censored: bool,
    /// Events without a user, which are nobody's activity (I4).
    pub unattributed_events: u64,
}

/// Distinct users active in the range, by the local day, week and month of their activity; periods that begin after `asOf` are
/// left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveUsers {
    /// Daily active users.
    pub daily: Vec<ActivePeriod>,
    /// Weekly active users.
    pub weekly: Vec<ActivePeriod>,
    /// Monthly active users.
    pub monthly: Vec<ActivePeriod>,
}

/// The users active in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ActivePeriod {
    /// The first instant of the period.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
    /// Whether the range cuts the period (T3): only the part within the range is counted.
    pub partial: bool,
    /// Whether the period has wholly passed at `asOf`.
    pub complete: bool,
    /// Distinct users.
    pub users: u64,
}

/// On how many days users are active, and what share of a month's or a week's users comes a day (L2).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stickiness {
    /// Users active in at least one period of the range: the denominator of all rows.
    pub users: u64,
    /// One row for each possible number of periods, from 1.
    pub rows: Vec<StickinessRow>,
    /// Mean daily active users over the last 30 local days that had wholly passed by the end of the range and `asOf`, ÷ the
    /// distinct users of those days.
    pub dau_over_mau: ActivityRatio,
    /// The same for 7 days.
    pub dau_over_wau: ActivityRatio,
}

/// The users active in so many periods of the range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StickinessRow {
    /// How many periods.
    pub periods: usize,
    /// Users active in exactly so many, of all active.
    pub exactly: Rate,
    /// Users active in so many or more, of all active.
    pub at_least: Rate,
}

/// Mean daily users ÷ the distinct users of the same days. Days before the range count too, so that it does not depend on where
/// the range begins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityRatio {
    /// `meanDailyUsers / users`, or nothing where there are no users.
    pub value: Option<f64>,
    /// Σ daily users ÷ `days`.
    pub mean_daily_users: f64,
    /// Distinct users of all those days.
    pub users: u64,
    /// How many days: fewer than asked only where the zone skipped a date.
    pub days: u64,
    /// The first instant of the first day.
    pub start: Instant,
    /// The first instant after the last.
    pub end: Instant,
}

/// The users of one period by what they did before (L1).
///
/// active = new + returning + resurrected, and the active of the period before = returning + dormant, always. Each period is
/// judged whole from its start on, also where the range begins later; nothing is seen from the end of the range on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LifecyclePeriod {
    /// The first instant of the period.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
    /// Whether the range cuts the period (T3).
    pub partial: bool,
    /// Whether the period has wholly passed at `asOf`.
    pub complete: bool,
    /// Active in the period.
    pub active: u64,
    /// Whose first activity ever is in it.
    pub new: u64,
    /// Active in it and in the one before.
    pub returning: u64,
    /// Active in it and not in the one before, but earlier.
    pub resurrected: u64,
    /// Active in the one before and not in it.
    pub dormant: u64,
}

/// The sessions that begin in the range: a user's events with no pause longer than the timeout between neighbours, over
/// midnight too (L4). What comes after the range, up to `asOf`, still belongs to them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    /// How many sessions.
    pub count: u64,
    /// Users with at least one.
    pub users: u64,
    /// Sessions a user with one; nothing without any.
    pub per_user: Option<f64>,
    /// Sessions that may still go on: less than the timeout has passed since their last event.
    pub open: u64,
    /// Their events.
    pub events: u64,
    /// The events of a session.
    pub events_per_session: Quantiles,
    /// Seconds from the first event of a session to its last.
    pub seconds: Quantiles,
    /// Sessions of one event, of all sessions.
    pub bounces: Rate,
}

/// The activity of one hour of the week, by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeatMapHour {
    /// The day.
    pub weekday: WeekStart,
    /// The local hour, 0 to 23; an hour that a clock shows twice is counted in one.
    pub hour: u8,
    /// Events in the range.
    pub events: u64,
    /// Distinct users.
    pub users: u64,
}

/// Answers a valid question of engagement over timelines.
///
/// # Errors
/// `too_many_periods` where the range has more than 40,000 days.
pub fn answer(question: &Scoped<&Engagement>, view: &View<'_>) -> Result<EngagementAnswer> {
    let question = *question.inner();
    let span = question.range.span();
    let plan = Plan::new(question, view)?;
    let tally = Tally::run(&plan, view)?;
    let layout = Layout {
        plan: &plan,
        tally: &tally,
        as_of: view.as_of,
    };
    let when = |metric| question.asks(metric).then_some(());
    let mut answer = EngagementAnswer {
        stamp: Stamp::default(),
        users: tally.users,
        events: tally.events,
        active_users: when(Metric::ActiveUsers).map(|()| layout.active_users()),
        stickiness: when(Metric::Stickiness).map(|()| layout.stickiness()),
        lifecycle: when(Metric::Lifecycle).map(|()| layout.lifecycle()),
        sessions: when(Metric::Sessions).map(|()| layout.sessions()),
        heat_map: when(Metric::HeatMap).map(|()| layout.heat_map()),
        period: question.period,
        segment: question.segment,
        start_date: span.from,
        end_date: span.to,
        as_of: view.as_of,
        timezone: question.range.zone.clone(),
        week_start: question.week_start,
        event: question.event.clone(),
        filters: question.filters.clone(),
        min_events: question.min_events,
        session_timeout: question.session_timeout,
        preset: question.preset,
        left_censored: view
            .timelines
            .first()
            .is_some_and(|first| first >= span.from.micros() && first <= view.as_of.micros()),
        unattributed_events: view.timelines.unattributed(view.as_of),
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

/// What turns counts into rows.
struct Layout<'a> {
    plan: &'a Plan<'a>,
    tally: &'a Tally,
    as_of: Instant,
}

impl Layout<'_> {
    /// Whether the range cuts a bucket, and whether it has wholly passed.
    fn flags(&self, bucket: &Bucket) -> (bool, bool) {
        let span = self.plan.question.range.span();
        let partial = bucket.start < span.from || bucket.end > span.to;
        (partial, bucket.end <= self.as_of)
    }

    fn active_users(&self) -> ActiveUsers {
        let series = |of: Period| {
            let scales = SCALES.iter().zip(&self.plan.scales).zip(&self.tally.active);
            let mine = scales.filter(|((period, _), _)| **period == of);
            mine.flat_map(|((_, scale), counts)| self.series(scale, counts))
                .collect()
        };
        ActiveUsers {
            daily: series(Period::Daily),
            weekly: series(Period::Weekly),
            monthly: series(Period::Monthly),
        }
    }

    fn series(&self, scale: &Scale, counts: &[u64]) -> Vec<ActivePeriod> {
        let rows = scale.rows.iter().zip(counts);
        rows.map(|(bucket, users)| {
            let (partial, complete) = self.flags(bucket);
            ActivePeriod {
                start: bucket.start,
                end: bucket.end,
                partial,
                complete,
                users: *users,
            }
        })
        .collect()
    }

    fn stickiness(&self) -> Stickiness {
        let counts = &self.tally.sticky;
        let users: u64 = counts.iter().sum();
        let mut left = users;
        let rows = counts.iter().enumerate().map(|(i, exactly)| {
            let at_least = left;
            left -= exactly;
            StickinessRow {
                periods: i + 1,
                exactly: Rate::of(*exactly, users),
                at_least: Rate::of(at_least, users),
            }
        });
        let rows = rows.collect();
        let [month, week] = self.plan.trailing;
        let [of_month, of_week] = self.tally.trailing;
        Stickiness {
            users,
            rows,
            dau_over_mau: ratio(month, of_month),
            dau_over_wau: ratio(week, of_week),
        }
    }

    fn lifecycle(&self) -> Vec<LifecyclePeriod> {
        let rows = self.plan.scale().rows.iter().zip(&self.tally.states);
        rows.map(|(bucket, states)| {
            let (partial, complete) = self.flags(bucket);
            let of = |state: State| states.get(state as usize).copied().unwrap_or_default();
            let [new, returning, resurrected, dormant] = State::ALL.map(of);
            LifecyclePeriod {
                start: bucket.start,
                end: bucket.end,
                partial,
                complete,
                active: new + returning + resurrected,
                new,
                returning,
                resurrected,
                dormant,
            }
        })
        .collect()
    }

    fn sessions(&self) -> Sessions {
        let tally = self.tally;
        let count = tally.sizes.len() as u64;
        let events: i64 = tally.sizes.iter().sum();
        let bounced = tally.sizes.iter().filter(|n| **n == 1).count() as u64;
        Sessions {
            count,
            users: tally.visitors,
            per_user: (tally.visitors > 0).then(|| count as f64 / tally.visitors as f64),
            open: tally.open,
            events: events.unsigned_abs(),
            events_per_session: Quantiles::of_counts(tally.sizes.clone()),
            seconds: Quantiles::of_micros(tally.lengths.clone()),
            bounces: Rate::of(bounced, count),
        }
    }

    fn heat_map(&self) -> Vec<HeatMapHour> {
        let start = self.plan.question.week_start;
        let first = WEEKDAYS.iter().position(|d| d.1 == start.0);
        let days = WEEKDAYS.iter().enumerate().cycle();
        let days = days.skip(first.unwrap_or_default()).take(WEEKDAYS.len());
        let cell = |place: usize, day, hour: usize| {
            let counted = self.tally.hours.get(24 * place + hour);
            let [events, users] = counted.copied().unwrap_or_default();
            HeatMapHour {
                weekday: WeekStart(day),
                hour: hour as u8,
                events,
                users,
            }
        };
        days.flat_map(|(place, (_, day))| (0..24).map(move |hour| cell(place, *day, hour)))
            .collect()
    }
}

fn ratio(window: Trailing, [users, active_days]: [u64; 2]) -> ActivityRatio {
    let mean = active_days as f64 / window.days.max(1) as f64;
    ActivityRatio {
        value: (users > 0).then(|| mean / users as f64),
        mean_daily_users: mean,
        users,
        days: window.days,
        start: window.start,
        end: window.end,
    }
}
