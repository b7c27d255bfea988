//! Exact quantiles of durations and counts (F13, S3).

use serde::Serialize;

use super::order::settle;

/// The distribution of durations, in seconds, or of counts; every figure is exact, quantiles with linear interpolation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many there are; with none, every other field is nothing.
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
    pub fn of_micros(durations: Vec<i64>) -> Self {
        Self::of(durations, 1e6)
    }

    /// The distribution of counts, in any order.
    pub fn of_counts(counts: Vec<i64>) -> Self {
        Self::of(counts, 1.0)
    }

    fn of(mut values: Vec<i64>, unit: f64) -> Self {
        let n = values.len();
        let last = n.saturating_sub(1);
        let place = |percent| percent * last / 100;
        let mut places = [0, 25, 50, 75, 90, 95, 100]
            .map(|percent| [place(percent), (place(percent) + 1).min(last)])
            .concat();
        places.sort_unstable();
        places.dedup();
        settle(&mut values, &places);
        let scaled = |value: f64| value / unit;
        // In whole hundredths the place is exact: as a fraction, 0.95 × 3 would fall short of 2.85.
        let at = |percent: usize| {
            let hundredths = percent * n.checked_sub(1)?;
            let (place, part) = (hundredths / 100, hundredths % 100);
            let below = *values.get(place)? as f64;
            let above = values.get(place + 1).map_or(below, |above| *above as f64);
            Some(scaled(below + (above - below) * part as f64 / 100.0))
        };
        let sum: i128 = values.iter().map(|d| i128::from(*d)).sum();
        Self {
            count: n as u64,
            mean: (n > 0).then(|| scaled(sum as f64 / n as f64)),
            min: at(0),
            p25: at(25),
            median: at(50),
            p75: at(75),
            p90: at(90),
            p95: at(95),
            max: at(100),
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
        assert_eq!(q.p95, Some(3.85));
        assert_eq!(q.max, Some(4.0));
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(Quantiles::of_micros(Vec::new()), Quantiles::default());
    }
}
