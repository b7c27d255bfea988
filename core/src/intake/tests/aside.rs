//! What is kept aside: batches that could not be stored, and events that were refused.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::access::{self, Permission};
use crate::error::Result;
use crate::events::{self, Catalogue, IngestReport, Names};
use crate::intake::flight::Arrival;
use crate::intake::frame::Frame;
use crate::intake::keys::Keys;
use crate::intake::park::Parked;
use crate::intake::{Intake, Patience, Sent, caught};
use crate::warehouse::Keyed;

pub(super) fn warehouse(path: &Path) -> Duckdb {
    Duckdb::open(&Open {
        path: Some(path.to_owned()),
        read_only: false,
        threads: Some(1),
        memory_limit: None,
        now: now(),
    })
    .unwrap()
}

pub(super) fn prepared(list: &Value) -> events::Prepared {
    let owner = Principal::owner();
    let granted = access::grant(&owner, Permission::IngestEvents, list).unwrap();
    events::prepare(&Catalogue::default(), &granted, now()).unwrap()
}

pub(super) fn sent(list: &Value, keyed: Option<Keyed>, patience: Patience) -> Sent {
    Sent {
        prepared: prepared(list),
        source: "test".to_owned(),
        received: now(),
        keyed,
        released: Vec::new(),
        patience,
        bytes: 0,
    }
}

fn key(key: u128) -> Keyed {
    Keyed {
        key,
        body: key,
        at: now(),
    }
}

/// Sends a batch as the handle does.
fn send(
    intake: &Intake,
    home: &Duckdb,
    list: &Value,
    keyed: Option<Keyed>,
) -> Result<IngestReport> {
    let mut flight = keyed.map(|keyed| match intake.begin(home, keyed).unwrap() {
        Arrival::New(flight) => flight,
        Arrival::Answered(answer) => panic!("was answered: {answer}"),
    });
    let taken = intake.take(home, &now, sent(list, keyed, Patience::default()));
    if let Some(flight) = &mut flight {
        flight.ended(&taken);
    }
    taken
}

/// An event without an id, and one that is kept aside.
fn nameless() -> Value {
    json!([
        {"userId": "u", "name": "a", "ts": "2026-03-01T11:00:00Z"},
        {"userId": "u", "name": "a", "ts": "2026-03-05T00:00:00Z"},
    ])
}

#[test]
fn a_parked_batch_is_stored_once_whatever_comes_between() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = warehouse(&path);
    let intake = Intake::open(Some(&path), false, &home, now()).unwrap();
    let stored = || home.head().unwrap().events;
    // Neither keys nor what is kept aside can be written for a while.
    let fail = || {
        home.select("alter table quarantine rename to gone", &[])
            .unwrap();
    };
    let mend = || {
        home.select("alter table gone rename to quarantine", &[])
            .unwrap();
    };

    fail();
    for keyed in [Some(key(1)), Some(key(2)), None, None] {
        let refused = send(&intake, &home, &nameless(), keyed).unwrap_err();
        assert_eq!(refused.code(), "parked");
    }
    mend();
    assert_eq!((stored(), intake.status().parked), (0, 4));
    // One is sent again before it is stored from there, one afterwards.
    assert_eq!(
        send(&intake, &home, &nameless(), Some(key(1)))
            .unwrap()
            .accepted,
        1
    );
    let files = Parked::beside(&path).all();
    let copies: Vec<_> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    assert_eq!(intake.store_parked(&home, now()).unwrap(), (3, 0));
    assert_eq!((stored(), intake.status().parked), (4, 0));
    assert!(matches!(
        intake.begin(&home, key(2)),
        Ok(Arrival::Answered(_))
    ));
    // Their files come back, as after a crash before they were removed.
    std::fs::create_dir_all(files[0].parent().unwrap()).unwrap();
    for (file, copy) in files.iter().zip(&copies) {
        std::fs::write(file, copy).unwrap();
    }
    assert_eq!(intake.store_parked(&home, now()).unwrap(), (0, 0));
    assert_eq!(stored(), 4);
    // A damaged one is left where it is.
    let parked = Parked::beside(&path);
    parked.put(1, &Frame::default().encode().unwrap()).unwrap();
    let file = parked.all().remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(intake.store_parked(&home, now()).unwrap(), (0, 1));
}

#[test]
fn what_was_parked_is_worth_what_the_catalogue_says_when_it_is_stored() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = warehouse(&path);
    let intake = Intake::open(Some(&path), false, &home, now()).unwrap();
    home.select("alter table quarantine rename to gone", &[])
        .unwrap();
    let list = json!([
        {"userId": "u", "name": "payment", "ts": "2026-03-01T11:00:00Z", "amount": "1", "price": "2.5", "currency": "USD"},
        {"userId": "u", "name": "tip", "ts": "2026-03-01T11:00:00Z", "price": "3"},
        {"userId": "u", "name": "a", "ts": "2026-03-05T00:00:00Z"},
    ]);
    let refused = send(&intake, &home, &list, None).unwrap_err();
    assert_eq!(refused.code(), "parked");
    home.select("alter table gone rename to quarantine", &[])
        .unwrap();
    let mut catalogue = Catalogue::default();
    catalogue.revenue.amount = "price".to_owned();
    catalogue.revenue.events.push("tip".to_owned());
    home.set_catalogue(&catalogue).unwrap();
    assert_eq!(intake.store_parked(&home, now()).unwrap(), (2, 0));
    let sum = "select sum(amount)::varchar || ' ' || string_agg(currency, ',' order by name_key) as told from events";
    let rows = home.select(sum, &[]).unwrap();
    let told = arrow::array::AsArray::as_string::<i32>(rows[0].column(0)).value(0);
    assert_eq!(told, "5.5000 USD,EUR");
}

#[test]
fn of_a_frame_of_many_what_was_sent_again_is_left_out() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = warehouse(&path);
    let intake = Intake::open(Some(&path), false, &home, now()).unwrap();
    let one =
        |n: u32| json!([{"userId": "u", "name": format!("e{n}"), "ts": "2026-03-01T11:00:00Z"}]);
    let mut frame = Frame::default();
    for n in 0..3 {
        let prepared = prepared(&one(n));
        let before = serde_json::to_string(&prepared.report).unwrap();
        let first = u64::from(n);
        frame.keys.push(crate::intake::frame::Key::new(
            &key(n.into()),
            first,
            1,
            before,
        ));
        frame
            .events
            .push(prepared.events.columns().unwrap().raised(first));
    }
    let parked = Parked::beside(&path);
    parked.put(7, &frame.encode().unwrap()).unwrap();
    assert!(parked.holds(7, &frame.encode().unwrap()));
    send(&intake, &home, &one(1), Some(key(1))).unwrap();
    assert_eq!(intake.store_parked(&home, now()).unwrap(), (2, 0));
    assert_eq!(home.head().unwrap().events, 3);
    for n in 0..3 {
        assert!(matches!(
            intake.begin(&home, key(n)),
            Ok(Arrival::Answered(_))
        ));
    }
}

#[test]
fn keys_beyond_those_in_memory_are_known_to_the_store() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("a.db"));
    let send = |n: u32| {
        let key = n.to_string();
        let batch = IngestBatch {
            body: br#"{"userId": "u", "name": "a", "ts": "2026-03-01T11:00:00Z"}"#,
            form: BatchForm::Lines,
            mapping: None,
            source: "test",
            key: Some(&key),
            names: Names::None,
            most: 10,
        };
        let answer = store.ingest_batch(&Principal::owner(), &batch).unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    let first = send(0);
    (1..=105).for_each(|n| drop(send(n)));
    assert_eq!(send(0), first);
    assert_eq!(events(&store), 106);
}

#[test]
fn a_key_of_which_nobody_knows_is_asked_of_the_store() {
    let mut keys = Keys::default();
    use crate::intake::keys::{Begun, End};
    assert_eq!(keys.begin(key(1)).unwrap(), Begun::New);
    assert_eq!(
        keys.begin(key(1)).unwrap_err().code(),
        "idempotency_key_in_flight"
    );
    keys.end(key(1), End::Doubtful);
    assert_eq!(keys.begin(key(1)).unwrap(), Begun::Unsure);
    keys.end(key(1), End::Stored);
    assert_eq!(keys.begin(key(1)).unwrap(), Begun::Answered);
    assert!(caught(|| -> Result<()> { panic!("as a fault would") }).is_err());
}

#[test]
fn a_batch_that_panics_is_no_longer_under_way() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = warehouse(&path);
    let intake = Intake::open(Some(&path), false, &home, now()).unwrap();
    let panicked = caught(|| -> Result<()> {
        let _flight = intake.begin(&home, key(1))?;
        panic!("as a fault would")
    });
    assert!(panicked.is_err());
    assert!(matches!(intake.begin(&home, key(1)), Ok(Arrival::New(_))));
}

#[test]
fn events_kept_aside_are_told_apart_and_leave_once() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(AtomicI64::new(now().micros()));
    let time = Arc::clone(&clock);
    let store = Analytics::open_with(Options {
        path: Some(folder.path().join("a.db")),
        clock: Arc::new(move || Instant::saturating_from_micros(time.load(Ordering::Relaxed))),
        threads: Some(1),
        ..Options::default()
    })
    .unwrap();
    let late = |id: Option<&str>| {
        let mut event = json!({"userId": "u", "name": "a", "ts": "2026-03-05T00:00:00Z"});
        if let Some(id) = id {
            event["eventId"] = json!(id);
        }
        event
    };
    let all = json!([late(Some("a")), late(Some("b")), late(None), late(None)]);
    ingest(&store, all);
    // The same event again is the same event.
    ingest(&store, json!([late(Some("a"))]));
    let owner = Principal::owner();
    assert_eq!(store.quarantine(&owner, 10, 0).unwrap().total, 4);
    clock.store(now().micros() + 5 * 86_400_000_000, Ordering::Relaxed);
    let accepted: u64 = std::thread::scope(|scope| {
        let replays: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| store.replay_quarantine(&owner, None).unwrap().accepted))
            .collect();
        replays.into_iter().map(|r| r.join().unwrap()).sum()
    });
    assert_eq!((accepted, events(&store)), (4, 4));
    assert_eq!(store.quarantine(&owner, 10, 0).unwrap().total, 0);
}

#[test]
fn what_is_kept_aside_is_read_piece_by_piece_and_too_much_of_one_not_at_all() {
    let clock = Arc::new(AtomicI64::new(now().micros()));
    let time = Arc::clone(&clock);
    let store = Analytics::open_with(Options {
        clock: Arc::new(move || Instant::saturating_from_micros(time.load(Ordering::Relaxed))),
        threads: Some(1),
        ..Options::default()
    })
    .unwrap();
    let owner = Principal::owner();
    let event = |id: u32, day: u32, bytes: usize| json!({"eventId": id.to_string(), "name": "a", "ts": format!("2026-03-{day:02}"), "properties": {"x": "y".repeat(bytes)}});
    // More than is read at once, and one that waits for another day.
    for id in 0..24 {
        let day = if id == 7 { 20 } else { 5 };
        ingest(&store, json!([event(id, day, 900_000)]));
    }
    ingest(&store, json!([event(24, 1, 5_000_000)]));
    let listed = store.quarantine(&owner, 100, 0).unwrap();
    assert_eq!((listed.total, listed.events.len()), (25, 25));
    // Of each a beginning is shown.
    let whole = serde_json::to_string(&listed).unwrap();
    assert!(whole.len() < 25 * 70_000, "{}", whole.len());
    clock.store(now().micros() + 5 * 86_400_000_000, Ordering::Relaxed);
    let report = store.replay_quarantine(&owner, None).unwrap();
    assert_eq!((report.sent, report.accepted, report.refused), (25, 23, 2));
    let indices = report.events.iter().map(|answer| answer.index);
    assert!(indices.eq(0..25));
    let left = store.quarantine(&owner, 100, 0).unwrap();
    let mut codes: Vec<&str> = left.events.iter().map(|held| held.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["clock_in_future", "too_large"]);
    // What was too large stays so: there is only its beginning.
    let ids: Vec<String> = left.events.iter().map(|held| held.id.clone()).collect();
    clock.store(now().micros() + 30 * 86_400_000_000, Ordering::Relaxed);
    let one = store.replay_quarantine(&owner, Some(&ids[..1])).unwrap();
    let rest = store.replay_quarantine(&owner, Some(&ids)).unwrap();
    assert_eq!(one.accepted + rest.accepted, 1);
    assert_eq!(store.quarantine(&owner, 100, 0).unwrap().total, 1);
    assert_eq!(events(&store), 24);
}

#[test]
fn who_is_erased_is_in_nothing_beside_the_store() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let of = |user: &str, ts: &str| json!({"userId": user, "name": "a", "ts": ts});
    let (fine, late) = ("2026-03-01T11:00:00Z", "2026-03-05T00:00:00Z");
    // Of one there are only events that were refused, and a batch that could not be stored.
    ingest(&store, json!([of("only-aside", late), of("other", late)]));
    let mut frame = Frame::default();
    let prepared = prepared(&json!([
        of("only-aside", fine),
        of("other", fine),
        of("only-aside", late)
    ]));
    frame.events.push(prepared.events.columns().unwrap());
    frame.held = prepared.held;
    let prepared_aside = frame.held.first().unwrap().clone();
    Parked::beside(&path)
        .put(1, &frame.encode().unwrap())
        .unwrap();
    let damaged = path.with_extension("db.log.damaged-1");
    std::fs::write(&damaged, "only-aside?").unwrap();
    let report = store.erase(&Principal::owner(), &["only-aside"]).unwrap();
    assert_eq!((report.held, report.unknown), (1, 1));
    assert_eq!(report.set_aside, std::slice::from_ref(&damaged));
    let left = std::fs::read_dir(folder.path()).unwrap();
    let files: Vec<PathBuf> = left.map(|entry| entry.unwrap().path()).collect();
    for file in files.iter().chain(&Parked::beside(&path).all()) {
        let bytes = if file.is_file() && *file != damaged {
            std::fs::read(file).unwrap()
        } else {
            continue;
        };
        // The engine's own file may keep bytes in unused pages.
        let found = bytes.windows(10).any(|w| w == b"only-aside");
        assert!(!found || *file == path, "{}", file.display());
    }
    let replayed = store.replay_parked(&Principal::owner()).unwrap();
    assert_eq!((replayed.accepted, replayed.left), (1, 0));
    let left = store.quarantine(&Principal::owner(), 10, 0).unwrap();
    assert_eq!(left.total, 1);
    let mut frame = Frame::decode(&frame.encode().unwrap()).unwrap();
    assert!(frame.forget(&HashSet::from(["other"])).unwrap());
    assert_eq!((frame.len(), frame.held.len()), (1, 1));
    // Whose text is so deep that it cannot be read is taken for anybody's.
    frame.held.truncate(0);
    frame.held.push(events::Held {
        event: format!(r#"{{"userId":"other","properties":{}}}"#, "[".repeat(200)),
        ..prepared_aside
    });
    assert!(frame.forget(&HashSet::from(["somebody"])).unwrap());
    assert!(frame.held.is_empty());
}

#[test]
fn what_is_kept_aside_and_came_twice_without_an_id_is_there_twice() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let owner = Principal::owner();
    let late = |id: Option<&str>| json!({"eventId": id, "userId": "u", "name": "a", "ts": "2026-03-05T00:00:00Z"});
    let kept = |store: &Analytics| store.quarantine(&owner, 100, 0).unwrap().total;
    // All of one microsecond: within a batch, in another, and in two that are stored as one.
    assert_eq!(ingest(&store, json!([late(None), late(None)])), [0, 0, 2]);
    assert_eq!(ingest(&store, json!([late(None)])), [0, 0, 1]);
    assert_eq!(kept(&store), 3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| ingest(&store, json!([late(None)])));
        }
    });
    assert_eq!(kept(&store), 7);
    // With an id it is one, whatever is sent again.
    for _ in 0..2 {
        ingest(&store, json!([late(Some("x")), late(Some("x"))]));
    }
    assert_eq!(kept(&store), 8);
    // What the log brings back is what there was, once.
    let (_copy, copy) = crashed(&path);
    let back = open(&copy);
    assert_eq!(kept(&back), 8);
    back.close();
    assert_eq!(kept(&open(&copy)), 8);
}
