//! The platform's own tables as rows.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch, StringArray};

use super::places::{HOMES, Trip, decimal};
use super::rows::{Thing, batch, dates, text, times};
use super::{DAY, World};
use crate::error::Result;

impl World {
    pub(super) fn profiles(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let profiles = self.all.profiles.get(rows).unwrap_or_default();
        let properties = |person: u32| {
            let home = self
                .people
                .get(person as usize)
                .and_then(|t| HOMES.get(usize::from(t.home)))?;
            let (country, language, zone) = (home.country, home.language, home.zone);
            let currency = self.people.get(person as usize)?.currency().code;
            Some(format!(
                r#"{{"country":"{country}","currency":"{currency}","language":"{language}","timezone":"{zone}"}}"#
            ))
        };
        let plan = |premium: bool| Some(if premium { "premium" } else { "free" });
        batch([
            (
                "user_id",
                text(profiles.iter().map(|p| self.user(p.person))),
            ),
            ("ts", times(profiles.iter().map(|p| p.at))),
            (
                "plan",
                Arc::new(
                    profiles
                        .iter()
                        .map(|p| plan(p.premium))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "properties",
                text(profiles.iter().map(|p| properties(p.person))),
            ),
        ])
    }

    pub(super) fn rates(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let rates = self.rates.get(rows).unwrap_or_default();
        batch([
            (
                "currency",
                Arc::new(
                    rates
                        .iter()
                        .map(|r| Some(r.currency))
                        .collect::<StringArray>(),
                ),
            ),
            ("day", dates(rates.iter().map(|r| Some(r.day)))),
            (
                "rate",
                text(rates.iter().map(|r| Some(decimal(r.worth, 8)))),
            ),
        ])
    }

    pub(super) fn trips(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let trips: Vec<Trip> = Trip::all().skip(rows.start).take(rows.len()).collect();
        let properties = |trip: &Trip| {
            let place = trip.place;
            Some(format!(
                r#"{{"country":"{}","kind":"{}","nights":{},"standard":"{}"}}"#,
                place.country,
                place.kind.name(),
                trip.nights(),
                trip.standard(),
            ))
        };
        batch([
            (
                "trip_id",
                text(
                    trips
                        .iter()
                        .map(|t| Some(self.id(Thing::Trip, 0, t.number, 0))),
                ),
            ),
            (
                "destination",
                Arc::new(
                    trips
                        .iter()
                        .map(|t| Some(t.place.city))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "amount",
                text(trips.iter().map(|t| Some(decimal(t.price(), 2)))),
            ),
            (
                "currency",
                Arc::new(trips.iter().map(|_| Some("EUR")).collect::<StringArray>()),
            ),
            ("properties", text(trips.iter().map(properties))),
        ])
    }

    pub(super) fn bookings(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let bookings = self.all.bookings.get(rows).unwrap_or_default();
        let end = self.demo.end.micros();
        let status = |cancelled: Option<i64>| {
            Some(if cancelled.is_some_and(|at| at <= end) {
                "cancelled"
            } else {
                "confirmed"
            })
        };
        batch([
            (
                "booking_id",
                text(
                    bookings
                        .iter()
                        .map(|b| Some(self.id(Thing::Booking, b.person, b.number, 0))),
                ),
            ),
            ("ts", times(bookings.iter().map(|b| b.at))),
            (
                "user_id",
                text(bookings.iter().map(|b| self.user(b.person))),
            ),
            (
                "trip_id",
                text(
                    bookings
                        .iter()
                        .map(|b| Some(self.id(Thing::Trip, 0, b.trip, 0))),
                ),
            ),
            (
                "service_date",
                dates(bookings.iter().map(|b| Some(b.service.div_euclid(DAY)))),
            ),
            (
                "status",
                Arc::new(
                    bookings
                        .iter()
                        .map(|b| status(b.cancelled))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "amount",
                text(
                    bookings
                        .iter()
                        .map(|b| Some(self.money(b.person, b.amount))),
                ),
            ),
            (
                "currency",
                self.currencies(bookings.iter().map(|b| b.person)),
            ),
            (
                "properties",
                text(
                    bookings
                        .iter()
                        .map(|b| Some(format!(r#"{{"travellers":{}}}"#, b.travellers))),
                ),
            ),
        ])
    }

    pub(super) fn payments(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let payments = self.all.payments.get(rows).unwrap_or_default();
        let id = |person, booking, amount: i64| {
            Some(self.id(Thing::Payment, person, booking, amount.signum()))
        };
        let status = |amount: i64| Some(if amount < 0 { "refunded" } else { "paid" });
        batch([
            (
                "payment_id",
                text(payments.iter().map(|p| id(p.person, p.booking, p.amount))),
            ),
            ("ts", times(payments.iter().map(|p| p.at))),
            (
                "user_id",
                text(payments.iter().map(|p| self.user(p.person))),
            ),
            (
                "booking_id",
                text(
                    payments
                        .iter()
                        .map(|p| Some(self.id(Thing::Booking, p.person, p.booking, 0))),
                ),
            ),
            (
                "status",
                Arc::new(
                    payments
                        .iter()
                        .map(|p| status(p.amount))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "amount",
                text(
                    payments
                        .iter()
                        .map(|p| Some(self.money(p.person, p.amount))),
                ),
            ),
            (
                "currency",
                self.currencies(payments.iter().map(|p| p.person)),
            ),
            (
                "properties",
                text(
                    payments
                        .iter()
                        .map(|p| Some(format!(r#"{{"method":"{}"}}"#, p.method))),
                ),
            ),
        ])
    }

    pub(super) fn reviews(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let reviews = self.all.reviews.get(rows).unwrap_or_default();
        let properties = |person, booking| {
            Some(format!(
                r#"{{"bookingId":"{}"}}"#,
                self.id(Thing::Booking, person, booking, 0)
            ))
        };
        batch([
            (
                "review_id",
                text(
                    reviews
                        .iter()
                        .map(|r| Some(self.id(Thing::Review, r.person, r.booking, 0))),
                ),
            ),
            ("ts", times(reviews.iter().map(|r| r.at))),
            ("user_id", text(reviews.iter().map(|r| self.user(r.person)))),
            (
                "trip_id",
                text(
                    reviews
                        .iter()
                        .map(|r| Some(self.id(Thing::Trip, 0, r.trip, 0))),
                ),
            ),
            (
                "rating",
                Arc::new(Float64Array::from_iter_values(
                    reviews.iter().map(|r| f64::from(r.rating)),
                )),
            ),
            (
                "properties",
                text(reviews.iter().map(|r| properties(r.person, r.booking))),
            ),
        ])
    }

    pub(super) fn performance(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let samples = self.samples.get(rows).unwrap_or_default();
        let properties =
            |endpoint, status| Some(format!(r#"{{"endpoint":"{endpoint}","status":{status}}}"#));
        let millis = |micros: i64| micros as f64 / 1_000.0;
        batch([
            ("ts", times(samples.iter().map(|s| s.at))),
            (
                "name",
                Arc::new(
                    samples
                        .iter()
                        .map(|_| Some("latency_ms"))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "value",
                Arc::new(Float64Array::from_iter_values(
                    samples.iter().map(|s| millis(s.micros)),
                )),
            ),
            (
                "properties",
                text(samples.iter().map(|s| properties(s.endpoint, s.status))),
            ),
        ])
    }
}
