//! What follows on a finding at once, and how long a point is.

use super::*;

/// A Tuesday in the seventh week, at 16:00.
const CHANGE: usize = 6 * 168 + 40;

/// What is found in hours of which some from `CHANGE` on are so many times what is usual.
fn found(factors: &[f64]) -> Vec<Finding> {
    let mut chance = ChaCha8Rng::seed_from_u64(2);
    let values = (0..8 * 168).map(|hour: usize| {
        let factor = hour.checked_sub(CHANGE).and_then(|at| factors.get(at));
        poisson(&mut chance, 3.0 * CURVE[hour % 24] * factor.unwrap_or(&1.0))
    });
    let series = series(values.collect());
    let settings = Settings::new(Measure::Count, HOUR);
    let found = scan(settings, &series, Instant::MAX, 0);
    let during = |at: usize| found.judged[at].as_ref().unwrap().unusual;
    assert!((CHANGE..CHANGE + factors.len()).all(during));
    let mut findings = found.findings;
    findings.retain(|f| hour(f.found_at) >= CHANGE);
    findings
}

fn hour(at: Instant) -> usize {
    ((at.micros() - MONDAY) / HOUR) as usize
}

#[test]
fn an_excursion_the_other_way_right_after_a_finding_is_a_finding_of_its_own() {
    for (factors, turn) in [
        (&[3.0, 0.0][..], 1),
        (&[0.0, 3.0], 1),
        (&[3.0, 0.0, 0.0, 0.0], 1),
        (&[2.5, 2.5, 2.5, 0.0, 0.0], 3),
    ] {
        let findings = found(factors);
        let [first, second] = &findings[..] else {
            panic!("{factors:?}: {findings:?}")
        };
        let back = CHANGE + factors.len();
        assert_eq!(
            (hour(first.since), first.until.map(hour)),
            (CHANGE, Some(CHANGE + turn)),
            "{factors:?}"
        );
        assert_eq!(
            (hour(second.since), second.until.map(hour)),
            (CHANGE + turn, Some(back)),
            "{factors:?}"
        );
        assert_ne!(first.direction, second.direction, "{factors:?}");
    }
}

#[test]
fn a_point_that_lasts_is_a_burst() {
    for (factors, shape) in [
        (&[3.0][..], Shape::Point),
        (&[3.0; 2], Shape::Burst),
        (&[0.0; 12], Shape::Burst),
    ] {
        let findings = found(factors);
        let [finding] = &findings[..] else {
            panic!("{factors:?}: {findings:?}")
        };
        assert_eq!(finding.shape, shape, "{factors:?}");
        let until = CHANGE + factors.len();
        assert_eq!(finding.until.map(hour), Some(until), "{factors:?}");
    }
}
