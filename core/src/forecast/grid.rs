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
    /// Three calendar months.
    Quarters,
    /// Calendar years.
    Years,
    /// So many calendar months: two, six, twenty-four.
    Every(i64),
}

impl Frequency {
    /// A frequency by its usual name: `D`, `day`, `W`, `M`, `MS`, `ME`, `Q`, `Y`, `H`, `15min` and so on; a number
    /// before it multiplies it, as in `2W` and `6M`.
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
        if !(1..=1_000).contains(&count) && !matches!(unit, "T" | "min" | "S" | "s") {
            return None;
        }
        match unit {
            "D" | "d" | "day" | "days" | "daily" => return Some(Self::of_days(count)),
            "B" if count == 1 => return Some(Self::Days),
            "W" | "w" | "week" | "weeks" | "weekly" => return Some(Self::of_days(7 * count)),
            "M" | "MS" | "ME" | "month" | "months" | "monthly" => {
                return Some(Self::of_months(count));
            }
            "Q" | "QS" | "QE" | "quarter" | "quarters" | "quarterly" => {
                return Some(Self::of_months(3 * count));
            }
            "Y" | "YS" | "YE" | "A" | "AS" | "year" | "years" | "yearly" => {
                return Some(Self::of_months(12 * count));
            }
            _ => {}
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

    fn of_days(count: i64) -> Self {
        match count {
            1 => Self::Days,
            7 => Self::Weeks,
            _ => Self::Steps(count.saturating_mul(DAY)),
        }
    }

    fn of_months(count: i64) -> Self {
        match count {
            1 => Self::Months,
            3 => Self::Quarters,
            12 => Self::Years,
            _ => Self::Every(count),
        }
    }

    /// The frequency of sorted, distinct times.
    ///
    /// Times of one hour of the day are dates: those of one day of the month are calendar months or years apart, others as many
    /// days as they most often are, where every distance is a multiple of it. Else it is the most common distance.
    #[must_use]
    pub fn infer(times: &[i64], integers: bool) -> Self {
        let gaps: Vec<i64> = times
            .windows(2)
            .filter_map(|w| Some(w.last()?.saturating_sub(*w.first()?)))
            .filter(|gap| *gap > 0)
            .collect();
        let (gap, _) = most_common(&gaps);
        if integers {
            return Self::Steps(gap);
        }
        if gaps.is_empty() {
            return Self::Days;
        }
        // The midnights of another zone move by an hour when its clocks do.
        let clock = || times.iter().map(|t| t.rem_euclid(DAY));
        let apart = clock().max().unwrap_or(0) - clock().min().unwrap_or(0);
        if apart > HOUR || gap < DAY - HOUR {
            return Self::Steps(gap);
        }
        let days: Vec<i64> = gaps.iter().map(|g| (g + DAY / 2) / DAY).collect();
        let common = divisor(&days);
        if gap >= 27 * DAY
            && let Some(months) = of_one_day(times)
        {
            return Self::of_months(months);
        }
        let (most, times) = most_common(&days);
        match most {
            28..=31 if common != 28 => Self::Months,
            // A few dates may have a divisor by chance.
            _ if most == common && 2 * times > days.len() => Self::of_days(most),
            // Quarters of thirteen weeks and years of fifty-two have one more now and then.
            84..=98 => Self::Quarters,
            358..=378 => Self::Years,
            7 | 14 | 21 => Self::Weeks,
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
            Self::Every(2) => Pace::Months,
            Self::Every(months) if months < 12 => Pace::Quarters,
            Self::Every(_) => Pace::Years,
            Self::Steps(step) if !integers => match step / DAY {
                0 => Pace::Hours,
                1..7 => Pace::Days,
                7..28 => Pace::Weeks,
                28..80 => Pace::Months,
                80..300 => Pace::Quarters,
                _ => Pace::Years,
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
            Self::Years => Vec::new(),
            Self::Every(months) => {
                let year = usize::try_from(12 / months.max(1)).unwrap_or(0);
                let whole = 12 % months.max(1) == 0 && year > 1;
                whole.then_some(year).into_iter().collect()
            }
            Self::Steps(_) if integers => Vec::new(),
            Self::Steps(step) => {
                let whole = |of: i64| (of % step == 0).then_some(of / step);
                // A year of whole weeks is what steps of days have.
                let year = (step > DAY).then(|| whole(364 * DAY)).flatten();
                let found = [whole(HOUR), whole(DAY), whole(7 * DAY), year];
                let fit = |p: i64| usize::try_from(p).ok().filter(|p| (2..=2016).contains(p));
                found.into_iter().flatten().filter_map(fit).collect()
            }
        }
    }

    /// The beginning of the period of the calendar that a time lies in; steps of days begin with the first row.
    fn begin(self, time: i64, first: i64) -> i64 {
        let midnight = |t: i64| t - t.rem_euclid(DAY);
        let month = |count: i64| {
            let months = months(time).div_euclid(count.max(1)) * count.max(1);
            let year = i16::try_from(months.div_euclid(12)).unwrap_or(i16::MAX);
            let month = i8::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
            let first = Date::new(year, month, 1).unwrap_or(Date::MIN);
            micros(first.to_datetime(jiff::civil::Time::midnight()))
        };
        match self {
            Self::Steps(step) if step > DAY => midnight(first),
            Self::Steps(step) => midnight(time) + time.rem_euclid(DAY) / step.max(1) * step.max(1),
            Self::Days => midnight(time),
            Self::Weeks => midnight(time) - weekday(time) as i64 * DAY,
            Self::Months => month(1),
            Self::Quarters => month(3),
            Self::Years => month(12),
            Self::Every(count) => month(count),
        }
    }

    /// The number of the period that a time lies in, counted from an origin of the calendar.
    pub(crate) fn index(self, time: i64, anchor: i64) -> i64 {
        match self {
            // Clocks that were put back make a date an hour earlier than it is.
            Self::Steps(step) if step > DAY => (time - anchor + HOUR).div_euclid(step),
            Self::Steps(step) => (time - anchor).div_euclid(step.max(1)),
            Self::Days => time.div_euclid(DAY),
            Self::Weeks => (time - anchor + HOUR).div_euclid(7 * DAY),
            Self::Every(count) => (months(time) - months(anchor)).div_euclid(count.max(1)),
            Self::Months => months(time),
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
            Self::Quarters => by_month(3),
            Self::Years => by_month(12),
            Self::Every(count) => by_month(count),
        }
    }
}

/// The most common of some distances, at least 1, the least of several; how often it is there.
fn most_common(gaps: &[i64]) -> (i64, usize) {
    let mut gaps = gaps.to_vec();
    gaps.sort_unstable();
    let mut best = (1, 0);
    for run in gaps.chunk_by(|a, b| a == b) {
        if run.len() > best.1 {
            best = (run.first().copied().unwrap_or(1).max(1), run.len());
        }
    }
    best
}

/// What divides all of some numbers.
fn divisor(numbers: &[i64]) -> i64 {
    numbers.iter().fold(0, |mut a, &b| {
        let mut b = b;
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    })
}

/// How many months lie between times that are all of one day of the month, or of its last where a month is shorter.
fn of_one_day(times: &[i64]) -> Option<i64> {
    let days = || times.iter().map(|t| day(*t));
    let latest = days().map(Date::day).max()?;
    let one = days().all(|d| d.day() == latest.min(d.days_in_month()));
    let months: Vec<i64> = times.iter().map(|t| months(*t)).collect();
    let apart: Vec<i64> = months
        .iter()
        .zip(months.iter().skip(1))
        .map(|(a, b)| b - a)
        .collect();
    Some(divisor(&apart)).filter(|months| one && *months > 0)
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
    /// Rows of a period that already had one; their values were added (counts) or averaged.
    pub(crate) repeated: usize,
    /// Whether rows are closer than periods and end before the last one does.
    pub(crate) unfinished: bool,
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
        let frequency = frequency.unwrap_or_else(|| Frequency::infer(&times, integers));
        // Rows are counted from the last one: the grid goes on from there.
        let newest = times.last().copied().unwrap_or(0);
        let oldest = times.first().copied().unwrap_or(0);
        // Where rows are closer than periods, periods are those of the calendar, and the first and the last need all of theirs.
        let finer = (!integers).then(|| finer(&times, frequency)).flatten();
        let anchor = match finer {
            Some(_) => frequency.begin(newest, oldest),
            None => newest,
        };
        let last = frequency.index(newest, anchor);
        let first = frequency.index(oldest, anchor);
        let lacks = |from: i64, to: i64| finer.is_some_and(|gap| to - from > gap + gap / 2);
        let late =
            first < last && lacks(frequency.time(first, anchor), oldest + finer.unwrap_or(0));
        let first = first + i64::from(late);
        let unfinished = first < last && lacks(newest, frequency.time(last + 1, anchor));
        // A row far from all others makes no history of nothing but gaps.
        let most = (4 * rows.len()).clamp(10_000, LONGEST);
        let first = first.max(last.saturating_sub(most as i64 - 1));
        let mut seen = [false; 7];
        for t in &times {
            if let Some(seen) = seen.get_mut(weekday(*t)) {
                *seen = true;
            }
        }
        let open = seen.iter().filter(|s| **s).count();
        let weeks = (last - first) / 7;
        // Of two weekdays each week has to have both, or nearly.
        let often = 10 * times.len() as i64 > 7 * weeks * open as i64;
        let evident = weeks >= 3 && (open >= 3 || open == 2 && often);
        let closes = frequency == Frequency::Days
            && !integers
            && (gaps == Some(Gaps::Closed) || gaps.is_none() && evident);
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
            repeated,
            unfinished,
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

    /// Whether the last period ends after an instant, so that its value is not complete. A whole number is complete as it is, and
    /// months that are named by their last day end with it.
    pub(crate) fn is_partial(&self, as_of: i64) -> bool {
        self.times.last().is_some_and(|last| {
            let index = self.frequency.index(*last, *last);
            let next = self.frequency.time(index + 1, *last);
            let named = day(*last) == day(*last).last_of_month() && next - last > 27 * DAY;
            let end = if named { last + DAY } else { next };
            !self.integers && end > as_of
        })
    }
}

/// How far apart rows are, where periods have several of them.
fn finer(times: &[i64], frequency: Frequency) -> Option<i64> {
    let anchor = times.last().copied()?;
    let mut periods: Vec<i64> = times.iter().map(|t| frequency.index(*t, anchor)).collect();
    periods.dedup();
    let gaps: Vec<i64> = times
        .iter()
        .zip(times.iter().skip(1))
        .map(|(a, b)| b - a)
        .collect();
    (times.len() >= 2 * periods.len()).then(|| most_common(&gaps).0)
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
