//! How many periods after a start something happens, and when a period has elapsed (R3–R5, R7).

use jiff::ToSpan;

use super::options::{ClockStart, Unit};
use crate::query::{Calendar, Instant, Zone};

/// A way to count periods from a start at `t0` in the calendar's bucket `cohort`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock<'a> {
    unit: Unit,
    from: ClockStart,
    pub(super) calendar: &'a Calendar,
    zone: &'a Zone,
    as_of: i64,
}

const DAY: i64 = 86_400_000_000;

impl<'a> Clock<'a> {
    pub(super) fn new(
        (unit, from): (Unit, ClockStart),
        calendar: &'a Calendar,
        zone: &'a Zone,
        as_of: Instant,
    ) -> Self {
        Self {
            unit,
            from,
            calendar,
            zone,
            as_of: as_of.micros(),
        }
    }

    fn length(&self) -> Option<i64> {
        match self.unit {
            Unit::Calendar | Unit::MonthAnniversary => None,
            Unit::Hours24 => Some(DAY),
            Unit::Days7 => Some(7 * DAY),
            Unit::Days30 => Some(30 * DAY),
        }
    }

    /// Whether a start opens a clock of its own, rather than sharing its period's.
    pub(super) fn is_own(&self) -> bool {
        self.unit != Unit::Calendar
    }

    /// The instant from which the clock of a start at `t0` counts.
    fn origin(&self, t0: i64) -> i64 {
        let at = Instant::saturating_from_micros(t0);
        match self.from {
            ClockStart::Event => t0,
            ClockStart::Hour => t0 - (t0 + self.zone.offset(at)).rem_euclid(DAY / 24),
            ClockStart::Day => self.zone.start_of(self.zone.date(at)).micros(),
        }
    }

    /// Whether all periods are equally long.
    pub(super) fn is_fixed(&self) -> bool {
        self.length().is_some()
    }

    /// Whether of two starts the later is never further on.
    pub(super) fn is_even(&self) -> bool {
        self.from == ClockStart::Event && self.is_fixed()
    }

    /// When a period of a start at `t0` ends, where its clock is its own.
    pub(super) fn end(&self, t0: i64, period: usize) -> i64 {
        match self.length() {
            Some(length) => self
                .origin(t0)
                .saturating_add(length.saturating_mul(period as i64 + 1)),
            None => self.anniversary(t0, period + 1),
        }
    }

    /// In which period an instant lies that is not before the start.
    #[inline]
    pub(super) fn period(&self, cohort: usize, t0: i64, ts: i64) -> Option<usize> {
        match self.length() {
            Some(length) => usize::try_from((ts - self.origin(t0)) / length).ok(),
            None if self.unit == Unit::Calendar => self.calendar.locate(ts)?.checked_sub(cohort),
            None => Some(self.months(t0, ts)),
        }
    }

    /// How many periods from the first on have fully elapsed at `asOf` (R7).
    pub(super) fn elapsed(&self, cohort: usize, t0: i64) -> usize {
        match self.length() {
            Some(length) => {
                let since = self.as_of - self.origin(t0);
                usize::try_from(since / length).unwrap_or_default()
            }
            None if self.unit == Unit::Calendar => {
                let ahead = self.calendar.buckets().get(cohort..).unwrap_or_default();
                ahead.partition_point(|b| b.end.micros() <= self.as_of)
            }
            None => self.months(t0, self.as_of),
        }
    }

    /// How many periods of a cohort have begun: those that its earliest start could have reached.
    pub(super) fn begun(&self, cohort: usize) -> usize {
        let Some(bucket) = self.calendar.buckets().get(cohort) else {
            return 0;
        };
        let start = bucket.start.micros();
        if self.unit == Unit::Calendar {
            let ahead = self.calendar.buckets().get(cohort..).unwrap_or_default();
            ahead
                .iter()
                .take_while(|b| b.start.micros() <= self.as_of)
                .count()
        } else if start > self.as_of {
            0
        } else {
            self.elapsed(cohort, start) + 1
        }
    }

    /// How many periods have fully elapsed for every start that the cohort's period could hold.
    pub(super) fn complete(&self, cohort: usize) -> usize {
        let Some(bucket) = self.calendar.buckets().get(cohort) else {
            return 0;
        };
        let last = bucket.end.micros() - 1;
        match self.unit {
            Unit::Calendar => self.elapsed(cohort, last),
            _ if last > self.as_of => 0,
            // Starts on several days share a clamped anniversary, the latest of which is at the end of that day.
            Unit::MonthAnniversary => {
                let whole = |n: &usize| self.month_ends_by(last, *n);
                let near = self.months(last, self.as_of) + 1;
                (0..=near).rev().find(whole).unwrap_or(0)
            }
            _ => self.elapsed(cohort, last),
        }
    }

    fn month_ends_by(&self, start: i64, n: usize) -> bool {
        let at = self.zone.civil(Instant::saturating_from_micros(start));
        let day = i32::try_from(n)
            .ok()
            .and_then(|n| at.date().checked_add(n.months()).ok())
            .and_then(|date| date.tomorrow().ok());
        // The clock of a zone may show the day before once more.
        n == 0 || day.is_some_and(|day| self.zone.end_before(day).micros() <= self.as_of)
    }

    /// The anniversary of `t0` after `n` months (R5).
    fn anniversary(&self, t0: i64, n: usize) -> i64 {
        if n == 0 {
            return t0;
        }
        let at = self.zone.civil(Instant::saturating_from_micros(t0));
        i32::try_from(n)
            .ok()
            .and_then(|n| at.checked_add(n.months()).ok())
            .map_or(i64::MAX, |at| self.zone.instant(at).micros())
    }

    /// How many anniversaries of `t0` there are by `ts`.
    fn months(&self, t0: i64, ts: i64) -> usize {
        let date = |micros| self.zone.date(Instant::saturating_from_micros(micros));
        let (from, to) = (date(t0), date(ts));
        let months = 12 * (i64::from(to.year()) - i64::from(from.year())) + i64::from(to.month())
            - i64::from(from.month());
        let mut n = usize::try_from(months).unwrap_or_default();
        while n > 0 && self.anniversary(t0, n) > ts {
            n -= 1;
        }
        while self.anniversary(t0, n + 1) <= ts {
            n += 1;
        }
        n
    }
}
