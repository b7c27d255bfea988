//! Funnels by enumeration (F1–F5, F13): every chain of distinct rows that the rules allow, one by one.

use serde_json::{Map, Value, json};

use super::numbers::{instant, quantiles, rate};
use super::question::{Range, Selector, micros, seconds, text, window};
use super::{Event, History, segment};

/// A funnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funnel {
    /// The steps.
    pub steps: Vec<Selector>,
    /// The conversion window in microseconds, both ends included (F2).
    pub window: i64,
    /// Selects entries (F5).
    pub range: Range,
    /// Only these users.
    pub segment: String,
    /// Whether equal times are not "after" (F1).
    pub strict_increase: bool,
    /// The steps, from 1, between which time is measured (F13); the first and the last by default.
    pub time_between: Option<(usize, usize)>,
    /// Nothing later is seen (G2).
    pub as_of: i64,
}

/// What happened to one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// How many steps the best chain has.
    depth: usize,
    /// The times of the reported chain, if it is whole.
    times: Option<Vec<i64>>,
    /// Whether an entry's window is still open at `as_of`.
    waiting: bool,
}

impl Funnel {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, default_steps: &[&str], now: i64) -> Self {
        let steps = match question.get("steps") {
            Some(Value::Array(steps)) => steps.iter().map(Selector::read).collect(),
            _ => default_steps
                .iter()
                .map(|s| Selector::Event((*s).to_owned()))
                .collect(),
        };
        let pair = question.get("timeBetween").map(|p| {
            let step = |i: usize| p[i].as_u64().expect("a step") as usize;
            (step(0), step(1))
        });
        Self {
            steps,
            window: question.get("window").map_or(14 * 86_400_000_000, window),
            range: Range::read(question),
            segment: question
                .get("segment")
                .map_or_else(|| "all".to_owned(), text),
            strict_increase: question
                .get("strictIncrease")
                .is_some_and(|v| v == &json!(true)),
            time_between: pair,
            as_of: question.get("asOf").map_or(now, micros),
        }
    }

    /// As the doors read it.
    pub fn json(&self) -> Value {
        let mut question = json!({
            "steps": self.steps.iter().map(Selector::json).collect::<Vec<_>>(),
            "window": seconds(self.window),
            "startDate": self.range.start.json(),
            "endDate": self.range.end.json(),
            "timezone": self.range.timezone,
            "segment": self.segment,
            "strictIncrease": self.strict_increase,
            "asOf": instant(self.as_of),
        });
        if let Some((from, to)) = self.time_between {
            question["timeBetween"] = json!([from, to]);
        }
        question
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let (from, to) = self.range.span();
        let users = history.users(self.as_of);
        let members: Vec<&Vec<&Event>> = users
            .iter()
            .filter(|(user, _)| segment::member(history, user, &self.segment, from, to, self.as_of))
            .map(|(_, rows)| rows)
            .collect();
        let any_entry: Vec<Outcome> = members
            .iter()
            .map(|rows| self.outcome(rows, i64::MAX))
            .collect();
        let matured: Vec<Outcome> = members
            .iter()
            .map(|rows| self.outcome(rows, self.as_of - self.window))
            .collect();

        let last = self.steps.len();
        let reached = |outcomes: &[Outcome], k: usize| {
            outcomes.iter().filter(|o| o.depth >= k).count() as u64
        };
        let count = |k: usize| reached(&any_entry, k);
        let chains: Vec<&Vec<i64>> = any_entry.iter().filter_map(|o| o.times.as_ref()).collect();
        let between = |a: usize, b: usize| -> Vec<i64> {
            chains.iter().map(|c| c[b - 1] - c[a - 1]).collect()
        };
        let step = |k: usize| {
            json!({
                "step": k,
                "event": self.steps[k - 1].json(),
                "count": count(k),
                "rate": rate(count(k), count(1)),
                "rateFromPrevious": rate(count(k), count(k.max(2) - 1)),
                "dropped": any_entry.iter().filter(|o| o.depth == k && k < last).count(),
                "timeFromPrevious": quantiles(&if k == 1 { vec![] } else { between(k - 1, k) }),
                "timeFromEntry": quantiles(&if k == 1 { vec![] } else { between(1, k) }),
            })
        };

        let (earlier, later) = self.time_between.unwrap_or((1, last));
        let mut time_to_convert = Map::new();
        time_to_convert.insert("fromStep".to_owned(), json!(earlier));
        time_to_convert.insert("toStep".to_owned(), json!(later));
        if let Value::Object(figures) = quantiles(&between(earlier, later)) {
            time_to_convert.extend(figures);
        }
        json!({
            "steps": (1..=last).map(step).collect::<Vec<_>>(),
            "entered": count(1),
            "converted": count(last),
            "open": any_entry.iter().filter(|o| o.depth < last && o.waiting).count(),
            "rate": rate(count(last), count(1)),
            "matured": {
                "entered": reached(&matured, 1),
                "converted": reached(&matured, last),
                "rate": rate(reached(&matured, last), reached(&matured, 1)),
            },
            "timeToConvert": time_to_convert,
            "unattributedEvents": history.unattributed(self.as_of),
            "window": seconds(self.window),
            "startDate": instant(from),
            "endDate": instant(to),
            "timezone": self.range.timezone,
            "segment": self.segment,
            "asOf": instant(self.as_of),
            "preset": "exact",
            "switches": {
                "order": "ordered",
                "grace": 0,
                "strictIncrease": self.strict_increase,
                "entry": "earliest",
            },
        })
    }

    /// The best chain of one user's rows whose entry is at or before `latest`.
    fn outcome(&self, rows: &[&Event], latest: i64) -> Outcome {
        let mut outcome = Outcome::default();
        // Chains come in lexicographic order of their rows, so the first whole one is the earliest (F4).
        let (from, to) = self.range.span();
        let entries = from..to.min(latest.saturating_add(1));
        self.chains(rows, &entries, &mut Vec::new(), &mut |chain| {
            outcome.depth = outcome.depth.max(chain.len());
            if chain.len() == self.steps.len() && outcome.times.is_none() {
                outcome.times = Some(chain.iter().map(|row| rows[*row].ts).collect());
            }
            if chain.len() == 1 && rows[chain[0]].ts + self.window > self.as_of {
                outcome.waiting = true;
            }
        });
        outcome
    }

    /// Visits every chain that begins with `chain`: rows that match the steps one by one, all distinct, none before its
    /// predecessor, none later than the window after the first, the first at a time of `entries`.
    fn chains(
        &self,
        rows: &[&Event],
        entries: &std::ops::Range<i64>,
        chain: &mut Vec<usize>,
        visit: &mut impl FnMut(&[usize]),
    ) {
        if !chain.is_empty() {
            visit(chain);
        }
        let Some(step) = self.steps.get(chain.len()) else {
            return;
        };
        for row in 0..rows.len() {
            let ts = rows[row].ts;
            let follows = match (chain.first(), chain.last()) {
                (Some(entry), Some(previous)) => {
                    let before = rows[*previous].ts;
                    let after = if self.strict_increase {
                        ts > before
                    } else {
                        ts >= before
                    };
                    after && ts - rows[*entry].ts <= self.window
                }
                _ => entries.contains(&ts),
            };
            if follows && !chain.contains(&row) && step.means(&rows[row].name) {
                chain.push(row);
                self.chains(rows, entries, chain, visit);
                chain.pop();
            }
        }
    }
}
