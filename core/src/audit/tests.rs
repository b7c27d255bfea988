use super::*;
use crate::metadata::{Embedded, change, entries, read};

fn at(second: i64) -> Instant {
    Instant::from_micros(second * 1_000_000).unwrap()
}

fn store(entries: i64) -> Embedded {
    let store = Embedded::open(None, false, at(0)).unwrap();
    let who = Principal::new("u1", "admin").asking("192.0.2.1", "r1");
    for n in 1..=entries {
        let act = Act::new("dashboard.read", format!("dashboard/{n}"));
        let entry = entry(&who, &act, (Outcome::Allowed, "because"), at(n));
        change(&store, |s| append(s, vec![entry])).unwrap();
    }
    store
}

#[test]
fn a_record_that_nobody_touched_is_whole() {
    for count in [0, 1, 7] {
        let found = read(&store(count), verify).unwrap();
        assert_eq!((found.entries, found.broken), (count as u64, None));
        assert_eq!(found.head.len(), if count == 0 { 0 } else { 64 });
    }
}

#[test]
fn the_first_entry_that_is_not_what_it_was_is_named() {
    type Tampering = (&'static str, i64, &'static str);
    let table: [Tampering; 12] = [
        ("update entries set who = 'u2' where seq = 3", 3, "hash"),
        (
            "update entries set role = 'viewer' where seq = 3",
            3,
            "hash",
        ),
        ("update entries set origin = '' where seq = 3", 3, "hash"),
        ("update entries set request = 'r2' where seq = 3", 3, "hash"),
        ("update entries set action = 'x' where seq = 3", 3, "hash"),
        ("update entries set object = 'x' where seq = 3", 3, "hash"),
        (
            "update entries set outcome = 'refused' where seq = 3",
            3,
            "hash",
        ),
        ("update entries set reason = '' where seq = 3", 3, "hash"),
        (
            "update entries set happened_at = happened_at + 1 where seq = 3",
            3,
            "hash",
        ),
        ("delete from entries where seq = 1", 1, "missing"),
        ("delete from entries where seq = 7", 7, "cut off"),
        (
            "delete from entries where seq = 4; update entries set seq = seq - 1 where seq > 4; update chain set seq = 6",
            4,
            "hash",
        ),
    ];
    for (statement, seq, reason) in table {
        let store = store(7);
        change(&store, |s| s.batch(statement)).unwrap();
        let found = read(&store, verify).unwrap();
        let broken = found.broken.unwrap();
        assert_eq!(broken.seq, seq, "{statement}");
        assert!(
            broken.reason.contains(reason),
            "{statement}: {}",
            broken.reason
        );
        assert_eq!(found.entries, seq as u64 - 1, "{statement}");
    }
}

#[test]
fn entries_of_many_threads_are_all_kept_in_one_chain() {
    let store = store(0);
    let recorder = Recorder::default();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, recorder) = (&store, &recorder);
            scope.spawn(move || {
                for n in 0..25 {
                    let who = Principal::new(format!("t{thread}"), "viewer");
                    let act = Act::new("query.funnel", n.to_string());
                    let entry = entry(&who, &act, (Outcome::Allowed, ""), at(n));
                    recorder.record(store, entry).unwrap();
                }
            });
        }
    });
    let found = read(&store, verify).unwrap();
    assert_eq!((found.entries, found.broken), (200, None));
    let filter = entries::Filter {
        who: "t3".to_owned(),
        action: "query".to_owned(),
        limit: 10,
        ..entries::Filter::default()
    };
    let (page, total) = read(&store, |s| entries::find(s, &filter)).unwrap();
    assert_eq!((page.len(), total), (10, 25));
    assert!(page.iter().all(|e| e.who == "t3") && page[0].seq > page[9].seq);
}

#[test]
fn an_entry_that_cannot_be_written_is_an_error_and_is_not_written_later() {
    let store = store(2);
    change(&store, |s| s.batch("alter table entries rename to gone")).unwrap();
    let recorder = Recorder::default();
    let who = Principal::owner();
    let fresh = || entry(&who, &Act::new("a.b", ""), (Outcome::Allowed, ""), at(9));
    assert!(recorder.record(&store, fresh()).is_err());
    change(&store, |s| s.batch("alter table gone rename to entries")).unwrap();
    recorder.record(&store, fresh()).unwrap();
    let found = read(&store, verify).unwrap();
    assert_eq!((found.entries, found.broken), (3, None));
}
