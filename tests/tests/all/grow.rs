//! Timelines that grow with the store, event by event and as people turn out to be one, are those built anew from it (I2, I5).

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use travelsense::events::Table;
use travelsense::timeline::Timelines;
use travelsense::{Analytics, Instant, Principal};
use travelsense_tests::oracle::numbers;

use crate::cases::agree;
use crate::generate::{NAMES, NOW, SECOND};
use crate::store;

const CASES: u32 = 40;

/// An event: an id, a user or none, a device or none, a minute, a name.
type Draft = (Option<u8>, Option<u8>, Option<u8>, u8, u8);

/// A change to a store.
#[derive(Clone, Debug)]
enum Change {
    /// Events come, early or late, some for the second time or with other content.
    Events(Vec<Draft>),
    /// A device turns out to be a user's, or is signed out.
    Alias(u8, Option<u8>, u8),
    /// A user turns out to be another, or not to be.
    Merge(u8, Option<u8>),
    /// A user is forgotten.
    Erase(u8),
}

fn change() -> impl Strategy<Value = Change> {
    let user = || 0_u8..5;
    let event = (
        proptest::option::weighted(0.4, 0_u8..8),
        proptest::option::weighted(0.6, user()),
        proptest::option::weighted(0.6, 0_u8..3),
        0_u8..30,
        0_u8..4,
    );
    prop_oneof![
        5 => vec(event, 1..12).prop_map(Change::Events),
        2 => (0_u8..3, proptest::option::weighted(0.8, user()), 0_u8..30)
            .prop_map(|(device, user, at)| Change::Alias(device, user, at)),
        2 => (user(), proptest::option::weighted(0.7, user())).prop_map(|(a, b)| Change::Merge(a, b)),
        1 => user().prop_map(Change::Erase),
    ]
}

fn minute(n: u8) -> String {
    numbers::instant(1_700_000_000 * SECOND + i64::from(n) * 60 * SECOND)
}

fn apply(store: &Analytics, change: &Change) {
    let user = |n: &Option<u8>| n.map(|n| format!("u{n}"));
    let device = |n: &Option<u8>| n.map(|n| format!("d{n}"));
    match change {
        Change::Events(drafts) => {
            let event = |(id, who, on, at, name): &Draft| {
                json!({
                    "eventId": id.map(|n| n.to_string()),
                    "userId": user(who),
                    "anonymousId": device(on),
                    "ts": minute(*at),
                    "name": NAMES[usize::from(*name)],
                })
            };
            store::ingest(store, &drafts.iter().map(event).collect::<Vec<_>>());
        }
        Change::Alias(on, who, at) => {
            let row = json!({ "anonymousId": device(&Some(*on)), "userId": user(who), "ts": minute(*at) });
            store::import(store, Table::Aliases, &[row]);
        }
        Change::Merge(one, other) => {
            let row = json!({ "mergedUserId": user(&Some(*one)), "userId": user(other), "ts": minute(0) });
            store::import(store, Table::Merges, &[row]);
        }
        Change::Erase(who) => {
            store
                .erase(&Principal::owner(), &[&format!("u{who}")])
                .expect("a user may be forgotten");
        }
    }
}

/// Everything that timelines say.
fn all(timelines: &Timelines) -> Value {
    let users: Vec<Value> = (0..timelines.head().users)
        .map(|key| {
            let t = timelines.user(key);
            json!([t.ts, t.name, t.row])
        })
        .collect();
    let late = Instant::from_micros(NOW).expect("an instant");
    json!({
        "users": users,
        "head": format!("{:?}", timelines.head()),
        "names": timelines.names(),
        "unattributed": timelines.unattributed(late),
    })
}

fn answer(store: &Analytics) -> String {
    let question = json!({
        "steps": ["A", "B", "C"], "window": 600, "startDate": "2023-11-01", "endDate": "2023-11-30",
        "breakdown": {"property": {"user": "plan"}},
    });
    store
        .ask(&Principal::owner(), "funnel", &question)
        .expect("an answer")
}

#[test]
fn i2_i5_timelines_that_grew_are_those_built_anew() {
    agree(CASES, &vec(change(), 1..10), |changes| {
        let (grown, anew) = (store::open(NOW, 2), store::open(NOW, 1));
        for (n, change) in changes.iter().enumerate() {
            for store in [&grown, &anew] {
                apply(store, change);
            }
            anew.rebuild(&Principal::owner())
                .map_err(|e| e.to_string())?;
            let of = |store: &Analytics| {
                store
                    .timelines()
                    .map(|t| all(&t))
                    .map_err(|e| e.to_string())
            };
            let (one, other) = (of(&grown)?, of(&anew)?);
            if one != other {
                return Err(format!("after {n}:\n{one}\ninstead of\n{other}"));
            }
            let (one, other) = (answer(&grown), answer(&anew));
            if one != other {
                return Err(format!("after {n}:\n{one}\ninstead of\n{other}"));
            }
        }
        Ok(())
    });
}
