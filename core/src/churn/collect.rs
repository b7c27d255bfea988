//! From timelines to the days on which users were active.

use std::collections::BTreeMap;

use super::history::{Day, History, ago, arrange};
use crate::error::{Error, Result};
use crate::query::{Condition, Instant, Segment, Span};
use crate::timeline::column::Amounts;
use crate::timeline::{Members, Timeline, View};

/// What a pass over all users found.
#[derive(Default)]
struct Found {
    histories: Vec<History>,
    /// What was wrong with amounts, by the key of the user; the first is told.
    faults: BTreeMap<u32, Error>,
}

/// The histories of all users with activity strictly before the view's instant, in an order that depends on nothing but what they did.
///
/// # Errors
/// `missing_rate` for an amount whose worth in the base currency is unknown.
pub(super) fn histories(
    view: &View<'_>,
    activity: &Condition,
    members: Segment,
    horizon: u32,
) -> Result<Vec<History>> {
    let meaning = view.meaning(activity)?;
    let amounts = view.columns.amounts()?;
    let members = Members::new(members, span(view.as_of, horizon), view);
    let as_of = view.as_of.micros();
    let mut found = view.fold(
        Found::default,
        |found, timeline| match days(&timeline, as_of, amounts, |name, row| {
            meaning.holds(name, row)
        }) {
            Ok(days) if days.is_empty() => {}
            Ok(days) => found.histories.push(History {
                user: timeline.user,
                member: members.hold(&timeline),
                days,
            }),
            Err(fault) => {
                found.faults.insert(timeline.user, fault);
            }
        },
        |mut a, mut b| {
            a.histories.append(&mut b.histories);
            a.faults.append(&mut b.faults);
            a
        },
    )?;
    if let Some((_, fault)) = found.faults.pop_first() {
        return Err(fault);
    }
    arrange(&mut found.histories);
    Ok(found.histories)
}

/// The horizon before the instant: what segments are relative to.
pub(super) fn span(as_of: Instant, horizon: u32) -> Span {
    let back = i64::from(horizon) * super::history::DAY;
    Span {
        from: Instant::saturating_from_micros(as_of.micros() - back),
        to: as_of,
    }
}

fn days(
    timeline: &Timeline<'_>,
    as_of: i64,
    amounts: &Amounts,
    holds: impl Fn(u16, u32) -> bool,
) -> Result<Vec<Day>> {
    let mut days: Vec<(Day, i128)> = Vec::new();
    let events = timeline.ts.iter().zip(timeline.name).zip(timeline.row);
    for ((ts, name), row) in events {
        let Some(ago) = ago(as_of, *ts).filter(|_| holds(*name, *row)) else {
            continue;
        };
        let worth = amounts.worth(*row)?.unwrap_or_default();
        match days.last_mut() {
            Some((day, sum)) if day.ago == ago => {
                day.events = day.events.saturating_add(1);
                *sum = sum.saturating_add(worth);
            }
            _ => days.push((
                Day {
                    ago,
                    events: 1,
                    amount: 0.0,
                },
                worth,
            )),
        }
    }
    let valued = days.into_iter().map(|(day, sum)| Day {
        amount: sum as f64 / 1e12,
        ..day
    });
    Ok(valued.collect())
}
