//! The way in, with many at once and with logs in every state.

mod aside;
mod sources;
mod waiting;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::log::Log;
use crate::analytics::{Analytics, BatchForm, IngestBatch, Options};
use crate::events::{Names, Status};
use crate::warehouse::{Duckdb, Open, Warehouse};
use crate::{Instant, Principal};

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn open(path: &Path) -> Analytics {
    Analytics::open_with(Options {
        path: Some(path.to_owned()),
        clock: std::sync::Arc::new(now),
        threads: Some(1),
        ..Options::default()
    })
    .unwrap()
}

fn event(id: &str) -> Value {
    json!({"eventId": id, "userId": "u", "name": "a", "ts": "2026-03-01T11:00:00Z"})
}

fn ingest(store: &Analytics, events: Value) -> [u64; 3] {
    let report = store.ingest(&Principal::owner(), &events).unwrap();
    [report.accepted, report.duplicates, report.refused]
}

fn events(store: &Analytics) -> u64 {
    store.timelines().unwrap().head().events
}

#[test]
fn a_full_disk_is_trouble_until_there_is_room_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = Duckdb::open(&Open {
        path: Some(path.clone()),
        read_only: false,
        threads: Some(1),
        memory_limit: None,
        now: now(),
    })
    .unwrap();
    let intake = super::Intake::open(Some(&path), false, &home, now()).unwrap();
    let full = || {
        let mut status = super::lock(&intake.status);
        (status.full, status.failing) = (true, Some("full".to_owned()));
    };
    full();
    assert!(intake.room().is_ok() && intake.status().failing.is_none());
    assert!(!path.with_extension("db.room").exists());
    // Where nothing can be written there is none.
    std::fs::create_dir(path.with_extension("db.room")).unwrap();
    assert!(intake.room().is_ok(), "nobody doubts it");
    full();
    assert!(intake.room().is_err());
    assert_eq!(intake.status().failing.as_deref(), Some("full"));
}

/// The file and the log as they are, without what the engine has not written into the file yet.
fn crashed(path: &Path) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(path, &copy).unwrap();
    std::fs::copy(path.with_extension("db.log"), copy.with_extension("db.log")).unwrap();
    (folder, copy)
}

#[test]
fn the_log_alone_brings_back_what_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    assert_eq!(
        ingest(&store, json!([event("a"), event("b"), {"name": 5}])),
        [2, 0, 1]
    );
    assert_eq!(ingest(&store, json!([event("b"), event("c")])), [1, 1, 0]);
    let late = json!({"userId": "u", "name": "a", "ts": "2026-03-05T00:00:00Z"});
    assert_eq!(ingest(&store, json!([late])), [0, 0, 1]);
    let keyed = IngestBatch {
        body: br#"{"userId": "u", "name": "a", "ts": "2026-03-01T11:00:00Z"}"#,
        form: BatchForm::Lines,
        mapping: None,
        source: "test",
        key: Some("k"),
        names: Names::None,
        most: 10,
    };
    let answer = store.ingest_batch(&Principal::owner(), &keyed).unwrap();

    let (_copy, copy) = crashed(&path);
    let back = open(&copy);
    assert_eq!(events(&back), 4);
    let status = back.ingest_status(&Principal::owner()).unwrap();
    assert_eq!(
        (status.recovery.replayed, status.log_bytes),
        (5, 0),
        "{status:?}"
    );
    assert_eq!(
        back.quarantine(&Principal::owner(), 10, 0).unwrap().total,
        1
    );
    // The batch of the key is known, with the very answer that was given, and is not there twice.
    let again = back.ingest_batch(&Principal::owner(), &keyed).unwrap();
    assert_eq!(events(&back), 4);
    assert_eq!(
        serde_json::from_str::<Value>(&again).unwrap(),
        serde_json::from_str::<Value>(&answer).unwrap()
    );
    assert_eq!(ingest(&back, json!([event("a"), event("d")])), [1, 1, 0]);
    back.close();
    assert!(!copy.with_extension("db.log").exists());
    let whole = open(&copy);
    assert_eq!(events(&whole), 5);
    assert_eq!(
        whole
            .ingest_status(&Principal::owner())
            .unwrap()
            .recovery
            .replayed,
        0
    );
}

#[test]
fn a_damaged_log_never_stops_the_start() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    ingest(&store, json!([event("a")]));
    let sound = std::fs::metadata(path.with_extension("db.log"))
        .unwrap()
        .len() as usize;
    ingest(&store, json!([event("b")]));
    let (_copy, copy) = crashed(&path);
    let log = copy.with_extension("db.log");
    let whole = std::fs::read(&log).unwrap();
    for at in [0, 20, 40, sound + 1, sound + 30, whole.len() - 1] {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join("copy.db");
        std::fs::copy(&copy, &place).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(place.with_extension("db.log"), &bytes).unwrap();
        let back = open(&place);
        // A damaged frame costs itself, and a damaged head nothing.
        let kept = if at < 32 { 2 } else { 1 };
        assert_eq!(events(&back), kept, "byte {at}");
        let found = back.ingest_status(&Principal::owner()).unwrap().recovery;
        assert!(found.set_aside.is_some() || found.cut > 0, "byte {at}");
        assert_eq!(
            ingest(&back, json!([event("a"), event("b")])),
            [2 - kept, kept, 0]
        );
    }
}

#[test]
fn a_batch_that_cannot_be_stored_is_put_aside_and_stands_in_nobodys_way() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    ingest(&store, json!([event("a")]));
    let (_copy, copy) = crashed(&path);
    {
        let warehouse = Duckdb::open(&Open {
            path: Some(copy.clone()),
            read_only: false,
            threads: Some(1),
            memory_limit: None,
            now: now(),
        })
        .unwrap();
        let id = warehouse.logged().unwrap().store;
        let (mut log, _) = Log::open(copy.with_extension("db.log"), id, 0).unwrap();
        log.append(b"no frame at all").unwrap();
    }
    let back = open(&copy);
    assert_eq!(events(&back), 1);
    let status = back.ingest_status(&Principal::owner()).unwrap();
    assert_eq!((status.recovery.parked, status.parked), (1, 1));
    let parked = back.replay_parked(&Principal::owner()).unwrap();
    assert_eq!((parked.accepted, parked.left), (0, 1));
    assert_eq!(ingest(&back, json!([event("b")])), [1, 0, 0]);
}

#[test]
fn many_at_once_share_commits_and_each_has_its_own_answer() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("a.db"));
    let (threads, batches) = (8, 20);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let store = &store;
            scope.spawn(move || {
                for batch in 0..batches {
                    // Of each batch one event is of all threads, one is refused, and one is its own twice.
                    let own = event(&format!("{thread}-{batch}"));
                    let shared = event(&format!("shared-{batch}"));
                    let sent = json!([own, shared, {"name": "a"}, own]);
                    let report = store.ingest(&Principal::owner(), &sent).unwrap();
                    let of = |at: usize| report.events[at].status;
                    assert_eq!(of(0), Status::Accepted);
                    assert_eq!((of(2), of(3)), (Status::Refused, Status::Duplicate));
                    assert_eq!(report.accepted + report.duplicates + report.refused, 4);
                }
            });
        }
    });
    assert_eq!(events(&store), threads * batches + batches);
    let status = store.ingest_status(&Principal::owner()).unwrap();
    assert_eq!(status.accepted, threads * batches + batches);
    assert_eq!(status.batches, threads * batches);
    assert_eq!(status.refused_by_code["required"], threads * batches);
    assert!(status.commits <= status.batches);
    assert_eq!((status.waiting_events, status.waiting_batches), (0, 0));
    assert_eq!(status.sources["embedded"].accepted, status.accepted);
}

#[test]
fn what_is_to_be_forgotten_is_not_in_the_log_either() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let mut secret = event("a");
    secret["userId"] = json!("someone-to-forget");
    ingest(&store, json!([secret, event("b")]));
    store
        .erase(&Principal::owner(), &["someone-to-forget"])
        .unwrap();
    let log = std::fs::read(path.with_extension("db.log")).unwrap();
    assert!(!log.windows(17).any(|w| w == b"someone-to-forget"));
    let (_copy, copy) = crashed(&path);
    assert_eq!(events(&open(&copy)), 1);
}

#[test]
fn an_event_without_an_id_is_known_by_where_it_lay() {
    let store = Analytics::in_memory().unwrap();
    let lines = "{\"userId\": \"u\", \"name\": \"a\", \"ts\": \"2026-03-01T11:00:00Z\"}\n";
    let body = lines.repeat(3);
    let send = |names: Names<'_>| {
        let batch = IngestBatch {
            body: body.as_bytes(),
            form: BatchForm::Lines,
            mapping: None,
            source: "test",
            key: None,
            names,
            most: 10,
        };
        let owner = Principal::owner();
        let batches: [(&Principal, _, crate::analytics::Gone); 1] =
            [(&owner, batch, std::sync::Arc::new(|| false))];
        let report = store.ingest_batches(&batches).remove(0).unwrap();
        (report.accepted, report.duplicates)
    };
    assert_eq!(send(Names::None), (3, 0));
    assert_eq!(send(Names::None), (3, 0));
    assert_eq!(send(Names::From("file", 0)), (3, 0));
    assert_eq!(send(Names::From("file", 0)), (0, 3));
    assert_eq!(send(Names::From("file", 3)), (3, 0));
    let places = ["x", "y", "x"].map(ToOwned::to_owned);
    assert_eq!(send(Names::Each(&places)), (2, 1));
    assert_eq!(send(Names::Each(&places)), (0, 3));
}
