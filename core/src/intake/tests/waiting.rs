//! Batches that wait for another change: who may go meanwhile, and what may not change meanwhile.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::aside::{sent, warehouse};
use super::*;
use crate::events::{Catalogue, ImportOptions, Mapping, Source};
use crate::intake::{Intake, Patience, Sent};

#[test]
fn whoever_goes_takes_the_batch_along() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = warehouse(&path);
    let intake = Intake::open(Some(&path), false, &home, now()).unwrap();
    let gone = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&gone);
    let patience = Patience(Some(Arc::new(move || flag.load(Ordering::Relaxed))));
    let import = home.load().unwrap();
    std::thread::scope(|scope| {
        let (intake, home) = (&intake, &home);
        let leaves = sent(&json!([event("a")]), None, patience);
        let stays = sent(&json!([event("b")]), None, Patience::default());
        let left = scope.spawn(move || intake.take(home, &now, leaves));
        let stayed = scope.spawn(move || intake.take(home, &now, stays));
        while intake.status().waiting_batches < 2 {
            std::thread::sleep(Duration::from_millis(1));
        }
        gone.store(true, Ordering::Relaxed);
        drop(import);
        assert_eq!(left.join().unwrap().unwrap_err().code(), "cancelled");
        assert_eq!(stayed.join().unwrap().unwrap().accepted, 1);
    });
    assert_eq!(home.head().unwrap().events, 1);
    let status = intake.status();
    assert_eq!((status.waiting_events, status.waiting_batches), (0, 0));
}

#[test]
fn what_waits_is_bounded_in_bytes_and_so_is_what_is_stored_together() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = warehouse(&path);
    let intake = Intake::open(Some(&path), false, &home, now()).unwrap();
    let of = |id: &str, mebibytes: u64| Sent {
        bytes: mebibytes << 20,
        ..sent(&json!([event(id)]), None, Patience::default())
    };
    let import = home.load().unwrap();
    std::thread::scope(|scope| {
        let (intake, home) = (&intake, &home);
        let mut waiting = Vec::new();
        // One that meets an empty queue is taken however large it is.
        for (id, mebibytes) in [("a", 28), ("b", 2), ("c", 1)] {
            let sent = of(id, mebibytes);
            waiting.push(scope.spawn(move || intake.take(home, &now, sent)));
            while intake.status().waiting_batches < waiting.len() as u64 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let large = std::thread::scope(|other| {
            let large = of("d", 2);
            let turned = other.spawn(move || intake.take(home, &now, large));
            turned.join().unwrap()
        });
        assert_eq!(large.unwrap_err().code(), "overloaded");
        drop(import);
        for taken in waiting {
            assert_eq!(taken.join().unwrap().unwrap().accepted, 1);
        }
        assert_eq!(intake.take(home, &now, of("d", 40)).unwrap().accepted, 1);
    });
    let status = intake.status();
    assert_eq!((status.waiting_events, status.turned_away), (0, 1));
    // The large one alone, the two small ones together, and the last.
    assert_eq!((status.batches, status.commits), (4, 3));
}

#[test]
fn an_import_leaves_no_log_and_what_waits_behind_it_is_read_by_one_catalogue() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let owner = Principal::owner();
    ingest(&store, json!([event("before")]));
    assert!(store.ingest_status(&owner).unwrap().log_bytes > 0);
    let file = folder.path().join("rows.ndjson");
    std::fs::write(&file, format!("{}\n", event("imported"))).unwrap();
    let catalogue = Catalogue::parse(&json!({
        "revenue": {"events": ["bought"], "amount": "net", "currency": "currency"},
    }))
    .unwrap();
    std::thread::scope(|scope| {
        let (waiting, changing) = (store.clone(), store.clone());
        let (owner, catalogue) = (&owner, &catalogue);
        let mut threads = Vec::new();
        let mut hear = |_| {
            if threads.is_empty() {
                // The callback of an import may neither send nor change anything itself, and does not wait for itself.
                let refused = store.ingest(owner, &json!([event("inside")])).unwrap_err();
                assert_eq!(refused.code(), "change_under_way");
                assert!(store.set_catalogue(owner, catalogue).is_err());
                let waiting = waiting.clone();
                let bought = json!([{
                    "userId": "u", "name": "bought", "ts": "2026-03-01T11:00:00Z",
                    "properties": {"net": 5, "currency": "EUR"},
                }]);
                threads.push(scope.spawn(move || drop(waiting.ingest(owner, &bought).unwrap())));
                while store.ingest_status(owner).unwrap().waiting_batches == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                let changing = changing.clone();
                threads.push(scope.spawn(move || {
                    changing.set_catalogue(owner, catalogue).unwrap();
                }));
                std::thread::sleep(Duration::from_millis(30));
            }
            ControlFlow::Continue(())
        };
        let mut options = ImportOptions {
            progress: Some(&mut hear),
            ..ImportOptions::default()
        };
        let source = Source::Path(file.clone());
        store
            .import(owner, source, &Mapping::default(), &mut options)
            .unwrap();
    });
    assert_eq!(events(&store), 3);
    assert_eq!(store.ingest_status(&owner).unwrap().log_bytes, 0);
    store.close();
    let promoted = warehouse(&path)
        .select(
            "select 1 as one from events where amount = 5 and currency = 'EUR'",
            &[],
        )
        .unwrap();
    let rows: usize = promoted.iter().map(|batch| batch.num_rows()).sum();
    assert_eq!(rows, 1);
}
