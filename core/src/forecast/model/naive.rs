//! The models of no fit (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 2021, 5.2 and 5.5).
//!
//! With the season m, the seasonal naive forecast is ŷ_(n+h) = y_(n+h−mk) with k = ⌈h/m⌉ and the variance kσ², σ² being the mean square of
//! y_t − y_(t−m). The drift is ŷ_(n+h) = y_n + h(y_n − y_1)/(n − 1).

/// The value one season before, again and again; the last value where the series is shorter than a season.
pub(crate) fn seasonal_naive(y: &[f64], m: usize, out: &mut [f64]) {
    let m = if y.len() >= m { m.max(1) } else { 1 };
    let last = y.get(y.len().saturating_sub(m)..).unwrap_or_default();
    for (out, y) in out.iter_mut().zip(last.iter().cycle()) {
        *out = *y;
    }
}

/// The line through the first and the last value, drawn on.
pub(crate) fn drift(y: &[f64], out: &mut [f64]) {
    let (Some(first), Some(last)) = (y.first(), y.last()) else {
        return;
    };
    let slope = (last - first) / (y.len().max(2) - 1) as f64;
    for (h, out) in out.iter_mut().enumerate() {
        *out = last + slope * (h as f64 + 1.0);
    }
}

/// The variance of a seasonal naive error of one season ahead.
pub(crate) fn naive_variance(y: &[f64], m: usize) -> f64 {
    let m = if y.len() > m { m.max(1) } else { 1 };
    let (mut sum, mut count) = (0.0, 0.0);
    for (later, earlier) in y.iter().skip(m).zip(y) {
        sum += (later - earlier) * (later - earlier);
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}
