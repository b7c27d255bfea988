//! The question of bookings by the day of service, and what can be wrong with it.

use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields};
use crate::query::filter::filters;
use crate::query::{Condition, Filter, Instant, Period, Property, Range, Selector, WeekStart};
use crate::timeline::Needs;

/// How the bookings of a range of service dates came in.
///
/// There are two axes of time: when something was booked, which is when its event happened, and when the service is, which a
/// property of the event says. A future service date is no future event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pickup {
    /// The events that are bookings; the catalogue's conversions by default.
    pub booking: Condition,
    /// The events that take a booking of the same user back; none by default.
    pub cancellation: Option<Condition>,
    /// The property of both that says which booking it is; `bookingId` by default.
    pub booking_id: Property,
    /// The property of bookings that says when the service is: a date, or a time; `serviceDate` by default.
    pub service_date: Property,
    /// The property that says how long it is: a number of nights, or the date on which it ends.
    pub length_of_stay: Option<Property>,
    /// Selects the service dates, which may lie in the future.
    pub range: Range,
    /// The period of service dates; days by default.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// How many days before the service the books are looked at; ascending, at most 100.
    pub days_before: Vec<u32>,
    /// Only events that meet all of these are seen.
    pub filters: Vec<Filter>,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

const DAYS_BEFORE: [u32; 8] = [0, 1, 3, 7, 14, 30, 60, 90];

impl Default for Pickup {
    fn default() -> Self {
        Self {
            booking: Condition::default(),
            cancellation: None,
            booking_id: Property::Event("bookingId".to_owned()),
            service_date: Property::Event("serviceDate".to_owned()),
            length_of_stay: None,
            range: Range::default(),
            period: Period::Daily,
            week_start: WeekStart::default(),
            days_before: DAYS_BEFORE.to_vec(),
            filters: Vec::new(),
            as_of: None,
        }
    }
}

impl Pickup {
    /// Reads a question in its JSON form: `booking`, `cancellation`, `bookingId`, `serviceDate`, `lengthOfStay`, `startDate`,
    /// `endDate`, `timezone`, `period`, `weekStart`, `daysBefore`, `filters`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, conversions: &[String], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let default = Self::default();
        let property = |v: &Value| fields::name(v).map(Property::Event);
        let pickup = Self {
            booking: fields
                .nullable("booking", condition)
                .unwrap_or_else(|| Selector::AnyOf(conversions.to_vec()).into()),
            cancellation: fields.optional("cancellation", condition),
            booking_id: fields
                .optional("bookingId", property)
                .unwrap_or(default.booking_id),
            service_date: fields
                .optional("serviceDate", property)
                .unwrap_or(default.service_date),
            length_of_stay: fields.optional("lengthOfStay", property),
            range: fields.range(),
            period: fields
                .optional("period", fields::period)
                .unwrap_or(default.period),
            week_start: fields
                .optional("weekStart", fields::week_start)
                .unwrap_or_default(),
            days_before: fields
                .optional("daysBefore", |v| {
                    let days = |v: &Value| fields::integer(v, 0, 3_650).map(|n| n as u32);
                    fields::list(v, days)
                })
                .unwrap_or(default.days_before),
            filters: fields.optional("filters", filters).unwrap_or_default(),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(pickup.faults(now))?;
        Ok(pickup)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.range.faults(self.as_of, now);
        faults.retain(|fault| fault.field == "asOf" || fault.code != "in_future");
        if !self.days_before.is_sorted_by(|a, b| a < b) || self.days_before.len() > 100 {
            faults.push(FieldError {
                field: "daysBefore".to_owned(),
                code: "invalid_brackets",
                message: "must be at most 100 numbers of days that ascend".to_owned(),
            });
        }
        faults
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let events = self.booking.properties();
        let events = events.chain(self.cancellation.iter().flat_map(|c| c.properties()));
        let said = [&self.booking_id, &self.service_date];
        Needs {
            properties: events
                .chain(said)
                .chain(&self.length_of_stay)
                .chain(self.filters.iter().map(|f| &f.property))
                .collect(),
            ..Needs::default()
        }
    }
}

/// Which bookings of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that were made.
    Booked,
    /// Those that were taken back.
    Cancelled,
    /// The others.
    OnTheBooks,
}

const WHICH: [(&str, Which); 3] = [
    ("booked", Which::Booked),
    ("cancelled", Which::Cancelled),
    ("on_the_books", Which::OnTheBooks),
];

/// Whose users are asked for: those with such a booking in a period, or in any of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The bookings.
    pub which: Which,
    /// The first instant of the period; all periods where there is none.
    pub period: Option<Instant>,
}

impl Cell {
    /// Reads `{"cell": "on_the_books", "period": "2026-01-01T00:00:00Z"}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(cell: &Value) -> Result<Self> {
        let mut fields = Fields::of(cell)?;
        let which = fields.required("cell", |v| fields::one_of(v, &WHICH).map(Some));
        let period = fields.optional("period", fields::instant);
        fields.finish(Vec::new())?;
        Ok(Self {
            which: which.unwrap_or(Which::OnTheBooks),
            period,
        })
    }
}
