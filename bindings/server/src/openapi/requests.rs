//! The schemas of requests: what they say is taken is taken, and what they exclude is refused. What a schema cannot say (that an end
//! comes after its start, that a date is not in the future) stands in its description.

use serde_json::{Map, Value, json};
use travelsense::dashboard::WidgetType;

use super::schema::{
    about, closed, default, instant, integer, list, named, nullable, one_of, open, plain, text,
    text_of, truth,
};

pub(crate) const SEGMENTS: [&str; 7] = [
    "all",
    "new",
    "returning",
    "active",
    "inactive",
    "premium",
    "free",
];
pub(crate) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
pub(super) const COHORT_PERIODS: [&str; 4] = ["hourly", "daily", "weekly", "monthly"];
pub(super) const TYPES: [&str; 5] = ["metric", "chart", "table", "map", "funnel"];
pub(super) const SOURCES: [&str; 6] = [
    "user_events",
    "trips",
    "bookings",
    "reviews",
    "revenue",
    "performance",
];
pub(super) const ACCESS: [&str; 2] = ["view", "edit"];
pub(super) const FORMATS: [&str; 4] = ["csv", "json", "xlsx", "pdf"];
pub(super) const METRICS: [&str; 7] = [
    "active_users",
    "page_views",
    "events_per_second",
    "conversion_rate",
    "error_rate",
    "revenue_per_minute",
    "retention_rate",
];
pub(super) const STATES: [&str; 4] = ["pending", "processing", "completed", "failed"];

/// By name.
pub(super) fn schemas() -> Map<String, Value> {
    let all = [
        ("Date", date()),
        ("TimeZone", zone()),
        ("Window", window()),
        (
            "Question",
            about(open(), "A question in its JSON form, as its word reads it."),
        ),
        ("Event", event()),
        ("Events", events()),
        (
            "QuarantineReplay",
            closed([("ids?", about(list(text()), "Only these; all without."))]),
        ),
        ("Widget", widget()),
        (
            "DashboardDraft",
            closed([
                ("name", plain(1, 100)),
                ("description?", plain(0, 500)),
                ("widgets", widgets()),
                ("isPublic?", default(truth(), false.into())),
            ]),
        ),
        (
            "DashboardPatch",
            about(
                closed([
                    ("name?", plain(1, 100)),
                    ("description?", plain(0, 500)),
                    ("widgets?", widgets()),
                    ("isPublic?", truth()),
                ]),
                "What is absent stays as it is.",
            ),
        ),
        (
            "TemplateDraft",
            about(
                closed([
                    ("name?", plain(1, 100)),
                    ("description?", plain(0, 500)),
                    ("isPublic?", default(truth(), false.into())),
                ]),
                "What is absent is the template's own.",
            ),
        ),
        ("Sharing", sharing()),
        ("ExportRequest", export()),
        ("CohortDefinition", definition()),
        ("Condition", condition()),
        ("PeopleRequest", people()),
        ("Revocation", revocation()),
        ("SessionRequest", session()),
    ];
    all.into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

/// A proof of who logs in.
fn session() -> Value {
    about(
        closed([
            ("token?", about(text_of(1, 8_192), "A token.")),
            ("code?", about(text_of(1, 100), "A code that logs in once.")),
        ]),
        "One of both.",
    )
}

/// A date with or without a time.
fn date() -> Value {
    json!({
        "description": "An ISO 8601 date, with or without a time and an offset, not in the future. A bare date means the whole day in \
            the zone of the question.",
        "type": "string",
        "anyOf": [{ "format": "date" }, { "format": "date-time" }],
    })
}

fn zone() -> Value {
    json!({ "type": "string", "format": "iana-time-zone", "description": "An IANA time zone.", "default": "UTC" })
}

/// A length of time.
fn window() -> Value {
    json!({
        "description": "A length of elapsed time of at most 100 years: seconds, or a number with its unit.",
        "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 3_155_760_000_u64 },
            { "type": "string", "pattern": "^([0-9]{1,4}(ms|s|m|h|d)|[0-9]{1,3}w)$" },
        ],
    })
}

fn widgets() -> Value {
    json!({ "type": "array", "items": named("Widget"), "minItems": 1, "maxItems": 20 })
}

/// A widget, by its type: each has ways of showing it and a configuration of its own.
fn widget() -> Value {
    let kinds = [
        WidgetType::Metric,
        WidgetType::Chart,
        WidgetType::Table,
        WidgetType::Map,
        WidgetType::Funnel,
    ];
    let of = |kind: WidgetType| {
        let mut known = vec![];
        match kind {
            WidgetType::Funnel => {
                let steps = json!({ "type": "array", "minItems": 1 });
                known.extend([("steps", steps), ("window", named("Window"))]);
            }
            _ => known.extend([
                (
                    "measure",
                    one_of(&["count", "amount", "average", "min", "max", "median", "p95"]),
                ),
                ("status", text_of(1, 200)),
                ("event", text_of(1, 200)),
            ]),
        }
        match kind {
            WidgetType::Metric => known.extend([
                ("metric", text_of(1, 200)),
                (
                    "timeRange",
                    one_of(&["last_5_minutes", "last_15_minutes", "last_hour"]),
                ),
            ]),
            WidgetType::Chart => known.push((
                "interval",
                one_of(&["day", "daily", "week", "weekly", "month", "monthly"]),
            )),
            _ => {}
        }
        if matches!(
            kind,
            WidgetType::Chart | WidgetType::Table | WidgetType::Map
        ) {
            known.extend([("groupBy", text_of(1, 200)), ("limit", integer(1, 1_000))]);
        }
        closed([
            ("type", json!({ "type": "string", "const": kind.name() })),
            ("title", plain(1, 100)),
            ("dataSource", one_of(&SOURCES)),
            ("visualization", one_of(kind.visualizations())),
            ("config", config(&known)),
        ])
    };
    json!({ "oneOf": kinds.map(of) })
}

/// A widget's configuration: fields that are not known are kept.
fn config(known: &[(&str, Value)]) -> Value {
    let last = json!({
        "description": "So far back from now.",
        "anyOf": [
            { "type": "number", "minimum": 1, "maximum": 3_155_760_000_u64 },
            { "type": "string", "pattern": "^([1-9][0-9]{0,3}(ms|s|m|h|d)|[1-9][0-9]{0,2}w)$" },
        ],
    });
    let mut properties = Map::new();
    for (name, schema) in [("last", last), ("timezone", named("TimeZone"))]
        .iter()
        .chain(known)
    {
        properties.insert((*name).to_owned(), nullable(schema.clone()));
    }
    json!({ "type": "object", "properties": properties })
}

fn sharing() -> Value {
    let few = |of: Value| {
        let mut few = list(of);
        few["maxItems"] = 100.into();
        about(few, "None is there more than once.")
    };
    closed([
        (
            "users?",
            few(closed([("id", plain(1, 200)), ("access", one_of(&ACCESS))])),
        ),
        (
            "roles?",
            few(closed([
                ("role", one_of(&["admin", "analyst", "viewer"])),
                ("access", one_of(&ACCESS)),
            ])),
        ),
    ])
}

fn export() -> Value {
    closed([
        (
            "dashboardId?",
            json!({
                "type": "string", "pattern": "^[0-9a-fA-F]{24}$", "description": "A dashboard that whoever asks may see.",
            }),
        ),
        ("exportType", one_of(&["dashboard", "report", "dataset"])),
        ("format", one_of(&FORMATS)),
        (
            "dateRange",
            closed([
                ("startDate", named("Date")),
                ("endDate", about_date("Not before `startDate`.")),
                ("timezone?", named("TimeZone")),
            ]),
        ),
        ("metrics?", list(one_of(&METRICS))),
        (
            "filters?",
            about(
                json!({ "type": "array", "maxItems": 10, "items": closed([
                    ("property", plain(1, 200)),
                    ("value", json!({ "type": ["string", "number", "boolean"] })),
                ]) }),
                "Only what has these values, as in the data of a dashboard; for a dashboard that is named.",
            ),
        ),
        (
            "ownRanges?",
            about(
                json!({ "type": "boolean" }),
                "Each widget over its own range, as the dashboard shows it, and not over `dateRange`; for a dashboard that is named.",
            ),
        ),
        (
            "notify?",
            about(
                json!({ "type": "array", "items": named("AlertChannel"), "maxItems": 20 }),
                "Who is told of its end beside whoever asks; needs the permission `manage_alerts`.",
            ),
        ),
    ])
}

fn about_date(description: &str) -> Value {
    json!({ "$ref": "#/components/schemas/Date", "description": description })
}

fn definition() -> Value {
    let field = |name: &str, schema: Value| json!({ "type": "object", "required": [name], "properties": { name: schema }, "additionalProperties": false });
    let several = || json!({ "type": "array", "minItems": 1, "items": named("CohortDefinition") });
    let did = |required: &[&str], more: &[(&str, Value)]| {
        let mut properties = json!({
            "did": named("Condition"),
            "atLeast": nullable(integer(0, 1_000_000_000)),
            "atMost": about(nullable(integer(0, 1_000_000_000)), "Not below `atLeast`."),
            "last": nullable(named("Window")),
        });
        for (name, schema) in more {
            properties[*name] = schema.clone();
        }
        json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
    };
    json!({
        "description": "Who is of a cohort: fixed ids, those who did something often enough, those whose profile says something, or a \
            combination of cohorts, at most 8 deep.",
        "oneOf": [
            field("users", list(json!({ "type": "string" }))),
            did(&["did"], &[]),
            did(&["did", "startDate", "endDate"], &[
                ("last", json!({ "type": "null" })),
                ("startDate", named("Date")),
                ("endDate", about_date("After `startDate`.")),
                ("timezone", nullable(named("TimeZone"))),
            ]),
            field("profile", json!({ "type": "array", "maxItems": 64, "items": filter(of_user()) })),
            field("all", several()),
            field("any", several()),
            field("not", named("CohortDefinition")),
        ],
    })
}

/// Events of some names that meet all filters.
fn condition() -> Value {
    let names = || json!([text_of(1, 200), { "type": "array", "minItems": 1, "items": text_of(1, 200) }, { "type": "null" }]);
    let property = json!({ "anyOf": [text_of(1, 200), of_user()] });
    json!({
        "description": "The name of an event or several of them (null is any), with what their properties say.",
        "anyOf": [
            text_of(1, 200),
            { "type": "array", "minItems": 1, "items": text_of(1, 200) },
            {
                "type": "object", "additionalProperties": false, "required": ["event"],
                "properties": { "event": { "anyOf": names() } },
            },
            {
                "type": "object", "additionalProperties": false, "required": ["where"],
                "properties": {
                    "event": { "anyOf": names() },
                    "where": { "type": "array", "maxItems": 64, "items": filter(property) },
                },
            },
        ],
    })
}

/// A property of a user's profile.
fn of_user() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["user"],
        "properties": { "user": text_of(1, 200), "at": one_of(&["at_event", "at_entry", "as_of"]) },
    })
}

/// What a property says.
fn filter(property: Value) -> Value {
    let of = |ops: &[&str], required: &[&str], value: Option<Value>| {
        let mut properties = json!({
            "property": property,
            "op": one_of(ops),
            "ignoreCase": truth(),
            "cast": nullable(one_of(&["number", "text"])),
        });
        if let Some(value) = value {
            properties["value"] = value;
        }
        json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
    };
    let several = |item: Value| json!({ "anyOf": [item, { "type": "array", "minItems": 1, "maxItems": 1_000, "items": item }] });
    let given = ["property", "op", "value"];
    // A list is several values, of which one may be a list.
    let any = json!({ "anyOf": [
        { "type": ["string", "number", "boolean", "object"] },
        {
            "type": "array", "minItems": 1, "maxItems": 1_000,
            "items": { "type": ["string", "number", "boolean", "object", "array"] },
        },
    ] });
    let pattern = json!({ "type": "string", "format": "regex" });
    json!({ "oneOf": [
        of(&["is", "is_not"], &["property", "value"], Some(any)),
        of(&["contains", "not_contains"], &given, Some(several(json!({ "type": "string" })))),
        of(&["matches", "not_matches"], &given, Some(several(pattern))),
        of(&["lt", "lte", "gt", "gte"], &given, Some(json!({ "type": ["string", "number"] }))),
        of(&["exists", "not_exists"], &["property", "op"], None),
    ] })
}

fn people() -> Value {
    closed([
        ("word", text_of(1, 100)),
        ("question", named("Question")),
        (
            "cell",
            about(
                json!({}),
                "The cell of the answer, as its word names its cells.",
            ),
        ),
        ("limit?", default(integer(1, 10_000), 100.into())),
        (
            "offset?",
            default(integer(0, i64::from(u32::MAX)), 0.into()),
        ),
    ])
}

fn revocation() -> Value {
    let name = || plain(1, 500);
    let until = || {
        nullable(about(
            instant(),
            "From when on all such tokens have expired anyway.",
        ))
    };
    json!({
        "description": "Tokens by the id of one, or by whose they are (`*` for everybody) and when they were issued.",
        "oneOf": [
            {
                "type": "object", "required": ["jti"], "additionalProperties": false,
                "properties": { "jti": name(), "until": until() },
            },
            {
                "type": "object", "required": ["subject"], "additionalProperties": false,
                "properties": {
                    "subject": name(),
                    "issuedBefore": nullable(about(instant(), "Not in the future; now by default.")),
                    "until": until(),
                },
            },
        ],
    })
}

/// A batch: each of its events is answered, so that nothing one of them is refuses the others.
fn events() -> Value {
    json!({
        "description": "Each is answered by itself: what is no `Event` is refused, and the others are taken.",
        "type": "array",
        "items": { "anyOf": [named("Event"), {}] },
        "maxItems": 10_000,
    })
}

/// An event as it is sent; further fields are properties.
fn event() -> Value {
    let id = |what: &str| {
        about(
            json!({ "type": ["string", "integer", "null"], "maxLength": 500 }),
            what,
        )
    };
    about(
        json!({
            "type": "object",
            "required": ["name", "ts"],
            "properties": {
                "eventId": id("By which it is known when it is sent again."),
                "userId": id("Who did it."),
                "anonymousId": id("The device or visitor that did it."),
                "sessionId": id("The session it belongs to."),
                "name": { "type": "string", "minLength": 1, "maxLength": 200 },
                "ts": about(instant(), "When it happened."),
                "properties": { "type": ["object", "null"] },
            },
        }),
        "What happened; fields that are not named here are properties.",
    )
}
