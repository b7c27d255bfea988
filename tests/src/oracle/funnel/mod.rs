//! Funnels by enumeration (F1–F16): every chain of distinct rows that the rules allow, one by one.

mod asked;
mod chains;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::calendar::{Calendar, Period, WEEKDAYS, local};
use super::money::in_base;
use super::numbers::{instant, quantiles, rate};
use super::question::seconds;
use super::{Event, History, segment};
use asked::{Asked, Property, meets};
use chains::Unit;

/// A funnel: the question as doors take it, and what it is asked with.
#[derive(Clone, Debug, PartialEq)]
pub struct Funnel {
    /// The question.
    pub question: Value,
    default_steps: Vec<String>,
    now: i64,
}

/// Which entries an outcome is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    All,
    Matured,
    Bucket(chrono::NaiveDate),
}

/// What happened in one unit.
#[derive(Clone, Debug)]
struct Outcome<'h> {
    user: String,
    of: Of,
    depth: usize,
    chain: Vec<(usize, &'h Event)>,
    open: bool,
    /// How long a unit that did not convert was watched.
    watched: i64,
}

/// The users behind a number: a cell as questions name it, with a step, a group and a bucket.
#[derive(Clone, Debug, Default)]
pub struct Who<'w> {
    /// `entered`, `converted`, `open`, `reached`, `dropped`, `matured_entered` or `matured_converted`.
    pub cell: &'w str,
    /// The step of `reached` and `dropped`, from 1.
    pub step: usize,
    /// The kind and the value of a group.
    pub group: Option<(String, Value)>,
    /// The start of a bucket.
    pub bucket: Option<String>,
}

impl Funnel {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, default_steps: &[&str], now: i64) -> Self {
        Self {
            question: question.clone(),
            default_steps: default_steps.iter().map(|s| (*s).to_owned()).collect(),
            now,
        }
    }

    /// As the doors read it.
    pub fn json(&self) -> Value {
        self.question.clone()
    }

    fn asked(&self) -> Asked {
        Asked::read(&self.question, &self.default_steps, self.now)
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let asked = self.asked();
        let outcomes = outcomes(&asked, history);
        Answer {
            asked: &asked,
            history,
            outcomes: &outcomes,
        }
        .json()
    }

    /// The users that a number counts.
    pub fn people(&self, history: &History, who: &Who<'_>) -> BTreeSet<String> {
        let asked = self.asked();
        let outcomes = outcomes(&asked, history);
        let answer = Answer {
            asked: &asked,
            history,
            outcomes: &outcomes,
        };
        let of = |o: &&Outcome<'_>| match (&who.bucket, who.cell) {
            (Some(start), _) => {
                matches!(o.of, Of::Bucket(date) if instant(calendar(&asked).start(date)) == *start)
            }
            (None, "matured_entered" | "matured_converted") => o.of == Of::Matured,
            (None, _) => o.of == Of::All,
        };
        let shown = answer.shown();
        let group = |o: &&Outcome<'_>| {
            who.group.as_ref().is_none_or(|(kind, value)| {
                let values = answer.values(o);
                match kind.as_str() {
                    "other" => values.iter().any(|v| !shown.contains(v)),
                    _ => values.iter().any(|v| {
                        let (its, written, _) = answer.written(v);
                        shown.contains(v) && its == kind && (kind != "value" || written == *value)
                    }),
                }
            })
        };
        let required = asked.required();
        let counts = |o: &&Outcome<'_>| match who.cell {
            "entered" | "matured_entered" => true,
            "converted" | "matured_converted" => o.depth == required,
            "open" => o.open,
            "reached" => answer.reaches(o, who.step - 1),
            "dropped" => answer.stops(o, who.step - 1),
            other => panic!("`{other}` is no cell"),
        };
        let met = outcomes.iter().filter(of).filter(group).filter(counts);
        met.map(|o| o.user.clone()).collect()
    }
}

fn calendar(asked: &Asked) -> Calendar {
    let period = match asked.trend.as_deref() {
        Some("daily") => Period::Daily,
        Some("monthly") => Period::Monthly,
        _ => Period::Weekly,
    };
    let week_start = WEEKDAYS.iter().find(|d| d.0 == asked.week_start);
    Calendar {
        tz: asked.range.tz(),
        period,
        week_start: week_start.expect("a weekday").1,
    }
}

/// The outcomes of all units of all users.
fn outcomes<'h>(asked: &Asked, history: &'h History) -> Vec<Outcome<'h>> {
    let (from, to) = asked.range.span();
    let mut outcomes = Vec::new();
    for (user, rows) in history.users(asked.as_of) {
        if !segment::member(history, user, &asked.segment, from, to, asked.as_of) {
            continue;
        }
        for rows in units(asked, history, &rows) {
            let unit = Unit::new(asked, history, rows);
            of_unit(&unit, user, &mut outcomes);
        }
    }
    outcomes
}

/// The rows of each unit: of each session, of each value held constant.
fn units<'h>(asked: &Asked, history: &History, rows: &[&'h Event]) -> Vec<Vec<&'h Event>> {
    let mut sessions: Vec<Vec<&Event>> = Vec::new();
    for row in rows {
        let last = sessions.last().and_then(|s| s.last());
        let goes_on = last.is_some_and(|l| row.ts - l.ts <= asked.session_timeout);
        match sessions.last_mut() {
            Some(session) if asked.unit != "sessions" || goes_on => session.push(row),
            _ => sessions.push(vec![row]),
        }
    }
    let (from, to) = asked.range.span();
    let seen = |row: &&&Event| {
        meets(&asked.filters, history, row, asked.as_of)
            && (!asked.all_steps || (from..to).contains(&row.ts))
    };
    let mut units: Vec<Vec<&Event>> = Vec::new();
    for session in sessions {
        let mut held: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
        for row in session.iter().filter(seen) {
            let values = asked.hold_constant.iter();
            let values: Option<Vec<Value>> =
                values.map(|p| p.of(history, row, asked.as_of)).collect();
            // Nothing equals nothing (F15).
            if let Some(values) = values {
                held.entry(Value::Array(values).to_string())
                    .or_default()
                    .push(row);
            }
        }
        units.extend(held.into_values());
    }
    units
}

fn of_unit<'h>(unit: &Unit<'h, '_>, user: &str, outcomes: &mut Vec<Outcome<'h>>) {
    let asked = unit.asked;
    let entries = unit.entries();
    let ts = |row: usize| unit.rows[row].ts;
    let matured = |row: &usize| unit.deadline(*row) <= asked.as_of;
    let bucket = |row: usize| {
        let calendar = calendar(asked);
        calendar.first_date(local(asked.range.tz(), ts(row)).date())
    };
    let mut tell = |of: Of, chain: &chains::Chain, open: bool| {
        let depth = unit.depth(chain);
        let entry = ts(chain[0].1);
        outcomes.push(Outcome {
            user: user.to_owned(),
            of,
            depth,
            chain: chain.iter().map(|c| (c.0, unit.rows[c.1])).collect(),
            open: open && depth < asked.required(),
            watched: unit.deadline(chain[0].1).min(asked.as_of) - entry,
        });
    };
    if asked.unit == "totals" {
        let mut ended = i64::MIN;
        for entry in entries {
            if !asked.every_entry && ts(entry) <= ended {
                continue;
            }
            let Some(chain) = unit.best(entry) else {
                continue;
            };
            let (end, killed) = unit.end(&chain);
            ended = end;
            let open = !matured(&entry) && (asked.every_entry || !killed);
            tell(Of::All, &chain, open);
            if matured(&entry) {
                tell(Of::Matured, &chain, open);
            }
            if asked.trend.is_some() {
                tell(Of::Bucket(bucket(entry)), &chain, open);
            }
        }
        return;
    }
    let mut sets: BTreeMap<Of, Vec<usize>> = BTreeMap::new();
    for entry in entries {
        sets.entry(Of::All).or_default().push(entry);
        if matured(&entry) {
            sets.entry(Of::Matured).or_default().push(entry);
        }
        if asked.trend.is_some() {
            sets.entry(Of::Bucket(bucket(entry)))
                .or_default()
                .push(entry);
        }
    }
    let bests: BTreeMap<usize, Option<chains::Chain>> = sets
        .get(&Of::All)
        .into_iter()
        .flatten()
        .map(|entry| (*entry, unit.best(*entry)))
        .collect();
    for (of, entries) in sets {
        let of_set = entries.iter().filter_map(|entry| bests[entry].clone());
        let best = of_set.reduce(|best, chain| {
            if unit.better(&chain, &best) {
                chain
            } else {
                best
            }
        });
        if let Some(chain) = best {
            tell(of, &chain, !entries.iter().all(matured));
        }
    }
}

/// The values of a group's properties.
type Values = Vec<Option<Value>>;

struct Answer<'a> {
    asked: &'a Asked,
    history: &'a History,
    outcomes: &'a [Outcome<'a>],
}

impl Answer<'_> {
    fn of(&self, of: Of) -> Vec<&Outcome<'_>> {
        self.outcomes.iter().filter(|o| o.of == of).collect()
    }

    /// How many required steps there are up to a step.
    fn rank(&self, step: usize) -> usize {
        self.asked.steps[..=step]
            .iter()
            .filter(|s| !s.optional)
            .count()
    }

    fn reaches(&self, outcome: &Outcome<'_>, step: usize) -> bool {
        if self.asked.steps[step].optional {
            outcome.chain.iter().any(|c| c.0 == step)
        } else {
            outcome.depth >= self.rank(step)
        }
    }

    fn stops(&self, outcome: &Outcome<'_>, step: usize) -> bool {
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
    fn values(&self, outcome: &Outcome<'_>) -> Vec<Values> {
        let Some(breakdown) = &self.asked.breakdown else {
            return Vec::new();
        };
        let of = |event: &Event| -> Values {
            let value = |p: &Property| p.of(self.history, event, self.asked.as_of);
            breakdown.properties.iter().map(value).collect()
        };
        let rows: Vec<Values> = outcome.chain.iter().map(|c| of(c.1)).collect();
        let none = vec![None; breakdown.properties.len()];
        let set = |v: &&Values| v.iter().any(Option::is_some);
        let value = match breakdown.by.as_str() {
            "entry" => rows.first().cloned(),
            "last" => rows.iter().rev().find(set).cloned(),
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
    fn shown(&self) -> Vec<Values> {
        let mut groups = self.all_groups();
        let limit = self.asked.breakdown.as_ref().map_or(0, |b| b.limit);
        groups.truncate(limit);
        groups
    }

    fn all_groups(&self) -> Vec<Values> {
        let mut sizes: Vec<(usize, Vec<Option<String>>, Values)> = Vec::new();
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
    fn written(&self, values: &Values) -> (&'static str, Value, String) {
        let label = |value: &Option<Value>| match value {
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
            let labels: Vec<String> = values.iter().map(label).collect();
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
        let watched: Vec<i64> = all.iter().filter(lost).map(|o| o.watched).collect();
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

    fn switches(&self) -> Value {
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

    fn json(&self) -> Value {
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

fn property(property: &Property) -> Value {
    match &property.0 {
        Value::Object(user) => json!({
            "user": user["user"],
            "at": user.get("at").cloned().unwrap_or_else(|| json!("at_event")),
        }),
        name => name.clone(),
    }
}

/// Filters as answers write them: with every field.
fn normal(filters: &[Value]) -> Value {
    let normal = |filter: &Value| {
        let values = match filter.get("value") {
            None => Vec::new(),
            Some(Value::Array(values)) => values.clone(),
            Some(one) => vec![one.clone()],
        };
        json!({
            "property": property(&Property(filter["property"].clone())),
            "op": filter.get("op").cloned().unwrap_or_else(|| json!("is")),
            "value": values,
            "ignoreCase": false,
            "cast": null,
        })
    };
    filters.iter().map(normal).collect()
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
