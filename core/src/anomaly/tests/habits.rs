//! What changes for good is learned, and what does not is no new normal.

use super::*;

/// Hours of so many weeks; from a day on everything happens an hour earlier by the clock of the series.
fn hours(weeks: usize, peak: f64, earlier_from: usize) -> Vec<f64> {
    let mut chance = ChaCha8Rng::seed_from_u64(3);
    (0..weeks * 168)
        .map(|hour| {
            let earlier = usize::from(hour / 24 >= earlier_from);
            let mean = CURVE[(hour + earlier) % 24] * WEEKDAYS[hour / 24 % 7] * peak / 100.0;
            poisson(&mut chance, mean)
        })
        .collect()
}

#[test]
fn hours_that_move_with_the_clocks_of_those_who_come_are_learned_within_days() {
    let moved = 6 * 7;
    let found = scan(
        Settings::new(Measure::Count, HOUR),
        &series(hours(10, 5_000.0, moved)),
        Instant::MAX,
        0,
    );
    let day = |f: &Finding| (f.since.micros() - MONDAY) / DAY;
    assert!(
        found.findings.iter().any(|f| day(f) == moved as i64),
        "it is told: {:?}",
        found.findings
    );
    let late: Vec<_> = found
        .findings
        .iter()
        .filter(|f| day(f) > moved as i64 + 4)
        .collect();
    // Week by week what is usual takes the new hours over.
    assert!(late.len() <= 8, "{} {late:?}", late.len());
    assert!(!found.judged.last().unwrap().as_ref().unwrap().unusual);
}

#[test]
fn an_outage_of_two_hours_is_no_new_level_and_leaves_nothing_behind() {
    let step = 15 * MINUTE;
    let from = 5 * 672 + 300;
    let mut chance = ChaCha8Rng::seed_from_u64(4);
    let values = (0..8 * 672).map(|at| {
        let of = poisson(&mut chance, 1.5 * CURVE[at / 4 % 24] + 20.0);
        let rate = if (from..from + 8).contains(&at) {
            0.5
        } else {
            0.006
        };
        Some((poisson(&mut chance, of * rate).min(of), of))
    });
    let series = Series {
        values: values.collect(),
        ..series(Vec::new())
    };
    let found = scan(
        Settings::new(Measure::Share, step),
        &series,
        Instant::MAX,
        0,
    );
    let at = |instant: Instant| ((instant.micros() - MONDAY) / step) as usize;
    let [outage, later @ ..] = &found.findings[..] else {
        panic!("it was not found")
    };
    assert!(
        matches!(outage.shape, Shape::Point | Shape::Burst),
        "{outage:?}"
    );
    assert_eq!(at(outage.since), from, "{outage:?}");
    assert_eq!(outage.until.map(at), Some(from + 8), "{outage:?}");
    assert_eq!(later, []);
}
