//! The answer: bookings by the period of their service, and the books as they stood before.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::ledger::{Booking, Ledger};
use super::question::{Cell, Pickup, Which};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::query::{
    Calendar, Condition, Filter, Instant, Period, Property, Quantiles, Rate, WeekStart, Zone,
    answer, answer::Stamp,
};
use crate::timeline::View;

/// How the bookings of a range of service dates came in.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PickupAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The periods of service dates that the range touches, in order.
    pub periods: Vec<PickupPeriod>,
    /// All of them together.
    pub total: Figures,
    /// Bookings whose event says no date of service, of any time; they are in no figure.
    pub without_service_date: u64,
    /// The events that are bookings.
    pub booking: Condition,
    /// The events that take one back.
    pub cancellation: Option<Condition>,
    /// The property that says which booking it is.
    pub booking_id: Property,
    /// The property that says when the service is.
    pub service_date: Property,
    /// The property that says how long it is.
    pub length_of_stay: Option<Property>,
    /// What every event seen met; absent for nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// The length of periods.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// The first instant of the range of service dates.
    pub start_date: Instant,
    /// The first instant after it.
    pub end_date: Instant,
    /// The zone of dates and days.
    pub timezone: Zone,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
}

/// The services of one period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PickupPeriod {
    /// Its first instant.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
    /// Whether the range cuts it (T3).
    pub partial: bool,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What is known of some services.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Bookings made.
    pub booked: u64,
    /// Those of them that were taken back.
    pub cancelled: u64,
    /// The others: bookings net of cancellations.
    pub on_the_books: u64,
    /// The distinct users behind each.
    pub users: Users,
    /// Cancelled of booked.
    pub cancellation_rate: Rate,
    /// The local days from the booking to the service, of those on the books that were made by then.
    pub lead_time: Quantiles,
    /// The nights of those on the books that say it.
    pub length_of_stay: Quantiles,
    /// The books as they stood at the end of the local day so many days before each service.
    pub pickup: Vec<OnTheBooks>,
}

/// Distinct users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Users {
    /// With a booking made.
    pub booked: u64,
    /// With one that was taken back.
    pub cancelled: u64,
    /// With one on the books.
    pub on_the_books: u64,
}

/// The books so many days before service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnTheBooks {
    /// How many local days before; 0 is the end of the day of service.
    pub days_before: u32,
    /// Bookings made by then and not taken back by then.
    pub count: u64,
    /// Whether that time has come for all services; otherwise more may follow.
    pub complete: bool,
}

/// Answers a valid question over timelines.
///
/// # Errors
/// `too_many_periods` for too long a range; `cancelled`.
pub fn answer(question: &Scoped<&Pickup>, view: &View<'_>) -> Result<PickupAnswer> {
    let question = *question.inner();
    let span = question.range.span();
    let frame = Frame::new(question, view)?;
    let ledger = Ledger::read(question, view)?;
    let found = frame.dealt(&ledger);
    let all: Vec<&Booking> = found.iter().flatten().copied().collect();
    let periods = frame.calendar.buckets().iter().zip(&found);
    let periods = periods.map(|(bucket, bookings)| PickupPeriod {
        start: bucket.start,
        end: bucket.end,
        partial: bucket.start < span.from || bucket.end > span.to,
        figures: frame.figures(bookings, bucket.end.min(span.to)),
    });
    let mut answer = PickupAnswer {
        stamp: Stamp::default(),
        periods: periods.collect(),
        total: frame.figures(&all, span.to),
        without_service_date: ledger.undated,
        booking: question.booking.clone(),
        cancellation: question.cancellation.clone(),
        booking_id: question.booking_id.clone(),
        service_date: question.service_date.clone(),
        length_of_stay: question.length_of_stay.clone(),
        filters: question.filters.clone(),
        period: question.period,
        week_start: question.week_start,
        start_date: span.from,
        end_date: span.to,
        timezone: question.range.zone.clone(),
        as_of: view.as_of,
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

/// The keys of the users with such a booking, ascending: as many as `users` of the answer says.
///
/// # Errors
/// As `answer`; `not_found` for a period that the answer does not have.
pub fn people(question: &Scoped<&Pickup>, view: &View<'_>, cell: &Cell) -> Result<Vec<u32>> {
    let question = *question.inner();
    let frame = Frame::new(question, view)?;
    let buckets = frame.calendar.buckets();
    // A date that a zone skips begins with the date after it, which is the one that is meant.
    let named = |start| {
        buckets
            .iter()
            .position(|b| b.start == start && start < b.end)
    };
    let missing = || Error::field("period", "not_found", "is no period of the answer");
    let place = cell.period.map(|start| named(start).ok_or_else(missing));
    let place = place.transpose()?;
    let ledger = Ledger::read(question, view)?;
    let found = frame.dealt(&ledger);
    let wanted = found.iter().enumerate();
    let wanted = wanted.filter(|(at, _)| place.is_none_or(|place| place == *at));
    let bookings: Vec<&Booking> = wanted.flat_map(|(_, found)| found).copied().collect();
    Ok(users(&bookings, cell.which).into_iter().collect())
}

fn users(bookings: &[&Booking], which: Which) -> BTreeSet<u32> {
    let meant = bookings.iter().filter(|booking| match which {
        Which::Booked => true,
        Which::Cancelled => booking.is_cancelled(),
        Which::OnTheBooks => !booking.is_cancelled(),
    });
    meant.map(|booking| booking.user).collect()
}

/// The periods of a question.
struct Frame<'q> {
    question: &'q Pickup,
    calendar: Calendar,
    as_of: i64,
}

impl<'q> Frame<'q> {
    fn new(question: &'q Pickup, view: &View<'_>) -> Result<Self> {
        let span = question.range.span();
        let (period, week) = (question.period, question.week_start);
        let zone = &question.range.zone;
        Ok(Self {
            question,
            calendar: Calendar::new(zone, period, week, span.from, span.to)?,
            as_of: view.as_of.micros(),
        })
    }

    /// The bookings of each period whose service begins in the range.
    fn dealt<'l>(&self, ledger: &'l Ledger) -> Vec<Vec<&'l Booking>> {
        let span = self.question.range.span();
        let mut found = vec![Vec::new(); self.calendar.buckets().len()];
        for booking in &ledger.bookings {
            let day = self.question.range.zone.start_of(booking.service);
            let within = span.from <= day && day < span.to;
            let place = self.calendar.locate(day.micros()).filter(|_| within);
            if let Some(period) = place.and_then(|place| found.get_mut(place)) {
                period.push(booking);
            }
        }
        found
    }

    /// The last instant of the local day so many days before a date.
    fn end(&self, date: Date, before: u32) -> i64 {
        let next = date.checked_sub((i64::from(before) - 1).days());
        next.map_or(i64::MIN, |next| {
            self.question.range.zone.end_before(next).micros() - 1
        })
    }

    /// The figures of some bookings, in the order of their service dates, which all lie before `to`.
    fn figures(&self, bookings: &[&Booking], to: Instant) -> Figures {
        let zone = &self.question.range.zone;
        let standing = || bookings.iter().filter(|b| !b.is_cancelled());
        let (booked, on_the_books) = (bookings.len() as u64, standing().count() as u64);
        let cancelled = booked - on_the_books;
        let last = zone.date(Instant::saturating_from_micros(to.micros() - 1));
        let days = self.question.days_before.iter();
        let pickup = days.map(|before| {
            let services = bookings.chunk_by(|a, b| a.service == b.service);
            let counts = services.map(|day| {
                let at = day
                    .first()
                    .map_or(i64::MIN, |b| self.end(b.service, *before));
                day.iter().filter(|b| b.stands(at)).count() as u64
            });
            OnTheBooks {
                days_before: *before,
                count: counts.sum(),
                complete: self.end(last, *before) <= self.as_of,
            }
        });
        let distinct = |which| users(bookings, which).len() as u64;
        Figures {
            booked,
            cancelled,
            on_the_books,
            users: Users {
                booked: distinct(Which::Booked),
                cancelled: distinct(Which::Cancelled),
                on_the_books: distinct(Which::OnTheBooks),
            },
            cancellation_rate: Rate::of(cancelled, booked),
            lead_time: Quantiles::of_counts(
                standing()
                    .map(|b| b.lead(zone))
                    .filter(|days| *days >= 0)
                    .collect(),
            ),
            length_of_stay: Quantiles::of_counts(standing().filter_map(|b| b.stay).collect()),
            pickup: pickup.collect(),
        }
    }
}
