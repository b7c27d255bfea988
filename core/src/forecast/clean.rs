//! What a series is freed from before a model sees it: past outliers, and steps of its level.

use super::model::season::{has_season, indices};

/// Values further from their surroundings than this many robust deviations are drawn in.
const FAR: f64 = 6.0;

/// A step of the level: between which values, and how large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shift {
    /// The first value of the new level.
    pub(crate) at: usize,
    /// The new level less the old.
    pub(crate) size: f64,
}

/// The median of values; 0 for none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let (middle, even) = (values.len() / 2, values.len().is_multiple_of(2));
    if values.is_empty() {
        return 0.0;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if even {
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        f64::midpoint(lower, upper)
    } else {
        upper
    }
}

/// A robust standard deviation: 1.4826 times the median distance from the median.
fn spread(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    let middle = median(&mut sorted);
    for v in &mut sorted {
        *v = (*v - middle).abs();
    }
    1.4826 * median(&mut sorted)
}

/// The series without its season, and the season that was taken.
fn plain(y: &[f64], m: usize) -> (Vec<f64>, Vec<f64>) {
    let season = if has_season(y, m) {
        indices(y, m, false).unwrap_or_default()
    } else {
        Vec::new()
    };
    let mut plain = y.to_vec();
    for (y, s) in plain.iter_mut().zip(season.iter().cycle()) {
        *y -= s;
    }
    (plain, season)
}

/// Draws past outliers in to the border of what is usual around them, and says which values moved. The last season is left
/// alone: what is an outlier and what a new level only the future tells.
pub(crate) fn damp(y: &mut [f64], m: usize) -> Vec<usize> {
    let keep = m.clamp(3, 12);
    let n = y.len();
    if n < 4 * keep.min(6) {
        return Vec::new();
    }
    let (plain, _) = plain(y, m);
    let reach = keep.max(4);
    let mut window = Vec::with_capacity(2 * reach + 1);
    let around: Vec<f64> = (0..n)
        .map(|t| {
            let near = plain.get(t.saturating_sub(reach)..(t + reach + 1).min(n));
            window.clear();
            window.extend_from_slice(near.unwrap_or_default());
            median(&mut window)
        })
        .collect();
    let off: Vec<f64> = plain.iter().zip(&around).map(|(y, a)| y - a).collect();
    let far = FAR * spread(&off);
    if far <= 0.0 {
        return Vec::new();
    }
    let mut moved = Vec::new();
    let past = n - keep;
    for (t, (y, off)) in y.iter_mut().zip(&off).enumerate().take(past) {
        if off.abs() > far {
            *y -= off - far.copysign(*off);
            moved.push(t);
        }
    }
    moved
}

/// The steps of a level, by PELT (Killick, Fearnhead and Eckley 2012) with a squared cost and three times the penalty of BIC,
/// on the series without season and trend. A segment holds two seasons and eight values at least; a step counts where it is
/// sudden and more than eight robust deviations high. Steps are told, not taken out: on the series of M1 and the aggregated
/// series of M4, whose level the models follow themselves, taking them out made the forecasts no better.
pub(crate) fn shifts(y: &[f64], m: usize) -> Vec<Shift> {
    let n = y.len();
    let least = (2 * m).max(8);
    if n < 2 * least {
        return Vec::new();
    }
    let (mut plain, _) = plain(y, m);
    let mut steps: Vec<f64> = plain
        .windows(2)
        .filter_map(|w| Some(w.last()? - w.first()?))
        .collect();
    let noise = spread(&steps) / std::f64::consts::SQRT_2;
    let slope = median(&mut steps);
    if noise <= 0.0 {
        return Vec::new();
    }
    for (t, y) in plain.iter_mut().enumerate() {
        *y -= slope * t as f64;
    }
    let cuts = pelt(&plain, least, 3.0 * noise * noise * (n as f64).ln());
    let mean = |values: Option<&[f64]>| {
        let values = values.unwrap_or_default();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    let sudden = |at: usize| {
        // The step itself lies within a few values of where the segments meet best.
        let before = mean(plain.get(at.saturating_sub(least)..at));
        let after = mean(plain.get(at..(at + least).min(n)));
        let size = after - before;
        let jump = mean(plain.get(at..(at + 2).min(n))) - mean(plain.get(at.saturating_sub(2)..at));
        let high = size.abs() > 8.0 * noise && jump * size > 0.0 && jump.abs() > 0.8 * size.abs();
        high.then_some(Shift { at, size })
    };
    cuts.into_iter().filter_map(sudden).collect()
}

/// The cuts of a series into segments of constant mean.
#[allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "a numerical kernel: all places are at most n, and the arrays have n + 1 entries"
)]
pub(crate) fn pelt(y: &[f64], least: usize, penalty: f64) -> Vec<usize> {
    let n = y.len();
    let (mut sum, mut squares) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    for (t, y) in y.iter().enumerate() {
        sum[t + 1] = sum[t] + y;
        squares[t + 1] = squares[t] + y * y;
    }
    let cost = |from: usize, to: usize| {
        let s = sum[to] - sum[from];
        squares[to] - squares[from] - s * s / (to - from) as f64
    };
    let mut best = vec![f64::INFINITY; n + 1];
    let mut cut = vec![0; n + 1];
    best[0] = -penalty;
    let mut open: Vec<usize> = vec![0];
    for to in least..=n {
        let mut at_best = (f64::INFINITY, 0);
        for &from in &open {
            let total = best[from] + cost(from, to) + penalty;
            if total < at_best.0 {
                at_best = (total, from);
            }
        }
        (best[to], cut[to]) = at_best;
        open.retain(|&from| best[from] + cost(from, to) <= at_best.0);
        if to + 1 >= 2 * least {
            open.push(to + 1 - least);
        }
    }
    let mut cuts = Vec::new();
    let mut to = n;
    while cut[to] > 0 {
        to = cut[to];
        cuts.push(to);
    }
    cuts.reverse();
    cuts
}
