//! Civil calendars (T1–T3): days, weeks and months of a time zone as buckets of instants, computed here and never by an engine.

mod bits;
mod hours;

use jiff::ToSpan;
use jiff::civil::{self, Weekday};
use serde::Serialize;

use super::{Instant, Zone};
use crate::error::{Error, Result};

pub(crate) use bits::{Bits, DayBits};

/// The length of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A local civil day, of 23, 24 or 25 hours or whatever the zone gives it.
    Daily,
    /// Seven local days from the week start.
    #[default]
    Weekly,
    /// A calendar month.
    Monthly,
}

/// The first day of a week; ISO Monday by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekStart(pub(crate) Weekday);

impl Default for WeekStart {
    fn default() -> Self {
        Self(Weekday::Monday)
    }
}

/// The names of the week starts, Monday first.
pub(crate) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

impl WeekStart {
    /// The week start of that English name, for example `sunday`.
    pub fn named(name: &str) -> Option<Self> {
        WEEKDAYS.iter().find(|d| d.0 == name).map(|d| Self(d.1))
    }

    /// Its English name in lower case.
    pub fn name(self) -> &'static str {
        WEEKDAYS
            .iter()
            .find(|d| d.1 == self.0)
            .map_or("monday", |d| d.0)
    }
}

impl Serialize for WeekStart {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One bucket: the instants whose civil date lies in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its first instant.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
}

/// The buckets of one zone and period that touch a span of time.
///
/// INVARIANT: `starts` is strictly increasing and `starts[i]` begins a stretch of time that lies in bucket `bucket_of[i]`;
/// a bucket has more than one stretch only where a zone set its clock back over midnight.
#[derive(Clone, Debug)]
pub struct Calendar {
    starts: Vec<i64>,
    bucket_of: Vec<u32>,
    slots: Vec<Slot>,
    end: i64,
    buckets: Vec<Bucket>,
    /// Of buckets of dates: their period, the first day of weeks, and the number of the first bucket.
    dates: Option<(Period, WeekStart, i64)>,
}

/// What `locate` knows of 2^36 µs (19 hours): the bucket before and after the one instant at which it changes.
#[derive(Clone, Copy, Debug)]
struct Slot {
    change: i64,
    before: u32,
    after: u32,
}

const SLOT: u32 = 36;

/// In the place of a bucket: the slot has several changes, the stretches must be searched.
const SEVERAL: u32 = u32::MAX - 1;

/// The names of the periods.
pub(crate) const PERIODS: [(&str, Period); 3] = [
    ("daily", Period::Daily),
    ("weekly", Period::Weekly),
    ("monthly", Period::Monthly),
];

/// More buckets than this in one question is an error.
pub(crate) const MAX_BUCKETS: i64 = 40_000;

/// The bucket of a stretch that lies in none.
const NONE: u32 = u32::MAX;

impl Calendar {
    /// The buckets that hold the instants of `[from, to)`; the first and the last are whole, even where the span cuts them.
    ///
    /// # Errors
    /// `too_many_periods` where there would be more than 40,000.
    pub fn new(
        zone: &Zone,
        period: Period,
        week: WeekStart,
        from: Instant,
        to: Instant,
    ) -> Result<Self> {
        Self::reaching(zone, period, week, from, to, to, 0).map(|(calendar, _)| calendar)
    }

    /// The buckets that hold the instants of `[from, to)`, how many they are, and after them the buckets up to `until`, `most`
    /// at most.
    ///
    /// # Errors
    /// As `new`.
    pub(crate) fn reaching(
        zone: &Zone,
        period: Period,
        week: WeekStart,
        from: Instant,
        to: Instant,
        until: Instant,
        most: usize,
    ) -> Result<(Self, usize)> {
        let (first, asked) = extent(zone, period, week, from, to)?;
        let (_, last) = extent(zone, period, week, from, until.max(to))?;
        let last = last.min(asked.saturating_add(i64::try_from(most).unwrap_or(i64::MAX)));
        let touching = (asked - first + 1) as usize;
        Ok((Self::between(zone, period, week, first, last), touching))
    }

    /// The buckets of those numbers.
    fn between(zone: &Zone, period: Period, week: WeekStart, first: i64, last: i64) -> Self {
        let start = zone.start_of(first_date(period, week, first)).micros();
        let end = zone.end_before(first_date(period, week, last + 1)).micros();
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        let mut at = start;
        let mut transition = None;
        while at < end {
            let now = Instant::saturating_from_micros(at);
            if transition.is_none_or(|t| t <= at) {
                transition = Some(zone.next_transition(now).unwrap_or(i64::MAX));
            }
            let date = zone.date(now);
            let bucket = number(period, week, date);
            if stretches.last().is_none_or(|s| s.1 != bucket) {
                stretches.push((at, bucket));
            }
            let next = first_date(period, week, number(period, week, date) + 1);
            let midnight = civil_micros(next) - zone.offset(now);
            at = midnight.min(transition.unwrap_or(i64::MAX)).max(at + 1);
        }

        let mut found: Vec<Option<(i64, i64)>> = vec![None; (last - first + 1) as usize];
        for (i, (start, n)) in stretches.iter().enumerate() {
            let until = stretches.get(i + 1).map_or(end, |next| next.0);
            let bucket = usize::try_from(n - first)
                .ok()
                .and_then(|n| found.get_mut(n));
            if let Some(bucket) = bucket {
                *bucket = Some((bucket.map_or(*start, |b| b.0), until));
            }
        }
        let buckets = (first..=last)
            .zip(found)
            .map(|(n, found)| {
                // A date that a zone skipped altogether is an empty bucket where it would have been.
                let skipped = || zone.start_of(first_date(period, week, n)).micros();
                let (start, end) = found.unwrap_or_else(|| (skipped(), skipped()));
                Bucket {
                    start: Instant::saturating_from_micros(start),
                    end: Instant::saturating_from_micros(end),
                }
            })
            .collect();
        let starts: Vec<i64> = stretches.iter().map(|s| s.0).collect();
        // A clock set back over midnight may show a date before the first or after the last bucket for a while.
        let index = |n: i64| {
            if (first..=last).contains(&n) {
                (n - first) as u32
            } else {
                NONE
            }
        };
        let bucket_of: Vec<u32> = stretches.iter().map(|s| index(s.1)).collect();
        Self::of(starts, bucket_of, buckets, end, Some((period, week, first)))
    }

    /// Stretches of time that end at `end`, and the buckets they lie in.
    fn of(
        starts: Vec<i64>,
        bucket_of: Vec<u32>,
        buckets: Vec<Bucket>,
        end: i64,
        dates: Option<(Period, WeekStart, i64)>,
    ) -> Self {
        let start = starts.first().copied().unwrap_or(end);
        let changes = || starts.iter().copied().zip(bucket_of.iter().copied());
        // Behind the last stretch there is no bucket.
        let mut ahead = changes().chain([(end, NONE)]).peekable();
        let mut before = NONE;
        let slots = (0..=(end - start) >> SLOT)
            .map(|slot| {
                let last = start + ((slot + 1) << SLOT) - 1;
                let mut found = Slot {
                    change: i64::MAX,
                    before,
                    after: before,
                };
                let mut count = 0;
                while let Some((change, bucket)) = ahead.next_if(|c| c.0 <= last) {
                    count += 1;
                    before = bucket;
                    found = Slot {
                        change,
                        before: found.before,
                        after: bucket,
                    };
                }
                if count > 1 {
                    Slot {
                        change: i64::MAX,
                        before: SEVERAL,
                        after: SEVERAL,
                    }
                } else {
                    found
                }
            })
            .collect();
        Self {
            starts,
            bucket_of,
            slots,
            end,
            buckets,
            dates,
        }
    }

    /// The buckets in order.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// For each of these buckets, which are days, the place of the bucket of `coarser` that it lies in, counted from the first
    /// of `coarser`: below 0 for what comes before it. Hours, which have no date of their own, have no such places.
    pub(crate) fn places(&self, coarser: &Self) -> Vec<i64> {
        let (Some((period, week, first)), Some(into)) = (self.dates, coarser.dates) else {
            return Vec::new();
        };
        let date = |n| first_date(period, week, n);
        (first..)
            .take(self.buckets.len())
            .map(|n| number(into.0, into.1, date(n)) - into.2)
            .collect()
    }

    /// The number of the day, counted from 1970-01-01, that the first bucket begins with, and the bucket of it and of each day
    /// after it; nothing where a bucket is not one stretch of time, or has no date of its own.
    pub(crate) fn by_day(&self) -> Option<(i64, Vec<usize>)> {
        let (period, week, first) = self.dates.filter(|_| self.is_regular())?;
        let day = |n: i64| number(Period::Daily, week, first_date(period, week, n));
        let buckets = (first..).zip(0..self.buckets.len());
        let days = buckets.flat_map(|(n, bucket)| (day(n)..day(n + 1)).map(move |_| bucket));
        Some((day(first), days.collect()))
    }

    /// Whether each bucket is one stretch of time, so that later buckets hold later instants only.
    pub(crate) fn is_regular(&self) -> bool {
        self.bucket_of.is_sorted()
    }

    /// The index of the bucket of an instant, in microseconds, or `None` outside the calendar.
    #[inline]
    pub fn locate(&self, micros: i64) -> Option<usize> {
        let first = *self.starts.first()?;
        // An instant before the first wraps to a slot far behind the last.
        let slot = self
            .slots
            .get((micros.wrapping_sub(first) as u64 >> SLOT) as usize)?;
        let bucket = if micros < slot.change {
            slot.before
        } else {
            slot.after
        };
        if bucket < SEVERAL {
            Some(bucket as usize)
        } else {
            self.search(micros, bucket)
        }
    }

    #[cold]
    fn search(&self, micros: i64, bucket: u32) -> Option<usize> {
        if bucket == NONE || micros >= self.end {
            return None;
        }
        let stretch = self
            .starts
            .partition_point(|s| *s <= micros)
            .checked_sub(1)?;
        self.bucket_of
            .get(stretch)
            .filter(|b| **b != NONE)
            .map(|b| *b as usize)
    }
}

/// The number of the day, counted from 1970-01-01, that begins at an instant; nothing where none does.
pub(crate) fn day_beginning(zone: &Zone, at: Instant) -> Option<usize> {
    let date = zone.date(at);
    let begins = zone.start_of(date) == at;
    let number = number(Period::Daily, WeekStart::default(), date);
    usize::try_from(number).ok().filter(|_| begins)
}

fn too_many_periods() -> Error {
    Error::field(
        "startDate",
        "too_many_periods",
        format!(
            "the range has more than {MAX_BUCKETS} periods; a shorter range or a longer period would do"
        ),
    )
}

/// The numbers of the earliest and the latest period that an instant of `[from, to)` lies in.
fn extent(
    zone: &Zone,
    period: Period,
    week: WeekStart,
    from: Instant,
    to: Instant,
) -> Result<(i64, i64)> {
    let at = |micros| {
        number(
            period,
            week,
            zone.date(Instant::saturating_from_micros(micros)),
        )
    };
    let end = to.micros().max(from.micros() + 1);
    let (mut first, mut last) = (at(from.micros()), at(end - 1));
    if last - first >= MAX_BUCKETS {
        return Err(too_many_periods());
    }
    // Between two transitions dates only go forward; a clock set back over midnight shows an earlier one again.
    let mut transition = zone.next_transition(from).filter(|t| *t < end);
    while let Some(t) = transition {
        first = first.min(at(t));
        last = last.max(at(t - 1));
        transition = zone
            .next_transition(Instant::saturating_from_micros(t))
            .filter(|t| *t < end);
    }
    Ok((first, last))
}

/// A day, week or month as a number, so that neighbours differ by 1 (R4).
fn number(period: Period, week: WeekStart, date: civil::Date) -> i64 {
    let day = civil_micros(date).div_euclid(86_400_000_000);
    match period {
        Period::Daily => day,
        Period::Weekly => {
            let into = i64::from(date.weekday().since(week.0));
            // 1970-01-01 is a Thursday; any fixed week of the same start gives the zero.
            let zero = i64::from(Weekday::Thursday.since(week.0));
            (day - into + zero).div_euclid(7)
        }
        Period::Monthly => 12 * i64::from(date.year()) + i64::from(date.month()) - 1,
    }
}

/// The first civil date of the period of that number.
fn first_date(period: Period, week: WeekStart, number: i64) -> civil::Date {
    let epoch = civil::date(1970, 1, 1);
    let day = match period {
        Period::Daily => number,
        Period::Weekly => number * 7 - i64::from(Weekday::Thursday.since(week.0)),
        Period::Monthly => {
            let (year, month) = (number.div_euclid(12), number.rem_euclid(12) + 1);
            return civil::Date::new(year as i16, month as i8, 1).unwrap_or(civil::Date::MAX);
        }
    };
    epoch.checked_add(day.days()).unwrap_or(civil::Date::MAX)
}

fn civil_micros(date: civil::Date) -> i64 {
    jiff::tz::Offset::UTC
        .to_timestamp(date.at(0, 0, 0, 0))
        .map_or(i64::MAX, |t| t.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn calendar(zone: &str, period: Period, week: &str, from: &str, to: &str) -> Calendar {
        let zone = Zone::named(zone).unwrap();
        Calendar::new(
            &zone,
            period,
            WeekStart::named(week).unwrap(),
            at(from),
            at(to),
        )
        .unwrap()
    }

    fn starts(calendar: &Calendar) -> Vec<String> {
        calendar
            .buckets()
            .iter()
            .map(|b| b.start.to_string())
            .collect()
    }

    #[test]
    fn days_have_23_and_25_hours_where_clocks_change() {
        let spring = calendar(
            "Europe/Paris",
            Period::Daily,
            "monday",
            "2024-03-30T12:00:00Z",
            "2024-04-01T12:00:00Z",
        );
        assert_eq!(
            starts(&spring),
            [
                "2024-03-29T23:00:00.000Z",
                "2024-03-30T23:00:00.000Z",
                "2024-03-31T22:00:00.000Z"
            ]
        );
        let autumn = calendar(
            "Europe/Paris",
            Period::Daily,
            "monday",
            "2024-10-27T12:00:00Z",
            "2024-10-27T13:00:00Z",
        );
        let day = autumn.buckets()[0];
        assert_eq!(day.end.micros() - day.start.micros(), 25 * 3_600_000_000);
    }

    #[test]
    fn a_missing_midnight_starts_the_day_late() {
        // Beirut, 2022-03-27: 00:00 does not exist, the day begins at 01:00, which is 22:00 UTC as the day before ends.
        let day = calendar(
            "Asia/Beirut",
            Period::Daily,
            "monday",
            "2022-03-27T10:00:00Z",
            "2022-03-27T11:00:00Z",
        );
        assert_eq!(starts(&day), ["2022-03-26T22:00:00.000Z"]);
        assert_eq!(day.buckets()[0].end.to_string(), "2022-03-27T21:00:00.000Z");
    }

    #[test]
    fn a_skipped_date_is_an_empty_bucket() {
        // Apia skipped 2011-12-30.
        let days = calendar(
            "Pacific/Apia",
            Period::Daily,
            "monday",
            "2011-12-30T09:00:00Z",
            "2011-12-30T11:00:00Z",
        );
        let [before, skipped, after] = days.buckets() else {
            panic!("three days expected, not {:?}", days.buckets());
        };
        assert_eq!(skipped.start, skipped.end);
        assert_eq!(before.end, after.start);
        assert_eq!(days.locate(after.start.micros()), Some(2));
    }

    #[test]
    fn a_date_that_comes_twice_keeps_its_number() {
        // St John's set its clock back at 00:01 until 2011: 2010-11-07 begins, is left after a minute, and begins again.
        let days = calendar(
            "America/St_Johns",
            Period::Daily,
            "monday",
            "2010-11-06T12:00:00Z",
            "2010-11-07T12:00:00Z",
        );
        assert!(!days.is_regular());
        assert_eq!(days.locate(at("2010-11-07T02:30:30Z").micros()), Some(1));
        assert_eq!(days.locate(at("2010-11-07T02:31:30Z").micros()), Some(0));
        assert_eq!(days.locate(at("2010-11-07T03:30:00Z").micros()), Some(1));
    }

    #[test]
    fn weeks_start_on_any_day_and_cross_years() {
        let monday = calendar(
            "UTC",
            Period::Weekly,
            "monday",
            "2024-12-30T00:00:00Z",
            "2025-01-06T00:00:01Z",
        );
        assert_eq!(
            starts(&monday),
            ["2024-12-30T00:00:00.000Z", "2025-01-06T00:00:00.000Z"]
        );
        let sunday = calendar(
            "UTC",
            Period::Weekly,
            "sunday",
            "2025-01-01T00:00:00Z",
            "2025-01-02T00:00:00Z",
        );
        assert_eq!(starts(&sunday), ["2024-12-29T00:00:00.000Z"]);
        for (name, day) in WEEKDAYS {
            let week = calendar(
                "UTC",
                Period::Weekly,
                name,
                "1969-12-28T00:00:00Z",
                "1970-01-20T00:00:00Z",
            );
            for bucket in week.buckets() {
                assert_eq!(Zone::default().date(bucket.start).weekday(), day);
            }
        }
    }

    #[test]
    fn months_are_calendar_months() {
        let months = calendar(
            "UTC",
            Period::Monthly,
            "monday",
            "2023-12-31T00:00:00Z",
            "2024-03-01T00:00:00Z",
        );
        assert_eq!(
            starts(&months),
            [
                "2023-12-01T00:00:00.000Z",
                "2024-01-01T00:00:00.000Z",
                "2024-02-01T00:00:00.000Z"
            ]
        );
        assert_eq!(months.locate(at("2024-02-29T23:59:59Z").micros()), Some(2));
        assert_eq!(months.locate(at("2024-03-01T00:00:00Z").micros()), None);
    }

    #[test]
    fn days_know_their_place_among_weeks_and_months() {
        let (from, to) = ("2024-12-29T00:00:00Z", "2025-01-02T00:00:00Z");
        let days = calendar("UTC", Period::Daily, "monday", from, to);
        let from = "2025-01-01T00:00:00Z";
        let weeks = calendar("UTC", Period::Weekly, "monday", from, to);
        assert_eq!(days.places(&weeks), [-1, 0, 0, 0]);
        let months = calendar("UTC", Period::Monthly, "monday", from, to);
        assert_eq!(days.places(&months), [-1, -1, -1, 0]);
    }

    #[test]
    fn too_many_buckets_are_refused() {
        let zone = Zone::default();
        let error = Calendar::new(
            &zone,
            Period::Daily,
            WeekStart::default(),
            Instant::MIN,
            at("2024-01-01T00:00:00Z"),
        );
        assert_eq!(
            error.unwrap_err().field_errors()[0].code,
            "too_many_periods"
        );
    }
}
