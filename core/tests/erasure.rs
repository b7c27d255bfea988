//! People who are forgotten leave nothing behind.
#![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::path::Path;

use serde_json::{Value, json};
use travelsense::events::{ImportOptions, Mapping, Source, Table};
use travelsense::timeline::{Course, Timelines};
use travelsense::warehouse::{Duckdb, Open, Warehouse};
use travelsense::{Analytics, ErrorKind, Instant, Options, Principal};

fn open(path: Option<&Path>) -> Analytics {
    Analytics::open_with(Options {
        path: path.map(Path::to_owned),
        clock: std::sync::Arc::new(|| "2026-02-01T00:00:00Z".parse::<Instant>().unwrap()),
        ..Options::default()
    })
    .unwrap()
}

fn event(minute: u32, name: &str, user: Option<&str>, device: Option<&str>) -> Value {
    json!({
        "eventId": format!("{minute}"),
        "name": name,
        "ts": format!("2026-01-31T23:{minute:02}:00Z"),
        "userId": user,
        "anonymousId": device,
        "properties": {"city": format!("city of {}", user.unwrap_or("nobody"))},
    })
}

fn import(store: &Analytics, table: Table, csv: &str) {
    let mut options = ImportOptions {
        table: Some(table),
        ..ImportOptions::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, csv).unwrap();
    let report = store
        .import(
            &Principal::owner(),
            Source::Path(path),
            &Mapping::default(),
            &mut options,
        )
        .unwrap();
    assert_eq!(report.refused, 0, "{report:?}");
}

/// u1 came on a device before anybody knew who it was, and was merged with u3; u2 has nothing to do with them.
fn fill(store: &Analytics) {
    let owner = Principal::owner();
    let events = json!([
        event(1, "a", None, Some("d")),
        event(2, "b", Some("u1"), Some("d")),
        event(3, "a", Some("u2"), Some("e")),
        event(4, "b", Some("u2"), None),
        event(5, "a", Some("u3"), None),
    ]);
    store.ingest(&owner, &events).unwrap();
    let future = json!([{"name": "a", "userId": "u1", "ts": "2099-01-01T00:00:00Z"}]);
    assert_eq!(store.ingest(&owner, &future).unwrap().refused, 1);
    import(
        store,
        Table::Profiles,
        "userId,plan,ts\nu1,premium,2026-01-01\nu2,free,2026-01-01\n",
    );
    import(
        store,
        Table::Merges,
        "mergedUserId,userId,ts\nu3,u1,2026-01-31T23:10:00Z\n",
    );
    import(
        store,
        Table::Payments,
        "payment_id,user_id,ts,amount,currency\np1,u1,2026-01-31T23:10:00Z,10,EUR\np2,u2,2026-01-31T23:10:00Z,20,EUR\n",
    );
    store
        .create_cohort(&owner, "fixed", &json!({"any": [{"users": ["u1", "u2"]}]}))
        .unwrap();
}

fn funnel(store: &Analytics) -> Value {
    let question = json!({
        "steps": ["a", "b"], "startDate": "2026-01-30", "endDate": "2026-01-31", "breakdown": "city",
    });
    let answer = store.ask(&Principal::owner(), "funnel", &question).unwrap();
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn who_is_erased_never_was() {
    let store = open(None);
    fill(&store);
    let owner = Principal::owner();
    assert_eq!(
        (
            funnel(&store)["entered"].clone(),
            funnel(&store)["converted"].clone()
        ),
        (json!(2), json!(2))
    );
    let report = store.erase(&owner, &["u1", "nobody"]).unwrap();
    assert_eq!(
        serde_json::to_value(report).unwrap(),
        // A profile, a payment, and the merge.
        json!({"users": 1, "unknown": 1, "events": 3, "records": 3, "held": 1, "cohorts": 1, "kept": 0, "setAside": []})
    );
    let answer = funnel(&store);
    assert_eq!(
        (&answer["entered"], &answer["converted"]),
        (&json!(1), &json!(1))
    );
    // As in a store that never knew them, but for what the versions of the data count.
    let other = open(None);
    let events = json!([
        event(3, "a", Some("u2"), Some("e")),
        event(4, "b", Some("u2"), None)
    ]);
    other.ingest(&owner, &events).unwrap();
    assert_eq!(answer["resultHash"], funnel(&other)["resultHash"]);
    // The id is free for somebody new, and the same events can come again.
    let again = store
        .ingest(&owner, &json!([event(2, "b", Some("u1"), Some("d"))]))
        .unwrap();
    assert_eq!(again.accepted, 1);
    assert_eq!(funnel(&store)["entered"], json!(1));
    assert_eq!(store.erase(&owner, &["u1"]).unwrap().events, 1);
    assert_eq!(store.erase(&owner, &["u1"]).unwrap().unknown, 1);
    let cohort = store.cohorts(&owner).unwrap().remove(0);
    assert_eq!(cohort.definition, json!({"any": [{"users": ["u2"]}]}));
}

#[test]
fn what_is_kept_beside_the_events_forgets_them_too_and_the_record_says_so_without_a_name() {
    let store = open(None);
    let owner = Principal::owner();
    let (gone, other) = (Principal::new("u1", "admin"), Principal::new("u2", "admin"));
    let widget = json!({"type": "metric", "title": "Users", "dataSource": "user_events", "visualization": "number", "config": {}});
    let body = json!({"name": "Mine", "isPublic": true, "widgets": [widget]});
    let theirs = store.create_dashboard(&gone, &body).unwrap().id.to_string();
    let shared = store
        .create_dashboard(&other, &body)
        .unwrap()
        .id
        .to_string();
    let with = json!({"users": [{"id": "u1", "access": "edit"}, {"id": "u3", "access": "view"}]});
    store.share_dashboard(&other, &shared, &with).unwrap();
    let told = json!({
        "name": "n", "source": {"system": "freshness"}, "condition": {"type": "no_data"},
        "channels": [{"type": "in_app", "users": ["u1", "u2"]}],
    });
    let rule = store.create_alert(&other, &told).unwrap().id.to_string();
    store.test_alert(&other, &rule).unwrap();
    assert_eq!(store.notifications(&gone, &json!({})).unwrap().total, 1);
    let before = store.verify_audit(&owner).unwrap();

    let report = store.erase(&other, &["u1"]).unwrap();
    assert_eq!((report.unknown, report.kept), (1, 3));
    assert_eq!(store.notifications(&gone, &json!({})).unwrap().total, 0);
    assert_eq!(store.notifications(&other, &json!({})).unwrap().total, 1);
    let sharing = store.dashboard_sharing(&other, &shared).unwrap();
    let sharing = serde_json::to_string(&sharing).unwrap();
    assert!(
        !sharing.contains("u1") && sharing.contains("u3"),
        "{sharing}"
    );
    let read = store.dashboard(&other, &theirs).unwrap();
    assert_eq!((read.owner_id.as_str(), read.revision), ("erased", 2));

    let after = store.verify_audit(&owner).unwrap();
    assert_eq!(after.broken, None);
    assert!(after.entries > before.entries);
    let asked = json!({"action": "people.erase"});
    let entries = store.audit(&owner, &asked).unwrap();
    let entry = serde_json::to_value(&entries.entries[0]).unwrap();
    assert_eq!(
        (&entry["who"], &entry["outcome"]),
        (&json!("u2"), &json!("allowed"))
    );
    assert!(!entry.to_string().contains("u1"), "{entry}");
    let analyst = Principal::new("x", "analyst");
    store.erase(&analyst, &["u2"]).unwrap_err();
    let asked = json!({"action": "people.erase", "outcome": "refused"});
    assert_eq!(store.audit(&owner, &asked).unwrap().total, 1);
}

#[test]
fn only_an_administrator_erases_and_only_what_has_an_id() {
    let store = open(None);
    let analyst = Principal::new("x", "analyst");
    let refused = store.erase(&analyst, &["u1"]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    let wrong = store.erase(&Principal::owner(), &["u1", ""]).unwrap_err();
    assert_eq!(wrong.field_errors()[0].field, "userIds");
}

#[test]
fn saved_timelines_go_before_anything_else_and_the_file_says_nothing_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let saved = folder.path().join("w.db.timelines");
    let store = open(Some(&path));
    fill(&store);
    store.close();
    {
        let home = Duckdb::open(&Open {
            path: Some(path.clone()),
            read_only: false,
            threads: None,
            memory_limit: None,
            now: Instant::default(),
        })
        .unwrap();
        assert!(
            Timelines::build(&home, None, Course::default())
                .unwrap()
                .save(&home)
                .unwrap()
        );
        assert!(home.head().unwrap().identified);
    }
    assert!(saved.exists());
    let store = open(Some(&path));
    let report = store.erase(&Principal::owner(), &["u1"]).unwrap();
    assert_eq!(report.events, 3);
    assert!(!saved.exists());
    store.close();
    // Opened again, keys still lead to the right ids, and nothing of the erased can be selected.
    let store = open(Some(&path));
    let answer = funnel(&store);
    assert_eq!(
        (&answer["entered"], &answer["converted"]),
        (&json!(1), &json!(1))
    );
    let people = json!({"word": "funnel", "cell": {"cell": "entered"}, "question": {
        "steps": ["a", "b"], "startDate": "2026-01-30", "endDate": "2026-01-31"
    }});
    let people = store.people(&Principal::owner(), &people).unwrap();
    let people = serde_json::to_value(people).unwrap();
    assert_eq!(people["total"], json!(1));
    assert!(people.to_string().contains("u2"));
    let owner = Principal::owner();
    store
        .ingest(&owner, &json!([event(9, "a", Some("u4"), None)]))
        .unwrap();
    assert_eq!(funnel(&store)["entered"], json!(2));
}

/// The store of dashboards plans its statements once: what came later may be longer than all that was there.
#[test]
fn who_came_later_is_found_however_long_the_id() {
    let widget = json!({"type": "metric", "title": "Users", "dataSource": "user_events", "visualization": "number", "config": {}});
    let body = json!({"name": "Mine", "widgets": [widget]});
    let owner = Principal::owner();
    for (first, later) in [
        ("ada", "bob-the-builder"),
        ("a", "zeno"),
        ("abcdefghijkl", "abcdefghijklmnopqrstuvwxyz"),
    ] {
        let store = open(None);
        for (id, erased) in [(first, "nobody"), (later, later)] {
            let who = Principal::new(id, "admin");
            store.create_dashboard(&who, &body).unwrap();
            let kept = store.erase(&owner, &[erased]).unwrap().kept;
            assert_eq!(kept, u64::from(erased == later), "{first} {later}");
        }
    }
}

#[test]
fn names_of_what_was_foretold_are_whole_however_long_they_grow() {
    let store = open(None);
    let owner = Principal::owner();
    let foretold = json!({"model": "m", "measure": "number", "uniqueId": ["x"], "ds": ["2026-01-01"], "mean": [1]});
    let names = ["*", "abc", "churn-90d-v1", "revenue-forecast-europe-2026"];
    for (known, name) in (1..).zip(names) {
        store.add_predictions(&owner, name, &foretold).unwrap();
        let logs = store.feedback_logs(&owner).unwrap();
        let told = serde_json::to_value(&logs).unwrap();
        let told: Vec<&str> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l["name"].as_str().unwrap())
            .collect();
        assert_eq!(told, names[..known]);
    }
}
