//! Rules with odd things in any place.

use super::*;

/// Where every value of a form is, the form itself too.
fn places(form: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match form {
        Value::Object(fields) => {
            for (name, value) in fields {
                places(value, &format!("{at}/{name}"), all);
            }
        }
        Value::Array(values) => {
            for (i, value) in values.iter().enumerate() {
                places(value, &format!("{at}/{i}"), all);
            }
        }
        _ => {}
    }
}

#[test]
fn whatever_stands_anywhere_in_a_rule_it_is_refused_or_kept_as_it_was_read() {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(60),
        json!(1e308),
        json!(-1e308),
        json!(5e-324),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("/"),
        json!("seconds"),
        json!("24:00"),
        json!("1d"),
        json!("99999999999999999999d"),
        json!("Europe/Paris"),
        json!("Mars"),
        json!("a\0b"),
        json!("\u{1f600}".repeat(100)),
        json!("x".repeat(30_000)),
        json!([]),
        json!([null]),
        json!(["monday", "monday"]),
        json!({}),
        json!({ "type": "change", "by": 1e-300, "against": "week_before" }),
        json!({ "type": "threshold", "above": 1e308, "below": -1e308 }),
        json!({ "system": "freshness", "source": "é" }),
        json!({ "every": 60.0 }),
        json!({ "every": "24h", "timezone": "Pacific/Apia" }),
        json!([{ "type": "in_app", "users": ["x"], "roles": [] }]),
    ];
    let mut forms = vec![whole()];
    for source in [
        json!({ "metric": "page_views", "timeRange": "last_hour" }),
        json!({ "system": "freshness", "source": "app" }),
    ] {
        let mut form = whole();
        form["source"] = source;
        forms.push(form);
    }
    let (mut kept, mut refused) = (0, 0);
    for form in forms {
        let mut all = Vec::new();
        places(&form, "", &mut all);
        for (place, value) in all.iter().flat_map(|p| odd.iter().map(move |v| (p, v))) {
            let mut changed = form.clone();
            *changed.pointer_mut(place).unwrap() = value.clone();
            match Rule::parse(&changed) {
                Ok(rule) => {
                    kept += 1;
                    let again = Rule::parse(&rule.json());
                    assert_eq!(again.ok().as_ref(), Some(&rule), "{place}: {value}");
                    // And whatever it is, it can be judged, and told.
                    for number in [0.0, -0.0, 1e308, f64::MIN_POSITIVE] {
                        let reading = Reading {
                            value: Some(number),
                            before: Some(-number),
                            ..Reading::default()
                        };
                        rule.condition.judge(&reading);
                        assert!(rule.sentence(&reading).starts_with(&rule.name));
                    }
                    let now = instant("2026-03-29T01:30:00Z");
                    rule.schedule.due(now).unwrap();
                    assert!(rule.schedule.before(now) < now);
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.field_errors().is_empty(), "{place}: {value}");
                }
            }
        }
    }
    assert!(kept > 100 && refused > 1_000, "{kept} {refused}");
}
