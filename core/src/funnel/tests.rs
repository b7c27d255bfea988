//! One user with very many events costs about one pass a step, whatever is asked.

use std::time::{Duration, Instant as Watch};

use serde_json::{Value, json};

use super::{DropOff, Funnel, FunnelAnswer, answer, drop_off};
use crate::access::{Permission, Principal, grant};
use crate::timeline::{Timelines, View};

const EVENTS: i64 = 200_000;

#[expect(clippy::disallowed_methods, reason = "a limit on how long it takes")]
/// The answer over a user with that many events a second apart, `a b c x a b c x …`, with two months to convert.
fn ask(options: Value) -> FunnelAnswer {
    let start = 1_767_225_600_000_000;
    let rows = (0..EVENTS).map(|i| (0, start + i * 1_000_000, (i % 4) as u16));
    let names = ["a", "b", "c", "x"].map(str::to_owned).to_vec();
    let timelines = Timelines::from_rows(names, rows).unwrap();
    let mut question = json!({
        "steps": ["a", "b", "c"], "window": "60d", "startDate": "2026-01-01", "endDate": "2026-01-31",
    });
    for (name, value) in options.as_object().unwrap() {
        question[name] = value.clone();
    }
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let question = Funnel::parse(&question, &[], now).unwrap();
    let view = View::new(&timelines, now);
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

#[test]
fn many_events_at_one_time_that_fit_many_steps() {
    let start = 1_767_225_600_000_000;
    let rows = (0..EVENTS).map(|i| (0, start, (i % 4) as u16));
    let names = ["a", "b", "c", "x"].map(str::to_owned).to_vec();
    let timelines = Timelines::from_rows(names, rows).unwrap();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    for options in [
        json!({"grace": 1}),
        json!({"order": "any"}),
        json!({"order": "strict"}),
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
