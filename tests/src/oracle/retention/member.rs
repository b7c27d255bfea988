//! A user of a cohort: the starts, and every return after each of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::condition::{Condition, meets};
use super::super::{Event, History};
use super::asked::{Asked, Cohort};

/// A user of a cohort.
#[derive(Debug)]
pub(super) struct Member<'h> {
    pub(super) user: &'h str,
    rows: Vec<&'h Event>,
    cohort: Cohort,
    /// The times at which clocks start.
    starts: Vec<i64>,
    /// What the breakdown's property says of the first start.
    pub(super) group: Option<Value>,
    /// The periods and places of the returns.
    pub(super) returns: BTreeSet<(i64, usize)>,
}

impl<'h> Member<'h> {
    /// A user in the cohort of a period, if ever (R1).
    pub(super) fn of(
        asked: &Asked,
        history: &History,
        rows: &[&'h Event],
        cohort: Cohort,
    ) -> Option<Self> {
        let (from, to) = asked.range.span();
        let here = |row: &usize| {
            (from..to).contains(&rows[*row].ts) && asked.cohort_of(rows[*row].ts) == cohort
        };
        let seen = |row: &usize| meets(&asked.filters, history, rows[*row], asked.as_of);
        let means = |condition: &Condition, row: &usize| {
            seen(row) && condition.means(history, rows[*row], asked.as_of)
        };
        let all: Vec<usize> = (0..rows.len())
            .filter(|row| means(&asked.start, row))
            .collect();
        let named = (0..rows.len())
            .filter(seen)
            .find(|row| asked.start.event.means(&rows[*row].name));
        let clocks: Vec<usize> = match asked.mode.as_str() {
            "first_time" => all.first().copied().filter(here).into_iter().collect(),
            "first_ever_then_filter" => named
                .filter(|row| all.contains(row))
                .filter(here)
                .into_iter()
                .collect(),
            _ if asked.unit == "calendar" => all.iter().copied().find(here).into_iter().collect(),
            _ => all.iter().copied().filter(here).collect(),
        };
        // Of several starts at one time, one that is no return is the start; else the first (R2).
        let start_of = |clock: usize| {
            let mut tied = all
                .iter()
                .copied()
                .filter(|row| rows[*row].ts == rows[clock].ts);
            if asked.mode == "first_ever_then_filter" {
                return clock;
            }
            let first = tied.clone().next().expect("a clock is a start");
            tied.find(|row| !means(&asked.returning, row))
                .unwrap_or(first)
        };
        let starts: Vec<usize> = clocks.into_iter().map(start_of).collect();
        let says = |property: &super::super::condition::Property, row: usize| {
            property.of(history, rows[row], asked.as_of)
        };
        let mut returns = BTreeSet::new();
        for start in &starts {
            for (back, row) in rows.iter().enumerate() {
                let held = asked.hold.as_ref().is_none_or(|property| {
                    says(property, back).is_some() && says(property, back) == says(property, *start)
                });
                let after = row.ts >= rows[*start].ts && back != *start;
                if after && held && means(&asked.returning, &back) {
                    let n = asked.period(rows[*start].ts, row.ts);
                    if n >= 0 {
                        returns.insert((n, back));
                    }
                }
            }
        }
        let mut in_period: BTreeMap<i64, usize> = BTreeMap::new();
        for (n, _) in &returns {
            *in_period.entry(*n).or_default() += 1;
        }
        returns.retain(|(n, _)| in_period[n] >= asked.minimum);
        let first = *starts.first()?;
        let group = asked.breakdown.as_ref();
        Some(Self {
            user: rows[first].user.as_deref().expect("a user"),
            cohort,
            starts: starts.iter().map(|row| rows[*row].ts).collect(),
            group: group.and_then(|(property, _)| says(property, first)),
            returns,
            rows: rows.to_vec(),
        })
    }

    /// Whether a column's last period counts for the user (R7).
    pub(super) fn eligible(&self, asked: &Asked, last: u32) -> bool {
        let mut starts = self.starts.iter();
        asked.maturity == "ignored" || starts.all(|start| asked.elapsed(*start, self.cohort, last))
    }

    /// The return events that a column counts; nothing where the user does not count in it (R6).
    pub(super) fn counts(&self, asked: &Asked, column: u32) -> Option<Vec<&'h Event>> {
        let n = i64::from(column);
        let rows = |within: &dyn Fn(i64) -> bool| -> BTreeSet<usize> {
            let returns = self.returns.iter();
            returns.filter(|r| within(r.0)).map(|r| r.1).collect()
        };
        let counted = match asked.criterion.as_str() {
            "on" => rows(&|p| p == n),
            "on_or_after" => rows(&|p| p >= n),
            "on_or_before" => rows(&|p| p <= n),
            "streak" => {
                let whole = (1..=n).all(|k| !rows(&|p| p == k).is_empty());
                if whole {
                    rows(&|p| p == n)
                } else {
                    BTreeSet::new()
                }
            }
            _ => {
                let (first, end) = asked.brackets[column as usize];
                rows(&|p| (i64::from(first)..i64::from(end)).contains(&p))
            }
        };
        let events: Vec<&Event> = counted.into_iter().map(|row| self.rows[row]).collect();
        (!events.is_empty()).then_some(events)
    }
}
