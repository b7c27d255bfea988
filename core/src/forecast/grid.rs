//! Time as a series has it: its frequency, the regular grid it lies on, and what its gaps mean.

use jiff::civil::{Date, DateTime, date};
use jiff::{SignedDuration, ToSpan};

const MICROS: i64 = 1_000_000;
const HOUR: i64 = 3600 * MICROS;
const DAY: i64 = 24 * HOUR;

/// Frequencies that are inflated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Years,
    Quarters,
    Months,
    Weeks,
    Days,
    Hours,
}

/// The distance of two periods of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// Steps of an integer axis, or of so many microseconds.
    Steps(i64),
    /// Local days.
    Days,
    /// Seven days.
    Weeks,
    /// Calendar months, named by their first or their last day or any day between.
    Months,
    /// So many calendar months, neither one, three nor twelve.
    EveryMonths(i64),
    /// Three calendar months.
    Quarters,
    /// Calendar years.
    Years,
}

impl Frequency {
    /// A frequency by its usual name: `D`, `day`, `W`, `M`, `MS`, `ME`, `Q`, `Y`, `H`, `15min` and so on.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let trimmed = name.trim();
        let digits = trimmed.chars().take_while(char::is_ascii_digit).count();
        let (count, unit) = trimmed.split_at_checked(digits)?;
        let count: i64 = if count.is_empty() {
            1
        } else {
            count.parse().ok()?
        };
        let unit = unit.split('-').next().unwrap_or(unit);
        let whole = match unit {
            "D" | "d" | "day" | "days" | "daily" | "B" => Some(Self::Days),
            "W" | "w" | "week" | "weeks" | "weekly" => Some(Self::Weeks),
            "M" | "MS" | "ME" | "month" | "months" | "monthly" => Some(Self::Months),
            "Q" | "QS" | "QE" | "quarter" | "quarters" | "quarterly" => Some(Self::Quarters),
            "Y" | "YS" | "YE" | "A" | "AS" | "year" | "years" | "yearly" => Some(Self::Years),
            _ => None,
        };
        if let Some(whole) = whole {
            return whole.times(count).filter(|_| count == 1 || unit != "B");
        }
        let micros = match unit {
            "H" | "h" | "hour" | "hours" | "hourly" => HOUR,
            "T" | "min" | "minute" | "minutes" => 60 * MICROS,
            "S" | "s" | "second" | "seconds" => MICROS,
            _ => return None,
        };
        let step = micros
            .checked_mul(count)
            .filter(|s| (1..=DAY).contains(s))?;
        Some(if step == DAY {
            Self::Days
        } else {
            Self::Steps(step)
        })
    }

    /// So many periods of the calendar as one; none for none, or for more than a century.
    fn times(self, count: i64) -> Option<Self> {
        let months = match self {
            Self::Months => 1,
            Self::Quarters => 3,
            Self::Years => 12,
            Self::Weeks => return Self::of_days(count.checked_mul(7)?),
            _ => return Self::of_days(count),
        };
        let months = count.checked_mul(months)?;
        (1..=1_200)
            .contains(&months)
            .then(|| Self::of_months(months))
    }

    fn of_days(days: i64) -> Option<Self> {
        match days {
            1 => Some(Self::Days),
            7 => Some(Self::Weeks),
            2..=36_500 => Some(Self::Steps(days * DAY)),
            _ => None,
        }
    }

    fn of_months(months: i64) -> Self {
        match months {
            1 => Self::Months,
            3 => Self::Quarters,
            12 => Self::Years,
            _ => Self::EveryMonths(months),
        }
    }

    /// The frequency of sorted, distinct times: the most common distance, read as a calendar where all lie at one time of the day, or an hour
    /// apart, as the midnights of a zone do when they are told by another. Distances that only few times speak for are days with gaps.
    #[must_use]
    pub fn infer(times: &[i64], integers: bool) -> Self {
        let mut gaps: Vec<i64> = times
            .windows(2)
            .filter_map(|w| Some(w.last()?.saturating_sub(*w.first()?)))
            .filter(|gap| *gap > 0)
            .collect();
        gaps.sort_unstable();
        let mut best = (0, 0_usize);
        for run in gaps.chunk_by(|a, b| a == b) {
            if run.len() > best.1 {
                best = (run.first().copied().unwrap_or(1), run.len());
            }
        }
        let gap = best.0.max(1);
        if integers {
            return Self::Steps(gap);
        }
        let Some(least) = gaps.first() else {
            return Self::Days;
        };
        let apart = apart(times);
        if gap < DAY - HOUR || apart != 0 && (apart != HOUR || *least < DAY - HOUR) {
            return Self::Steps(gap);
        }
        let days = |gap: i64| (gap + DAY / 2) / DAY;
        let gap = days(gap);
        let every = gaps.iter().fold(0, |all, gap| divisor(all, days(*gap)));
        let enough = gaps.len() >= ENOUGH;
        // Months are never of one length for long.
        let even = enough && every == gap;
        let each: Vec<i64> = times.iter().map(|t| months(*t)).collect();
        let pairs = each.windows(2).filter_map(|w| Some(w.last()? - w.first()?));
        let by_month = pairs.fold(0, divisor);
        match gap {
            28.. if enough && by_month > 0 && one_day(times) => Self::of_months(by_month),
            28..=31 | 89..=92 | 365 | 366 if even => Self::of_days(every).unwrap_or(Self::Days),
            28..=31 => Self::Months,
            89..=92 => Self::Quarters,
            365 | 366 => Self::Years,
            _ if every % 7 == 0 && enough => Self::of_days(every).unwrap_or(Self::Weeks),
            7 | 14 | 21 => Self::Weeks,
            _ if every > 1 && gaps.len() >= MANY => Self::of_days(every).unwrap_or(Self::Days),
            _ => Self::Days,
        }
    }

    pub(crate) fn pace(self, integers: bool, season: usize) -> Pace {
        match self {
            Self::Days => Pace::Days,
            Self::Weeks => Pace::Weeks,
            Self::Months => Pace::Months,
            Self::Quarters => Pace::Quarters,
            Self::Years => Pace::Years,
            Self::EveryMonths(..=2) => Pace::Months,
            Self::EveryMonths(..=6) => Pace::Quarters,
            Self::EveryMonths(_) => Pace::Years,
            Self::Steps(step) if !integers => match step / DAY {
                0 => Pace::Hours,
                1..=6 => Pace::Days,
                7..=27 => Pace::Weeks,
                _ => Pace::Months,
            },
            Self::Steps(_) => match season {
                0 | 1 => Pace::Years,
                2..=4 => Pace::Quarters,
                5..=7 => Pace::Days,
                8..=13 => Pace::Months,
                14..=48 => Pace::Hours,
                49..=53 => Pace::Weeks,
                _ => Pace::Hours,
            },
        }
    }

    /// The seasons of this frequency, ascending, in periods.
    pub(crate) fn seasons(self, integers: bool) -> Vec<usize> {
        match self {
            Self::Days => vec![7],
            Self::Weeks => vec![52],
            Self::Months => vec![12],
            Self::Quarters => vec![4],
            Self::EveryMonths(n) => match 12 % n {
                0 => usize::try_from(12 / n)
                    .into_iter()
                    .filter(|p| *p > 1)
                    .collect(),
                _ => Vec::new(),
            },
            Self::Years => Vec::new(),
            Self::Steps(_) if integers => Vec::new(),
            Self::Steps(step) => {
                let whole = |of: i64| (of % step == 0).then_some(of / step);
                let found = [whole(HOUR), whole(DAY), whole(7 * DAY)];
                let fit = |p: i64| usize::try_from(p).ok().filter(|p| (2..=2016).contains(p));
                found.into_iter().flatten().filter_map(fit).collect()
            }
        }
    }

    /// The number of the period that a time lies in, counted from an origin of the calendar.
    pub(crate) fn index(self, time: i64, anchor: i64) -> i64 {
        match self {
            Self::Steps(step) => (time - anchor).div_euclid(step.max(1)),
            Self::Days => time.div_euclid(DAY),
            Self::Weeks => (time - anchor).div_euclid(7 * DAY),
            Self::Months => months(time),
            Self::EveryMonths(n) => (months(time) - months(anchor)).div_euclid(n),
            Self::Quarters => months(time).div_euclid(3),
            Self::Years => months(time).div_euclid(12),
        }
    }

    /// A time of the period of a number: as the anchor lies in its own.
    pub(crate) fn time(self, index: i64, anchor: i64) -> i64 {
        let steps = index - self.index(anchor, anchor);
        let along = |unit: i64| anchor.saturating_add(steps.saturating_mul(unit));
        let by_month = |unit: i64| {
            let from = civil(anchor);
            // The last day of a month stays the last day.
            let last = from.date() == from.date().last_of_month();
            let moved = from.checked_add(steps.saturating_mul(unit).months());
            let moved = moved.unwrap_or(DateTime::MAX);
            let day = if last {
                moved.date().last_of_month()
            } else {
                moved.date()
            };
            micros(day.to_datetime(moved.time()))
        };
        match self {
            Self::Steps(step) => along(step),
            Self::Days => along(DAY),
            Self::Weeks => along(7 * DAY),
            Self::Months => by_month(1),
            Self::EveryMonths(n) => by_month(n),
            Self::Quarters => by_month(3),
            Self::Years => by_month(12),
        }
    }
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The civil time of microseconds since 1970.
pub(crate) fn civil(time: i64) -> DateTime {
    let moved = EPOCH.checked_add(SignedDuration::from_micros(time));
    moved.unwrap_or(if time > 0 {
        DateTime::MAX
    } else {
        DateTime::MIN
    })
}

/// The microseconds since 1970 of a civil time.
pub(crate) fn micros(time: DateTime) -> i64 {
    time.duration_since(EPOCH)
        .as_micros()
        .try_into()
        .unwrap_or(i64::MAX)
}

/// The civil day of microseconds since 1970.
pub(crate) fn day(time: i64) -> Date {
    civil(time).date()
}

fn months(time: i64) -> i64 {
    let day = day(time);
    i64::from(day.year()) * 12 + i64::from(day.month()) - 1
}

/// So many distances tell two, four or six months, and so many weeks, from months and weeks with gaps.
const ENOUGH: usize = 3;

/// So many tell a number of days from days with gaps, which have an even number of days between them by chance.
const MANY: usize = 8;

/// How far apart the earliest and the latest time of the day are.
fn apart(times: &[i64]) -> i64 {
    let hours = times.iter().map(|t| t.rem_euclid(DAY));
    let (first, last) = hours.fold((DAY, 0), |(a, b), t| (a.min(t), b.max(t)));
    last - first
}

fn divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Whether all times lie on the same day of their months, or all on the last, which is the same where a month has fewer.
fn one_day(times: &[i64]) -> bool {
    let days = || times.iter().map(|t| day(*t));
    let most = days().map(Date::day).max().unwrap_or(0);
    let same = days().all(|d| d.day() == most || d.day() < most && d == d.last_of_month());
    same || days().all(|d| d == d.last_of_month())
}

/// What a period without a row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Gaps {
    /// Nothing happened: 0.
    Zero,
    /// Something was not written down: unknown.
    Missing,
    /// Weekdays that never have a row are no periods at all; other gaps are unknown.
    Closed,
}

/// A series on its regular grid.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) frequency: Frequency,
    pub(crate) integers: bool,
    /// The values, not a number where unknown.
    pub(crate) y: Vec<f64>,
    /// The time of every value.
    pub(crate) times: Vec<i64>,
    pub(crate) gaps: Gaps,
    /// Weekdays (Monday 0) that are no periods.
    pub(crate) closed: [bool; 7],
    /// Periods that had no row.
    pub(crate) filled: usize,
    /// Whether each value has a row.
    pub(crate) told: Vec<bool>,
    /// Rows of a period that already had one; their values were added (counts) or averaged.
    pub(crate) repeated: usize,
}

/// The longest history that is laid out, in periods: longer ones lose their beginning.
pub(crate) const LONGEST: usize = 100_000;

fn weekday(time: i64) -> usize {
    usize::from(day(time).weekday().to_monday_zero_offset().unsigned_abs())
}

impl Grid {
    /// Lays rows out, sorted by time. Rows of the same period are added up for counts and amounts, averaged otherwise.
    pub(crate) fn new(
        rows: &mut [(i64, f64)],
        integers: bool,
        frequency: Option<Frequency>,
        gaps: Option<Gaps>,
        additive: bool,
    ) -> Self {
        rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut times: Vec<i64> = rows.iter().map(|r| r.0).collect();
        times.dedup();
        // Rows are counted from the last one: the grid goes on from there.
        let anchor = times.last().copied().unwrap_or(0);
        let frequency = frequency.unwrap_or_else(|| {
            let found = Frequency::infer(&times, integers);
            let daily = !matches!(found, Frequency::Steps(step) if step < DAY);
            if daily && !integers && apart(&times) == HOUR {
                // The midnights of a zone, told by another: summer and winter are an hour apart, days are not.
                let hour = anchor.rem_euclid(DAY);
                for time in rows.iter_mut().map(|r| &mut r.0).chain(&mut times) {
                    *time += hour - time.rem_euclid(DAY);
                }
            }
            found
        });
        let last = frequency.index(anchor, anchor);
        let first = times.first().map_or(last, |t| frequency.index(*t, anchor));
        // A row far from all others makes no history of nothing but gaps.
        let most = (4 * rows.len()).clamp(10_000, LONGEST);
        let first = first.max(last.saturating_sub(most as i64 - 1));
        let mut seen = [false; 7];
        for t in &times {
            if let Some(seen) = seen.get_mut(weekday(*t)) {
                *seen = true;
            }
        }
        let weeks = (last - first) / 7;
        let closes = frequency == Frequency::Days
            && !integers
            && weeks >= if gaps == Some(Gaps::Closed) { 1 } else { 3 }
            && seen.iter().filter(|s| **s).count() >= 3
            && matches!(gaps, None | Some(Gaps::Closed));
        let closed = seen.map(|seen| closes && !seen);
        let count = usize::try_from(last - first + 1).unwrap_or(0);
        // The sum and the number of the rows of each period, and whether one says that its value is not known.
        let none = (0.0, 0_u32, false);
        let mut sums = vec![none; if rows.is_empty() { 0 } else { count }];
        let mut repeated = 0;
        for (time, y) in rows.iter() {
            let at = usize::try_from(frequency.index(*time, anchor) - first);
            let Some(cell) = at.ok().and_then(|at| sums.get_mut(at)) else {
                continue;
            };
            if y.is_finite() {
                repeated += usize::from(cell.1 > 0);
                cell.0 += y;
                cell.1 += 1;
            } else {
                cell.2 = true;
            }
        }
        let filled_in = sums.iter().filter(|c| c.1 == 0).count();
        let mut known: Vec<f64> = rows.iter().map(|r| r.1).filter(|y| y.is_finite()).collect();
        let counts = known.iter().all(|y| *y >= 0.0 && y.fract() == 0.0);
        let least = known.iter().copied().fold(f64::INFINITY, f64::min);
        let usual = super::clean::median(&mut known);
        let gaps = gaps.unwrap_or(if closed.contains(&true) {
            Gaps::Closed
        } else if counts && filled_in > 0 && least <= 0.1 * usual.max(10.0) {
            Gaps::Zero
        } else {
            Gaps::Missing
        });
        let mut out = Self {
            frequency,
            integers,
            y: Vec::with_capacity(sums.len()),
            times: Vec::with_capacity(sums.len()),
            gaps,
            closed,
            filled: 0,
            told: Vec::with_capacity(sums.len()),
            repeated,
        };
        for (i, (sum, rows, unknown)) in sums.into_iter().enumerate() {
            let time = frequency.time(first + i as i64, anchor);
            if closes && closed.get(weekday(time)).copied().unwrap_or(false) {
                continue;
            }
            let y = match (rows, gaps) {
                (0, Gaps::Zero) if !unknown => 0.0,
                (0, _) => f64::NAN,
                (1, _) => sum,
                (_, _) if additive => sum,
                (n, _) => sum / f64::from(n),
            };
            out.filled += usize::from(rows == 0);
            out.told.push(rows > 0 || unknown);
            out.y.push(y);
            out.times.push(time);
        }
        out
    }

    /// The times of the next periods.
    pub(crate) fn next(&self, horizon: usize) -> Vec<i64> {
        let anchor = self.times.last().copied().unwrap_or(0);
        let mut index = self.frequency.index(anchor, anchor);
        let mut out = Vec::with_capacity(horizon);
        while out.len() < horizon {
            index += 1;
            let time = self.frequency.time(index, anchor);
            let shut = self.closed.contains(&true)
                && self.closed.get(weekday(time)).copied().unwrap_or(false);
            if !shut {
                out.push(time);
            }
        }
        out
    }

    /// The seasons of the grid, in periods.
    pub(crate) fn seasons(&self) -> Vec<usize> {
        if self.frequency == Frequency::Days {
            let open = self.closed.iter().filter(|c| !**c).count();
            return vec![open.max(1)];
        }
        self.frequency.seasons(self.integers)
    }

    /// Whether the last period ends after an instant, so that its value is not complete.
    pub(crate) fn is_partial(&self, as_of: i64) -> bool {
        self.times.last().is_some_and(|last| {
            let index = self.frequency.index(*last, *last);
            let next = self.frequency.time(index + 1, *last);
            let from = civil(*last);
            let months = matches!(
                self.frequency,
                Frequency::Months
                    | Frequency::Quarters
                    | Frequency::Years
                    | Frequency::EveryMonths(_)
            );
            // A period that is named by its last day ends with it; a whole number is a period that has come.
            let end = if self.integers {
                *last
            } else if months && from.date() == from.date().last_of_month() {
                last.saturating_add(DAY)
            } else {
                next
            };
            end > as_of
        })
    }
}

/// Puts values where none are known: the mean of the values a season before and after, or the line between neighbours.
/// `false` where no value is known at all.
pub(crate) fn interpolate(y: &mut [f64], m: usize) -> bool {
    let known: Vec<usize> = (0..y.len())
        .filter(|t| y.get(*t).is_some_and(|y| y.is_finite()))
        .collect();
    let (Some(&first), Some(&last)) = (known.first(), known.last()) else {
        return false;
    };
    if known.len() == y.len() {
        return true;
    }
    let given = y.to_vec();
    let at = |t: usize| given.get(t).copied().filter(|y| y.is_finite());
    for (t, y) in y.iter_mut().enumerate() {
        if y.is_finite() {
            continue;
        }
        let season = (m > 1)
            .then(|| (t.checked_sub(m).and_then(at), at(t + m)))
            .and_then(|pair| match pair {
                (Some(a), Some(b)) => Some(f64::midpoint(a, b)),
                _ => None,
            });
        let next = known.partition_point(|k| *k < t);
        let line = || {
            let after = known.get(next).copied().unwrap_or(last);
            let before = next.checked_sub(1).and_then(|i| known.get(i)).copied();
            let before = before.unwrap_or(first);
            let (a, b) = (at(before)?, at(after)?);
            let part = if after > before {
                (t.saturating_sub(before)) as f64 / (after - before) as f64
            } else {
                0.0
            };
            Some(a + part.min(1.0) * (b - a))
        };
        *y = season.or_else(line).unwrap_or(0.0);
    }
    true
}

/// The first of January of a year.
pub(crate) fn new_year(year: i16) -> Date {
    date(year.clamp(-9999, 9999), 1, 1)
}
