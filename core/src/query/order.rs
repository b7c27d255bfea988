//! Single places of what sorting would give, without sorting all.

/// Brings to each of these places the value that sorting would bring there. The places ascend and are below the number of
/// values.
pub(crate) fn settle(values: &mut [i64], places: &[usize]) {
    settle_from(values, 0, places);
}

/// The same of values that begin at the place `first`.
fn settle_from(values: &mut [i64], first: usize, places: &[usize]) {
    let (before, rest) = places.split_at(places.len() / 2);
    let Some((place, after)) = rest.split_first() else {
        return;
    };
    if let Some(at) = place.checked_sub(first).filter(|at| *at < values.len()) {
        let (below, _, above) = values.select_nth_unstable(at);
        settle_from(below, first, before);
        settle_from(above, place + 1, after);
    }
}

#[cfg(test)]
mod tests {
    use super::settle;

    #[test]
    fn places_hold_what_sorting_brings_there() {
        for n in [1_usize, 2, 3, 10, 1_000] {
            let values: Vec<i64> = (0..n as i64).map(|i| i * 7_919 % 101 - 50).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            for step in [1, 2, 3, 400] {
                let places: Vec<usize> = (0..n).step_by(step).collect();
                let mut settled = values.clone();
                settle(&mut settled, &places);
                for place in places {
                    assert_eq!(settled[place], sorted[place], "{n} {step} {place}");
                }
            }
        }
        settle(&mut [], &[]);
    }
}
