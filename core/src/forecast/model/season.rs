//! Seasons: whether a series has one, and its classical decomposition.

/// The autocorrelation of a series at the lags 1 to `most`.
pub(crate) fn autocorrelation(y: &[f64], most: usize) -> Vec<f64> {
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let total: f64 = y.iter().map(|y| (y - mean) * (y - mean)).sum();
    let at = |lag: usize| {
        let later = y.iter().skip(lag);
        later
            .zip(y)
            .map(|(a, b)| (a - mean) * (b - mean))
            .sum::<f64>()
            / total
    };
    (1..=most).map(at).collect()
}

/// Whether the autocorrelation at a whole season exceeds its 90 % bound (the test of the Theta method and of M4's Naive2).
pub(crate) fn has_season(y: &[f64], m: usize) -> bool {
    if m < 2 || y.len() < 2 * m + 1 {
        return false;
    }
    let lags = autocorrelation(y, m);
    let Some((&last, before)) = lags.split_last() else {
        return false;
    };
    let sum: f64 = before.iter().map(|r| r * r).sum();
    last.abs() > 1.645 * ((1.0 + 2.0 * sum) / y.len() as f64).sqrt()
}

/// The centred moving average over a whole season; `NaN` at the ends.
pub(crate) fn centred(y: &[f64], m: usize) -> Vec<f64> {
    let half = m / 2;
    let mut out = vec![f64::NAN; y.len()];
    for (out, window) in out.iter_mut().skip(half).zip(y.windows(2 * half + 1)) {
        let sum: f64 = window.iter().sum();
        *out = if m.is_multiple_of(2) {
            let ends = window.first().unwrap_or(&0.0) + window.last().unwrap_or(&0.0);
            (sum - 0.5 * ends) / m as f64
        } else {
            sum / m as f64
        };
    }
    out
}

/// The seasonal indices of the first `m` periods of the cycle that starts with the series: factors of mean 1, or
/// differences of mean 0. `None` where the series is shorter than two seasons or the factors are not all positive.
pub(crate) fn indices(y: &[f64], m: usize, multiplicative: bool) -> Option<Vec<f64>> {
    if m < 2 || y.len() < 2 * m {
        return None;
    }
    let trend = centred(y, m);
    let mut sums = vec![(0.0, 0.0); m];
    for (t, (y, trend)) in y.iter().zip(&trend).enumerate() {
        if trend.is_nan() {
            continue;
        }
        if let Some((sum, count)) = sums.get_mut(t % m) {
            *sum += if multiplicative { y / trend } else { y - trend };
            *count += 1.0;
        }
    }
    let mut out: Vec<f64> = sums
        .iter()
        .map(|(sum, n)| sum / f64::max(*n, 1.0))
        .collect();
    let mean = out.iter().sum::<f64>() / m as f64;
    for s in &mut out {
        *s = if multiplicative { *s / mean } else { *s - mean };
    }
    let good = out
        .iter()
        .all(|s| s.is_finite() && (!multiplicative || *s > 0.01));
    good.then_some(out)
}
