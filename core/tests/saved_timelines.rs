//! Timelines saved beside the file: found again, brought forward, and never trusted where they do not fit.
#![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use travelsense::timeline::{Course, Timelines};
use travelsense::warehouse::{Duckdb, Open, Warehouse};
use travelsense::{Analytics, Instant, Principal};

fn ingest(path: &Path, events: &[(&str, &str, u32)]) {
    let rows = events.iter().map(|(user, name, second)| {
        json!({
            "userId": user,
            "name": name,
            "ts": format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60),
        })
    });
    let store = Analytics::open(path).unwrap();
    store
        .ingest(&Principal::owner(), &Value::Array(rows.collect()))
        .unwrap();
    store.close();
}

fn warehouse(path: &Path) -> Duckdb {
    Duckdb::open(&Open {
        path: Some(path.to_owned()),
        read_only: false,
        threads: None,
        memory_limit: None,
        now: Instant::default(),
    })
    .unwrap()
}

type Rows = Vec<(i64, u16, u32)>;

fn all(timelines: &Timelines) -> Vec<Rows> {
    (0..timelines.head().users)
        .map(|user| {
            let t = timelines.user(user);
            let rows = t.ts.iter().zip(t.name).zip(t.row);
            rows.map(|((ts, name), row)| (*ts, *name, *row)).collect()
        })
        .collect()
}

/// A file with three events, its timelines saved.
fn saved(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("w.db");
    ingest(&path, &[("u", "a", 1), ("u", "b", 2), ("v", "a", 3)]);
    let w = warehouse(&path);
    assert!(Timelines::saved(&w, None).unwrap().is_none());
    let built = Timelines::build(&w, None, Course::default()).unwrap();
    assert!(built.save(&w).unwrap());
    path
}

#[test]
fn they_are_found_again_and_brought_forward() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let w = warehouse(&path);
    let found = Timelines::saved(&w, None).unwrap().unwrap();
    assert_eq!(found.head(), &w.head().unwrap());
    assert_eq!(
        all(&found),
        all(&Timelines::build(&w, None, Course::default()).unwrap())
    );
    drop(w);
    ingest(&path, &[("w", "c", 5), ("u", "c", 0)]);
    let w = warehouse(&path);
    let found = Timelines::saved(&w, None).unwrap().unwrap();
    assert!(found.head().version < w.head().unwrap().version);
    let forward = found.updated(&w, None, Course::default()).unwrap();
    assert_eq!(
        all(&forward),
        all(&Timelines::build(&w, None, Course::default()).unwrap())
    );
}

#[test]
fn any_damage_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let w = warehouse(&path);
    let file = folder.path().join("w.db.timelines");
    let whole = fs::read(&file).unwrap();
    // Bytes between sections are padding, which nobody reads.
    let mut seen = 0;
    for at in (0..whole.len()).step_by(997).chain(0..600) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::remove_file(&file).unwrap();
        fs::write(&file, &damaged).unwrap();
        // Looked at while the store is opened, or when it is.
        let ahead = (at % 2 == 0).then(|| Timelines::ahead(&path)).flatten();
        match Timelines::saved_ahead(&w, None, ahead).unwrap() {
            None => seen += 1,
            Some(found) => assert_eq!(
                all(&found),
                all(&Timelines::build(&w, None, Course::default()).unwrap())
            ),
        }
    }
    assert!(seen > 600, "{seen}");
    for end in [0, 7, 15, 100, whole.len() / 2, whole.len() - 1] {
        fs::remove_file(&file).unwrap();
        fs::write(&file, &whole[..end]).unwrap();
        assert!(Timelines::saved(&w, None).unwrap().is_none(), "{end}");
    }
}

#[test]
fn those_of_other_data_are_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path());
    let copy = folder.path().join("copy.db");
    // A backup from before they were saved, which then went another way to as many versions.
    let other = folder.path().join("other.db");
    ingest(&other, &[("x", "z", 1), ("y", "z", 2), ("y", "z", 3)]);
    fs::copy(&path, &copy).unwrap();
    fs::copy(&other, &path).unwrap();
    assert!(Timelines::saved(&warehouse(&path), None).unwrap().is_none());
    let ahead = Timelines::ahead(&path);
    assert!(ahead.is_some());
    let found = Timelines::saved_ahead(&warehouse(&path), None, ahead);
    assert!(found.unwrap().is_none());
    // The right file is trusted again.
    fs::copy(&copy, &path).unwrap();
    let ahead = Timelines::ahead(&path);
    let found = Timelines::saved_ahead(&warehouse(&path), None, ahead);
    assert!(found.unwrap().is_some());
    assert!(Timelines::saved(&warehouse(&path), None).unwrap().is_some());
}

#[test]
fn larger_than_memory_they_are_built_piece_by_piece() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    // 100,000 users are four partitions; each has an event or two, some of them tied.
    let store = Analytics::open(&path).unwrap();
    let events = (0..100_000).flat_map(|user| {
        let event = move |name: &str| {
            json!({"userId": user.to_string(), "name": name, "ts": format!("2026-01-01T00:00:{:02}Z", user % 60)})
        };
        [event("b"), event("a")].into_iter().take(1 + user % 2)
    });
    let events: Vec<Value> = events.collect();
    for batch in events.chunks(10_000) {
        store
            .ingest(&Principal::owner(), &Value::Array(batch.to_vec()))
            .unwrap();
    }
    store.close();
    let w = warehouse(&path);
    let whole = Timelines::build(&w, None, Course::default()).unwrap();
    for limit in [2_000_000, 4_000_000] {
        let pieces = Timelines::build(&w, Some(limit), Course::default()).unwrap();
        assert_eq!(all(&pieces), all(&whole));
        assert_eq!(pieces.head(), whole.head());
    }
    let error = Timelines::build(&w, Some(1_000), Course::default()).unwrap_err();
    assert_eq!(error.code(), "memory_limit");
}

#[test]
fn those_of_another_state_of_who_is_who_are_brought_forward() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    // A device of nobody known, whose user is told only after the timelines were saved.
    let ingest = |user: Option<&str>, second: u32| {
        let event = json!([{
            "userId": user, "anonymousId": "d", "name": "a", "ts": format!("2026-01-01T00:00:{second:02}Z"),
        }]);
        let store = Analytics::open(&path).unwrap();
        store.ingest(&Principal::owner(), &event).unwrap();
        store.close();
    };
    ingest(None, 1);
    ingest(Some("u"), 2);
    ingest(None, 3);
    let w = warehouse(&path);
    let built = Timelines::build(&w, None, Course::default()).unwrap();
    assert!(built.save(&w).unwrap());
    let found = Timelines::saved(&w, None).unwrap().unwrap();
    assert_eq!(all(&found), all(&built));
    drop(w);
    ingest(Some("v"), 4);
    let w = warehouse(&path);
    let found = Timelines::saved(&w, None).unwrap().unwrap();
    assert!(found.head().version < w.head().unwrap().version);
    let (forward, anew) = (
        found.updated(&w, None, Course::default()).unwrap(),
        Timelines::build(&w, None, Course::default()).unwrap(),
    );
    assert_eq!(all(&forward), all(&anew));
    let counts: Vec<usize> = all(&anew).iter().map(Vec::len).collect();
    assert_eq!(counts, [0, 2, 2], "the third event moved to v");
}

#[test]
fn a_change_under_way_costs_a_copy_but_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    // Two partitions, of which one has room.
    let store = Analytics::open(&path).unwrap();
    let event =
        |user: u32| json!({"userId": user.to_string(), "name": "a", "ts": "2026-01-01T00:00:00Z"});
    let events: Vec<Value> = (0..40_000).map(event).collect();
    store
        .ingest(&Principal::owner(), &Value::Array(events))
        .unwrap();
    store.close();
    let w = warehouse(&path);
    let whole = Timelines::build(&w, None, Course::default()).unwrap();
    let change = w.load().unwrap();
    assert!(!whole.save(&w).unwrap());
    let pieces = Timelines::build(&w, Some(1_400_000), Course::default()).unwrap();
    assert_eq!(all(&pieces), all(&whole));
    drop(change);
    // Nobody remembers the seal of what was written meanwhile.
    assert!(Timelines::saved(&w, None).unwrap().is_none());
}
