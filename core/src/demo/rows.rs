//! The tables as Arrow batches, with the column names that an import expects.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::chance::hash;
use super::person::{Event, NOBODY, Traits, What};
use super::places::{HOMES, PLACES, Trip, VARIANTS, decimal};
use super::{DAY, Table, World};
use crate::error::{Error, Result};

/// How many rows a batch has.
const ROWS: usize = 32_768;

/// What an id is of, so that two things of one number never share one.
#[derive(Clone, Copy)]
enum Thing {
    User,
    Anonymous,
    Event,
    Session,
    Trip,
    Booking,
    Payment,
    Review,
}

impl World {
    /// The rows of a table, batch by batch; events in the order in which they were received, late ones and copies among
    /// them. Amounts are exact decimal text, times are microseconds in UTC, properties are JSON objects as text.
    ///
    /// A booking's status is the one at the demo's `end`.
    ///
    /// # Errors
    /// None is expected: an error here is a fault of travelsense.
    pub fn batches(&self, table: Table) -> impl Iterator<Item = Result<RecordBatch>> + Send + '_ {
        let count = self.count(table);
        (0..count).step_by(ROWS).map(move |from| {
            let rows = from..(from + ROWS).min(count);
            match table {
                Table::Events => self.events(rows),
                Table::Profiles => self.profiles(rows),
                Table::Rates => self.rates(rows),
                Table::Trips => self.trips(rows),
                Table::Bookings => self.bookings(rows),
                Table::Payments => self.payments(rows),
                Table::Reviews => self.reviews(rows),
                Table::Performance => self.performance(rows),
            }
        })
    }

    fn events(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let events = self.all.events.get(rows).unwrap_or_default();
        let mut text = String::new();
        let mut ids = StringBuilder::with_capacity(events.len(), events.len() * 36);
        let mut users = StringBuilder::with_capacity(events.len(), events.len() * 24);
        let mut anonymous = StringBuilder::with_capacity(events.len(), events.len() * 24);
        let mut sessions = StringBuilder::with_capacity(events.len(), events.len() * 24);
        let mut properties = StringBuilder::with_capacity(events.len(), events.len() * 100);
        for event in events {
            let person = event.person;
            ids.append_value(self.uuid(event));
            let traits = self.people.get(person as usize).copied();
            match traits.and_then(|t| t.member).filter(|_| event.known) {
                Some(member) => users.append_value(self.id(Thing::User, person, 0, member)),
                // Some clients send an empty id for nobody (I4).
                None if person == NOBODY && event.seq % 3 == 0 => users.append_value(""),
                None => users.append_null(),
            }
            if person == NOBODY {
                anonymous.append_null();
                sessions.append_null();
            } else {
                anonymous.append_value(self.id(Thing::Anonymous, person, event.device.into(), 0));
                sessions.append_value(self.id(Thing::Session, person, event.session, 0));
            }
            text.clear();
            // Writing to a String cannot fail.
            let _ = self.properties(event, traits, &mut text);
            properties.append_value(&text);
        }
        batch([
            ("event_id", strings(ids)),
            ("user_id", strings(users)),
            ("anonymous_id", strings(anonymous)),
            ("session_id", strings(sessions)),
            (
                "name",
                Arc::new(
                    events
                        .iter()
                        .map(|e| Some(name(e.what)))
                        .collect::<StringArray>(),
                ),
            ),
            ("ts", times(events.iter().map(|e| e.ts))),
            ("received_at", times(events.iter().map(|e| e.received))),
            (
                "client_seq",
                Arc::new(Int64Array::from_iter_values(
                    events.iter().map(|e| i64::from(e.seq)),
                )),
            ),
            ("properties", strings(properties)),
        ])
    }

    fn properties(
        &self,
        event: &Event,
        traits: Option<Traits>,
        text: &mut String,
    ) -> std::fmt::Result {
        let trip_id = |trip: u16| self.id(Thing::Trip, 0, trip, 0);
        let booking_id = |number: u16| self.id(Thing::Booking, event.person, number, 0);
        text.push('{');
        if let Some(traits) = traits {
            let device = traits
                .devices
                .get(usize::from(event.device))
                .copied()
                .unwrap_or_default();
            let plan = if event.premium { "premium" } else { "free" };
            write!(
                text,
                r#""country":"{}","device":"{device}","plan":"{plan}","#,
                traits.country()
            )?;
        }
        match event.what {
            What::Page(page, "") => write!(text, r#""page":"{page}""#)?,
            What::Page(page, source) => write!(text, r#""page":"{page}","source":"{source}""#)?,
            What::SignUp | What::SignIn => write!(text, r#""method":"password""#)?,
            What::Search {
                place,
                lead,
                travellers,
            } => {
                let city = PLACES.get(usize::from(place)).map_or("", |p| p.city);
                write!(
                    text,
                    r#""destination":"{city}","leadDays":{lead},"travellers":{travellers}"#
                )?;
            }
            What::ViewTrip { trip } => {
                let (city, price) = Trip::of(trip).map_or(("", 0), |t| (t.place.city, t.price()));
                let price = decimal(price, 2);
                write!(
                    text,
                    r#""destination":"{city}","priceEur":"{price}","tripId":"{}""#,
                    trip_id(trip)
                )?;
            }
            What::Feature { name: "map", trip } => {
                let city = PLACES
                    .get(usize::from(trip / VARIANTS))
                    .map_or("", |p| p.city);
                write!(text, r#""destination":"{city}""#)?;
            }
            What::Feature { trip, .. } | What::PaymentFailed { trip } => {
                write!(text, r#""tripId":"{}""#, trip_id(trip))?;
            }
            What::StartBooking { trip, travellers } => {
                write!(
                    text,
                    r#""travellers":{travellers},"tripId":"{}""#,
                    trip_id(trip)
                )?;
            }
            What::CompleteBooking {
                booking,
                trip,
                travellers,
            } => write!(
                text,
                r#""bookingId":"{}","travellers":{travellers},"tripId":"{}""#,
                booking_id(booking),
                trip_id(trip),
            )?,
            What::Payment {
                booking, amount, ..
            } => {
                let currency = traits.map(Traits::currency);
                let amount = decimal(amount, currency.map_or(2, |c| c.digits));
                let currency = currency.map_or("", |c| c.code);
                let booking = booking_id(booking);
                write!(
                    text,
                    r#""amount":"{amount}","bookingId":"{booking}","currency":"{currency}""#
                )?;
            }
            What::CancelBooking { booking, trip } => {
                write!(
                    text,
                    r#""bookingId":"{}","tripId":"{}""#,
                    booking_id(booking),
                    trip_id(trip)
                )?;
            }
            What::Review { trip, rating } => {
                write!(text, r#""rating":{rating},"tripId":"{}""#, trip_id(trip))?
            }
            What::Plan { premium } => {
                write!(
                    text,
                    r#""to":"{}""#,
                    if premium { "premium" } else { "free" }
                )?;
            }
            What::Error { status, page } => write!(text, r#""page":"{page}","status":{status}"#)?,
        }
        text.push('}');
        Ok(())
    }

    fn profiles(&self, rows: Range<usize>) -> Result<RecordBatch> {
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

    fn rates(&self, rows: Range<usize>) -> Result<RecordBatch> {
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

    fn trips(&self, rows: Range<usize>) -> Result<RecordBatch> {
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

    fn bookings(&self, rows: Range<usize>) -> Result<RecordBatch> {
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

    fn payments(&self, rows: Range<usize>) -> Result<RecordBatch> {
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

    fn reviews(&self, rows: Range<usize>) -> Result<RecordBatch> {
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

    fn performance(&self, rows: Range<usize>) -> Result<RecordBatch> {
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

    /// An id of 24 hex digits, as the platform gives them.
    fn id(&self, thing: Thing, person: u32, number: u16, at: i64) -> String {
        let (seed, kind) = (self.demo.seed, thing as u64);
        let person = u64::from(person) << 16 | u64::from(number);
        let high = hash([seed, kind, person, at as u64]);
        let low = hash([high, kind, person, seed]);
        format!("{:08x}{low:016x}", high >> 32)
    }

    /// A UUID of version 7, as clients make them: its first 48 bits are the client's milliseconds.
    fn uuid(&self, event: &Event) -> String {
        let number = u64::from(event.person) << 32 | u64::from(event.seq);
        let a = hash([self.demo.seed, Thing::Event as u64, number, event.ts as u64]);
        let b = hash([a, number, 0, 0]);
        let millis = event.ts as u64 / 1_000;
        format!(
            "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
            millis >> 16 & 0xffff_ffff,
            millis & 0xffff,
            a & 0xfff,
            0x8000 | a >> 12 & 0x3fff,
            b & 0xffff_ffff_ffff,
        )
    }

    fn user(&self, person: u32) -> Option<String> {
        let member = self.people.get(person as usize)?.member?;
        Some(self.id(Thing::User, person, 0, member))
    }

    fn money(&self, person: u32, minor: i64) -> String {
        decimal(
            minor,
            self.people
                .get(person as usize)
                .map_or(2, |t| t.currency().digits),
        )
    }

    fn currencies(&self, people: impl Iterator<Item = u32>) -> ArrayRef {
        let code = |person: u32| self.people.get(person as usize).map(|t| t.currency().code);
        Arc::new(people.map(code).collect::<StringArray>())
    }
}

/// The event's name, as the travel catalogue knows it.
pub(super) fn name(what: What) -> &'static str {
    match what {
        What::Page(..) => "page_view",
        What::SignUp => "sign_up",
        What::SignIn => "sign_in",
        What::Search { .. } => "search",
        What::ViewTrip { .. } => "view_trip",
        What::Feature { name, .. } => name,
        What::StartBooking { .. } => "start_booking",
        What::CompleteBooking { .. } => "complete_booking",
        What::Payment { refund: false, .. } => "payment",
        What::Payment { refund: true, .. } => "refund",
        What::PaymentFailed { .. } => "payment_failed",
        What::CancelBooking { .. } => "cancel_booking",
        What::Review { .. } => "review",
        What::Plan { premium: true } => "upgrade_plan",
        What::Plan { premium: false } => "downgrade_plan",
        What::Error { .. } => "error",
    }
}

fn strings(mut builder: StringBuilder) -> ArrayRef {
    Arc::new(builder.finish())
}

fn text(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values))
}

fn dates(days: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(days.map(|d| d.map(|d| d as i32)).collect::<Date32Array>())
}

fn batch<const N: usize>(columns: [(&'static str, ArrayRef); N]) -> Result<RecordBatch> {
    let field = |(name, column): &(&'static str, ArrayRef)| {
        let kind = match column.data_type() {
            DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, None),
            other => other.clone(),
        };
        Field::new(*name, kind, true)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|c| c.1).collect())
        .map_err(Error::internal)
}
