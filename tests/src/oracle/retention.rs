//! Retention tables by looking at every pair of a start and a return (R1, R2, R4, R6 `on`, R7–R9).

use std::collections::BTreeSet;

use chrono::{NaiveDate, Weekday};
use serde_json::{Value, json};

use super::calendar::{Calendar, Period, WEEKDAYS};
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
    /// Whether a user joins once a period, rather than at the first start ever.
    pub recurring: bool,
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
            recurring: question.get("mode").is_some_and(|m| m == "recurring"),
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
        json!({
            "cohortPeriod": self.period.name(),
            "analysisMetric": "retention_rate",
            "startDate": self.range.start.json(),
            "endDate": self.range.end.json(),
            "timezone": self.range.timezone,
            "start": self.start.json(),
            "return": self.returning.json(),
            "mode": self.mode(),
            "segment": self.segment,
            "weekStart": self.week_start_name(),
            "periods": self.periods,
            "asOf": instant(self.as_of),
        })
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let (from, to) = self.range.span();
        let calendar = Calendar {
            tz: self.range.tz(),
            period: self.period,
            week_start: self.week_start,
        };
        let users = history.users(self.as_of);
        let members: Vec<&Vec<&Event>> = users
            .iter()
            .filter(|(user, _)| segment::member(history, user, &self.segment, from, to, self.as_of))
            .map(|(_, rows)| rows)
            .collect();

        let mut cohorts = Vec::new();
        // (count, eligible) of the complete cells of each column.
        let mut columns: Vec<(u64, u64)> = Vec::new();
        for cohort in calendar.touching(from, to) {
            // For each user of the cohort, in how many periods' time there was a return.
            let of_cohort: Vec<BTreeSet<i64>> = members
                .iter()
                .filter_map(|rows| {
                    let t0 = self.joined(&calendar, (from, to), rows, cohort)?;
                    Some(self.returns(&calendar, rows, t0))
                })
                .collect();
            let size = of_cohort.len() as u64;
            let returned = |n: u32| {
                of_cohort
                    .iter()
                    .filter(|returns| returns.contains(&i64::from(n)))
                    .count() as u64
            };

            let mut cells = Vec::new();
            let mut n = 0;
            while calendar.start(calendar.plus(cohort, n)) <= self.as_of
                && self.periods.is_none_or(|last| n <= last)
            {
                let complete = calendar.end(calendar.plus(cohort, n)) <= self.as_of;
                let (count, eligible) = match (n, complete) {
                    (0, _) => (size, size),
                    (_, true) => (returned(n), size),
                    (_, false) => (0, 0),
                };
                let (value, low, high) = if n == 0 {
                    [(); 3].map(|()| (size > 0).then_some(1.0)).into()
                } else {
                    wilson(count, eligible)
                };
                let partial_count = if n > 0 && !complete { returned(n) } else { 0 };
                cells.push(json!({
                    "period": n,
                    "value": value,
                    "count": count,
                    "eligible": eligible,
                    "complete": complete,
                    "partialCount": partial_count,
                    "low": low,
                    "high": high,
                }));
                if columns.len() <= n as usize {
                    columns.push((0, 0));
                }
                if complete {
                    columns[n as usize].0 += count;
                    columns[n as usize].1 += eligible;
                }
                n += 1;
            }
            cohorts.push(json!({
                "period": instant(calendar.start(cohort)),
                "size": size,
                "partial": calendar.start(cohort) < from || calendar.end(cohort) > to,
                "returnedInStartPeriod": returned(0),
                "retention": cells,
            }));
        }

        let average = columns.iter().enumerate().map(|(n, (count, eligible))| {
            let mut pooled = rate(*count, *eligible);
            pooled["period"] = json!(n);
            pooled
        });
        let first = history.visible(self.as_of).iter().map(|e| e.ts).min();
        json!({
            "cohortPeriod": self.period.name(),
            "analysisMetric": "retention_rate",
            "cohorts": cohorts,
            "average": average.collect::<Vec<_>>(),
            "segment": self.segment,
            "startDate": instant(from),
            "endDate": instant(to),
            "createdAt": instant(self.as_of),
            "asOf": instant(self.as_of),
            "timezone": self.range.timezone,
            "weekStart": self.week_start_name(),
            "mode": self.mode(),
            "start": self.start.json(),
            "return": self.returning.json(),
            "leftCensored": first.is_some_and(|t| t >= from),
            "unattributedEvents": history.unattributed(self.as_of),
            "preset": "exact",
            "criterion": "on",
        })
    }

    /// When a user joined the cohort of a period, if ever (R1).
    fn joined(
        &self,
        calendar: &Calendar,
        (from, to): (i64, i64),
        rows: &[&Event],
        cohort: NaiveDate,
    ) -> Option<i64> {
        let in_range = |t: &i64| (from..to).contains(t);
        let in_cohort = |t: &i64| calendar.period_of(*t) == cohort;
        let starts = rows
            .iter()
            .filter(|row| self.start.means(&row.name))
            .map(|row| row.ts);
        if self.recurring {
            starts.filter(in_range).filter(in_cohort).min()
        } else {
            starts.min().filter(in_range).filter(in_cohort)
        }
    }

    /// How many periods after the start at `t0` a user returned: for every start row at `t0`, every other row that is not
    /// earlier and means a return (R2).
    fn returns(&self, calendar: &Calendar, rows: &[&Event], t0: i64) -> BTreeSet<i64> {
        let mut periods = BTreeSet::new();
        for start in 0..rows.len() {
            if rows[start].ts != t0 || !self.start.means(&rows[start].name) {
                continue;
            }
            for (back, row) in rows.iter().enumerate() {
                if back != start && row.ts >= t0 && self.returning.means(&row.name) {
                    periods.insert(
                        calendar.between(calendar.period_of(t0), calendar.period_of(row.ts)),
                    );
                }
            }
        }
        periods
    }

    fn mode(&self) -> &'static str {
        if self.recurring {
            "recurring"
        } else {
            "first_time"
        }
    }

    fn week_start_name(&self) -> &'static str {
        WEEKDAYS
            .iter()
            .find(|d| d.1 == self.week_start)
            .expect("a weekday")
            .0
    }
}
