//! Events from a stream of NATS and a table of PostgreSQL: each once, whenever whoever reads them dies.

use std::io::BufRead as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::crash::{serve_with, stored};
use crate::program::*;
use crate::services::{Nats, Postgres};

/// What one import said.
fn imported(source: &str, data: &str, mapping: &[&str]) -> [u64; 4] {
    let mut args = vec!["import", source, "--data", data, "--json"];
    args.extend(mapping);
    let report: Value = serde_json::from_str(&ok(&args)).unwrap();
    ["sent", "accepted", "duplicates", "refused"].map(|name| report[name].as_u64().unwrap())
}

/// Follows a source until so many events at least were told of, and is then killed.
fn killed(source: &str, data: &str, mapping: &[&str], events: u64) {
    let mut args = vec!["import", source, "--data", data, "--follow"];
    args.extend(mapping);
    let mut follower = Running::start(&args, &[]);
    let out = follower.0.stdout.take().unwrap();
    let lines = std::io::BufReader::new(out).lines().map_while(Result::ok);
    let mut told = 0;
    for line in lines {
        told += line
            .strip_suffix(" events")
            .map_or(0, |n| n.parse().unwrap());
        if told >= events {
            break;
        }
    }
    assert!(told >= events, "{told} events were told of");
}

#[test]
fn a_stream_of_nats_is_read_to_its_end_and_each_message_once_whoever_dies() {
    let Some(nats) = Nats::start() else {
        return;
    };
    let (_dir, data) = folder();
    let mut publisher = nats.connect();
    let made = publisher.ask(
        "$JS.API.STREAM.CREATE.EVENTS",
        &json!({"name": "EVENTS", "subjects": ["shop.>"], "storage": "memory"}).to_string(),
    );
    assert!(made.get("error").is_none(), "{made}");
    let event = |n: &str| json!({"who": "u1", "name": "buy", "ts": "2026-01-05T10:00:00Z", "n": n});
    let named = json!({"who": "u1", "name": "buy", "ts": "2026-01-05T10:00:00Z", "n": "named", "eventId": "e1"});
    let messages = [
        event("one").to_string(),
        serde_json::to_string_pretty(&event("pretty")).unwrap(),
        json!([event("a"), event("b"), {"who": "nothing happened"}]).to_string(),
        format!("{}\n{}\n", event("l1"), event("l2")),
        "no json".to_owned(),
        String::new(),
        named.to_string(),
        named.to_string(),
    ];
    for message in &messages {
        publisher.ask("shop.orders", message);
    }
    let source = format!("nats://me:s3c%20ret@{}/EVENTS", nats.address);
    let mapping = ["--user", "who"];
    assert_eq!(imported(&source, &data, &mapping), [10, 7, 1, 2]);
    assert_eq!(imported(&source, &data, &mapping), [0, 0, 0, 0]);
    // Another reader of the same stream knows what is stored.
    let again = format!("{source}?consumer=second&subject=shop.orders");
    assert_eq!(imported(&again, &data, &mapping), [10, 0, 8, 2]);

    // Whoever follows is killed while more and more comes.
    let (total, each) = (6_000, 2_000);
    for kill in 1..=3 {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in (kill - 1) * each..kill * each {
                    publisher.ask("shop.orders", &event(&n.to_string()).to_string());
                }
            });
            killed(&source, &data, &mapping, 1 + 97 * kill as u64);
        });
    }
    // What was under way when it was killed comes again.
    imported(&source, &data, &mapping);
    let found = stored(&data);
    for n in (0..total).map(|n| n.to_string()) {
        assert_eq!(found.get(&n), Some(&1), "{n}");
    }
    assert_eq!(found.len(), total + 7);

    // A stream that is made anew numbers its messages from 1 again.
    publisher.ask("$JS.API.STREAM.DELETE.EVENTS", "");
    publisher.ask(
        "$JS.API.STREAM.CREATE.EVENTS",
        &json!({"name": "EVENTS", "subjects": ["shop.>"], "storage": "memory"}).to_string(),
    );
    publisher.ask("shop.orders", &event("anew").to_string());
    assert_eq!(imported(&source, &data, &mapping), [1, 1, 0, 0]);

    for (wrong, why) in [
        (format!("nats://{}/EVENTS", nats.address), "Authorization"),
        (
            format!("nats://me:s3c%20ret@{}/OTHER", nats.address),
            "no stream `OTHER`",
        ),
        ("nats://127.0.0.1:1/EVENTS".to_owned(), "cannot be reached"),
    ] {
        let done = run(&["import", &wrong, "--data", &data], &[]);
        assert!(
            done.code == 1 && done.err.contains(why),
            "{wrong}: {}",
            done.err
        );
        assert!(!done.err.contains("s3c"), "{}", done.err);
    }
}

#[test]
fn a_table_of_postgresql_is_read_by_a_column_and_each_row_once_whoever_writes_and_dies() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let (_dir, data) = folder();
    let mut client = server.connect();
    client
        .batch_execute(
            "create schema shop; create table shop.\"Orders\" (
                 id bigint generated always as identity primary key, customer text, paid timestamp, amount numeric(12, 2),
                 n text, more jsonb, missing text);
             insert into shop.\"Orders\" (customer, paid, amount, n, more)
             select 'u' || i % 50, '2026-01-05 10:00:00'::timestamp + i * interval '1 second', i, 'r' || i, '{\"colour\": \"red\"}'
             from generate_series(1, 12000) i;
             insert into shop.\"Orders\" (customer, paid, n) values ('u1', null, 'never paid')",
        )
        .unwrap();
    let source = server.source("table=shop.Orders&cursor=id&lag=0s");
    let mapping = [
        "--user",
        "customer",
        "--time",
        "paid",
        "--event",
        "payment",
        "--timezone",
        "Europe/Paris",
    ];
    assert_eq!(imported(&source, &data, &mapping), [12_001, 12_000, 0, 1]);
    assert_eq!(imported(&source, &data, &mapping), [0, 0, 0, 0]);
    let store = open(&data);
    let owner = travelsense::Principal::owner();
    let question = json!({"metrics": ["events:payment", "users:$revenue"], "timeRange": "24h", "asOf": "2026-01-05T12:20:00Z"});
    let figures = store.realtime_json(&owner, &question).unwrap();
    let values: Vec<f64> = figures.iter().map(|f| f.value.unwrap().number()).collect();
    // Without an offset a time is one of Paris.
    assert_eq!(values, [12_000.0, 50.0]);
    drop(store);

    // A row that is committed late has a smaller number than others that are there.
    let mut late = server.connect();
    let mut transaction = late.transaction().unwrap();
    let insert = "insert into shop.\"Orders\" (customer, paid, n) values ('u1', now(), $1)";
    transaction.execute(insert, &[&"late"]).unwrap();
    client.execute(insert, &[&"early"]).unwrap();
    let mut args = vec!["import", &source, "--data", &data, "--follow"];
    args.extend(mapping);
    let mut follower = Running::start(&args, &[]);
    std::thread::sleep(Duration::from_secs(1));
    transaction.commit().unwrap();
    let out = std::io::BufReader::new(follower.0.stdout.take().unwrap());
    let told = out
        .lines()
        .map_while(Result::ok)
        .find(|line| line.ends_with(" events"));
    assert_eq!(told.as_deref(), Some("2 events"));
    assert_eq!(follower.stop("-TERM").0, Some(0));

    for kill in 1..=3_u64 {
        client
            .execute(
                "insert into shop.\"Orders\" (customer, paid, n) select 'u1', now(), $1::text || i from generate_series(1, 11000) i",
                &[&format!("k{kill}-")],
            )
            .unwrap();
        killed(&source, &data, &mapping, 1 + 4_000 * (kill % 2));
    }
    imported(&source, &data, &mapping);
    let found = stored(&data);
    assert_eq!(found.len(), 12_000 + 2 + 33_000);
    assert!(found.values().all(|times| *times == 1));

    // A column that is the same for many rows keeps them together, and equal rows apart.
    client
        .batch_execute(
            "create table seen as select '2026-01-01'::timestamptz + i / 7000 * interval '1 second' as ts, 'look' as name, 'x' as \"userId\"
             from generate_series(0, 20999) i",
        )
        .unwrap();
    let (_other, other) = folder();
    let source = server.source("table=seen&cursor=ts&lag=1s");
    assert_eq!(imported(&source, &other, &[]), [21_000, 21_000, 0, 0]);
    std::fs::remove_file(std::path::Path::new(&other).join("travelsense.follow.json")).unwrap();
    assert_eq!(imported(&source, &other, &[]), [21_000, 0, 21_000, 0]);

    // Rows that come later at the place of the last one are seen, and those that were there are known.
    let days = "create table days (day date, name text, \"userId\" text);
                insert into days select '2026-01-05', 'look', 'u' || i from generate_series(1, 5) i";
    client.batch_execute(days).unwrap();
    let rest = "table=days&cursor=day&lag=0s";
    let (source, mapping) = (server.source(rest), ["--time", "day"]);
    assert_eq!(imported(&source, &other, &mapping), [5, 5, 0, 0]);
    assert_eq!(imported(&source, &other, &mapping), [0, 0, 0, 0]);
    client
        .batch_execute(
            "insert into days select '2026-01-05', 'look', 'u' || i from generate_series(4, 6) i;
             insert into days select '2026-01-06', 'look', 'u' || i from generate_series(1, 2) i",
        )
        .unwrap();
    assert_eq!(imported(&source, &other, &mapping), [10, 5, 5, 0]);
    assert_eq!(imported(&source, &other, &mapping), [0, 0, 0, 0]);
    // The same table of another server is another one.
    let Some(second) = Postgres::start() else {
        return;
    };
    second.connect().batch_execute(days).unwrap();
    assert_eq!(
        imported(&second.source(rest), &other, &mapping),
        [5, 5, 0, 0]
    );
    // What begins anew is said.
    client
        .batch_execute("delete from days where day > '2026-01-05'")
        .unwrap();
    let done = run(&["import", &source, "--data", &other, "--time", "day"], &[]);
    assert!(
        done.code == 1 && done.err.contains("now ends at 2026-01-05"),
        "{}",
        done.err
    );

    for (rest, code, why) in [
        ("table=nothing&cursor=id", 1, "no table"),
        ("table=seen&cursor=id", 1, "with a column"),
        ("table=seen", 2, "`cursor` is missing"),
    ] {
        let done = run(&["import", &server.source(rest), "--data", &other], &[]);
        assert!(
            done.code == code && done.err.contains(why),
            "{rest}: {}",
            done.err
        );
    }
}

#[test]
fn a_server_reads_its_sources_and_says_how_they_do() {
    let Some(nats) = Nats::start() else {
        return;
    };
    let (dir, data) = folder();
    let mut publisher = nats.connect();
    publisher.ask(
        "$JS.API.STREAM.CREATE.EVENTS",
        &json!({"name": "EVENTS", "subjects": ["shop"], "storage": "memory"}).to_string(),
    );
    let feed = file(
        &dir,
        "feed.ndjson",
        "{\"userId\": \"u2\", \"name\": \"a\", \"ts\": \"2026-01-05T10:00:00Z\"}\n",
    );
    let config = format!(
        "follow = [\n{{ from = \"nats://me:s3c%20ret@{}/EVENTS\", user = \"who\" }},\n{{ from = \"{feed}\" }},\n\
         {{ from = \"nats://me:s3c%20ret@{}/OTHER\" }}]\n",
        nats.address, nats.address
    );
    let config = file(&dir, "settings.toml", &config);
    let shown = run(
        &["config", "check", "--config", &config, "--data", &data],
        &[("TRAVELSENSE_JWT_SECRET", SECRET)],
    );
    assert!(
        shown.code == 0 && shown.out.contains("(hidden)") && !shown.out.contains("s3c"),
        "{}{}",
        shown.out,
        shown.err
    );
    let (server, address) = serve_with(&["--config", &config], &data);
    publisher.ask(
        "shop",
        &json!({"who": "u1", "name": "b", "ts": "2026-01-05T11:00:00Z"}).to_string(),
    );
    publisher.ask("shop", &json!({"who": "u1", "name": "b"}).to_string());
    let token = admin();
    let status =
        || get(&address, "/api/analytics-dashboard/events/status", &token).1["data"].clone();
    let mut now = status();
    for _ in 0..100 {
        if now["accepted"] == 2
            && now["refused"] == 1
            && now["sources"]["nats OTHER"]["trouble"].is_string()
        {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        now = status();
    }
    assert_eq!(now["sources"]["nats EVENTS"]["accepted"], 1, "{now}");
    assert_eq!(
        now["sources"]["nats EVENTS"]["latest"],
        "2026-01-05T11:00:00.000Z"
    );
    assert_eq!(now["sources"]["feed.ndjson"]["accepted"], 1, "{now}");
    assert_eq!(now["sources"]["feed.ndjson"]["behind"], 0, "{now}");
    let trouble = now["sources"]["nats OTHER"]["trouble"].as_str().unwrap();
    assert!(trouble.contains("there is no stream `OTHER`"), "{trouble}");
    let metrics = std::process::Command::new("curl")
        .args([
            "-s",
            "-H",
            &format!("authorization: Bearer {token}"),
            &format!("http://{address}/metrics"),
        ])
        .output();
    if let Ok(metrics) = metrics {
        let text = String::from_utf8(metrics.stdout).unwrap();
        assert!(
            text.contains("ingest_source_up{source=\"nats EVENTS\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("ingest_source_up{source=\"nats OTHER\"} 0"),
            "{text}"
        );
        assert!(
            text.contains("ingest_refused{code=\"required\"} 1"),
            "{text}"
        );
    }
    let doctor = run(
        &[
            "doctor",
            "--url",
            &format!("http://{address}"),
            "--token",
            &token,
        ],
        &[],
    );
    assert_eq!(doctor.code, 1, "{}{}", doctor.out, doctor.err);
    assert!(
        doctor.out.contains("there is no stream `OTHER`"),
        "{}",
        doctor.out
    );
    // A stream that is made anew, and a consumer that somebody deletes, are opened again.
    let until = |accepted: u64| {
        for _ in 0..100 {
            if status()["sources"]["nats EVENTS"]["accepted"] == accepted {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{}", status());
    };
    publisher.ask("$JS.API.STREAM.DELETE.EVENTS", "");
    publisher.ask(
        "$JS.API.STREAM.CREATE.EVENTS",
        &json!({"name": "EVENTS", "subjects": ["shop"], "storage": "memory"}).to_string(),
    );
    publisher.ask(
        "shop",
        &json!({"who": "u1", "name": "b", "ts": "2026-01-05T12:00:00Z"}).to_string(),
    );
    until(2);
    publisher.ask("$JS.API.CONSUMER.DELETE.EVENTS.travelsense", "");
    publisher.ask(
        "shop",
        &json!({"who": "u1", "name": "b", "ts": "2026-01-05T13:00:00Z"}).to_string(),
    );
    until(3);
    assert!(status()["sources"]["nats EVENTS"]["trouble"].is_null());
    assert_eq!(server.stop("-TERM").0, Some(0));
    let doctor = ok(&["doctor", "--data", &data]);
    assert!(
        doctor.contains("events") && doctor.contains('4'),
        "{doctor}"
    );
}
