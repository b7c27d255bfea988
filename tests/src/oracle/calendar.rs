//! Civil time by its definition (T1–T4, R4): the date of an instant is what a clock on the wall shows.

use std::cell::RefCell;
use std::collections::HashMap;

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Offset, TimeZone, Weekday,
};
use chrono_tz::Tz;

const HOUR: i64 = 3_600_000_000;

/// The zone of that name.
pub fn zone(name: &str) -> Tz {
    name.parse().expect("the oracle knows the zone")
}

/// What a clock on the wall shows at an instant.
pub fn local(tz: Tz, ts: i64) -> NaiveDateTime {
    let utc = utc(ts);
    utc + tz.offset_from_utc_datetime(&utc).fix()
}

/// The first instant at which a clock on the wall shows `time` or later: where `time` is shown twice the first of the
/// two, where it is never shown the end of the gap (T2).
pub fn first_showing(tz: Tz, time: NaiveDateTime) -> i64 {
    memo(tz, time, true, |candidates| {
        candidates
            .iter()
            .copied()
            .filter(|t| local(tz, *t) >= time)
            .min()
    })
}

/// The instant after the last at which a clock on the wall shows a time before `time`.
pub fn last_showing_before(tz: Tz, time: NaiveDateTime) -> i64 {
    memo(tz, time, false, |candidates| {
        candidates
            .iter()
            .copied()
            .filter(|t| local(tz, *t) >= time && local(tz, *t - 1) < time)
            .max()
    })
}

/// The length of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A civil day.
    Daily,
    /// Seven civil days from the week start.
    Weekly,
    /// A calendar month.
    Monthly,
}

impl Period {
    /// Its name in questions and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

/// The names of week starts.
pub const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// A way to cut civil time. A period is named by its first date.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    /// The zone.
    pub tz: Tz,
    /// The length.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: Weekday,
}

impl Calendar {
    /// The first date of the period that holds a date.
    pub fn first_date(&self, date: NaiveDate) -> NaiveDate {
        match self.period {
            Period::Daily => date,
            Period::Weekly => {
                let mut day = date;
                while day.weekday() != self.week_start {
                    day = day.pred_opt().expect("dates are far from the end of time");
                }
                day
            }
            Period::Monthly => date.with_day(1).expect("every month has a first"),
        }
    }

    /// The period an instant lies in.
    pub fn period_of(&self, ts: i64) -> NaiveDate {
        self.first_date(local(self.tz, ts).date())
    }

    /// How many periods `later` comes after `earlier`, by the civil arithmetic of R4.
    pub fn between(&self, earlier: NaiveDate, later: NaiveDate) -> i64 {
        match self.period {
            Period::Daily => (later - earlier).num_days(),
            Period::Weekly => (self.first_date(later) - self.first_date(earlier)).num_days() / 7,
            Period::Monthly => {
                12 * i64::from(later.year() - earlier.year()) + i64::from(later.month())
                    - i64::from(earlier.month())
            }
        }
    }

    /// The period `n` after the one that begins with `first`.
    pub fn plus(&self, first: NaiveDate, n: u32) -> NaiveDate {
        let later = match self.period {
            Period::Daily => first.checked_add_days(Days::new(u64::from(n))),
            Period::Weekly => first.checked_add_days(Days::new(7 * u64::from(n))),
            Period::Monthly => first.checked_add_months(Months::new(n)),
        };
        later.expect("dates are far from the end of time")
    }

    /// The first instant whose date is in the period that begins with `first`, or after it.
    pub fn start(&self, first: NaiveDate) -> i64 {
        first_showing(self.tz, midnight(first))
    }

    /// The instant after the last whose date is in the period that begins with `first`, or before it.
    pub fn end(&self, first: NaiveDate) -> i64 {
        last_showing_before(self.tz, midnight(self.plus(first, 1)))
    }

    /// The periods from the earliest to the latest that an instant of `[from, to)` lies in.
    pub fn touching(&self, from: i64, to: i64) -> Vec<NaiveDate> {
        // Between two transitions the clock on the wall only goes forward, so the extremes are at the edges.
        let edges = transitions(self.tz, from, to)
            .into_iter()
            .flat_map(|t| [t - 1, t]);
        let inside = [from, to - 1]
            .into_iter()
            .chain(edges)
            .filter(|t| (from..to).contains(t));
        let touched: Vec<NaiveDate> = inside.map(|t| self.period_of(t)).collect();
        let last = *touched.iter().max().expect("the range is not empty");
        let mut periods = vec![*touched.iter().min().expect("the range is not empty")];
        while periods[periods.len() - 1] < last {
            periods.push(self.plus(periods[periods.len() - 1], 1));
        }
        periods
    }
}

/// The start of a date as clocks write it.
pub fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_hms_opt(0, 0, 0).expect("midnight is a time")
}

/// An instant in microseconds as a civil time of UTC.
pub fn utc(ts: i64) -> NaiveDateTime {
    DateTime::from_timestamp_micros(ts)
        .expect("instants are within chrono's years")
        .naive_utc()
}

/// The instants of `[from, to]` at which the offset of a zone changes, found by looking at every hour.
pub fn transitions(tz: Tz, from: i64, to: i64) -> Vec<i64> {
    let offset = |t: i64| tz.offset_from_utc_datetime(&utc(t)).fix().local_minus_utc();
    let mut found = Vec::new();
    let mut at = from.div_euclid(HOUR) * HOUR;
    while at <= to {
        if offset(at) != offset(at + HOUR) {
            let (mut before, mut after) = (at / 1_000_000, (at + HOUR) / 1_000_000);
            while after - before > 1 {
                let middle = before.midpoint(after);
                if offset(middle * 1_000_000) == offset(at) {
                    before = middle;
                } else {
                    after = middle;
                }
            }
            found.push(after * 1_000_000);
        }
        at += HOUR;
    }
    found
}

thread_local! {
    static SHOWN: RefCell<HashMap<(Tz, NaiveDateTime, bool), i64>> = RefCell::new(HashMap::new());
}

/// Whether the wall shows a time before or after `time` changes only when it shows `time`, or when it is turned: hands
/// those instants to `pick`, and remembers its answer, for there are few dates and many questions.
fn memo(tz: Tz, time: NaiveDateTime, first: bool, pick: impl Fn(&[i64]) -> Option<i64>) -> i64 {
    let key = (tz, time, first);
    if let Some(known) = SHOWN.with_borrow(|m| m.get(&key).copied()) {
        return known;
    }
    let at = time.and_utc().timestamp_micros();
    let (from, to) = (at - 60 * HOUR, at + 60 * HOUR);
    let turned = transitions(tz, from, to);
    let offset = |t: i64| {
        i64::from(tz.offset_from_utc_datetime(&utc(t)).fix().local_minus_utc()) * 1_000_000
    };
    let mut candidates: Vec<i64> = turned
        .iter()
        .flat_map(|t| [at - offset(*t), at - offset(*t - 1)])
        .collect();
    candidates.push(at - offset(from));
    candidates.extend(&turned);
    let answer = pick(&candidates).expect("every time is shown or passed");
    SHOWN.with_borrow_mut(|m| m.insert(key, answer));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition itself, minute by minute around the transition of each night.
    #[test]
    fn first_and_last_showings_equal_a_walk_through_every_minute() {
        let nights = [
            ("Europe/Paris", "2024-03-31"),
            ("Europe/Paris", "2024-10-27"),
            ("America/New_York", "2024-11-03"),
            ("Asia/Beirut", "2022-03-27"),
            ("Africa/Cairo", "2023-04-28"),
            ("Africa/Cairo", "2023-10-27"),
            ("America/Santiago", "2023-09-03"),
            ("America/Santiago", "2023-04-02"),
            ("America/St_Johns", "1995-04-02"),
            ("America/St_Johns", "1995-10-29"),
            ("Pacific/Apia", "2011-12-30"),
            ("Pacific/Apia", "2011-12-31"),
            ("Asia/Kathmandu", "2024-01-01"),
        ];
        for (name, night) in nights {
            let (tz, night): (Tz, NaiveDate) = (zone(name), night.parse().unwrap());
            for day in [night.pred_opt().unwrap(), night, night.succ_opt().unwrap()] {
                let time = midnight(day);
                let at = time.and_utc().timestamp_micros();
                let minutes = (-3600..3600).map(|m| at + m * 60_000_000);
                let first = minutes.clone().find(|t| local(tz, *t) >= time).unwrap();
                let last = minutes.rev().find(|t| local(tz, *t) < time).unwrap();
                assert_eq!(first_showing(tz, time), first, "{name} {day}");
                assert_eq!(
                    last_showing_before(tz, time),
                    last + 60_000_000,
                    "{name} {day}"
                );
            }
        }
    }

    #[test]
    fn a_skipped_date_is_empty_and_a_repeated_hour_before_midnight_overlaps_the_next_day() {
        let day = |name, date: &str| {
            let calendar = Calendar {
                tz: zone(name),
                period: Period::Daily,
                week_start: Weekday::Mon,
            };
            let date = date.parse().unwrap();
            (calendar.start(date), calendar.end(date))
        };
        let (start, end) = day("Pacific/Apia", "2011-12-30");
        assert_eq!(start, end);
        // At one minute past midnight the clocks of St. John's went back to 23:01 of the day before.
        let (_, end) = day("America/St_Johns", "1995-10-28");
        let (start, _) = day("America/St_Johns", "1995-10-29");
        assert_eq!(end - start, HOUR);
    }
}
