use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::person::{NOBODY, What};
use super::places::CURRENCIES;
use super::*;

/// The SHA-256 of [`small`] with seed 1. It changes only with what the demo is; say so in the changelog.
const DIGEST: &str = "538f6867ea0641e91044cbaee16475c275b9cc3d04f6160ee63a63229e0d14fe";

fn end() -> Instant {
    "2026-03-15T09:30:00Z".parse().unwrap()
}

fn small(seed: u64) -> Demo {
    Demo {
        seed,
        users: 300,
        days: 21,
        ..Demo::until(end())
    }
}

/// A tenth of the default, large enough for its shape.
fn tenth() -> World {
    Demo {
        users: 5_000,
        ..Demo::until(end())
    }
    .make()
    .unwrap()
}

fn digest(world: &World) -> String {
    let mut all = Vec::new();
    for table in Table::ALL {
        let lines = world.write_ndjson(table, &mut all).unwrap();
        assert_eq!(lines, world.count(table), "{table:?}");
    }
    Sha256::digest(&all)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Each person's events in the order of their times, without the copies.
fn lives(world: &World) -> Vec<Vec<Event>> {
    let mut lives = vec![Vec::new(); world.people.len()];
    for event in world.all.events.iter().filter(|e| e.person != NOBODY) {
        lives[event.person as usize].push(*event);
    }
    for life in &mut lives {
        life.sort_by_key(|e| (e.seq, e.received));
        life.dedup_by_key(|e| e.seq);
    }
    lives
}

fn count(world: &World, from: i64, to: i64, wanted: fn(What) -> bool) -> usize {
    world
        .all
        .events
        .iter()
        .filter(|e| from <= e.ts && e.ts < to && wanted(e.what))
        .count()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(digest(&small(1).make().unwrap()), DIGEST);
    assert_ne!(digest(&small(2).make().unwrap()), DIGEST);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| digest(&small(7).make().unwrap()))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn the_default_is_about_a_million_events_of_50_000_people() {
    let world = Demo::until(end()).make().unwrap();
    let events = world.count(Table::Events);
    assert!((950_000..1_100_000).contains(&events), "{events} events");
    let people: BTreeSet<u32> = world.all.events.iter().map(|e| e.person).collect();
    assert_eq!(people.len(), 50_001, "50,000 and nobody");
}

#[test]
fn sundays_are_busier_than_wednesdays_and_evenings_busier_than_nights() {
    let world = tenth();
    let mut days = [0; 7];
    let mut hours = [0; 24];
    // Twelve whole weeks, so that each weekday is there as often.
    let from = (world.demo.start() / DAY + 1) * DAY;
    let berlin = crate::query::Zone::named("Europe/Berlin").unwrap();
    for e in world
        .all
        .events
        .iter()
        .filter(|e| (from..from + 84 * DAY).contains(&e.ts))
    {
        // 1970-01-01 was a Thursday.
        days[((e.ts / DAY + 3) % 7) as usize] += 1;
        if e.person != NOBODY && world.people[e.person as usize].country() == "DE" {
            let offset = berlin.offset(Instant::from_micros(e.ts).unwrap());
            hours[((e.ts + offset) / HOUR % 24) as usize] += 1;
        }
    }
    assert!(days[6] > days[2] * 12 / 10, "{days:?}");
    assert!(hours[20] > hours[3] * 8, "{hours:?}");
}

#[test]
fn in_the_outage_errors_are_up_and_bookings_are_down() {
    let world = Demo {
        users: 30_000,
        days: 40,
        ..Demo::until(end())
    }
    .make()
    .unwrap();
    let outage = Rhythm::of(&world.demo).unwrap().outage;
    let during = |days: i64, wanted| {
        count(
            &world,
            outage.from - days * DAY,
            outage.to - days * DAY,
            wanted,
        )
    };
    let errors = |days| during(days, |w| matches!(w, What::Error { .. }));
    let bookings = |days| during(days, |w| matches!(w, What::CompleteBooking { .. }));
    let before: usize = (1..=7).map(errors).sum();
    assert!(
        errors(0) > before,
        "{} errors, {before} in the seven days before",
        errors(0)
    );
    let before: usize = (1..=7).map(bookings).sum();
    assert!(
        before > 20 && bookings(0) * 7 * 4 < before,
        "{} bookings, {before} in the seven days before",
        bookings(0)
    );
    let slow = |from, to| {
        let of: Vec<i64> = world
            .samples
            .iter()
            .filter(|s| (from..to).contains(&s.at))
            .map(|s| s.micros)
            .collect();
        of.iter().sum::<i64>() / of.len() as i64
    };
    assert!(slow(outage.from, outage.to) > 5 * slow(outage.from - DAY, outage.to - DAY));
}

#[test]
fn the_campaign_brings_many_new_people() {
    let world = tenth();
    let campaign = Rhythm::of(&world.demo).unwrap().campaign;
    let first = |life: &Vec<Event>| life.first().map(|e| e.ts);
    let came: Vec<i64> = lives(&world).iter().filter_map(first).collect();
    let during = |weeks: i64| {
        let from = campaign.from - weeks * 7 * DAY;
        came.iter()
            .filter(|at| (from..from + 4 * DAY).contains(at))
            .count()
    };
    assert!(during(0) > 2 * during(1), "{} and {}", during(0), during(1));
}

#[test]
fn some_events_come_twice_some_late_some_out_of_order_and_all_after_they_happened() {
    let world = tenth();
    let events = &world.all.events;
    let per_mille = |n: usize| n * 1_000 / events.len();
    let distinct: BTreeSet<(u32, u32)> = events.iter().map(|e| (e.person, e.seq)).collect();
    let copies = events.len() - distinct.len();
    assert!((4..=10).contains(&per_mille(copies)), "{copies} copies");
    let late = events.iter().filter(|e| e.received - e.ts > HOUR).count();
    assert!((5..=30).contains(&per_mille(late)), "{late} late");
    let disorder = events.windows(2).filter(|w| w[0].ts > w[1].ts).count();
    assert!(per_mille(disorder) > 20, "{disorder} out of order");
    assert!(
        events.windows(2).all(|w| w[0].received <= w[1].received),
        "not in the order received"
    );
    assert!(
        events.iter().all(|e| e.received > e.ts),
        "received before it happened"
    );
    let nobody = events.iter().filter(|e| e.person == NOBODY).count();
    assert!((1..=6).contains(&per_mille(nobody)), "{nobody} of nobody");
}

#[test]
fn a_visitor_is_anonymous_first_and_the_same_device_is_known_later() {
    let world = tenth();
    let mut joined = 0;
    for life in lives(&world) {
        let up = life.iter().position(|e| matches!(e.what, What::SignUp));
        let Some(up) = up.filter(|up| *up > 0) else {
            continue;
        };
        joined += 1;
        assert!(life[..up].iter().all(|e| !e.known) && life[up].known);
        assert_eq!(life[up - 1].device, life[up].device);
    }
    assert!(joined > 1_000, "{joined} joined");

    let mut lines = Vec::new();
    small(1)
        .make()
        .unwrap()
        .write_ndjson(Table::Events, &mut lines)
        .unwrap();
    let mut both: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    for line in std::str::from_utf8(&lines).unwrap().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        if let Some(anonymous) = text("anonymous_id") {
            both.entry(anonymous).or_default().insert(text("user_id"));
        }
    }
    assert!(both.values().filter(|users| users.len() == 2).count() > 50);
    assert!(
        both.values()
            .all(|users| users.iter().flatten().count() <= 1),
        "a device of two members"
    );
}

#[test]
fn weekly_cohorts_decay_and_do_not_vanish() {
    let world = tenth();
    let mut back = [0; 9];
    let start = world.demo.start();
    for life in lives(&world) {
        let Some(first) = life
            .first()
            .filter(|e| (7..28).contains(&((e.ts - start) / DAY)))
        else {
            continue;
        };
        let weeks: BTreeSet<i64> = life.iter().map(|e| (e.ts - first.ts) / (7 * DAY)).collect();
        for (week, users) in back.iter_mut().enumerate() {
            *users += u32::from(weeks.contains(&(week as i64)));
        }
    }
    let share = back.map(|users| users * 100 / back[0]);
    assert!(
        (25..=50).contains(&share[1]) && (8..=25).contains(&share[8]),
        "{share:?}"
    );
    assert!(
        share.windows(2).skip(1).filter(|w| w[0] < w[1]).count() <= 2,
        "{share:?}"
    );
}

#[test]
fn about_nine_of_a_hundred_who_search_book() {
    let mut reached = [0; 4];
    for life in lives(
        &Demo {
            users: 20_000,
            ..Demo::until(end())
        }
        .make()
        .unwrap(),
    ) {
        let step = |w: What| match w {
            What::Search { .. } => 0,
            What::ViewTrip { .. } => 1,
            What::StartBooking { .. } => 2,
            What::CompleteBooking { .. } => 3,
            _ => 9,
        };
        let depth = |from: usize| {
            let near = life[from..]
                .iter()
                .take_while(|e| e.ts - life[from].ts <= 14 * DAY);
            near.fold(0, |depth, e| {
                if step(e.what) == depth {
                    depth + 1
                } else {
                    depth
                }
            })
        };
        let best = (0..life.len()).map(depth).max().unwrap_or(0);
        reached.iter_mut().take(best).for_each(|users| *users += 1);
    }
    let share = reached.map(|users| users * 100 / reached[0]);
    assert!((50..=65).contains(&share[1]), "{share:?}");
    assert!((14..=22).contains(&share[2]), "{share:?}");
    assert!((7..=11).contains(&share[3]), "{share:?}");
}

#[test]
fn a_feature_is_used_from_its_release_on_and_more_and_more() {
    let world = tenth();
    let release = Rhythm::of(&world.demo).unwrap().release;
    let uses = |from, to| {
        count(&world, from, to, |w| {
            matches!(
                w,
                What::Feature {
                    name: "price_alert",
                    ..
                }
            )
        })
    };
    assert_eq!(uses(0, release), 0);
    assert!(uses(release, release + 7 * DAY) * 2 < uses(release + 28 * DAY, release + 35 * DAY));
}

#[test]
fn events_go_on_for_the_live_hours_and_end_with_them() {
    let world = tenth();
    let end = end().micros();
    for hour in 0..24 {
        let live = count(&world, end + hour * HOUR, end + (hour + 1) * HOUR, |_| true);
        assert!(live > 5, "{live} events in the hour {hour} after the end");
    }
    assert!(world.all.events.iter().all(|e| e.ts < end + 24 * HOUR));
}

#[test]
fn payments_are_exact_and_each_has_a_rate_of_its_day() {
    let world = tenth();
    let rates: BTreeSet<(&str, i64)> = world.rates.iter().map(|r| (r.currency, r.day)).collect();
    let mut digits: BTreeMap<&str, u32> = CURRENCIES.iter().map(|c| (c.code, c.digits)).collect();
    let mut seen = BTreeMap::new();
    let mut of_events = 0;
    for event in lives(&world).into_iter().flatten() {
        let What::Payment { amount, .. } = event.what else {
            continue;
        };
        of_events += amount;
        let currency = world.people[event.person as usize].currency();
        assert_eq!(digits.get(currency.code), Some(&currency.digits));
        assert!(currency.code == "EUR" || rates.contains(&(currency.code, event.ts / DAY)));
        *seen.entry(currency.code).or_insert(0) += 1;
    }
    digits.retain(|code, _| !seen.contains_key(code));
    assert!(digits.len() <= 1, "never paid with: {digits:?}");
    assert_eq!(
        of_events,
        world.all.payments.iter().map(|p| p.amount).sum::<i64>()
    );
}

#[test]
fn decimals_keep_their_sign_and_their_zeros() {
    let text = |minor, digits| places::decimal(minor, digits);
    assert_eq!(text(-1_230, 2), "-12.30");
    assert_eq!(text(-5, 3), "-0.005");
    assert_eq!(text(700, 0), "700");
}

#[test]
fn settings_out_of_bounds_are_errors() {
    let code = |demo: Demo| demo.make().unwrap_err().code();
    assert_eq!(
        code(Demo {
            users: 0,
            ..small(1)
        }),
        "validation_failed"
    );
    assert_eq!(
        code(Demo {
            days: 0,
            ..small(1)
        }),
        "validation_failed"
    );
    assert_eq!(
        code(Demo {
            live_hours: 9_000,
            ..small(1)
        }),
        "validation_failed"
    );
    assert_eq!(
        code(Demo {
            end: Instant::default(),
            ..small(1)
        }),
        "demo_out_of_range"
    );
    assert_eq!(
        code(Demo {
            end: Instant::MAX,
            ..small(1)
        }),
        "demo_out_of_range"
    );
}

#[test]
fn the_smallest_demo_is_made_too() {
    let world = Demo {
        users: 1,
        days: 1,
        live_hours: 0,
        ..small(1)
    }
    .make()
    .unwrap();
    assert!(world.count(Table::Events) > 0);
}
