//! Steps, bends and ends: what lasts is told once, as what it is, in the unit of the series.

use super::*;

/// The step, bend or end is on a Tuesday of the seventh week, at 16:00.
const CHANGE: usize = 6 * 168 + 40;

/// Hours of so many weeks with a weekly rhythm, `mean` on average, times what `factor` makes of each.
fn hours(seed: u64, weeks: usize, mean: f64, factor: impl Fn(usize) -> f64) -> Scanned {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let average = CURVE.iter().sum::<f64>() / 24.0;
    let values = (0..weeks * 168).map(|hour| {
        let rhythm = CURVE[hour % 24] / average * WEEKDAYS[hour / 24 % 7];
        poisson(&mut chance, mean * rhythm * factor(hour))
    });
    let series = series(values.collect());
    scan(
        Settings::new(Measure::Count, HOUR),
        &series,
        Instant::MAX,
        0,
    )
}

fn hour(at: Instant) -> i64 {
    (at.micros() - MONDAY) / HOUR
}

/// How long after the change something was found, in hours.
fn late(finding: &Finding) -> i64 {
    hour(finding.found_at) - CHANGE as i64
}

fn after(found: &Scanned) -> Vec<&Finding> {
    found.findings.iter().filter(|f| late(f) >= 0).collect()
}

#[test]
fn a_step_of_three_tenths_is_a_shift_of_the_level_within_hours_and_no_change_of_growth() {
    let (mut all, mut soon) = (0, 0);
    for seed in 0..10 {
        for factor in [0.7, 1.3] {
            let found = hours(seed, 10, 300.0, |at| if at < CHANGE { 1.0 } else { factor });
            let after = after(&found);
            assert!(
                after.iter().all(|f| f.shape != Shape::TrendChange),
                "{seed} {after:?}"
            );
            let steps: Vec<_> = after
                .iter()
                .filter(|f| f.shape == Shape::LevelShift)
                .collect();
            let [step] = &steps[..] else {
                panic!("{seed} times {factor}: {after:?}")
            };
            assert_eq!(step.direction == Direction::Up, factor > 1.0);
            let since = hour(step.since) - CHANGE as i64;
            assert!((-16..=12).contains(&since), "{seed} {since}");
            // In the unit of the series, an hour.
            assert!((100.0..900.0).contains(&step.expected), "{step:?}");
            assert!(step.interval.low < step.expected && step.expected < step.interval.high);
            assert!((step.change.unwrap().abs() - 0.3).abs() < 0.15, "{step:?}");
            all += 1;
            soon += usize::from(late(after[0]) <= 6);
            // Chance alone is told as seldom as without a step.
            assert!(after.len() <= 3, "{after:?}");
            assert!(!found.judged.last().unwrap().as_ref().unwrap().unusual);
        }
    }
    assert!(soon * 10 >= all * 9, "{soon} of {all} within six hours");
}

#[test]
fn a_step_that_no_hour_tells_is_told_by_its_days() {
    for seed in 0..6 {
        let found = hours(seed, 10, 300.0, |at| if at < CHANGE { 1.0 } else { 0.8 });
        let after = after(&found);
        let steps: Vec<_> = after
            .iter()
            .filter(|f| f.shape == Shape::LevelShift)
            .collect();
        let [step] = &steps[..] else {
            panic!("{seed}: {after:?}")
        };
        assert!(late(step) <= 7 * 24, "{step:?}");
        assert!(hour(step.since).abs_diff(CHANGE as i64) <= 24, "{step:?}");
        // Expectations follow: two weeks later an average hour is as expected.
        let last = found.judged.iter().skip(9 * 168).flatten();
        let (sum, count) = last
            .filter_map(|j| j.expected)
            .fold((0.0, 0.0), |(sum, count), e| (sum + e, count + 1.0));
        let weekdays = WEEKDAYS.iter().sum::<f64>() / 7.0;
        assert!(
            (sum / count / (240.0 * weekdays) - 1.0).abs() < 0.05,
            "{seed} {}",
            sum / count
        );
    }
}

#[test]
fn growth_that_turns_begins_where_it_turned_and_is_told_in_the_unit_of_the_series() {
    let turned = |seed: u64, rate: f64| {
        hours(seed, 14, 300.0, move |at| {
            let days = at.saturating_sub(CHANGE) as f64 / 24.0;
            rate.powf(days)
        })
    };
    for seed in 0..6 {
        for rate in [0.985, 1.015] {
            let found = turned(seed, rate);
            let bends: Vec<_> = (found.findings.iter())
                .filter(|f| f.shape == Shape::TrendChange)
                .collect();
            // It is told once: when what is usual has grown as well, growth is not told to have stopped.
            let [bend] = &bends[..] else {
                panic!("{seed} {rate}: {:?}", found.findings)
            };
            assert_eq!(bend.direction == Direction::Up, rate > 1.0);
            assert!((3 * 24..16 * 24).contains(&late(bend)), "{bend:?}");
            let since = hour(bend.since) - CHANGE as i64;
            assert!(since.abs() <= 4 * 24, "{seed} {rate} {since}");
            // An average hour had 300 before, and about half of what growth brought until it was found since.
            assert!((bend.expected / 300.0 - 1.0).abs() < 0.1, "{bend:?}");
            let brought = rate.powf(0.5 * late(bend) as f64 / 24.0) - 1.0;
            assert!((bend.change.unwrap() - brought).abs() < 0.04, "{bend:?}");
            let interval = bend.interval;
            assert!(interval.low < bend.expected && bend.expected < interval.high);
        }
    }
    // Growth that goes on, however large, is none that changed.
    for seed in 0..6 {
        let found = hours(seed, 14, 300.0, |at| 1.01_f64.powf(at as f64 / 24.0));
        let bends = found
            .findings
            .iter()
            .filter(|f| f.shape == Shape::TrendChange);
        assert_eq!(bends.count(), 0, "{seed}");
    }
}

#[test]
fn what_ended_is_told_once_and_what_comes_back_is_a_rise_from_nothing() {
    for (mean, weeks) in [(300.0, 12), (33.0, 12)] {
        for seed in 0..4 {
            let found = hours(seed, weeks, mean, |at| if at < CHANGE { 1.0 } else { 0.0 });
            let over = after(&found);
            let [end] = &over[..] else {
                panic!("{mean} {seed}: {over:?}")
            };
            assert_eq!(
                (end.shape, end.direction, end.severity),
                (Shape::LevelShift, Direction::Down, Severity::Critical)
            );
            assert!(hour(end.since).abs_diff(CHANGE as i64) <= 2, "{end:?}");
            let last = found.judged.last().unwrap().as_ref().unwrap();
            assert_eq!(
                (last.status, last.unusual, last.expected),
                (Status::TooFew, false, Some(0.0))
            );

            let (from, back) = (CHANGE, CHANGE + 12 * 24);
            let found = hours(seed, weeks, mean, |at| {
                f64::from(u8::from(!(from..back).contains(&at)))
            });
            let over = after(&found);
            let rise = over[1];
            assert_eq!(
                (rise.shape, rise.direction, rise.change, rise.expected),
                (Shape::LevelShift, Direction::Up, None, 0.0),
                "{rise:?}"
            );
            assert!(hour(rise.since) - back as i64 <= 2 && hour(rise.since) >= back as i64);
            // Its rhythm is still known: it is judged again a day later, and chance alone is rare.
            assert!(over.len() <= 5, "{over:?}");
            let judged = found.judged.iter().skip(back + 26).flatten();
            assert!(judged.clone().all(|j| j.status != Status::Learning));
            let numbers = found.findings.iter().flat_map(|f| {
                let known = [f.change, f.score, f.p_value].into_iter().flatten();
                known.chain([f.expected, f.observed, f.interval.low, f.interval.high])
            });
            assert!(numbers.into_iter().all(f64::is_finite));
            let judged = found.judged.iter().flatten();
            let numbers = judged.flat_map(|j| [j.expected, j.score].into_iter().flatten());
            assert!(numbers.into_iter().all(f64::is_finite));
        }
    }
}

#[test]
fn what_never_came_and_then_stays_is_told_once_and_learned() {
    let found = hours(5, 14, 100.0, |at| if at < CHANGE { 0.0 } else { 1.0 });
    let after = after(&found);
    assert_eq!(
        (after[0].shape, after[0].direction, after[0].change),
        (Shape::LevelShift, Direction::Up, None)
    );
    // Chance alone is told now and then.
    assert!(after.len() <= 5, "{after:?}");
    let last = found.judged.last().unwrap().as_ref().unwrap();
    assert!(last.expected.unwrap() > 20.0, "{last:?}");
}
