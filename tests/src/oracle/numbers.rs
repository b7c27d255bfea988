//! Shares and quantiles, recomputed (S1, F13).

use serde_json::{Value, json};

/// `k` of `n` with the Wilson 95 % interval, in the textbook's form: (p̂ + z²/2n ± z·√(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n).
pub fn rate(k: u64, n: u64) -> Value {
    let (value, low, high) = wilson(k, n);
    json!({ "value": value, "k": k, "n": n, "low": low, "high": high, "small": n < 30 })
}

/// The share and both ends of its interval; nothing of nothing.
pub fn wilson(k: u64, n: u64) -> (Option<f64>, Option<f64>, Option<f64>) {
    if n == 0 {
        return (None, None, None);
    }
    let z = 1.959_963_984_540_054_f64;
    let (p, n) = (k as f64 / n as f64, n as f64);
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (
        Some(p),
        Some((centre - half) / scale),
        Some((centre + half) / scale),
    )
}

/// The distribution of durations given in microseconds, in seconds; quantiles interpolate linearly.
pub fn quantiles(durations: &[i64]) -> Value {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let n = sorted.len();
    let seconds: Vec<f64> = sorted.iter().map(|d| *d as f64 / 1e6).collect();
    let at = |percent: usize| -> Option<f64> {
        // Whole numbers find the place exactly: `percent · (n − 1)` hundredths of a step.
        let place = percent * n.checked_sub(1)?;
        let (below, part) = (place / 100, place % 100);
        let above = (below + 1).min(n - 1);
        Some(seconds[below] + (seconds[above] - seconds[below]) * part as f64 / 100.0)
    };
    let mean = (n > 0).then(|| seconds.iter().sum::<f64>() / n as f64);
    json!({
        "count": n,
        "mean": mean,
        "min": at(0),
        "p25": at(25),
        "median": at(50),
        "p75": at(75),
        "p90": at(90),
        "p95": at(95),
        "max": at(100),
    })
}

/// An instant as answers write it: UTC with three fraction digits, or six where it needs them.
pub fn instant(ts: i64) -> String {
    let format = if ts % 1_000 == 0 {
        "%Y-%m-%dT%H:%M:%S%.3fZ"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6fZ"
    };
    super::calendar::utc(ts).format(format).to_string()
}
