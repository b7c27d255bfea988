//! The members of cohorts counted, and written as an answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::condition::{normal, property};
use super::super::money::in_base;
use super::super::numbers::{instant, rate, wilson};
use super::super::{Event, History};
use super::Who;
use super::asked::{Asked, Cohort};
use super::member::Member;

/// One, in 10^-12.
const ONE: i128 = 1_000_000_000_000;

/// A table on its way.
pub(super) struct Answer<'a> {
    pub(super) asked: &'a Asked,
    pub(super) history: &'a History,
    pub(super) features: &'a [String],
    pub(super) cohorts: Vec<(Cohort, Vec<Member<'a>>)>,
}

/// What pools into the average of a column.
#[derive(Clone, Copy, Debug, Default)]
struct Pool {
    count: u64,
    eligible: u64,
    total: i128,
}

impl<'a> Answer<'a> {
    pub(super) fn json(&self) -> Value {
        let asked = self.asked;
        let (from, to) = asked.range.span();
        let first = self.history.visible(asked.as_of);
        let first = first.iter().map(|e| e.ts).min();
        let (cohorts, average) = self.table(None);
        let mut answer = json!({
            "cohortPeriod": asked.period_name(),
            "analysisMetric": asked.metric,
            "cohorts": cohorts,
            "average": average,
            "segment": asked.segment,
            "startDate": instant(from),
            "endDate": instant(to),
            "createdAt": instant(asked.as_of),
            "asOf": instant(asked.as_of),
            "timezone": asked.range.timezone,
            "weekStart": asked.week_start_name(),
            "mode": asked.mode,
            "start": asked.start.json(),
            "return": asked.returning.json(),
            "leftCensored": first.is_some_and(|t| t >= from),
            "unattributedEvents": self.history.unattributed(asked.as_of),
            "preset": asked.preset,
            "switches": {
                "mode": asked.mode,
                "unit": asked.unit,
                "clockStart": asked.clock_start,
                "criterion": asked.criterion,
                "minimumOccurrences": asked.minimum,
                "maturity": asked.maturity,
                "holdConstant": asked.hold.as_ref().map(property),
                "pooling": asked.pooling,
                "weekStart": asked.week_start_name(),
            },
            "criterion": asked.criterion,
        });
        if asked.unit != "calendar" {
            answer["unit"] = json!(asked.unit);
        }
        if !asked.filters.is_empty() {
            answer["filters"] = normal(&asked.filters);
        }
        if let Some(of) = &asked.property {
            answer["property"] = property(of);
        }
        if let Some(held) = &asked.hold {
            answer["holdConstant"] = property(held);
        }
        if asked.pooling != "all" {
            answer["pooling"] = json!(asked.pooling);
        }
        if let Some((of, limit)) = &asked.breakdown {
            let values = self.values();
            let groups = (0..values.len().min(limit + 1)).map(|g| self.group(&values, *limit, g));
            answer["breakdown"] = json!({
                "property": property(of),
                "pooled": values.len().saturating_sub(*limit),
                "groups": groups.collect::<Vec<_>>(),
            });
        }
        answer
    }

    pub(super) fn people(&self, who: &Who<'_>) -> BTreeSet<String> {
        let (cohort, members) = &self.cohorts[who.cell.0];
        let column = who.cell.1 as u32;
        let last = self.column(column).expect("a column").1 - 1;
        let is_size = self.is_size(column);
        let values = self.values();
        let limit = self.asked.breakdown.as_ref().map_or(0, |b| b.1);
        let mine = |m: &&Member<'_>| {
            who.group
                .is_none_or(|g| place(&values, &m.group).min(limit) == g)
        };
        let counted = members.iter().filter(mine).filter(|m| {
            let eligible = is_size || m.eligible(self.asked, last);
            let back = is_size || m.counts(self.asked, column).is_some();
            match who.who {
                "cohort" => true,
                "returned_in_start_period" => m.returns.iter().any(|r| r.0 == 0),
                "eligible" => eligible,
                "retained" => eligible && back,
                "not_retained" => eligible && !back,
                "returned_so_far" => !eligible && back,
                other => panic!("`{other}` is nobody of {cohort:?}"),
            }
        });
        counted.map(|m| m.user.to_owned()).collect()
    }

    /// The values by which starts are grouped: those with most users first, then by their text, nothing first.
    fn values(&self) -> Vec<Option<Value>> {
        let all = || self.cohorts.iter().flat_map(|(_, members)| members);
        let mut values: Vec<Option<Value>> = Vec::new();
        for member in all() {
            if !values.contains(&member.group) {
                values.push(member.group.clone());
            }
        }
        values.sort_by_key(|value| {
            let users = all().filter(|m| m.group == *value).count();
            let text = value.as_ref().map(ToString::to_string);
            (std::cmp::Reverse(users), text)
        });
        values
    }

    fn group(&self, values: &[Option<Value>], limit: usize, g: usize) -> Value {
        let (value, label) = match values.get(g).filter(|_| g < limit) {
            None => (Value::Null, "Other".to_owned()),
            Some(None) => (Value::Null, "(not set)".to_owned()),
            Some(Some(Value::String(text))) if text.is_empty() => (json!(""), "(empty)".to_owned()),
            Some(Some(Value::String(text))) => (json!(text), text.clone()),
            Some(Some(other)) => (other.clone(), other.to_string()),
        };
        let (cohorts, average) = self.table(Some((values, limit, g)));
        let sizes = cohorts.iter().map(|c| c["size"].as_u64().expect("a size"));
        json!({
            "value": value,
            "label": label,
            "size": sizes.sum::<u64>(),
            "cohorts": cohorts,
            "average": average,
        })
    }

    /// The first period of a column, and the first after it.
    fn column(&self, n: u32) -> Option<(u32, u32)> {
        if self.asked.criterion == "brackets" {
            return self.asked.brackets.get(n as usize).copied();
        }
        let shown = self.asked.periods.is_none_or(|last| n <= last);
        shown.then_some((n, n + 1))
    }

    fn is_size(&self, column: u32) -> bool {
        column == 0 && self.asked.metric == "retention_rate" && self.asked.criterion != "brackets"
    }

    /// The rows and the averages of one group, or of all.
    fn table(&self, group: Option<(&[Option<Value>], usize, usize)>) -> (Vec<Value>, Vec<Value>) {
        let asked = self.asked;
        let (from, to) = asked.range.span();
        let mut rows = Vec::new();
        let mut cells: Vec<Vec<(u32, Pool, bool)>> = Vec::new();
        let mut filled = Vec::new();
        for (cohort, members) in &self.cohorts {
            let mine = |m: &&Member<'a>| {
                group.is_none_or(|(values, limit, g)| place(values, &m.group).min(limit) == g)
            };
            let members: Vec<&Member<'a>> = members.iter().filter(mine).collect();
            let mut shown = Vec::new();
            let mut written = Vec::new();
            for n in 0.. {
                let Some((first, end)) = self.column(n) else {
                    break;
                };
                if asked.earliest(*cohort, first) > asked.as_of {
                    break;
                }
                let complete = asked.latest(*cohort, end - 1) <= asked.as_of;
                let (cell, pool) = self.cell(&members, n, (first, end), complete);
                written.push(cell);
                shown.push((first, pool, complete));
            }
            cells.push(shown);
            filled.push(!members.is_empty());
            let within = members.iter();
            let within = within.filter(|m| m.returns.iter().any(|r| r.0 == 0));
            rows.push(json!({
                "period": instant(asked.start(*cohort)),
                "size": members.len(),
                "partial": asked.start(*cohort) < from || asked.end(*cohort) > to,
                "returnedInStartPeriod": within.count(),
                "retention": written,
            }));
        }
        (rows, self.average(&cells, &filled))
    }

    fn cell(
        &self,
        members: &[&Member<'a>],
        n: u32,
        (first, end): (u32, u32),
        complete: bool,
    ) -> (Value, Pool) {
        let asked = self.asked;
        let rates = asked.metric == "retention_rate";
        let size = members.len() as u64;
        let (eligible, others): (Vec<&Member<'a>>, Vec<&Member<'a>>) =
            members.iter().partition(|m| m.eligible(asked, end - 1));
        let back = eligible.iter().filter_map(|m| m.counts(asked, n));
        let back: Vec<Vec<&Event>> = back.collect();
        let late = others.iter().filter(|m| m.counts(asked, n).is_some());
        let pool = if self.is_size(n) {
            Pool {
                count: size,
                eligible: size,
                total: 0,
            }
        } else {
            Pool {
                count: back.len() as u64,
                eligible: eligible.len() as u64,
                total: back.iter().map(|events| self.figure(events)).sum(),
            }
        };
        let (value, low, high) = if self.is_size(n) {
            [(); 3].map(|()| (size > 0).then_some(1.0)).into()
        } else if rates {
            wilson(pool.count, pool.eligible)
        } else {
            (share(pool.total, pool.eligible), None, None)
        };
        let mut cell = json!({
            "period": first,
            "count": pool.count,
            "eligible": pool.eligible,
            "complete": complete,
            "partialCount": if self.is_size(n) { 0 } else { late.count() },
            "value": value,
            "low": low,
            "high": high,
        });
        if asked.criterion == "brackets" {
            cell["until"] = json!(end);
        }
        if !rates {
            cell["total"] = json!(decimal(pool.total));
            if let Some(each) = share(pool.total, pool.count) {
                cell["perReturning"] = json!(each);
            }
        }
        (cell, pool)
    }

    /// The pooled figure of each column (R9).
    fn average(&self, cells: &[Vec<(u32, Pool, bool)>], filled: &[bool]) -> Vec<Value> {
        let rates = self.asked.metric == "retention_rate";
        let whole = |c: &Vec<(u32, Pool, bool)>| c.iter().take_while(|cell| cell.2).count();
        let common = self.asked.pooling == "common_cohorts";
        // Cohorts without users do not count.
        let counted = cells.iter().zip(filled).filter(|c| *c.1);
        let needed = counted.map(|c| whole(c.0)).max().filter(|_| common);
        let pooled: Vec<&Vec<(u32, Pool, bool)>> = cells
            .iter()
            .filter(|c| whole(c) >= needed.unwrap_or(0))
            .collect();
        let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
        let of_column = |n: usize| {
            let mut sum = Pool::default();
            for (_, pool, _) in pooled.iter().filter_map(|c| c.get(n)).filter(|c| c.2) {
                sum.count += pool.count;
                sum.eligible += pool.eligible;
                sum.total += pool.total;
            }
            let mut average = rate(sum.count, sum.eligible);
            let first = cells.iter().find_map(|c| c.get(n)).expect("a column").0;
            average["period"] = json!(first);
            if !rates {
                average["value"] = json!(share(sum.total, sum.eligible));
                average["low"] = Value::Null;
                average["high"] = Value::Null;
                average["total"] = json!(decimal(sum.total));
                if let Some(each) = share(sum.total, sum.count) {
                    average["perReturning"] = json!(each);
                }
            }
            average
        };
        (0..columns).map(of_column).collect()
    }

    /// What the return events of a user amount to, in 10^-12 (R11).
    fn figure(&self, events: &[&Event]) -> i128 {
        let asked = self.asked;
        let says = |event: &&Event| {
            let of = asked.property.as_ref().expect("a property");
            number(&of.of(self.history, event, asked.as_of)?)
        };
        match asked.metric.as_str() {
            "engagement" => events.len() as i128 * ONE,
            "feature_usage" => {
                let used = events.iter().map(|e| &e.name);
                let used = used.filter(|name| self.features.contains(name));
                used.collect::<BTreeSet<_>>().len() as i128 * ONE
            }
            "revenue" => {
                let money = events
                    .iter()
                    .filter_map(|e| Some((e.money.as_ref()?, e.ts)));
                money
                    .map(|(money, ts)| in_base(money, ts, &self.history.rates))
                    .sum()
            }
            "property_sum" => events.iter().filter_map(says).sum(),
            "property_average" => {
                let numbers: Vec<i128> = events.iter().filter_map(says).collect();
                let n = numbers.len() as i128;
                if n == 0 {
                    0
                } else {
                    nearest(numbers.iter().sum(), n)
                }
            }
            _ => 0,
        }
    }
}

/// The place of a value among all.
fn place(values: &[Option<Value>], value: &Option<Value>) -> usize {
    let place = values.iter().position(|v| v == value);
    place.expect("every value has a place")
}

/// A number, in 10^-12.
fn number(value: &Value) -> Option<i128> {
    let text = value.as_number()?.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{part:0<12}");
    assert!(part.len() <= 12, "`{text}` has more than 12 decimals");
    Some(digits.parse().expect("a plain number"))
}

/// `n / d` rounded to a whole number, halves to the even one.
fn nearest(n: i128, d: i128) -> i128 {
    let below = n.div_euclid(d);
    let twice_the_rest = 2 * n.rem_euclid(d);
    let up = twice_the_rest > d || twice_the_rest == d && below % 2 != 0;
    below + i128::from(up)
}

/// 10^-12 as decimal text without zeros at its end.
fn decimal(sum: i128) -> String {
    let sign = if sum < 0 { "-" } else { "" };
    let digits = format!("{:013}", sum.abs());
    let (whole, part) = digits.split_at(digits.len() - 12);
    let part = part.trim_end_matches('0');
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{part}")
}

fn share(total: i128, n: u64) -> Option<f64> {
    (n > 0).then(|| total as f64 / 1e12 / n as f64)
}
