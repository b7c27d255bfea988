//! Funnels by enumeration (F1–F16): every chain of distinct rows that the rules allow, one by one.

mod answer;
mod asked;
mod chains;
mod compared;
mod dropoff;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::calendar::{Calendar, Period, WEEKDAYS, local};
use super::condition::meets;
use super::numbers::instant;
use super::{Event, History, segment};
use answer::Answer;
use asked::Asked;
use chains::Unit;

pub use compared::Compare;
pub use dropoff::DropOff;

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
            let attempt = |unit: &Unit<'_, '_>| {
                let chain = unit.best(entry)?;
                let (end, killed) = unit.end(&chain);
                if killed && !asked.every_entry {
                    // What comes after its end is the next attempt's.
                    let chain = unit.until(entry, end).best(entry);
                    return Some((chain.expect("the entry alone"), end, killed));
                }
                Some((chain, end, killed))
            };
            let Some(mut tried) = attempt(unit) else {
                continue;
            };
            if !asked.every_entry && tried.0.iter().any(|c| ts(c.1) <= ended) {
                // What lies before its entry is the attempt's before it.
                tried = attempt(&unit.onwards()).expect("the entry alone");
            }
            let (chain, end, killed) = tried;
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
