//! Engagement by looking at every user, every date and every event (L1, L2, L4).

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, Timelike, Weekday};
use serde_json::{Value, json};

use super::calendar::{Calendar, Period, WEEKDAYS, local};
use super::numbers::{instant, quantiles, rate};
use super::question::{Range, Selector, micros, seconds, text, window};
use super::{Event, History, segment};

/// A question of engagement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engagement {
    /// What is computed.
    pub metrics: Vec<String>,
    /// Selects activity.
    pub range: Range,
    /// What activity is.
    pub event: Selector,
    /// The value that the property `p` of an event must have, where it must have one.
    pub says: Option<String>,
    /// The period of the lifecycle and of stickiness.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: Weekday,
    /// How many events a period needs for stickiness.
    pub min_events: usize,
    /// The longest pause within a session, in microseconds.
    pub session_timeout: i64,
    /// Only these users.
    pub segment: String,
    /// `exact` or `posthog`.
    pub preset: String,
    /// Nothing later is seen (G2).
    pub as_of: i64,
}

/// The parts of an answer.
pub const METRICS: [&str; 5] = [
    "active_users",
    "stickiness",
    "lifecycle",
    "sessions",
    "heat_map",
];

/// One user: all rows, and the times of activity.
struct Member {
    of_any_kind: Vec<i64>,
    activity: Vec<i64>,
}

impl Engagement {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, now: i64) -> Self {
        let named = |field: &str, default: &str| {
            question.get(field).map_or_else(|| default.to_owned(), text)
        };
        let (day, period) = (named("weekStart", "monday"), named("period", "daily"));
        let all = [Period::Daily, Period::Weekly, Period::Monthly];
        let metrics = question.get("metrics").and_then(Value::as_array);
        Self {
            metrics: metrics.map_or_else(
                || METRICS.map(str::to_owned).to_vec(),
                |names| names.iter().map(text).collect(),
            ),
            range: Range::read(question),
            event: question.get("event").map_or(Selector::Any, Selector::read),
            says: None,
            period: all
                .into_iter()
                .find(|p| p.name() == period)
                .expect("a period"),
            week_start: WEEKDAYS.iter().find(|d| d.0 == day).expect("a weekday").1,
            min_events: question
                .get("minEvents")
                .and_then(Value::as_u64)
                .map_or(1, |n| n as usize),
            session_timeout: question.get("sessionTimeout").map_or(1_800_000_000, window),
            segment: named("segment", "all"),
            preset: named("preset", "exact"),
            as_of: question.get("asOf").map_or(now, micros),
        }
    }

    /// As the doors read it.
    pub fn json(&self) -> Value {
        let mut question = json!({
            "metrics": self.metrics,
            "startDate": self.range.start.json(),
            "endDate": self.range.end.json(),
            "timezone": self.range.timezone,
            "event": self.event.json(),
            "period": self.period.name(),
            "weekStart": self.week_start_name(),
            "minEvents": self.min_events,
            "sessionTimeout": seconds(self.session_timeout),
            "segment": self.segment,
            "preset": self.preset,
            "asOf": instant(self.as_of),
        });
        if self.says.is_some() {
            question["filters"] = self.filters();
        }
        question
    }

    fn filters(&self) -> Value {
        json!([{ "property": "p", "op": "is", "value": [self.says], "ignoreCase": false, "cast": null }])
    }

    fn week_start_name(&self) -> &'static str {
        let named = WEEKDAYS.iter().find(|d| d.1 == self.week_start);
        named.expect("a weekday").0
    }

    fn calendar(&self, period: Period) -> Calendar {
        Calendar {
            tz: self.range.tz(),
            period,
            week_start: self.week_start,
        }
    }

    fn is_activity(&self, event: &Event) -> bool {
        let says = self.says.is_none() || self.says.as_deref() == said(event);
        self.event.means(&event.name) && says
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let (from, to) = self.range.span();
        let users = history.users(self.as_of);
        let members: Vec<Member> = users
            .iter()
            .filter(|(user, _)| segment::member(history, user, &self.segment, from, to, self.as_of))
            .map(|(_, rows)| Member {
                of_any_kind: rows.iter().map(|e| e.ts).collect(),
                activity: rows
                    .iter()
                    .filter(|e| self.is_activity(e))
                    .map(|e| e.ts)
                    .collect(),
            })
            .collect();
        // The times of each user that lie in the range.
        let inside: Vec<Vec<i64>> = members
            .iter()
            .map(|m| {
                let asked = |t: &i64| (from..to).contains(t);
                m.activity.iter().copied().filter(asked).collect()
            })
            .collect();
        let first = history.visible(self.as_of).iter().map(|e| e.ts).min();
        let active = |times: &&Vec<i64>| !times.is_empty();
        let mut answer = json!({
            "users": inside.iter().filter(active).count(),
            "events": inside.iter().map(Vec::len).sum::<usize>(),
            "period": self.period.name(),
            "segment": self.segment,
            "startDate": instant(from),
            "endDate": instant(to),
            "asOf": instant(self.as_of),
            "timezone": self.range.timezone,
            "weekStart": self.week_start_name(),
            "event": self.event.json(),
            "minEvents": self.min_events,
            "sessionTimeout": seconds(self.session_timeout),
            "preset": self.preset,
            "leftCensored": first.is_some_and(|t| t >= from),
            "unattributedEvents": history.unattributed(self.as_of),
        });
        if self.says.is_some() {
            answer["filters"] = self.filters();
        }
        for metric in &self.metrics {
            let (field, value) = match metric.as_str() {
                "active_users" => ("activeUsers", self.active_users(&inside)),
                "stickiness" => ("stickiness", self.stickiness(&inside, &members)),
                "lifecycle" => ("lifecycle", self.lifecycle(&members)),
                "sessions" => ("sessions", self.sessions(&members)),
                "heat_map" => ("heatMap", self.heat_map(&inside)),
                other => panic!("`{other}` is no metric"),
            };
            answer[field] = value;
        }
        answer
    }

    /// The periods that the range touches and that have begun.
    fn rows(&self, calendar: Calendar) -> Vec<NaiveDate> {
        let (from, to) = self.range.span();
        let until = to.min(self.as_of + 1);
        if from < until {
            calendar.touching(from, until)
        } else {
            Vec::new()
        }
    }

    /// What every row says of its period.
    fn row(&self, calendar: Calendar, first: NaiveDate) -> Value {
        let (from, to) = self.range.span();
        let (start, end) = (calendar.start(first), calendar.end(first));
        // A date that never was begins and ends where it would have been.
        let end = end.max(start);
        json!({
            "start": instant(start),
            "end": instant(end),
            "partial": start < from || end > to,
            "complete": end <= self.as_of,
        })
    }

    fn active_users(&self, inside: &[Vec<i64>]) -> Value {
        let series = |period| -> Vec<Value> {
            let calendar = self.calendar(period);
            let rows = self.rows(calendar).into_iter();
            rows.map(|date| {
                let there =
                    |times: &&Vec<i64>| times.iter().any(|t| calendar.period_of(*t) == date);
                let mut row = self.row(calendar, date);
                row["users"] = json!(inside.iter().filter(there).count());
                row
            })
            .collect()
        };
        json!({
            "daily": series(Period::Daily),
            "weekly": series(Period::Weekly),
            "monthly": series(Period::Monthly),
        })
    }

    fn stickiness(&self, inside: &[Vec<i64>], members: &[Member]) -> Value {
        let calendar = self.calendar(self.period);
        let rows = self.rows(calendar);
        let periods = |times: &Vec<i64>| {
            let often = |date: &&NaiveDate| {
                let there = times.iter().filter(|t| calendar.period_of(**t) == **date);
                there.count() >= self.min_events
            };
            rows.iter().filter(often).count()
        };
        let counts: Vec<usize> = inside.iter().map(periods).collect();
        let users = counts.iter().filter(|n| **n > 0).count() as u64;
        let row = |k: usize| {
            let exactly = counts.iter().filter(|n| **n == k).count() as u64;
            let at_least = counts.iter().filter(|n| **n >= k).count() as u64;
            json!({ "periods": k, "exactly": rate(exactly, users), "atLeast": rate(at_least, users) })
        };
        json!({
            "users": users,
            "rows": (1..=rows.len()).map(row).collect::<Vec<_>>(),
            "dauOverMau": self.ratio(members, 30),
            "dauOverWau": self.ratio(members, 7),
        })
    }

    /// Mean daily users over the last days that have passed, of all their users.
    fn ratio(&self, members: &[Member], count: u64) -> Value {
        let to = self.range.span().1;
        let cut = to.min(self.as_of);
        let calendar = self.calendar(Period::Daily);
        let exists = |date: NaiveDate| calendar.start(date) < calendar.end(date);
        let mut last = local(calendar.tz, cut).date() + Days::new(1);
        while !exists(last) || calendar.end(last) > cut {
            last = last - Days::new(1);
        }
        let first = last - Days::new(count - 1);
        let dates: Vec<NaiveDate> = first
            .iter_days()
            .take(count as usize)
            .filter(|d| exists(*d))
            .collect();
        // The dates on which each user is active.
        let active: Vec<BTreeSet<NaiveDate>> = members
            .iter()
            .map(|m| {
                let before = m.activity.iter().filter(|t| **t < to);
                let seen = before.map(|t| calendar.period_of(*t));
                seen.filter(|date| dates.contains(date)).collect()
            })
            .collect();
        let users = active.iter().filter(|days| !days.is_empty()).count();
        let daily: usize = active.iter().map(BTreeSet::len).sum();
        let mean = daily as f64 / dates.len() as f64;
        json!({
            "value": (users > 0).then(|| mean / users as f64),
            "meanDailyUsers": mean,
            "users": users,
            "days": dates.len(),
            "start": instant(calendar.start(first)),
            "end": instant(calendar.end(last)),
        })
    }

    fn lifecycle(&self, members: &[Member]) -> Value {
        let to = self.range.span().1;
        let calendar = self.calendar(self.period);
        // The periods in which each user is active, and the one in which the user is new.
        let lives: Vec<(BTreeSet<NaiveDate>, Option<NaiveDate>)> = members
            .iter()
            .map(|m| {
                let before = m.activity.iter().filter(|t| **t < to);
                let active: BTreeSet<NaiveDate> = before.map(|t| calendar.period_of(*t)).collect();
                let new = match self.preset.as_str() {
                    "posthog" => m.of_any_kind.iter().map(|t| calendar.period_of(*t)).min(),
                    _ => active.first().copied(),
                };
                (active, new)
            })
            .collect();
        let rows = self.rows(calendar).into_iter().map(|p| {
            let before = calendar.first_date(p - Days::new(1));
            let count = |state: &str| {
                let is = |(active, new): &&(BTreeSet<NaiveDate>, Option<NaiveDate>)| {
                    let (now, then) = (active.contains(&p), active.contains(&before));
                    let actual = match (now, *new == Some(p), then) {
                        (true, true, _) => "new",
                        (true, false, true) => "returning",
                        (true, false, false) => "resurrected",
                        (false, _, true) => "dormant",
                        (false, _, false) => "",
                    };
                    actual == state || now && state == "active"
                };
                lives.iter().filter(is).count()
            };
            let mut row = self.row(calendar, p);
            for state in ["active", "new", "returning", "resurrected", "dormant"] {
                row[state] = json!(count(state));
            }
            row
        });
        rows.collect()
    }

    fn sessions(&self, members: &[Member]) -> Value {
        let (from, to) = self.range.span();
        let (mut sizes, mut lengths, mut open, mut users) = (Vec::new(), Vec::new(), 0, 0);
        for member in members {
            let mut sessions: Vec<Vec<i64>> = Vec::new();
            for at in &member.activity {
                match sessions.last_mut() {
                    Some(session) if at - session[session.len() - 1] <= self.session_timeout => {
                        session.push(*at);
                    }
                    _ => sessions.push(vec![*at]),
                }
            }
            sessions.retain(|s| (from..to).contains(&s[0]));
            users += u64::from(!sessions.is_empty());
            for session in sessions {
                let last = session[session.len() - 1];
                sizes.push(session.len() as i64);
                lengths.push(last - session[0]);
                // One more event could come in time.
                open += u64::from(self.as_of < last + self.session_timeout);
            }
        }
        let count = sizes.len() as u64;
        let millions: Vec<i64> = sizes.iter().map(|n| n * 1_000_000).collect();
        json!({
            "count": count,
            "users": users,
            "perUser": (users > 0).then(|| count as f64 / users as f64),
            "open": open,
            "events": sizes.iter().sum::<i64>(),
            "eventsPerSession": quantiles(&millions),
            "seconds": quantiles(&lengths),
            "bounces": rate(sizes.iter().filter(|n| **n == 1).count() as u64, count),
        })
    }

    fn heat_map(&self, inside: &[Vec<i64>]) -> Value {
        let tz = self.range.tz();
        let shown = |t: &i64| {
            let time = local(tz, *t);
            (time.weekday(), time.hour())
        };
        let shown: Vec<Vec<(Weekday, u32)>> = inside
            .iter()
            .map(|times| times.iter().map(shown).collect())
            .collect();
        let first = WEEKDAYS.iter().position(|d| d.1 == self.week_start);
        let first = first.expect("a weekday");
        let mut cells = Vec::new();
        for (name, day) in (0..7).map(|i| WEEKDAYS[(first + i) % 7]) {
            for hour in 0..24 {
                let counts: Vec<usize> = shown
                    .iter()
                    .map(|times| times.iter().filter(|t| **t == (day, hour)).count())
                    .collect();
                cells.push(json!({
                    "weekday": name,
                    "hour": hour,
                    "events": counts.iter().sum::<usize>(),
                    "users": counts.iter().filter(|n| **n > 0).count(),
                }));
            }
        }
        Value::Array(cells)
    }
}

/// The value of the property `p` of an event, which a case derives from the place of the event.
pub fn said(event: &Event) -> Option<&'static str> {
    match event.seq.unwrap_or_default() % 5 {
        1 | 2 => Some("x"),
        3 => Some("y"),
        4 => Some(""),
        _ => None,
    }
}
