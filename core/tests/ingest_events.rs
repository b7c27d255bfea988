//! Events on their way in: duplicates, order, clocks, users, limits, strictness, stopping.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use serde_json::{Value, json};
use travelsense::access::{self, Permission};
use travelsense::events::{
    self, Catalogue, ImportOptions, ImportReport, IngestReport, Mapping, Source, Status,
};
use travelsense::warehouse::{Duckdb, Open, Warehouse};
use travelsense::{Analytics, Error, ErrorKind, Instant, Principal};

const NOW: &str = "2026-03-01T12:00:00Z";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn memory() -> Duckdb {
    Duckdb::open(&Open {
        path: None,
        read_only: false,
        threads: Some(2),
        memory_limit: None,
        now: at(NOW),
    })
    .unwrap()
}

fn ingest_at(w: &Duckdb, events: &Value, now: &str) -> IngestReport {
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, events).unwrap();
    let report = events::ingest(w, &w.catalogue().unwrap(), &scoped, at(now)).unwrap();
    assert_eq!(
        report.accepted + report.duplicates + report.refused,
        report.sent
    );
    assert_eq!(report.events.len() as u64, report.sent);
    report
}

fn ingest(w: &Duckdb, events: &Value) -> IngestReport {
    ingest_at(w, events, NOW)
}

fn import_with(
    w: &Duckdb,
    path: &Path,
    options: &mut ImportOptions<'_>,
) -> Result<ImportReport, Error> {
    let mapping = Mapping::default();
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, &mapping).unwrap();
    let source = Source::Path(path.to_owned());
    let report = events::import(
        w,
        &w.catalogue().unwrap(),
        source,
        &scoped,
        at(NOW),
        options,
    )?;
    assert_eq!(
        report.accepted + report.duplicates + report.refused,
        report.sent
    );
    Ok(report)
}

fn import(w: &Duckdb, path: &Path) -> ImportReport {
    import_with(w, path, &mut ImportOptions::default()).unwrap()
}

fn statuses(report: &IngestReport) -> Vec<Status> {
    report.events.iter().map(|e| e.status).collect()
}

/// A file of lines that lives as long as its folder.
fn file(lines: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.ndjson");
    std::fs::write(&path, lines.join("\n")).unwrap();
    (folder, path)
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

/// Events with every kind of trouble: ids sent twice, the same id with another content, without a user, late.
fn batch() -> Vec<Value> {
    let mut events = Vec::new();
    for i in 0..40 {
        events.push(json!({
            "eventId": format!("e{}", i % 25),
            "userId": format!("u{}", i % 7),
            "name": if i % 3 == 0 { "search" } else { "view_trip" },
            "ts": format!("2026-02-{:02}T10:00:00Z", 1 + i % 20),
            "receivedAt": format!("2026-02-27T10:00:{:02}Z", (i * 7) % 11),
            "properties": {"n": i % 5},
        }));
    }
    events.push(json!({"eventId": "0190A0A0-0000-7000-8000-000000000001", "name": "search", "ts": "2026-02-01"}));
    events.push(json!({"eventId": "0190a0a0-0000-7000-8000-000000000001", "name": "search", "ts": "2026-02-01"}));
    events
}

#[test]
fn the_same_batch_twice_changes_nothing() {
    let w = memory();
    let events = Value::Array(batch());
    let first = ingest(&w, &events);
    assert_eq!((first.accepted, first.duplicates), (26, 16));
    let (head, digest) = (w.head().unwrap(), w.content_digest().unwrap());
    let again = ingest_at(&w, &events, "2026-03-02T00:00:00Z");
    assert_eq!(
        (again.accepted, again.duplicates, again.replaced),
        (0, 42, 0)
    );
    assert_eq!(w.head().unwrap(), head);
    assert_eq!(again.version, head.version);
    assert_eq!(w.content_digest().unwrap(), digest);
}

#[test]
fn any_order_and_any_split_of_batches_store_the_same() {
    let events = batch();
    let whole = memory();
    ingest(&whole, &Value::Array(events.clone()));
    let expected = whole.content_digest().unwrap();
    // Fixed steps in place of chance: each round takes the events in another order and in other pieces.
    for (step, piece) in [
        (1, 1),
        (41, 5),
        (5, 7),
        (11, 42),
        (13, 3),
        (25, 2),
        (37, 11),
    ] {
        let w = memory();
        let order: Vec<Value> = (0..events.len())
            .map(|i| events[(i * step + 3) % events.len()].clone())
            .collect();
        for part in order.chunks(piece) {
            ingest(&w, &Value::Array(part.to_vec()));
        }
        assert_eq!(
            w.content_digest().unwrap(),
            expected,
            "step {step}, pieces of {piece}"
        );
        let head = w.head().unwrap();
        assert_eq!((head.events, head.unattributed), (26, 1));
        assert_eq!(head.first, whole.head().unwrap().first);
    }
}

#[test]
fn the_first_received_wins_and_a_stored_row_that_loses_gives_way() {
    let w = memory();
    let event = |received: &str, n: u32| {
        json!([{
            "eventId": "a", "userId": "u", "name": "search", "ts": "2026-02-01T00:00:00Z", "receivedAt": received, "n": n,
        }])
    };
    ingest(&w, &event("2026-02-02T00:00:00Z", 1));
    let epoch = w.head().unwrap().epoch;

    let later = ingest(&w, &event("2026-02-03T00:00:00Z", 2));
    assert_eq!(
        (later.duplicates, later.conflicts, later.replaced),
        (1, 1, 0)
    );
    assert_eq!(w.head().unwrap().epoch, epoch);
    let same = ingest(&w, &event("2026-02-03T00:00:00Z", 1));
    assert_eq!((same.duplicates, same.conflicts, same.replaced), (1, 0, 0));

    let version = w.head().unwrap().version;
    let earlier = ingest(&w, &event("2026-02-01T00:00:00Z", 3));
    assert_eq!(
        (earlier.duplicates, earlier.conflicts, earlier.replaced),
        (1, 1, 1)
    );
    assert_eq!(statuses(&earlier), [Status::Duplicate]);
    let head = w.head().unwrap();
    assert_eq!(
        (head.epoch, head.version, head.events),
        (epoch + 1, version + 1, 1)
    );
    assert_eq!(texts(&w, "select properties from events"), [r#"{"n":3}"#]);
}

#[test]
fn events_without_an_id_are_never_duplicates() {
    let w = memory();
    let events = json!([
        {"userId": "u", "name": "search", "ts": "2026-02-01"},
        {"userId": "u", "name": "search", "ts": "2026-02-01", "eventId": ""},
    ]);
    assert_eq!(ingest(&w, &events).accepted, 2);
    assert_eq!(ingest(&w, &events).accepted, 2);
    assert_eq!(w.head().unwrap().events, 4);
}

#[test]
fn each_event_of_a_batch_has_its_answer() {
    let w = memory();
    let report = ingest(
        &w,
        &json!([
            {"eventId": "a", "userId": "u", "name": "search", "ts": "2026-02-01T00:00:00Z"},
            {"eventId": "a", "userId": "u", "name": "search", "ts": "2026-02-01T00:00:00Z"},
            {"userId": 7, "event": "search", "time": "2026-02-01T00:00:00+02:00", "extra": {"deep": [1]}},
            {"userId": true, "name": "", "properties": [1], "clientSeq": 1.5},
            "no object",
            {"name": "x".repeat(201), "ts": "soon"},
            {"name": "payment", "ts": "2026-02-01", "properties": {"amount": "a lot", "currency": "Euros"}},
        ]),
    );
    use Status::{Accepted, Duplicate, Refused};
    assert_eq!(
        statuses(&report),
        [
            Accepted, Duplicate, Accepted, Refused, Refused, Refused, Refused
        ]
    );
    let errors = |i: usize| {
        report.events[i]
            .errors
            .iter()
            .map(|e| (e.field.as_str(), e.code))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        errors(3),
        [
            ("userId", "invalid_type"),
            ("name", "required"),
            ("time", "required"),
            ("clientSeq", "invalid_type"),
            ("properties", "invalid_type"),
        ]
    );
    assert_eq!(errors(4), [("event", "invalid_type")]);
    assert_eq!(
        errors(5),
        [("name", "invalid_length"), ("ts", "invalid_date")]
    );
    assert_eq!(
        errors(6),
        [
            ("properties.amount", "invalid_amount"),
            ("properties.currency", "invalid_currency")
        ]
    );
    assert_eq!(
        texts(&w, "select id from users order by user_key"),
        ["u", "7"]
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json["events"][1],
        json!({"index": 1, "status": "duplicate"})
    );
    assert_eq!(json["events"][4]["errors"][0]["code"], "invalid_type");
}

#[test]
fn only_an_array_is_a_batch() {
    let w = memory();
    let events = json!({"name": "search"});
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, &events).unwrap();
    let error = events::ingest(&w, &Catalogue::default(), &scoped, at(NOW)).unwrap_err();
    assert_eq!(error.field_errors()[0].field, "events");
    assert_eq!(ingest(&w, &json!([])).sent, 0);
    assert_eq!(w.head().unwrap().version, 0);
}

#[test]
fn an_empty_user_is_no_user_and_an_anonymous_id_stands_in_for_one() {
    let w = memory();
    ingest(
        &w,
        &json!([
            {"userId": "", "name": "a", "ts": "2026-02-01"},
            {"userId": null, "name": "a", "ts": "2026-02-01"},
            {"name": "a", "ts": "2026-02-01"},
            {"userId": "", "anonymousId": "x", "name": "a", "ts": "2026-02-01"},
            {"userId": "x", "name": "a", "ts": "2026-02-01"},
            {"userId": "x", "anonymousId": "x", "name": "a", "ts": "2026-02-01"},
        ]),
    );
    let head = w.head().unwrap();
    assert_eq!((head.events, head.unattributed, head.users), (6, 3, 2));
    assert_eq!(
        texts(
            &w,
            "select concat(user_key, ' ', coalesce(anonymous_key::varchar, '-'))
             from events
             where user_key is not null
             order by 1"
        ),
        ["0 -", "1 -", "1 0"]
    );
    assert_eq!(
        texts(
            &w,
            "select concat(id, ' ', anonymous) from users order by user_key"
        ),
        ["x true", "x false"]
    );
}

#[test]
fn a_wrong_clock_is_corrected_only_beyond_five_minutes() {
    let w = memory();
    let sent = |id: &str, ts: &str, sent: &str| json!({"eventId": id, "userId": "u", "name": "a", "ts": ts, "sentAt": sent});
    // Received at 12:00:00.
    ingest(
        &w,
        &json!([
            sent(
                "exactly 5 minutes",
                "2026-03-01T11:00:00Z",
                "2026-03-01T11:55:00Z"
            ),
            sent(
                "an hour slow",
                "2026-03-01T10:30:00Z",
                "2026-03-01T11:00:00Z"
            ),
            sent(
                "a year fast",
                "2027-03-01T11:59:00Z",
                "2027-03-01T12:00:00Z"
            ),
            sent(
                "just beyond",
                "2026-03-01T12:04:00Z",
                "2026-03-01T12:05:00.000001Z"
            ),
        ]),
    );
    assert_eq!(
        texts(
            &w,
            "select concat(event_id_text, ': ', ts, ' ', coalesce(client_ts::varchar, '-'))
             from events
             order by event_id_text"
        ),
        [
            "a year fast: 2026-03-01 11:59:00 2027-03-01 11:59:00",
            "an hour slow: 2026-03-01 11:30:00 2026-03-01 10:30:00",
            "exactly 5 minutes: 2026-03-01 11:00:00 -",
            "just beyond: 2026-03-01 11:58:59.999999 2026-03-01 12:04:00",
        ]
    );
}

#[test]
fn a_file_that_does_not_say_when_it_was_received_corrects_no_clock() {
    let w = memory();
    let (_folder, path) = file(&[
        r#"{"name": "a", "ts": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T00:00:05Z"}"#,
        r#"{"name": "a", "ts": "2020-01-01T01:00:00Z", "sentAt": "2020-01-01T01:00:00Z", "receivedAt": "2020-01-01T00:00:00Z"}"#,
    ]);
    import(&w, &path);
    assert_eq!(
        texts(&w, "select ts::varchar from events"),
        ["2020-01-01 00:00:00"; 2]
    );
}

#[test]
fn an_event_from_the_future_is_kept_aside_and_changes_no_figure() {
    let w = memory();
    let future = json!([
        {"eventId": "f", "userId": "u", "name": "a", "ts": "2099-01-01T00:00:00Z", "properties": {"x": 1}},
        {"eventId": "g", "userId": "u", "name": "a", "ts": "2099-01-01T00:00:00Z", "receivedAt": "2099-01-01T00:00:00Z"},
        {"eventId": "h", "userId": "u", "name": "a", "ts": "2026-03-02T12:00:00Z"},
    ]);
    let report = ingest(&w, &future);
    assert_eq!(
        statuses(&report),
        [Status::Refused, Status::Refused, Status::Accepted]
    );
    assert_eq!((report.refused, report.quarantined), (2, 2));
    let error = &report.events[0].errors[0];
    assert_eq!(
        (error.field.as_str(), error.code),
        ("ts", "clock_in_future")
    );
    assert_eq!(w.head().unwrap().events, 1);
    assert_eq!(
        texts(&w, "select event from quarantine order by event"),
        [
            r#"{"eventId":"f","name":"a","properties":{"x":1},"receivedAt":"2026-03-01T12:00:00.000Z","ts":"2099-01-01T00:00:00.000Z","userId":"u"}"#,
            r#"{"eventId":"g","name":"a","receivedAt":"2099-01-01T00:00:00.000Z","ts":"2099-01-01T00:00:00.000Z","userId":"u"}"#,
        ]
    );
    let head = w.head().unwrap();
    ingest(&w, &future);
    assert_eq!(w.head().unwrap(), head);
    assert_eq!(texts(&w, "select count(*)::varchar from quarantine"), ["2"]);
}

#[test]
fn money_is_exact_and_in_the_base_currency_where_none_is_said() {
    let w = memory();
    ingest(
        &w,
        &json!([
            {"eventId": "a", "name": "payment", "ts": "2026-02-01", "properties": {"amount": "12345678901234.5678", "currency": "usd"}},
            {"eventId": "b", "name": "payment", "ts": "2026-02-01", "amount": 0.1},
            {"eventId": "c", "name": "refund", "ts": "2026-02-01", "amount": -20},
            {"eventId": "d", "name": "payment", "ts": "2026-02-01"},
            {"eventId": "e", "name": "search", "ts": "2026-02-01", "amount": "a lot"},
        ]),
    );
    let money = "select concat(event_id_text, ' ', coalesce(amount::varchar, '-'), ' ', coalesce(currency, '-'))
                 from events
                 order by event_id_text";
    let first = [
        "a 12345678901234.5678 USD",
        "b 0.1000 EUR",
        "c -20.0000 EUR",
        "d - -",
        "e - -",
    ];
    assert_eq!(texts(&w, money), first);

    // Another catalogue reads the same events anew.
    let mut catalogue = Catalogue::default();
    catalogue.revenue.events = vec!["refund".to_owned()];
    catalogue.base_currency = "CHF".to_owned();
    let version = w.head().unwrap().version;
    w.set_catalogue(&catalogue).unwrap();
    assert_eq!(w.catalogue().unwrap(), catalogue);
    assert_eq!(w.head().unwrap().version, version + 1);
    assert_eq!(
        texts(&w, money),
        ["a - -", "b - -", "c -20.0000 CHF", "d - -", "e - -"]
    );
    w.set_catalogue(&Catalogue::default()).unwrap();
    assert_eq!(texts(&w, money), first);
    let version = w.head().unwrap().version;
    w.set_catalogue(&Catalogue::default()).unwrap();
    assert_eq!(w.head().unwrap().version, version);
    let wrong = Catalogue {
        base_currency: "Euro".to_owned(),
        ..Catalogue::default()
    };
    assert_eq!(
        w.set_catalogue(&wrong).unwrap_err().field_errors()[0].field,
        "baseCurrency"
    );
}

#[test]
fn a_later_catalogue_takes_nothing_for_money_that_ingest_would_not() {
    let w = memory();
    let order = |i: u32, properties: Value| json!({"userId": format!("u{i}"), "name": "order", "ts": "2026-02-01", "properties": properties});
    ingest(
        &w,
        &json!([
            order(1, json!({"amount": 1000, "currency": "yen"})),
            order(2, json!({"amount": "1_000"})),
            order(3, json!({"amount": "12.50", "currency": ""})),
            order(4, json!({"amount": 7, "currency": "EURO"})),
        ]),
    );
    let mut catalogue = Catalogue::default();
    catalogue.revenue.events = vec!["order".to_owned()];
    w.set_catalogue(&catalogue).unwrap();
    assert_eq!(
        texts(
            &w,
            "select concat_ws(' ', u.id, coalesce(amount::varchar, '-'), coalesce(currency, '-')) from events join users u using (user_key) order by 1"
        ),
        [
            "u1 1000.0000 YEN",
            "u2 - -",
            "u3 12.5000 EUR",
            "u4 7.0000 EURO"
        ]
    );
}

#[test]
fn malformed_lines_are_counted_by_line_and_do_not_stop_the_rest() {
    let w = memory();
    let (_folder, path) = file(&[
        "\u{feff}{\"name\": \"a\", \"ts\": \"2026-02-01\"}",
        "",
        "{\"name\": \"a\", ",
        "[1, 2]",
        r#"{"name": "a", "ts": "2026-02-30"}"#,
        r#"{"name": "a", "ts": NaN}"#,
        r#"{"name": "a", "ts": "2026-02-02"}"#,
    ]);
    let report = import(&w, &path);
    assert_eq!((report.sent, report.accepted, report.refused), (6, 2, 4));
    let listed: Vec<(u64, &str, &str)> = report
        .refusals
        .iter()
        .map(|r| (r.line, r.errors[0].field.as_str(), r.errors[0].code))
        .collect();
    assert_eq!(
        listed,
        [
            (3, "line", "malformed"),
            (4, "event", "invalid_type"),
            (5, "ts", "invalid_date"),
            (6, "line", "malformed")
        ]
    );
    assert_eq!(
        report.refused_by_code.into_iter().collect::<Vec<_>>(),
        [("invalid_date", 1), ("invalid_type", 1), ("malformed", 2)]
    );
    assert_eq!(w.head().unwrap().events, 2);
}

#[test]
fn only_a_thousand_refusals_are_listed_but_all_are_counted() {
    let w = memory();
    let (_folder, path) = file(&["x"; 2_500]);
    let report = import(&w, &path);
    assert_eq!(
        (report.sent, report.refused, report.refusals.len()),
        (2_500, 2_500, 1_000)
    );
    assert_eq!(report.refused_by_code.get("malformed"), Some(&2_500));
    assert_eq!(w.head().unwrap().version, 0);
}

#[test]
fn a_strict_import_with_one_bad_line_keeps_nothing() {
    let w = memory();
    ingest(
        &w,
        &json!([{"userId": "u", "name": "before", "ts": "2026-02-01"}]),
    );
    let (head, digest) = (w.head().unwrap(), w.content_digest().unwrap());
    let (_folder, path) = file(&[
        r#"{"name": "a", "userId": "v", "ts": "2026-02-01"}"#,
        r#"{"name": "", "ts": "x"}"#,
        r#"{"name": "b", "ts": "2099-02-01"}"#,
    ]);
    let mut strict = ImportOptions {
        strict: true,
        ..ImportOptions::default()
    };
    let error = import_with(&w, &path, &mut strict).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Invalid, "validation_failed")
    );
    let fields: Vec<(&str, &str)> = error
        .field_errors()
        .iter()
        .map(|e| (e.field.as_str(), e.code))
        .collect();
    assert_eq!(
        fields,
        [
            ("lines[2].name", "required"),
            ("lines[2].ts", "invalid_date"),
            ("lines[3].ts", "clock_in_future"),
            ("lines", "refused"),
        ]
    );
    assert_eq!(w.head().unwrap(), head);
    assert_eq!(w.content_digest().unwrap(), digest);
    // What was taken back left no keys behind: the next user gets the next key.
    let report = import(&w, &path);
    assert_eq!(
        (report.accepted, report.refused, report.quarantined),
        (1, 2, 1)
    );
    assert_eq!(
        texts(&w, "select id from users order by user_key"),
        ["u", "v"]
    );
    assert_eq!(w.names().unwrap(), ["before", "a"]);
}

#[test]
fn an_import_says_how_far_it_is_and_stops_when_told_to() {
    let w = memory();
    let lines: Vec<String> = (0..80_000)
        .map(|i| {
            format!(
                r#"{{"userId":"u{}","name":"a","ts":"2026-02-01T00:00:00Z","n":{i}}}"#,
                i % 99
            )
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (_folder, path) = file(&lines);
    let size = std::fs::metadata(&path).unwrap().len();

    let mut heard = Vec::new();
    let mut stop = |progress: events::Progress| {
        heard.push(progress);
        ControlFlow::Break(())
    };
    let mut options = ImportOptions {
        progress: Some(&mut stop),
        ..ImportOptions::default()
    };
    let error = import_with(&w, &path, &mut options).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Cancelled, "cancelled")
    );
    assert_eq!(heard.len(), 1);
    assert!(heard[0].rows > 0 && heard[0].bytes > 0 && heard[0].bytes < size);
    assert_eq!(heard[0].total_bytes, Some(size));
    assert_eq!(w.head().unwrap().version, 0);
    assert_eq!(texts(&w, "select count(*)::varchar from events"), ["0"]);

    let mut last = events::Progress::default();
    let mut go_on = |progress: events::Progress| {
        assert!(progress.rows >= last.rows && progress.bytes >= last.bytes);
        last = progress;
        ControlFlow::Continue(())
    };
    let mut options = ImportOptions {
        progress: Some(&mut go_on),
        ..ImportOptions::default()
    };
    assert_eq!(
        import_with(&w, &path, &mut options).unwrap().accepted,
        80_000
    );
    assert_eq!((last.rows, last.bytes), (80_000, size));
    assert_eq!(w.head().unwrap().users, 99);
}

#[test]
fn a_change_inside_the_progress_of_an_import_is_refused_and_waits_for_nothing() {
    let a = Analytics::in_memory().unwrap();
    let who = Principal::owner();
    let mut inner = Vec::new();
    let mut change = |_: events::Progress| {
        inner.push(a.ingest(
            &who,
            &json!([{ "userId": "u", "name": "n", "ts": "2026-01-01T00:00:00Z" }]),
        ));
        std::ops::ControlFlow::Continue(())
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.ndjson");
    std::fs::write(
        &file,
        "{\"userId\":\"v\",\"name\":\"n\",\"ts\":\"2026-01-01T00:00:00Z\"}\n",
    )
    .unwrap();
    let mut options = ImportOptions {
        progress: Some(&mut change),
        ..ImportOptions::default()
    };
    let report = a
        .import(&who, Source::Path(file), &Mapping::default(), &mut options)
        .unwrap();
    assert_eq!(report.accepted, 1);
    assert!(!inner.is_empty());
    assert!(
        inner
            .iter()
            .all(|r| r.as_ref().is_err_and(|e| e.code() == "change_under_way"))
    );
    assert_eq!(a.timelines().unwrap().events(), 1);
}

#[test]
fn the_65_536th_name_is_refused_and_the_rest_is_kept() {
    let w = memory();
    let event = |i: u32| json!({"name": format!("n{i}"), "ts": "2026-02-01"});
    let all: Vec<Value> = (0..65_537).map(event).chain([event(5)]).collect();
    let report = ingest(&w, &Value::Array(all));
    assert_eq!((report.accepted, report.refused), (65_536, 2));
    assert_eq!(report.events[65_535].errors[0].code, "too_many_names");
    assert_eq!(report.events[65_537].status, Status::Accepted);
}

#[test]
fn properties_have_at_most_a_mebibyte() {
    let w = memory();
    // {"x":"…"} has 8 characters beside the text.
    let event = |length: usize| json!([{"name": "a", "ts": "2026-02-01", "properties": {"x": "y".repeat(length)}}]);
    assert_eq!(ingest(&w, &event((1 << 20) - 8)).accepted, 1);
    let report = ingest(&w, &event((1 << 20) - 7));
    let error = &report.events[0].errors[0];
    assert_eq!(
        (error.field.as_str(), error.code),
        ("properties", "too_large")
    );
}

#[test]
fn a_store_opened_only_to_read_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let open = |read_only| {
        let path = Some(path.clone());
        Duckdb::open(&Open {
            path,
            read_only,
            threads: None,
            memory_limit: None,
            now: at(NOW),
        })
        .unwrap()
    };
    let events = json!([{"eventId": "a", "userId": "u", "name": "a", "ts": "2026-02-01"}]);
    let w = open(false);
    ingest(&w, &events);
    let digest = w.content_digest().unwrap();
    drop(w);
    let reader = open(true);
    assert_eq!(reader.content_digest().unwrap(), digest);
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, &events).unwrap();
    let error = events::ingest(&reader, &Catalogue::default(), &scoped, at(NOW)).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Storage, "read_only")
    );
    let other = Catalogue {
        base_currency: "CHF".to_owned(),
        ..Catalogue::default()
    };
    assert_eq!(
        reader.set_catalogue(&other).unwrap_err().code(),
        "read_only"
    );
    drop(reader);
    // What was stored before is known after opening again.
    let w = open(false);
    let again = ingest(&w, &events);
    assert_eq!((again.accepted, again.duplicates), (0, 1));
    assert_eq!(
        ingest(
            &w,
            &json!([{"userId": "u", "name": "b", "ts": "2026-02-01"}])
        )
        .accepted,
        1
    );
    assert_eq!(texts(&w, "select id from users"), ["u"]);
    assert_eq!(w.names().unwrap(), ["a", "b"]);
}

#[test]
fn a_number_is_found_by_its_last_digit_through_every_way_in() {
    // Doubles of up to 17 digits, of which a quick reader gets one in some wrong by its last bit.
    let mut state = 7_u64;
    let numbers: Vec<String> = (0..60)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let share = (state >> 11) as f64 / (1_u64 << 53) as f64;
            (share * 1_000.0).to_string()
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let line = |way: &str, i: usize, number: &str| {
        format!(
            r#"{{"userId": "{way}{i}", "name": "paid", "ts": "2026-01-05T12:00:00Z", "properties": {{"rate": {number}}}}}"#
        )
    };
    let lines = |way: &str| -> Vec<String> {
        let all = numbers.iter().enumerate();
        all.map(|(i, number)| line(way, i, number)).collect()
    };
    let a = Analytics::in_memory().unwrap();
    let owner = Principal::owner();
    let array: Value = serde_json::from_str(&format!("[{}]", lines("value").join(","))).unwrap();
    assert_eq!(a.ingest(&owner, &array).unwrap().accepted, 60);
    let body = lines("text").join("\n");
    let batch = travelsense::analytics::IngestBatch {
        body: body.as_bytes(),
        form: travelsense::analytics::BatchForm::Lines,
        mapping: None,
        source: "test",
        key: None,
        names: events::Names::None,
        most: 100,
    };
    a.ingest_batch(&owner, &batch).unwrap();
    let csv = numbers
        .iter()
        .enumerate()
        .map(|(i, number)| format!("csv{i},paid,2026-01-05T12:00:00Z,{number}\n"));
    let csv = format!("user_id,event,ts,rate\n{}", csv.collect::<String>());
    for (name, text) in [("a.ndjson", lines("file").join("\n")), ("a.csv", csv)] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let options = &mut ImportOptions::default();
        let report = a.import(&owner, Source::Path(path), &Mapping::default(), options);
        assert_eq!(report.unwrap().accepted, 60);
    }
    for number in &numbers {
        let question = format!(
            r#"{{"steps": ["paid"], "startDate": "2026-01-01", "endDate": "2026-01-31",
                "filters": [{{"property": "rate", "op": "is", "value": {number}, "cast": "number"}}]}}"#
        );
        let question: Value = serde_json::from_str(&question).unwrap();
        // One of each way in: a value, a text, a file of JSON and one of CSV.
        assert_eq!(
            a.funnel_json(&owner, &question).unwrap().entered,
            4,
            "{number}"
        );
    }
}
