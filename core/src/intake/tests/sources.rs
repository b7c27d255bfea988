//! How fresh sources are, which outlasts the process.

use super::aside::warehouse;
use super::*;
use crate::intake::sources::Heard;
use crate::intake::{Intake, lock};

fn batch(store: &Analytics, source: &str, ts: &str) {
    let body = json!([{"userId": "u", "name": "a", "ts": ts}]).to_string();
    let batch = IngestBatch {
        body: body.as_bytes(),
        form: BatchForm::Array,
        mapping: None,
        source,
        key: None,
        names: Names::None,
        most: 10,
    };
    store.ingest_batch(&Principal::owner(), &batch).unwrap();
}

/// Of each source when it was last heard, and of when its latest event is.
fn heard(store: &Analytics) -> Vec<(String, [String; 2])> {
    let status = store.ingest_status(&Principal::owner()).unwrap();
    let told = |at: Option<Instant>| at.map_or("-".to_owned(), |at| at.to_string());
    let sources = status.sources.into_iter();
    sources
        .map(|(name, fresh)| (name, [told(fresh.received_at), told(fresh.latest)]))
        .collect()
}

fn read(path: &Path) -> Analytics {
    Analytics::open_with(Options {
        path: Some(path.to_owned()),
        read_only: true,
        clock: std::sync::Arc::new(now),
        ..Options::default()
    })
    .unwrap()
}

#[test]
fn how_fresh_sources_are_outlasts_a_restart_and_a_kill() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    batch(&store, "shop", "2026-03-01T11:00:00Z");
    batch(&store, "app", "2026-03-01T10:00:00Z");
    let before = heard(&store);
    assert_eq!(before[0].1[1], "2026-03-01T10:00:00.000Z");

    // Killed: the log alone has it, whether the engine lost its own log or not.
    let (_copy, copy) = crashed(&path);
    let mut killed = folder.path().join("killed.db");
    for more in ["", ".log", ".wal"] {
        let of = |path: &Path| crate::intake::beside(path, more);
        std::fs::copy(of(&path), of(&killed)).unwrap();
    }
    assert_eq!(heard(&open(&copy)), before);
    let back = read(&killed);
    assert_eq!(heard(&back), before, "without a change");
    drop(back);
    let back = open(&killed);
    assert_eq!(heard(&back), before);

    // The log was emptied when it was opened: the file has what came before, the log what comes now.
    batch(&back, "shop", "2026-03-01T11:30:00Z");
    let (_again, again) = crashed(&killed);
    std::fs::copy(
        killed.with_extension("db.sources"),
        again.with_extension("db.sources"),
    )
    .unwrap();
    let expected = heard(&back);
    assert_eq!(expected[1].1[1], "2026-03-01T11:30:00.000Z");
    assert_eq!(heard(&open(&again)), expected);

    // Closed, and opened twice: nothing is forgotten though nothing comes.
    back.close();
    for _ in 0..2 {
        assert!(!killed.with_extension("db.log").exists());
        let back = open(&killed);
        assert_eq!(heard(&back), expected);
        back.close();
    }
    let back = read(&killed);
    assert_eq!(heard(&back), expected);
    drop(back);

    // What is damaged, or of another store, says nothing, and harms nothing.
    let note = killed.with_extension("db.sources");
    let mut bytes = std::fs::read(&note).unwrap();
    let other = folder.path().join("other.db");
    open(&other).close();
    std::fs::copy(&note, other.with_extension("db.sources")).unwrap();
    assert_eq!(heard(&open(&other)), []);
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&note, bytes).unwrap();
    killed.set_extension("db");
    assert_eq!(heard(&open(&killed)), []);
}

#[test]
fn a_clock_that_was_ahead_makes_no_source_fresh_for_ever() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let home = warehouse(&path);
    let intake = Intake::open(Some(&path), false, &home, now()).unwrap();
    let at = |hours: i64| Instant::saturating_from_micros(now().micros() + hours * 3_600_000_000);
    let hear = |ahead: i64, now: Instant| {
        let heard = Heard {
            received: at(ahead).micros(),
            latest: Some(at(ahead).micros()),
        };
        lock(&intake.status).hear(&[("app".to_owned(), heard)].into(), now);
        let fresh = lock(&intake.status).sources["app"].clone();
        (fresh.received_at.unwrap(), fresh.latest.unwrap())
    };
    // The clock is five hours ahead, and put right before the next batch comes.
    assert_eq!(hear(5, at(5)), (at(5), at(5)));
    assert_eq!(hear(1, at(1)), (at(1), at(1)));
    // An event of a client whose clock is ahead is of now at most.
    assert_eq!(hear(20, at(2)), (at(2), at(2)));
    assert_eq!(hear(3, at(4)), (at(3), at(3)));
    assert_eq!(intake.heard("app"), at(3));

    // Written by a clock that was ahead, it is of the start when it is read by one that is right.
    hear(9, at(9));
    intake.remember(&home).unwrap();
    let again = Intake::open(Some(&path), true, &home, at(4)).unwrap();
    assert_eq!(again.heard("app"), at(4));
    // What was never heard is as old as the start.
    assert_eq!(again.heard("web"), at(4));
}

#[test]
fn sources_that_came_and_went_leave_room_for_those_that_come() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let names = |from: usize, to: usize| (from..to).map(|n| format!("{n:03}"));
    for name in names(0, 100) {
        batch(&store, &name, "2026-03-01T11:00:00Z");
    }
    store.close();
    let store = open(&path);
    batch(&store, "000", "2026-03-01T11:00:00Z");
    for name in names(100, 250) {
        batch(&store, &name, "2026-03-01T11:00:00Z");
    }
    let heard: Vec<String> = heard(&store).into_iter().map(|(name, _)| name).collect();
    // Those of before have gone but for the one that came again, and what there is no room for is one.
    let mut expected: Vec<String> = names(0, 1).chain(names(100, 199)).collect();
    expected.push("other".to_owned());
    assert_eq!(heard, expected);
}
