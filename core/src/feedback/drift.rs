//! Whether the world has changed: Page and Hinkley's test on errors, the stability index of features, and what follows.

use serde::Serialize;

use super::join::{Point, by_time};
use super::run::{Measure, Profile};
use super::score::{Probabilities, Scores};

/// Page and Hinkley's test for a rise (Page, 1954): the sum of how far values lie above what they were, where it was least.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageHinkley {
    /// How many times were looked at; the first third, 20 at least, says how values were.
    pub times: usize,
    /// The greatest sum since the last alarm, in shares of what raises one: 1 or more is drift.
    pub ratio: f64,
    /// The time of the latest alarm.
    pub since: Option<String>,
}

/// Values are taken to have been so long what they were at first.
const BEFORE: usize = 20;
/// Changes below a quarter of a standard deviation are none.
const SLACK: f64 = 0.25;
/// By Wald's bound a stretch without a change raises an alarm with a probability of e^(−2 · 0.25 · 12), one in 400.
const ALARM: f64 = 12.0;
/// One value counts for no more than so many standard deviations.
const MOST: f64 = 4.0;

impl PageHinkley {
    /// Of values by time.
    pub(super) fn of(values: &[(String, f64)]) -> Self {
        let before = BEFORE.max(values.len() / 3);
        let mut found = Self {
            times: values.len(),
            ..Self::default()
        };
        let Some(first) = values.get(..before).filter(|_| values.len() > before) else {
            return found;
        };
        let n = before as f64;
        let mean = first.iter().map(|(_, v)| v).sum::<f64>() / n;
        let squares = first.iter().map(|(_, v)| (v - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (n - 1.0)).sqrt();
        // The mean itself is known only to within its standard error.
        let slack = SLACK + 1.0 / n.sqrt();
        let mut sum = 0.0_f64;
        for (ds, value) in values.iter().skip(before) {
            let far = if deviation > 0.0 {
                ((value - mean) / deviation).clamp(-MOST, MOST)
            } else {
                MOST * f64::from(i8::from(*value > mean) - i8::from(*value < mean))
            };
            sum = (sum + far - slack).max(0.0);
            found.ratio = found.ratio.max(sum / ALARM);
            if sum >= ALARM {
                found.since = Some(ds.clone());
                found.ratio = sum / ALARM;
                sum = 0.0;
            }
        }
        found
    }
}

/// How far the values of a feature have moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shifted {
    /// The feature.
    pub feature: String,
    /// The population stability index: Σ (b − a) ln(b / a) over the shares of the first run's bins; below 0.1 nothing has moved, above
    /// 0.25 much has.
    pub psi: f64,
}

/// Whether the world has changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// A rise of the absolute errors, of the Brier score where probabilities were foretold.
    pub error: PageHinkley,
    /// A fall of the errors: more comes than is expected.
    pub above: PageHinkley,
    /// A rise of the errors: less comes than is expected.
    pub below: PageHinkley,
    /// How far features have moved from the first run to the latest, the farthest first.
    pub features: Vec<Shifted>,
    /// The greatest of the tests' ratios and of the indices in shares of 0.25: 1 or more is drift.
    pub ratio: f64,
}

impl Drift {
    /// Of points, and of the first and the latest profile of features.
    pub(super) fn of(
        points: &[&Point],
        measure: Measure,
        profiles: (&[Profile], &[Profile]),
    ) -> Self {
        let mut series: [Vec<(String, f64)>; 3] = Default::default();
        let groups = by_time(points);
        for (i, group) in groups.iter().enumerate() {
            let Some(first) = group.first() else {
                continue;
            };
            let label = if first.ds.is_empty() {
                format!("run {}", i + 1)
            } else {
                first.ds.clone()
            };
            let scaled = |p: &&Point| match (measure, p.scale) {
                (Measure::Number, Some(scale)) if scale > 0.0 => p.error() / scale,
                _ => p.error(),
            };
            let n = group.len() as f64;
            let mean = |f: &dyn Fn(f64) -> f64| group.iter().map(|p| f(scaled(p))).sum::<f64>() / n;
            let size = match measure {
                Measure::Number => mean(&f64::abs),
                Measure::Probability => mean(&|e| e * e),
            };
            let bias = mean(&|e| e);
            for (values, value) in series.iter_mut().zip([size, -bias, bias]) {
                values.push((label.clone(), value));
            }
        }
        let [error, above, below] = series.map(|values| PageHinkley::of(&values));
        let features = shifted(profiles);
        let farthest = features.first().map_or(0.0, |f| f.psi / 0.25);
        let ratio = error.ratio.max(above.ratio).max(below.ratio).max(farthest);
        Self {
            error,
            above,
            below,
            features,
            ratio,
        }
    }
}

fn shifted((first, latest): (&[Profile], &[Profile])) -> Vec<Shifted> {
    let mut moved: Vec<Shifted> = latest
        .iter()
        .filter_map(|now| {
            let then = first
                .iter()
                .find(|p| p.name == now.name && p.edges == now.edges)?;
            Some(Shifted {
                feature: now.name.clone(),
                psi: psi(&then.counts, &now.counts)?,
            })
        })
        .collect();
    moved.sort_by(|a, b| {
        b.psi
            .total_cmp(&a.psi)
            .then_with(|| a.feature.cmp(&b.feature))
    });
    moved
}

/// The index of two sets of counts; half a value stands in each bin beforehand, so that empty ones have a logarithm.
fn psi(then: &[u64], now: &[u64]) -> Option<f64> {
    let total = |counts: &[u64]| counts.iter().sum::<u64>();
    if then.len() != now.len() || total(then) == 0 || total(now) == 0 {
        return None;
    }
    let bins = then.len() as f64;
    let share = |count: u64, all: u64| (count as f64 + 0.5) / (all as f64 + 0.5 * bins);
    let each = then.iter().zip(now).map(|(a, b)| {
        let (a, b) = (share(*a, total(then)), share(*b, total(now)));
        (b - a) * (b / a).ln()
    });
    Some(each.sum())
}

/// Whether to train anew, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Advice {
    /// Whether to.
    pub refit: bool,
    /// Why, in sentences.
    pub reasons: Vec<String>,
}

impl Advice {
    /// What follows from drift and scores.
    pub(super) fn of(drift: &Drift, scores: &Scores, chances: Option<&Probabilities>) -> Self {
        let mut reasons = Vec::new();
        let tests = [
            (&drift.error, "errors have grown"),
            (&drift.above, "more comes than is expected"),
            (&drift.below, "less comes than is expected"),
        ];
        for (test, what) in tests {
            if let Some(since) = &test.since {
                reasons.push(format!(
                    "{what} (Page and Hinkley's test, latest alarm at {since})"
                ));
            }
        }
        for moved in drift.features.iter().filter(|f| f.psi > 0.25) {
            reasons.push(format!(
                "the values of `{}` have moved (stability index {:.2})",
                moved.feature, moved.psi
            ));
        }
        for covered in &scores.coverage {
            let held = covered.held;
            if !held.small && held.high.is_some_and(|high| high < covered.level / 100.0) {
                reasons.push(format!(
                    "intervals of {} % held {:.1} % of {}",
                    covered.level,
                    100.0 * held.value.unwrap_or_default(),
                    held.n
                ));
            }
        }
        if let Some(chances) = chances
            && !chances.came.small
            && let (Some(low), Some(high)) = (chances.came.low, chances.came.high)
            && !(low..=high).contains(&chances.mean)
        {
            reasons.push(format!(
                "{:.1} % were foretold and {:.1} % came",
                100.0 * chances.mean,
                100.0 * chances.came.value.unwrap_or_default()
            ));
        }
        Self {
            refit: !reasons.is_empty(),
            reasons,
        }
    }
}
