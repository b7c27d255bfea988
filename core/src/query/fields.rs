//! Reads a question from JSON and collects *all* that is wrong with it, whichever door it came through.

use std::ops::RangeInclusive;

use jiff::civil;
use serde_json::{Map, Value};

use super::calendar::{PERIODS, WEEKDAYS};
use super::segment::SEGMENTS;
use super::{Bound, Instant, Period, Range, Segment, Selector, WeekStart, Window, Zone};
use crate::error::{Error, FieldError, Result};

/// What is wrong with a value: where inside it (empty for the value itself), a code and a sentence.
#[derive(Debug)]
pub(crate) struct Fault {
    at: String,
    code: &'static str,
    message: String,
}

#[cfg(test)]
impl Fault {
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

/// The outcome of reading one value.
pub(crate) type Parsed<T> = std::result::Result<T, Vec<Fault>>;

/// A single fault of the value itself.
pub(crate) fn fault<T>(code: &'static str, message: impl Into<String>) -> Parsed<T> {
    Err(vec![Fault {
        at: String::new(),
        code,
        message: message.into(),
    }])
}

/// The fields of one question while they are read.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
    /// Whether fields that are not known are left alone.
    open: bool,
}

impl<'a> Fields<'a> {
    /// Begins to read a question, which must be a JSON object.
    pub(crate) fn of(question: &'a Value) -> Result<Self> {
        let map = question.as_object().ok_or_else(|| {
            Error::field(
                "question",
                "invalid_type",
                "must be an object with named fields",
            )
        })?;
        Ok(Self {
            map,
            known: Vec::new(),
            errors: Vec::new(),
            open: false,
        })
    }

    /// Leaves fields that are not known alone.
    pub(crate) fn keep_unknown(&mut self) {
        self.open = true;
    }

    /// Reads a field that may be absent or null.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.map.get(name).filter(|v| !v.is_null())?;
        self.take(name, read(value))
    }

    /// Reads a field that may be absent but where null is a value of its own.
    pub(crate) fn nullable<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<T> {
        self.known.push(name);
        let value = self.map.get(name)?;
        self.take(name, read(value))
    }

    /// Reads a field that must be there; where it is not, or is wrong, the default stands in until `finish` refuses.
    pub(crate) fn required<T: Default>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Value) -> Parsed<T>,
    ) -> T {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.known.push(name);
            self.errors.push(FieldError {
                field: name.to_owned(),
                code: "required",
                message: "is required".to_owned(),
            });
            return T::default();
        }
        self.optional(name, read).unwrap_or_default()
    }

    /// The asked range: `startDate`, `endDate`, `timezone`.
    pub(crate) fn range(&mut self) -> Range {
        Range {
            start: self.required("startDate", date),
            end: self.required("endDate", date),
            zone: self.optional("timezone", zone).unwrap_or_default(),
        }
    }

    /// The part of a list that is asked for: `limit`, within these bounds, and `offset`.
    pub(crate) fn page(&mut self, bounds: RangeInclusive<i64>, limit: usize) -> (usize, usize) {
        let (least, most) = bounds.into_inner();
        let given = self.optional("limit", |v| integer(v, least, most));
        let offset = self.optional("offset", |v| integer(v, 0, i64::from(u32::MAX)));
        (
            given.map_or(limit, |n| n as usize),
            offset.map_or(0, |n| n as usize),
        )
    }

    /// Ends the reading: unknown fields and `more` faults join the others, and any of them refuses the question.
    ///
    /// A field that could not be read is reported once, for that reason.
    pub(crate) fn finish(mut self, more: Vec<FieldError>) -> Result<()> {
        let read: Vec<String> = self.errors.iter().map(|e| e.field.clone()).collect();
        let unreadable = |field: &str| {
            let inside = |r: &String| {
                r.strip_prefix(field)
                    .is_some_and(|at| at.is_empty() || at.starts_with('['))
            };
            read.iter().any(inside)
        };
        let dates_read =
            !unreadable("startDate") && !unreadable("endDate") && !unreadable("timezone");
        self.errors.extend(
            more.into_iter()
                .filter(|e| !unreadable(&e.field) && (dates_read || e.code != "not_after_start")),
        );
        for name in self
            .map
            .keys()
            .filter(|n| !self.open && !self.known.contains(&n.as_str()))
        {
            self.errors.push(FieldError {
                field: name.clone(),
                code: "unknown_field",
                message: format!("is not known; known are {}", self.known.join(", ")),
            });
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Error::fields(self.errors))
        }
    }

    fn take<T>(&mut self, name: &str, parsed: Parsed<T>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(faults) => {
                self.errors.extend(faults.into_iter().map(|f| FieldError {
                    field: format!("{name}{}", f.at),
                    code: f.code,
                    message: f.message,
                }));
                None
            }
        }
    }
}

/// Text.
pub(crate) fn text(value: &Value) -> Parsed<&str> {
    value
        .as_str()
        .map_or_else(|| fault("invalid_type", "must be a string"), Ok)
}

/// Text of so many characters, which are Unicode code points, as every store holds it.
pub(crate) fn text_of(value: &Value, least: usize, most: usize) -> Parsed<String> {
    let given = text(value)?;
    // PostgreSQL holds no NUL within text.
    if given.contains('\0') {
        return fault("invalid_text", "must not contain NUL");
    }
    let length = given.chars().count();
    if (least..=most).contains(&length) {
        return Ok(given.to_owned());
    }
    let message = if least == 0 {
        format!("must have at most {most} characters")
    } else {
        format!("must have {least} to {most} characters")
    };
    fault("invalid_length", message)
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value) -> Parsed<bool> {
    value
        .as_bool()
        .map_or_else(|| fault("invalid_type", "must be true or false"), Ok)
}

/// A whole number within bounds, both included.
pub(crate) fn integer(value: &Value, low: i64, high: i64) -> Parsed<i64> {
    let whole = value
        .as_i64()
        // 20.0 is a whole number in JSON's eyes.
        .or_else(|| {
            value
                .as_f64()
                .filter(|f| f.fract() == 0.0 && f.abs() < 9e15)
                .map(|f| f as i64)
        });
    match whole {
        None => fault("invalid_type", "must be an integer"),
        Some(n) if n < low || n > high => {
            fault("out_of_range", format!("must be between {low} and {high}"))
        }
        Some(n) => Ok(n),
    }
}

/// One of a list of names.
pub(crate) fn one_of<T: Copy>(value: &Value, names: &[(&str, T)]) -> Parsed<T> {
    let given = text(value)?;
    names.iter().find(|n| n.0 == given).map_or_else(
        || {
            let list: Vec<&str> = names.iter().map(|n| n.0).collect();
            fault(
                "not_in_list",
                format!("`{given}` is not one of {}", list.join(", ")),
            )
        },
        |n| Ok(n.1),
    )
}

/// A list, each item read by `item`; all faults of all items at once.
pub(crate) fn list<T>(value: &Value, mut item: impl FnMut(&Value) -> Parsed<T>) -> Parsed<Vec<T>> {
    let Some(items) = value.as_array() else {
        return fault("invalid_type", "must be an array");
    };
    let mut read = Vec::with_capacity(items.len());
    let mut faults = Vec::new();
    for (i, value) in items.iter().enumerate() {
        match item(value) {
            Ok(value) => read.push(value),
            Err(inner) => faults.extend(inner.into_iter().map(|f| Fault {
                at: format!("[{i}]{}", f.at),
                ..f
            })),
        }
    }
    if faults.is_empty() {
        Ok(read)
    } else {
        Err(faults)
    }
}

/// An object whose fields `read` reads; all faults of all fields at once.
pub(crate) fn object<T>(value: &Value, read: impl FnOnce(&mut Fields<'_>) -> T) -> Parsed<T> {
    let Ok(mut fields) = Fields::of(value) else {
        return fault("invalid_type", "must be an object");
    };
    let object = read(&mut fields);
    fields.finish(Vec::new()).map(|()| object).map_err(|error| {
        let faults = error.field_errors().iter();
        faults
            .map(|f| Fault {
                at: format!(".{}", f.field),
                code: f.code,
                message: f.message.clone(),
            })
            .collect()
    })
}

/// The name that runs are kept under: 1 to 100 characters.
pub(crate) fn log_name(value: &Value) -> Parsed<String> {
    text_of(value, 1, 100)
}

/// An event name: 1 to 200 characters.
pub(crate) fn name(value: &Value) -> Parsed<String> {
    let name = text(value)?;
    if name.is_empty() || name.chars().count() > 200 {
        return fault("invalid_length", "must have 1 to 200 characters");
    }
    Ok(name.to_owned())
}

/// `"name"`, `null` for any event, `["a", "b"]` for any of them, or `{"event": <one of these>}`.
pub(crate) fn selector(value: &Value) -> Parsed<Selector> {
    match value {
        Value::Null => Ok(Selector::Any),
        Value::String(_) => name(value).map(Selector::Event),
        Value::Array(names) if names.is_empty() => fault("empty", "must name at least one event"),
        Value::Array(_) => list(value, name).map(Selector::AnyOf),
        Value::Object(map) if map.len() == 1 => match map.get("event") {
            Some(inner) if !inner.is_object() => selector(inner),
            _ => fault("invalid_type", "must have the one field `event`"),
        },
        _ => fault(
            "invalid_type",
            "must be an event name, a list of names, or null for any event",
        ),
    }
}

/// A length of time: `"7d"`, or a number of seconds.
pub(crate) fn window(value: &Value) -> Parsed<Window> {
    let negative = || fault("out_of_range", "must not be negative");
    let read = match value {
        Value::Number(n) => {
            let seconds = n.as_f64().unwrap_or(f64::NAN);
            if seconds < 0.0 {
                return negative();
            }
            match n.as_i64() {
                Some(whole) => whole.checked_mul(1_000_000),
                None => Some((seconds * 1e6).round() as i64),
            }
            .and_then(Window::from_micros)
        }
        Value::String(text) if text.starts_with('-') => return negative(),
        Value::String(text) => Window::parse(text),
        _ => None,
    };
    read.map_or_else(
        || {
            fault(
                "invalid_window",
                "must be seconds, or a length such as 30m, 12h, 7d or 2w, of at most 100 years",
            )
        },
        Ok,
    )
}

/// An ISO 8601 date, with or without a time and an offset.
pub(crate) fn date(value: &Value) -> Parsed<Bound> {
    let given = text(value)?;
    Bound::parse(given).map_or_else(
        || {
            no_date(
                given,
                "an ISO 8601 date, such as 2026-01-31 or 2026-01-31T10:00:00Z",
            )
        },
        Ok,
    )
}

/// Why a text is no date that can be asked for.
fn no_date<T>(given: &str, wanted: &str) -> Parsed<T> {
    let date = given.get(..10).and_then(|d| d.parse::<civil::Date>().ok());
    let message = match date {
        Some(date) if !(1..=9998).contains(&date.year()) => {
            format!("`{given}` is out of range: the years are 1 to 9998")
        }
        _ => format!("`{given}` is not {wanted}"),
    };
    fault("invalid_date", message)
}

/// An exact instant.
pub(crate) fn instant(value: &Value) -> Parsed<Instant> {
    let given = text(value)?;
    given
        .parse()
        .or_else(|_| no_date(given, "an ISO 8601 instant, such as 2026-01-31T10:00:00Z"))
}

/// An IANA time zone.
pub(crate) fn zone(value: &Value) -> Parsed<Zone> {
    let given = text(value)?;
    Zone::named(given).or_else(|_| {
        fault(
            "unknown_zone",
            format!("`{given}` is not an IANA time zone, such as Europe/Paris"),
        )
    })
}

/// One of the seven segments.
pub(crate) fn segment(value: &Value) -> Parsed<Segment> {
    one_of(value, &SEGMENTS)
}

/// The length of a calendar's buckets.
pub(crate) fn period(value: &Value) -> Parsed<Period> {
    one_of(value, &PERIODS)
}

/// The first day of the week.
pub(crate) fn week_start(value: &Value) -> Parsed<WeekStart> {
    one_of(value, &WEEKDAYS).map(WeekStart)
}

/// An object within the question: `read` takes its fields and says what else is wrong with them; all faults are told by their paths.
pub(crate) fn object_with<T>(
    value: &Value,
    read: impl FnOnce(&mut Fields<'_>) -> (T, Vec<FieldError>),
) -> Parsed<T> {
    let Ok(mut fields) = Fields::of(value) else {
        return fault("invalid_type", "must be an object with named fields");
    };
    let (read, more) = read(&mut fields);
    match fields.finish(more) {
        Ok(()) => Ok(read),
        Err(error) => Err(error
            .field_errors()
            .iter()
            .map(|e| Fault {
                at: format!(".{}", e.field),
                code: e.code,
                message: e.message.clone(),
            })
            .collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_beyond_all_years_is_said_to_be_out_of_range() {
        for (given, words) in [
            ("9999-12-31", "out of range"),
            ("0000-01-01", "out of range"),
            ("9999-12-31T10:00:00Z", "out of range"),
            ("2026-02-30", "is not an ISO 8601"),
            ("9999", "is not an ISO 8601"),
        ] {
            let given = Value::from(given);
            for faults in [date(&given).err(), instant(&given).err()] {
                let faults = faults.unwrap();
                assert_eq!(faults[0].code(), "invalid_date");
                assert!(faults[0].message.contains(words), "{}", faults[0].message);
            }
        }
    }
}
