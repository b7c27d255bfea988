//! When a rule is evaluated, and when it is left alone, in a time zone.

use jiff::{ToSpan as _, civil};
use serde_json::{Value, json};

use crate::query::{Instant, Window, Zone};

pub(super) const DAYS: [(&str, u8); 7] = [
    ("monday", 0),
    ("tuesday", 1),
    ("wednesday", 2),
    ("thursday", 3),
    ("friday", 4),
    ("saturday", 5),
    ("sunday", 6),
];

const DAY: i64 = 86_400_000_000;
const HOUR: i64 = DAY / 24;

/// When a rule is evaluated.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Every so many whole minutes, at most a day, counted from the midnight of the zone.
    Every(Window, Zone),
    /// At a time of day on some weekdays (bit 0 is Monday). Where the clock skips it, at the end of the gap; where it comes twice,
    /// the first time.
    At {
        /// Minutes after midnight.
        minute: u16,
        /// On which weekdays.
        days: u8,
        /// Whose time.
        zone: Zone,
    },
}

/// A stretch of the week in which a rule is not evaluated: planned work is no incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintenance {
    /// On which weekdays it begins; bit 0 is Monday.
    pub days: u8,
    /// When it begins, in minutes after midnight.
    pub from: u16,
    /// When it is over; on the next day where that is not after `from`.
    pub to: u16,
    /// Whose time.
    pub zone: Zone,
}

impl Schedule {
    /// The last instant up to `now` at which the rule was due; the instant of the evaluation, whenever that takes place.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::Every(every, zone) => {
                let start = zone.start_of(zone.date(now)).micros();
                let every = every.micros().max(60_000_000);
                let since = (now.micros() - start).max(0);
                // On a day of 25 hours only what comes round within one of them comes once more.
                let longest = if every > HOUR { DAY - 1 } else { i64::MAX };
                Instant::from_micros(start + since.min(longest) / every * every)
            }
            Self::At { minute, days, zone } => {
                let mut date = zone.date(now);
                for _ in 0..8 {
                    let at = zone.instant(date.to_datetime(time(*minute)));
                    let on = days >> date.weekday().to_monday_zero_offset() & 1 == 1;
                    if on && at <= now {
                        return Some(at);
                    }
                    date = date.yesterday().ok()?;
                }
                None
            }
        }
    }

    /// Whose time it goes by.
    pub fn zone(&self) -> &Zone {
        match self {
            Self::Every(_, zone) | Self::At { zone, .. } => zone,
        }
    }

    /// The evaluation before that of an instant.
    pub fn before(&self, at: Instant) -> Instant {
        let back = |at: Instant| Instant::saturating_from_micros(at.micros() - 1);
        // Whoever looks between two evaluations stands in for the last of them.
        let last = self.due(at).unwrap_or(at);
        self.due(back(last)).unwrap_or_else(|| back(last))
    }

    /// The same time of day on the same weekday of the week before.
    pub fn week_before(&self, at: Instant) -> Instant {
        let zone = self.zone();
        let then = zone.civil(at).checked_sub(7.days());
        then.map_or(at, |then| zone.instant(then))
    }

    /// It in its JSON form.
    pub fn json(&self) -> Value {
        match self {
            Self::Every(every, zone) => json!({ "every": every, "timezone": zone.name() }),
            Self::At { minute, days, zone } => json!({
                "at": clock(*minute),
                "days": names(*days),
                "timezone": zone.name(),
            }),
        }
    }
}

impl Maintenance {
    /// Whether an instant is within it.
    pub fn has(&self, at: Instant) -> bool {
        let today = self.zone.date(at);
        let begun = |date: civil::Date| {
            if self.days >> date.weekday().to_monday_zero_offset() & 1 == 0 {
                return false;
            }
            let from = self.zone.instant(date.to_datetime(time(self.from)));
            let end = if self.to > self.from {
                Some(date)
            } else {
                date.tomorrow().ok()
            };
            end.is_some_and(|end| {
                from <= at && at < self.zone.instant(end.to_datetime(time(self.to)))
            })
        };
        begun(today) || today.yesterday().is_ok_and(begun)
    }

    /// It in its JSON form.
    pub fn json(&self) -> Value {
        json!({
            "days": names(self.days),
            "from": clock(self.from),
            "to": clock(self.to),
            "timezone": self.zone.name(),
        })
    }
}

/// A time of day.
fn time(minute: u16) -> civil::Time {
    let (hour, minute) = (minute / 60 % 24, minute % 60);
    civil::Time::new(hour as i8, minute as i8, 0, 0).unwrap_or(civil::Time::midnight())
}

/// A time of day as it is written.
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn names(days: u8) -> Vec<&'static str> {
    let on = DAYS.iter().filter(|(_, bit)| days >> bit & 1 == 1);
    on.map(|(name, _)| *name).collect()
}

/// The length of a day: no rule is evaluated less often than that on the days it is evaluated on.
pub(super) const LONGEST: i64 = DAY;
