//! What is told of incidents, in which order, and when nobody is to be told.

use serde_json::{Value, json};
use travelsense::analytics::Attempt;

use super::*;

/// A rule that tells a list and a webhook of every minute with more than two page views, at once.
fn quick(more: Value) -> Value {
    let mut rule = rule();
    rule["condition"] = json!({ "type": "threshold", "above": 2 });
    rule["for"] = json!(1);
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

/// Minutes, each evaluated at its end: an `x` has twenty page views, and any other none.
fn minutes(store: &Analytics, clock: &Clock, how: &str) {
    for minute in how.chars() {
        clock.add(MINUTE);
        views(store, clock, if minute == 'x' { 20 } else { 0 });
        store.evaluate_alerts(&owner()).unwrap();
    }
}

/// What the list was told, the earliest first: `event` and `openedAt` of every alarm.
fn told(store: &Analytics) -> Vec<(String, Value)> {
    let ann = Principal::new("ann", "admin");
    let listed = store.notifications(&ann, &json!({})).unwrap();
    let alarms = listed.notifications.iter().rev();
    let alarms = alarms.flat_map(|n| n.body["data"]["alerts"].as_array().unwrap().clone());
    alarms
        .map(|a| {
            (
                a["event"].as_str().unwrap().to_owned(),
                a["openedAt"].clone(),
            )
        })
        .collect()
}

/// The events of the letters that are due, which are then delivered, until none is.
fn delivered(store: &Analytics) -> Vec<Vec<String>> {
    let mut rounds = Vec::new();
    loop {
        let letters = store.take_notifications(&owner(), 64).unwrap();
        if letters.is_empty() {
            return rounds;
        }
        let events = letters.iter().map(|letter| {
            store
                .attempted(&owner(), letter, &Attempt::Delivered)
                .unwrap();
            let body: Value = serde_json::from_str(&letter.note.body).unwrap();
            body["type"].as_str().unwrap().to_owned()
        });
        rounds.push(events.collect());
    }
}

#[test]
fn an_end_is_told_before_the_next_beginning_and_each_says_of_which_incident_it_is() {
    for group in ["", "shop"] {
        let clock = Clock::at("2026-02-01T10:00:00Z");
        let store = clock.open(None);
        store
            .create_alert(
                &owner(),
                &quick(json!({ "group": group, "coolDown": "6m" })),
            )
            .unwrap();
        // Seen in the windows of five minutes that end at 10:01 to 10:05; clear at 10:06 and until 10:11; at 10:12 one is over and
        // another begins.
        minutes(&store, &clock, "x..........");
        let opened = json!("2026-02-01T10:01:00.000Z");
        assert_eq!(told(&store), [("firing".to_owned(), opened.clone())]);
        assert_eq!(delivered(&store), [["alert.firing"]]);
        minutes(&store, &clock, "x");
        let next = json!("2026-02-01T10:12:00.000Z");
        let all = [
            ("firing", &opened),
            ("resolved", &opened),
            ("firing", &next),
        ];
        assert_eq!(told(&store), all.map(|(e, o)| (e.to_owned(), o.clone())));
        assert_eq!(delivered(&store), [["alert.resolved"], ["alert.firing"]]);
    }
}

#[test]
fn a_silenced_rule_tells_no_end_until_the_silence_is_over() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let id = made(&store, &quick(json!({ "coolDown": 0 })));
    minutes(&store, &clock, "x");
    assert_eq!(told(&store).len(), 1);
    store
        .silence_alert(&owner(), &id, &json!({ "for": "20m" }))
        .unwrap();
    minutes(&store, &clock, "..................");
    let alert = store.alert(&owner(), &id).unwrap();
    assert_eq!(alert.state().incident, None, "it is over");
    assert_eq!(told(&store).len(), 1, "and nobody is told");
    minutes(&store, &clock, "...");
    assert_eq!(told(&store).len(), 2);
    let list = store
        .notifications(&Principal::new("ann", "admin"), &json!({}))
        .unwrap();
    let end = &list.notifications[0].body["data"]["alerts"][0];
    assert_eq!(
        (&end["event"], &end["at"], &end["openedAt"]),
        (
            &json!("resolved"),
            // When it ended, which was long before it was told.
            &json!("2026-02-01T10:06:00.000Z"),
            &json!("2026-02-01T10:01:00.000Z")
        )
    );
    let history = store.alert_history(&owner(), &id, &json!({})).unwrap();
    let events: Vec<&str> = history.iter().rev().map(|e| e.event.as_str()).collect();
    assert_eq!(events, ["firing", "notified", "resolved", "ok", "closed"]);
}

#[test]
fn an_end_that_a_silence_holds_back_is_told_when_the_rule_is_removed() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let id = made(&store, &quick(json!({ "coolDown": 0 })));
    minutes(&store, &clock, "x");
    store
        .silence_alert(&owner(), &id, &json!({ "for": "1d" }))
        .unwrap();
    minutes(&store, &clock, "..........");
    assert_eq!(told(&store).len(), 1);
    store.delete_alert(&owner(), &id, None).unwrap();
    assert_eq!(told(&store)[1].0, "resolved");
    assert_eq!(
        titles(&store)[0],
        "resolved: Views: page_views is 0, expected at most 2"
    );
}

/// Entries with a window of a week: on each day of January ten, who convert three days later, and on the 20th nobody does.
fn trips(store: &Analytics) {
    let event = |user: &str, name: &str, day: i64| {
        let first: Instant = "2026-01-01T12:00:00Z".parse().unwrap();
        let ts = Instant::saturating_from_micros(first.micros() + (day - 1) * 24 * 60 * MINUTE);
        json!({ "userId": user, "name": name, "ts": ts })
    };
    let mut events = Vec::new();
    for day in 1..=28 {
        for i in 0..10 {
            let user = format!("u{day}-{i}");
            events.push(event(&user, "search", day));
            if day != 20 && day + 3 <= 28 {
                events.push(event(&user, "book", day + 3));
            }
        }
    }
    store.ingest(&owner(), &Value::Array(events)).unwrap();
}

#[test]
fn f5_a_rule_on_a_funnel_looks_at_entries_that_had_their_time() {
    let clock = Clock::at("2026-01-29T09:00:00Z");
    let store = clock.open(None);
    trips(&store);
    let read = |source: Value| {
        let rule = json!({ "name": "n", "source": source, "condition": { "type": "threshold", "below": 0.9 } });
        let id = made(&store, &rule);
        let tested = store.test_alert(&owner(), &id).unwrap();
        (
            tested["verdict"].clone(),
            tested["reading"]["value"].clone(),
        )
    };
    let funnel = |window: (&str, Value), last: u32, value: &str| {
        let mut source = json!({ "word": "funnel", "question": { "steps": ["search", "book"] }, "lastDays": last, "value": value });
        source["question"][window.0] = window.1;
        source
    };
    let week = || ("window", json!("7d"));
    // Those of yesterday can still convert; those of the 21st are the last that cannot.
    assert_eq!(
        read(funnel(week(), 1, "/rate/value")),
        (json!("clear"), json!(1.0))
    );
    assert_eq!(
        read(funnel(week(), 2, "/rate/value")),
        (json!("breach"), json!(0.5))
    );
    assert_eq!(read(funnel(week(), 2, "/steps/1/count")).1, json!(10.0));
    let days = || ("windowCalendarDays", json!(8));
    assert_eq!(read(funnel(days(), 1, "/rate/value")).1, json!(1.0));
    assert_eq!(read(funnel(days(), 2, "/rate/value")).1, json!(0.5));
    // How many entered is known at once.
    assert_eq!(read(funnel(week(), 1, "/entered")).1, json!(10.0));
    // What is asked of matured entries is asked of those of the days.
    assert_eq!(read(funnel(week(), 8, "/matured/entered")).1, json!(10.0));
    // A range of its own: the rate of those who had their time.
    let own = json!({ "word": "funnel", "value": "/rate/value", "question": {
        "steps": ["search", "book"], "window": "7d", "startDate": "2026-01-20", "endDate": "2026-01-28" } });
    assert_eq!(read(own), (json!("breach"), json!(0.5)));
}

#[test]
fn whoever_relies_on_a_rule_is_told_that_it_cannot_be_read() {
    let clock = Clock::at("2026-02-01T10:00:00Z");
    let store = clock.open(None);
    let wrong = json!({ "source": { "word": "funnel", "question": { "steps": [] }, "value": "/rate/value" } });
    let id = made(&store, &quick(wrong));
    minutes(&store, &clock, "..");
    assert_eq!(told(&store), []);
    minutes(&store, &clock, "...");
    let [title] = &titles(&store)[..] else {
        panic!("it is told once")
    };
    assert!(title.starts_with("cannot be read: Views: "), "{title}");
    assert_eq!(told(&store), [("unreadable".to_owned(), Value::Null)]);
    let right = json!({ "source": rule()["source"] });
    store.update_alert(&owner(), &id, &right, None).unwrap();
    minutes(&store, &clock, "..");
    let [title, _] = &titles(&store)[..] else {
        panic!("and so is that it is over")
    };
    assert_eq!(
        title,
        "read again: Views: page_views is 0, expected at most 2"
    );
}
