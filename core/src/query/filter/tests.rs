//! What filters mean of each kind of value.

use serde_json::json;

use super::*;

fn holds(question: Value, said: Option<&str>) -> bool {
    let filter = filter(&question).unwrap();
    Test::new(&filter).holds(said)
}

#[test]
fn comparison_is_typed_unless_cast() {
    let ten = json!({"property": "p", "value": 10});
    assert!(holds(ten.clone(), Some("10")));
    assert!(holds(ten.clone(), Some("10.0")));
    assert!(!holds(ten.clone(), Some("\"10\"")));
    assert!(!holds(ten, None));
    let cast = |to| json!({"property": "p", "value": 10, "cast": to});
    assert!(holds(cast("number"), Some("\"10.00\"")));
    assert!(holds(cast("text"), Some("\"10\"")));
    assert!(!holds(cast("text"), Some("\"10.0\"")));
    assert!(holds(json!({"property": "p", "value": true}), Some("true")));
    assert!(!holds(json!({"property": "p", "value": 1}), Some("true")));
}

#[test]
fn a_filter_and_its_negation_part_all_values() {
    let said = [
        None,
        Some("null"),
        Some("1"),
        Some("1.5"),
        Some("\"\""),
        Some("\"Paris\""),
        Some("\"paris\""),
        Some("true"),
        Some("[1]"),
        Some("{\"a\":1}"),
    ];
    for (op, value) in [
        ("is", json!("Paris")),
        ("is", json!([1, "paris"])),
        ("contains", json!("ari")),
        ("matches", json!("^P")),
    ] {
        for said in said {
            let ask = |op: &str| holds(json!({"property": "p", "op": op, "value": value}), said);
            assert_ne!(
                ask(op),
                ask(&if op == "is" {
                    "is_not".to_owned()
                } else {
                    format!("not_{op}")
                })
            );
        }
    }
    for said in said {
        let ask = |op| holds(json!({"property": "p", "op": op}), said);
        assert_ne!(ask("exists"), ask("not_exists"));
    }
}

#[test]
fn order_is_of_numbers_or_of_texts_and_never_between_them() {
    let ask = |op, value: Value, said| {
        holds(
            json!({"property": "p", "op": op, "value": value}),
            Some(said),
        )
    };
    assert!(ask("lt", json!(10), "9"));
    assert!(!ask("lt", json!("10"), "\"9\""));
    assert!(!ask("lt", json!(10), "\"1\""));
    assert!(ask("gte", json!("2026-01-01"), "\"2026-01-01\""));
    assert!(ask("gt", json!(12345678901234567_u64), "12345678901234568"));
    assert!(!ask("lte", json!(0), "true"));
}

#[test]
fn case_counts_unless_it_is_ignored() {
    for op in ["is", "contains", "matches"] {
        let ask = |ignore| {
            holds(
                json!({"property": "p", "op": op, "value": "paris", "ignoreCase": ignore}),
                Some("\"PARIS\""),
            )
        };
        assert!(!ask(false), "{op}");
        assert!(ask(true), "{op}");
    }
}

#[test]
fn a_pattern_takes_linear_time_and_has_bounds() {
    // What makes engines that go back and forth take for ever.
    let text = format!("\"{}!\"", "a".repeat(100_000));
    let nested = json!({"property": "p", "op": "matches", "value": "^(a+)+$"});
    assert!(!holds(nested, Some(&text)));
    let long = json!({"property": "p", "op": "matches", "value": "a".repeat(1_000)});
    assert!(holds(long, Some(&text)));
    for wrong in [
        "a".repeat(1_001),
        "(a{1000}){1000}".to_owned(),
        r"\p{L}{500}".to_owned(),
        r"(?:\w{100}){100}".to_owned(),
        "(".repeat(900),
    ] {
        let faults = filter(&json!({"property": "p", "op": "matches", "value": wrong}));
        assert_eq!(faults.unwrap_err()[0].code(), "invalid_regex", "{wrong}");
    }
}

#[test]
fn what_is_wrong_has_a_code() {
    for (wrong, code) in [
        (json!("p"), "invalid_type"),
        (json!({"op": "is"}), "required"),
        (json!({"property": "p"}), "required"),
        (json!({"property": "p", "value": null}), "invalid_type"),
        (
            json!({"property": "p", "op": "like", "value": 1}),
            "not_in_list",
        ),
        (
            json!({"property": "p", "op": "exists", "value": 1}),
            "contradiction",
        ),
        (
            json!({"property": "p", "op": "lt", "value": [1, 2]}),
            "invalid_type",
        ),
        (
            json!({"property": "p", "op": "lt", "value": true}),
            "invalid_type",
        ),
        (
            json!({"property": "p", "op": "contains", "value": 1}),
            "invalid_type",
        ),
        (
            json!({"property": "p", "op": "matches", "value": "("}),
            "invalid_regex",
        ),
        (
            json!({"property": "p", "op": "matches", "value": "(a{1000}){1000}"}),
            "invalid_regex",
        ),
        (
            json!({"property": "p", "value": 1, "cast": "date"}),
            "not_in_list",
        ),
        (
            json!({"property": "p", "value": 1, "not": 2}),
            "unknown_field",
        ),
        (
            json!({"property": {"users": "plan"}, "value": 1}),
            "invalid_type",
        ),
        (
            json!({"property": {"user": "plan", "at": "now"}, "value": 1}),
            "not_in_list",
        ),
    ] {
        let faults = filter(&wrong).unwrap_err();
        assert_eq!(faults[0].code(), code, "{wrong}");
    }
}
