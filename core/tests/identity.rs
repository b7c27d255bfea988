//! Who is who (I5), through the handle.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise"
)]

use serde_json::{Value, json};
use travelsense::events::{ImportOptions, Mapping, Source, Table};
use travelsense::{Analytics, Instant, Options, Principal};

fn store() -> Analytics {
    Analytics::open_with(Options {
        clock: std::sync::Arc::new(|| "2026-02-01T00:00:00Z".parse::<Instant>().unwrap()),
        ..Options::default()
    })
    .unwrap()
}

fn event(minute: u32, name: &str, user: Option<&str>, device: Option<&str>) -> Value {
    json!({
        "name": name,
        "ts": format!("2026-01-31T23:{minute:02}:00Z"),
        "userId": user,
        "anonymousId": device,
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
    let source = Source::Path(path);
    let report = store
        .import(
            &Principal::owner(),
            source,
            &Mapping::default(),
            &mut options,
        )
        .unwrap();
    assert_eq!(report.refused, 0, "{report:?}");
}

/// Users with a, and of them those with b after it.
fn funnel(store: &Analytics) -> (u64, u64) {
    let question = json!({
        "steps": ["a", "b"], "startDate": "2026-01-30", "endDate": "2026-01-31"
    });
    let answer = store.funnel_json(&Principal::owner(), &question).unwrap();
    (answer.entered, answer.converted)
}

fn active(store: &Analytics) -> Value {
    let question = json!({"metrics": ["active_users"], "timeRange": "last_hour"});
    let answer = store.realtime_json(&Principal::owner(), &question).unwrap();
    serde_json::to_value(&answer[0]).unwrap()["value"].clone()
}

#[test]
fn i5_a_device_is_the_next_user_known_on_it_and_a_sign_out_ends_that() {
    let store = store();
    let owner = Principal::owner();
    // e1 and e3 come from the device alone; u1 and u2 were known on it after them.
    let events = json!([
        event(1, "a", None, Some("d")),
        event(2, "b", Some("u1"), Some("d")),
        event(5, "a", None, Some("d")),
    ]);
    store.ingest(&owner, &events).unwrap();
    assert_eq!(funnel(&store), (1, 1));
    assert_eq!(active(&store), json!(1));
    import(
        &store,
        Table::Aliases,
        "anonymousId,userId,ts\nd,,2026-01-31T23:04:00Z\n",
    );
    // Nobody is known after the sign-out: the device counts for itself.
    assert_eq!(funnel(&store), (2, 1));
    assert_eq!(active(&store), json!(2));
    store
        .ingest(&owner, &json!([event(6, "b", Some("u2"), Some("d"))]))
        .unwrap();
    assert_eq!(funnel(&store), (2, 2));
    assert_eq!(active(&store), json!(2));
}

#[test]
fn i5_known_users_are_one_only_where_a_merge_says_so_and_it_can_be_taken_back() {
    let store = store();
    let owner = Principal::owner();
    let events = json!([
        event(1, "a", Some("u1"), None),
        event(2, "b", Some("u2"), None)
    ]);
    store.ingest(&owner, &events).unwrap();
    assert_eq!((funnel(&store), active(&store)), ((1, 0), json!(2)));
    import(
        &store,
        Table::Merges,
        "mergedUserId,userId,ts\nu2,u1,2026-01-31T23:10:00Z\n",
    );
    assert_eq!((funnel(&store), active(&store)), ((1, 1), json!(1)));
    import(
        &store,
        Table::Merges,
        "mergedUserId,userId,ts\nu2,,2026-01-31T23:20:00Z\n",
    );
    assert_eq!((funnel(&store), active(&store)), ((1, 0), json!(2)));
}

#[test]
fn i5_the_plan_of_merged_users_is_the_latest_said_of_any_of_them() {
    let store = store();
    let owner = Principal::owner();
    let events = json!([
        event(1, "a", Some("u1"), None),
        event(2, "b", Some("u2"), None)
    ]);
    store.ingest(&owner, &events).unwrap();
    import(
        &store,
        Table::Profiles,
        "userId,plan,ts\nu1,free,2026-01-01\nu2,premium,2026-01-02\n",
    );
    import(
        &store,
        Table::Merges,
        "mergedUserId,userId,ts\nu2,u1,2026-01-31T23:10:00Z\n",
    );
    let question = json!({
        "steps": ["a", "b"], "startDate": "2026-01-30", "endDate": "2026-01-31", "segment": "premium"
    });
    let answer = store.funnel_json(&owner, &question).unwrap();
    assert_eq!((answer.entered, answer.converted), (1, 1));
}

#[test]
fn d1_whoever_is_one_user_has_one_profile() {
    let store = store();
    let me = Principal::owner();
    store
        .ingest(
            &me,
            &json!([
                event(1, "a", Some("old"), None),
                event(2, "a", Some("new"), None)
            ]),
        )
        .unwrap();
    import(
        &store,
        Table::Merges,
        "mergedUserId,userId,ts\nnew,old,2026-01-31T23:30:00Z\n",
    );
    import(
        &store,
        Table::Profiles,
        "userId,ts,plan,home\nold,2026-01-04T00:00:00Z,premium,Rome\nnew,2026-01-10T00:00:00Z,free,Oslo\n",
    );
    let question = json!({
        "steps": ["a"], "startDate": "2026-01-30", "endDate": "2026-01-31", "segment": "free"
    });
    let request = json!({"word": "funnel", "question": question, "cell": {"cell": "entered"}});
    let people = store.people(&me, &request).unwrap();
    let [one] = &people.users[..] else {
        panic!("{people:?}")
    };
    assert_eq!(
        (one.user_id.as_str(), one.plan.as_deref()),
        ("old", Some("free"))
    );
    let said = one.properties.as_ref().unwrap();
    assert_eq!(said.get(), r#"{"home":"Oslo"}"#);
}
