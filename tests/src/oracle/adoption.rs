//! Feature adoption by looking at every user, feature and event (L3).

use serde_json::{Value, json};

use super::calendar::{Calendar, Period, WEEKDAYS};
use super::engagement::said;
use super::numbers::{instant, quantiles, rate};
use super::question::{Bound, Range, Selector, micros, seconds, text, window};
use super::{Event, History, segment};

/// A question of adoption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The features.
    pub features: Vec<Feature>,
    /// Selects activity and uses.
    pub range: Range,
    /// The value that the property `p` of an event must have, where it must have one.
    pub says: Option<String>,
    /// How many uses make an adopter.
    pub min_uses: usize,
    /// Within how many microseconds of exposure.
    pub within: i64,
    /// The period of first uses.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: chrono::Weekday,
    /// The lower ends of the columns of the breadth table.
    pub frequencies: Vec<u64>,
    /// Only these users.
    pub segment: String,
    /// Nothing later is seen (G2).
    pub as_of: i64,
}

/// A feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Its uses.
    pub event: Selector,
    /// When it was released.
    pub released: Option<Bound>,
}

/// One user active in the range.
struct Member<'h> {
    first_seen: i64,
    /// Everything seen of the user.
    seen: Vec<&'h Event>,
    /// The last activity in the range.
    last: i64,
}

impl Adoption {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, catalogue: &[&str], now: i64) -> Self {
        let named = |field: &str, default: &str| {
            question.get(field).map_or_else(|| default.to_owned(), text)
        };
        let (day, period) = (named("weekStart", "monday"), named("period", "weekly"));
        let all = [Period::Daily, Period::Weekly, Period::Monthly];
        let numbers = question.get("frequencies").and_then(Value::as_array);
        let features = question.get("features").and_then(Value::as_array);
        Self {
            features: features.map_or_else(
                || catalogue.iter().map(|n| Feature::read(&json!(n))).collect(),
                |list| list.iter().map(Feature::read).collect(),
            ),
            range: Range::read(question),
            says: None,
            min_uses: question
                .get("minUses")
                .and_then(Value::as_u64)
                .map_or(1, |n| n as usize),
            within: question.get("within").map_or(30 * 86_400_000_000, window),
            period: all
                .into_iter()
                .find(|p| p.name() == period)
                .expect("a period"),
            week_start: WEEKDAYS.iter().find(|d| d.0 == day).expect("a weekday").1,
            frequencies: numbers.map_or_else(
                || vec![1, 2, 5, 10, 20],
                |list| list.iter().filter_map(Value::as_u64).collect(),
            ),
            segment: named("segment", "all"),
            as_of: question.get("asOf").map_or(now, micros),
        }
    }

    /// As the doors read it.
    pub fn json(&self) -> Value {
        let features = self.features.iter().map(|f| {
            json!({ "name": f.name, "event": f.event.json(), "released": f.released.map(Bound::json) })
        });
        let mut question = json!({
            "features": features.collect::<Vec<_>>(),
            "startDate": self.range.start.json(),
            "endDate": self.range.end.json(),
            "timezone": self.range.timezone,
            "minUses": self.min_uses,
            "within": seconds(self.within),
            "period": self.period.name(),
            "weekStart": self.week_start_name(),
            "frequencies": self.frequencies,
            "segment": self.segment,
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

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let (from, to) = self.range.span();
        let users = history.users(self.as_of);
        let members: Vec<Member<'_>> = users
            .iter()
            .filter(|(user, _)| segment::member(history, user, &self.segment, from, to, self.as_of))
            .filter_map(|(_, rows)| {
                let says = |e: &&&Event| self.says.is_none() || self.says.as_deref() == said(e);
                let seen: Vec<&Event> = rows.iter().filter(says).copied().collect();
                let inside = seen.iter().map(|e| e.ts).filter(|t| (from..to).contains(t));
                Some(Member {
                    first_seen: rows[0].ts,
                    last: inside.max()?,
                    seen,
                })
            })
            .collect();
        let first = history.visible(self.as_of).iter().map(|e| e.ts).min();
        let features = self.features.iter().map(|f| self.feature(f, &members));
        let mut answer = json!({
            "features": features.collect::<Vec<_>>(),
            "activeUsers": members.len(),
            "breadth": self.breadth(&members),
            "minUses": self.min_uses,
            "within": seconds(self.within),
            "period": self.period.name(),
            "segment": self.segment,
            "startDate": instant(from),
            "endDate": instant(to),
            "asOf": instant(self.as_of),
            "timezone": self.range.timezone,
            "weekStart": self.week_start_name(),
            "preset": "exact",
            "leftCensored": first.is_some_and(|t| t >= from),
            "unattributedEvents": history.unattributed(self.as_of),
        });
        if self.says.is_some() {
            answer["filters"] = self.filters();
        }
        answer
    }

    fn released(&self, feature: &Feature) -> i64 {
        feature
            .released
            .map_or(i64::MIN, |at| at.start(self.range.tz()))
    }

    /// The times of a user's uses of a feature.
    fn uses(&self, feature: &Feature, member: &Member<'_>) -> Vec<i64> {
        let released = self.released(feature);
        let is = |e: &&&Event| feature.event.means(&e.name) && e.ts >= released;
        member.seen.iter().filter(is).map(|e| e.ts).collect()
    }

    fn feature(&self, feature: &Feature, members: &[Member<'_>]) -> Value {
        let (from, to) = self.range.span();
        let (mut exposed, mut adopters, mut open) = (0, 0, 0);
        let (mut of, mut by) = (0, 0);
        let (mut users, mut all_uses) = (0_u64, 0);
        let (mut times, mut watched) = (Vec::new(), Vec::new());
        let mut firsts = Vec::new();
        for member in members {
            let uses = self.uses(feature, member);
            let inside = uses.iter().filter(|t| (from..to).contains(t)).count();
            all_uses += inside;
            users += u64::from(inside > 0);
            firsts.extend(uses.first().filter(|t| (from..to).contains(t)));
            let exposure = member.first_seen.max(self.released(feature));
            if member.last < exposure {
                continue;
            }
            exposed += 1;
            let passed = exposure + self.within <= self.as_of;
            of += u64::from(passed);
            let in_time: Vec<&i64> = uses
                .iter()
                .filter(|t| **t - exposure <= self.within)
                .collect();
            match in_time.get(self.min_uses - 1) {
                Some(at) => {
                    adopters += 1;
                    by += u64::from(passed);
                    times.push(**at - exposure);
                }
                None => {
                    open += u64::from(!passed);
                    watched.push(self.within.min(self.as_of - exposure));
                }
            }
        }
        let calendar = Calendar {
            tz: self.range.tz(),
            period: self.period,
            week_start: self.week_start,
        };
        let until = to.min(self.as_of + 1);
        let rows = if from < until {
            calendar.touching(from, until)
        } else {
            Vec::new()
        };
        let rows = rows.into_iter().map(|date| {
            let (start, end) = (
                calendar.start(date),
                calendar.end(date).max(calendar.start(date)),
            );
            json!({
                "start": instant(start),
                "end": instant(end),
                "partial": start < from || end > to,
                "complete": end <= self.as_of,
                "users": firsts.iter().filter(|t| calendar.period_of(**t) == date).count(),
            })
        });
        json!({
            "feature": feature.name,
            "event": feature.event.json(),
            "released": feature.released.map(|_| instant(self.released(feature))),
            "exposed": exposed,
            "adopters": adopters,
            "rate": rate(adopters, exposed),
            "open": open,
            "matured": { "exposed": of, "adopters": by, "rate": rate(by, of) },
            "users": users,
            "uses": all_uses,
            "usesPerUser": (users > 0).then(|| all_uses as f64 / users as f64),
            "timeToAdopt": quantiles(&times),
            "kaplanMeierMedian": kaplan_meier(&times, &watched).map(|t| t as f64 / 1e6),
            "firstUses": rows.collect::<Vec<_>>(),
        })
    }

    fn breadth(&self, members: &[Member<'_>]) -> Value {
        let (from, to) = self.range.span();
        // The number of features, and the number of events that are a use of any.
        let counts: Vec<(usize, u64)> = members
            .iter()
            .map(|member| {
                let inside = |e: &Event| (from..to).contains(&e.ts);
                let is = |f: &Feature, e: &Event| {
                    f.event.means(&e.name) && e.ts >= self.released(f) && inside(e)
                };
                let used = self.features.iter();
                let used = used
                    .filter(|f| member.seen.iter().any(|e| is(f, e)))
                    .count();
                let any = |e: &&&Event| self.features.iter().any(|f| is(f, e));
                (used, member.seen.iter().filter(any).count() as u64)
            })
            .collect();
        let of = |features: usize, from: u64, until: Option<u64>| {
            let here = |(n, uses): &&(usize, u64)| {
                *n == features && *uses >= from && until.is_none_or(|u| *uses < u)
            };
            counts.iter().filter(here).count()
        };
        let rows = (1..=self.features.len()).map(|features| {
            let cells = self.frequencies.iter().enumerate().map(|(i, from)| {
                let until = self.frequencies.get(i + 1).copied();
                json!({ "from": from, "until": until, "users": of(features, *from, until) })
            });
            json!({
                "features": features,
                "users": of(features, 0, None),
                "cells": cells.collect::<Vec<_>>(),
            })
        });
        json!({ "unused": of(0, 0, None), "rows": rows.collect::<Vec<_>>() })
    }
}

impl Feature {
    fn read(value: &Value) -> Self {
        if let Some(name) = value.as_str() {
            return Self {
                name: name.to_owned(),
                event: Selector::Event(name.to_owned()),
                released: None,
            };
        }
        let event = value.get("event").or(value.get("name")).expect("an event");
        Self {
            name: text(value.get("name").unwrap_or(event)),
            event: Selector::read(event),
            released: value
                .get("released")
                .filter(|v| !v.is_null())
                .map(Bound::read),
        }
    }
}

/// The first time at which at most half are left, where each time leaves the share of those still watched who did not adopt
/// then; kept as exact fractions.
fn kaplan_meier(times: &[i64], watched: &[i64]) -> Option<i64> {
    let mut moments = times.to_vec();
    moments.sort_unstable();
    moments.dedup();
    let (mut left, mut of) = (1_u128, 1_u128);
    for moment in moments {
        let at_risk = times
            .iter()
            .chain(watched)
            .filter(|t| **t >= moment)
            .count() as u128;
        let now = times.iter().filter(|t| **t == moment).count() as u128;
        left *= at_risk - now;
        of *= at_risk;
        if 2 * left <= of {
            return Some(moment);
        }
    }
    None
}
