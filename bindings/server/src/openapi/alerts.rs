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
    let (sources, conditions) = (sources(), conditions());
    let mut schemas = vec![
        ("AlertDraft", draft()),
        ("AlertPatch", patch()),
        ("AlertSource", any_of(&sources)),
        ("AlertCondition", any_of(&conditions)),
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
    ];
    schemas.extend(sources);
    schemas.extend(conditions);
    schemas
}

/// One line of text.
fn line(least: usize, most: usize) -> Value {
    json!({
        "type": "string", "minLength": least, "maxLength": most, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    })
}

/// A rule to be made: its condition goes with what it looks at.
fn draft() -> Value {
    let sources = [
        ("AlertMetric", "AlertMetricCondition"),
        ("AlertAnswer", "AlertAnswerCondition"),
        ("AlertEstimate", "AlertEstimateCondition"),
        ("AlertSystem", "AlertSystemCondition"),
    ];
    let of = |(source, condition)| {
        let mut fields = vec![
            ("name", line(1, 100)),
            ("source", named(source)),
            ("condition", named(condition)),
        ];
        fields.extend(more());
        closed(fields)
    };
    json!({ "anyOf": sources.map(of) })
}

/// Changes to a rule.
fn patch() -> Value {
    let mut fields = vec![
        ("name?", line(1, 100)),
        ("source?", named("AlertSource")),
        ("condition?", named("AlertCondition")),
    ];
    fields.extend(more());
    about(
        closed(fields),
        "What is absent stays as it is; the condition must go with the source.",
    )
}

/// What every rule may say.
fn more() -> [(&'static str, Value); 9] {
    let times = || integer(1, 1_000);
    let many = |name: &str| json!({ "type": "array", "items": named(name), "maxItems": 20 });
    [
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
        ("group?", line(0, 100)),
        ("channels?", many("AlertChannel")),
        ("maintenance?", many("AlertMaintenance")),
        ("enabled?", truth()),
    ]
}

/// A length of time of at most so many seconds: whole seconds, or a number with its unit.
fn within(seconds: u32) -> Value {
    let units = [
        ("s", 1),
        ("m", 60),
        ("h", 3_600),
        ("d", 86_400),
        ("w", 604_800),
    ];
    let longest = |(unit, length): (&str, u32)| {
        // As many digits as cannot be too many.
        let digits = (seconds / length + 1).ilog10();
        (digits > 0).then(|| format!("[0-9]{{1,{digits}}}{unit}"))
    };
    let lengths: Vec<String> = units.into_iter().filter_map(longest).collect();
    json!({ "anyOf": [
        { "type": "integer", "minimum": 0, "maximum": seconds },
        { "type": "string", "pattern": format!("^({})$", lengths.join("|")) },
    ] })
}

/// What a rule looks at: its name among the schemas, and its schema.
fn sources() -> [(&'static str, Value); 4] {
    let ranges = ["last_5_minutes", "last_15_minutes", "last_hour"];
    let metric = closed([
        ("metric", one_of(&METRICS)),
        (
            "timeRange?",
            default(one_of(&ranges), "last_5_minutes".into()),
        ),
    ]);
    // Null is as if it were not there.
    let nothing = || json!({ "type": "null" });
    let source = about(
        line(1, 100),
        "Whose events count, by the name that `events/status` has; those of all sources by default.",
    );
    let system = json!({ "anyOf": [
        closed([("system", json!({ "const": "freshness" })), ("source?", source)]),
        closed([("system", one_of(&["export_failures", "failures"])), ("source?", nothing())]),
    ] });
    let bounds = [("low?", nothing()), ("high?", nothing())];
    let none = closed(answer().into_iter().chain(bounds));
    let some = json!({ "anyOf": [
        closed(answer().into_iter().chain([("low", pointer()), ("high?", pointer())])),
        closed(answer().into_iter().chain([("low?", nothing()), ("high", pointer())])),
    ] });
    [
        ("AlertMetric", metric),
        ("AlertAnswer", none),
        (
            "AlertEstimate",
            about(
                some,
                "A number and where the bounds are that it may lie within.",
            ),
        ),
        ("AlertSystem", system),
    ]
}

/// A number in the answer of a word.
fn answer() -> [(&'static str, Value); 4] {
    [
        ("word", one_of(&travelsense::analytics::words())),
        ("question", named("Question")),
        (
            "lastDays?",
            about(
                integer(1, 730),
                "Over so many complete days before the evaluation; of a funnel, unless only `/entered` or `/matured/…` is looked at, the last whose entries have had their whole window by then.",
            ),
        ),
        (
            "value",
            about(
                json!({ "anyOf": [pointer(), { "const": "seconds" }] }),
                "Where the number is, or `seconds` for how long the answer took.",
            ),
        ),
    ]
}

/// A JSON pointer into an answer.
fn pointer() -> Value {
    json!({ "type": "string", "maxLength": 200, "pattern": "^/[^\\u0000-\\u001f\\u007f-\\u009f]*$" })
}

/// What is looked for in each of those: its name among the schemas, and its schema.
fn conditions() -> [(&'static str, Value); 4] {
    let kind = |name: &str| ("type", json!({ "const": name }));
    let none = || json!({ "type": "null" });
    let direction = || default(one_of(&["up", "down", "either"]), "either".into());
    let threshold = [
        closed([
            kind("threshold"),
            ("above", number()),
            ("below?", none()),
            ("recover?", number()),
        ]),
        closed([
            kind("threshold"),
            ("above?", none()),
            ("below", number()),
            ("recover?", number()),
        ]),
        closed([
            kind("threshold"),
            ("above", number()),
            ("below", number()),
            ("recover?", none()),
        ]),
    ];
    let earlier = || one_of(&["previous", "week_before"]);
    let change = closed([
        kind("change"),
        (
            "by",
            json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000 }),
        ),
        ("direction?", direction()),
        ("against?", default(earlier(), "previous".into())),
    ]);
    let anomaly = closed([kind("anomaly"), ("direction?", direction())]);
    let foretold = about(
        earlier(),
        "The same question at an earlier instant gives the interval, such as a forecast; without it the same answer does.",
    );
    let band = closed([kind("band"), ("against?", foretold)]);
    let silent = closed([kind("no_data")]);
    let any_of = |more: &[&Value]| {
        let all: Vec<&Value> = threshold
            .iter()
            .chain([&silent])
            .chain(more.iter().copied())
            .collect();
        about(
            json!({ "anyOf": all }),
            "A threshold is crossed above `above` or below `below`, and `recover` lies on the other side of it.",
        )
    };
    [
        ("AlertMetricCondition", any_of(&[&change, &anomaly])),
        ("AlertAnswerCondition", any_of(&[&change])),
        ("AlertEstimateCondition", any_of(&[&change, &band])),
        ("AlertSystemCondition", any_of(&[])),
    ]
}

/// Any of those.
fn any_of(schemas: &[(&'static str, Value)]) -> Value {
    json!({ "anyOf": schemas.iter().map(|(name, _)| named(name)).collect::<Vec<_>>() })
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
            { "type": "string", "pattern": "^([1-9][0-9]{0,2}m|[1-9]h|1[0-9]h|2[0-4]h|1d)$" },
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
    let names = |least| json!({ "type": "array", "items": line(1, 200), "minItems": least, "maxItems": 20 });
    let url = || json!({ "type": "string", "pattern": "^https?://[a-z0-9.-]{1,100}(/[a-z0-9/._-]{0,100})?$" });
    let address =
        json!({ "type": "string", "pattern": "^[a-z0-9._-]{1,60}@[a-z0-9-]{1,60}[.][a-z]{2,10}$" });
    let to = json!({ "type": "array", "items": address, "minItems": 1, "maxItems": 20 });
    json!({
        "anyOf": [
            closed([kind("in_app"), ("users", names(1)), ("roles?", names(0))]),
            closed([kind("in_app"), ("users?", names(0)), ("roles", names(1))]),
            closed([kind("webhook"), ("url", url())]),
            closed([kind("slack"), ("url", url())]),
            closed([kind("email"), ("to", to)]),
        ],
    })
}

fn silence() -> Value {
    let reason = || ("reason?", plain(0, 500));
    json!({
        "description": "`until` must be in the future; null ends a silence. Whoever was told of an incident that ended meanwhile is told so then.",
        "anyOf": [
            closed([("for", within(31_536_000)), ("until?", json!({ "type": "null" })), reason()]),
            closed([("for?", json!({ "type": "null" })), ("until", nullable(instant())), reason()]),
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
