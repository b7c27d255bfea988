//! The schemas of alerts and notifications: what is sent, and what is answered.

use serde_json::{Value, json};

use super::requests::WEEKDAYS;
use super::schema::{
    about, closed, count, default, instant, integer, list, named, nullable, number, object, one_of,
    open, plain, text, text_of, truth,
};

const PHASES: [&str; 4] = ["ok", "pending", "firing", "resolved"];
const METRICS: [&str; 6] = [
    "active_users",
    "page_views",
    "events_per_second",
    "conversion_rate",
    "error_rate",
    "revenue_per_minute",
];

/// By name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("AlertDraft", draft(true)),
        (
            "AlertPatch",
            about(
                draft(false),
                "What is absent stays as it is; something must change.",
            ),
        ),
        ("AlertSource", source()),
        ("AlertCondition", condition()),
        ("AlertSchedule", schedule()),
        ("AlertChannel", channel()),
        ("AlertMaintenance", maintenance()),
        ("AlertSilence", silence()),
        ("Alert", alert()),
        (
            "AlertEvent",
            object([
                ("at", about(instant(), "The instant of the evaluation.")),
                (
                    "event",
                    about(
                        text(),
                        "A phase that was entered, `notified`, `closed`, `unheard` or `error`.",
                    ),
                ),
                ("details", open()),
            ]),
        ),
        (
            "AlertTest",
            object([
                ("reading", open()),
                (
                    "verdict",
                    one_of(&["breach", "clear", "between", "unknown"]),
                ),
                ("messages", count()),
            ]),
        ),
        (
            "Notification",
            object([
                ("_id", text()),
                ("title", text()),
                ("body", open()),
                ("createdAt", instant()),
                ("read", truth()),
            ]),
        ),
        (
            "Delivery",
            object([
                ("_id", text()),
                ("channel", open()),
                ("title", text()),
                ("body", open()),
                ("createdAt", instant()),
                ("state", one_of(&["waiting", "sent", "dead"])),
                ("attempts", count()),
                ("nextAt", nullable(instant())),
                ("error?", about(text(), "Why the last attempt failed.")),
            ]),
        ),
    ]
}

/// One line of text.
fn line(least: usize, most: usize) -> Value {
    json!({ "type": "string", "minLength": least, "maxLength": most, "pattern": "^[ -~]*[!-~][ -~]*$" })
}

fn draft(whole: bool) -> Value {
    let of = |name: &'static str| match (whole, name) {
        (true, name) => name,
        (false, "name") => "name?",
        (false, "source") => "source?",
        (false, _) => "condition?",
    };
    let times = || integer(1, 1_000);
    let many = |name: &str| json!({ "type": "array", "items": named(name), "maxItems": 20 });
    let mut schema = closed([
        (of("name"), line(1, 100)),
        (of("source"), named("AlertSource")),
        (of("condition"), named("AlertCondition")),
        (
            "severity?",
            default(one_of(&["info", "warning", "critical"]), "warning".into()),
        ),
        ("schedule?", named("AlertSchedule")),
        (
            "for?",
            about(times(), "So many evaluations in a row must find it."),
        ),
        (
            "clearFor?",
            about(times(), "So many in a row must find it clear."),
        ),
        (
            "coolDown?",
            about(within(604_800), "For so long the incident may come back."),
        ),
        (
            "group?",
            json!({ "type": "string", "maxLength": 100, "pattern": "^[ -~]*$" }),
        ),
        ("channels?", many("AlertChannel")),
        ("maintenance?", many("AlertMaintenance")),
        ("enabled?", truth()),
    ]);
    if !whole {
        schema["minProperties"] = 1.into();
        // Null is no change.
        schema["properties"]["source"] = named("AlertSource");
        schema["properties"]["condition"] = named("AlertCondition");
    }
    schema
}

/// A length of time of at most so many seconds.
fn within(seconds: u32) -> Value {
    let short = json!({ "type": "string", "pattern": "^[0-9]{1,2}(s|m|h)$" });
    json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": seconds }, short] })
}

fn source() -> Value {
    let pointer = || json!({ "type": "string", "pattern": "^/[!-~]{0,100}$" });
    let ranges = ["last_5_minutes", "last_15_minutes", "last_hour"];
    let metric = closed([
        ("metric", one_of(&METRICS)),
        (
            "timeRange?",
            default(one_of(&ranges), "last_5_minutes".into()),
        ),
    ]);
    let answer = closed([
        ("word", line(1, 50)),
        ("question", named("Question")),
        (
            "lastDays?",
            about(
                integer(1, 730),
                "Over so many complete days before the evaluation.",
            ),
        ),
        (
            "value",
            about(
                pointer(),
                "Where the number is, or `seconds` for how long the answer took.",
            ),
        ),
        ("low?", pointer()),
        ("high?", pointer()),
    ]);
    let systems = ["freshness", "export_failures", "failures"];
    let system = closed([("system", one_of(&systems))]);
    json!({ "oneOf": [metric, answer, system] })
}

fn condition() -> Value {
    let kind = |name: &str| ("type", json!({ "const": name }));
    let none = || json!({ "type": "null" });
    let direction = || default(one_of(&["up", "down", "either"]), "either".into());
    json!({
        "description": "An anomaly is found in a metric; a band needs a source with `low` or `high`; what is counted of travelsense itself \
            is compared with a threshold.",
        "oneOf": [
            closed([kind("threshold"), ("above", number()), ("below?", none()), ("recover?", number())]),
            closed([kind("threshold"), ("above?", none()), ("below", number()), ("recover?", number())]),
            closed([kind("threshold"), ("above", number()), ("below", number()), ("recover?", none())]),
            closed([
                kind("change"),
                ("by", json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000 })),
                ("direction?", direction()),
                ("against?", default(one_of(&["previous", "week_before"]), "previous".into())),
            ]),
            closed([kind("anomaly"), ("direction?", direction())]),
            closed([kind("band")]),
            closed([kind("no_data")]),
        ],
    })
}

fn clock() -> Value {
    json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })
}

fn days() -> Value {
    json!({ "type": "array", "items": one_of(&WEEKDAYS), "minItems": 1 })
}

fn schedule() -> Value {
    let every = json!({
        "description": "Whole minutes, up to a day.",
        "anyOf": [
            { "type": "integer", "minimum": 60, "maximum": 86_400, "multipleOf": 60 },
            { "type": "string", "pattern": "^([1-9][0-9]?m|[1-9]h|1[0-9]h|2[0-4]h|1d)$" },
        ],
    });
    let each = closed([("every", every), ("timezone?", named("TimeZone"))]);
    let at = closed([
        ("at", clock()),
        ("days?", days()),
        ("timezone?", named("TimeZone")),
    ]);
    json!({ "oneOf": [each, at], "description": "Every minute by default." })
}

fn maintenance() -> Value {
    closed([
        ("days?", days()),
        ("from", clock()),
        ("to", clock()),
        ("timezone?", named("TimeZone")),
    ])
}

fn channel() -> Value {
    let kind = |name: &str| ("type", json!({ "const": name }));
    let names = || json!({ "type": "array", "items": line(1, 200), "minItems": 1, "maxItems": 20 });
    let url = || json!({ "type": "string", "pattern": "^https?://[a-z0-9.-]{1,100}(/[a-z0-9/._-]{0,100})?$" });
    let address =
        json!({ "type": "string", "pattern": "^[a-z0-9._-]{1,60}@[a-z0-9-]{1,60}[.][a-z]{2,10}$" });
    let to = json!({ "type": "array", "items": address, "minItems": 1, "maxItems": 20 });
    json!({
        "oneOf": [
            closed([kind("in_app"), ("users", names())]),
            closed([kind("in_app"), ("roles", names())]),
            closed([kind("in_app"), ("users", names()), ("roles", names())]),
            closed([kind("webhook"), ("url", url())]),
            closed([kind("slack"), ("url", url())]),
            closed([kind("email"), ("to", to)]),
        ],
    })
}

fn silence() -> Value {
    let reason = || ("reason?", plain(0, 500));
    json!({
        "description": "`until` must be in the future; null ends a silence.",
        "oneOf": [
            closed([("for", within(86_400)), reason()]),
            closed([("until", nullable(instant())), reason()]),
        ],
    })
}

fn alert() -> Value {
    let mut told = object([
        ("_id", named("ObjectId")),
        ("name", text_of(1, 100)),
        ("source", open()),
        ("condition", open()),
        ("severity", one_of(&["info", "warning", "critical"])),
        ("schedule", open()),
        ("for", count()),
        ("clearFor", count()),
        ("coolDown", about(count(), "In seconds.")),
        ("group", text()),
        (
            "channels",
            about(
                list(open()),
                "Only their types for those who may not manage alerts.",
            ),
        ),
        ("maintenance", list(open())),
        ("enabled", truth()),
        ("ownerId", text()),
        ("createdAt", instant()),
        ("updatedAt", instant()),
        ("revision", count()),
        ("phase", one_of(&PHASES)),
        ("evaluatedAt", nullable(instant())),
        ("incident", nullable(open())),
        ("silencedUntil", nullable(instant())),
        ("silence", nullable(text())),
        ("reading", nullable(open())),
    ]);
    told["description"] = "A rule, and where it stands.".into();
    told
}
