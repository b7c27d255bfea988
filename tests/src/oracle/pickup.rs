//! Bookings by the day of service, by looking at every booking for every number (M2).

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::calendar::{
    Calendar, Period, WEEKDAYS, first_showing, last_showing_before, local, midnight,
};
use super::numbers::{instant, quantiles, rate};
use super::question::{Bound, Range, Selector, micros, text};
use super::{Event, History};

/// A question of pickup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pickup {
    /// Bookings.
    pub booking: Selector,
    /// What takes them back.
    pub cancellation: Option<Selector>,
    /// The property that says how long a stay is.
    pub length_of_stay: Option<String>,
    /// Selects the service dates.
    pub range: Range,
    /// The period of service dates.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: chrono::Weekday,
    /// How many days before.
    pub days_before: Vec<u64>,
    /// Nothing later is seen (G2).
    pub as_of: i64,
}

struct Booking {
    user: String,
    made: i64,
    service: NaiveDate,
    cancelled: Option<i64>,
    nights: Option<i64>,
}

impl Pickup {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, now: i64) -> Self {
        let named = |field: &str, default: &str| {
            question.get(field).map_or_else(|| default.to_owned(), text)
        };
        let (day, period) = (named("weekStart", "monday"), named("period", "daily"));
        let all = [Period::Daily, Period::Weekly, Period::Monthly];
        let days = question.get("daysBefore").and_then(Value::as_array);
        Self {
            booking: question.get("booking").map_or_else(
                || Selector::AnyOf(vec!["complete_booking".to_owned()]),
                Selector::read,
            ),
            cancellation: question.get("cancellation").map(Selector::read),
            length_of_stay: question.get("lengthOfStay").map(text),
            range: Range::read(question),
            period: all
                .into_iter()
                .find(|p| p.name() == period)
                .expect("a period"),
            week_start: WEEKDAYS.iter().find(|d| d.0 == day).expect("a weekday").1,
            days_before: days.map_or_else(
                || vec![0, 1, 3, 7, 14, 30, 60, 90],
                |days| days.iter().filter_map(Value::as_u64).collect(),
            ),
            as_of: question.get("asOf").map_or(now, micros),
        }
    }

    /// The question as doors take it.
    pub fn json(&self) -> Value {
        json!({
            "booking": self.booking.json(),
            "cancellation": self.cancellation.as_ref().map(Selector::json),
            "lengthOfStay": self.length_of_stay,
            "startDate": self.range.start.json(),
            "endDate": self.range.end.json(),
            "timezone": self.range.timezone,
            "period": self.period.name(),
            "weekStart": self.week_start_name(),
            "daysBefore": self.days_before,
            "asOf": instant(self.as_of),
        })
    }

    fn week_start_name(&self) -> &'static str {
        let named = WEEKDAYS.iter().find(|d| d.1 == self.week_start);
        named.expect("a weekday").0
    }

    /// The date that a property of an event says.
    fn date(&self, event: &Event, property: &str) -> Option<NaiveDate> {
        let said = event.properties.get(property)?.as_str()?;
        if let Ok(date) = said.parse() {
            return Some(date);
        }
        if let Ok(at) = said.parse::<chrono::DateTime<chrono::Utc>>() {
            return Some(local(self.range.tz(), at.timestamp_micros()).date());
        }
        said.parse::<chrono::NaiveDateTime>().ok().map(|t| t.date())
    }

    /// Every booking that is seen, and how many say no date.
    fn bookings(&self, history: &History) -> (Vec<Booking>, u64) {
        let (mut bookings, mut undated) = (Vec::new(), 0);
        for (user, rows) in history.users(self.as_of) {
            let mut ids = BTreeSet::new();
            for (i, row) in rows.iter().enumerate() {
                if !self.booking.means(&row.name) {
                    continue;
                }
                let Some(service) = self.date(row, "serviceDate") else {
                    undated += 1;
                    continue;
                };
                let id = row.properties.get("bookingId").filter(|id| !id.is_null());
                if id.is_some_and(|id| !ids.insert(id.to_string())) {
                    continue;
                }
                let takes_back = |(j, later): &(usize, &&Event)| {
                    let cancels = self.cancellation.as_ref();
                    *j != i
                        && later.ts >= row.ts
                        && cancels.is_some_and(|c| c.means(&later.name))
                        && id.is_some()
                        && later.properties.get("bookingId") == id
                };
                let nights = self.length_of_stay.as_ref().and_then(|property| {
                    let said = row.properties.get(property)?;
                    if let Some(nights) = said.as_i64() {
                        return (0..=36_500).contains(&nights).then_some(nights);
                    }
                    let nights = (self.date(row, property)? - service).num_days();
                    (nights >= 0).then_some(nights)
                });
                bookings.push(Booking {
                    user: user.to_owned(),
                    made: row.ts,
                    service,
                    cancelled: rows
                        .iter()
                        .enumerate()
                        .find(takes_back)
                        .map(|(_, by)| by.ts),
                    nights,
                });
            }
        }
        (bookings, undated)
    }

    /// The instant after the local day so many days before a date.
    fn after(&self, date: NaiveDate, before: u64) -> i64 {
        let day = date.checked_sub_days(Days::new(before)).expect("a date");
        let next = day.succ_opt().expect("a date");
        last_showing_before(self.range.tz(), midnight(next))
    }

    fn figures(&self, bookings: &[&Booking], to: i64) -> Value {
        let gone = |b: &&&Booking| b.cancelled.is_some();
        let cancelled: Vec<_> = bookings.iter().filter(gone).collect();
        let standing: Vec<_> = bookings.iter().filter(|b| b.cancelled.is_none()).collect();
        let users = |list: &[&&Booking]| {
            let users: BTreeSet<&str> = list.iter().map(|b| b.user.as_str()).collect();
            users.len()
        };
        let tz = self.range.tz();
        // Quantiles are told of microseconds, in seconds.
        let days = |list: Vec<i64>| {
            let list: Vec<i64> = list.into_iter().map(|days| days * 1_000_000).collect();
            quantiles(&list)
        };
        let lead = standing
            .iter()
            .map(|b| (b.service - local(tz, b.made).date()).num_days());
        let pickup = self.days_before.iter().map(|before| {
            let stands = |b: &&&Booking| {
                let after = self.after(b.service, *before);
                b.made < after && b.cancelled.is_none_or(|at| at >= after)
            };
            let last = local(tz, to - 1).date();
            json!({
                "daysBefore": before,
                "count": bookings.iter().filter(stands).count(),
                "complete": self.after(last, *before) <= self.as_of + 1,
            })
        });
        json!({
            "booked": bookings.len(),
            "cancelled": cancelled.len(),
            "onTheBooks": standing.len(),
            "users": {
                "booked": users(&bookings.iter().collect::<Vec<_>>()),
                "cancelled": users(&cancelled),
                "onTheBooks": users(&standing),
            },
            "cancellationRate": rate(cancelled.len() as u64, bookings.len() as u64),
            "leadTime": days(lead.filter(|days| *days >= 0).collect()),
            "lengthOfStay": days(standing.iter().filter_map(|b| b.nights).collect()),
            "pickup": pickup.collect::<Vec<_>>(),
        })
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let (from, to) = self.range.span();
        let tz = self.range.tz();
        let calendar = Calendar {
            tz,
            period: self.period,
            week_start: self.week_start,
        };
        let (bookings, undated) = self.bookings(history);
        let begins = |b: &Booking| first_showing(tz, midnight(b.service));
        let within: Vec<&Booking> = bookings
            .iter()
            .filter(|b| (from..to).contains(&begins(b)))
            .collect();
        let periods = calendar.touching(from, to).into_iter().map(|first| {
            let (start, end) = (calendar.start(first), calendar.end(first));
            let mine = |b: &&&Booking| calendar.period_of(begins(b)) == first;
            let mine: Vec<&Booking> = within.iter().filter(mine).copied().collect();
            let mut period = self.figures(&mine, end.min(to));
            period["start"] = json!(instant(start));
            period["end"] = json!(instant(end));
            period["partial"] = json!(start < from || end > to);
            period
        });
        json!({
            "periods": periods.collect::<Vec<_>>(),
            "total": self.figures(&within, to),
            "withoutServiceDate": undated,
            "booking": self.booking.json(),
            "cancellation": self.cancellation.as_ref().map(Selector::json),
            "bookingId": "bookingId",
            "serviceDate": "serviceDate",
            "lengthOfStay": self.length_of_stay,
            "period": self.period.name(),
            "weekStart": self.week_start_name(),
            "startDate": instant(from),
            "endDate": instant(to),
            "timezone": self.range.timezone,
            "asOf": instant(self.as_of),
        })
    }

    /// The first date of the range, for whoever lays services around it.
    pub fn first(&self) -> NaiveDate {
        match self.range.start {
            Bound::Date(date) => date,
            other => local(self.range.tz(), other.start(self.range.tz())).date(),
        }
    }
}
