//! Adaptive conformal inference (Gibbs and Candès, 2021): intervals that held less than they say become wider, and the other way.

use serde::Serialize;

use super::join::{Point, by_time};
use super::score::held;

/// A level that has learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Adapted {
    /// The level that intervals are to hold, in percent.
    pub level: f64,
    /// The level at which they are computed, so that they do.
    pub used: f64,
    /// How many times it has learned from.
    pub times: usize,
}

/// How far one time moves the share that may be missed.
const STEP: f64 = 0.03;

/// The level at which intervals are to be computed after these points.
///
/// The share that may be missed, α, moves by 0.03 (α* − missed) with each time, where α* is what the level says, and missed the share
/// of the points of that time that the interval of 1 − α did not hold. It stays within what the kept quantiles tell.
#[must_use]
pub fn adapted(level: f64, points: &[Point]) -> Adapted {
    let all: Vec<&Point> = points.iter().collect();
    let target = 1.0 - level / 100.0;
    let (least, most) = (0.01_f64.min(target), (target * 4.0).clamp(target, 0.99));
    let mut alpha = target;
    let mut times = 0;
    for group in by_time(&all) {
        let told: Vec<bool> = group
            .iter()
            .filter_map(|point| held(point, 100.0 * (1.0 - alpha)))
            .collect();
        if told.is_empty() {
            continue;
        }
        let missed = told.iter().filter(|held| !**held).count() as f64 / told.len() as f64;
        alpha = (alpha + STEP * (target - missed)).clamp(least, most);
        times += 1;
    }
    Adapted {
        level,
        used: 100.0 * (1.0 - alpha),
        times,
    }
}
