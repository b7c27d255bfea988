//! One value of a row as a reader found it, and what it can be read as.

use std::borrow::Cow;

use jiff::civil;
use serde_json::{Number, Value};

use super::mapping::Unit;
use super::money;
use crate::query::{Instant, Zone};

/// One value of a row as a reader found it.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    /// Nothing, or an empty field of a CSV file.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number, as its decimal text.
    Number(Cow<'a, str>),
    /// A text.
    Text(Cow<'a, str>),
    /// A field of a CSV file, which has no types: a number where it looks like one.
    Loose(Cow<'a, str>),
    /// An instant in microseconds.
    Micros(i64),
    /// A time without a zone, in microseconds as if in UTC.
    Local(i64),
    /// A date, in days since 1970.
    Date(i32),
    /// An object or an array.
    Json(Cow<'a, Value>),
    /// A number that no JSON can hold.
    Infinite,
}

/// What is wrong with a cell: a code and a sentence.
pub(crate) type Fault = (&'static str, String);
type Read<T> = Result<T, Fault>;

/// The latest time accepted: the end of the year 9998. The earliest is [`Instant::MIN`].
const LAST: i64 = 253_370_764_799_999_999;

impl<'a> Cell<'a> {
    /// The cell of a JSON value.
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => n
                .as_i64()
                .map_or_else(|| Self::Number(n.to_string().into()), Self::Int),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(_) | Value::Object(_) => Self::Json(Cow::Borrowed(value)),
        }
    }

    /// Whether it holds nothing.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As an id or a short text: a text, or the digits of a whole number; empty is none (I4).
    pub(crate) fn text(&self, longest: usize) -> Read<Option<Cow<'_, str>>> {
        let text: Cow<'_, str> = match self {
            Self::Null => return Ok(None),
            Self::Text(text) | Self::Loose(text) => Cow::Borrowed(text.as_ref()),
            Self::Int(number) => number.to_string().into(),
            // A column of whole numbers with gaps often arrives as doubles.
            Self::Number(number) => match whole(number) {
                Some(number) => number.to_string().into(),
                None if number.bytes().all(|b| b.is_ascii_digit()) => {
                    Cow::Borrowed(number.as_ref())
                }
                None => {
                    return Err((
                        "invalid_type",
                        format!("`{number}` is neither a text nor a whole number"),
                    ));
                }
            },
            _ => {
                return Err((
                    "invalid_type",
                    "must be a text or a whole number".to_owned(),
                ));
            }
        };
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > longest && text.chars().count() > longest {
            return Err((
                "invalid_length",
                format!("must have at most {longest} characters"),
            ));
        }
        Ok(Some(text))
    }

    /// As a whole number.
    pub(crate) fn integer(&self) -> Read<Option<i64>> {
        let read = match self {
            Self::Null => return Ok(None),
            Self::Int(number) => Some(*number),
            Self::Number(text) | Self::Text(text) | Self::Loose(text) => {
                text.trim().parse().ok().or_else(|| whole(text))
            }
            _ => None,
        };
        read.map(Some)
            .ok_or_else(|| ("invalid_type", "must be a whole number".to_owned()))
    }

    /// As decimal text: a number, or a text that `read` may refuse.
    pub(crate) fn decimal(&self, digits: u32, scale: i32) -> Read<Option<i128>> {
        let read = match self {
            Self::Null => return Ok(None),
            Self::Int(number) => money::decimal(&number.to_string(), digits, scale),
            Self::Number(text) | Self::Text(text) | Self::Loose(text) => {
                if text.is_empty() {
                    return Ok(None);
                }
                money::decimal(text, digits, scale)
            }
            _ => None,
        };
        read.map(Some).ok_or_else(|| {
            (
                "invalid_amount",
                format!(
                    "must be a decimal number below 10^{}",
                    i64::from(digits) - i64::from(scale)
                ),
            )
        })
    }

    /// As a double that is finite.
    pub(crate) fn double(&self) -> Read<Option<f64>> {
        let read = match self {
            Self::Null => return Ok(None),
            Self::Int(number) => Some(*number as f64),
            Self::Number(text) | Self::Text(text) | Self::Loose(text) => text.trim().parse().ok(),
            _ => None,
        };
        read.filter(|number| number.is_finite())
            .map(Some)
            .ok_or_else(|| ("invalid_type", "must be a finite number".to_owned()))
    }

    /// As an instant in microseconds, within the years 1 to 9998.
    ///
    /// A time without an offset is one of the zone; a bare date is that day's first instant there.
    pub(crate) fn instant(&self, zone: &Zone, unit: Option<Unit>) -> Read<Option<i64>> {
        let wrong = || {
            let given = self.shown();
            (
                "invalid_date",
                format!("{given} is not a time, such as 2026-01-31T10:00:00Z"),
            )
        };
        let micros = match self {
            Self::Null => return Ok(None),
            Self::Micros(micros) => Some(*micros),
            Self::Local(micros) => jiff::Timestamp::from_microsecond(*micros)
                .ok()
                .map(|t| zone.instant(jiff::tz::Offset::UTC.to_datetime(t)).micros()),
            Self::Date(days) => {
                let at = midnight(*days)?.timestamp();
                let date = jiff::tz::Offset::UTC.to_datetime(at).date();
                Some(zone.start_of(date).micros())
            }
            Self::Text(text) | Self::Loose(text) => {
                let text = text.trim();
                if text.is_empty() {
                    return Ok(None);
                }
                match text.parse::<i64>() {
                    Ok(number) => return epoch(number, unit).map(Some),
                    Err(_) => written(text, zone),
                }
            }
            Self::Int(number) => return epoch(*number, unit).map(Some),
            Self::Number(text) => match (whole(text), unit) {
                (Some(number), _) => return epoch(number, unit).map(Some),
                // Seconds with a fraction.
                (None, Some(Unit::Seconds)) => {
                    money::decimal(text, 18, 6).and_then(|micros| i64::try_from(micros).ok())
                }
                _ => None,
            },
            _ => None,
        };
        let micros = micros.ok_or_else(wrong)?;
        within(micros).map(Some)
    }

    /// As a civil date, in days since 1970.
    pub(crate) fn date(&self) -> Read<Option<i32>> {
        let read = match self {
            Self::Null => return Ok(None),
            Self::Date(days) => {
                midnight(*days)?;
                Some(*days)
            }
            Self::Local(micros) | Self::Micros(micros) => {
                i32::try_from(micros.div_euclid(DAY)).ok()
            }
            Self::Text(text) | Self::Loose(text) if text.is_empty() => return Ok(None),
            Self::Text(text) | Self::Loose(text) => text
                .get(..10)
                .unwrap_or(text)
                .parse::<civil::Date>()
                .ok()
                .and_then(days),
            _ => None,
        };
        read.map(Some).ok_or_else(|| {
            (
                "invalid_date",
                format!("{} is not a date, such as 2026-01-31", self.shown()),
            )
        })
    }

    /// As a value of a JSON object.
    pub(crate) fn into_json(self) -> Read<Value> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(number) => Value::from(number),
            Self::Number(text) => match text.parse::<Number>() {
                // A double has about 16 digits; a decimal of more keeps them as text.
                Ok(number) if money::same(&text, &number.to_string()) => number.into(),
                Ok(_) => Value::String(text.into_owned()),
                Err(_) => return Err(("invalid_type", format!("`{text}` is not a number"))),
            },
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Loose(text) => loose(text),
            Self::Micros(micros) => {
                Value::String(Instant::saturating_from_micros(micros).to_string())
            }
            Self::Local(micros) => {
                let text = Instant::saturating_from_micros(micros).to_string();
                Value::String(text.trim_end_matches('Z').to_owned())
            }
            Self::Date(days) => {
                let text = midnight(days)?.to_string();
                Value::String(text.get(..10).unwrap_or(&text).to_owned())
            }
            Self::Json(value) => value.into_owned(),
            Self::Infinite => return Err(("not_finite", "must be a finite number".to_owned())),
        })
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Loose(text) | Self::Number(text) => {
                let short: String = text.chars().take(40).collect();
                format!("`{short}`")
            }
            Self::Bool(b) => format!("`{b}`"),
            _ => "it".to_owned(),
        }
    }
}

const DAY: i64 = 86_400_000_000;

fn days(date: civil::Date) -> Option<i32> {
    let at = jiff::tz::Offset::UTC
        .to_timestamp(date.at(0, 0, 0, 0))
        .ok()?;
    i32::try_from(at.as_microsecond().div_euclid(DAY)).ok()
}

/// A time as people write it: ISO 8601 with an offset, without one, or a bare date.
fn written(text: &str, zone: &Zone) -> Option<i64> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        // The microsecond it lies in, before 1970 too.
        return i64::try_from(at.as_nanosecond().div_euclid(1_000)).ok();
    }
    if text.len() <= 10 {
        return text
            .parse::<civil::Date>()
            .ok()
            .map(|date| zone.start_of(date).micros());
    }
    // What has an offset was read above: of the others, none may be mistaken for one without.
    let (_, time) = text.split_at_checked(10)?;
    if time.contains(['Z', 'z', '+', '-', '[']) {
        return None;
    }
    text.parse::<civil::DateTime>()
        .ok()
        .map(|time| zone.instant(time).micros())
}

fn epoch(number: i64, unit: Option<Unit>) -> Read<i64> {
    let factor = match unit {
        None => {
            return Err((
                "invalid_date",
                format!(
                    "`{number}` is a number; say in timeUnit whether it counts seconds, milliseconds or microseconds"
                ),
            ));
        }
        Some(Unit::Seconds) => 1_000_000,
        Some(Unit::Milliseconds) => 1_000,
        Some(Unit::Microseconds) => 1,
    };
    number
        .checked_mul(factor)
        .ok_or_else(outside)
        .and_then(within)
}

fn within(micros: i64) -> Read<i64> {
    if (Instant::MIN.micros()..=LAST).contains(&micros) {
        Ok(micros)
    } else {
        Err(outside())
    }
}

/// The first instant of a day in UTC.
fn midnight(days: i32) -> Read<Instant> {
    i64::from(days)
        .checked_mul(DAY)
        .and_then(Instant::from_micros)
        .ok_or_else(outside)
}

fn outside() -> Fault {
    (
        "invalid_date",
        "must be within the years 1 to 9998".to_owned(),
    )
}

/// A whole number written as a decimal, such as `12.0`.
fn whole(text: &str) -> Option<i64> {
    let number: f64 = text.trim().parse().ok()?;
    // Below 2^53 every whole double is exactly one whole number.
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// What a field of a CSV file is: a number where its text is one as JSON writes it, so that `007` stays a text.
fn loose(text: Cow<'_, str>) -> Value {
    match text.as_ref() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        other => {
            let first = other.bytes().next().unwrap_or_default();
            if (first == b'-' || first.is_ascii_digit())
                && let Ok(number) = other.parse::<Number>()
                && money::same(other, &number.to_string())
            {
                return Value::Number(number);
            }
            Value::String(text.into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(text.into())
    }

    #[test]
    fn a_time_is_read_with_its_offset_or_in_the_zone_of_the_mapping() {
        let paris = Zone::named("Europe/Paris").unwrap();
        let beirut = Zone::named("Asia/Beirut").unwrap();
        for (cell, zone, instant) in [
            (text("2026-01-31T10:00:00Z"), &paris, "2026-01-31T10:00:00Z"),
            (
                text("2026-01-31T10:00:00+05:30"),
                &paris,
                "2026-01-31T04:30:00Z",
            ),
            (
                text("2026-01-31T10:00:00.123456789"),
                &paris,
                "2026-01-31T09:00:00.123456Z",
            ),
            (text("2026-01-31 10:00:00"), &paris, "2026-01-31T09:00:00Z"),
            (text("2026-07-31"), &paris, "2026-07-30T22:00:00Z"),
            // No midnight that day: it begins at one o'clock.
            (text("2022-03-27"), &beirut, "2022-03-26T22:00:00Z"),
            (Cell::Local(0), &paris, "1969-12-31T23:00:00Z"),
            (Cell::Micros(0), &paris, "1970-01-01T00:00:00Z"),
            (Cell::Date(1), &paris, "1970-01-01T23:00:00Z"),
        ] {
            let expected: Instant = instant.parse().unwrap();
            assert_eq!(
                cell.instant(zone, None).unwrap(),
                Some(expected.micros()),
                "{cell:?}"
            );
        }
    }

    #[test]
    fn a_number_is_a_time_only_where_its_unit_is_known() {
        let utc = Zone::default();
        let second = |cell: Cell<'_>, unit| cell.instant(&utc, unit).map(|t| t.unwrap_or(-1));
        assert_eq!(
            second(Cell::Int(1_700_000_000), Some(Unit::Seconds)).unwrap(),
            1_700_000_000_000_000
        );
        assert_eq!(
            second(Cell::Int(1_700_000_000_123), Some(Unit::Milliseconds)).unwrap(),
            1_700_000_000_123_000
        );
        assert_eq!(
            second(text("1700000000123456"), Some(Unit::Microseconds)).unwrap(),
            1_700_000_000_123_456
        );
        assert_eq!(
            second(Cell::Number("1.5".into()), Some(Unit::Seconds)).unwrap(),
            1_500_000
        );
        assert!(
            second(Cell::Int(5), None)
                .unwrap_err()
                .1
                .contains("timeUnit")
        );
        assert!(second(Cell::Int(i64::MAX), Some(Unit::Seconds)).is_err());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let utc = Zone::default();
        for wrong in [
            "yesterday",
            "2026-02-30",
            "2026-13-01T00:00:00Z",
            "9999-01-01T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "-0005-01-01",
            "2026-01-01T10:00:00+99:00",
        ] {
            assert_eq!(
                text(wrong).instant(&utc, None).unwrap_err().0,
                "invalid_date",
                "{wrong}"
            );
        }
        assert!(Cell::Bool(true).instant(&utc, None).is_err());
        assert!(Cell::Micros(i64::MAX).instant(&utc, None).is_err());
        assert!(Cell::Local(i64::MIN).instant(&utc, None).is_err());
        assert_eq!(text("").instant(&utc, None).unwrap(), None);
    }

    #[test]
    fn an_id_may_be_a_whole_number_but_no_fraction() {
        let id = |cell: Cell<'_>| {
            cell.text(5)
                .map(|t| t.map(Cow::into_owned))
                .map_err(|f| f.0)
        };
        assert_eq!(id(Cell::Int(12)), Ok(Some("12".to_owned())));
        assert_eq!(id(Cell::Number("12.0".into())), Ok(Some("12".to_owned())));
        assert_eq!(id(Cell::Number("12.5".into())), Err("invalid_type"));
        assert_eq!(
            id(Cell::Loose("00012".into())),
            Ok(Some("00012".to_owned()))
        );
        assert_eq!(id(text("ééééé")), Ok(Some("ééééé".to_owned())));
        assert_eq!(id(text("éééééé")), Err("invalid_length"));
        assert_eq!(id(text("")), Ok(None));
        assert_eq!(id(Cell::Bool(true)), Err("invalid_type"));
    }

    #[test]
    fn a_csv_field_is_a_number_where_json_would_write_it_so() {
        let json = |field: &'static str| Cell::Loose(field.into()).into_json().unwrap();
        assert_eq!(json("11.77"), serde_json::json!(11.77));
        assert_eq!(json("-3"), serde_json::json!(-3));
        assert_eq!(json("007"), serde_json::json!("007"));
        assert_eq!(json("+7"), serde_json::json!("+7"));
        assert_eq!(json("NaN"), serde_json::json!("NaN"));
        assert_eq!(json("true"), serde_json::json!(true));
        assert_eq!(json("1e999"), serde_json::json!("1e999"));
        assert_eq!(json("1.50"), serde_json::json!(1.5));
        assert_eq!(
            json("12345678901234.5678"),
            serde_json::json!("12345678901234.5678")
        );
    }
}
