//! How good it was.

use std::collections::BTreeMap;

use serde::Serialize;

use super::join::Point;
use crate::query::Rate;

/// How often an interval held what came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Covered {
    /// The level of the central interval in percent.
    pub level: f64,
    /// How many of those that had one it held.
    pub held: Rate,
}

/// How good what was foretold was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scores {
    /// How many points were compared.
    pub n: u64,
    /// The mean error, forecast less value: above 0, too much was expected.
    pub bias: Option<f64>,
    /// The mean absolute error.
    pub mae: Option<f64>,
    /// The sum of absolute errors in shares of the sum of absolute values that came.
    pub wape: Option<f64>,
    /// The mean absolute error in units of the mean change of the history from one period to the next.
    pub mase: Option<f64>,
    /// The mean pinball loss over the quantiles that were kept.
    pub pinball: Option<f64>,
    /// How often intervals held what came.
    pub coverage: Vec<Covered>,
}

/// The scores so many periods ahead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Horizon {
    /// How many periods ahead.
    pub h: usize,
    /// How good it was there.
    #[serde(flatten)]
    pub scores: Scores,
}

/// How good probabilities were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probabilities {
    /// How often it came, and of how many.
    pub came: Rate,
    /// The mean of what was foretold.
    pub mean: f64,
    /// The mean squared error (Brier, 1950).
    pub brier: f64,
    /// The mean of −ln of the probability given to what came.
    pub log_loss: f64,
    /// The mean distance of what was foretold and what came, over tenths of equally many.
    pub calibration_error: f64,
    /// The share of pairs, one where it came and one where it did not, in which the first had the higher probability.
    pub auc: Option<f64>,
}

/// The levels whose coverage is told.
const LEVELS: [f64; 3] = [50.0, 80.0, 95.0];

/// So far apart quantiles may be for what lies between them to be taken from a straight line.
const APART: f64 = 0.25;

/// The quantile `p` of a point, where it was kept or lies between close ones that were.
pub(super) fn quantile(point: &Point, p: f64) -> Option<f64> {
    // 1 − (1 − p) is not quite p.
    const NEAR: f64 = 1e-9;
    let grid = &point.grid;
    let above = grid.partition_point(|known| *known < p - NEAR);
    let (p1, q1) = (*grid.get(above)?, *point.quantiles.get(above)?);
    if p1 - p <= NEAR {
        return Some(q1);
    }
    let below = above.checked_sub(1)?;
    let (p0, q0) = (*grid.get(below)?, *point.quantiles.get(below)?);
    (p1 - p0 <= APART + NEAR).then(|| q0 + (p - p0) / (p1 - p0) * (q1 - q0))
}

/// Whether the central interval of a level in percent held what came.
pub(super) fn held(point: &Point, level: f64) -> Option<bool> {
    let tail = (1.0 - level / 100.0) / 2.0;
    let (low, high) = (quantile(point, tail)?, quantile(point, 1.0 - tail)?);
    Some(low <= point.y && point.y <= high)
}

fn pinball(point: &Point) -> Option<f64> {
    if point.quantiles.is_empty() || point.quantiles.len() != point.grid.len() {
        return None;
    }
    let each = point.grid.iter().zip(&point.quantiles).map(|(p, q)| {
        let over = point.y - q;
        if over >= 0.0 {
            p * over
        } else {
            (p - 1.0) * over
        }
    });
    Some(each.sum::<f64>() / point.grid.len() as f64)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u64), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f64)
}

impl Scores {
    /// Of these points.
    pub(super) fn of(points: &[&Point]) -> Self {
        let errors = || points.iter().map(|p| p.error());
        let total: f64 = points.iter().map(|p| p.y.abs()).sum();
        let misses: f64 = errors().map(f64::abs).sum();
        let scaled = points.iter().filter_map(|p| {
            let scale = p.scale.filter(|s| *s > 0.0)?;
            Some(p.error().abs() / scale)
        });
        let covered = |level: f64| {
            let told: Vec<bool> = points.iter().filter_map(|p| held(p, level)).collect();
            let k = told.iter().filter(|held| **held).count() as u64;
            (!told.is_empty()).then(|| Covered {
                level,
                held: Rate::of(k, told.len() as u64),
            })
        };
        Self {
            n: points.len() as u64,
            bias: mean(errors()),
            mae: mean(errors().map(f64::abs)),
            wape: (total > 0.0).then(|| misses / total),
            mase: mean(scaled),
            pinball: mean(points.iter().filter_map(|p| pinball(p))),
            coverage: LEVELS.into_iter().filter_map(covered).collect(),
        }
    }
}

/// The scores of each horizon.
pub(super) fn by_horizon(points: &[&Point]) -> Vec<Horizon> {
    let mut groups: BTreeMap<usize, Vec<&Point>> = BTreeMap::new();
    for point in points {
        groups.entry(point.h).or_default().push(point);
    }
    let each = groups.into_iter().map(|(h, points)| Horizon {
        h,
        scores: Scores::of(&points),
    });
    each.collect()
}

impl Probabilities {
    /// Of these points; none where there are none.
    pub(super) fn of(points: &[&Point]) -> Option<Self> {
        let mut pairs: Vec<(f64, bool)> = points.iter().map(|p| (p.mean, p.y >= 0.5)).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let n = pairs.len();
        let truth = |came: bool| f64::from(u8::from(came));
        let k = pairs.iter().filter(|(_, came)| *came).count() as u64;
        let brier = mean(pairs.iter().map(|(p, came)| (p - truth(*came)).powi(2)))?;
        let log_loss = mean(pairs.iter().map(|(p, came)| {
            let own = if *came { *p } else { 1.0 - p };
            -own.max(1e-15).ln()
        }))?;
        // Equal probabilities share what came of them, whichever tenths they lie in.
        let shared: Vec<(f64, f64)> = pairs
            .chunk_by(|a, b| a.0 == b.0)
            .flat_map(|equal| {
                let came: f64 = equal.iter().map(|(_, came)| truth(*came)).sum();
                let share = came / equal.len() as f64;
                equal.iter().map(move |(p, _)| (*p, share))
            })
            .collect();
        let tenths = shared
            .chunks(n.div_ceil(10).max(1))
            .map(|tenth| tenth.iter().map(|(p, came)| p - came).sum::<f64>().abs());
        Some(Self {
            came: Rate::of(k, n as u64),
            mean: mean(pairs.iter().map(|(p, _)| *p))?,
            brier,
            log_loss,
            calibration_error: tenths.sum::<f64>() / n as f64,
            auc: auc(&pairs),
        })
    }
}

/// The area under the curve of pairs in ascending order; equal probabilities count half.
fn auc(pairs: &[(f64, bool)]) -> Option<f64> {
    let (mut below, mut won, mut positives) = (0.0, 0.0, 0.0);
    for equal in pairs.chunk_by(|a, b| a.0 == b.0) {
        let yes = equal.iter().filter(|(_, came)| *came).count() as f64;
        let no = equal.len() as f64 - yes;
        won += yes * (below + no / 2.0);
        below += no;
        positives += yes;
    }
    (below > 0.0 && positives > 0.0).then(|| won / (below * positives))
}
