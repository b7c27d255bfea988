//! The engine by itself: what it reads back, and what can be wrong with a file.

use std::path::Path;
use std::time::Instant as Clock;

use super::*;
use crate::error::ErrorKind;
use crate::query::Instant;
use crate::warehouse::{Rows, Sink};

fn memory() -> Duckdb {
    Duckdb::open(&open(None)).unwrap()
}

fn open(path: Option<&Path>) -> Open {
    Open {
        path: path.map(Path::to_owned),
        read_only: false,
        threads: Some(2),
        memory_limit: None,
        now: Instant::default(),
    }
}

fn run(warehouse: &Duckdb, sql: &str) {
    lock(&warehouse.root).execute_batch(sql).unwrap();
}

fn gather(fill: impl FnOnce(&mut Sink<'_>)) -> Vec<(u32, i64, u16)> {
    let mut all = Vec::new();
    fill(&mut |rows| {
        for ((user, ts), name) in rows.user.iter().zip(rows.ts).zip(rows.name) {
            all.push((*user, *ts, *name));
        }
        Ok(())
    });
    all
}

const EVENT: &str = "insert into events (user_key, name_key, ts, received_at, client_seq, event_id, content_hash, version, row_key) values ";

#[test]
fn a_scan_gives_the_users_events_added_after_a_version() {
    let w = memory();
    run(&w, &format!("{EVENT}
        (7, 3, make_timestamp(5), make_timestamp(5), null, null, 0, 1, 0),
        (null, 3, make_timestamp(6), make_timestamp(5), null, null, 0, 1, 0),
        (8, 4, make_timestamp(7), make_timestamp(5), null, null, 0, 2, 0);
        update meta set version = 2, events = 3, unattributed = 1, users = 9, first_event = make_timestamp(5)"));
    let snapshot = w.snapshot().unwrap();
    // What changes afterwards is not seen.
    run(
        &w,
        &format!(
            "{EVENT} (9, 4, make_timestamp(7), make_timestamp(5), null, null, 0, 3, 1); update meta set version = 3"
        ),
    );
    let head = snapshot.head();
    let mut all = gather(|sink| snapshot.scan(0, sink).unwrap());
    all.sort_unstable();
    assert_eq!(all, [(7, 5, 3), (8, 7, 4)]);
    assert_eq!(
        head,
        Head {
            version: 2,
            epoch: 0,
            events: 3,
            unattributed: 1,
            users: 9,
            first: Some(5),
            ..Head::default()
        }
    );
    assert_eq!(gather(|sink| snapshot.scan(1, sink).unwrap()), [(8, 7, 4)]);
    assert_eq!(gather(|sink| snapshot.scan(2, sink).unwrap()), []);
    let of = |keys: &[u32], until| gather(|sink| snapshot.of_users(keys, until, sink).unwrap());
    assert_eq!(of(&[8, 9], 2), [(8, 7, 4)]);
    assert_eq!(of(&[8], 1), []);
    assert_eq!(of(&[7, 8], 1), [(7, 5, 3)]);
}

#[test]
fn ties_come_in_the_order_of_sequence_id_and_content() {
    let w = memory();
    run(&w, &format!("{EVENT}
        (1, 1, make_timestamp(5), make_timestamp(5), 2, null, 0, 1, 1),
        (1, 2, make_timestamp(5), make_timestamp(5), 1, 'ffffffff-0000-0000-0000-000000000000', 1, 1, 2),
        (1, 3, make_timestamp(5), make_timestamp(5), 1, '00000000-0000-0000-0000-000000000001', 2, 1, 3),
        (1, 4, make_timestamp(5), make_timestamp(5), null, null, 9, 1, 4),
        (1, 5, make_timestamp(5), make_timestamp(5), null, null, 8, 1, 5),
        (1, 6, make_timestamp(6), make_timestamp(5), null, null, 8, 1, 6),
        (0, 7, make_timestamp(4), make_timestamp(5), null, null, 8, 1, 7)"));
    let snapshot = w.snapshot().unwrap();
    let ordered = |rows: &[u32]| snapshot.ordered(rows).unwrap();
    assert_eq!(ordered(&[1, 2, 3, 4, 5, 7]), [7, 5, 4, 3, 2, 1]);
    assert_eq!(ordered(&[2, 1]), [2, 1]);
    assert!(ordered(&[]).is_empty());
}

#[test]
fn what_profiles_say_comes_in_the_order_of_user_time_and_content() {
    let w = memory();
    run(
        &w,
        "insert into profiles values
        (2, make_timestamp(5), 'premium', null, 1),
        (1, make_timestamp(20), 'premium', '{\"age\":7}', 1),
        (1, make_timestamp(10), 'free', null, 2),
        (1, make_timestamp(10), 'basic', null, 1),
        (1, make_timestamp(25), null, '{}', 1)",
    );
    let said = |name| -> Vec<(u32, i64, String)> {
        let said = w.user_property(name).unwrap().into_iter();
        said.map(|s| (s.user, s.ts, s.value)).collect()
    };
    let text = |t: &str| format!("\"{t}\"");
    assert_eq!(
        said("plan"),
        [
            (1, 10, text("basic")),
            (1, 10, text("free")),
            (1, 20, text("premium")),
            (2, 5, text("premium"))
        ]
    );
    assert_eq!(said("age"), [(1, 20, "7".to_owned())]);
    assert_eq!(said("/"), []);
}

#[test]
fn an_event_is_asked_for_its_properties_by_row() {
    let w = memory();
    run(
        &w,
        &format!(
            "{EVENT}
        (1, 1, make_timestamp(5), make_timestamp(5), 2, null, 0, 1, 0),
        (1, 1, make_timestamp(6), make_timestamp(5), 2, null, 0, 1, 1),
        (1, 1, make_timestamp(7), make_timestamp(5), 2, null, 0, 1, 2)"
        ),
    );
    run(&w, "update events set properties = '{\"a/~\\\"b\":1.50,\"city\":\"Paris\"}', session_id = 's' where row_key > 0;
        update events set properties = '{\"city\":null,\"x\":\"a/~\"}' where row_key = 0");
    let ask = |property: &EventProperty, first| {
        let mut found = Vec::new();
        w.property(property, first, &mut |rows, values| {
            let pairs = rows.iter().zip(values);
            found.extend(pairs.map(|(row, value)| (*row, value.unwrap_or_default().to_owned())));
            Ok(())
        })
        .unwrap();
        found.sort();
        found
    };
    let named = |name: &str| EventProperty::Named(name.to_owned());
    let both = |v: &str| vec![(1, v.to_owned()), (2, v.to_owned())];
    assert_eq!(ask(&named("a/~\"b"), 0), both("1.5"));
    assert_eq!(ask(&named("city"), 1), both("\"Paris\""));
    assert_eq!(ask(&named("city"), 0).len(), 3);
    assert_eq!(ask(&named("none"), 0), []);
    assert_eq!(ask(&EventProperty::Session, 2), [(2, "\"s\"".to_owned())]);
}

#[test]
fn the_settings_are_locked_and_files_are_out_of_reach() {
    let w = memory();
    for sql in [
        "set enable_external_access = true",
        "set memory_limit = '1GB'",
        "select * from read_csv('/etc/hostname')",
        "copy events to '/tmp/events.csv'",
        "attach '/tmp/other.db'",
        "install httpfs",
        "load '/tmp/any.duckdb_extension'",
    ] {
        let refused = lock(&w.root).execute_batch(sql);
        assert!(refused.is_err(), "{sql} was not refused");
    }
}

#[test]
fn a_question_larger_than_its_memory_uses_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = open(Some(&folder.path().join("w.db")));
    options.memory_limit = Some(64 << 20);
    let w = Duckdb::open(&options).unwrap();
    run(&w, "insert into events (user_key, name_key, ts, received_at, content_hash, version)
        select i % 1000, 1, make_timestamp(i), make_timestamp(i), hash(i), 1 from range(3000000) t(i)");
    let batches = w
        .select(
            "select ts, content_hash, received_at from events order by content_hash",
            &[],
        )
        .unwrap();
    assert_eq!(
        batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
        3_000_000
    );
}

#[test]
fn a_file_keeps_its_rows_and_can_be_read_by_many() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let w = Duckdb::open(&open(Some(&path))).unwrap();
    run(
        &w,
        &format!(
            "{EVENT} (7, 3, make_timestamp(5), make_timestamp(5), null, null, 0, 1, 0); update meta set version = 1"
        ),
    );
    let error = Duckdb::open(&open(Some(&path))).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Conflict, "locked")
    );
    assert!(
        error.message().contains("this process") && error.message().contains("read-only"),
        "{error}"
    );
    let reader = Open {
        read_only: true,
        ..open(Some(&path))
    };
    assert_eq!(Duckdb::open(&reader).unwrap_err().code(), "locked");
    // Another name of the same file is the same file.
    #[cfg(unix)]
    {
        let link = folder.path().join("link.db");
        std::fs::hard_link(&path, &link).unwrap();
        assert_eq!(
            Duckdb::open(&open(Some(&link))).unwrap_err().code(),
            "locked"
        );
    }
    drop(w);
    let one = Duckdb::open(&reader).unwrap();
    let two = Duckdb::open(&reader).unwrap();
    assert_eq!(
        gather(|sink| one.snapshot().unwrap().scan(0, sink).unwrap()),
        [(7, 5, 3)]
    );
    assert_eq!(two.snapshot().unwrap().ordered(&[0]).unwrap(), [0]);
    drop((one, two));
    Duckdb::open(&open(Some(&path))).unwrap();
}

#[test]
fn what_is_wrong_with_a_path_has_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text.db"), "a,b\n1,2\n".repeat(10_000)).unwrap();
    std::fs::write(at("short.db"), "x").unwrap();
    ::duckdb::Connection::open(at("other.db"))
        .unwrap()
        .execute_batch("create table t (i integer)")
        .unwrap();
    ::duckdb::Connection::open(at("bare.db")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();

    let code = |path: &Path, read_only| {
        let error = Duckdb::open(&Open {
            read_only,
            ..open(Some(path))
        })
        .unwrap_err();
        (error.kind(), error.code())
    };
    for read_only in [false, true] {
        assert_eq!(
            code(&at("text.db"), read_only),
            (ErrorKind::Corrupt, "not_a_database")
        );
        assert_eq!(
            code(&at("short.db"), read_only),
            (ErrorKind::Corrupt, "not_a_database")
        );
        assert_eq!(
            code(&at("other.db"), read_only),
            (ErrorKind::Corrupt, "not_travelsense")
        );
        assert_eq!(
            code(&at("folder"), read_only),
            (ErrorKind::Storage, "is_a_folder")
        );
        assert_eq!(
            code(&at("none/w.db"), read_only),
            (ErrorKind::Storage, "not_found")
        );
    }
    assert_eq!(
        code(&at("bare.db"), true),
        (ErrorKind::Corrupt, "not_travelsense")
    );
    assert_eq!(
        code(&at("none.db"), true),
        (ErrorKind::Storage, "not_found")
    );
    // Whoever runs this: nobody makes files in these.
    #[cfg(target_os = "linux")]
    for path in ["/proc/w.db", "/sys/w.db"] {
        assert_eq!(
            code(Path::new(path), false),
            (ErrorKind::Storage, "read_only")
        );
    }
    // An empty database of DuckDB's becomes ours when it may be written.
    Duckdb::open(&open(Some(&at("bare.db")))).unwrap();
}

#[test]
fn a_newer_or_changed_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    drop(Duckdb::open(&open(Some(&path))).unwrap());
    let change = |sql: &str| {
        ::duckdb::Connection::open(&path)
            .unwrap()
            .execute_batch(sql)
            .unwrap()
    };
    change("insert into migrations values (99, 'later', 'x', now()::timestamp)");
    for read_only in [false, true] {
        let error = Duckdb::open(&Open {
            read_only,
            ..open(Some(&path))
        })
        .unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Corrupt, "newer_format")
        );
    }
    change("delete from migrations where number = 99; update migrations set checksum = 'x'");
    let error = Duckdb::open(&open(Some(&path))).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Corrupt, "corrupt")
    );
}

#[test]
fn an_older_file_is_brought_forward_once_and_only_for_writing() {
    let connection = Connection::open_in_memory().unwrap();
    let now = Instant::default();
    let run = |all: &[migrate::Migration], read_only| {
        migrate::run(&connection, all, "`w.db`", read_only, now)
    };
    let mut all = migrate::ALL.to_vec();
    run(&all, false).ok().unwrap();
    let number = all.len() as i32 + 1;
    all.push(migrate::Migration {
        number,
        name: "more",
        sql: "create table more (i integer)",
    });
    match run(&all, true) {
        Err(migrate::Fault::Ours(error)) => assert_eq!(error.code(), "older_format"),
        _ => panic!("an older file was read"),
    }
    assert!(run(&all, false).ok().unwrap());
    assert!(!run(&all, false).ok().unwrap());
    let format: i32 = connection
        .query_row("select format from meta", [], |row| row.get(0))
        .unwrap();
    assert_eq!(format, number);
}

/// 20 million rows in well under a second: `cargo test -- --ignored --nocapture twenty_million`.
#[test]
#[ignore = "a measurement"]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, for people to read"
)]
fn twenty_million_rows_stream_out() {
    let folder = tempfile::tempdir().unwrap();
    let w = Duckdb::open(&open(Some(&folder.path().join("w.db")))).unwrap();
    run(&w, "insert into events (user_key, name_key, ts, received_at, event_id, content_hash, version, row_key)
        select hash(i) % 1000000, hash(i + 7) % 9, make_timestamp(1700000000000000 + i * 400000), make_timestamp(i), uuid(), hash(i), 1, i
        from range(20000000) t(i); update meta set version = 1, events = 20000000; checkpoint");
    for _ in 0..4 {
        let begin = Clock::now();
        let (mut rows, mut batches, mut sum) = (0, 0, 0i64);
        let snapshot = w.snapshot().unwrap();
        snapshot
            .scan(0, &mut |r: Rows<'_>| {
                rows += r.user.len();
                batches += 1;
                sum = sum.wrapping_add(r.ts.iter().sum::<i64>());
                Ok(())
            })
            .unwrap();
        println!(
            "{rows} rows in {batches} batches: {:?} ({sum})",
            begin.elapsed()
        );
    }
    let rows: Vec<u32> = (0..10_000).collect();
    let begin = Clock::now();
    w.snapshot().unwrap().ordered(&rows).unwrap();
    println!("ordered: {:?}", begin.elapsed());
}

#[test]
fn a_commit_that_only_lacks_its_checkpoint_is_a_commit() {
    // As the engine says it.
    assert!(super::load::is_durable(
        "TransactionContext Error: Transaction COMMIT succeeded and is durable, but the autocheckpoint failed. \
         Could not write file \"a.db\": No space left on device"
    ));
    assert!(!super::load::is_durable(
        "TransactionContext Error: Failed to commit: No space left on device"
    ));
}
