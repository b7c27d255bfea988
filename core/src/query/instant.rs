//! A point in time, exact to the microsecond.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// Written as ISO 8601 in UTC with three fraction digits, or six where the instant needs them.
///
/// ```
/// use travelsense::Instant;
/// let t: Instant = "2026-03-01T12:00:00+01:00".parse()?;
/// assert_eq!(t.to_string(), "2026-03-01T11:00:00.000Z");
/// # Ok::<(), travelsense::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The earliest instant accepted: 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The latest instant accepted: 9999-12-30T00:00:00Z.
    pub const MAX: Self = Self(253_402_128_000_000_000);

    /// The instant so many microseconds after 1970, or `None` outside the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0)
            .contains(&micros)
            .then_some(Self(micros))
    }

    /// The same, cut to the years 1 to 9999.
    pub fn saturating_from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0
    }

    pub(crate) fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = if self.0 % 1_000 == 0 { 3 } else { 6 };
        write!(f, "{:.precision$}", self.timestamp())
    }
}

impl FromStr for Instant {
    type Err = Error;

    /// Reads ISO 8601 with an offset or `Z`.
    fn from_str(text: &str) -> Result<Self> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .and_then(|t| Self::from_micros(t.as_microsecond()))
            .ok_or_else(|| {
                Error::field(
                    "instant",
                    "invalid_date",
                    format!("`{text}` is not an ISO 8601 instant with an offset"),
                )
            })
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
