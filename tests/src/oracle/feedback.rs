//! Feedback by its definition: each value foretold beside the one that came, looked for among all that was told.

use serde_json::{Value, json};

/// A question of feedback.
#[derive(Clone, Debug)]
pub struct Feedback {
    name: String,
    series: Option<String>,
}

/// Something foretold that came.
#[derive(Clone, Debug)]
struct Point {
    id: String,
    ahead: usize,
    mean: f64,
    bounds: Option<(f64, f64)>,
    level: f64,
    y: f64,
}

fn at(run: &Value, column: &str, row: usize) -> Option<Value> {
    run.get(column)?.get(row).cloned()
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        other => other.as_f64().expect("a number"),
    }
}

fn mean(values: &[f64]) -> Value {
    if values.is_empty() {
        return Value::Null;
    }
    json!(values.iter().sum::<f64>() / values.len() as f64)
}

impl Feedback {
    /// Reads a question.
    pub fn read(question: &Value) -> Self {
        Self {
            name: text(question.get("name").cloned()),
            series: question
                .get("uniqueId")
                .and_then(Value::as_str)
                .map(str::to_owned),
        }
    }

    /// What became of predictions, all of them made before anything came.
    pub fn answer(&self, predictions: &[Value], actuals: &[Value]) -> Value {
        let mine = |told: &&Value| text(told.get("name").cloned()) == self.name;
        let mut came: Vec<(String, String, f64)> = Vec::new();
        let mut restated = 0;
        for told in actuals.iter().filter(mine) {
            for (row, y) in told["y"].as_array().expect("values").iter().enumerate() {
                let (id, ds) = (text(at(told, "uniqueId", row)), text(at(told, "ds", row)));
                let y = number(y);
                let known = came.iter().rev().find(|c| c.0 == id && c.1 == ds);
                restated += u64::from(known.is_some_and(|known| known.2 != y));
                came.push((id, ds, y));
            }
        }
        let (mut points, mut waiting, mut probability) = (Vec::new(), 0, false);
        let runs: Vec<&Value> = predictions.iter().filter(mine).collect();
        let mut models: Vec<&Value> = runs.iter().map(|run| &run["model"]).collect();
        models.dedup();
        for run in &runs {
            probability |= run.get("measure") == Some(&json!("probability"));
            let means = run["mean"].as_array().expect("means");
            for (row, expected) in means.iter().enumerate() {
                let id = text(at(run, "uniqueId", row));
                let earlier = (0..row).filter(|r| text(at(run, "uniqueId", *r)) == id);
                let ds = text(at(run, "ds", row));
                // The last value told of a time counts.
                let Some((.., y)) = came.iter().rev().find(|c| c.0 == id && c.1 == ds) else {
                    waiting += 1;
                    continue;
                };
                let bound = |side| at(run, side, row).map(|v| number(&v));
                points.push(Point {
                    ahead: earlier.count() + 1,
                    id,
                    mean: number(expected),
                    bounds: bound("lower").zip(bound("upper")),
                    level: run.get("level").map_or(95.0, number),
                    y: *y,
                });
            }
        }
        points.retain(|p| self.series.as_ref().is_none_or(|id| *id == p.id));
        let furthest = points.iter().map(|p| p.ahead).max().unwrap_or(0);
        let by_horizon: Vec<Value> = (1..=furthest)
            .map(|h| {
                let there: Vec<Point> = points.iter().filter(|p| p.ahead == h).cloned().collect();
                let mut scores = scores(&there);
                scores["h"] = json!(h);
                scores
            })
            .filter(|scores| scores["n"] != json!(0))
            .collect();
        json!({
            "name": self.name,
            "runs": runs.len(),
            "models": models,
            "measure": if probability { "probability" } else { "number" },
            "waiting": waiting,
            "restated": restated,
            "scores": scores(&points),
            "byHorizon": by_horizon,
            "probabilities": if probability { chances(&points) } else { Value::Null },
        })
    }
}

fn scores(points: &[Point]) -> Value {
    let errors: Vec<f64> = points.iter().map(|p| p.mean - p.y).collect();
    let misses: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
    let total: f64 = points.iter().map(|p| p.y.abs()).sum();
    let mut coverage = Vec::new();
    for level in [50.0, 80.0, 95.0] {
        let told = points.iter().filter(|p| p.level == level);
        let bounds: Vec<bool> = told
            .filter_map(|p| p.bounds.map(|(low, high)| low <= p.y && p.y <= high))
            .collect();
        if !bounds.is_empty() {
            let k = bounds.iter().filter(|held| **held).count();
            coverage.push(json!({"level": level, "held": {"k": k, "n": bounds.len()}}));
        }
    }
    json!({
        "n": points.len(),
        "bias": mean(&errors),
        "mae": mean(&misses),
        "wape": if total > 0.0 { json!(misses.iter().sum::<f64>() / total) } else { Value::Null },
        "coverage": coverage,
    })
}

fn chances(points: &[Point]) -> Value {
    let squares: Vec<f64> = points.iter().map(|p| (p.mean - p.y).powi(2)).collect();
    let said: Vec<f64> = points.iter().map(|p| p.mean).collect();
    let (mut pairs, mut won) = (0.0, 0.0);
    for yes in points.iter().filter(|p| p.y == 1.0) {
        for no in points.iter().filter(|p| p.y == 0.0) {
            pairs += 1.0;
            if yes.mean > no.mean {
                won += 1.0;
            } else if yes.mean == no.mean {
                won += 0.5;
            }
        }
    }
    let came = points.iter().filter(|p| p.y == 1.0).count();
    json!({
        "came": {"k": came, "n": points.len()},
        "brier": mean(&squares),
        "mean": mean(&said),
        "auc": if pairs > 0.0 { json!(won / pairs) } else { Value::Null },
    })
}
