//! The events as rows: ids, names and properties.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringBuilder};

use super::chance::hash;
use super::person::{Event, NOBODY, Traits, What};
use super::places::{PLACES, Trip, VARIANTS, decimal};
use super::rows::{Thing, batch, times};
use super::{DAY, World};
use crate::error::Result;
use crate::query::{Instant, Zone};

impl World {
    pub(super) fn events(&self, rows: Range<usize>) -> Result<RecordBatch> {
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
        let date =
            |day: i32| Zone::default().day(Instant::saturating_from_micros(i64::from(day) * DAY));
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
                service,
            } => {
                let nights = Trip::of(trip).map_or(0, Trip::nights);
                write!(
                    text,
                    r#""bookingId":"{}","nights":{nights},"serviceDate":"{}","travellers":{travellers},"tripId":"{}""#,
                    booking_id(booking),
                    date(service),
                    trip_id(trip),
                )?;
            }
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
