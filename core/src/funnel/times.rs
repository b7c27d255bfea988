//! Times of converters: histograms, and the Kaplan–Meier median with those who still can convert (F13).

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

/// The time by which half have converted, as Kaplan and Meier (1958) estimate it: who did not convert counts for as long as it
/// was watched. In microseconds; nothing where fewer than half do.
pub(super) fn median(mut converted: Vec<i64>, mut watched: Vec<i64>) -> Option<i64> {
    converted.sort_unstable();
    watched.sort_unstable();
    let total = converted.len() + watched.len();
    let mut surviving = 1.0;
    let mut i = 0;
    let mut lost = 0;
    while let Some(&time) = converted.get(i) {
        while watched.get(lost).is_some_and(|w| *w < time) {
            lost += 1;
        }
        let at_risk = total - i - lost;
        let here = converted.iter().skip(i).take_while(|t| **t == time).count();
        surviving *= 1.0 - here as f64 / at_risk as f64;
        if surviving <= 0.5 + 1e-12 {
            return Some(time);
        }
        i += here;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_still_on_the_way_makes_the_median_later() {
        assert_eq!(median(vec![1, 2, 3, 4], vec![]), Some(2));
        assert_eq!(median(vec![1, 2, 3, 4], vec![10, 10]), Some(3));
        assert_eq!(median(vec![1, 2], vec![10, 10, 10]), None);
        // Two of four were watched for a moment only: of the other two, one converts at 5.
        assert_eq!(median(vec![5, 6], vec![1, 1]), Some(5));
        assert_eq!(median(vec![], vec![1]), None);
    }

    #[test]
    fn the_longest_time_is_in_the_last_bin() {
        let bins = histogram(&[0, 1_000_000, 2_000_000, 4_000_000], 2);
        let counts: Vec<u64> = bins.iter().map(|b| b.count).collect();
        assert_eq!(counts, [2, 2]);
        assert!(histogram(&[], 2).is_empty());
        assert_eq!(histogram(&[0], 2).len(), 2);
    }
}
