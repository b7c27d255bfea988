//! The schemas of models and of feedback.

use serde_json::{Value, json};

use super::schema::{
    about, closed, count, instant, integer, list, named, nullable, number, object, one_of, open,
    plain, text,
};

/// By name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("Model", model()),
        ("ScoreQuestion", question()),
        (
            "Scores",
            object([
                ("model", text()),
                ("hash", text()),
                ("ids", list(text())),
                (
                    "predictions",
                    about(open(), "What it says, as columns by name."),
                ),
                ("run", text()),
            ]),
        ),
        (
            "FeedbackLog",
            object([("name", text()), ("runs", count()), ("latestAt", instant())]),
        ),
        (
            "Feedback",
            about(
                open(),
                "How good it was, drift and advice. In `scores` the bias is the mean of forecast less value.",
            ),
        ),
        (
            "Actuals",
            closed([
                ("uniqueId", nullable(list(id()))),
                ("ds", nullable(list(time()))),
                ("y", list(number())),
            ]),
        ),
        (
            "OutsidePredictions",
            closed([
                ("model", plain(1, 100)),
                ("measure", nullable(one_of(&["number", "probability"]))),
                ("uniqueId", nullable(list(id()))),
                ("ds", nullable(list(time()))),
                ("mean", list(number())),
                ("lower", nullable(list(number()))),
                ("upper", nullable(list(number()))),
                (
                    "level",
                    nullable(
                        json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100 }),
                    ),
                ),
            ]),
        ),
    ]
}

fn id() -> Value {
    json!({ "type": ["string", "integer"] })
}

fn time() -> Value {
    about(
        json!({ "type": ["string", "integer"] }),
        "An ISO 8601 date, with or without a time, or a whole number.",
    )
}

fn model() -> Value {
    let feature = object([
        ("name", text()),
        ("kind", one_of(&["number", "text"])),
        ("categories", list(json!({ "type": ["string", "number"] }))),
    ]);
    object([
        ("_id", named("ObjectId")),
        ("name", text()),
        ("version", integer(1, i64::from(i32::MAX))),
        ("description", text()),
        ("hash", about(text(), "The SHA-256 of its file.")),
        ("bytes", count()),
        ("format", one_of(&["onnx", "xgboost", "lightgbm"])),
        (
            "task",
            one_of(&["regression", "classification", "transformation"]),
        ),
        ("objective", text()),
        ("features", list(feature)),
        ("outputs", list(text())),
        ("classes", list(text())),
        (
            "size",
            object([
                ("trees", count()),
                ("nodes", count()),
                ("operators", count()),
            ]),
        ),
        ("ownerId", text()),
        ("createdAt", instant()),
    ])
}

fn question() -> Value {
    let columns = json!({
        "anyOf": [
            { "type": "object", "additionalProperties": { "type": "array" } },
            { "type": "array", "items": { "type": "object" } },
        ]
    });
    closed([
        (
            "rows",
            nullable(about(columns, "Columns by name, or a list of objects.")),
        ),
        (
            "users",
            nullable(about(open(), "The warehouse's users: a question of churn.")),
        ),
        ("ids", nullable(list(id()))),
        ("ds", nullable(named("Date"))),
        ("feedback", nullable(plain(1, 100))),
    ])
}
