//! What alert rules look at, through HTTP and the program: what was foretold, what was before, and one source.

use std::io::Write as _;
use std::process::Stdio;

use axum::http::Method;
use serde_json::{Value, json};
use travelsense::{Analytics, Instant, Principal};

use crate::alerts::{ALERTS, rule, send};
use crate::client::Server;
use crate::program::{file, folder, imported, ok, program, refused};

/// What is held against what was foretold for it, and against what was before: the rules, and what comes of them over `bookings`.
fn foretold() -> Vec<Value> {
    let rules = include_str!("../../../../tests/data/alerts/foretold.json");
    serde_json::from_str(rules).unwrap()
}

/// Three to six bookings a day before an instant, and thirty on the last.
fn bookings(store: &Analytics, now: Instant) {
    let event = |back: i64, n: i64| {
        let at = now.micros() - back * 86_400_000_000;
        let ts = Instant::saturating_from_micros(at).to_string();
        json!({ "userId": format!("u{back}-{n}"), "name": "complete_booking", "ts": ts })
    };
    let users = |back: i64| if back == 1 { 30 } else { 3 + back % 4 };
    let events = (1..=40).flat_map(|back| (0..users(back)).map(move |n| event(back, n)));
    let events = Value::Array(events.collect());
    store.ingest(&Principal::owner(), &events).unwrap();
}

/// Whether a tested rule says what it should.
fn tells(case: &Value, tested: &Value) {
    let reading = &tested["reading"];
    assert_eq!(tested["verdict"], "breach", "{case}: {tested}");
    assert_eq!(reading["value"], 30.0, "{tested}");
    assert_eq!(reading["before"].as_f64(), case["before"].as_f64());
    assert_eq!(reading["high"].is_number(), case["before"].is_null());
}

#[tokio::test]
async fn what_came_is_held_against_what_was_foretold_and_against_what_was_before() {
    let server = Server::new();
    bookings(&server.store, server.store.now());
    for case in foretold() {
        let made = send(&server, Method::POST, ALERTS, "admin", &case["rule"]).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json["data"]["_id"].as_str().unwrap();
        let path = format!("{ALERTS}/{id}/test");
        let tested = send(&server, Method::POST, &path, "admin", &json!({})).await;
        tells(&case, &tested.json["data"]);
    }
}

#[test]
fn the_program_tests_what_came_against_what_was_foretold() {
    let (folder, data) = folder();
    let store = Analytics::open(folder.path().join("travelsense.db")).unwrap();
    bookings(&store, store.now());
    let owner = Principal::owner();
    let made = |case: Value| (store.create_alert(&owner, &case["rule"]).unwrap().id, case);
    let made: Vec<_> = foretold().into_iter().map(made).collect();
    store.close();
    for (id, case) in made {
        let told = ok(&["alerts", "test", &id.to_string(), "--data", &data]);
        tells(&case, &serde_json::from_str(&told).unwrap());
    }
}

#[tokio::test]
async fn the_age_of_one_source_is_a_rule_of_its_own() {
    let server = Server::new();
    let verdict = async |source: Value| {
        let mut rule = rule(json!([]));
        rule["source"] = source;
        let made = send(&server, Method::POST, ALERTS, "admin", &rule).await;
        let Some(id) = made.json["data"]["_id"].as_str() else {
            return made.faults().join(" ");
        };
        let path = format!("{ALERTS}/{id}/test");
        let tested = send(&server, Method::POST, &path, "admin", &json!({})).await;
        tested.json["data"]["verdict"].as_str().unwrap().to_owned()
    };
    // The latest of all is of half an hour ago, and a source that never came has been silent since the start.
    let of = |source: &str| json!({ "system": "freshness", "source": source });
    assert_eq!(verdict(json!({ "system": "freshness" })).await, "breach");
    assert_eq!(verdict(of("nats EVENTS")).await, "clear");
    let wrong = json!({ "system": "failures", "source": "app" });
    assert_eq!(verdict(wrong).await, "source.source unsupported");
}

#[test]
fn the_program_makes_changes_silences_and_removes_rules() {
    let (dir, data) = imported();
    let at = |args: &[&str]| -> Value {
        let told = ok(&[&["alerts"], args, &["--data", &data, "--json"]].concat());
        serde_json::from_str(&told).unwrap()
    };
    let channels = json!([{ "type": "webhook", "url": "https://example.com/hook" }]);
    let whole = file(&dir, "rule.json", &rule(channels).to_string());
    let made = at(&["create", &whole]);
    let id = made["_id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["phase"], &made["revision"]),
        (&json!("ok"), &json!(1))
    );
    assert_eq!(at(&["show", &id]), made);
    assert_eq!(at(&["list"])["alerts"], json!([made]));

    // Without --json people read it, and never what would move their terminal.
    let part = file(
        &dir,
        "part.json",
        r#"{"name": "Ré\u001b", "severity": "critical"}"#,
    );
    refused(
        &["alerts", "update", &id, &part, "--data", &data],
        &[],
        2,
        &["part.json`: name must be one line"],
    );
    let part = file(
        &dir,
        "part.json",
        r#"{"name": "Renamed", "severity": "critical"}"#,
    );
    let told = ok(&[
        "alerts",
        "update",
        &id,
        &part,
        "--revision",
        "1",
        "--data",
        &data,
    ]);
    assert_eq!(told, format!("{id} ok Renamed\n"));
    refused(
        &[
            "alerts",
            "update",
            &id,
            &part,
            "--revision",
            "1",
            "--data",
            &data,
        ],
        &[],
        1,
        &["has revision 2"],
    );
    let told = ok(&["alerts", "show", &id, "--data", &data]);
    assert!(told.contains("severity  critical"), "{told}");

    let silent = at(&["silence", &id, "--for", "2h", "--reason", "works"]);
    assert!(silent["silencedUntil"].is_string(), "{silent}");
    assert_eq!(silent["silence"], "owner: works");
    let told = ok(&["alerts", "list", "--data", &data]);
    assert!(told.contains("(silent until "), "{told}");
    assert!(at(&["silence", &id, "--off"])["silencedUntil"].is_null());

    at(&["test", &id]);
    let sent = at(&["deliveries", "--state", "waiting"]);
    let note = sent["deliveries"][0]["_id"].as_str().unwrap();
    refused(
        &["alerts", "retry", note, "--data", &data],
        &[],
        1,
        &["given up"],
    );

    assert_eq!(at(&["delete", &id]), json!({ "_id": id }));
    refused(
        &["alerts", "show", &id, "--data", &data],
        &[],
        1,
        &["there is no alert"],
    );
    assert_eq!(at(&["list"])["total"], 0);
}

#[test]
fn a_rule_that_is_wrong_is_told_as_a_whole_and_from_standard_input_too() {
    let (dir, data) = imported();
    let wrong = file(
        &dir,
        "rule.json",
        r#"{"name": "", "source": {"metric": "views"}, "condition": {"type": "threshold"}, "colour": 1}"#,
    );
    refused(
        &["alerts", "create", &wrong, "--data", &data],
        &[],
        2,
        &[
            "rule.json`: name must",
            "rule.json`: source.metric",
            "rule.json`: condition.above is required",
            "rule.json`: colour",
        ],
    );
    let table: [(&[&str], &[&str]); 6] = [
        (
            &["create", "nowhere.json"],
            &["`nowhere.json` cannot be read"],
        ),
        // Standard input is empty here.
        (&["create", "-"], &["standard input is not JSON"]),
        (&["show", "x"], &["ID must be an ObjectId"]),
        (
            &["silence", "6955b90001020304050607ff"],
            &["--for", "--until", "--off"],
        ),
        (&["deliveries", "--state", "lost"], &["--state"]),
        (&["update", "x", &wrong], &["ID must be"]),
    ];
    for (args, words) in table {
        refused(
            &[&["alerts"], args, &["--data", &data]].concat(),
            &[],
            2,
            words,
        );
    }
    let whole = rule(json!([])).to_string();
    let mut child = program(&["alerts", "create", "-", "--data", &data], &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(whole.as_bytes())
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(told.contains(" ok "), "{told}");
}
