//! How long until something happens to half of those who wait for it (F13, L3).

use rayon::prelude::*;

/// The time by which half have converted, as Kaplan and Meier (1958) estimate it: who did not convert counts for as long as it
/// was watched, and `longer` were watched longer than any of these took. In microseconds; nothing where fewer than half do.
pub(crate) fn median(mut converted: Vec<i64>, mut watched: Vec<i64>, longer: usize) -> Option<i64> {
    if longer > converted.len() {
        return None;
    }
    converted.par_sort_unstable();
    watched.par_sort_unstable();
    let total = converted.len() + watched.len() + longer;
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
        assert_eq!(median(vec![1, 2, 3, 4], vec![], 0), Some(2));
        assert_eq!(median(vec![1, 2, 3, 4], vec![10, 10], 0), Some(3));
        assert_eq!(median(vec![1, 2, 3, 4], vec![], 2), Some(3));
        assert_eq!(median(vec![1, 2], vec![10, 10, 10], 0), None);
        // Two of four were watched for a moment only: of the other two, one converts at 5.
        assert_eq!(median(vec![5, 6], vec![1, 1], 0), Some(5));
        assert_eq!(median(vec![], vec![1], 0), None);
        assert_eq!(median(vec![1, 1], vec![0, 0], 2), Some(1));
        assert_eq!(median(vec![1, 1], vec![0, 0], 3), None);
    }
}
