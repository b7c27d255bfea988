//! A record of many entries on both engines: as many as `TRAVELSENSE_ENTRIES` says, with how long each thing took.

use std::time::Instant as Watch;

use serde_json::{Value, json};

use super::{at, option};
use crate::access::Principal;
use crate::audit::{Act, Outcome, append, entry, list, verify};
use crate::metadata::tests::engines;
use crate::metadata::{Entry, MetadataStore, change, read};
use crate::timeline::Course;

/// Who did what in the entry of this number.
fn made(n: i64) -> Entry {
    let who = Principal::new(format!("u{}", n % 50), "admin").asking("192.0.2.1", format!("r{n}"));
    let action = ["dashboard.read", "dashboard.update", "query.realtime"][(n % 3) as usize];
    let act = Act::new(action, format!("dashboard/{}", n % 1_000));
    let outcome = if n % 97 == 0 {
        Outcome::Refused
    } else {
        Outcome::Allowed
    };
    entry(&who, &act, (outcome, "the role has the permission"), at(n))
}

/// How long something took, told on the way.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is told and decides nothing"
)]
fn timed<T>(engine: &str, what: &str, work: impl FnOnce() -> T) -> T {
    let watch = Watch::now();
    let done = work();
    eprintln!("{engine}: {what}: {:?}", watch.elapsed());
    done
}

/// Holds a list against the entries that are wanted, the latest first.
fn listed(engine: &str, store: &dyn MetadataStore, asked: &Value, wanted: &[i64]) {
    let found = timed(engine, &asked.to_string(), || {
        read(store, |s| list(s, asked))
    })
    .unwrap();
    assert_eq!(found.total, wanted.len() as u64, "{engine}: {asked}");
    let seen: Vec<i64> = found.entries.iter().map(|e| e.seq).collect();
    let page: Vec<i64> = wanted
        .iter()
        .skip(found.offset)
        .take(found.limit)
        .copied()
        .collect();
    assert_eq!(seen, page, "{engine}: {asked}");
}

#[test]
fn a_record_of_many_entries_is_listed_and_verified() {
    let count = i64::from(option("TRAVELSENSE_ENTRIES").unwrap_or(2_500));
    engines(|engine, store| {
        timed(engine, "append", || {
            for batch in (1..=count).collect::<Vec<_>>().chunks(1_000) {
                let fresh = batch.iter().map(|n| made(*n)).collect();
                change(store, |s| append(s, fresh)).unwrap();
            }
        });
        timed(engine, "append one", || {
            change(store, |s| append(s, vec![made(count + 1)])).unwrap();
        });
        let count = count + 1;
        let those = |wanted: &dyn Fn(i64) -> bool| -> Vec<i64> {
            (1..=count).rev().filter(|n| wanted(*n)).collect()
        };
        listed(engine, store, &json!({}), &those(&|_| true));
        let far = json!({ "limit": 100, "offset": count - 150 });
        listed(engine, store, &far, &those(&|_| true));
        let who = json!({ "who": "u7", "limit": 20 });
        listed(engine, store, &who, &those(&|n| n % 50 == 7));
        let action = json!({ "action": "dashboard", "limit": 20 });
        listed(engine, store, &action, &those(&|n| n % 3 != 2));
        let object = json!({ "object": "dashboard/77" });
        listed(engine, store, &object, &those(&|n| n % 1_000 == 77));
        let refused = json!({ "outcome": "refused", "action": "query.realtime" });
        listed(
            engine,
            store,
            &refused,
            &those(&|n| n % 97 == 0 && n % 3 == 2),
        );
        let (from, to) = (count / 2, count / 2 + 40);
        let span = json!({ "from": at(from), "to": at(to), "who": "u3" });
        listed(
            engine,
            store,
            &span,
            &those(&|n| (from..to).contains(&n) && n % 50 == 3),
        );
        let whole = timed(engine, "verify", || {
            read(store, |s| verify(s, &[], Course::default()))
        })
        .unwrap();
        assert_eq!(
            (whole.entries, whole.broken),
            (count as u64, None),
            "{engine}"
        );
        let changed = count * 3 / 4;
        change(store, |s| {
            s.execute(
                "update entries set who = 'somebody else' where seq = $1",
                &[changed.into()],
            )
        })
        .unwrap();
        let broken = read(store, |s| verify(s, &[], Course::default()))
            .unwrap()
            .broken;
        assert_eq!(broken.map(|b| b.seq), Some(changed), "{engine}");
    });
}
