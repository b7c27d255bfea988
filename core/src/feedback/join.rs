//! What was foretold beside what came.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::run::{Actual, Measure, Run};
use crate::query::Instant;

/// Something foretold that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The place of its run.
    pub run: usize,
    /// The series.
    pub id: String,
    /// The place of its series in the run.
    pub row: usize,
    /// The time.
    pub ds: String,
    /// So many periods ahead, from 1.
    pub h: usize,
    /// What was expected.
    pub mean: f64,
    /// The probabilities of its quantiles, ascending.
    pub grid: Arc<[f64]>,
    /// The quantiles; empty where there were none.
    pub quantiles: Vec<f64>,
    /// By what errors are scaled.
    pub scale: Option<f64>,
    /// What came.
    pub y: f64,
}

impl Point {
    /// What was expected less what came.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.mean - self.y
    }
}

/// All that was foretold and came, in the order of times, then of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Joined {
    /// Those that came.
    pub points: Vec<Point>,
    /// How many did not come yet.
    pub waiting: u64,
    /// How many values were told again otherwise.
    pub restated: u64,
    /// Whether probabilities were foretold.
    pub measure: Measure,
}

/// Joins runs, the earliest first, with what came, in the order in which it became known. The last value of a time counts. What was
/// foretold without a time is joined with the first value without a time that became known since.
#[must_use]
pub fn join(runs: &[(Instant, Run)], actuals: &[(Instant, Vec<Actual>)]) -> Joined {
    let mut dated: HashMap<(&str, &str), f64> = HashMap::new();
    let mut undated: HashMap<&str, Vec<(Instant, f64)>> = HashMap::new();
    let mut joined = Joined::default();
    for (known, values) in actuals {
        for actual in values {
            if actual.ds.is_empty() {
                undated
                    .entry(&actual.id)
                    .or_default()
                    .push((*known, actual.y));
                continue;
            }
            let before = dated.insert((&actual.id, &actual.ds), actual.y);
            joined.restated += u64::from(before.is_some_and(|b| b != actual.y));
        }
    }
    for (place, (made, run)) in runs.iter().enumerate() {
        joined.measure = run.measure;
        let grid: Arc<[f64]> = run.grid.as_slice().into();
        for (row, fan) in run.series.iter().enumerate() {
            for (h, (ds, mean)) in fan.ds.iter().zip(&fan.mean).enumerate() {
                let Some(mean) = mean else {
                    continue;
                };
                let since = || {
                    let told = undated.get(fan.id.as_str())?.iter();
                    told.clone()
                        .find(|(known, _)| known >= made)
                        .map(|(_, y)| *y)
                };
                let came = match ds.as_str() {
                    "" => since(),
                    ds => dated.get(&(fan.id.as_str(), ds)).copied(),
                };
                let Some(y) = came else {
                    joined.waiting += 1;
                    continue;
                };
                let fan_at = fan.quantiles.get(h).map(|q| q.iter().copied().collect());
                let quantiles: Option<Option<Vec<f64>>> = fan_at;
                joined.points.push(Point {
                    run: place,
                    id: fan.id.clone(),
                    row,
                    ds: ds.clone(),
                    h: h + 1,
                    mean: *mean,
                    grid: Arc::clone(&grid),
                    quantiles: quantiles.flatten().unwrap_or_default(),
                    scale: fan.scale,
                    y,
                });
            }
        }
    }
    joined.points.sort_by(|a, b| {
        time(&a.ds)
            .cmp(&time(&b.ds))
            .then(a.run.cmp(&b.run))
            .then(a.id.cmp(&b.id))
    });
    joined
}

/// The order of times: numbers as numbers, dates as text.
fn time(ds: &str) -> (i64, &str) {
    (ds.parse().unwrap_or_default(), ds)
}

/// The points of each time together, in the order of times; those without a time by their run.
pub(super) fn by_time<'a>(points: &[&'a Point]) -> Vec<Vec<&'a Point>> {
    let mut groups: BTreeMap<(i64, &str, usize), Vec<&Point>> = BTreeMap::new();
    for point in points {
        let (number, text) = time(&point.ds);
        let run = if text.is_empty() { point.run } else { 0 };
        groups.entry((number, text, run)).or_default().push(point);
    }
    groups.into_values().collect()
}
