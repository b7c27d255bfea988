//! From timelines to the days on which users were active.

use std::collections::BTreeMap;

use super::history::{Day, History, Said, ago, arrange};
use crate::error::{Error, Result};
use crate::query::filter::Property;
use crate::query::{Condition, Instant, Segment, Span};
use crate::timeline::column::{Amounts, Reader};
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
    attributes: &[Property],
) -> Result<Vec<History>> {
    let readers: Vec<(Reader<'_>, Vec<u32>)> = attributes
        .iter()
        .map(|of| {
            let reader = view.columns.reader(of, view.as_of.micros())?;
            let ranks = ranks(&reader);
            Ok((reader, ranks))
        })
        .collect::<Result<_>>()?;
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
                said: said(&timeline, as_of, &readers),
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

/// The place of each code's value among all values in their order, which does not depend on the order of loading.
fn ranks(reader: &Reader<'_>) -> Vec<u32> {
    let values = reader.dictionary().values();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|code| values.get(*code));
    let mut ranks = vec![0; values.len()];
    for (rank, code) in (0..).zip(order) {
        if let Some(place) = ranks.get_mut(code) {
            *place = rank;
        }
    }
    ranks
}

/// The values of attributes in their order, as they are written.
pub(super) fn values(view: &View<'_>, attributes: &[Property]) -> Result<Vec<Vec<String>>> {
    let each = attributes.iter().map(|of| {
        let reader = view.columns.reader(of, view.as_of.micros())?;
        let mut values = reader.dictionary().values().to_vec();
        values.sort();
        Ok(values)
    });
    each.collect()
}

/// What the events of a user say of attributes, each time that it is something else.
fn said(timeline: &Timeline<'_>, as_of: i64, readers: &[(Reader<'_>, Vec<u32>)]) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    if readers.is_empty() {
        return said;
    }
    let mut last = vec![None; readers.len()];
    for (ts, row) in timeline.ts.iter().zip(timeline.row) {
        let Some(ago) = ago(as_of, *ts) else {
            break;
        };
        for (which, ((reader, ranks), last)) in readers.iter().zip(&mut last).enumerate() {
            let code = reader.code(timeline.user, *ts, *row);
            let Some(value) = code.and_then(|code| ranks.get(code as usize).copied()) else {
                continue;
            };
            if *last != Some(value) {
                *last = Some(value);
                said.push(Said { ago, which, value });
            }
        }
    }
    said
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
