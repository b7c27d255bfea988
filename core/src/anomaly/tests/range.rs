//! What is said of a bucket does not depend on the range it is asked in (G3).

use super::*;
use crate::anomaly::weeks::{self, Weeks};

/// Quarters of hours or hours of so many weeks, with incidents: one within a week, one over the end of a week, and a step that stays.
fn values(step: i64, weeks: i64) -> Vec<Option<(f64, f64)>> {
    let mut chance = ChaCha8Rng::seed_from_u64(6);
    let day = DAY / step;
    let last = (weeks - 4) * 7 * day;
    let values = (0..weeks * 7 * day).map(|at| {
        let of = |from: i64, hours: i64| (from..from + hours * HOUR / step).contains(&at);
        let factor = match () {
            () if of(last + 30 * HOUR / step, 5) => 0.3,
            () if of(last + 7 * day - 4 * HOUR / step, 9) => 2.0,
            () if at > last + 16 * day => 1.5,
            () => 1.0,
        };
        let hour = (at * step / HOUR % 24) as usize;
        let rhythm = CURVE[hour] * WEEKDAYS[(at / day % 7) as usize];
        Some((poisson(&mut chance, 3.0 * rhythm * factor), 1.0))
    });
    values.collect()
}

/// The range `[from, to)` of such a series, in buckets.
fn ask(step: i64, values: &[Option<(f64, f64)>], (from, to): (i64, i64)) -> (i64, Weeks) {
    let instant = |at: i64| Instant::saturating_from_micros(MONDAY + at * step);
    let first = (weeks::first(instant(from), step) - MONDAY).max(0) / step;
    let series = Series {
        start: instant(first),
        zone: Zone::named("Europe/Paris").unwrap(),
        values: values[first as usize..to as usize].to_vec(),
    };
    let whence = (instant(from), Some(MONDAY + 1));
    let settings = Settings::new(Measure::Count, step);
    (
        first,
        weeks::judge(settings, &series, whence, (Instant::MAX, 0)),
    )
}

#[test]
fn a_day_a_month_and_the_last_bucket_alone_say_the_same_of_each_bucket() {
    for (step, all) in [(HOUR, 19), (15 * MINUTE, 12)] {
        let values = values(step, all);
        let (day, end) = (DAY / step, all * 7 * DAY / step);
        let month = end - 28 * day;
        let (first, wide) = ask(step, &values, (month, end));
        assert!(wide.findings.len() >= 3, "{:?}", wide.findings);
        // Mondays, the day before one and the days after.
        for from in [0, 1, 7, 8, 9, 20].map(|n| month + n * day) {
            let (start, narrow) = ask(step, &values, (from, from + day));
            for at in from..from + day {
                assert_eq!(
                    narrow.judged[(at - start) as usize],
                    wide.judged[(at - first) as usize],
                    "{step} {at}"
                );
            }
            let span = MONDAY + from * step..MONDAY + (from + day) * step;
            let begun = |weeks: &Weeks| -> Vec<(Direction, Instant, Instant)> {
                let within = weeks.findings.iter();
                let within = within.filter(|f| span.contains(&f.found_at.micros()));
                within.map(|f| (f.direction, f.since, f.found_at)).collect()
            };
            assert_eq!(begun(&narrow), begun(&wide), "{step} {from}");
            // An alert asks for the last bucket alone.
            let (start, last) = ask(step, &values, (from - 2, from));
            let at = (from - 1 - start) as usize;
            let unusual = last.judged[at].as_ref().unwrap().unusual;
            let known = wide.judged.get((from - 1 - first) as usize);
            if let Some(known) = known.and_then(Option::as_ref) {
                assert_eq!(unusual, known.unusual, "{step} {from}");
            }
            assert_eq!(last.open().is_some(), unusual, "{step} {from}");
        }
    }
}

#[test]
fn what_goes_on_over_the_end_of_a_week_is_told_once() {
    for (step, all) in [(HOUR, 19), (15 * MINUTE, 12)] {
        let values = values(step, all);
        let end = all * 7 * DAY / step;
        let (_, wide) = ask(step, &values, (end - 28 * DAY / step, end));
        let monday = MONDAY + (all - 3) * WEEK;
        let over: Vec<_> = (wide.findings.iter())
            .filter(|f| f.since.micros() < monday + 9 * HOUR && monday - DAY < f.since.micros())
            .collect();
        let [finding] = &over[..] else {
            panic!("{step} {:?}", wide.findings)
        };
        assert_eq!(finding.since.micros(), monday - 4 * HOUR);
        let until = finding.until.unwrap().micros() - (monday + 5 * HOUR);
        assert!(until.abs() <= step, "{finding:?}");
        assert_eq!(
            (finding.shape, finding.direction),
            (Shape::Burst, Direction::Up)
        );
    }
}
