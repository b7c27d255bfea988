//! The answer to a question of feedback.

use serde::Serialize;
use serde_json::Value;

use super::adapt::{Adapted, adapted};
use super::drift::{Advice, Drift};
use super::join::{Joined, Point, join};
use super::question::Feedback;
use super::run::{Actual, Measure, Run};
use super::score::{Horizon, Probabilities, Scores, by_horizon, quantile};
use crate::query::Instant;

/// What became of what was foretold under a name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackAnswer {
    /// The name.
    pub name: String,
    /// How many runs were looked at.
    pub runs: usize,
    /// When the first and the latest of them were made.
    pub made_at: Option<(Instant, Instant)>,
    /// The models that made them, in the order of their first runs.
    pub models: Vec<String>,
    /// Whether numbers or probabilities were foretold.
    pub measure: Measure,
    /// How many values foretold did not come yet.
    pub waiting: u64,
    /// How many values were told again otherwise; the last counts.
    pub restated: u64,
    /// How good it was.
    pub scores: Scores,
    /// The same by how far ahead.
    pub by_horizon: Vec<Horizon>,
    /// How good probabilities were; null where numbers were foretold.
    pub probabilities: Option<Probabilities>,
    /// Whether the world has changed.
    pub drift: Drift,
    /// Whether to train anew, and why.
    pub advice: Advice,
    /// The levels at which intervals that learn are computed.
    pub adapted: Vec<Adapted>,
    /// Every point, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<FeedbackRows>,
    /// Nothing that became known after this instant was seen.
    pub as_of: Instant,
}

/// Every point as columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackRows {
    /// When it was foretold.
    pub made_at: Vec<Instant>,
    /// By which model.
    pub model: Vec<String>,
    /// The series, the user, or the row's own id.
    pub unique_id: Vec<String>,
    /// The time; empty where none was said.
    pub ds: Vec<String>,
    /// So many periods ahead.
    pub h: Vec<usize>,
    /// What was expected.
    pub mean: Vec<f64>,
    /// The lower bound at 95 %; null where there was none.
    pub lower: Vec<Option<f64>>,
    /// The upper bound at 95 %.
    pub upper: Vec<Option<f64>>,
    /// What came.
    pub y: Vec<f64>,
    /// The features that were known, by name.
    pub features: serde_json::Map<String, Value>,
}

/// Answers a question from what was kept.
#[must_use]
pub fn answer(
    asked: &Feedback,
    runs: &[(Instant, Run)],
    actuals: &[(Instant, Vec<Actual>)],
    as_of: Instant,
) -> FeedbackAnswer {
    let joined = join(runs, actuals);
    let chosen = |p: &&Point| asked.unique_id.as_ref().is_none_or(|id| *id == p.id);
    let points: Vec<&Point> = joined.points.iter().filter(chosen).collect();
    let scores = Scores::of(&points);
    let probabilities = match joined.measure {
        Measure::Probability => Probabilities::of(&points),
        Measure::Number => None,
    };
    let profiled = |run: &&(Instant, Run)| !run.1.profile.is_empty();
    let latest = runs.iter().rfind(profiled);
    // A new version of a model begins anew.
    let same =
        |run: &&(Instant, Run)| profiled(run) && latest.is_some_and(|l| l.1.model == run.1.model);
    let profile =
        |run: Option<&(Instant, Run)>| run.map(|r| r.1.profile.clone()).unwrap_or_default();
    let (first, last) = (profile(runs.iter().find(same)), profile(latest));
    let drift = Drift::of(&points, joined.measure, (&first, &last));
    let advice = Advice::of(&drift, &scores, probabilities.as_ref());
    let mut models: Vec<String> = Vec::new();
    for (_, run) in runs {
        if !models.contains(&run.model) {
            models.push(run.model.clone());
        }
    }
    FeedbackAnswer {
        name: asked.name.clone(),
        runs: runs.len(),
        made_at: runs.first().zip(runs.last()).map(|(a, b)| (a.0, b.0)),
        models,
        measure: joined.measure,
        waiting: joined.waiting,
        restated: joined.restated,
        by_horizon: by_horizon(&points),
        probabilities,
        drift,
        advice,
        adapted: match scores.coverage.is_empty() {
            true => Vec::new(),
            false => [80.0, 95.0]
                .iter()
                .map(|l| adapted(*l, &joined.points))
                .collect(),
        },
        rows: asked.rows.then(|| rows(&joined, &points, runs)),
        scores,
        as_of,
    }
}

fn rows(joined: &Joined, points: &[&Point], runs: &[(Instant, Run)]) -> FeedbackRows {
    let mut rows = FeedbackRows::default();
    let mut names: Vec<&str> = Vec::new();
    for (_, run) in runs {
        for (name, _) in &run.features {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let mut features: Vec<Vec<Value>> = vec![Vec::with_capacity(joined.points.len()); names.len()];
    for point in points {
        let Some((made, run)) = runs.get(point.run) else {
            continue;
        };
        rows.made_at.push(*made);
        rows.model.push(run.model.clone());
        rows.unique_id.push(point.id.clone());
        rows.ds.push(point.ds.clone());
        rows.h.push(point.h);
        rows.mean.push(point.mean);
        rows.lower.push(quantile(point, 0.025));
        rows.upper.push(quantile(point, 0.975));
        rows.y.push(point.y);
        for (column, name) in features.iter_mut().zip(&names) {
            let known = run.features.iter().find(|(n, _)| n == name);
            let value = known.and_then(|(_, values)| values.get(point.row));
            column.push(value.cloned().unwrap_or(Value::Null));
        }
    }
    rows.features = names
        .into_iter()
        .map(str::to_owned)
        .zip(features.into_iter().map(Value::Array))
        .collect();
    rows
}
