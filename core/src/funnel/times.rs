//! Times of converters in bins (F13).

use serde::Serialize;

/// How many times lie in `[from, to)`; in the last bin `to` too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Where it begins, in seconds.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// The times in it.
    pub count: u64,
}

/// Times in microseconds in bins of equal width from 0 to the longest.
pub(super) fn histogram(times: &[i64], bins: usize) -> Vec<Bin> {
    let Some(longest) = times.iter().max() else {
        return Vec::new();
    };
    let bins = bins.max(1);
    let width = (longest + bins as i64 - 1) / bins as i64;
    let width = width.max(1);
    let mut counts = vec![0_u64; bins];
    for time in times {
        let bin = ((time / width) as usize).min(bins - 1);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    let seconds = |bin: usize| (bin as i64 * width) as f64 / 1e6;
    let bins = counts.into_iter().enumerate();
    bins.map(|(i, count)| Bin {
        from: seconds(i),
        to: seconds(i + 1),
        count,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_is_in_the_last_bin() {
        let bins = histogram(&[0, 1_000_000, 2_000_000, 4_000_000], 2);
        let counts: Vec<u64> = bins.iter().map(|b| b.count).collect();
        assert_eq!(counts, [2, 2]);
        assert!(histogram(&[], 2).is_empty());
        assert_eq!(histogram(&[0], 2).len(), 2);
    }
}
