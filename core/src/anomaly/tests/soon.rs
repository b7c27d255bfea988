//! Three tenths more or less are found within ten minutes where ten minutes tell them from chance.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::{CURVE, MINUTE, MONDAY, normal, poisson};
use crate::anomaly::{Detector, Direction, Measure, Settings};
use crate::query::Instant;

/// Minutes of four weeks; in the last, every 67 minutes ten that bring three tenths less, and ten that bring three tenths
/// more, each in a copy. How many there were, which were not found, and how much was found that was nothing.
fn sought(
    measure: Measure,
    draw: impl Fn(&mut ChaCha8Rng, usize, f64) -> (f64, f64),
) -> (usize, Vec<(usize, f64)>, usize) {
    let mut chance = ChaCha8Rng::seed_from_u64(21);
    let mut detector = Detector::new(Settings::new(measure, MINUTE));
    let take = |detector: &mut Detector, minute: usize, (value, of): (f64, f64)| {
        let start = Instant::saturating_from_micros(MONDAY + minute as i64 * MINUTE);
        detector.take(start, 0, value, of).findings
    };
    let (mut all, mut missed, mut wrong) = (0, Vec::new(), 0);
    for minute in 0..4 * 10_080 {
        if minute > 3 * 10_080 && minute % 67 == 0 {
            for (factor, direction) in [(0.7, Direction::Down), (1.3, Direction::Up)] {
                let mut copy = detector.clone();
                let found = (minute..minute + 10).any(|at| {
                    let value = draw(&mut chance, at, factor);
                    let found = take(&mut copy, at, value);
                    found.iter().any(|f| f.direction == direction)
                });
                all += 1;
                if !found {
                    missed.push((minute, factor));
                }
            }
        }
        let value = draw(&mut chance, minute, 1.0);
        wrong += take(&mut detector, minute, value).len();
    }
    (all, missed, wrong)
}

#[test]
fn a_count_of_days_that_jump_from_hour_to_hour() {
    let (all, missed, wrong) = sought(Measure::Count, |chance, minute, factor| {
        let rate = 60.0 + CURVE[minute / 60 % 24];
        (poisson(chance, 3.0 * rate * factor), 1.0)
    });
    assert_eq!(wrong, 0);
    assert!(missed.len() * 50 <= all, "of {all}: {missed:?}");
}

#[test]
fn a_share_by_its_hits() {
    let (all, missed, wrong) = sought(Measure::Share, |chance, _, factor| {
        let of = poisson(chance, 2_000.0);
        (poisson(chance, of * 0.05 * factor).min(of), of)
    });
    assert_eq!(wrong, 0);
    assert!(missed.len() * 20 <= all, "of {all}: {missed:?}");
}

#[test]
fn money_by_its_payments() {
    let (all, missed, wrong) = sought(Measure::Amount, |chance, _, factor| {
        let payments = poisson(chance, 100.0 * factor) as u64;
        (0..payments)
            .map(|_| 20.0 + 5.0 * normal(chance))
            .fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x))
    });
    assert_eq!(wrong, 0);
    assert!(missed.len() * 20 <= all, "of {all}: {missed:?}");
}
