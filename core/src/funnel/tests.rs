//! One user with very many events costs about one pass a step, whatever is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as Watch};

use serde_json::{Value, json};

use super::{DropOff, Funnel, FunnelAnswer, answer, drop_off};
use crate::access::{Permission, Principal, grant};
use crate::timeline::{Halt, Stop, Timelines, View};

const EVENTS: i64 = 200_000;

const START: i64 = 1_767_225_600_000_000;

/// One user with these events, `a`, `b`, `c` and `x` by their numbers, a second apart.
fn timelines(events: impl Iterator<Item = u16>) -> Timelines {
    let rows = (0..)
        .zip(events)
        .map(|(i, name)| (0, START + i * 1_000_000, name));
    let names = ["a", "b", "c", "x"].map(str::to_owned).to_vec();
    Timelines::from_rows(names, rows).unwrap()
}

/// The answer over a user with that many events a second apart, `a b c x a b c x …`, with two months to convert.
fn ask(options: Value) -> FunnelAnswer {
    ask_of(&timelines((0..EVENTS).map(|i| (i % 4) as u16)), options)
}

#[expect(clippy::disallowed_methods, reason = "a limit on how long it takes")]
fn ask_of(timelines: &Timelines, options: Value) -> FunnelAnswer {
    let mut question = json!({
        "steps": ["a", "b", "c"], "window": "60d", "startDate": "2026-01-01", "endDate": "2026-01-31",
    });
    for (name, value) in options.as_object().unwrap() {
        question[name] = value.clone();
    }
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let question = Funnel::parse(&question, &[], now).unwrap();
    let view = View::new(timelines, now);
    let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
    let watch = Watch::now();
    let answer = answer(&question, &view).unwrap();
    // A scan of all pairs would take hours.
    assert!(
        watch.elapsed() < Duration::from_secs(30),
        "{:?}",
        watch.elapsed()
    );
    answer
}

#[expect(clippy::disallowed_methods, reason = "a limit on how long it takes")]
#[test]
fn drop_off_points_of_windows_that_overlap() {
    let start = 1_767_225_600_000_000;
    let rows = (0..EVENTS).map(|i| (0, start + i * 1_000_000, (i % 4) as u16));
    let names = ["a", "b", "c", "x"].map(str::to_owned).to_vec();
    let timelines = Timelines::from_rows(names, rows).unwrap();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    for options in [
        json!({}),
        json!({"order": "any"}),
        json!({"unit": "totals", "totals": "every_entry"}),
    ] {
        let mut question = json!({
            "steps": ["a", "c"], "window": "60d", "startDate": "2026-01-01", "endDate": "2026-01-31", "minSupport": 1,
        });
        for (name, value) in options.as_object().unwrap() {
            question[name] = value.clone();
        }
        let question = DropOff::parse(&question, &[], now).unwrap();
        let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
        let watch = Watch::now();
        let answer = drop_off(&question, &View::new(&timelines, now)).unwrap();
        assert!(watch.elapsed() < Duration::from_secs(30), "{options}");
        assert_eq!(answer.conversion.entered, answer.conversion.converted);
        // Everybody has `b` on the way, so that it separates nobody.
        assert_eq!(
            (
                answer.steps[0].factors.tried,
                answer.steps[0].factors.untried
            ),
            (0, 1)
        );
    }
}

fn depths(options: Value) -> Vec<u64> {
    ask(options).steps.iter().map(|s| s.count).collect()
}

#[test]
fn ordered_funnels_with_gaps_grace_and_exclusions() {
    assert_eq!(depths(json!({"entry": "latest"})), [1, 1, 1]);
    let gaps = json!(["a", {"event": "b", "minGap": "1h"}, {"event": "c", "maxGap": 1}]);
    assert_eq!(depths(json!({"steps": gaps})), [1, 1, 1]);
    let never = json!(["a", {"event": "b", "minGap": 3}, {"event": "c", "maxGap": 0}]);
    assert_eq!(depths(json!({"steps": never})), [1, 1, 0]);
    assert_eq!(depths(json!({"grace": 1})), [1, 1, 1]);
    assert_eq!(depths(json!({"exclusions": ["x"]})), [1, 1, 1]);
    let backwards = json!({"steps": ["c", "b", "a"], "exclusions": ["x"]});
    assert_eq!(depths(backwards), [1, 1, 0]);
    assert_eq!(
        depths(json!({"steps": ["c", "b"], "exclusions": ["x"], "exclusionMode": "remove_user"})),
        [0, 0]
    );
    let optional = json!(["a", {"event": "x", "optional": true}, "b", {"event": "none", "optional": true}, "c"]);
    assert_eq!(depths(json!({"steps": optional})), [1, 1, 1, 0, 1]);
    assert_eq!(
        depths(json!({"steps": [null, null, null], "grace": 2})),
        [1, 1, 1]
    );
}

#[test]
fn strict_funnels() {
    assert_eq!(depths(json!({"order": "strict"})), [1, 1, 1]);
    assert_eq!(
        depths(json!({"order": "strict", "steps": ["a", "c"]})),
        [1, 0]
    );
}

#[test]
fn funnels_in_any_order() {
    assert_eq!(depths(json!({"order": "any"})), [1, 1, 1]);
    assert_eq!(
        depths(json!({"order": "any", "steps": ["a", "none", ["a", "b"]]})),
        [1, 1, 0]
    );
    assert_eq!(
        depths(json!({"order": "any", "steps": ["x", "a", "c"], "exclusions": ["b"]})),
        [1, 1, 1]
    );
    assert_eq!(
        depths(json!({"order": "any", "anchorFirst": true, "exclusions": ["x"]})),
        [1, 1, 1]
    );
}

#[test]
fn totals_and_trends() {
    let quarter = (EVENTS / 4) as u64;
    assert_eq!(depths(json!({"unit": "totals"})), [quarter; 3]);
    let every = json!({"unit": "totals", "totals": "every_entry", "exclusions": ["x"]});
    assert_eq!(depths(every), [quarter; 3]);
    assert_eq!(
        depths(json!({"unit": "totals", "order": "any"})),
        [quarter; 3]
    );
    assert_eq!(
        depths(json!({"unit": "sessions", "sessionTimeout": 0})),
        [quarter, 0, 0]
    );
    let answer = ask(json!({"trend": "daily", "entry": "latest"}));
    let entered = answer
        .trend
        .unwrap()
        .buckets
        .iter()
        .filter(|b| b.entered == 1)
        .count();
    assert_eq!(entered, 3);
}

/// First half of the events, then the other.
fn halves(first: u16, second: u16, last: &[u16]) -> Timelines {
    let half = || std::iter::repeat_n(0_u16, EVENTS as usize / 2);
    let (first, second) = (half().map(move |_| first), half().map(move |_| second));
    timelines(first.chain(second).chain(last.iter().copied()))
}

#[test]
fn every_entry_looks_past_what_cannot_be_in_time() {
    let half = (EVENTS / 2) as u64;
    let every = |steps: Value| json!({"unit": "totals", "totals": "every_entry", "steps": steps});
    let of = |timelines: &Timelines, options: Value| -> Vec<u64> {
        ask_of(timelines, options)
            .steps
            .iter()
            .map(|s| s.count)
            .collect()
    };
    // Only the very last b has its c in time.
    let late = halves(0, 1, &[2]);
    let steps = json!(["a", "b", {"event": "c", "maxGap": 1}]);
    assert_eq!(of(&late, every(steps)), [half; 3]);
    // What each waits for is far away, and where an exclusion could end it nothing does.
    let mut any = every(json!(["a", "c"]));
    any["order"] = json!("any");
    assert_eq!(of(&late, any)[0], half + 1);
    let mut never = every(json!(["a", "none"]));
    never["exclusions"] = json!(["x"]);
    assert_eq!(of(&late, never), [half, 0]);
    let mut far = every(json!(["a", "none"]));
    far["exclusions"] = json!(["x"]);
    assert_eq!(of(&halves(0, 2, &[3]), far), [half, 0]);
}

#[test]
fn in_any_order_entries_that_differ_have_stretches_that_differ() {
    // For an a the excluded b fills a step that is taken, for a c it does not: what each may have ends near and far.
    let pairs = (0..EVENTS / 2).map(|i| if i % 2 == 0 { 0 } else { 2 });
    let rest = std::iter::once(1).chain(std::iter::repeat_n(3, EVENTS as usize / 2));
    let options = json!({
        "order": "any", "unit": "totals", "totals": "every_entry", "steps": [["a", "b"], "c", "none"], "exclusions": ["b"],
    });
    let answer = ask_of(&timelines(pairs.chain(rest)), options);
    assert_eq!(answer.entered, (EVENTS / 2 + 1) as u64);
}

#[test]
fn a_plain_trend_looks_at_each_bucket_alone() {
    let rows = (0..EVENTS).map(|i| (0, START + i * 60_000_000, (i % 4) as u16));
    let names = ["a", "b", "c", "x"].map(str::to_owned).to_vec();
    let timelines = Timelines::from_rows(names, rows).unwrap();
    let options = json!({"steps": ["a", "b", "none"], "window": "1h", "trend": "daily", "endDate": "2026-05-18"});
    let answer = ask_of(&timelines, options);
    let entered = answer
        .trend
        .unwrap()
        .buckets
        .iter()
        .map(|b| b.entered)
        .sum::<u64>();
    assert_eq!(entered, 138);
}

/// A question that is given up in the middle of one user says so.
#[test]
fn a_search_within_one_user_can_be_given_up() {
    let timelines = timelines((0..EVENTS).map(|i| (i % 4) as u16));
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    for options in [
        json!({"steps": ["a", "b", "c"], "grace": 1, "unit": "totals", "totals": "every_entry"}),
        json!({"steps": ["a", "b", "c"], "order": "any", "unit": "totals", "totals": "every_entry"}),
        json!({"steps": ["a", {"event": "b", "optional": true}, "c"], "entry": "latest"}),
    ] {
        let mut question =
            json!({"startDate": "2026-01-01", "endDate": "2026-01-31", "window": "60d"});
        for (name, value) in options.as_object().unwrap() {
            question[name] = value.clone();
        }
        let question = Funnel::parse(&question, &[], now).unwrap();
        let scoped = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
        let asked = AtomicUsize::new(0);
        let until = |last: usize| {
            let stop = || {
                let n = asked.fetch_add(1, Ordering::Relaxed);
                (n >= last).then_some(Halt::TimedOut)
            };
            let view = View {
                stop: Stop::when(&stop),
                ..View::new(&timelines, now)
            };
            answer(&scoped, &view)
        };
        until(usize::MAX).unwrap();
        // Once before the only partition, once before the only user, once after both: the rest is within the search.
        let all = asked.swap(0, Ordering::Relaxed);
        assert!(all > 5, "asked {all} times: {options}");
        assert_eq!(until(3).unwrap_err().code(), "timed_out");
        let then = asked.load(Ordering::Relaxed);
        assert!(then < all, "asked {then} of {all} times: {options}");
    }
}

#[test]
fn many_events_at_one_time_that_fit_many_steps() {
    let start = START;
    let rows = (0..EVENTS).map(|i| (0, start, (i % 4) as u16));
    let names = ["a", "b", "c", "x"].map(str::to_owned).to_vec();
    let timelines = Timelines::from_rows(names, rows).unwrap();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    for options in [
        json!({"grace": 1}),
        json!({"order": "any"}),
        json!({"order": "strict"}),
        json!({"timed": "reached", "exclusions": [{"event": "x", "from": 1, "to": 4}], "entry": "latest"}),
    ] {
        let mut question = json!({"steps": [null, ["a", "b"], "b", null], "startDate": "2026-01-01", "endDate": "2026-01-31"});
        for (name, value) in options.as_object().unwrap() {
            question[name] = value.clone();
        }
        let question = Funnel::parse(&question, &[], now).unwrap();
        let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
        let answer = answer(&question, &View::new(&timelines, now)).unwrap();
        assert_eq!(answer.converted, 1, "{options}");
    }
}

/// Where chains were tried one by one, this would take for ever.
#[test]
fn more_overlapping_steps_than_events() {
    let names = vec!["a".to_owned()];
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    // Hours apart, and in pairs of one time.
    for pace in [3_600_000_000, 0] {
        let rows = (0..4_000).map(|i| {
            let (user, place) = (i / 20, i64::from(i % 20));
            (
                user,
                START + place / 2 * 7_200_000_000 + place % 2 * pace,
                0,
            )
        });
        let timelines = Timelines::from_rows(names.clone(), rows).unwrap();
        let steps: Vec<Value> = (0..24)
            .map(|k| {
                if k == 0 {
                    Value::Null
                } else {
                    json!({"event": null, "maxGap": "27d"})
                }
            })
            .collect();
        for options in [
            json!({}),
            json!({"exclusions": [{"event": "a", "from": 2, "to": 20}]}),
        ] {
            let mut question = json!({"steps": steps, "window": "30d", "startDate": "2026-01-01", "endDate": "2026-01-31"});
            for (name, value) in options.as_object().unwrap() {
                question[name] = value.clone();
            }
            let question = Funnel::parse(&question, &[], now).unwrap();
            let scoped = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
            let answer = answer(&scoped, &View::new(&timelines, now)).unwrap();
            let counts: Vec<u64> = answer.steps.iter().map(|s| s.count).collect();
            assert_eq!(counts, [vec![200; 20], vec![0; 4]].concat(), "{options}");
        }
    }
}
