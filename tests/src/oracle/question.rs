//! The words of a question as the oracle reads and writes them.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::calendar::{first_showing, midnight, zone};
use super::numbers::instant;

/// Which events are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Any.
    Any,
    /// Those of that name.
    Event(String),
    /// Those of any of these names.
    AnyOf(Vec<String>),
}

impl Selector {
    /// Whether an event of that name is meant.
    pub fn means(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Event(one) => one == name,
            Self::AnyOf(some) => some.contains(&name.to_owned()),
        }
    }

    /// As questions and answers write it.
    pub fn json(&self) -> Value {
        match self {
            Self::Any => Value::Null,
            Self::Event(one) => json!(one),
            Self::AnyOf(some) => json!(some),
        }
    }

    /// As questions write it.
    pub fn read(value: &Value) -> Self {
        match value {
            Value::Null => Self::Any,
            Value::String(name) => Self::Event(name.clone()),
            Value::Array(names) => Self::AnyOf(names.iter().map(text).collect()),
            Value::Object(wrapped) => Self::read(&wrapped["event"]),
            other => panic!("{other} is no selector"),
        }
    }
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A whole local day.
    Date(NaiveDate),
    /// A local time.
    Local(NaiveDateTime),
    /// An instant.
    At(i64),
}

impl Bound {
    /// As questions write it.
    pub fn json(self) -> Value {
        match self {
            Self::Date(date) => json!(date.to_string()),
            Self::Local(time) => json!(time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
            Self::At(ts) => json!(instant(ts)),
        }
    }

    /// As questions write it.
    pub fn read(value: &Value) -> Self {
        let text = text(value);
        if let Ok(date) = text.parse() {
            Self::Date(date)
        } else if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
            Self::At(at.timestamp_micros())
        } else {
            let minutes = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M");
            Self::Local(
                minutes
                    .or_else(|_| text.parse())
                    .expect("a date, an instant or a local time"),
            )
        }
    }

    /// The instant it means as the start of a range.
    pub fn start(self, tz: Tz) -> i64 {
        match self {
            Self::Date(date) => first_showing(tz, midnight(date)),
            Self::Local(time) => first_showing(tz, time),
            Self::At(ts) => ts,
        }
    }

    /// The instant it means as the end of a range, which a bare date includes whole (T4).
    pub fn end(self, tz: Tz) -> i64 {
        match self {
            Self::Date(date) => {
                let next = date
                    .checked_add_days(Days::new(1))
                    .expect("dates are far from the end of time");
                first_showing(tz, midnight(next))
            }
            other => other.start(tz),
        }
    }
}

/// `[start, end)` in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub start: Bound,
    /// Where it ends.
    pub end: Bound,
    /// The zone's IANA name.
    pub timezone: String,
}

impl Range {
    /// As questions write it.
    pub fn read(question: &Value) -> Self {
        Self {
            start: Bound::read(&question["startDate"]),
            end: Bound::read(&question["endDate"]),
            timezone: question
                .get("timezone")
                .map_or_else(|| "UTC".to_owned(), text),
        }
    }

    /// Its zone.
    pub fn tz(&self) -> Tz {
        zone(&self.timezone)
    }

    /// The instants it means, the second excluded.
    pub fn span(&self) -> (i64, i64) {
        (self.start.start(self.tz()), self.end.end(self.tz()))
    }
}

/// A length of time in microseconds: `"7d"`, or a number of seconds.
pub fn window(value: &Value) -> i64 {
    if let Some(seconds) = value.as_f64() {
        return (seconds * 1e6).round() as i64;
    }
    let text = text(value);
    let units = [
        ("ms", 1_000),
        ("s", 1_000_000),
        ("m", 60_000_000),
        ("h", 3_600_000_000),
        ("d", 86_400_000_000),
        ("w", 604_800_000_000),
    ];
    units
        .iter()
        .find_map(|(unit, micros)| Some(text.strip_suffix(unit)?.parse::<i64>().ok()? * micros))
        .expect("a length of time")
}

/// A length of time as answers write it, in seconds.
pub fn seconds(micros: i64) -> Value {
    if micros % 1_000_000 == 0 {
        json!(micros / 1_000_000)
    } else {
        json!(micros as f64 / 1e6)
    }
}

/// An instant in microseconds, from text.
pub fn micros(value: &Value) -> i64 {
    DateTime::parse_from_rfc3339(&text(value))
        .expect("an instant")
        .timestamp_micros()
}

/// Text.
pub fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
