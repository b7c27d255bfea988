//! Rows on their way into series.

use std::collections::{BTreeSet, HashMap};

use super::grid::Frequency;
use super::series::{Options, Series};
use crate::error::FieldError;

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

    pub(super) fn done(self) -> Vec<Series> {
        self.series
    }
}

/// What regressors lack: each needs a value for every period ahead.
pub(super) fn lacking(series: &[Series], options: &Options) -> Vec<FieldError> {
    let horizon = options.horizon;
    let mut faults = Vec::new();
    for one in series {
        if one.regressors.is_empty() {
            continue;
        }
        let seen = |time: &i64| options.as_of.is_none_or(|as_of| *time <= as_of);
        let mut known: Vec<i64> = one.times.iter().copied().filter(seen).collect();
        known.sort_unstable();
        known.dedup();
        let last = known.last().copied().unwrap_or(i64::MIN);
        let frequency = options
            .frequency
            .unwrap_or_else(|| Frequency::infer(&known, options.integers));
        // Weekdays that have no rows may be no periods, so that those of a horizon lie further apart.
        let within = match frequency {
            Frequency::Days => 7 * horizon,
            _ => horizon,
        };
        let period = |time: i64| frequency.index(time, last) - frequency.index(last, last);
        let all_week = (0..7).all(|w| {
            let weekday = |t: &i64| t.div_euclid(86_400_000_000).rem_euclid(7) == w;
            known.iter().any(weekday)
        });
        let within = if all_week { horizon } else { within };
        for (name, values) in &one.regressors {
            let ahead = values
                .iter()
                .filter(|(time, value)| *time > last && value.is_finite())
                .map(|(time, _)| period(*time))
                .filter(|n| (0..=within as i64).contains(n));
            let ahead = ahead.collect::<BTreeSet<i64>>().len();
            if ahead < horizon {
                let id = &one.id;
                faults.push(FieldError {
                    field: format!("future.{name}"),
                    code: "regressor_too_short",
                    message: format!(
                        "has values for {ahead} of the {horizon} periods after the rows of `{id}`"
                    ),
                });
            }
        }
        if faults.len() >= 20 {
            break;
        }
    }
    faults
}
