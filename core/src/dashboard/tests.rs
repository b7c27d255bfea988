use serde_json::{Value, json};

use super::*;
use crate::analytics::{Analytics, Options};
use crate::error::Error;
use crate::{ErrorKind, Instant, Principal};

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn store() -> Analytics {
    Analytics::open_with(Options {
        clock: std::sync::Arc::new(now),
        threads: Some(1),
        ..Options::default()
    })
    .unwrap()
}

fn widget() -> Value {
    json!({"type": "metric", "title": "Users", "dataSource": "user_events", "visualization": "number", "config": {}})
}

fn body() -> Value {
    json!({"name": "Mine", "widgets": [widget()]})
}

fn admin(id: &str) -> Principal {
    Principal::new(id, "admin")
}

fn faults(error: &Error) -> Vec<String> {
    assert_eq!(error.code(), "validation_failed", "{error:?}");
    let faults = error.field_errors().iter();
    faults.map(|f| format!("{} {}", f.field, f.code)).collect()
}

fn with(mut value: Value, at: &str, other: Value) -> Value {
    match value.pointer_mut(at) {
        Some(place) => *place = other,
        None => {
            let (parent, name) = at.rsplit_once('/').unwrap();
            let parent = value.pointer_mut(parent).unwrap();
            parent
                .as_object_mut()
                .unwrap()
                .insert(name.to_owned(), other);
        }
    }
    value
}

fn without(mut value: Value, at: &str) -> Value {
    let (parent, name) = at.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().remove(name).unwrap();
    value
}

#[test]
fn every_line_of_the_specification_holds_on_both_sides_of_its_edge() {
    let long = |n: usize| json!("ü".repeat(n));
    let many = |n: usize| json!(vec![widget(); n]);
    type Case = (&'static str, Value, &'static [&'static str]);
    let of_body: Vec<Case> = vec![
        ("/name", Value::Null, &["name required"]),
        ("/name", json!(""), &["name invalid_length"]),
        ("/name", json!("x"), &[]),
        ("/name", long(100), &[]),
        ("/name", long(101), &["name invalid_length"]),
        ("/name", json!("👩‍👩‍👧‍👦".repeat(14)), &[]),
        ("/name", json!("👩‍👩‍👧‍👦".repeat(15)), &["name invalid_length"]),
        ("/name", json!(7), &["name invalid_type"]),
        ("/description", Value::Null, &[]),
        ("/description", json!(""), &[]),
        ("/description", long(500), &[]),
        ("/description", long(501), &["description invalid_length"]),
        ("/description", json!([]), &["description invalid_type"]),
        ("/widgets", Value::Null, &["widgets required"]),
        ("/widgets", json!({}), &["widgets invalid_type"]),
        ("/widgets", json!([]), &["widgets too_few"]),
        ("/widgets", many(1), &[]),
        ("/widgets", many(20), &[]),
        ("/widgets", many(21), &["widgets too_many"]),
        ("/widgets", json!([7]), &["widgets[0] invalid_type"]),
        (
            "/widgets/0/type",
            Value::Null,
            &["widgets[0].type required"],
        ),
        (
            "/widgets/0/type",
            json!("gauge"),
            &["widgets[0].type not_in_list"],
        ),
        (
            "/widgets/0/type",
            json!("METRIC"),
            &["widgets[0].type not_in_list"],
        ),
        (
            "/widgets/0/title",
            Value::Null,
            &["widgets[0].title required"],
        ),
        (
            "/widgets/0/title",
            json!(""),
            &["widgets[0].title invalid_length"],
        ),
        ("/widgets/0/title", long(100), &[]),
        (
            "/widgets/0/title",
            long(101),
            &["widgets[0].title invalid_length"],
        ),
        (
            "/widgets/0/dataSource",
            Value::Null,
            &["widgets[0].dataSource required"],
        ),
        (
            "/widgets/0/dataSource",
            json!("users"),
            &["widgets[0].dataSource not_in_list"],
        ),
        (
            "/widgets/0/visualization",
            Value::Null,
            &["widgets[0].visualization required"],
        ),
        (
            "/widgets/0/visualization",
            json!("line"),
            &["widgets[0].visualization not_appropriate"],
        ),
        (
            "/widgets/0/visualization",
            json!(1),
            &["widgets[0].visualization invalid_type"],
        ),
        (
            "/widgets/0/config",
            Value::Null,
            &["widgets[0].config required"],
        ),
        (
            "/widgets/0/config",
            json!([]),
            &["widgets[0].config invalid_type"],
        ),
        (
            "/widgets/0/config",
            json!("{}"),
            &["widgets[0].config invalid_type"],
        ),
        ("/widgets/0/config", json!({"mine": [1]}), &[]),
        (
            "/widgets/0/config",
            json!({"measure": "sum"}),
            &["widgets[0].config.measure not_in_list"],
        ),
        (
            "/widgets/0/config",
            json!({"last": "0d", "timezone": "Mars"}),
            &[
                "widgets[0].config.last out_of_range",
                "widgets[0].config.timezone unknown_zone",
            ],
        ),
        (
            "/widgets/0/size",
            json!(1),
            &["widgets[0].size unknown_field"],
        ),
        ("/isPublic", Value::Null, &[]),
        ("/isPublic", json!(true), &[]),
        ("/isPublic", json!("true"), &["isPublic invalid_type"]),
        ("/isPublic", json!(1), &["isPublic invalid_type"]),
        ("/owner", json!("me"), &["owner unknown_field"]),
    ];
    for (at, value, expected) in of_body {
        let asked = with(body(), at, value);
        let found = Draft::parse(&asked).map_or_else(|e| faults(&e), |_| Vec::new());
        assert_eq!(found, expected, "{asked}");
        // A change is checked alike, but may leave anything out.
        let found = Patch::parse(&asked).map_or_else(|e| faults(&e), |_| Vec::new());
        let expected: Vec<_> = expected
            .iter()
            .filter(|f| !["name required", "widgets required"].contains(f))
            .collect();
        assert_eq!(
            found,
            expected
                .into_iter()
                .map(|f| (*f).to_owned())
                .collect::<Vec<_>>(),
            "{asked}"
        );
    }
    for name in ["type", "title", "dataSource", "visualization", "config"] {
        let at = format!("/widgets/0/{name}");
        let lacking = without(body(), &at);
        let expected = [format!("widgets[0].{name} required")];
        assert_eq!(faults(&Draft::parse(&lacking).unwrap_err()), expected);
        assert_eq!(faults(&Patch::parse(&lacking).unwrap_err()), expected);
    }
    for source in [
        "user_events",
        "trips",
        "bookings",
        "reviews",
        "revenue",
        "performance",
    ] {
        Draft::parse(&with(body(), "/widgets/0/dataSource", json!(source))).unwrap();
    }
    for wrong in [json!([]), json!("x"), Value::Null] {
        assert_eq!(
            faults(&Draft::parse(&wrong).unwrap_err()),
            ["body invalid_type"]
        );
    }
    assert_eq!(
        faults(&Draft::parse(&json!({})).unwrap_err()),
        ["name required", "widgets required"]
    );
    assert_eq!(Patch::parse(&json!({})).unwrap(), Patch::default());
}

#[test]
fn all_faults_of_all_widgets_are_told_at_once() {
    let asked = json!({
        "name": "",
        "isPublic": 0,
        "widgets": [
            widget(),
            {"type": "map", "title": "", "dataSource": "x", "visualization": "number", "config": 1},
            {"type": "?", "title": "t", "dataSource": "trips", "visualization": "number", "config": {}, "more": 1},
        ],
    });
    let expected = [
        "name invalid_length",
        "widgets[1].title invalid_length",
        "widgets[1].dataSource not_in_list",
        "widgets[1].visualization not_appropriate",
        "widgets[1].config invalid_type",
        "widgets[2].type not_in_list",
        "widgets[2].more unknown_field",
        "isPublic invalid_type",
    ];
    assert_eq!(faults(&Draft::parse(&asked).unwrap_err()), expected);
}

#[test]
fn every_type_takes_its_own_visualizations_and_no_others() {
    use WidgetType as T;
    let types = [T::Metric, T::Chart, T::Table, T::Map, T::Funnel];
    for kind in types {
        for other in types {
            for visualization in other.visualizations() {
                let asked = with(body(), "/widgets/0/type", json!(kind.name()));
                let asked = with(asked, "/widgets/0/visualization", json!(visualization));
                let fits = kind.visualizations().contains(visualization);
                assert_eq!(Draft::parse(&asked).is_ok(), fits, "{asked}");
            }
        }
    }
}

#[test]
fn a_list_is_asked_for_as_the_specification_says() {
    let table = [
        (json!({}), None),
        (json!({"search": ""}), None),
        (json!({"search": "ü".repeat(100)}), None),
        (
            json!({"search": "ü".repeat(101)}),
            Some("search invalid_length"),
        ),
        (json!({"limit": 1}), None),
        (json!({"limit": 50}), None),
        (json!({"limit": 0}), Some("limit out_of_range")),
        (json!({"limit": 51}), Some("limit out_of_range")),
        (json!({"limit": -1}), Some("limit out_of_range")),
        (json!({"limit": 1.5}), Some("limit invalid_type")),
        (json!({"limit": "20"}), Some("limit invalid_type")),
        (json!({"offset": 0}), None),
        (json!({"offset": -1}), Some("offset out_of_range")),
        (json!({"offset": "x"}), Some("offset invalid_type")),
        (json!({"sortBy": "name"}), None),
        (json!({"sortBy": "createdAt"}), None),
        (json!({"sortBy": "updatedAt"}), Some("sortBy not_in_list")),
        (json!({"sortOrder": "asc"}), None),
        (json!({"sortOrder": "desc"}), None),
        (json!({"sortOrder": "ASC"}), Some("sortOrder not_in_list")),
        (json!({"page": 1}), Some("page unknown_field")),
    ];
    for (asked, expected) in table {
        let found = List::parse(&asked).map_or_else(|e| faults(&e), |_| Vec::new());
        assert_eq!(
            found,
            expected.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            "{asked}"
        );
    }
    let plain = List::parse(&json!({})).unwrap();
    assert_eq!((plain.limit, plain.offset), (20, 0));
}

#[test]
fn a_dashboard_is_made_found_changed_and_removed() {
    let store = store();
    let me = admin("me");
    let made = store
        .create_dashboard(&me, &with(body(), "/description", json!("what I do")))
        .unwrap();
    let id = made.id.to_string();
    assert_eq!((id.len(), made.revision, made.is_public), (24, 1, false));
    assert_eq!((made.owner_id.as_str(), made.created_at), ("me", now()));
    assert_eq!(store.dashboard(&me, &id).unwrap(), made);
    let shown = serde_json::to_value(&made).unwrap();
    assert_eq!(shown["_id"], id.as_str());
    assert_eq!(shown["widgets"][0], widget());

    let changed = store
        .update_dashboard(&me, &id, &json!({"name": "Other"}), Some(1))
        .unwrap();
    assert_eq!(
        (
            changed.name.as_str(),
            changed.description.as_str(),
            changed.revision
        ),
        ("Other", "what I do", 2)
    );
    let stale = store
        .update_dashboard(&me, &id, &json!({"name": "Third"}), Some(1))
        .unwrap_err();
    assert_eq!(
        (stale.kind(), stale.code()),
        (ErrorKind::Conflict, "revision_changed")
    );
    assert_eq!(
        store
            .delete_dashboard(&me, &id, Some(1))
            .unwrap_err()
            .code(),
        "revision_changed"
    );
    store.delete_dashboard(&me, &id, Some(2)).unwrap();
    assert_eq!(
        store.dashboard(&me, &id).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(store.dashboards(&me, &json!({})).unwrap().total, 0);
}

#[test]
fn the_record_holds_every_change_access_and_refusal() {
    let store = store();
    let (me, viewer) = (
        admin("me"),
        Principal::new("v", "viewer").asking("192.0.2.7", "r7"),
    );
    let id = store.create_dashboard(&me, &body()).unwrap().id.to_string();
    store.dashboards(&me, &json!({})).unwrap();
    store.dashboard(&viewer, &id).unwrap_err();
    store.create_dashboard(&viewer, &body()).unwrap_err();
    store.create_dashboard(&me, &json!({})).unwrap_err();
    store
        .update_dashboard(&me, &id, &json!({"name": "x"}), None)
        .unwrap();
    store.delete_dashboard(&me, &id, None).unwrap();
    let listed = store.audit(&me, &json!({"limit": 100})).unwrap();
    let told: Vec<_> = listed
        .entries
        .iter()
        .rev()
        .map(|e| format!("{} {} {}", e.who, e.action, e.outcome))
        .collect();
    let expected = [
        "me dashboard.create allowed",
        "me dashboard.list allowed",
        "v dashboard.read refused",
        "v dashboard.create refused",
        "me dashboard.create failed",
        "me dashboard.update allowed",
        "me dashboard.delete allowed",
    ];
    assert_eq!(told, expected);
    let refused = store
        .audit(
            &me,
            &json!({"outcome": "refused", "action": "dashboard.read"}),
        )
        .unwrap();
    let one = &refused.entries[0];
    assert_eq!(
        (one.origin.as_str(), one.request_id.as_str()),
        ("192.0.2.7", "r7")
    );
    assert_eq!(one.object, format!("dashboard/{id}"));
    assert_eq!(
        store.audit(&viewer, &json!({})).unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    let found = store.verify_audit(&me).unwrap();
    assert_eq!((found.broken, found.entries), (None, 10));
}

#[test]
fn no_change_without_its_entry() {
    let store = store();
    let me = admin("me");
    let id = store.create_dashboard(&me, &body()).unwrap().id.to_string();
    let kept = store.metadata().unwrap();
    crate::metadata::change(&*kept, |s| s.batch("alter table entries rename to gone")).unwrap();
    assert!(store.create_dashboard(&me, &body()).is_err());
    assert!(
        store
            .update_dashboard(&me, &id, &json!({"name": "x"}), None)
            .is_err()
    );
    assert!(store.delete_dashboard(&me, &id, None).is_err());
    assert!(
        store.dashboard(&me, &id).is_err(),
        "nothing is given away unseen"
    );
    crate::metadata::change(&*kept, |s| s.batch("alter table gone rename to entries")).unwrap();
    let listed = store.dashboards(&me, &json!({})).unwrap();
    assert_eq!((listed.total, listed.dashboards[0].revision), (1, 1));
}

#[test]
fn who_may_do_what_with_whose_dashboard() {
    let store = store();
    let owner = Principal::new("owner", "analyst");
    let make = |is_public: bool| {
        let asked = with(body(), "/isPublic", json!(is_public));
        store
            .create_dashboard(&owner, &asked)
            .unwrap()
            .id
            .to_string()
    };
    let (private, public, shared) = (make(false), make(true), make(false));
    let sharing = json!({
        "users": [{"id": "reader", "access": "view"}, {"id": "writer", "access": "edit"}],
        "roles": [{"role": "viewer", "access": "view"}],
    });
    store.share_dashboard(&owner, &shared, &sharing).unwrap();
    let shown = serde_json::to_value(store.dashboard_sharing(&owner, &shared).unwrap()).unwrap();
    assert_eq!(shown, sharing);
    // What each may do: read, change, remove.
    let table = [
        (("owner", "analyst"), &private, [true, true, true]),
        (("other", "admin"), &private, [false, false, false]),
        (("other", "admin"), &public, [true, false, false]),
        (("other", "analyst"), &public, [false, false, false]),
        (("other", "viewer"), &public, [false, false, false]),
        (("other", "admin"), &shared, [false, false, false]),
        (("reader", "analyst"), &shared, [true, false, false]),
        (("writer", "analyst"), &shared, [true, true, false]),
        (("writer", "viewer"), &shared, [true, false, false]),
        (("other", "viewer"), &shared, [true, false, false]),
        (("other", "root"), &shared, [false, false, false]),
        (("owner", "root"), &private, [false, false, false]),
    ];
    for ((id, role), dashboard, expected) in table {
        let who = Principal::new(id, role);
        let allowed = |done: Result<(), Error>| match done {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Forbidden, "{id} {role} {error:?}");
                false
            }
        };
        let may = [
            allowed(store.dashboard(&who, dashboard).map(drop)),
            allowed(
                store
                    .update_dashboard(&who, dashboard, &json!({"description": id}), None)
                    .map(drop),
            ),
            // The last one is tried by none but those who may not.
            expected[2] || allowed(store.delete_dashboard(&who, dashboard, None)),
        ];
        assert_eq!(may, expected, "{id} as {role}");
        let asked = store.dashboards(&who, &json!({"limit": 50}));
        let listed =
            asked.is_ok_and(|l| l.dashboards.iter().any(|d| d.id.to_string() == **dashboard));
        assert_eq!(
            listed, expected[0],
            "{id} as {role}: lists show what can be read"
        );
        assert!(id == "owner" || store.share_dashboard(&who, dashboard, &json!({})).is_err());
    }
    let writer = Principal::new("writer", "analyst");
    let opened = store.update_dashboard(&writer, &shared, &json!({"isPublic": true}), None);
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Forbidden);
}

#[test]
fn a_change_is_refused_in_the_order_of_the_specification() {
    let store = store();
    let owner = admin("owner");
    let id = store
        .create_dashboard(&owner, &body())
        .unwrap()
        .id
        .to_string();
    let wrong = json!({"name": ""});
    let absent = "0".repeat(24);
    let table = [
        (Principal::new("v", "viewer"), "x", ErrorKind::Forbidden),
        (admin("other"), "x", ErrorKind::Invalid),
        (admin("other"), &absent, ErrorKind::NotFound),
        (admin("other"), &id, ErrorKind::Forbidden),
        (owner, &id, ErrorKind::Invalid),
    ];
    for (who, id, kind) in table {
        let error = store.update_dashboard(&who, id, &wrong, None).unwrap_err();
        assert_eq!(error.kind(), kind, "{} {id}", who.id());
    }
}

#[test]
fn what_is_wrong_with_sharing_is_told_at_once() {
    let table = [
        (json!({}), vec![]),
        (
            json!({"users": [{"id": "", "access": "own"}]}),
            vec!["users[0].id invalid_length", "users[0].access not_in_list"],
        ),
        (
            json!({"roles": [{"role": "root", "access": "view"}], "x": 1}),
            vec!["roles[0].role not_in_list", "x unknown_field"],
        ),
        (
            json!({"users": [{"id": "a", "access": "view"}, {"id": "a", "access": "edit"}]}),
            vec!["users[1] repeated"],
        ),
        (
            json!({"users": vec![json!({"id": "a", "access": "view"}); 101]}),
            vec!["users too_many"],
        ),
    ];
    for (asked, expected) in table {
        let found = Sharing::parse(&asked).map_or_else(|e| faults(&e), |_| Vec::new());
        assert_eq!(found, expected, "{asked}");
    }
}

#[test]
fn every_template_makes_a_dashboard() {
    let store = store();
    let me = admin("me");
    let templates = store.dashboard_templates(&me).unwrap();
    assert!(templates.len() >= 6);
    for template in templates {
        let made = store
            .create_dashboard_from(&me, &template.key, &json!({}))
            .unwrap();
        assert_eq!(made.name, template.name);
        // Every place of the twelve columns is taken once, down to the last row.
        let mut taken = std::collections::BTreeSet::new();
        let mut bottom = 0;
        for widget in &made.widgets {
            let of = |name: &str| widget.config["layout"][name].as_u64().unwrap();
            for (x, y) in (of("x")..of("x") + of("w"))
                .flat_map(|x| (of("y")..of("y") + of("h")).map(move |y| (x, y)))
            {
                assert!(x < 12 && taken.insert((x, y)), "{}: {x} {y}", template.key);
                bottom = bottom.max(y + 1);
            }
        }
        assert_eq!(taken.len() as u64, 12 * bottom, "{}", template.key);
    }
    let named = store
        .create_dashboard_from(&me, "revenue", &json!({"name": "Money"}))
        .unwrap();
    assert_eq!(named.name, "Money");
    let absent = store
        .create_dashboard_from(&me, "none", &json!({}))
        .unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    let refused = store
        .create_dashboard_from(&me, "revenue", &json!({"widgets": []}))
        .unwrap_err();
    assert_eq!(faults(&refused), ["widgets unknown_field"]);
}

/// A store with a few rows of every platform table.
fn platform() -> Analytics {
    use crate::events::{ImportOptions, Mapping, Source, Table};

    let store = store();
    let folder = tempfile::tempdir().unwrap();
    let tables = [
        (
            Table::Trips,
            "trips",
            "trip_id,destination,amount,currency\nt1,Lisbon,100.00,EUR\nt2,Oslo,200.00,EUR\nt3,Oslo,50.00,EUR\n",
        ),
        (
            Table::Bookings,
            "bookings",
            "booking_id,ts,trip_id,status,amount,currency\n\
             b1,2026-02-20T10:00:00Z,t1,confirmed,100.00,EUR\nb2,2026-02-21T10:00:00Z,t2,confirmed,200.00,EUR\n\
             b3,2026-02-21T23:30:00Z,t2,cancelled,200.00,EUR\nb4,2026-01-01T00:00:00Z,t1,confirmed,100.00,EUR\n",
        ),
        (
            Table::Payments,
            "payments",
            "payment_id,ts,booking_id,status,amount,currency\n\
             p1,2026-02-20T10:00:00Z,b1,paid,0.10,EUR\np2,2026-02-21T10:00:00Z,b2,paid,0.20,EUR\n\
             p3,2026-02-21T11:00:00Z,b2,paid,10.00,USD\np4,2026-02-22T11:00:00Z,b3,refunded,-5.00,USD\n\
             p5,2026-01-15T11:00:00Z,b4,paid,7.00,EUR\n",
        ),
        (
            Table::Rates,
            "rates",
            "currency,day,rate\nUSD,2026-02-01,0.9\nUSD,2026-02-22,0.8\n",
        ),
        (
            Table::Reviews,
            "reviews",
            "review_id,ts,trip_id,rating\nr1,2026-02-20T10:00:00Z,t1,5\nr2,2026-02-21T10:00:00Z,t2,4\nr3,2026-02-21T10:00:00Z,t2,3\n",
        ),
        (
            Table::Performance,
            "performance",
            "ts,name,value\n2026-02-20T10:00:00Z,api,100\n2026-02-20T10:00:01Z,api,200\n2026-02-20T10:00:02Z,api,300\n2026-02-20T10:00:03Z,db,10\n",
        ),
    ];
    for (table, name, text) in tables {
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, text).unwrap();
        let mut options = ImportOptions {
            table: Some(table),
            strict: true,
            ..ImportOptions::default()
        };
        store
            .import(
                &Principal::owner(),
                Source::Path(path),
                &Mapping::default(),
                &mut options,
            )
            .unwrap();
    }
    let event = |user: &str, name: &str, ts: &str, country: &str| json!({"userId": user, "name": name, "ts": ts, "properties": {"country": country}});
    let events = json!([
        event("u1", "search", "2026-02-20T10:00:00Z", "PT"),
        event("u1", "book", "2026-02-20T11:00:00Z", "PT"),
        event("u2", "search", "2026-02-21T10:00:00Z", "NO"),
    ]);
    store.ingest(&Principal::owner(), &events).unwrap();
    store
}

/// What a widget is answered over the last ten days.
fn answered(
    store: &Analytics,
    kind: &str,
    visualization: &str,
    source: &str,
    mut config: Value,
) -> Value {
    config["last"] = json!("10d");
    let widget = json!({"type": kind, "title": "t", "dataSource": source, "visualization": visualization, "config": config});
    let me = admin("me");
    let made = store
        .create_dashboard(&me, &json!({"name": "n", "widgets": [widget]}))
        .unwrap();
    let data = store
        .dashboard_data(&me, &made.id.to_string(), &json!({}))
        .unwrap();
    let one = serde_json::to_value(&data[0]).unwrap();
    match one.get("error") {
        Some(error) => error.clone(),
        None => one["data"].clone(),
    }
}

#[test]
fn widgets_are_answered_from_every_source() {
    let store = platform();
    let metric = |source, config| {
        let found = answered(&store, "metric", "number", source, config);
        (
            found["value"].clone(),
            found["count"].clone(),
            found["previous"].clone(),
        )
    };
    assert_eq!(
        metric("bookings", json!({})),
        (json!(3), json!(3), json!(0))
    );
    assert_eq!(
        metric("bookings", json!({"status": "confirmed"})),
        (json!(2), json!(2), json!(0))
    );
    assert_eq!(
        metric("bookings", json!({"measure": "amount"})),
        (json!("500.00"), json!(3), json!("0.00"))
    );
    // 0.10 + 0.20 + 10 × 0.9 − 5 × 0.8.
    assert_eq!(
        metric("revenue", json!({})),
        (json!("5.30"), json!(4), json!("0.00"))
    );
    assert_eq!(
        metric("reviews", json!({})),
        (json!(4.0), json!(3), json!(null))
    );
    assert_eq!(metric("reviews", json!({"measure": "min"})).0, json!(3.0));
    assert_eq!(
        metric("performance", json!({"event": "api"})).0,
        json!(200.0)
    );
    assert_eq!(
        metric("performance", json!({"measure": "median", "event": "api"})).0,
        json!(200.0)
    );
    assert_eq!(
        metric("performance", json!({"measure": "p95", "event": "api"})).0,
        json!(290.0)
    );
    assert_eq!(
        metric("performance", json!({"measure": "max"})).0,
        json!(300.0)
    );
    assert_eq!(metric("trips", json!({})), (json!(3), json!(3), json!(3)));
    assert_eq!(
        metric("user_events", json!({"event": "search"})).0,
        json!(2)
    );

    let rows = |kind, visualization, source, config| {
        let found = answered(&store, kind, visualization, source, config);
        let rows = found["rows"]
            .as_array()
            .unwrap_or_else(|| panic!("{found}"))
            .iter();
        rows.map(|r| (r["group"].clone(), r["value"].clone()))
            .collect::<Vec<_>>()
    };
    let pair = |group: &str, value: Value| (json!(group), value);
    assert_eq!(
        rows("table", "table", "bookings", json!({})),
        [pair("confirmed", json!(2)), pair("cancelled", json!(1))]
    );
    assert_eq!(
        rows("map", "bubble", "revenue", json!({})),
        [pair("Oslo", json!("5.20")), pair("Lisbon", json!("0.10"))]
    );
    assert_eq!(
        rows("map", "bubble", "trips", json!({})),
        [pair("Oslo", json!(2)), pair("Lisbon", json!(1))]
    );
    assert_eq!(
        rows("map", "map", "user_events", json!({})),
        [pair("PT", json!(2)), pair("NO", json!(1))]
    );
    assert_eq!(
        rows(
            "table",
            "table",
            "user_events",
            json!({"groupBy": "properties.country", "limit": 1})
        ),
        [pair("PT", json!(2))]
    );
    assert_eq!(
        rows(
            "table",
            "table",
            "reviews",
            json!({"groupBy": "destination"})
        ),
        [pair("Lisbon", json!(5.0)), pair("Oslo", json!(3.5))]
    );
    assert_eq!(
        rows("table", "table", "performance", json!({"measure": "count"})),
        [pair("api", json!(3)), pair("db", json!(1))]
    );

    let chart = answered(
        &store,
        "chart",
        "line",
        "bookings",
        json!({"timezone": "Europe/Paris"}),
    );
    let values = chart["series"][0]["values"].as_array().unwrap();
    let starts: Vec<&str> = chart["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["start"].as_str().unwrap())
        .collect();
    assert_eq!(starts[0], "2026-02-18T23:00:00.000Z");
    // From the 19th: one on the 20th, one on the 21st, and one that is late on the 21st in UTC and on the 22nd in Paris.
    assert_eq!(
        values[..5],
        [json!(0), json!(1), json!(1), json!(1), json!(0)]
    );
    assert_eq!(values.len(), starts.len());
    let grouped = answered(
        &store,
        "chart",
        "line",
        "revenue",
        json!({"groupBy": "status", "interval": "week"}),
    );
    let names: Vec<&str> = grouped["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["group"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["paid", "refunded"]);

    let funnel = answered(
        &store,
        "funnel",
        "funnel",
        "user_events",
        json!({"steps": ["search", "book"], "window": "1d"}),
    );
    assert_eq!(
        (&funnel["kind"], &funnel["entered"]),
        (&json!("funnel"), &json!(2))
    );
    let live = answered(
        &store,
        "metric",
        "number",
        "user_events",
        json!({"metric": "active_users", "timeRange": "last_hour"}),
    );
    assert_eq!(
        (&live["kind"], &live["metricName"]),
        (&json!("realtime"), &json!("active_users"))
    );
}

#[test]
fn a_widget_that_cannot_be_answered_says_why() {
    let store = platform();
    let code = |kind, visualization, source, config: Value| {
        let found = answered(&store, kind, visualization, source, config);
        let field = found["errors"][0]["field"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (found["code"].as_str().unwrap_or_default().to_owned(), field)
    };
    let wrong = |field: &str| ("validation_failed".to_owned(), field.to_owned());
    assert_eq!(
        code(
            "metric",
            "number",
            "user_events",
            json!({"metric": "happiness"})
        ),
        wrong("config.metric")
    );
    assert_eq!(
        code("metric", "number", "reviews", json!({"measure": "amount"})),
        wrong("config.measure")
    );
    assert_eq!(
        code("table", "table", "trips", json!({"groupBy": "status"})),
        wrong("config.groupBy")
    );
    assert_eq!(
        code(
            "table",
            "table",
            "trips",
            json!({"groupBy": "properties.a\"b"})
        ),
        wrong("config.groupBy")
    );
    assert_eq!(
        code(
            "funnel",
            "funnel",
            "user_events",
            json!({"steps": ["a"], "order": "none"})
        )
        .0,
        "validation_failed"
    );
}

/// The data of one widget over the last ten days, narrowed to what `filters` say.
fn narrowed(store: &Analytics, widget: Value, filters: Value) -> Value {
    let me = admin("me");
    let made = store
        .create_dashboard(&me, &json!({"name": "n", "widgets": [widget]}))
        .unwrap();
    let data = store
        .dashboard_data(&me, &made.id.to_string(), &json!({ "filters": filters }))
        .unwrap();
    serde_json::to_value(&data[0]).unwrap()
}

#[test]
fn filters_mean_the_same_events_for_every_widget_and_compare_what_values_are() {
    let store = store();
    let values = json!([10, 10, "10", true, true, true, "true", 10.5, 1e3]);
    let mut events: Vec<Value> = Vec::new();
    for (n, value) in values.as_array().unwrap().iter().enumerate() {
        events.push(json!({"userId": format!("u{n}"), "name": "search", "ts": format!("2026-02-20T10:00:{n:02}Z"),
            "properties": {"n": value, "a\"b": "q", "x/y": "z"}}));
    }
    store.ingest(&Principal::owner(), &json!(events)).unwrap();
    let number = json!({"type": "metric", "title": "t", "dataSource": "user_events", "visualization": "number",
        "config": {"event": "search", "last": "10d"}});
    let funnel = json!({"type": "funnel", "title": "t", "dataSource": "user_events", "visualization": "funnel",
        "config": {"steps": ["search"], "last": "10d"}});
    let table = [
        ("n", json!(10), 2),
        ("n", json!(10.0), 2),
        ("n", json!("10"), 1),
        ("n", json!(true), 3),
        ("n", json!("true"), 1),
        ("n", json!(10.5), 1),
        ("n", json!(1000), 1),
        ("n", json!("10.5"), 0),
        ("a\"b", json!("q"), 9),
        ("ab", json!("q"), 0),
        ("x/y", json!("z"), 9),
    ];
    for (property, value, count) in table {
        let filters = json!([{"property": property, "value": value}]);
        let said = narrowed(&store, number.clone(), filters.clone());
        assert_eq!(said["data"]["count"], count, "{filters}: {said}");
        let said = narrowed(&store, funnel.clone(), filters.clone());
        assert_eq!(said["data"]["entered"], count, "{filters}: {said}");
    }
}

#[test]
fn what_a_configuration_holds_beside_the_question_breaks_no_widget() {
    let store = platform();
    let config = json!({"steps": ["search", "book"], "color": "red", "my": {"k": [1]}});
    let found = answered(&store, "funnel", "funnel", "user_events", config);
    assert_eq!(found["kind"], "funnel", "{found}");
    // What is wrong with the question itself is still said.
    let config = json!({"steps": ["search", "book"], "color": "red", "window": "7d", "order": 7});
    let found = answered(&store, "funnel", "funnel", "user_events", config);
    let wrong: Vec<&Value> = found["errors"].as_array().unwrap().iter().collect();
    assert_eq!((wrong.len(), &wrong[0]["field"]), (1, &json!("order")));
}

#[test]
fn parts_of_a_whole_are_of_the_whole_range_and_of_what_is_in_it() {
    let store = platform();
    for way in ["pie", "donut_chart"] {
        let config = json!({"groupBy": "status", "interval": "day"});
        let found = answered(&store, "chart", way, "bookings", config);
        assert_eq!(found["buckets"].as_array().unwrap().len(), 1, "{found}");
        assert_eq!(
            found["series"][0],
            json!({"group": "confirmed", "values": [2]})
        );
    }
    // A trip without a time is in no bucket of a chart.
    let found = answered(
        &store,
        "chart",
        "line",
        "trips",
        json!({"groupBy": "destination"}),
    );
    assert_eq!((&found["series"], &found["total"]), (&json!([]), &json!(0)));
}

#[test]
fn the_record_says_what_became_of_a_question_for_data() {
    let store = platform();
    let me = admin("me");
    let made = store
        .create_dashboard(&me, &json!({"name": "n", "widgets": [widget()]}))
        .unwrap();
    let id = made.id.to_string();
    store.dashboard_data(&me, &id, &json!({})).unwrap();
    let wrong = json!({"startDate": "2026-02-10", "endDate": "2026-02-01"});
    store.dashboard_data(&me, &id, &wrong).unwrap_err();
    store
        .dashboard_data(&Principal::new("v", "viewer"), &id, &json!({}))
        .unwrap_err();
    let record = store
        .audit(&admin("boss"), &json!({"action": "dashboard.data"}))
        .unwrap();
    let said: Vec<String> = record
        .entries
        .iter()
        .map(|e| format!("{} {}", e.who, e.outcome))
        .collect();
    assert_eq!(said, ["v refused", "me failed", "me allowed"]);
}

#[test]
fn a_search_finds_every_part_of_a_name_whatever_its_case() {
    let store = store();
    let me = admin("me");
    for name in ["ΟΔΟΣΣΕΙΑ", "ΟΔΟΣ", "Istanbul İ"] {
        store
            .create_dashboard(&me, &json!({"name": name, "widgets": [widget()]}))
            .unwrap();
    }
    let found = |search: &str| {
        store
            .dashboards(&me, &json!({ "search": search }))
            .unwrap()
            .total
    };
    for (search, count) in [
        ("ΟΔΟΣ", 2),
        ("ΟΔΟΣΣ", 1),
        ("οδοσ", 2),
        ("οδος", 2),
        ("i̇", 1),
        ("l İ", 1),
    ] {
        assert_eq!(found(search), count, "{search}");
    }
}
