//! The templates of dashboards over the demo: every widget of each has something to show.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::{Value, json};
use travelsense::demo::Demo;
use travelsense::{Analytics, Instant, Options, Principal};

/// Whether any number in it is not 0.
fn says_something(data: &Value) -> bool {
    match data {
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(items) => items.iter().any(says_something),
        Value::Object(fields) => fields.values().any(says_something),
        _ => false,
    }
}

#[test]
fn every_widget_of_every_template_has_something_to_show_of_the_demo() {
    let end: Instant = "2026-03-15T18:30:00Z".parse().unwrap();
    let store = Analytics::open_with(Options {
        clock: Arc::new(move || end),
        ..Options::default()
    })
    .unwrap();
    let demo = Demo {
        users: 2_000,
        ..Demo::until(end)
    };
    let owner = Principal::owner();
    let world = demo.make().unwrap();
    world
        .load(&store, &owner, &mut |_, _| ControlFlow::Continue(()))
        .unwrap();
    let mut empty = Vec::new();
    for template in store.dashboard_templates(&owner).unwrap() {
        let made = store
            .create_dashboard_from(&owner, &template.key, &json!({}))
            .unwrap();
        let data = store
            .dashboard_data(&owner, &made.id.to_string(), &json!({}))
            .unwrap();
        for one in data {
            let shown = one.data.as_ref().is_some_and(says_something);
            if one.error.is_some() || !shown {
                empty.push(format!("{}: {}: {:?}", template.key, one.title, one.error));
            }
        }
    }
    assert!(empty.is_empty(), "{empty:#?}");
}
