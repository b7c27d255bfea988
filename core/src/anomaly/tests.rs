use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::settings::{DAY, HOUR, MINUTE, WEEK};
use super::*;
use crate::query::{Instant, Zone};

mod detect;
mod habits;
mod next;
mod range;
mod shift;
mod soon;
mod volume;

/// Monday, 2026-01-05T00:00:00Z.
const MONDAY: i64 = 1_767_571_200_000_000;

/// How busy each hour of a day is, as of a travel platform.
const CURVE: [f64; 24] = [
    14., 8., 5., 4., 4., 7., 15., 28., 40., 48., 54., 58., 66., 60., 54., 53., 56., 62., 74., 90.,
    100., 94., 66., 34.,
];
const WEEKDAYS: [f64; 7] = [1.0, 0.94, 0.9, 0.92, 0.86, 1.04, 1.32];

struct Incident {
    from: usize,
    to: usize,
    factor: f64,
}

fn normal(chance: &mut impl Rng) -> f64 {
    let (a, b): (f64, f64) = (chance.random(), chance.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

fn poisson(chance: &mut impl Rng, mean: f64) -> f64 {
    if mean > 50.0 {
        return (mean + mean.sqrt() * normal(chance)).round().max(0.0);
    }
    let (limit, mut product, mut k) = ((-mean).exp(), chance.random::<f64>(), 0.0);
    while product > limit {
        product *= chance.random::<f64>();
        k += 1.0;
    }
    k
}

/// Minutes of so many weeks with a weekly rhythm, growth, days better or worse than others, and noise that lasts a while.
fn minutes(seed: u64, weeks: usize, peak: f64, incidents: &[Incident]) -> Vec<f64> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut lasting = 0.0;
    let days: Vec<f64> = (0..=weeks * 7)
        .map(|_| 0.04 * normal(&mut chance))
        .collect();
    (0..weeks * 7 * 1440)
        .map(|minute| {
            lasting = 0.95 * lasting + 0.02 * 0.312 * normal(&mut chance);
            // Nothing jumps: hours, weekdays and better or worse days pass into one another between their middles.
            let between = |at: f64, of: &dyn Fn(usize) -> f64| {
                let whole = at as usize;
                of(whole) * (1.0 - at.fract()) + of(whole + 1) * at.fract()
            };
            let curve = between(minute as f64 / 60.0 + 23.5, &|hour| CURVE[hour % 24]);
            let week = between(minute as f64 / 1440.0 + 6.5, &|day| WEEKDAYS[day % 7]);
            let day = between(minute as f64 / 1440.0, &|day| days[day.min(weeks * 7)]);
            let growth = 1.01_f64.powf(minute as f64 / 10_080.0);
            let incident = incidents
                .iter()
                .find(|i| i.from <= minute && minute < i.to)
                .map_or(1.0, |i| i.factor);
            let mean = peak / 100.0 * curve * week * growth * (1.0 + day + lasting) * incident;
            poisson(&mut chance, mean)
        })
        .collect()
}

fn series(values: Vec<f64>) -> Series {
    Series {
        start: Instant::saturating_from_micros(MONDAY),
        zone: Zone::default(),
        values: values.into_iter().map(|v| Some((v, 1.0))).collect(),
    }
}

/// What a minute of that week would bring without noise.
fn calm(minute: usize, peak: f64) -> f64 {
    peak / 100.0 * CURVE[minute / 60 % 24] * WEEKDAYS[minute / 1440 % 7]
}

fn minute(at: Instant) -> usize {
    ((at.micros() - MONDAY) / MINUTE) as usize
}

/// What a bench of one volume came to.
#[derive(Default)]
struct Score {
    weeks: f64,
    /// Findings without an incident, on data with incidents and on data without any.
    wrong: f64,
    quiet: f64,
    /// How many incidents there were, were found, and were found within 10 minutes.
    all: f64,
    hits: f64,
    soon: f64,
    delays: Vec<f64>,
}

/// Two incidents a week of 20 minutes to 3 hours, drops by 30 to 100 % and rises by 45 to 150 %, where at least `least` events a
/// minute are usual.
fn measure(peak: f64, weeks: usize, seeds: u64, least: f64) -> Score {
    let mut score = Score::default();
    for seed in 0..seeds {
        let settings = Settings::new(Measure::Count, MINUTE);
        let quiet = scan(
            settings,
            &series(minutes(seed, weeks, peak, &[])),
            Instant::MAX,
            0,
        );
        score.quiet += quiet.findings.len() as f64;
        score.weeks += weeks as f64 - 2.5;
        let mut chance = ChaCha8Rng::seed_from_u64(1_000 + seed);
        let mut incidents: Vec<Incident> = Vec::new();
        for n in 0..(weeks - 3) * 2 {
            let mut from = 0;
            while from == 0 || calm(from, peak) < least {
                from = 3 * 10_080 + n * 5_040 + (chance.random::<f64>() * 4_500.0) as usize;
            }
            let size = 0.3 + 0.7 * chance.random::<f64>();
            incidents.push(Incident {
                from,
                to: from + 20 + (chance.random::<f64>() * 160.0) as usize,
                factor: if chance.random::<f64>() < 0.6 {
                    1.0 - size
                } else {
                    1.0 + 1.5 * size
                },
            });
        }
        let values = minutes(seed, weeks, peak, &incidents);
        let found = scan(settings, &series(values), Instant::MAX, 0);
        score.all += incidents.len() as f64;
        let mut matched = vec![false; incidents.len()];
        for finding in &found.findings {
            let at = minute(finding.found_at);
            match incidents
                .iter()
                .position(|i| i.from <= at && at < i.to + 10)
            {
                Some(which) if !matched[which] => {
                    matched[which] = true;
                    let delay = (at + 1 - incidents[which].from) as f64;
                    score.hits += 1.0;
                    score.soon += f64::from(u8::from(delay <= 10.0));
                    score.delays.push(delay);
                }
                Some(_) => {}
                None => score.wrong += 1.0,
            }
        }
    }
    score
}

#[test]
#[ignore = "a bench, a minute long: prints precision, recall and delay on labelled data"]
fn bench_of_labelled_incidents() {
    eprintln!(
        "{:>9} {:>9} {:>8} {:>9} {:>7} {:>9} {:>9} {:>6}",
        "peak/min", "false/wk", "quiet/wk", "precision", "recall", "in 10 min", "mean min", "worst"
    );
    for peak in [300.0, 1_000.0, 3_000.0, 10_000.0, 100_000.0] {
        let s = measure(peak, 12, 12, 50.0);
        let mean = s.delays.iter().sum::<f64>() / s.delays.len() as f64;
        let worst = s.delays.iter().fold(0.0_f64, |a, b| a.max(*b));
        eprintln!(
            "{peak:>9} {:>9.3} {:>8.3} {:>9.3} {:>7.3} {:>9.3} {mean:>9.2} {worst:>6}",
            s.wrong / s.weeks,
            s.quiet / s.weeks,
            s.hits / (s.hits + s.wrong),
            s.hits / s.all,
            s.soon / s.all,
        );
    }
}

#[test]
fn at_most_one_false_alarm_a_week_and_every_incident_within_ten_minutes() {
    let s = measure(3_000.0, 8, 3, 50.0);
    assert!(
        s.quiet / s.weeks <= 1.0,
        "{} without incidents in {} weeks",
        s.quiet,
        s.weeks
    );
    assert!(
        s.wrong / s.weeks <= 1.0,
        "{} beside incidents in {} weeks",
        s.wrong,
        s.weeks
    );
    assert_eq!(s.soon, s.all, "of {} incidents", s.all);
}

#[test]
fn normal_traffic_at_six_in_the_morning_is_no_alarm() {
    // S4: half a day's events by noon is what is usual by noon, and 7 events a minute is what is usual at six.
    let values = minutes(7, 5, 3_000.0, &[]);
    let found = scan(
        Settings::new(Measure::Count, MINUTE),
        &series(values),
        Instant::MAX,
        0,
    );
    let mornings = found
        .judged
        .iter()
        .enumerate()
        .filter(|(i, _)| i / 60 % 24 == 6);
    let judged: Vec<_> = mornings.filter_map(|(_, j)| j.as_ref()?.expected).collect();
    assert!(judged.len() > 15 * 60, "{}", judged.len());
    assert!(judged.iter().all(|e| *e > 200.0 && *e < 1_100.0));
    assert_eq!(found.findings, []);
}

#[test]
fn a_bucket_that_is_not_complete_is_never_judged() {
    let mut values = minutes(8, 4, 1_000.0, &[]);
    let last = values.len() - 1;
    // The last minute has only begun, and late events may still come for the two before.
    values[last] = 0.0;
    let as_of = Instant::saturating_from_micros(MONDAY + last as i64 * MINUTE + MINUTE / 2);
    let settings = Settings::new(Measure::Count, MINUTE);
    let found = scan(settings, &series(values.clone()), as_of, 2 * MINUTE);
    let judged = found.judged.iter().rposition(Option::is_some).unwrap();
    assert_eq!(judged, last - 3);
    let all = scan(settings, &series(values), as_of, 0);
    assert_eq!(
        all.judged.iter().rposition(Option::is_some).unwrap(),
        last - 1
    );
}

#[test]
fn what_never_varies_has_no_score_and_is_still_missed_when_it_is_gone() {
    let mut values = vec![60.0; 5 * 7 * 1440];
    for value in &mut values[4 * 10_080 + 600..4 * 10_080 + 700] {
        *value = 0.0;
    }
    let found = scan(
        Settings::new(Measure::Count, MINUTE),
        &series(values),
        Instant::MAX,
        0,
    );
    let judged = found.judged[4 * 10_080].as_ref().unwrap();
    assert_eq!(
        (judged.score, judged.interval, judged.expected),
        (None, None, Some(60.0))
    );
    let [finding] = &found.findings[..] else {
        panic!("{:?}", found.findings)
    };
    assert_eq!((finding.score, finding.p_value), (None, None));
    assert_eq!(
        (finding.direction, finding.severity),
        (Direction::Down, Severity::Critical)
    );
    assert_eq!(minute(finding.since), 4 * 10_080 + 600);
    assert_eq!(minute(finding.until.unwrap()), 4 * 10_080 + 700);
    assert_eq!((finding.expected, finding.observed), (60.0, 0.0));
    // A change that is not worth telling is none, however regular the series was.
    let mut values = vec![60.0; 5 * 7 * 1440];
    values[4 * 10_080..].fill(63.0);
    let found = scan(
        Settings::new(Measure::Count, MINUTE),
        &series(values),
        Instant::MAX,
        0,
    );
    assert_eq!(found.findings, []);
}

#[test]
fn too_few_events_tell_nothing() {
    // Two an hour: an hour of none is nothing, and so is one of six.
    let mut values = Vec::new();
    let mut chance = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..8 * 168 {
        values.push(poisson(&mut chance, 2.0));
    }
    let found = scan(
        Settings::new(Measure::Count, HOUR),
        &series(values),
        Instant::MAX,
        0,
    );
    let last = found.judged.last().unwrap().as_ref().unwrap();
    assert_eq!(last.status, Status::TooFew);
    assert_eq!(found.findings, []);
}

#[test]
fn a_detector_that_was_stored_between_any_two_buckets_goes_on_as_if_it_had_not_been() {
    let at = 4 * 10_080 + 900;
    let incidents = [Incident {
        from: at,
        to: at + 90,
        factor: 0.4,
    }];
    let values = minutes(9, 5, 1_000.0, &incidents);
    let settings = Settings::new(Measure::Count, MINUTE);
    let whole = scan(settings, &series(values.clone()), Instant::MAX, 0);
    let mut detector = Detector::new(settings);
    let mut most = 0;
    for (i, value) in values.iter().enumerate() {
        let start = Instant::saturating_from_micros(MONDAY + i as i64 * MINUTE);
        let judged = detector.take(start, 0, *value, 1.0);
        assert_eq!(Some(&judged), whole.judged[i].as_ref(), "{i}");
        // Taken twice, it changes nothing.
        assert_eq!(detector.take(start, 0, 0.0, 1.0).status, Status::Seen);
        if i % 997 == 0 || i.abs_diff(at) < 30 {
            let bytes = detector.encode();
            most = most.max(bytes.len());
            let again = Detector::decode(&bytes).unwrap();
            assert_eq!(again.encode(), bytes);
            assert!(Detector::decode(&bytes[..bytes.len() - 1]).is_err());
            detector = again;
        }
    }
    assert!(most < 4_096, "{most} bytes");
    assert_eq!(detector.encode(), whole.detector.encode());
}

#[test]
fn a_shift_that_lasts_becomes_the_new_normal() {
    let from = 4 * 10_080 + 700;
    let incidents = [Incident {
        from,
        to: usize::MAX,
        factor: 0.6,
    }];
    let values = minutes(10, 6, 1_000.0, &incidents);
    let found = scan(
        Settings::new(Measure::Count, MINUTE),
        &series(values),
        Instant::MAX,
        0,
    );
    let [finding] = &found.findings[..] else {
        panic!("{:?}", found.findings)
    };
    assert_eq!(
        (finding.shape, finding.direction),
        (Shape::LevelShift, Direction::Down)
    );
    assert!(
        minute(finding.since).abs_diff(from) <= 3,
        "{}",
        minute(finding.since)
    );
    assert!(
        (finding.change.unwrap() + 0.4).abs() < 0.1,
        "{:?}",
        finding.change
    );
    let last = found.judged.last().unwrap().as_ref().unwrap();
    assert!(!last.unusual);
}

#[test]
fn growth_that_turns_is_told_once_and_steady_growth_never() {
    let day = |rate: f64, days: usize, turn: usize, then: f64| -> Vec<f64> {
        let mut chance = ChaCha8Rng::seed_from_u64(11);
        let mut at = 5_000.0;
        (0..days)
            .map(|d| {
                at *= if d < turn { rate } else { then };
                poisson(&mut chance, at * WEEKDAYS[d % 7])
            })
            .collect()
    };
    let settings = Settings::new(Measure::Count, DAY);
    let steady = scan(
        settings,
        &series(day(1.002, 200, 200, 0.0)),
        Instant::MAX,
        0,
    );
    assert_eq!(steady.findings, []);
    let turned = scan(
        settings,
        &series(day(1.002, 128, 100, 1.012)),
        Instant::MAX,
        0,
    );
    let bends: Vec<_> = turned
        .findings
        .iter()
        .filter(|f| f.shape == Shape::TrendChange)
        .collect();
    let [bend] = &bends[..] else {
        panic!("{:?}", turned.findings)
    };
    assert_eq!(bend.direction, Direction::Up);
    let found = (bend.found_at.micros() - MONDAY) / DAY;
    assert!((103..=125).contains(&found), "{found}");
}

#[test]
fn a_share_is_judged_by_what_it_is_a_share_of() {
    let mut chance = ChaCha8Rng::seed_from_u64(12);
    let mut values = Vec::new();
    let from = 4 * 2_016 + 150;
    for i in 0..5 * 2_016 {
        let n = poisson(&mut chance, 400.0);
        let p = if (from..from + 12).contains(&i) {
            0.09
        } else {
            0.03
        };
        values.push(Some((poisson(&mut chance, n * p).min(n), n)));
    }
    let series = Series {
        start: Instant::saturating_from_micros(MONDAY),
        zone: Zone::default(),
        values,
    };
    let found = scan(
        Settings::new(Measure::Share, 5 * MINUTE),
        &series,
        Instant::MAX,
        0,
    );
    let [finding] = &found.findings[..] else {
        panic!("{:?}", found.findings)
    };
    assert_eq!(
        (finding.direction, finding.severity),
        (Direction::Up, Severity::Critical)
    );
    assert!(
        (finding.expected - 0.03).abs() < 0.005,
        "{}",
        finding.expected
    );
    assert!(
        (0.04..0.12).contains(&finding.observed),
        "{}",
        finding.observed
    );
    assert!(finding.interval.low < finding.expected && finding.expected < finding.interval.high);
    assert!(finding.interval.high < finding.observed);
}

#[test]
fn local_hours_count_and_not_those_of_utc() {
    // The same local rhythm through the change of the clock of 2026-03-29 in Paris.
    let zone = Zone::named("Europe/Paris").unwrap();
    let start = 1_770_591_600_000_000; // 2026-02-09T00:00+01:00, a Monday
    let mut chance = ChaCha8Rng::seed_from_u64(13);
    let values = (0..10 * 168)
        .map(|i| {
            let at = Instant::saturating_from_micros(start + i * HOUR);
            let hour = (at.micros() + zone.offset(at)).rem_euclid(DAY) / HOUR;
            Some((poisson(&mut chance, 100.0 * CURVE[hour as usize]), 1.0))
        })
        .collect();
    let series = Series {
        start: Instant::saturating_from_micros(start),
        zone,
        values,
    };
    let found = scan(
        Settings::new(Measure::Count, HOUR),
        &series,
        Instant::MAX,
        0,
    );
    assert_eq!(found.findings, []);
    let utc = Series {
        zone: Zone::default(),
        ..series
    };
    let found = scan(Settings::new(Measure::Count, HOUR), &utc, Instant::MAX, 0);
    assert!(!found.findings.is_empty());
    let changed = 1_774_746_000_000_000; // 2026-03-29T01:00Z
    assert!(found.findings[0].since.micros() >= changed - WEEK / 7);
}

#[test]
fn among_many_series_only_what_is_more_than_chance_remains() {
    let finding = |p: Option<f64>| Finding {
        shape: Shape::Point,
        direction: Direction::Up,
        severity: Severity::Minor,
        since: Instant::MIN,
        found_at: Instant::MIN,
        until: None,
        expected: 1.0,
        interval: Interval {
            low: 0.0,
            high: 2.0,
        },
        observed: 3.0,
        change: Some(2.0),
        score: p,
        p_value: p,
    };
    let found: Vec<Finding> = [Some(0.0004), Some(0.002), Some(0.01), Some(0.2), None]
        .map(finding)
        .into();
    // Of 100 series, ranks 1, 2, 3 may have 0.0005, 0.001, 0.0015.
    assert_eq!(
        significant(&found, 100, 0.05),
        [true, false, false, false, true]
    );
    // A later rank that is below its bound takes those before it along: 0.01 ≤ 0.05 · 3 / 5.
    assert_eq!(
        significant(&found, 5, 0.05),
        [true, true, true, false, true]
    );
}
