//! Exact quantiles of durations (F13, S3).

use serde::Serialize;

/// The distribution of durations, in seconds; every figure is exact, quantiles with linear interpolation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many durations there are; with none, every other field is nothing.
    pub count: u64,
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// The shortest.
    pub min: Option<f64>,
    /// The 25 % quantile.
    pub p25: Option<f64>,
    /// The 50 % quantile.
    pub median: Option<f64>,
    /// The 75 % quantile.
    pub p75: Option<f64>,
    /// The 90 % quantile.
    pub p90: Option<f64>,
    /// The 95 % quantile.
    pub p95: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl Quantiles {
    /// The distribution of durations given in microseconds, in any order.
    ///
    /// Quantile `q` of `n` sorted values is at position `q · (n − 1)`, interpolated linearly between its neighbours
    /// (definition 7 of Hyndman and Fan, 1996).
    pub fn of_micros(mut durations: Vec<i64>) -> Self {
        durations.sort_unstable();
        let n = durations.len();
        let seconds = |micros: f64| micros / 1e6;
        let at = |q: f64| {
            let position = q * (n.checked_sub(1)? as f64);
            let below = *durations.get(position.floor() as usize)? as f64;
            let above = *durations.get(position.ceil() as usize)? as f64;
            Some(seconds(below + (above - below) * position.fract()))
        };
        let sum: i128 = durations.iter().map(|d| i128::from(*d)).sum();
        Self {
            count: n as u64,
            mean: (n > 0).then(|| seconds(sum as f64 / n as f64)),
            min: at(0.0),
            p25: at(0.25),
            median: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p95: at(0.95),
            max: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Quantiles;

    #[test]
    fn quantiles_interpolate_linearly() {
        let q = Quantiles::of_micros(vec![4_000_000, 1_000_000, 2_000_000, 3_000_000]);
        assert_eq!(q.median, Some(2.5));
        assert_eq!(q.p25, Some(1.75));
        assert_eq!(q.mean, Some(2.5));
        assert_eq!(q.max, Some(4.0));
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(Quantiles::of_micros(Vec::new()), Quantiles::default());
    }
}
