//! The books: every booking with its service date, when it was made and when it was taken back.

use std::collections::HashMap;

use jiff::civil::Date;
use serde_json::Value;

use super::question::Pickup;
use crate::error::Result;
use crate::query::{Bound, Instant, Zone};
use crate::timeline::View;

/// One booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Booking {
    pub(super) service: Date,
    pub(super) user: u32,
    /// When it was made, in microseconds.
    pub(super) made: i64,
    /// When it was taken back; never where that is later than everything.
    pub(super) cancelled: i64,
    /// In nights.
    pub(super) stay: Option<i64>,
}

/// All bookings that are seen, in an order of their own, and how many say no service date.
pub(super) struct Ledger {
    pub(super) bookings: Vec<Booking>,
    pub(super) undated: u64,
}

/// What a value says of the service.
#[derive(Clone, Copy)]
enum Said {
    Day(Date),
    Nights(i64),
    Nothing,
}

/// A date, a time in the zone or an instant; or a number of nights.
fn said(json: &str, zone: &Zone) -> Said {
    /// Longer stays are none.
    const LONGEST: f64 = 36_500.0;
    match serde_json::from_str(json) {
        Ok(Value::String(text)) => match Bound::parse(&text) {
            Some(Bound::Date(date)) => Said::Day(date),
            Some(Bound::Local(time)) => Said::Day(time.date()),
            Some(Bound::At(at)) => Said::Day(zone.date(at)),
            None => Said::Nothing,
        },
        Ok(Value::Number(number)) => match number.as_f64() {
            Some(nights) if (0.0..=LONGEST).contains(&nights) && nights.fract() == 0.0 => {
                Said::Nights(nights as i64)
            }
            _ => Said::Nothing,
        },
        _ => Said::Nothing,
    }
}

/// The days from one date to another.
pub(super) fn days(from: Date, to: Date) -> i64 {
    i64::from((to - from).get_days())
}

impl Ledger {
    /// Reads the bookings of all users.
    ///
    /// Of several bookings of a user with one id the first counts; it is taken back by the user's first cancellation of that id
    /// that is not before it. Without an id each is one, and stays.
    pub(super) fn read(question: &Pickup, view: &View<'_>) -> Result<Self> {
        let zone = &question.range.zone;
        let as_of = view.as_of.micros();
        let booking = view.meaning(&question.booking)?;
        let cancellation = question.cancellation.as_ref();
        let cancellation = cancellation.map(|c| view.meaning(c)).transpose()?;
        let seen = view.rows(&question.filters)?;
        let id = view.columns.reader(&question.booking_id, as_of)?;
        let date = view.columns.reader(&question.service_date, as_of)?;
        let stay = question.length_of_stay.as_ref();
        let stay = stay.map(|p| view.columns.reader(p, as_of)).transpose()?;
        let read = |values: &[String]| -> Vec<Said> {
            values.iter().map(|value| said(value, zone)).collect()
        };
        let dates = read(date.dictionary().values());
        let stays = stay.as_ref().map(|s| read(s.dictionary().values()));
        let value = |said: &[Said], code: Option<u32>| {
            code.and_then(|code| said.get(code as usize).copied())
                .unwrap_or(Said::Nothing)
        };
        let (mut bookings, undated) = view.fold(
            || (Vec::new(), 0_u64),
            |(bookings, undated): &mut (Vec<Booking>, u64), timeline| {
                let rows = timeline.ts.iter().zip(timeline.name).zip(timeline.row);
                let rows = rows.map(|((ts, name), row)| (*ts, *name, *row));
                let rows = rows.filter(|r| seen.as_ref().is_none_or(|seen| seen.hold(r.2)));
                let mut known: HashMap<u32, usize> = HashMap::new();
                // The first cancellation of each id at the latest time it has any: rows of one time have no order that means anything.
                let mut taken_back: HashMap<u32, (i64, u32)> = HashMap::new();
                for (ts, name, row) in rows {
                    let which = id.code(timeline.user, ts, row);
                    let takes_back = cancellation.as_ref().is_some_and(|c| c.holds(name, row));
                    if let Some(which) = which.filter(|_| takes_back) {
                        let taken = known.get(&which);
                        if let Some(taken) = taken.and_then(|at| bookings.get_mut(*at)) {
                            taken.cancelled = taken.cancelled.min(ts);
                        }
                        let latest = taken_back.entry(which).or_insert((ts, row));
                        if latest.0 < ts {
                            *latest = (ts, row);
                        }
                    }
                    if !booking.holds(name, row) {
                        continue;
                    }
                    let Said::Day(service) = value(&dates, date.code(timeline.user, ts, row))
                    else {
                        *undated += 1;
                        continue;
                    };
                    if let Some(which) = which {
                        if known.contains_key(&which) {
                            continue;
                        }
                        known.insert(which, bookings.len());
                    }
                    let beside = which.and_then(|which| taken_back.get(&which));
                    let beside = beside.is_some_and(|(at, by)| *at == ts && *by != row);
                    let length = stay.as_ref().map(|s| s.code(timeline.user, ts, row));
                    let stay = match value(stays.as_deref().unwrap_or_default(), length.flatten()) {
                        Said::Nights(nights) => Some(nights),
                        Said::Day(end) if end >= service => Some(days(service, end)),
                        _ => None,
                    };
                    bookings.push(Booking {
                        service,
                        user: timeline.user,
                        made: ts,
                        cancelled: if beside { ts } else { i64::MAX },
                        stay,
                    });
                }
            },
            |mut a, mut b| {
                a.0.append(&mut b.0);
                (a.0, a.1 + b.1)
            },
        )?;
        bookings.sort_unstable();
        Ok(Self { bookings, undated })
    }
}

impl Booking {
    /// Whether it is on the books at the end of an instant.
    pub(super) fn stands(&self, at: i64) -> bool {
        self.made <= at && at < self.cancelled
    }

    /// Whether it was taken back.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled != i64::MAX
    }

    /// The local days from the booking to the service.
    pub(super) fn lead(&self, zone: &Zone) -> i64 {
        days(
            zone.date(Instant::saturating_from_micros(self.made)),
            self.service,
        )
    }
}
