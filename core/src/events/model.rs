//! What is stored: an event, and a row of one of the platform's tables.

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_64;

/// One valid event, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id; `None` is never a duplicate of anything.
    pub id: Option<EventId>,
    /// Who did it.
    pub user: Option<String>,
    /// The device or visitor that did it.
    pub anonymous: Option<String>,
    /// The session it belongs to.
    pub session: Option<String>,
    /// What was done.
    pub name: String,
    /// When it happened, in microseconds, with the client's clock corrected (I3).
    pub ts: i64,
    /// When the client says that it happened.
    pub client_ts: i64,
    /// When the client says that it sent it.
    pub sent_at: Option<i64>,
    /// When it was received.
    pub received_at: i64,
    /// Its place among the client's events.
    pub seq: Option<i64>,
    /// [`Event::content_hash`] of the rest.
    pub content_hash: u64,
    /// A JSON object with sorted keys; `None` where it is empty.
    pub properties: Option<String>,
    /// The promoted amount, in ten-thousandths.
    pub amount: Option<i128>,
    /// The promoted currency.
    pub currency: Option<String>,
}

/// The id of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventId {
    /// The UUID itself, or the first 128 bits of the SHA-256 of the text.
    pub key: u128,
    /// The text, where it is no UUID.
    pub text: Option<String>,
}

impl EventId {
    /// The id of that text.
    pub fn new(text: &str) -> Self {
        match uuid(text) {
            Some(key) => Self { key, text: None },
            None => {
                let digest = Sha256::digest(text.as_bytes());
                let key = digest
                    .iter()
                    .take(16)
                    .fold(0u128, |key, byte| key << 8 | u128::from(*byte));
                Self {
                    key,
                    text: Some(text.to_owned()),
                }
            }
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let k = self.key;
        match &self.text {
            Some(text) => f.write_str(text),
            None => write!(
                f,
                "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                k >> 96,
                k >> 80 & 0xffff,
                k >> 64 & 0xffff,
                k >> 48 & 0xffff,
                k & 0xffff_ffff_ffff
            ),
        }
    }
}

/// A UUID in its hyphened form, in either case.
fn uuid(text: &str) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    text.bytes()
        .enumerate()
        .try_fold(0u128, |key, (i, byte)| match (i, byte) {
            (8 | 13 | 18 | 23, b'-') => Some(key),
            (8 | 13 | 18 | 23, _) => None,
            _ => char::from(byte)
                .to_digit(16)
                .map(|digit| key << 4 | u128::from(digit)),
        })
}

impl Event {
    /// XXH3-64 (seed 0) of the canonical content: of user, anonymous id, session, name, client time, sequence and
    /// properties, each as its [`content`] bytes.
    ///
    /// When it was sent and received is not content: a client that sends an event again sends the same event.
    pub(crate) fn content_hash(&self, buffer: &mut Vec<u8>) -> u64 {
        buffer.clear();
        let text =
            |buffer: &mut Vec<u8>, part: Option<&str>| content(buffer, part.map(str::as_bytes));
        text(buffer, self.user.as_deref());
        text(buffer, self.anonymous.as_deref());
        text(buffer, self.session.as_deref());
        text(buffer, Some(&self.name));
        content(buffer, Some(&self.client_ts.to_le_bytes()));
        content(
            buffer,
            self.seq
                .map(i64::to_le_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        );
        text(buffer, self.properties.as_deref());
        XxHash3_64::oneshot(buffer)
    }
}

/// Appends one part of a content: a byte 0 for none, else a byte 1, the length as 4 bytes little-endian, and the bytes.
pub(crate) fn content(buffer: &mut Vec<u8>, part: Option<&[u8]>) {
    match part {
        None => buffer.push(0),
        Some(bytes) => {
            buffer.push(1);
            buffer.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            buffer.extend_from_slice(bytes);
        }
    }
}

/// One of the platform's tables, beside the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// What is known of users, and since when.
    Profiles,
    /// Which user a device turned out to be, and when it was signed out (I5).
    Aliases,
    /// Known users that are one and the same, said explicitly (I5).
    Merges,
    /// What is offered.
    Trips,
    /// What was booked.
    Bookings,
    /// What was said of it.
    Reviews,
    /// What was paid, and paid back.
    Payments,
    /// Samples of how the platform itself does.
    Performance,
    /// What currencies were worth.
    Rates,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Profiles,
        Self::Aliases,
        Self::Merges,
        Self::Trips,
        Self::Bookings,
        Self::Reviews,
        Self::Payments,
        Self::Performance,
        Self::Rates,
    ];

    /// Its name, as in `travelsense import --table payments`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Aliases => "aliases",
            Self::Merges => "merges",
            Self::Trips => "trips",
            Self::Bookings => "bookings",
            Self::Reviews => "reviews",
            Self::Payments => "payments",
            Self::Performance => "performance",
            Self::Rates => "rates",
        }
    }

    /// The table of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Its columns, in the order of the warehouse's table, without the content hash at the end.
    pub(crate) fn columns(self) -> &'static [Column] {
        use Kind as K;
        const fn c(name: &'static str, kind: Kind, required: bool) -> Column {
            Column {
                name,
                kind,
                required,
            }
        }
        const PROFILES: &[Column] = &[
            c("user_key", K::User, true),
            c("ts", K::Time, true),
            c("plan", K::Text, false),
            c("properties", K::Properties, false),
        ];
        const ALIASES: &[Column] = &[
            c("anonymous_key", K::Anonymous, true),
            c("user_key", K::User, false),
            c("ts", K::Time, true),
        ];
        const MERGES: &[Column] = &[
            c("merged_user_key", K::Known, true),
            c("user_key", K::User, false),
            c("ts", K::Time, true),
        ];
        const TRIPS: &[Column] = &[
            c("trip_id", K::Text, false),
            c("ts", K::Time, false),
            c("user_key", K::User, false),
            c("destination", K::Text, false),
            c("starts_on", K::Date, false),
            c("ends_on", K::Date, false),
            c("amount", K::Money, false),
            c("currency", K::Currency, false),
            c("properties", K::Properties, false),
        ];
        const BOOKINGS: &[Column] = &[
            c("booking_id", K::Text, false),
            c("ts", K::Time, true),
            c("user_key", K::User, false),
            c("trip_id", K::Text, false),
            c("service_date", K::Date, false),
            c("status", K::Text, false),
            c("amount", K::Money, false),
            c("currency", K::Currency, false),
            c("properties", K::Properties, false),
        ];
        const REVIEWS: &[Column] = &[
            c("review_id", K::Text, false),
            c("ts", K::Time, true),
            c("user_key", K::User, false),
            c("trip_id", K::Text, false),
            c("rating", K::Number, false),
            c("properties", K::Properties, false),
        ];
        const PAYMENTS: &[Column] = &[
            c("payment_id", K::Text, false),
            c("ts", K::Time, true),
            c("user_key", K::User, false),
            c("booking_id", K::Text, false),
            c("status", K::Text, false),
            c("amount", K::Money, true),
            c("currency", K::Currency, true),
            c("properties", K::Properties, false),
        ];
        const PERFORMANCE: &[Column] = &[
            c("ts", K::Time, true),
            c("name", K::Text, true),
            c("value", K::Number, true),
            c("properties", K::Properties, false),
        ];
        const RATES: &[Column] = &[
            c("currency", K::Currency, true),
            c("day", K::Date, true),
            c("rate", K::Rate, true),
        ];
        match self {
            Self::Profiles => PROFILES,
            Self::Aliases => ALIASES,
            Self::Merges => MERGES,
            Self::Trips => TRIPS,
            Self::Bookings => BOOKINGS,
            Self::Reviews => REVIEWS,
            Self::Payments => PAYMENTS,
            Self::Performance => PERFORMANCE,
            Self::Rates => RATES,
        }
    }

    /// The columns that tell one row from another: a later row of the same key takes its place. None keeps every row.
    pub(crate) fn key(self) -> &'static [&'static str] {
        match self {
            // A profile is a version of what is known: only the very same one is a duplicate.
            Self::Profiles => &["user_key", "ts", "content_hash"],
            Self::Aliases => &["anonymous_key", "ts"],
            Self::Merges => &["merged_user_key"],
            Self::Trips => &["trip_id"],
            Self::Bookings => &["booking_id"],
            Self::Reviews => &["review_id"],
            Self::Payments => &["payment_id"],
            Self::Performance => &[],
            Self::Rates => &["currency", "day"],
        }
    }
}

/// A column of one of the platform's tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user's id, stored as its key.
    User,
    /// The anonymous id, stored as its key.
    Anonymous,
    /// The id of another user, stored as its key.
    Known,
    /// An instant.
    Time,
    /// A civil date.
    Date,
    /// Text of at most 500 characters.
    Text,
    /// DECIMAL(18,4).
    Money,
    /// DECIMAL(18,8), above 0.
    Rate,
    /// Three capital letters.
    Currency,
    /// A double.
    Number,
    /// A JSON object, with the columns that have no place of their own.
    Properties,
}

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// No value.
    Null,
    /// A text, a currency, a JSON object or a user's id.
    Text(String),
    /// An instant in microseconds.
    Time(i64),
    /// A date in days since 1970.
    Date(i32),
    /// A decimal as a whole number of its last place.
    Decimal(i128),
    /// A double.
    Number(f64),
}

/// One valid row of one of the platform's tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its values, in the order of the table's columns.
    pub values: Vec<Datum>,
    /// XXH3-64 of all values.
    pub content_hash: u64,
}

impl Record {
    pub(crate) fn new(values: Vec<Datum>) -> Self {
        let mut buffer = Vec::new();
        for value in &values {
            match value {
                Datum::Null => content(&mut buffer, None),
                Datum::Text(text) => content(&mut buffer, Some(text.as_bytes())),
                Datum::Time(at) => content(&mut buffer, Some(&at.to_le_bytes())),
                Datum::Date(day) => content(&mut buffer, Some(&day.to_le_bytes())),
                Datum::Decimal(number) => content(&mut buffer, Some(&number.to_le_bytes())),
                Datum::Number(number) => content(&mut buffer, Some(&number.to_le_bytes())),
            }
        }
        Self {
            content_hash: XxHash3_64::oneshot(&buffer),
            values,
        }
    }
}

/// JSON with sorted keys and no spaces, so that equal content has equal text.
pub(crate) fn canonical(value: &Value, to: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            // Sorted already, unless another crate of the build asks serde_json to keep the order of insertion.
            entries.sort_unstable_by_key(|entry| entry.0);
            to.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    to.push(',');
                }
                quote(key, to);
                to.push(':');
                canonical(value, to);
            }
            to.push('}');
        }
        Value::Array(items) => {
            to.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    to.push(',');
                }
                canonical(item, to);
            }
            to.push(']');
        }
        Value::String(text) => quote(text, to),
        Value::Null => to.push_str("null"),
        Value::Bool(true) => to.push_str("true"),
        Value::Bool(false) => to.push_str("false"),
        Value::Number(number) => {
            use fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(to, "{number}");
        }
    }
}

fn quote(text: &str, to: &mut String) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        to.push('"');
        to.push_str(text);
        to.push('"');
    } else if let Ok(quoted) = serde_json::to_string(text) {
        to.push_str(&quoted);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_its_uuid_or_its_digest_with_the_text() {
        let text = "018F3C8A-7b1c-7def-8123-456789abcdef";
        let id = EventId::new(text);
        assert_eq!(
            (id.key, id.text.as_deref()),
            (0x018f_3c8a_7b1c_7def_8123_4567_89ab_cdef, None)
        );
        assert_eq!(id.to_string(), text.to_lowercase());
        // The first 16 bytes of the SHA-256 of `abc`, from the standard.
        let id = EventId::new("abc");
        assert_eq!(
            (id.key, id.text.as_deref()),
            (0xba78_16bf_8f01_cfea_4141_40de_5dae_2223, Some("abc"))
        );
        for text in [
            "018f3c8a7b1c7def8123456789abcdef",
            "018f3c8a-7b1c-7def-8123-456789abcdeg",
            "018f3c8a-7b1c-7def-8123+456789abcdef",
        ] {
            assert!(EventId::new(text).text.is_some(), "{text}");
        }
    }

    #[test]
    fn equal_properties_have_equal_text_whatever_their_order() {
        let text = |value: &Value| {
            let mut text = String::new();
            canonical(value, &mut text);
            text
        };
        let a: Value =
            serde_json::from_str(r#"{"b": [1, {"y": null, "x": "q\"\n"}], "a": 1.50}"#).unwrap();
        assert_eq!(text(&a), r#"{"a":1.5,"b":[1,{"x":"q\"\n","y":null}]}"#);
        assert_eq!(serde_json::from_str::<Value>(&text(&a)).unwrap(), a);
        assert_eq!(text(&json!({})), "{}");
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // XXH3-64 of no bytes with seed 0, as the reference implementation gives it.
        assert_eq!(XxHash3_64::oneshot(b""), 0x2d06_8005_38d3_94c2);
    }
}
