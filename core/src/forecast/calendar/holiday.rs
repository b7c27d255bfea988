//! Public holidays by rule: fixed days, days around Easter, the nth weekday of a month.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// How the day of a holiday follows from the year.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// A month and a day.
    Fixed(i8, i8),
    /// Days after Easter Sunday of the western churches.
    Easter(i32),
    /// Days after Easter Sunday of the orthodox churches.
    Orthodox(i32),
    /// The nth weekday of a month; counted from its end where negative.
    Nth(i8, Weekday, i8),
    /// The first such weekday on or after a day.
    From(i8, i8, Weekday),
    /// The day of the spring or the autumn equinox in Japan (formula of the National Astronomical Observatory, 1980-2099).
    Equinox(i8),
    /// A fixed day that moves to Monday from a weekend.
    Monday(i8, i8),
    /// A fixed day that moves to Friday from Saturday and to Monday from Sunday.
    Nearest(i8, i8),
    /// A fixed day that moves to Monday from Sunday.
    NotSunday(i8, i8),
    /// A fixed day that moves to Saturday from Sunday.
    Before(i8, i8),
    /// The second of two fixed days in a row, both of which move from a weekend to the next working days.
    Second(i8, i8),
    /// The day that a moving rule gives where its fixed day falls on a weekend.
    Substitute(&'static Self),
    /// A rule that holds from the first year to the last.
    In(i16, i16, &'static Self),
    /// Labour Day of Greece: the first of May, the Tuesday after Easter where it falls into the week before, or the
    /// Monday after a Sunday.
    May,
    /// Saint Brigid's Day of Ireland: the first Monday of February, or its first day where that is a Friday.
    Brigid,
}

/// A holiday of a country: its name and its rule.
pub(crate) type Holiday = (&'static str, Rule);

/// Easter Sunday of a Gregorian year (Meeus, Jones and Butcher).
pub(crate) fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    day_of(year, month, day)
}

/// Easter Sunday of the orthodox churches, in the Gregorian calendar (Meeus; 1900-2099).
pub(crate) fn orthodox_easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 4, y % 7, y % 19);
    let d = (19 * c + 15) % 30;
    let e = (2 * a + 4 * b - d + 34) % 7;
    let month = (d + e + 114) / 31;
    let day = (d + e + 114) % 31 + 1;
    plus(day_of(year, month, day), 13)
}

fn day_of(year: i16, month: i32, day: i32) -> Date {
    let (month, day) = (i8::try_from(month), i8::try_from(day));
    match (month, day) {
        (Ok(month), Ok(day)) => Date::new(year, month, day).unwrap_or(date(year, 1, 1)),
        _ => date(year, 1, 1),
    }
}

fn plus(day: Date, days: i32) -> Date {
    day.checked_add(days.days()).unwrap_or(day)
}

/// A month and a day, and by how many days it moves from each weekday.
type Moving = (i8, i8, fn(Weekday) -> i32);

/// A day more from a Sunday.
fn off_sunday(on: Weekday) -> i32 {
    i32::from(on == Weekday::Sunday)
}

impl Rule {
    /// How a rule moves its fixed day, where it does.
    fn moving(self) -> Option<Moving> {
        match self {
            Self::Monday(month, day) => Some((month, day, |on| match on {
                Weekday::Saturday => 2,
                Weekday::Sunday => 1,
                _ => 0,
            })),
            Self::Nearest(month, day) => Some((month, day, |on| match on {
                Weekday::Saturday => -1,
                Weekday::Sunday => 1,
                _ => 0,
            })),
            Self::NotSunday(month, day) => Some((month, day, off_sunday)),
            Self::Before(month, day) => Some((month, day, |on| -off_sunday(on))),
            Self::Second(month, day) => Some((month, day, |on| match on {
                Weekday::Saturday | Weekday::Sunday => 2,
                // The first of the two fell on Sunday and takes Monday.
                Weekday::Monday => 1,
                _ => 0,
            })),
            _ => None,
        }
    }

    /// The day of a year.
    pub(crate) fn of(self, year: i16) -> Option<Date> {
        let fixed = |month, day| Date::new(year, month, day).ok();
        match self {
            Self::Fixed(month, day) => fixed(month, day),
            Self::Easter(days) => Some(plus(easter(year), days)),
            Self::Orthodox(days) => Some(plus(orthodox_easter(year), days)),
            Self::Nth(month, weekday, n) => fixed(month, 1)?.nth_weekday_of_month(n, weekday).ok(),
            Self::From(month, day, weekday) => {
                let start = fixed(month, day)?;
                let ahead = weekday.since(start.weekday());
                Some(plus(start, i32::from(ahead)))
            }
            Self::Equinox(month) => {
                let since = f64::from(year) - 1980.0;
                let base = if month == 3 { 20.8431 } else { 23.2488 };
                let day = base + 0.242_194 * since - (since / 4.0).floor();
                fixed(month, day as i8)
            }
            Self::Monday(..)
            | Self::Nearest(..)
            | Self::NotSunday(..)
            | Self::Before(..)
            | Self::Second(..) => {
                let (month, day, by) = self.moving()?;
                let day = fixed(month, day)?;
                Some(plus(day, by(day.weekday())))
            }
            Self::Substitute(rule) => {
                let (month, day, _) = rule.moving()?;
                let stands_in = rule.of(year)?;
                (fixed(month, day) != Some(stands_in)).then_some(stands_in)
            }
            Self::In(first, last, rule) => (first..=last)
                .contains(&year)
                .then(|| rule.of(year))
                .flatten(),
            Self::May => {
                let (first, easter) = (fixed(5, 1)?, orthodox_easter(year));
                let tuesday = plus(easter, 2);
                Some(if (plus(easter, -6)..tuesday).contains(&first) {
                    tuesday
                } else {
                    plus(first, off_sunday(first.weekday()))
                })
            }
            Self::Brigid => Some(match fixed(2, 1)? {
                first if first.weekday() == Weekday::Friday => first,
                first => first.nth_weekday_of_month(1, Weekday::Monday).ok()?,
            }),
        }
    }
}
