//! Ranges of time as people write them: half-open, with bare dates that mean whole local days (T4).

use jiff::civil;
use serde::{Serialize, Serializer};

use super::{Instant, Zone};
use crate::error::FieldError;

/// One end of a range, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A bare date: as a start its first instant, as an end the first instant of the next day, so that the whole day is in.
    Date(civil::Date),
    /// A date and time without an offset, in the zone of the question.
    Local(civil::DateTime),
    /// An exact instant.
    At(Instant),
}

impl Bound {
    /// Reads `2026-01-31`, `2026-01-31T10:00` or `2026-01-31T10:00:00+01:00`; the years are 1 to 9998.
    pub fn parse(text: &str) -> Option<Self> {
        let sane = |d: civil::Date| (1..=9998).contains(&d.year());
        if text.len() == 10 {
            return text
                .parse::<civil::Date>()
                .ok()
                .filter(|d| sane(*d))
                .map(Self::Date);
        }
        // A zone annotation such as `[Europe/Paris]` is not ISO 8601, and a time needs its separator.
        if text.contains('[') || !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
            return None;
        }
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Instant::from_micros(at.as_microsecond()).map(Self::At);
        }
        // jiff would read past an offset it cannot use; a plain civil time has none.
        let time = text.get(11..).unwrap_or_default();
        if time.contains(['+', '-', 'Z', 'z']) {
            return None;
        }
        text.parse::<civil::DateTime>()
            .ok()
            .filter(|t| sane(t.date()))
            .map(Self::Local)
    }

    /// The instant it means as the start of a range.
    pub fn start(self, zone: &Zone) -> Instant {
        match self {
            Self::Date(date) => zone.start_of(date),
            Self::Local(time) => zone.instant(time),
            Self::At(at) => at,
        }
    }

    /// The instant it means as the (excluded) end of a range.
    pub fn end(self, zone: &Zone) -> Instant {
        match self {
            Self::Date(date) => zone.start_of(date.tomorrow().unwrap_or(civil::Date::MAX)),
            other => other.start(zone),
        }
    }

    /// Whether it lies after `now`; a bare date does from the day after today on.
    fn in_future(self, zone: &Zone, now: Instant) -> bool {
        self.start(zone) > now
    }
}

impl Default for Bound {
    fn default() -> Self {
        Self::At(Instant::default())
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Date(date) => serializer.collect_str(date),
            Self::Local(time) => serializer.collect_str(time),
            Self::At(at) => at.serialize(serializer),
        }
    }
}

impl From<Instant> for Bound {
    fn from(at: Instant) -> Self {
        Self::At(at)
    }
}

/// The asked range: `[startDate, endDate)` in a time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub start: Bound,
    /// Where it ends; a bare date is included whole.
    pub end: Bound,
    /// The zone of bare dates and of calendars.
    pub zone: Zone,
}

impl Range {
    /// The range between two dates or times in UTC, for example `("2026-01-01", "2026-01-31")`; `None` if either is neither.
    pub fn new(start: &str, end: &str) -> Option<Self> {
        Some(Self {
            start: Bound::parse(start)?,
            end: Bound::parse(end)?,
            zone: Zone::default(),
        })
    }

    /// The instants it means.
    pub fn span(&self) -> Span {
        Span {
            from: self.start.start(&self.zone),
            to: self.end.end(&self.zone),
        }
    }

    /// What is wrong at the instant `now` with it and with the instant its answer is as of:
    /// an end that is not after its start, any of the three in the future.
    pub(crate) fn faults(&self, as_of: Option<Instant>, now: Instant) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let as_of = as_of.map(|at| ("asOf", Bound::At(at)));
        for (field, bound) in [("startDate", self.start), ("endDate", self.end)]
            .into_iter()
            .chain(as_of)
        {
            if bound.in_future(&self.zone, now) {
                faults.push(FieldError {
                    field: field.to_owned(),
                    code: "in_future",
                    message: "must not be in the future".to_owned(),
                });
            }
        }
        if self.end.start(&self.zone) <= self.start.start(&self.zone) {
            faults.push(FieldError {
                field: "endDate".to_owned(),
                code: "not_after_start",
                message: "must be after startDate".to_owned(),
            });
        }
        faults
    }
}

/// A half-open stretch of time `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_end_date_includes_its_whole_local_day() {
        let zone = Zone::named("Europe/Paris").unwrap();
        let range = Range {
            zone,
            ..Range::new("2024-03-31", "2024-03-31").unwrap()
        };
        assert_eq!(range.span().from.to_string(), "2024-03-30T23:00:00.000Z");
        assert_eq!(range.span().to.to_string(), "2024-03-31T22:00:00.000Z");
    }

    #[test]
    fn times_in_a_gap_mean_its_end_and_repeated_times_the_first() {
        let zone = Zone::named("Europe/Paris").unwrap();
        let at = |text: &str| Bound::parse(text).unwrap().start(&zone).to_string();
        assert_eq!(at("2024-03-31T02:30:00"), "2024-03-31T01:00:00.000Z");
        assert_eq!(at("2024-10-27T02:30:00"), "2024-10-27T00:30:00.000Z");
    }

    #[test]
    fn dates_are_read_strictly() {
        for good in [
            "2026-01-31",
            "2026-01-31T10:00",
            "2026-01-31T10:00:00Z",
            "2026-01-31T10:00:00.123456+05:45",
            "2026-01-31 10:00:00",
        ] {
            assert!(Bound::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2026-02-30",
            "2026-13-01",
            "31.01.2026",
            "2026-01-31T25:00",
            "2026-01-31T10:00:00[Europe/Paris]",
            "yesterday",
            "2026-1-1",
            "2026-01-31T10:00+99:00",
            "0000-01-01",
            "9999-12-31",
        ] {
            assert!(Bound::parse(bad).is_none(), "{bad}");
        }
    }
}
