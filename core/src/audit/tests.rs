mod many;

use super::*;
use crate::access::{Key, Signer};
use crate::metadata::{Embedded, change, entries, read};
use crate::timeline::Course;

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
        let found = read(&store(count), |s| verify(s, &[], Course::default())).unwrap();
        assert_eq!((found.entries, found.broken), (count as u64, None));
        assert_eq!(found.head.len(), if count == 0 { 0 } else { 64 });
    }
}

#[test]
fn the_first_entry_that_is_not_what_it_was_is_named() {
    type Tampering = (&'static str, i64, &'static str);
    let table: [Tampering; 16] = [
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
        ("delete from entries where seq in (5, 6)", 5, "missing"),
        (
            "insert into entries select seq - 7, * exclude (seq) from entries where seq = 4",
            -3,
            "put in",
        ),
        (
            "insert into entries select seq + 9, * exclude (seq) from entries where seq = 4",
            13,
            "put in",
        ),
        (
            "insert into entries select * from entries where seq = 4",
            4,
            "twice",
        ),
        (
            "delete from entries where seq = 4; update entries set seq = seq - 1 where seq > 4; update chain set seq = 6",
            4,
            "hash",
        ),
    ];
    for (statement, seq, reason) in table {
        let store = store(7);
        change(&store, |s| s.batch(statement)).unwrap();
        let found = read(&store, |s| verify(s, &[], Course::default())).unwrap();
        let broken = found.broken.unwrap();
        assert_eq!(broken.seq, seq, "{statement}");
        assert!(
            broken.reason.contains(reason),
            "{statement}: {}",
            broken.reason
        );
        let whole = match reason {
            "put in" => 7,
            "twice" => 4,
            _ => seq as u64 - 1,
        };
        assert_eq!(found.entries, whole, "{statement}");
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
    let found = read(&store, |s| verify(s, &[], Course::default())).unwrap();
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
    let found = read(&store, |s| verify(s, &[], Course::default())).unwrap();
    assert_eq!((found.entries, found.broken), (3, None));
}

#[test]
fn a_record_that_was_made_anew_as_a_whole_is_found_by_its_anchors() {
    let signer = Signer::pem(include_str!("../access/token/keys/ed.pem")).unwrap();
    let key = Key::pem(include_str!("../access/token/keys/ed.pub.pem")).unwrap();
    let honest = store(7);
    let anchor = |seq: i64| {
        let entries = read(&honest, |s| entries::after(s, seq - 1, 1)).unwrap();
        Anchor {
            seq,
            hash: entries[0].hash.clone(),
            at: at(seq),
        }
    };
    let lines = [3, 7]
        .map(|seq| anchor(seq).sign(&signer).unwrap())
        .join("\n");
    let anchors = Anchor::read(&lines, &key).unwrap();
    assert_eq!(anchors, [anchor(3), anchor(7)]);
    let found = read(&honest, |s| verify(s, &anchors, Course::default())).unwrap();
    assert_eq!((found.entries, found.anchors, found.broken), (7, 2, None));

    // Another history, with a chain of its own that is whole.
    let forged = Embedded::open(None, false, at(0)).unwrap();
    for n in 1..=7 {
        let who = if n == 2 { "nobody" } else { "u1" };
        let act = Act::new("dashboard.read", format!("dashboard/{n}"));
        let entry = entry(
            &Principal::new(who, "admin"),
            &act,
            (Outcome::Allowed, ""),
            at(n),
        );
        change(&forged, |s| append(s, vec![entry])).unwrap();
    }
    assert_eq!(
        read(&forged, |s| verify(s, &[], Course::default()))
            .unwrap()
            .broken,
        None
    );
    let broken = read(&forged, |s| verify(s, &anchors, Course::default()))
        .unwrap()
        .broken;
    assert_eq!(broken.map(|b| b.seq), Some(3));
    // A shorter one.
    let broken = read(&store(5), |s| verify(s, &anchors[1..], Course::default()))
        .unwrap()
        .broken;
    assert_eq!(broken.map(|b| b.seq), Some(7));

    // An anchor cannot be made without the key, nor of a token.
    let other = Key::pem(include_str!("../access/token/keys/ec.pub.pem")).unwrap();
    assert_eq!(
        Anchor::read(&lines, &other).unwrap_err().code(),
        "bad_anchor"
    );
    let changed = lines.replacen(&lines[..20], &lines[1..21], 1);
    assert_eq!(
        Anchor::read(&changed, &key).unwrap_err().code(),
        "bad_anchor"
    );
}

/// 10,000 edits of single fields, one record each time made anew by undoing the edit.
#[test]
fn no_edit_of_a_field_goes_unseen() {
    let store = store(25);
    let columns = [
        "who", "role", "origin", "request", "action", "object", "outcome", "reason", "hash",
    ];
    let edits: u32 = option("TRAVELSENSE_EDITS").unwrap_or(300);
    for n in 0..edits {
        let column = columns[n as usize % columns.len()];
        let seq = i64::from(n * 7 % 25) + 1;
        let mut entries = read(&store, |s| entries::after(s, seq - 1, 1)).unwrap();
        let before = entries.remove(0);
        let mut after = before.clone();
        let field = match column {
            "who" => &mut after.who,
            "role" => &mut after.role,
            "origin" => &mut after.origin,
            "request" => &mut after.request,
            "action" => &mut after.action,
            "object" => &mut after.object,
            "outcome" => &mut after.outcome,
            "reason" => &mut after.reason,
            _ => &mut after.hash,
        };
        // A character more somewhere, so that every edit is another.
        let place = n as usize % (field.len() + 1);
        field.insert(place, char::from(b'a' + (n % 26) as u8));
        let put = |entry: &Entry| {
            change(&store, |s| {
                s.execute("delete from entries where seq = $1", &[entry.seq.into()])?;
                let head = entries::head(s)?;
                entries::append(s, std::slice::from_ref(entry))?;
                s.execute(
                    "update chain set seq = $1, hash = $2",
                    &[head.seq.into(), head.hash.into()],
                )
            })
            .unwrap()
        };
        put(&after);
        let found = read(&store, |s| verify(s, &[], Course::default())).unwrap();
        assert_eq!(found.broken.map(|b| b.seq), Some(seq), "{n}: {column}");
        put(&before);
    }
    assert_eq!(
        read(&store, |s| verify(s, &[], Course::default()))
            .unwrap()
            .broken,
        None
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "how much is tried is said by whoever runs the tests"
)]
fn option(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}
