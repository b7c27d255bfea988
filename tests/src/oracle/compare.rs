//! Compares an answer with the oracle's, number by number.

use serde_json::Value;

/// Fields of an answer that say where it comes from and are no numbers of a rule.
const PROVENANCE: [&str; 5] = [
    "_id",
    "resultHash",
    "dataVersion",
    "identityVersion",
    "tzdb",
];

/// Whether an answer has exactly the fields and numbers that the oracle expects, apart from its provenance.
///
/// Whole numbers, texts and nulls must be equal; fractions may differ by rounding, 1e-12 of their size.
///
/// # Errors
/// Every place where they differ, one a line.
pub fn same(expected: &Value, actual: &Value) -> Result<(), String> {
    let mut differences = Vec::new();
    walk("", expected, actual, &mut differences);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("\n"))
    }
}

fn walk(at: &str, expected: &Value, actual: &Value, differences: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(e), Value::Object(a)) => {
            for (name, value) in e {
                match a.get(name) {
                    Some(other) => walk(&format!("{at}.{name}"), value, other, differences),
                    None => {
                        differences.push(format!("{at}.{name}: missing, the oracle says {value}"))
                    }
                }
            }
            for name in a
                .keys()
                .filter(|n| !e.contains_key(*n) && !PROVENANCE.contains(&n.as_str()))
            {
                differences.push(format!("{at}.{name}: a field the oracle does not know"));
            }
        }
        (Value::Array(e), Value::Array(a)) if e.len() == a.len() => {
            for (i, (value, other)) in e.iter().zip(a).enumerate() {
                walk(&format!("{at}[{i}]"), value, other, differences);
            }
        }
        (Value::Number(e), Value::Number(a)) if close(e, a) => {}
        (e, a) if e == a => {}
        (e, a) => differences.push(format!("{at}: the oracle says {e}, the answer {a}")),
    }
}

fn close(expected: &serde_json::Number, actual: &serde_json::Number) -> bool {
    if let (Some(e), Some(a)) = (expected.as_i64(), actual.as_i64()) {
        return e == a;
    }
    match (expected.as_f64(), actual.as_f64()) {
        (Some(e), Some(a)) => (e - a).abs() <= 1e-12 * e.abs().max(1.0),
        _ => false,
    }
}
