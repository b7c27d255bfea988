//! Retention tables by looking at every pair of a start and a return (R1–R9, R11 `engagement`).

use std::collections::BTreeSet;

use chrono::{Days, Months, NaiveDate, Weekday};
use serde_json::{Value, json};

use super::calendar::{
    Calendar, Period, WEEKDAYS, first_showing, last_showing_before, local, midnight,
};
use super::numbers::{instant, rate, wilson};
use super::question::{Range, Selector, micros, text};
use super::{Event, History, segment};

/// A retention table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The calendar period of cohorts and columns.
    pub period: Period,
    /// Selects starts.
    pub range: Range,
    /// What starts a user.
    pub start: Selector,
    /// What brings a user back.
    pub returning: Selector,
    /// When a user joins: `first_time`, `first_ever_then_filter` or `recurring`.
    pub mode: String,
    /// How columns count time: `calendar`, `24h`, `7d`, `30d` or `month_anniversary`.
    pub unit: String,
    /// Which returns a column counts: `on`, `on_or_after`, `on_or_before`, `streak` or `brackets`.
    pub criterion: String,
    /// The brackets.
    pub brackets: Vec<(u32, u32)>,
    /// `retention_rate` or `engagement`.
    pub metric: String,
    /// The value that the property `p` of a start must have, where it must have one.
    pub start_says: Option<String>,
    /// Whether returns must say of `p` what the start says.
    pub hold: bool,
    /// Only these users.
    pub segment: String,
    /// The first day of weeks.
    pub week_start: Weekday,
    /// How many periods after the first to show at most.
    pub periods: Option<u32>,
    /// Nothing later is seen (G2).
    pub as_of: i64,
}

impl Retention {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, now: i64) -> Self {
        let name = question
            .get("weekStart")
            .map_or_else(|| "monday".to_owned(), text);
        let named = |field: &str, default: &str| {
            question.get(field).map_or_else(|| default.to_owned(), text)
        };
        let period = text(&question["cohortPeriod"]);
        let all = [Period::Daily, Period::Weekly, Period::Monthly];
        Self {
            period: all
                .into_iter()
                .find(|p| p.name() == period)
                .expect("a period"),
            range: Range::read(question),
            start: question.get("start").map_or(Selector::Any, Selector::read),
            returning: question.get("return").map_or(Selector::Any, Selector::read),
            mode: named("mode", "first_time"),
            unit: named("unit", "calendar"),
            criterion: named("criterion", "on"),
            brackets: Vec::new(),
            metric: text(&question["analysisMetric"]),
            start_says: None,
            hold: false,
            segment: question
                .get("segment")
                .map_or_else(|| "all".to_owned(), text),
            week_start: WEEKDAYS.iter().find(|d| d.0 == name).expect("a weekday").1,
            periods: question
                .get("periods")
                .and_then(Value::as_u64)
                .map(|n| n as u32),
            as_of: question.get("asOf").map_or(now, micros),
        }
    }

    /// As the doors read it.
    pub fn json(&self) -> Value {
        let mut question = json!({
            "cohortPeriod": self.period.name(),
            "analysisMetric": self.metric,
            "startDate": self.range.start.json(),
            "endDate": self.range.end.json(),
            "timezone": self.range.timezone,
            "start": self.start_json(),
            "return": self.returning.json(),
            "mode": self.mode,
            "unit": self.unit,
            "criterion": self.criterion,
            "segment": self.segment,
            "weekStart": self.week_start_name(),
            "periods": self.periods,
            "asOf": instant(self.as_of),
        });
        if self.criterion == "brackets" {
            question["periods"] = Value::Null;
            question["brackets"] = json!(self.brackets);
        }
        if self.hold {
            question["holdConstant"] = json!("p");
        }
        question
    }

    fn start_json(&self) -> Value {
        let Some(value) = &self.start_says else {
            return self.start.json();
        };
        json!({
            "event": self.start.json(),
            "where": [{ "property": "p", "op": "is", "value": [value], "ignoreCase": false, "cast": null }],
        })
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let (from, to) = self.range.span();
        let calendar = self.calendar();
        let users = history.users(self.as_of);
        let members: Vec<&Vec<&Event>> = users
            .iter()
            .filter(|(user, _)| segment::member(history, user, &self.segment, from, to, self.as_of))
            .map(|(_, rows)| rows)
            .collect();

        let rates = self.metric == "retention_rate";
        let brackets = self.criterion == "brackets";
        let mut cohorts = Vec::new();
        // (count, eligible, total) of the complete cells of each column.
        let mut columns: Vec<(u64, u64, u64)> = Vec::new();
        let mut firsts = Vec::new();
        for cohort in calendar.touching(from, to) {
            let of_cohort: Vec<Member> = members
                .iter()
                .filter_map(|rows| self.joined(rows, cohort))
                .collect();
            let size = of_cohort.len() as u64;

            let mut cells = Vec::new();
            let mut n = 0_u32;
            loop {
                let (first, end) = match self.brackets.get(n as usize) {
                    Some(bracket) if brackets => *bracket,
                    None if brackets => break,
                    _ => (n, n + 1),
                };
                let more = brackets || self.periods.is_none_or(|last| n <= last);
                if !more || self.earliest(cohort, first) > self.as_of {
                    break;
                }
                let complete = self.latest(cohort, end - 1) <= self.as_of;
                let eligible: Vec<&Member> = of_cohort
                    .iter()
                    .filter(|m| self.elapsed(m, cohort, end - 1))
                    .collect();
                let back: Vec<&&Member> = eligible
                    .iter()
                    .filter(|m| self.counts(m, n).is_some())
                    .collect();
                let all_back = of_cohort.iter().filter(|m| self.counts(m, n).is_some());
                let late = all_back.count() - back.len();
                let total: u64 = back.iter().filter_map(|m| self.counts(m, n)).sum();
                let is_size = n == 0 && rates && !brackets;
                let (count, among, late) = if is_size {
                    (size, size, 0)
                } else {
                    (back.len() as u64, eligible.len() as u64, late as u64)
                };
                let mut cell = json!({
                    "period": first,
                    "count": count,
                    "eligible": among,
                    "complete": complete,
                    "partialCount": late,
                });
                let (value, low, high) = if is_size {
                    [(); 3].map(|()| (size > 0).then_some(1.0)).into()
                } else if rates {
                    wilson(count, among)
                } else {
                    (share(total, among), None, None)
                };
                cell["value"] = json!(value);
                cell["low"] = json!(low);
                cell["high"] = json!(high);
                if brackets {
                    cell["until"] = json!(end);
                }
                if !rates {
                    cell["total"] = json!(total.to_string());
                    if let Some(each) = share(total, count) {
                        cell["perReturning"] = json!(each);
                    }
                }
                cells.push(cell);
                if columns.len() <= n as usize {
                    columns.push((0, 0, 0));
                    firsts.push(first);
                }
                if complete {
                    columns[n as usize].0 += count;
                    columns[n as usize].1 += among;
                    columns[n as usize].2 += total;
                }
                n += 1;
            }
            let within = of_cohort
                .iter()
                .filter(|m| m.returns.iter().any(|r| r.0 == 0));
            cohorts.push(json!({
                "period": instant(calendar.start(cohort)),
                "size": size,
                "partial": calendar.start(cohort) < from || calendar.end(cohort) > to,
                "returnedInStartPeriod": within.count(),
                "retention": cells,
            }));
        }

        let average = columns
            .iter()
            .zip(&firsts)
            .map(|((count, eligible, total), first)| {
                let mut pooled = rate(*count, *eligible);
                pooled["period"] = json!(first);
                if !rates {
                    pooled["value"] = json!(share(*total, *eligible));
                    pooled["low"] = Value::Null;
                    pooled["high"] = Value::Null;
                    pooled["total"] = json!(total.to_string());
                    if let Some(each) = share(*total, *count) {
                        pooled["perReturning"] = json!(each);
                    }
                }
                pooled
            });
        let first = history.visible(self.as_of).iter().map(|e| e.ts).min();
        let mut answer = json!({
            "cohortPeriod": self.period.name(),
            "analysisMetric": self.metric,
            "cohorts": cohorts,
            "average": average.collect::<Vec<_>>(),
            "segment": self.segment,
            "startDate": instant(from),
            "endDate": instant(to),
            "createdAt": instant(self.as_of),
            "asOf": instant(self.as_of),
            "timezone": self.range.timezone,
            "weekStart": self.week_start_name(),
            "mode": self.mode,
            "start": self.start_json(),
            "return": self.returning.json(),
            "leftCensored": first.is_some_and(|t| t >= from),
            "unattributedEvents": history.unattributed(self.as_of),
            "preset": "exact",
            "criterion": self.criterion,
        });
        if self.unit != "calendar" {
            answer["unit"] = json!(self.unit);
        }
        if self.hold {
            answer["holdConstant"] = json!("p");
        }
        answer
    }

    fn calendar(&self) -> Calendar {
        Calendar {
            tz: self.range.tz(),
            period: self.period,
            week_start: self.week_start,
        }
    }

    fn starts(&self, row: &Event) -> bool {
        self.start.means(&row.name)
            && self
                .start_says
                .as_deref()
                .is_none_or(|value| said(row) == Some(value))
    }

    /// A user in the cohort of a period, if ever (R1).
    fn joined(&self, rows: &[&Event], cohort: NaiveDate) -> Option<Member> {
        let (from, to) = self.range.span();
        let here = |row: &usize| {
            (from..to).contains(&rows[*row].ts)
                && self.calendar().period_of(rows[*row].ts) == cohort
        };
        let all: Vec<usize> = (0..rows.len())
            .filter(|row| self.starts(rows[*row]))
            .collect();
        let named = (0..rows.len()).find(|row| self.start.means(&rows[*row].name));
        let clocks: Vec<usize> = match self.mode.as_str() {
            "first_time" => all.first().copied().filter(here).into_iter().collect(),
            "first_ever_then_filter" => named
                .filter(|row| all.contains(row))
                .filter(here)
                .into_iter()
                .collect(),
            _ if self.unit == "calendar" => all.iter().copied().find(here).into_iter().collect(),
            _ => all.iter().copied().filter(here).collect(),
        };
        let mut member = Member::default();
        for clock in clocks {
            // Of several starts at one time, one that is no return is the start; else the first (R2).
            let tied = all
                .iter()
                .copied()
                .filter(|row| rows[*row].ts == rows[clock].ts);
            let mut tied = tied.filter(|_| self.mode != "first_ever_then_filter");
            let no_return = tied.find(|row| !self.returning.means(&rows[*row].name));
            let first = all
                .iter()
                .copied()
                .find(|row| rows[*row].ts == rows[clock].ts);
            let start = if self.mode == "first_ever_then_filter" {
                clock
            } else {
                no_return.or(first)?
            };
            member.starts.push(rows[start].ts);
            for (back, row) in rows.iter().enumerate() {
                let held = !self.hold || said(row).is_some() && said(row) == said(rows[start]);
                if back != start
                    && row.ts >= rows[start].ts
                    && self.returning.means(&row.name)
                    && held
                {
                    let n = self.period(rows[start].ts, row.ts);
                    if n >= 0 {
                        member.returns.insert((n, back));
                    }
                }
            }
        }
        (!member.starts.is_empty()).then_some(member)
    }

    fn length(&self) -> Option<i64> {
        match self.unit.as_str() {
            "24h" => Some(86_400_000_000),
            "7d" => Some(7 * 86_400_000_000),
            "30d" => Some(30 * 86_400_000_000),
            _ => None,
        }
    }

    /// In which period after a start an instant lies (R3–R5).
    fn period(&self, start: i64, ts: i64) -> i64 {
        let calendar = self.calendar();
        if let Some(length) = self.length() {
            (ts - start).div_euclid(length)
        } else if self.unit == "calendar" {
            calendar.between(calendar.period_of(start), calendar.period_of(ts))
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
    fn earliest(&self, cohort: NaiveDate, n: u32) -> i64 {
        let calendar = self.calendar();
        let start = calendar.start(cohort);
        match self.length() {
            Some(length) => start + i64::from(n) * length,
            None if self.unit == "calendar" => calendar.start(calendar.plus(cohort, n)),
            None => self.anniversary(start, n),
        }
    }

    /// The instant by which a period has elapsed for every start a cohort could have.
    fn latest(&self, cohort: NaiveDate, n: u32) -> i64 {
        let calendar = self.calendar();
        let last = calendar.end(cohort) - 1;
        match self.length() {
            Some(length) => last + i64::from(n + 1) * length,
            None if self.unit == "calendar" => calendar.end(calendar.plus(cohort, n)),
            None => {
                let tz = self.range.tz();
                let day = local(tz, last).date() + Months::new(n + 1) + Days::new(1);
                last_showing_before(tz, midnight(day))
            }
        }
    }

    /// Whether a period has fully elapsed for all clocks of a user (R7).
    fn elapsed(&self, member: &Member, cohort: NaiveDate, n: u32) -> bool {
        let calendar = self.calendar();
        member.starts.iter().all(|start| {
            let end = match self.length() {
                Some(length) => start + i64::from(n + 1) * length,
                None if self.unit == "calendar" => calendar.end(calendar.plus(cohort, n)),
                None => self.anniversary(*start, n + 1),
            };
            end <= self.as_of
        })
    }

    /// How many return events a column counts for a user; nothing where the user does not count in it (R6).
    fn counts(&self, member: &Member, column: u32) -> Option<u64> {
        let n = i64::from(column);
        let rows = |within: &dyn Fn(i64) -> bool| -> u64 {
            let rows = member.returns.iter().filter(|r| within(r.0)).map(|r| r.1);
            rows.collect::<BTreeSet<usize>>().len() as u64
        };
        let count = match self.criterion.as_str() {
            "on" => rows(&|p| p == n),
            "on_or_after" => rows(&|p| p >= n),
            "on_or_before" => rows(&|p| p <= n),
            "streak" => {
                let whole = (1..=n).all(|k| rows(&|p| p == k) > 0);
                if whole { rows(&|p| p == n) } else { 0 }
            }
            _ => {
                let (first, end) = self.brackets[column as usize];
                rows(&|p| (i64::from(first)..i64::from(end)).contains(&p))
            }
        };
        (count > 0).then_some(count)
    }

    fn week_start_name(&self) -> &'static str {
        WEEKDAYS
            .iter()
            .find(|d| d.1 == self.week_start)
            .expect("a weekday")
            .0
    }
}

/// A user of a cohort: the times of the starts, and the periods and places of the returns.
#[derive(Debug, Default)]
struct Member {
    starts: Vec<i64>,
    returns: BTreeSet<(i64, usize)>,
}

/// What an event says of the property `p`, in histories without properties of their own.
pub fn said(event: &Event) -> Option<&'static str> {
    match event.seq.unwrap_or_default() % 5 {
        1 | 2 => Some("x"),
        3 => Some("y"),
        4 => Some(""),
        _ => None,
    }
}

fn share(total: u64, n: u64) -> Option<f64> {
    (n > 0).then(|| total as f64 / n as f64)
}
