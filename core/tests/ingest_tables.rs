//! The platform's tables: by column names, with keys, amounts and dates as they are.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::path::PathBuf;

use arrow::array::AsArray;
use serde_json::json;
use travelsense::access::{self, Permission};
use travelsense::demo::{Demo, Table as DemoTable};
use travelsense::events::{self, ImportOptions, ImportReport, Mapping, Source, Table};
use travelsense::warehouse::{Duckdb, Open, Warehouse};
use travelsense::{Error, Instant, Principal};

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn memory() -> Duckdb {
    Duckdb::open(&Open {
        path: None,
        read_only: false,
        threads: Some(2),
        memory_limit: None,
        now: now(),
    })
    .unwrap()
}

fn import_from(
    w: &Duckdb,
    table: Table,
    source: Source,
    mapping: &Mapping,
) -> Result<ImportReport, Error> {
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, mapping).unwrap();
    let options = &mut ImportOptions {
        table: Some(table),
        ..ImportOptions::default()
    };
    let report = events::import(w, &w.catalogue().unwrap(), source, &scoped, now(), options)?;
    assert_eq!(
        report.accepted + report.duplicates + report.refused,
        report.sent
    );
    Ok(report)
}

fn import(w: &Duckdb, table: Table, csv: &str) -> ImportReport {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("t.csv");
    std::fs::write(&path, csv).unwrap();
    import_from(w, table, Source::Path(path), &Mapping::default()).unwrap()
}

fn texts(w: &Duckdb, sql: &'static str) -> Vec<String> {
    let mut all = Vec::new();
    for batch in w.select(sql, &[]).unwrap() {
        all.extend(
            batch
                .column(0)
                .as_string::<i32>()
                .iter()
                .map(|t| t.unwrap_or("null").to_owned()),
        );
    }
    all
}

#[test]
fn payments_keep_their_exact_amounts() {
    let w = memory();
    let csv = "payment_id,ts,user_id,booking_id,status,amount,currency,method\n\
               p1,2026-02-01T10:00:00Z,u,b1,paid,19.99,eur,card\n\
               p2,2026-02-02,u,b1,refunded,-19.99,EUR,\n\
               p3,2026-02-02,,,paid,a lot,Euro,\n\
               p4,,u,,paid,,EUR,\n";
    let report = import(&w, Table::Payments, csv);
    assert_eq!((report.accepted, report.refused, report.version), (2, 2, 1));
    let faults = |i: usize| {
        report.refusals[i]
            .errors
            .iter()
            .map(|e| (e.field.as_str(), e.code))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (report.refusals[0].line, faults(0)),
        (
            4,
            vec![
                ("amount", "invalid_amount"),
                ("currency", "invalid_currency")
            ]
        )
    );
    assert_eq!(faults(1), [("ts", "required"), ("amount", "required")]);
    assert_eq!(
        texts(
            &w,
            "select concat(payment_id, ' ', ts, ' ', user_key, ' ', amount, ' ', currency, ' ', coalesce(properties, '-')) from payments order by 1"
        ),
        [
            r#"p1 2026-02-01 10:00:00 0 19.9900 EUR {"method":"card"}"#,
            "p2 2026-02-02 00:00:00 0 -19.9900 EUR -",
        ]
    );
    assert_eq!(w.head().unwrap().events, 0);
    assert_eq!(w.head().unwrap().users, 1);
}

#[test]
fn a_row_of_the_same_key_takes_the_place_of_the_one_before() {
    let w = memory();
    let header = "bookingId,ts,userId,status,service_date\n";
    let first = import(
        &w,
        Table::Bookings,
        &format!("{header}b1,2026-02-01,u,new,2027-07-01\nb2,2026-02-01,u,new,\n"),
    );
    assert_eq!(
        (first.accepted, first.duplicates, first.replaced),
        (2, 0, 0)
    );
    let version = w.head().unwrap().version;
    let same = import(
        &w,
        Table::Bookings,
        &format!("{header}b1,2026-02-01,u,new,2027-07-01\n"),
    );
    assert_eq!(
        (same.accepted, same.duplicates, same.version),
        (0, 1, version)
    );
    let changed = import(
        &w,
        Table::Bookings,
        &format!("{header}b1,2026-02-01,u,paid,\nb1,2026-02-01,u,cancelled,\n"),
    );
    assert_eq!(
        (changed.accepted, changed.duplicates, changed.replaced),
        (1, 1, 1)
    );
    assert_eq!(changed.version, version + 1);
    assert_eq!(
        texts(
            &w,
            "select concat(booking_id, ' ', status) from bookings order by 1"
        ),
        ["b1 cancelled", "b2 new"]
    );
    // Without a key a row is told from no other.
    let without = "ts,user_id,status\n2026-02-01,u,new\n2026-02-01,u,new\n";
    assert_eq!(import(&w, Table::Bookings, without).accepted, 2);
    assert_eq!(import(&w, Table::Bookings, without).accepted, 2);
}

#[test]
fn profiles_are_versions_and_tell_the_plan_as_of_any_time() {
    let w = memory();
    let csv = "user_id,ts,plan,country\n\
               u,2026-01-01,free,FR\n\
               u,2026-02-01,premium,FR\n\
               v,2026-01-15,premium,\n\
               ,2026-01-15,premium,\n";
    let report = import(&w, Table::Profiles, csv);
    assert_eq!((report.accepted, report.refused), (3, 1));
    assert_eq!(
        (
            report.refusals[0].errors[0].field.as_str(),
            report.refusals[0].errors[0].code
        ),
        ("user_id", "required")
    );
    let again = import(&w, Table::Profiles, csv);
    assert_eq!((again.accepted, again.duplicates), (0, 3));
    let said: Vec<(u32, String)> = w
        .user_property("plan")
        .unwrap()
        .into_iter()
        .map(|said| (said.user, said.value))
        .collect();
    let text = |plan: &str| format!("\"{plan}\"");
    assert_eq!(
        said,
        [
            (0, text("free")),
            (0, text("premium")),
            (1, text("premium"))
        ]
    );
    assert_eq!(
        texts(
            &w,
            "select distinct properties from profiles where user_key = 0"
        ),
        [r#"{"country":"FR"}"#]
    );
}

#[test]
fn a_rate_is_above_zero_and_one_for_each_currency_and_day() {
    let w = memory();
    let report = import(
        &w,
        Table::Rates,
        "currency,day,rate\nUSD,2026-02-01,0.92\nusd,2026-02-01,0.93\nGBP,2026-02-01,0\nJPY,soon,1\n",
    );
    assert_eq!(
        (report.accepted, report.duplicates, report.refused),
        (1, 1, 2)
    );
    assert_eq!(
        report.refused_by_code.into_iter().collect::<Vec<_>>(),
        [("invalid_date", 1), ("out_of_range", 1)]
    );
    assert_eq!(
        texts(
            &w,
            "select concat(currency, ' ', day, ' ', rate) from rates"
        ),
        ["USD 2026-02-01 0.93000000"]
    );
}

#[test]
fn the_user_and_the_time_of_a_table_are_mapped_like_those_of_events() {
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reviews.ndjson");
    std::fs::write(
        &path,
        "{\"reviewId\":\"r\",\"who\":5,\"at\":1769940000000,\"rating\":4.5,\"text\":\"good\"}\n",
    )
    .unwrap();
    let mapping = Mapping::parse(&json!({"user": "who", "time": "at", "timeUnit": "ms"})).unwrap();
    let report = import_from(&w, Table::Reviews, Source::Path(path), &mapping).unwrap();
    assert_eq!(report.accepted, 1, "{report:?}");
    assert_eq!(
        texts(
            &w,
            "select concat(review_id, ' ', ts, ' ', rating, ' ', properties) from reviews"
        ),
        [r#"r 2026-02-01 10:00:00 4.5 {"text":"good"}"#]
    );
}

#[test]
fn every_table_of_the_demo_loads_without_a_refusal() {
    let world = Demo {
        users: 300,
        ..Demo::until(now())
    }
    .make()
    .unwrap();
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    for (table, made) in [
        (Table::Profiles, DemoTable::Profiles),
        (Table::Trips, DemoTable::Trips),
        (Table::Bookings, DemoTable::Bookings),
        (Table::Reviews, DemoTable::Reviews),
        (Table::Payments, DemoTable::Payments),
        (Table::Performance, DemoTable::Performance),
        (Table::Rates, DemoTable::Rates),
    ] {
        let path = folder.path().join(format!("{}.ndjson", table.name()));
        let rows = world
            .write_ndjson(made, std::fs::File::create(&path).unwrap())
            .unwrap() as u64;
        let report = import_from(&w, table, Source::Path(path), &Mapping::default()).unwrap();
        assert_eq!(
            (report.sent, report.refused),
            (rows, 0),
            "{}: {report:?}",
            table.name()
        );
        assert!(report.accepted > 0);
    }
}
