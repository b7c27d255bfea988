//! The small models of `tests/data/models`, whole and damaged. The Python tests hold large ones to their libraries.

use serde_json::Value;

use super::*;

const FILES: [(&str, &[u8]); 4] = [
    (
        "churn.onnx",
        include_bytes!("../../../tests/data/models/churn.onnx"),
    ),
    (
        "churn.json",
        include_bytes!("../../../tests/data/models/churn.json"),
    ),
    (
        "churn.ubj",
        include_bytes!("../../../tests/data/models/churn.ubj"),
    ),
    (
        "visits.txt",
        include_bytes!("../../../tests/data/models/visits.txt"),
    ),
];

const EXPECTED: &str = include_str!("../../../tests/data/models/expected.json");

fn column(values: &Value) -> Column {
    let values = values.as_array().unwrap();
    if values.iter().any(Value::is_string) {
        return Column::Texts(
            values
                .iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect(),
        );
    }
    Column::Numbers(
        values
            .iter()
            .map(|v| v.as_f64().unwrap_or(f64::NAN))
            .collect(),
    )
}

fn frame(columns: &Value) -> Frame {
    let columns = columns.as_object().unwrap().iter();
    Frame {
        columns: columns
            .map(|(name, values)| (name.clone(), column(values)))
            .collect(),
    }
}

fn read(bytes: &[u8]) -> Result<Model> {
    Model::read(bytes, None, None, None)
}

fn bytes(name: &str) -> &'static [u8] {
    FILES.iter().find(|(known, _)| *known == name).unwrap().1
}

fn code(error: &Error) -> &'static str {
    error
        .field_errors()
        .first()
        .map_or(error.code(), |f| f.code)
}

#[test]
fn rows_are_scored_as_by_the_libraries() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let rows = frame(&expected["rows"]);
    for (name, bytes) in FILES {
        let scored = read(bytes).unwrap().score(&rows, &|| Ok(())).unwrap();
        let own = &expected[name.replace("ubj", "json")];
        for (name, want) in frame(own).columns {
            match (scored.column(&name).unwrap(), want) {
                (Column::Numbers(got), Column::Numbers(want)) => {
                    for (got, want) in got.iter().zip(want) {
                        assert!((got - want).abs() < 2e-7, "{name}: {got} {want}");
                    }
                }
                (got, want) => assert_eq!(*got, want),
            }
        }
    }
}

#[test]
fn names_of_features_and_classes_may_be_given() {
    let names = ["a", "b", "c"].map(str::to_owned);
    let classes = ["1", "0"].map(str::to_owned);
    let model = Model::read(bytes("churn.json"), None, Some(&names), Some(&classes)).unwrap();
    assert_eq!(
        model.schema().outputs,
        ["label", "probability_1", "probability_0"]
    );
    let error = model.score(&Frame::default(), &|| Ok(())).unwrap_err();
    let faults: Vec<&str> = error
        .field_errors()
        .iter()
        .map(|f| f.field.as_str())
        .collect();
    assert_eq!(faults, ["rows.a", "rows.b", "rows.c"]);
    let two = ["a", "a", "c"].map(str::to_owned);
    let refused = |names: &[String]| {
        code(&Model::read(bytes("churn.json"), None, Some(names), None).unwrap_err())
    };
    assert_eq!(refused(&two), "duplicate");
    assert_eq!(refused(&two[1..]), "different_length");
}

#[test]
fn what_is_not_supported_is_named() {
    let text = String::from_utf8(bytes("churn.json").to_vec()).unwrap();
    let changed = [
        (
            text.replace("binary:logistic", "binary:own"),
            "the objective `binary:own`",
        ),
        (
            text.replace("\"gbtree\"", "\"gblinear\""),
            "the booster `gblinear`",
        ),
    ];
    for (changed, what) in changed {
        let error = read(changed.as_bytes()).unwrap_err();
        assert_eq!(code(&error), "unsupported_model");
        assert!(error.message().contains(what), "{error}");
    }
    // Names of one length leave the lengths in the file as they are.
    let mut other = bytes("churn.onnx").to_vec();
    for at in 0..other.len() - 13 {
        if other[at..].starts_with(b"OneHotEncoder") {
            other[at..at + 13].copy_from_slice(b"OneColdKnower");
        }
    }
    let error = read(&other).unwrap_err();
    assert_eq!(code(&error), "unsupported_operator");
    assert!(
        error.message().contains("`ai.onnx.ml.OneColdKnower`"),
        "{error}"
    );
    let text = String::from_utf8(bytes("visits.txt").to_vec()).unwrap();
    let error = read(text.replace("is_linear=0", "is_linear=1").as_bytes()).unwrap_err();
    assert!(error.message().contains("linear trees"), "{error}");
}

#[test]
fn what_is_no_model_is_malformed() {
    let table: [&[u8]; 6] = [b"", b"{}", b"tree\n", b"\x08\x01", b"{L", b"null"];
    for bytes in table {
        let error = read(bytes).unwrap_err();
        assert_eq!(code(&error), "malformed_model", "{bytes:?}");
    }
    assert_eq!(
        code(&read(&vec![0; MOST_BYTES + 1]).unwrap_err()),
        "too_large"
    );
}

#[test]
fn a_tree_with_a_loop_is_refused() {
    let text = String::from_utf8(bytes("churn.json").to_vec()).unwrap();
    let mut model: Value = serde_json::from_str(&text).unwrap();
    let tree = &mut model["learner"]["gradient_booster"]["model"]["trees"][0];
    tree["left_children"][1] = Value::from(0);
    let error = read(model.to_string().as_bytes()).unwrap_err();
    assert!(error.message().contains("twice"), "{error}");
}

#[test]
fn a_graph_that_doubles_its_rows_without_end_is_stopped() {
    // Field `tag` of a message, with its length before it.
    fn part(tag: u8, inner: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag << 3 | 2];
        let mut n = inner.len();
        while n > 127 {
            bytes.push((n & 127 | 128) as u8);
            n >>= 7;
        }
        bytes.push(n as u8);
        bytes.extend_from_slice(inner);
        bytes
    }
    fn value(tag: u8, name: &str) -> Vec<u8> {
        let side = |inner: &[u8]| part(1, inner);
        let shape = [side(&part(2, b"N")), side(&[8, 1])].concat();
        let tensor = [vec![8, 1], part(2, &shape)].concat();
        part(
            tag,
            &[part(1, name.as_bytes()), part(2, &part(1, &tensor))].concat(),
        )
    }
    let mut graph = value(11, "x0");
    for i in 0..40 {
        let axis = [part(1, b"axis"), vec![3 << 3, 1]].concat();
        let name = format!("x{i}");
        let node = [
            part(1, name.as_bytes()),
            part(1, name.as_bytes()),
            part(2, format!("x{}", i + 1).as_bytes()),
            part(4, b"Concat"),
            part(5, &axis),
        ];
        graph.extend(part(1, &node.concat()));
    }
    graph.extend(value(12, "x40"));
    let file = [part(7, &graph), part(8, &[16, 13])].concat();
    let model = read(&file).unwrap();
    let rows = Frame {
        columns: vec![("x0".to_owned(), Column::Numbers(vec![1.0]))],
    };
    let error = model.score(&rows, &|| Ok(())).unwrap_err();
    assert_eq!(code(&error), "too_large");
}

#[test]
fn damaged_files_are_refused_or_scored_but_never_panic() {
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    let rows = frame(&expected["rows"]);
    let attempt = |bytes: &[u8]| {
        if let Ok(model) = read(bytes) {
            let _ = model.score(&rows, &|| Ok(()));
        }
    };
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chance = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    for (_, bytes) in FILES {
        for cut in (0..bytes.len()).step_by(bytes.len() / 150 + 1) {
            attempt(&bytes[..cut]);
        }
        for _ in 0..600 {
            let mut damaged = bytes.to_vec();
            for _ in 0..=chance(3) {
                let at = chance(damaged.len());
                damaged[at] = match chance(4) {
                    0 => 0,
                    1 => 255,
                    2 => damaged[at] ^ 1 << chance(8),
                    _ => chance(256) as u8,
                };
            }
            attempt(&damaged);
        }
    }
}
