//! What is kept of something foretold.

use serde::{Deserialize, Serialize};

/// The probabilities whose quantiles are kept of our own forecasts.
pub const GRID: [f64; 13] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995,
];

/// What was foretold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A number.
    #[default]
    Number,
    /// The probability of something that is told as 1 where it came, else as 0.
    Probability,
}

/// What was foretold of one series or row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fan {
    /// The series, the user, or the row's own id.
    pub id: String,
    /// The times, as dates or numbers; one empty text where no time was said.
    pub ds: Vec<String>,
    /// What was expected; null where nothing was.
    pub mean: Vec<Option<f64>>,
    /// The quantiles of the run's grid at each time; empty where there were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Vec<Option<f64>>>,
    /// By what errors are scaled: the mean change of the history from one period to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
}

/// How the values of a feature were spread: edges between bins, and how many values fell into each, the missing last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The feature.
    pub name: String,
    /// The edges, ascending; those of the first run of a name and model are kept by all after it.
    pub edges: Vec<f64>,
    /// One more than edges, and one for what is missing.
    pub counts: Vec<u64>,
}

/// Something foretold, with what it knew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The word that was asked.
    pub word: String,
    /// The model and its version.
    pub model: String,
    /// The hash of the data it saw.
    pub data: String,
    /// What was foretold.
    pub measure: Measure,
    /// The probabilities of the quantiles, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grid: Vec<f64>,
    /// What was foretold, series by series.
    pub series: Vec<Fan>,
    /// How features were spread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<Profile>,
    /// The features themselves by name, row by row, so that a model can be trained on what came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<(String, Vec<serde_json::Value>)>,
}

impl Run {
    /// Takes away what was foretold of these series, with their features; whether there was any.
    pub fn forget(&mut self, ids: &std::collections::HashSet<&str>) -> bool {
        let kept: Vec<bool> = self
            .series
            .iter()
            .map(|fan| !ids.contains(fan.id.as_str()))
            .collect();
        if kept.iter().all(|kept| *kept) {
            return false;
        }
        let mut each = kept.iter();
        self.series.retain(|_| each.next().copied().unwrap_or(true));
        for (_, values) in &mut self.features {
            let mut each = kept.iter();
            values.retain(|_| each.next().copied().unwrap_or(true));
        }
        true
    }
}

/// Something that came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Actual {
    /// The series, the user, or the row's own id.
    pub id: String,
    /// When; empty where no time was said.
    pub ds: String,
    /// What came.
    pub y: f64,
}

/// How values are spread, within the edges of an earlier profile where there is one, else within deciles of their own.
pub fn profile(name: &str, values: &[f64], before: Option<&Profile>) -> Profile {
    let edges = match before {
        Some(before) => before.edges.clone(),
        None => deciles(values),
    };
    let mut counts = vec![0_u64; edges.len() + 2];
    for value in values {
        let bin = if value.is_nan() {
            edges.len() + 1
        } else {
            edges.partition_point(|edge| edge < value)
        };
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    Profile {
        name: name.to_owned(),
        edges,
        counts,
    }
}

/// By what errors of a series are scaled: the mean change from one value to the next; none without a change.
pub fn scale(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    let steps = values.windows(2).map(|pair| match pair {
        [a, b] => (b - a).abs(),
        _ => 0.0,
    });
    let n = values.len().saturating_sub(1);
    let mean = steps.sum::<f64>() / n as f64;
    (n > 0 && mean > 0.0).then_some(mean)
}

fn deciles(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at =
        |tenth: usize| sorted.get((sorted.len() * tenth / 10).min(sorted.len().saturating_sub(1)));
    let mut edges: Vec<f64> = (1..10).filter_map(|t| at(t).copied()).collect();
    edges.dedup();
    edges
}
