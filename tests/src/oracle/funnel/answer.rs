//! The outcomes of a funnel counted, and written as an answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::condition::{Property, fixed, normal, property};
use super::super::money::in_base;
use super::super::numbers::{instant, quantiles, rate};
use super::super::question::seconds;
use super::super::{Event, History};
use super::asked::{Asked, Breakdown};
use super::{Of, Outcome, calendar};

/// The values of a group's properties.
pub(super) type Values = Vec<Option<Value>>;

/// The outcomes of a funnel, to be counted.
pub(super) struct Answer<'a> {
    pub(super) asked: &'a Asked,
    pub(super) history: &'a History,
    pub(super) outcomes: &'a [Outcome<'a>],
}

impl Answer<'_> {
    pub(super) fn of(&self, of: Of) -> Vec<&Outcome<'_>> {
        self.outcomes.iter().filter(|o| o.of == of).collect()
    }

    /// How many required steps there are up to a step.
    pub(super) fn rank(&self, step: usize) -> usize {
        self.asked.steps[..=step]
            .iter()
            .filter(|s| !s.optional)
            .count()
    }

    pub(super) fn reaches(&self, outcome: &Outcome<'_>, step: usize) -> bool {
        if self.asked.steps[step].optional {
            outcome.chain.iter().any(|c| c.0 == step)
        } else {
            outcome.depth >= self.rank(step)
        }
    }

    pub(super) fn stops(&self, outcome: &Outcome<'_>, step: usize) -> bool {
        !self.asked.steps[step].optional
            && outcome.depth == self.rank(step)
            && outcome.depth < self.asked.required()
    }

    fn converted<'o>(&self, outcomes: &[&'o Outcome<'o>]) -> Vec<&'o Outcome<'o>> {
        let whole = |o: &&&Outcome<'_>| o.depth == self.asked.required();
        outcomes.iter().filter(whole).copied().collect()
    }

    /// When a chain did each step; in any order, when it did so many.
    fn times(&self, outcome: &Outcome<'_>) -> Vec<Option<i64>> {
        let steps = 0..self.asked.steps.len();
        if self.asked.order == "any" {
            return steps
                .map(|k| outcome.chain.get(k).map(|c| c.1.ts))
                .collect();
        }
        let row = |k: usize| outcome.chain.iter().find(|c| c.0 == k);
        steps.map(|k| row(k).map(|c| c.1.ts)).collect()
    }

    fn timed<'o>(&self, outcomes: &[&'o Outcome<'o>]) -> Vec<&'o Outcome<'o>> {
        match self.asked.timed.as_str() {
            "reached" => outcomes.to_vec(),
            _ => self.converted(outcomes),
        }
    }

    /// Converters' times between two steps, from 0, never negative.
    fn between(&self, outcomes: &[&Outcome<'_>], from: usize, to: usize) -> Vec<i64> {
        let time = |o: &&Outcome<'_>| {
            let times = self.times(o);
            Some((times[to]? - times[from]?).max(0))
        };
        self.timed(outcomes).iter().filter_map(time).collect()
    }

    fn since_previous(&self, outcomes: &[&Outcome<'_>], step: usize) -> Vec<i64> {
        let time = |o: &&Outcome<'_>| {
            let times = self.times(o);
            let before = times[..step].iter().rev().flatten().next()?;
            Some((times[step]? - before).max(0))
        };
        self.timed(outcomes).iter().filter_map(time).collect()
    }

    fn count(&self, outcomes: &[&Outcome<'_>], step: usize) -> u64 {
        outcomes.iter().filter(|o| self.reaches(o, step)).count() as u64
    }

    /// The counts of a step as answers write them.
    fn step(&self, outcomes: &[&Outcome<'_>], k: usize) -> Value {
        let count = self.count(outcomes, k);
        let entered = outcomes.len() as u64;
        let previous = (0..k).rev().find(|j| !self.asked.steps[*j].optional);
        json!({
            "step": k + 1,
            "count": count,
            "rate": rate(count, entered),
            "rateFromPrevious": rate(count, previous.map_or(entered, |j| self.count(outcomes, j))),
            "dropped": outcomes.iter().filter(|o| self.stops(o, k)).count(),
            "timeFromPrevious": quantiles(&if k == 0 { vec![] } else { self.since_previous(outcomes, k) }),
        })
    }

    fn matured(&self, outcomes: &[&Outcome<'_>]) -> Value {
        let (entered, converted) = (outcomes.len() as u64, self.converted(outcomes).len() as u64);
        json!({"entered": entered, "converted": converted, "rate": rate(converted, entered)})
    }

    fn revenue(&self, outcomes: &[&Outcome<'_>]) -> Value {
        let worth = |o: &&Outcome<'_>| -> i128 {
            let money = o
                .chain
                .iter()
                .filter_map(|c| Some((c.1.money.as_ref()?, c.1.ts)));
            money
                .map(|(m, ts)| in_base(m, ts, &self.history.rates))
                .sum()
        };
        let sum = |outcomes: &[&Outcome<'_>]| decimal(outcomes.iter().map(worth).sum());
        json!({"total": sum(outcomes), "converted": sum(&self.converted(outcomes))})
    }

    /// The values of an outcome's groups (F11).
    pub(super) fn values(&self, outcome: &Outcome<'_>) -> Vec<Values> {
        let Some(breakdown) = &self.asked.breakdown else {
            return Vec::new();
        };
        let of = |event: &Event| -> Values {
            let entry = outcome.chain[0].1;
            let value = |p: &Property| p.of(self.history, p.row(event, entry), self.asked.as_of);
            breakdown.properties.iter().map(value).collect()
        };
        let rows: Vec<Values> = outcome.chain.iter().map(|c| of(c.1)).collect();
        let none = vec![None; breakdown.properties.len()];
        let set = |v: &&Values| v.iter().any(Option::is_some);
        let value = match breakdown.by.as_str() {
            "entry" => rows.first().cloned(),
            "last" => rows.iter().rev().find(set).cloned(),
            // Who is of a cohort as of the question is so at every row.
            _ if cohort(breakdown).is_some_and(fixed) => rows.first().cloned(),
            "step" => {
                let place = outcome.chain.iter().position(|c| c.0 + 1 == breakdown.step);
                place.map(|p| rows[p].clone())
            }
            "first" => rows.iter().find(set).cloned(),
            "each" => {
                let mut values: Vec<Values> = Vec::new();
                for row in rows.iter().filter(set) {
                    if !values.contains(row) {
                        values.push(row.clone());
                    }
                }
                if values.is_empty() {
                    values.push(none);
                }
                return values;
            }
            other => panic!("`{other}` is no attribution"),
        };
        vec![value.unwrap_or(none)]
    }

    /// The groups shown by themselves, in their order.
    pub(super) fn shown(&self) -> Vec<Values> {
        let mut groups = self.all_groups();
        let limit = self.asked.breakdown.as_ref().map_or(0, |b| b.limit);
        let limit = if self.always().is_empty() {
            limit
        } else {
            limit.max(2)
        };
        groups.truncate(limit);
        groups
    }

    /// Of one cohort there are always those in it and those not in it (F11).
    fn always(&self) -> Vec<Values> {
        match self.asked.breakdown.as_ref().and_then(cohort) {
            Some(_) => vec![vec![Some(json!(false))], vec![Some(json!(true))]],
            None => Vec::new(),
        }
    }

    pub(super) fn all_groups(&self) -> Vec<Values> {
        let mut sizes: Vec<(usize, Vec<Option<String>>, Values)> = Vec::new();
        for values in self.always() {
            sizes.push((0, vec![values[0].as_ref().map(Value::to_string)], values));
        }
        // The best chain of the entries that have matured may be in a group of its own.
        let counted = self.of(Of::All).into_iter().map(|o| (o, 1));
        let matured = self.of(Of::Matured).into_iter().map(|o| (o, 0));
        for (outcome, one) in counted.chain(matured) {
            for values in self.values(outcome) {
                match sizes.iter_mut().find(|s| s.2 == values) {
                    Some(size) => size.0 += one,
                    None => {
                        let texts = values.iter().map(|v| v.as_ref().map(Value::to_string));
                        sizes.push((one, texts.collect(), values));
                    }
                }
            }
        }
        sizes.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
        sizes.into_iter().map(|s| s.2).collect()
    }

    /// The kind, the value and the label of a group.
    pub(super) fn written(&self, values: &Values) -> (&'static str, Value, String) {
        let properties = self.asked.breakdown.iter().flat_map(|b| &b.properties);
        let label = |(value, property): (&Option<Value>, &Property)| match value {
            Some(Value::Bool(inside)) if property.0.get("cohort").is_some() => {
                if *inside { "in" } else { "not in" }.to_owned()
            }
            None => "(not set)".to_owned(),
            Some(Value::String(text)) if text.is_empty() => "(empty)".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let value = match &values[..] {
            [one] => json!(one),
            several => json!(several),
        };
        if values.iter().all(Option::is_none) {
            ("not_set", value, "(not set)".to_owned())
        } else if value == json!("") {
            ("empty", value, "(empty)".to_owned())
        } else {
            let labels: Vec<String> = values.iter().zip(properties).map(label).collect();
            ("value", value, labels.join(", "))
        }
    }

    fn group(
        &self,
        (kind, value, label): (&str, Value, String),
        means: &dyn Fn(&Outcome<'_>) -> bool,
    ) -> Value {
        let mine = |of: Of| -> Vec<&Outcome<'_>> {
            self.of(of).into_iter().filter(|o| means(o)).collect()
        };
        let all = mine(Of::All);
        let steps = self.asked.steps.len();
        let mut group = json!({
            "kind": kind,
            "value": value,
            "label": label,
            "entered": all.len(),
            "converted": self.converted(&all).len(),
            "open": all.iter().filter(|o| o.open).count(),
            "rate": rate(self.converted(&all).len() as u64, all.len() as u64),
            "matured": self.matured(&mine(Of::Matured)),
            "steps": (0..steps).map(|k| self.step(&all, k)).collect::<Vec<_>>(),
            "timeToConvert": quantiles(&self.between(&all, 0, steps - 1)),
        });
        if self.asked.revenue {
            group["revenue"] = self.revenue(&all);
        }
        group
    }

    fn groups(&self) -> Vec<Value> {
        let shown = self.shown();
        let mut groups: Vec<Value> = shown
            .iter()
            .map(|v| self.group(self.written(v), &|o| self.values(o).contains(v)))
            .collect();
        if self.all_groups().len() > shown.len() {
            let rest = |o: &Outcome<'_>| self.values(o).iter().any(|v| !shown.contains(v));
            groups.push(self.group(("other", Value::Null, "Other".to_owned()), &rest));
        }
        groups
    }

    fn trend(&self) -> Vec<Value> {
        let (from, to) = self.asked.range.span();
        let calendar = calendar(self.asked);
        let bucket = |date| {
            let all = self.of(Of::Bucket(date));
            let (start, end) = (calendar.start(date), calendar.end(date));
            json!({
                "start": instant(start),
                "end": instant(end),
                "partial": start < from || end > to,
                "entered": all.len(),
                "converted": self.converted(&all).len(),
                "open": all.iter().filter(|o| o.open).count(),
                "rate": rate(self.converted(&all).len() as u64, all.len() as u64),
                "counts": (0..self.asked.steps.len()).map(|k| self.count(&all, k)).collect::<Vec<_>>(),
            })
        };
        calendar
            .touching(from, to)
            .into_iter()
            .map(bucket)
            .collect()
    }

    fn histogram(&self, times: &[i64], bins: usize) -> Vec<Value> {
        let Some(longest) = times.iter().max() else {
            return Vec::new();
        };
        let width = ((*longest as f64 / bins as f64).ceil() as i64).max(1);
        let bin = |i: usize| {
            let (low, high) = (i as i64 * width, (i as i64 + 1) * width);
            let last = i + 1 == bins;
            let inside = |t: &&i64| low <= **t && (**t < high || last && **t == high);
            json!({"from": low as f64 / 1e6, "to": high as f64 / 1e6, "count": times.iter().filter(inside).count()})
        };
        (0..bins).map(bin).collect()
    }

    /// Kaplan and Meier: at each time of a conversion the share of those still at risk who do not convert then, multiplied up.
    fn median(&self, all: &[&Outcome<'_>]) -> Option<f64> {
        let required = (0..self.asked.steps.len()).filter(|k| !self.asked.steps[*k].optional);
        let mut converted = self.between(all, 0, required.max()?);
        converted.sort_unstable();
        let lost = |o: &&&Outcome<'_>| o.depth < self.asked.required();
        // Who can no longer convert never does.
        let until = |o: &&Outcome<'_>| if o.open { o.watched } else { i64::MAX };
        let watched: Vec<i64> = all.iter().filter(lost).map(until).collect();
        let mut surviving = 1.0;
        let times: BTreeSet<i64> = converted.iter().copied().collect();
        for time in times {
            let at_risk = converted
                .iter()
                .chain(&watched)
                .filter(|t| **t >= time)
                .count();
            let here = converted.iter().filter(|t| **t == time).count();
            surviving *= 1.0 - here as f64 / at_risk as f64;
            if surviving < 0.5 + 1e-9 {
                return Some(time as f64 / 1e6);
            }
        }
        None
    }

    pub(super) fn switches(&self) -> Value {
        let asked = self.asked;
        let when = |is: bool, value: Value| if is { value } else { Value::Null };
        json!({
            "order": asked.order,
            "grace": seconds(asked.grace),
            "strictIncrease": asked.strict_increase,
            "entry": if asked.latest { "latest" } else { "earliest" },
            "entries": if asked.first_entry { "first" } else { "every" },
            "range": if asked.all_steps { "all_steps" } else { "entry" },
            "windowCalendarDays": asked.window_calendar_days,
            "timed": asked.timed,
            "anchorFirst": asked.anchor_first,
            "universe": when(asked.order == "strict", asked.universe.clone()),
            "exclusionMode": if asked.remove_user { "remove_user" } else { "kill_chain" },
            "unit": asked.unit,
            "totals": when(asked.unit == "totals", json!(if asked.every_entry { "every_entry" } else { "attempts" })),
            "sessionTimeout": when(asked.unit == "sessions", seconds(asked.session_timeout)),
        })
    }

    pub(super) fn json(&self) -> Value {
        let asked = self.asked;
        let (from, to) = asked.range.span();
        let all = self.of(Of::All);
        let converted = self.converted(&all);
        let last = asked.steps.len();
        let step = |k: usize| {
            let mut step = self.step(&all, k);
            let asked = &asked.steps[k];
            step["event"] = asked.condition.event.json();
            if !asked.condition.filters.is_empty() {
                step["where"] = normal(&asked.condition.filters);
            }
            if asked.optional {
                step["optional"] = json!(true);
            }
            for (name, gap) in [("minGap", asked.min_gap), ("maxGap", asked.max_gap)] {
                if let Some(gap) = gap {
                    step[name] = seconds(gap);
                }
            }
            step["timeFromEntry"] = quantiles(&if k == 0 {
                vec![]
            } else {
                self.between(&all, 0, k)
            });
            step
        };
        let (earlier, later) = asked.time_between;
        let measured = self.between(&all, earlier - 1, later - 1);
        let mut time_to_convert = Map::new();
        time_to_convert.insert("fromStep".to_owned(), json!(earlier));
        time_to_convert.insert("toStep".to_owned(), json!(later));
        if let Value::Object(figures) = quantiles(&measured) {
            time_to_convert.extend(figures);
        }
        let histogram = asked
            .histogram_bins
            .map(|bins| self.histogram(&measured, bins));
        if let Some(histogram) = histogram.filter(|h| !h.is_empty()) {
            time_to_convert.insert("histogram".to_owned(), json!(histogram));
        }
        let mut answer = json!({
            "steps": (0..last).map(step).collect::<Vec<_>>(),
            "entered": all.len(),
            "converted": converted.len(),
            "open": all.iter().filter(|o| o.open).count(),
            "rate": rate(converted.len() as u64, all.len() as u64),
            "matured": self.matured(&self.of(Of::Matured)),
            "timeToConvert": time_to_convert,
            "unattributedEvents": self.history.unattributed(asked.as_of),
            "window": seconds(asked.window),
            "startDate": instant(from),
            "endDate": instant(to),
            "timezone": asked.range.timezone,
            "segment": asked.segment,
            "asOf": instant(asked.as_of),
            "kaplanMeierMedian": self.median(&all),
            "preset": asked.preset,
            "switches": self.switches(),
        });
        let required = (0..last).filter(|k| !asked.steps[*k].optional).max();
        let times = self.between(&all, 0, required.unwrap_or(0));
        let slow = times
            .iter()
            .filter(|time| 2 * **time > asked.window)
            .count();
        if asked.window_calendar_days.is_none() && slow * 10 > times.len() {
            answer["warnings"] = json!(["tight_window"]);
        }
        if asked.unit != "users" || !asked.hold_constant.is_empty() {
            let users =
                |of: &[&Outcome<'_>]| of.iter().map(|o| &o.user).collect::<BTreeSet<_>>().len();
            answer["users"] = json!({"entered": users(&all), "converted": users(&converted)});
        }
        if asked.revenue {
            answer["revenue"] = self.revenue(&all);
        }
        if let Some(breakdown) = &asked.breakdown {
            let by = match breakdown.by.as_str() {
                "step" => json!({"step": breakdown.step}),
                by => json!(by),
            };
            let properties: Vec<Value> = breakdown.properties.iter().map(property).collect();
            answer["breakdown"] =
                json!({"properties": properties, "by": by, "groups": self.groups()});
        }
        if let Some(period) = &asked.trend {
            answer["trend"] =
                json!({"period": period, "weekStart": asked.week_start, "buckets": self.trend()});
        }
        if !asked.filters.is_empty() {
            answer["filters"] = normal(&asked.filters);
        }
        if !asked.hold_constant.is_empty() {
            answer["holdConstant"] =
                json!(asked.hold_constant.iter().map(property).collect::<Vec<_>>());
        }
        if !asked.exclusions.is_empty() {
            let written = asked.exclusions.iter().map(|x| {
                let mut written =
                    json!({"event": x.condition.event.json(), "from": x.from + 1, "to": x.to + 1});
                if !x.condition.filters.is_empty() {
                    written["where"] = normal(&x.condition.filters);
                }
                written
            });
            answer["exclusions"] = json!(written.collect::<Vec<_>>());
        }
        answer
    }
}

/// The cohort that a breakdown is by, where it is by one alone.
fn cohort(breakdown: &Breakdown) -> Option<&Value> {
    match &breakdown.properties[..] {
        [Property(property)] => property.get("cohort").map(|_| property),
        _ => None,
    }
}

/// 10^-12 of the base currency as decimal text: all digits that are not zero, and at least two.
fn decimal(sum: i128) -> String {
    let sign = if sum < 0 { "-" } else { "" };
    let digits = format!("{:013}", sum.abs());
    let (whole, part) = digits.split_at(digits.len() - 12);
    let mut part = part.to_owned();
    while part.len() > 2 && part.ends_with('0') {
        part.pop();
    }
    format!("{sign}{whole}.{part}")
}
