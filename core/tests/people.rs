//! The people behind a number, and cohorts, through the handle (D1, C1).
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise"
)]

use serde_json::{Value, json};
use travelsense::{Analytics, Instant, Options, Principal};

fn store() -> Analytics {
    let store = Analytics::open_with(Options {
        clock: std::sync::Arc::new(|| "2026-02-01T00:00:00Z".parse::<Instant>().unwrap()),
        ..Options::default()
    })
    .unwrap();
    let event = |user: &str, name: &str, day: u32, city: &str| {
        json!({
            "userId": user,
            "name": name,
            "ts": format!("2026-01-{day:02}T12:00:00Z"),
            "properties": { "city": city },
        })
    };
    let events = json!([
        event("ada", "a", 1, "Paris"),
        event("ada", "b", 2, "Paris"),
        event("bob", "a", 1, "Rome"),
        event("cy", "a", 3, "Paris"),
        event("cy", "a", 4, "Paris"),
        event("cy", "b", 5, "Rome"),
    ]);
    store.ingest(&Principal::owner(), &events).unwrap();
    store
}

fn question(more: Value) -> Value {
    let mut question = json!({
        "steps": ["a", "b"], "startDate": "2026-01-01", "endDate": "2026-01-31"
    });
    for (name, value) in more.as_object().unwrap() {
        question[name] = value.clone();
    }
    question
}

fn ids(store: &Analytics, request: &Value) -> (u64, bool, Vec<String>) {
    let people = store.people(&Principal::owner(), request).unwrap();
    let ids = people.users.iter().map(|u| u.user_id.clone()).collect();
    (people.total, people.has_more, ids)
}

#[test]
fn d1_the_users_of_a_cell_are_its_number_and_come_in_pages() {
    let store = store();
    let ask = |cell: Value, limit: u32, offset: u32| {
        let request = json!({
            "word": "funnel", "question": question(json!({})), "cell": cell, "limit": limit, "offset": offset
        });
        ids(&store, &request)
    };
    let entered = json!({"cell": "entered"});
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        ask(entered.clone(), 2, 0),
        (3, true, names(&["ada", "bob"]))
    );
    assert_eq!(ask(entered, 2, 2), (3, false, names(&["cy"])));
    assert_eq!(
        ask(json!({"cell": "dropped", "step": 1}), 9, 0),
        (1, false, names(&["bob"]))
    );
    let one = store
        .people(
            &Principal::owner(),
            &json!({"word": "funnel", "question": question(json!({})), "cell": {"cell": "converted"}}),
        )
        .unwrap();
    let ada = serde_json::to_value(&one.users[0]).unwrap();
    assert_eq!(
        (&ada["firstSeen"], &ada["events"], &ada["anonymous"]),
        (&json!("2026-01-01T12:00:00.000Z"), &json!(2), &json!(false))
    );
}

#[test]
fn d1_engagement_and_adoption_name_their_people() {
    let store = store();
    let request = |word: &str, cell: Value| {
        let mut question = json!({"startDate": "2026-01-01", "endDate": "2026-01-31"});
        if word == "adoption" {
            question["features"] = json!(["b"]);
        }
        json!({"word": word, "question": question, "cell": cell})
    };
    let table = [
        ("engagement", json!({"cell": "users"}), "ada bob cy"),
        (
            "engagement",
            json!({"cell": "lifecycle", "start": "2026-01-02T00:00:00Z", "state": "dormant"}),
            "bob",
        ),
        (
            "engagement",
            json!({"cell": "stickiness", "periods": 2, "atLeast": true}),
            "ada cy",
        ),
        (
            "adoption",
            json!({"cell": "feature", "feature": "b", "who": "not_adopted"}),
            "bob",
        ),
        (
            "adoption",
            json!({"cell": "breadth", "features": 1}),
            "ada cy",
        ),
    ];
    for (word, cell, expected) in table {
        let (total, _, users) = ids(&store, &request(word, cell.clone()));
        assert_eq!(
            (users.join(" "), users.len()),
            (expected.to_owned(), total as usize)
        );
    }
    for (word, cell, fault) in [
        (
            "engagement",
            json!({"cell": "users", "hour": 3}),
            "hour unknown_field",
        ),
        (
            "engagement",
            json!({"cell": "trailing", "days": 8}),
            "days not_in_list",
        ),
        (
            "engagement",
            json!({"cell": "stickiness", "periods": 99}),
            "periods not_found",
        ),
        (
            "adoption",
            json!({"cell": "feature", "feature": "c", "who": "users"}),
            "feature not_found",
        ),
        (
            "adoption",
            json!({"cell": "breadth", "features": 1, "from": 3}),
            "from not_found",
        ),
    ] {
        let error = store
            .people(&Principal::owner(), &request(word, cell))
            .unwrap_err();
        let faults: Vec<String> = error
            .field_errors()
            .iter()
            .map(|f| format!("{} {}", f.field, f.code))
            .collect();
        assert_eq!(faults, [fault]);
    }
}

#[test]
fn d1_whoever_may_not_see_people_is_refused() {
    let request = json!({
        "word": "funnel", "question": question(json!({})), "cell": {"cell": "entered"}
    });
    let refused = store()
        .people(&Principal::new("v", "viewer"), &request)
        .unwrap_err();
    assert_eq!(refused.code(), "forbidden");
}

#[test]
fn c1_a_cohort_filters_and_breaks_down_as_of_the_question() {
    let store = store();
    let owner = Principal::owner();
    let make = |name: &str, definition: Value| store.create_cohort(&owner, name, &definition);
    make("twice", json!({"did": "a", "atLeast": 2})).unwrap();
    let error = make("a\0b", json!({"did": "a"})).unwrap_err();
    assert_eq!(error.field_errors()[0].code, "invalid_text");
    make("fixed", json!({"users": ["ada", "nobody"]})).unwrap();
    make(
        "romans",
        json!({"did": {"event": null, "where": [{"property": "city", "value": "Rome"}]}}),
    )
    .unwrap();
    make(
        "others",
        json!({"not": {"any": [{"users": ["ada"]}, {"did": "a", "atLeast": 2}]}}),
    )
    .unwrap();
    let entered = |name: &str, as_of: &str| {
        let filters = json!([{"property": {"cohort": name}, "value": true}]);
        let asked = question(json!({"filters": filters, "asOf": as_of}));
        let answer = store.funnel_json(&owner, &asked).unwrap();
        (answer.entered, answer.converted)
    };
    let late = "2026-01-31T00:00:00Z";
    assert_eq!(entered("twice", late), (1, 1));
    assert_eq!(entered("twice", "2026-01-04T00:00:00Z"), (0, 0));
    assert_eq!(entered("fixed", late), (1, 1));
    assert_eq!(entered("romans", late), (2, 1));
    assert_eq!(entered("others", late), (1, 0));

    assert_eq!(
        make("fixed", json!({"users": []})).unwrap_err().code(),
        "already_exists"
    );
    for wrong in [
        json!({}),
        json!({"users": [1]}),
        json!({"did": "a", "users": []}),
        json!({"did": "a", "atLeast": 3, "atMost": 2}),
        json!({"last": "3d"}),
        json!({"not": {"users": 1}}),
        json!({"profile": [{"property": "city", "value": 1}]}),
        json!({"users": [], "color": 1}),
    ] {
        let error = make("wrong", wrong.clone()).unwrap_err();
        assert_eq!(error.code(), "validation_failed", "{wrong}");
    }
    let names: Vec<String> = store
        .cohorts(&owner)
        .unwrap()
        .into_iter()
        .map(|c| c.name)
        .collect();
    assert_eq!(names, ["fixed", "others", "romans", "twice"]);
    store.remove_cohort(&owner, "fixed").unwrap();
    assert_eq!(
        store.remove_cohort(&owner, "fixed").unwrap_err().code(),
        "not_found"
    );
    let asked = question(json!({"filters": [{"property": {"cohort": "fixed"}, "value": true}]}));
    assert_eq!(
        store.funnel_json(&owner, &asked).unwrap_err().code(),
        "validation_failed"
    );
}

#[test]
fn i2_who_a_device_is_at_one_time_does_not_depend_on_the_order_of_loading() {
    let login = "2026-01-10T00:00:00Z";
    let events = [
        json!({"userId": "amy", "name": "a", "ts": "2026-01-09T00:00:00Z"}),
        json!({"userId": "zoe", "anonymousId": "d", "name": "login", "ts": login}),
        json!({"userId": "amy", "anonymousId": "d", "name": "login", "ts": login}),
        json!({"anonymousId": "d", "name": "b", "ts": "2026-01-10T01:00:00Z"}),
    ];
    let asked = json!({"word": "funnel", "question": question(json!({"steps": ["b"]})), "cell": {"step": 1}});
    for order in [
        [0, 1, 2, 3],
        [1, 2, 3, 0],
        [3, 2, 1, 0],
        [2, 1, 0, 3],
        [3, 0, 2, 1],
    ] {
        let store = Analytics::open_with(Options::default()).unwrap();
        for place in order {
            let event = json!([events[place]]);
            store.ingest(&Principal::owner(), &event).unwrap();
        }
        assert_eq!(
            ids(&store, &asked),
            (1, false, vec!["zoe".to_owned()]),
            "{order:?}"
        );
    }
}
