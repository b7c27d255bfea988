//! A question as the oracle reads it: every option with its default, and the lengths of its periods.

use chrono::{Days, Months, NaiveDate, Timelike, Weekday};
use serde_json::{Value, json};

use super::super::calendar::{
    Calendar, Period, WEEKDAYS, first_showing, last_showing_before, local, midnight, utc,
};
use super::super::condition::{Condition, Property};
use super::super::question::{Range, micros, text};

const DAY: i64 = 86_400_000_000;

const MINUTE: i64 = 60_000_000;

/// What names a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cohort {
    /// The first date of its period.
    Date(NaiveDate),
    /// The first instant of its hour.
    Hour(i64),
}

/// Every option.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Nothing for hours.
    pub(super) period: Option<Period>,
    pub(super) range: Range,
    pub(super) start: Condition,
    pub(super) returning: Condition,
    pub(super) filters: Vec<Value>,
    pub(super) mode: String,
    pub(super) unit: String,
    pub(super) clock_start: String,
    pub(super) criterion: String,
    pub(super) brackets: Vec<(u32, u32)>,
    pub(super) minimum: usize,
    pub(super) maturity: String,
    pub(super) metric: String,
    pub(super) property: Option<Property>,
    pub(super) hold: Option<Property>,
    pub(super) breakdown: Option<(Property, usize)>,
    pub(super) pooling: String,
    pub(super) segment: String,
    pub(super) week_start: Weekday,
    pub(super) periods: Option<u32>,
    pub(super) preset: String,
    pub(super) as_of: i64,
}

impl Asked {
    pub(super) fn read(question: &Value, now: i64) -> Self {
        let given = |name: &str| question.get(name).filter(|v| !v.is_null());
        let word = |name: &str, default: &str| given(name).map_or_else(|| default.to_owned(), text);
        let condition = |name: &str| Condition::read(question.get(name).unwrap_or(&Value::Null));
        let preset = word("preset", "exact");
        let peer = preset != "exact";
        let asked_period = word("cohortPeriod", "");
        let own_clock = match asked_period.as_str() {
            "hourly" => "calendar",
            "daily" => "24h",
            "weekly" => "7d",
            _ => "30d",
        };
        let (mode, unit, criterion, week) = match preset.as_str() {
            "posthog" => ("recurring", "calendar", "on", "sunday"),
            "mixpanel" => ("first_time", own_clock, "on_or_after", "monday"),
            "amplitude" => ("recurring", own_clock, "on", "monday"),
            "clickhouse" => ("recurring", "calendar", "on", "monday"),
            _ => ("first_time", "calendar", "on", "monday"),
        };
        let unit = word("unit", unit);
        let by_length = ["24h", "7d", "30d"].contains(&unit.as_str());
        let clock_start = match (preset.as_str(), asked_period.as_str()) {
            ("amplitude", "hourly") => "event",
            ("amplitude", "daily") if by_length => "hour",
            ("amplitude", _) if by_length => "day",
            _ => "event",
        };
        let breakdown = given("breakdown").map(|asked| {
            let of = asked
                .get("property")
                .filter(|_| asked.get("user").is_none())
                .unwrap_or(asked);
            let limit = asked.get("limit").and_then(Value::as_u64).unwrap_or(25);
            (Property(of.clone()), limit as usize)
        });
        // PostHog wants the value of an event on both sides.
        let both_sides = breakdown
            .iter()
            .map(|b| &b.0)
            .find(|p| preset == "posthog" && p.0.is_string());
        let brackets = given("brackets").and_then(Value::as_array);
        let pair = |pair: &Value| {
            let limit = |i: usize| pair[i].as_u64().expect("a limit") as u32;
            (limit(0), limit(1))
        };
        let week = word("weekStart", week);
        let all = [Period::Daily, Period::Weekly, Period::Monthly];
        Self {
            period: all.into_iter().find(|p| p.name() == asked_period),
            range: Range::read(question),
            start: condition("start"),
            returning: condition("return"),
            filters: given("filters")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
            mode: word("mode", mode),
            clock_start: word("clockStart", clock_start),
            unit,
            criterion: if brackets.is_some() {
                "brackets".to_owned()
            } else {
                word("criterion", criterion)
            },
            brackets: brackets.map_or_else(Vec::new, |b| b.iter().map(pair).collect()),
            minimum: given("minimumOccurrences")
                .and_then(Value::as_u64)
                .unwrap_or(1) as usize,
            maturity: word("maturity", if peer { "ignored" } else { "elapsed" }),
            metric: text(&question["analysisMetric"]),
            property: given("property").cloned().map(Property),
            hold: given("holdConstant")
                .cloned()
                .map(Property)
                .or_else(|| both_sides.cloned()),
            breakdown,
            pooling: word("pooling", "all"),
            segment: word("segment", "all"),
            week_start: WEEKDAYS.iter().find(|d| d.0 == week).expect("a weekday").1,
            periods: given("periods").and_then(Value::as_u64).map(|n| n as u32),
            preset,
            as_of: given("asOf").map_or(now, micros),
        }
    }

    fn calendar(&self) -> Calendar {
        Calendar {
            tz: self.range.tz(),
            period: self.period.expect("a period of dates"),
            week_start: self.week_start,
        }
    }

    pub(super) fn period_name(&self) -> &'static str {
        self.period.map_or("hourly", Period::name)
    }

    /// The minutes around an instant in which the clock on the wall shows the same hour, by the same offset.
    fn hour(&self, ts: i64) -> (i64, i64) {
        let tz = self.range.tz();
        let shown = |at: i64| {
            let wall = local(tz, at);
            (wall.date(), wall.hour(), wall - utc(at))
        };
        let minute = ts - ts.rem_euclid(MINUTE);
        let (mut first, mut end) = (minute, minute + MINUTE);
        while shown(first - MINUTE) == shown(minute) {
            first -= MINUTE;
        }
        while shown(end) == shown(minute) {
            end += MINUTE;
        }
        (first, end)
    }

    /// The cohorts of a range.
    pub(super) fn touching(&self, from: i64, to: i64) -> Vec<Cohort> {
        if self.period.is_some() {
            let dates = self.calendar().touching(from, to).into_iter();
            return dates.map(Cohort::Date).collect();
        }
        let mut hours = vec![self.cohort_of(from)];
        let mut next = self.end(hours[0]);
        while next < to {
            hours.push(Cohort::Hour(next));
            next = self.end(Cohort::Hour(next));
        }
        hours
    }

    pub(super) fn cohort_of(&self, ts: i64) -> Cohort {
        match self.period {
            Some(_) => Cohort::Date(self.calendar().period_of(ts)),
            None => Cohort::Hour(self.hour(ts).0),
        }
    }

    pub(super) fn start(&self, cohort: Cohort) -> i64 {
        match cohort {
            Cohort::Date(date) => self.calendar().start(date),
            Cohort::Hour(start) => start,
        }
    }

    pub(super) fn end(&self, cohort: Cohort) -> i64 {
        match cohort {
            Cohort::Date(date) => self.calendar().end(date),
            Cohort::Hour(start) => self.hour(start).1,
        }
    }

    fn plus(&self, cohort: Cohort, n: u32) -> Cohort {
        match cohort {
            Cohort::Date(date) => Cohort::Date(self.calendar().plus(date, n)),
            Cohort::Hour(_) => {
                let next = |hour: Cohort, _| Cohort::Hour(self.end(hour));
                (0..n).fold(cohort, next)
            }
        }
    }

    fn between(&self, earlier: Cohort, later: Cohort) -> i64 {
        match (earlier, later) {
            (Cohort::Date(earlier), Cohort::Date(later)) => self.calendar().between(earlier, later),
            (Cohort::Hour(earlier), Cohort::Hour(later)) if later - earlier > 100 * 60 * MINUTE => {
                // Beyond every column that a case shows.
                (later - earlier) / (60 * MINUTE)
            }
            (Cohort::Hour(earlier), Cohort::Hour(later)) => {
                let (mut n, mut at) = (0, earlier);
                while at < later {
                    at = self.hour(at).1;
                    n += 1;
                }
                if later < earlier { -1 } else { n }
            }
            _ => panic!("cohorts of one table are of one kind"),
        }
    }

    pub(super) fn week_start_name(&self) -> Value {
        let name = WEEKDAYS.iter().find(|d| d.1 == self.week_start);
        json!(name.expect("a weekday").0)
    }

    fn length(&self) -> Option<i64> {
        match self.unit.as_str() {
            "24h" => Some(DAY),
            "7d" => Some(7 * DAY),
            "30d" => Some(30 * DAY),
            _ => None,
        }
    }

    /// The instant from which the clock of a start counts.
    fn origin(&self, start: i64) -> i64 {
        let tz = self.range.tz();
        let shown = local(tz, start);
        match self.clock_start.as_str() {
            "hour" => {
                let into = i64::from(shown.minute()) * 60 + i64::from(shown.second());
                start - into * 1_000_000 - start.rem_euclid(1_000_000)
            }
            "day" => first_showing(tz, midnight(shown.date())),
            _ => start,
        }
    }

    /// In which period after a start an instant lies (R3–R5).
    pub(super) fn period(&self, start: i64, ts: i64) -> i64 {
        if let Some(length) = self.length() {
            (ts - self.origin(start)).div_euclid(length)
        } else if self.unit == "calendar" {
            self.between(self.cohort_of(start), self.cohort_of(ts))
        } else {
            let mut n = 0;
            while self.anniversary(start, n + 1) <= ts {
                n += 1;
            }
            i64::from(n)
        }
    }

    fn anniversary(&self, start: i64, months: u32) -> i64 {
        if months == 0 {
            return start;
        }
        let tz = self.range.tz();
        let at = local(tz, start).checked_add_months(Months::new(months));
        first_showing(tz, at.expect("dates are far from the end of time"))
    }

    /// The instant at which a period begins for the earliest start a cohort could have.
    pub(super) fn earliest(&self, cohort: Cohort, n: u32) -> i64 {
        let start = self.start(cohort);
        match self.length() {
            Some(length) => self.origin(start) + i64::from(n) * length,
            None if self.unit == "calendar" => self.start(self.plus(cohort, n)),
            None => self.anniversary(start, n),
        }
    }

    /// The instant by which a period has elapsed for every start a cohort could have.
    pub(super) fn latest(&self, cohort: Cohort, n: u32) -> i64 {
        let last = self.end(cohort) - 1;
        match self.length() {
            // A clock that starts with its day may be behind before its user has started.
            Some(length) => last.max(self.origin(last) + i64::from(n + 1) * length),
            None if self.unit == "calendar" => self.end(self.plus(cohort, n)),
            None => {
                let tz = self.range.tz();
                let day = local(tz, last).date() + Months::new(n + 1) + Days::new(1);
                last_showing_before(tz, midnight(day))
            }
        }
    }

    /// Whether a period has fully elapsed for a start (R7).
    pub(super) fn elapsed(&self, start: i64, cohort: Cohort, n: u32) -> bool {
        let end = match self.length() {
            Some(length) => self.origin(start) + i64::from(n + 1) * length,
            None if self.unit == "calendar" => self.end(self.plus(cohort, n)),
            None => self.anniversary(start, n + 1),
        };
        end <= self.as_of
    }
}
