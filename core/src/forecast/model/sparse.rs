//! Sparse counts: Croston (1972) with the correction of Syntetos and Boylan (2005), and TSB (Teunter, Syntetos, Babai 2011).
//!
//! With a demand's size z and the gap x before it, Croston: z ← z + α(y − z) and x ← x + α(gap − x) at each demand, and the forecast
//! is (1 − α/2) z/x. TSB: the probability of a demand p ← p + β(1[y > 0] − p) in each period, z ← z + α(y − z) at each demand, and the
//! forecast is pz.

/// The level of demand a period after the last value, by Croston's method: the smoothed size of a demand over the smoothed
/// gap between two, times 1 − α/2. `None` without a demand.
pub(crate) fn croston(y: &[f64], alpha: f64) -> Option<f64> {
    let mut state: Option<(f64, f64)> = None;
    let mut gap = 0.0;
    for &y in y {
        gap += 1.0;
        if y == 0.0 {
            continue;
        }
        state = Some(match state {
            None => (y, gap),
            Some((size, between)) => (size + alpha * (y - size), between + alpha * (gap - between)),
        });
        gap = 0.0;
    }
    state.map(|(size, between)| (1.0 - alpha / 2.0) * size / between)
}

/// The level of demand a period after the last value, by TSB: the smoothed probability of a demand times its smoothed size,
/// so that a product that dies goes to zero. `each` is told every one-step forecast with what came.
pub(crate) fn tsb(
    y: &[f64],
    size_gain: f64,
    chance_gain: f64,
    mut each: impl FnMut(f64, f64),
) -> f64 {
    let demands = y.iter().filter(|y| **y != 0.0);
    let (mut sum, mut count) = (0.0, 0.0);
    for y in demands {
        sum += y;
        count += 1.0;
    }
    if count == 0.0 {
        return 0.0;
    }
    let (mut size, mut chance) = (sum / count, count / y.len() as f64);
    for &y in y {
        each(size * chance, y);
        if y == 0.0 {
            chance -= chance_gain * chance;
        } else {
            chance += chance_gain * (1.0 - chance);
            size += size_gain * (y - size);
        }
    }
    size * chance
}
