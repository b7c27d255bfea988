//! Rows on their way into series.

use std::collections::{BTreeSet, HashMap};

use super::series::Series;
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
pub(super) fn lacking(series: &[Series], horizon: usize) -> Vec<FieldError> {
    let mut faults = Vec::new();
    for one in series {
        let last = one.times.iter().copied().max().unwrap_or(i64::MIN);
        for (name, values) in &one.regressors {
            let ahead = values
                .iter()
                .filter(|(time, value)| *time > last && value.is_finite());
            let ahead = ahead
                .map(|(time, _)| *time)
                .collect::<BTreeSet<i64>>()
                .len();
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
