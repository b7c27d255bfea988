//! Rows on their way into series.

use std::collections::{HashMap, HashSet};

use super::form::Clock;
use super::grid::Frequency;
use super::lay::lay;
use super::series::{Options, Series};
use crate::error::FieldError;

const DAY: i64 = 86_400_000_000;

/// Series, in the order of their first rows.
#[derive(Debug, Default)]
pub(super) struct Rows {
    series: Vec<Series>,
    places: HashMap<String, usize>,
    last: usize,
    names: Vec<String>,
}

impl Rows {
    /// None yet, each with the regressors of these names.
    pub(super) fn new(names: &[String]) -> Self {
        Self {
            names: names.to_vec(),
            ..Self::default()
        }
    }

    /// Takes in a row with the values of its regressors.
    pub(super) fn push(
        &mut self,
        id: &str,
        time: i64,
        value: f64,
        more: impl Iterator<Item = f64>,
    ) {
        if self.series.get(self.last).is_none_or(|s| s.id != id) {
            self.last = match self.places.get(id) {
                Some(place) => *place,
                None => self.add(id),
            };
        }
        if let Some(series) = self.series.get_mut(self.last) {
            series.times.push(time);
            series.values.push(value);
            for ((_, known), value) in series.regressors.iter_mut().zip(more) {
                known.push((time, value));
            }
        }
    }

    /// Takes in what regressors will be; of a series without rows nothing is foretold.
    pub(super) fn ahead(&mut self, id: &str, time: i64, more: impl Iterator<Item = f64>) {
        let place = self.places.get(id);
        if let Some(series) = place.and_then(|place| self.series.get_mut(*place)) {
            for ((_, known), value) in series.regressors.iter_mut().zip(more) {
                known.push((time, value));
            }
        }
    }

    fn add(&mut self, id: &str) -> usize {
        let place = self.series.len();
        let regressors = self.names.iter().map(|n| (n.clone(), Vec::new()));
        self.series.push(Series {
            id: id.to_owned(),
            regressors: regressors.collect(),
            ..Series::default()
        });
        self.places.insert(id.to_owned(), place);
        place
    }

    /// The clock that instants are read by: a zone's for days and longer periods; for shorter ones the offset that the zone has at
    /// the last of them, so that an hour that a clock shows twice is two, and one that it leaves out is none.
    pub(super) fn settle(&self, clock: &Clock, asked: Option<Frequency>) -> Clock {
        let Clock::Zone(_) = clock else {
            return clock.clone();
        };
        let short = |frequency| matches!(frequency, Frequency::Steps(step) if step < DAY);
        let inferred = |series: &Series| {
            let mut times: Vec<i64> = series.times.iter().map(|t| clock.civil(*t)).collect();
            times.sort_unstable();
            times.dedup();
            Frequency::infer(&times, false)
        };
        let hours = asked.map_or_else(|| self.series.iter().any(|s| short(inferred(s))), short);
        let last = self.series.iter().flat_map(|s| &s.times).max();
        match last {
            Some(last) if hours => Clock::Offset(clock.civil(*last) - last),
            _ => clock.clone(),
        }
    }

    /// Moves every time.
    pub(super) fn each_time(&mut self, to: impl Fn(i64) -> i64) {
        for series in &mut self.series {
            series.times.iter_mut().for_each(|time| *time = to(*time));
            let known = series.regressors.iter_mut().flat_map(|r| &mut r.1);
            known.for_each(|(time, _)| *time = to(*time));
        }
    }

    pub(super) fn done(self) -> Vec<Series> {
        self.series
    }
}

/// What regressors lack: each needs one value for every period ahead.
pub(super) fn lacking(series: &[Series], options: &Options) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let horizon = options.horizon;
    for one in series.iter().filter(|s| !s.regressors.is_empty()) {
        let laid = lay(one, options);
        let anchor = laid.ahead.first().copied().unwrap_or_default();
        let period = |time: i64| laid.grid.frequency.index(time, anchor);
        let wanted: HashSet<i64> = laid.ahead.iter().map(|t| period(*t)).collect();
        for (name, values) in &one.regressors {
            let known = values.iter().filter(|(_, value)| value.is_finite());
            let known: Vec<i64> = known
                .map(|(time, _)| period(*time))
                .filter(|t| wanted.contains(t))
                .collect();
            let told: HashSet<i64> = known.iter().copied().collect();
            let mut fault = |code, message| {
                faults.push(FieldError {
                    field: format!("future.{name}"),
                    code,
                    message,
                });
            };
            let (id, count) = (&one.id, told.len());
            if count < horizon {
                fault(
                    "regressor_too_short",
                    format!(
                        "has values for {count} of the {horizon} periods after the rows of `{id}`"
                    ),
                );
            } else if count < known.len() {
                fault(
                    "duplicate",
                    format!("must have one value for each of the periods after the rows of `{id}`"),
                );
            }
        }
        if faults.len() >= 20 {
            break;
        }
    }
    faults
}
