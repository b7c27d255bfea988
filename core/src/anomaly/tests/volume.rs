//! Shares and amounts of few hits: chance is not told, and what changes is.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{MONDAY, normal, poisson};
use crate::anomaly::settings::{HOUR, WEEK};
use crate::anomaly::{Direction, Finding, Measure, Series, Settings, scan};
use crate::query::{Instant, Zone};

/// Five weeks to learn from and four more, hour by hour, twice as much by day and half as much again at weekends: how many findings
/// the last four have, on average over so many series.
fn found_by_chance(measure: Measure, draw: impl Fn(&mut ChaCha8Rng, f64) -> (f64, f64)) -> f64 {
    let seeds = 12;
    let mut found = 0;
    for seed in 0..seeds {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let values = (0..9 * 168)
            .map(|hour| {
                let day = if (8..20).contains(&(hour % 24)) {
                    2.0
                } else {
                    1.0
                };
                let weekend = if hour / 24 % 7 > 4 { 1.5 } else { 1.0 };
                let (value, of) = draw(&mut chance, day * weekend);
                (measure != Measure::Share || of > 0.0).then_some((value, of))
            })
            .collect();
        let series = Series {
            start: Instant::saturating_from_micros(MONDAY),
            zone: Zone::default(),
            values,
        };
        let scanned = scan(Settings::new(measure, HOUR), &series, Instant::MAX, 0);
        let late = |f: &&Finding| f.found_at.micros() >= MONDAY + 5 * WEEK;
        found += scanned.findings.iter().filter(late).count();
    }
    found as f64 / seeds as f64
}

#[test]
fn chance_alone_is_found_less_than_once_in_four_weeks() {
    type Price = fn(&mut ChaCha8Rng) -> f64;
    let prices: [(&str, Price); 3] = [
        ("fixed", |_| 10.0),
        ("uniform", |chance| 1.0 + 29.0 * chance.random::<f64>()),
        ("lognormal", |chance| (5.0 + normal(chance)).exp()),
    ];
    for hourly in [2.0, 5.0, 20.0, 60.0] {
        for (name, price) in prices {
            let found = found_by_chance(Measure::Amount, |chance, busy| {
                let amounts = (0..poisson(chance, hourly * busy) as u64).map(|_| price(chance));
                amounts.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x))
            });
            assert!(found < 1.0, "{hourly} payments an hour, {name}: {found}");
        }
        for share in [0.04, 0.3, 0.95] {
            let found = found_by_chance(Measure::Share, |chance, busy| {
                let of = poisson(chance, 5.0 * hourly * busy);
                let rare = f64::min(share, 1.0 - share);
                let rare_hits = poisson(chance, of * rare).min(of);
                (
                    if share < 0.5 {
                        rare_hits
                    } else {
                        of - rare_hits
                    },
                    of,
                )
            });
            assert!(found < 1.0, "{share} of {} an hour: {found}", 5.0 * hourly);
        }
    }
    // Two payments in most hours and three in some: the median hour is exactly as expected, and still it varies.
    let found = found_by_chance(Measure::Amount, |chance, _| {
        let payments = if chance.random::<f64>() < 1.0 / 3.0 {
            3.0
        } else {
            2.0
        };
        (2.0 * payments, 4.0 * payments)
    });
    assert!(found < 1.0, "two or three payments: {found}");
}

#[test]
fn money_and_shares_that_change_are_found() {
    let change = 6 * 168 + 36;
    let find = |measure: Measure, factor: f64, hours: usize| {
        let mut chance = ChaCha8Rng::seed_from_u64(14);
        let values = (0..7 * 168).map(|hour| {
            let off = if (change..change + hours).contains(&hour) {
                factor
            } else {
                1.0
            };
            Some(match measure {
                Measure::Share => {
                    let of = poisson(&mut chance, 1_000.0);
                    (poisson(&mut chance, of * 0.04 * off).min(of), of)
                }
                _ => (0..poisson(&mut chance, 60.0 * off) as u64)
                    .map(|_| 1.0 + 29.0 * chance.random::<f64>())
                    .fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x)),
            })
        });
        let series = Series {
            start: Instant::saturating_from_micros(MONDAY),
            zone: Zone::default(),
            values: values.collect(),
        };
        let settings = Settings::new(measure, HOUR);
        let found = scan(settings, &series, Instant::MAX, 0).findings;
        let hour = |f: &Finding| ((f.found_at.micros() - MONDAY) / HOUR) as usize;
        let within = |f: &&Finding| (change..change + hours).contains(&hour(f));
        let Some(finding) = found.iter().find(within) else {
            panic!("{measure:?} times {factor} is not found: {found:?}")
        };
        assert_eq!(finding.direction == Direction::Up, factor > 1.0);
        assert!(finding.p_value.unwrap() < 0.01, "{finding:?}");
    };
    for measure in [Measure::Amount, Measure::Share] {
        // All or most is gone, or much comes: one hour is enough. Half or half as much again takes some.
        find(measure, 0.0, 1);
        find(measure, 2.5, 1);
        find(measure, 0.5, 6);
        find(measure, 1.6, 8);
    }
}
