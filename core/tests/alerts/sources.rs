//! What rules look at that is not one of the six metrics: the age of one source, exports, and what was foretold.

use serde_json::{Value, json};
use travelsense::analytics::{BatchForm, IngestBatch};
use travelsense::events::Names;
use travelsense::metadata::{Kind, change, documents};

use super::*;

#[test]
fn the_freshness_of_one_source_is_not_that_of_all() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let send = |source: &str| {
        let at = clock.now();
        let events = json!([{ "userId": "a", "name": "s", "ts": at.to_string() }]).to_string();
        let batch = IngestBatch {
            body: events.as_bytes(),
            form: BatchForm::Array,
            mapping: None,
            source,
            key: None,
            names: Names::None,
            most: 10,
        };
        let report = store.ingest_batch(&owner(), &batch).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["accepted"], 1);
    };
    let rule = |source: Value| json!({ "name": "n", "source": source, "condition": { "type": "threshold", "above": 90 } });
    let made = |source: Value| made(&store, &rule(source));
    let app = made(json!({ "system": "freshness", "source": "app" }));
    let never = made(json!({ "system": "freshness", "source": "never" }));
    let all = made(json!({ "system": "freshness", "source": null }));
    let age = |id: &str| {
        let tested = store.test_alert(&owner(), id).unwrap();
        tested["reading"]["value"].as_f64().unwrap()
    };
    clock.add(MINUTE);
    send("app");
    clock.add(MINUTE);
    send("http");
    assert_eq!([age(&app), age(&never), age(&all)], [60.0, 120.0, 0.0]);
    // Somebody whose clock is ahead is not younger than now.
    clock.add(-MINUTE);
    assert_eq!(age(&all), 0.0);
    clock.add(2 * MINUTE);
    store.evaluate_alerts(&owner()).unwrap();
    let phase = |id: &str| serde_json::to_value(store.alert(&owner(), id).unwrap()).unwrap();
    assert_eq!(phase(&app)["phase"], "firing");
    assert_eq!(
        phase(&app)["source"],
        json!({ "system": "freshness", "source": "app" })
    );
    assert_eq!(phase(&all)["phase"], "ok");
    let faults = |source: Value| {
        let error = store.create_alert(&owner(), &rule(source)).unwrap_err();
        let faults = error.field_errors().iter();
        faults
            .map(|f| format!("{} {}", f.field, f.code))
            .collect::<Vec<_>>()
    };
    for (source, fault) in [
        (
            json!({ "system": "failures", "source": "app" }),
            "unsupported",
        ),
        (
            json!({ "system": "freshness", "source": 5 }),
            "invalid_type",
        ),
        (
            json!({ "system": "freshness", "source": "" }),
            "invalid_length",
        ),
        (
            json!({ "system": "freshness", "source": "a\nb" }),
            "invalid_character",
        ),
    ] {
        assert_eq!(faults(source), [format!("source.source {fault}")]);
    }
}

#[test]
fn exports_that_fail_are_told_and_those_that_somebody_cancels_are_not() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("travel.db");
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(Some(&file));
    bookings(&store, 0);
    let rule = json!({
        "name": "Exports",
        "source": { "system": "export_failures" },
        "condition": { "type": "threshold", "above": 0 },
        "channels": [{ "type": "in_app", "roles": ["admin"] }],
    });
    let id = made(&store, &rule);
    let request = json!({ "exportType": "report", "format": "csv", 
        "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } });
    let asked = || {
        clock.add(MINUTE / 4);
        let job = store.export(&owner(), &request).unwrap().id.to_string();
        loop {
            let job = store.export_job(&owner(), &job).unwrap();
            if job.status.is_over() {
                return job;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let evaluated = || {
        clock.add(MINUTE);
        store.evaluate_alerts(&owner()).unwrap();
        let told = serde_json::to_value(store.alert(&owner(), &id).unwrap()).unwrap();
        (told["phase"].clone(), told["reading"]["value"].clone())
    };
    let job = asked();
    // It is as if it still waited.
    let waits = change(&*store.metadata().unwrap(), |session| {
        let mut document = documents::get(session, Kind::Export, job.id)?.unwrap();
        document.state = "pending".to_owned();
        document.revision += 1;
        documents::update(session, &document)
    });
    assert!(waits.unwrap());
    let cancelled = store.cancel_export(&owner(), &job.id.to_string()).unwrap();
    assert_eq!(cancelled.failure_reason.as_deref(), Some("cancelled"));
    assert_eq!(evaluated(), (json!("ok"), json!(0.0)));
    // A file in the place of the folder.
    let folder = place.path().join("travel.db.exports");
    std::fs::rename(&folder, place.path().join("aside")).unwrap();
    std::fs::write(&folder, "").unwrap();
    let broken = asked();
    assert!(broken.failure_reason.is_some(), "{broken:?}");
    assert_eq!(evaluated(), (json!("firing"), json!(1.0)));
    assert_eq!(
        titles(&store)[0],
        "Exports: export_failures is 1, expected at most 0"
    );
    assert_eq!(evaluated(), (json!("resolved"), json!(0.0)));
}

#[test]
fn exports_that_fail_while_nobody_looks_are_told_by_the_next_look() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("travel.db");
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(Some(&file));
    bookings(&store, 0);
    let rule = |more: Value| {
        let mut rule = json!({
            "name": "Exports",
            "source": { "system": "export_failures" },
            "condition": { "type": "threshold", "above": 0 },
        });
        rule["maintenance"] = more;
        made(&store, &rule)
    };
    let always = rule(json!([]));
    let planned = rule(json!([{ "from": "10:03", "to": "10:05" }]));
    let turned = rule(json!([]));
    let export = || {
        let request = json!({ "exportType": "report", "format": "csv",
            "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } });
        let job = store.export(&owner(), &request).unwrap().id.to_string();
        while !store.export_job(&owner(), &job).unwrap().status.is_over() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let reads = |id: &str| {
        let told = serde_json::to_value(store.alert(&owner(), id).unwrap()).unwrap();
        told["reading"]["value"].clone()
    };
    let evaluate = |minutes: i64| {
        clock.add(minutes * MINUTE);
        store.evaluate_alerts(&owner()).unwrap();
    };
    let enable = |on: bool| {
        store
            .update_alert(&owner(), &turned, &json!({ "enabled": on }), None)
            .unwrap();
    };
    export();
    // A file in the place of the folder.
    let folder = place.path().join("travel.db.exports");
    std::fs::rename(&folder, place.path().join("aside")).unwrap();
    std::fs::write(&folder, "").unwrap();
    evaluate(1);
    enable(false);
    clock.add(MINUTE / 2);
    export();
    clock.add(2 * MINUTE);
    export();
    // Half past 10:01 and 10:03; looked at next at 10:06, as the process was down.
    clock.add(MINUTE + MINUTE / 2);
    enable(true);
    evaluate(1);
    assert_eq!(reads(&always), 2.0);
    assert_eq!(
        reads(&planned),
        1.0,
        "what fails in planned work is no failure"
    );
    assert_eq!(reads(&turned), 0.0, "what is on again begins anew");
    evaluate(1);
    assert_eq!(reads(&always), 0.0, "each is told once");
}

#[test]
fn what_came_is_held_against_the_day_and_the_week_before() {
    let clock = Clock::at("2026-01-31T09:00:00Z");
    let store = clock.open(None);
    // Three to six a day, and thirty yesterday.
    let event = |back: i64, n: i64| {
        let at = clock.now().micros() - back * 24 * 60 * MINUTE;
        let ts = Instant::saturating_from_micros(at).to_string();
        json!({ "userId": format!("u{back}-{n}"), "name": "complete_booking", "ts": ts })
    };
    let events = (1..=40).flat_map(|back| {
        let users = if back == 1 { 30 } else { 3 + back % 4 };
        (0..users).map(move |n| (back, n))
    });
    let events: Vec<Value> = events.map(|(back, n)| event(back, n)).collect();
    store.ingest(&owner(), &Value::Array(events)).unwrap();
    let rules = include_str!("../../../tests/data/alerts/foretold.json");
    let rules: Vec<Value> = serde_json::from_str(rules).unwrap();
    for case in &rules {
        let made = store.create_alert(&owner(), &case["rule"]).unwrap();
        let tested = store.test_alert(&owner(), &made.id.to_string()).unwrap();
        let reading = &tested["reading"];
        assert_eq!(tested["verdict"], "breach", "{case}: {tested}");
        assert_eq!(reading["value"], 30.0);
        assert_eq!(reading["before"].as_f64(), case["before"].as_f64());
        let high = reading["high"].as_f64();
        assert_eq!(high.is_some(), case["before"].is_null());
        assert!(high.is_none_or(|high| high < 30.0), "{tested}");
        // The day before nothing was out of the ordinary.
        clock.add(-24 * 60 * MINUTE);
        let tested = store.test_alert(&owner(), &made.id.to_string()).unwrap();
        assert_eq!(tested["verdict"], "clear", "{case}: {tested}");
        clock.add(24 * 60 * MINUTE);
    }
}

#[test]
fn what_is_told_of_an_end_was_read_then_and_an_incident_is_as_old_as_its_condition() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let rule = json!({
        "name": "Views",
        "source": { "metric": "page_views", "timeRange": "last_5_minutes" },
        "condition": { "type": "threshold", "above": 5 },
        "schedule": { "every": "5m" },
        "for": 2,
        "channels": [{ "type": "in_app", "roles": ["admin"] }],
    });
    let id = made(&store, &rule);
    for count in [6, 7, 4, 3, 8, 9] {
        clock.add(5 * MINUTE);
        views(&store, &clock, count);
        store.evaluate_alerts(&owner()).unwrap();
    }
    let ann = Principal::new("ann", "admin");
    let listed = store.notifications(&ann, &json!({})).unwrap();
    let told: Vec<Value> = listed
        .notifications
        .iter()
        .rev()
        .map(|n| n.body["data"]["alerts"][0].clone())
        .collect();
    let fields = ["event", "at", "since", "value"];
    let told: Vec<Vec<Value>> = told
        .iter()
        .map(|alarm| fields.map(|name| alarm[name].clone()).to_vec())
        .collect();
    let at = |minute: u32| json!(format!("2026-02-01T10:{minute:02}:00.000Z"));
    assert_eq!(
        told,
        [
            vec![json!("firing"), at(10), at(5), json!(7.0)],
            vec![json!("resolved"), at(15), at(5), json!(4.0)],
            vec![json!("firing"), at(30), at(25), json!(9.0)],
        ]
    );
    let history = store.alert_history(&owner(), &id, &json!({})).unwrap();
    let events: Vec<&str> = history.iter().rev().map(|e| e.event.as_str()).collect();
    assert_eq!(
        events,
        [
            "pending", "firing", "notified", "resolved", "closed", "pending", "firing", "notified"
        ]
    );
}

#[test]
fn whoever_was_told_of_an_incident_is_told_when_its_rule_is_removed() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let made = || made(&store, &rule());
    let (fires, quiet) = (made(), made());
    store
        .update_alert(&owner(), &quiet, &json!({ "for": 10 }), None)
        .unwrap();
    for _ in 0..2 {
        clock.add(MINUTE);
        views(&store, &clock, 20);
        store.evaluate_alerts(&owner()).unwrap();
    }
    assert_eq!(titles(&store).len(), 1);
    clock.add(MINUTE / 2);
    store.delete_alert(&owner(), &quiet, None).unwrap();
    store.delete_alert(&owner(), &fires, None).unwrap();
    let told = titles(&store);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], "resolved: Views: the rule was removed");
}

/// The alarms that a list of notifications tells, the earliest first.
fn alarms(store: &Analytics) -> Vec<Value> {
    let ann = Principal::new("ann", "admin");
    let listed = store.notifications(&ann, &json!({})).unwrap();
    let told = listed.notifications.iter().rev();
    told.filter_map(|n| n.body.pointer("/data/alerts/0").cloned())
        .collect()
}

#[test]
fn an_incident_is_told_with_since_when_it_is_so_and_not_since_when_somebody_looked() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    views(&store, &clock, 1);
    let rule = json!({
        "name": "Silent",
        "source": { "system": "freshness" },
        "condition": { "type": "threshold", "above": 60 },
        "schedule": { "every": "15m" },
        "coolDown": 0,
        "channels": [{ "type": "in_app", "roles": ["admin"] }],
    });
    store.create_alert(&owner(), &rule).unwrap();
    clock.add(20 * MINUTE);
    store.evaluate_alerts(&owner()).unwrap();
    views(&store, &clock, 1);
    clock.add(10 * MINUTE);
    views(&store, &clock, 1);
    store.evaluate_alerts(&owner()).unwrap();
    let told = alarms(&store);
    // The latest was of 09:59:30, and may be a minute old.
    let times = told
        .iter()
        .map(|alarm| [&alarm["event"], &alarm["at"], &alarm["since"]]);
    let times: Vec<_> = times.collect();
    let since = json!("2026-02-01T10:00:30.000Z");
    assert_eq!(
        times,
        [
            [&json!("firing"), &json!("2026-02-01T10:15:00.000Z"), &since],
            [
                &json!("resolved"),
                &json!("2026-02-01T10:30:00.000Z"),
                &since
            ],
        ]
    );
}

#[test]
fn an_anomaly_is_told_with_since_when_it_goes_on() {
    let clock = Clock::at("2026-02-02T00:00:00Z");
    let store = clock.open(None);
    // Four weeks of page views by the hour, of which almost none come for the last three hours.
    let (end, hour) = (clock.now().micros(), 60 * MINUTE);
    let events = (1..=32 * 24_i64).flat_map(|back| {
        let of_day = (24 - back % 24) % 24;
        let usual = 60 + 8 * (12 - (of_day - 12).abs()) + (back * back % 5);
        let count = if back <= 3 { 2 } else { usual };
        (0..count).map(move |n| {
            let at = end - back * hour + n * (hour / count);
            let ts = Instant::saturating_from_micros(at).to_string();
            json!({ "userId": format!("u{n}"), "name": "page_view", "ts": ts })
        })
    });
    let events: Vec<Value> = events.collect();
    for some in events.chunks(20_000) {
        store
            .ingest(&owner(), &Value::Array(some.to_vec()))
            .unwrap();
    }
    let rule = json!({
        "name": "Outage",
        "source": { "metric": "page_views", "timeRange": "last_hour" },
        "condition": { "type": "anomaly", "direction": "down" },
        "channels": [{ "type": "in_app", "roles": ["admin"] }],
    });
    store.create_alert(&owner(), &rule).unwrap();
    store.evaluate_alerts(&owner()).unwrap();
    let told = alarms(&store);
    let since: Instant = told[0]["since"].as_str().unwrap().parse().unwrap();
    let off = since.micros() - (end - 3 * hour);
    assert!(off.abs() <= 30 * MINUTE, "{told:?}");
}

#[test]
fn what_fell_to_nothing_and_stays_there_has_an_end() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let rule = json!({
        "name": "Views",
        "source": { "metric": "page_views", "timeRange": "last_5_minutes" },
        "condition": { "type": "change", "by": 0.5, "direction": "down" },
        "schedule": { "every": "5m" },
        "coolDown": 0,
        "channels": [{ "type": "in_app", "roles": ["admin"] }],
    });
    store.create_alert(&owner(), &rule).unwrap();
    for count in [33, 0, 0, 0] {
        clock.add(5 * MINUTE);
        views(&store, &clock, count);
        store.evaluate_alerts(&owner()).unwrap();
    }
    assert_eq!(
        titles(&store),
        [
            "resolved: Views: page_views is 0, expected about 0 as before",
            "Views: page_views is 0, expected about 33 as before",
        ]
    );
}

#[test]
fn a_share_of_revenue_is_one_of_what_came_however_little() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let paid = |back: i64, amount: &str| {
        let at = Instant::saturating_from_micros(clock.now().micros() - back * MINUTE);
        let event = json!({ "userId": "a", "name": "payment", "ts": at.to_string(),
            "properties": { "amount": amount } });
        store.ingest(&owner(), &json!([event])).unwrap();
    };
    let rule = |by: f64| {
        json!({
            "name": "Revenue",
            "source": { "metric": "revenue_per_minute", "timeRange": "last_hour" },
            "condition": { "type": "change", "by": by, "direction": "up" },
            "schedule": { "every": "60m" },
        })
    };
    // A cent and a half against a cent in an hour, which is shown as 0.000250 against 0.000167 a minute.
    paid(90, "0.01");
    paid(30, "0.015");
    for (by, verdict) in [(0.5, "breach"), (0.5001, "clear")] {
        let id = made(&store, &rule(by));
        let tested = store.test_alert(&owner(), &id).unwrap();
        assert_eq!(tested["verdict"], verdict, "{by}: {tested}");
    }
    let asked = json!({ "metrics": ["revenue_per_minute"], "timeRange": "last_hour" });
    let figure = store.realtime_json(&owner(), &asked).unwrap().remove(0);
    assert_eq!(figure.metadata.change, Some(0.5));
}

#[test]
fn a_rule_that_is_turned_off_while_it_fires_tells_its_end_and_begins_anew() {
    let (clock, store, id) = ruled();
    let go = |minutes: usize| {
        for _ in 0..minutes {
            clock.add(MINUTE);
            views(&store, &clock, 20);
            store.evaluate_alerts(&owner()).unwrap();
        }
    };
    let enable = |on: bool| {
        clock.add(MINUTE / 4);
        let changed = store.update_alert(&owner(), &id, &json!({ "enabled": on }), None);
        serde_json::to_value(changed.unwrap()).unwrap()
    };
    go(3);
    assert_eq!(titles(&store).len(), 1);
    let off = enable(false);
    assert_eq!(
        (&off["phase"], &off["incident"]),
        (&json!("ok"), &Value::Null)
    );
    assert_eq!(
        titles(&store)[0],
        "resolved: Views: the rule was turned off"
    );
    enable(false);
    go(3);
    assert_eq!(titles(&store).len(), 2, "and nothing more");
    let events = store.alert_history(&owner(), &id, &json!({})).unwrap();
    assert_eq!(events[0].event, "closed");
    enable(true);
    go(3);
    assert_eq!(titles(&store).len(), 3, "it fires again");
}

#[test]
fn a_source_that_fell_silent_is_told_once_though_the_process_is_started_anew() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("travel.db");
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let mut store = clock.open(Some(&file));
    views(&store, &clock, 1);
    let rule = json!({
        "name": "App",
        "source": { "system": "freshness", "source": "embedded" },
        "condition": { "type": "threshold", "above": 90 },
        "coolDown": 0,
        "channels": [{ "type": "in_app", "roles": ["admin"] }],
    });
    made(&store, &rule);
    for _ in 0..6 {
        clock.add(MINUTE);
        store.evaluate_alerts(&owner()).unwrap();
        store.close();
        store = clock.open(Some(&file));
        store.evaluate_alerts(&owner()).unwrap();
    }
    assert_eq!(titles(&store).len(), 1);
    clock.add(MINUTE);
    views(&store, &clock, 1);
    store.evaluate_alerts(&owner()).unwrap();
    let told = alarms(&store);
    assert_eq!((told.len(), &told[1]["event"]), (2, &json!("resolved")));
}

#[test]
fn a_rule_that_cannot_be_read_keeps_no_other_from_being_evaluated() {
    let (clock, store, id) = ruled();
    let of_a_version_to_come = store.create_alert(&owner(), &rule()).unwrap();
    let changed = change(&*store.metadata().unwrap(), |session| {
        let found = documents::get(session, Kind::Alert, of_a_version_to_come.id)?;
        let mut document = found.unwrap();
        document.body = document.body.replace("threshold", "hunch");
        document.revision += 1;
        documents::update(session, &document)
    });
    assert!(changed.unwrap());
    for _ in 0..2 {
        clock.add(MINUTE);
        views(&store, &clock, 20);
        let done = store.evaluate_alerts(&owner()).unwrap();
        assert_eq!((done.evaluated, done.failed), (1, 1));
    }
    let told = serde_json::to_value(store.alert(&owner(), &id).unwrap()).unwrap();
    assert_eq!(told["phase"], "firing");
}
