//! The ten endpoints as the specification writes them: every line of their field validations with what is taken and what is refused on
//! both sides of its edge, every status in its order, every default, and every field of the data models.
//!
//! A line stands here as it stands there, with the values that prove it: each is put in the place of its field in a request that is
//! good otherwise, and is answered with a success (`""`) or with the code of that one field.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::client::*;
use crate::tokens::*;

const BASE: &str = "/api/analytics-dashboard";

/// What stands in the place of a value that is left out.
const ABSENT: &str = "absent";

/// A value that is long: so many times the same character, of two bytes.
fn spelled(value: &str) -> String {
    match value.split_once("ü*") {
        Some(("", times)) => "%C3%BC".repeat(times.parse().unwrap()),
        _ => value.to_owned(),
    }
}

/// A line of the specification: the field, the line, and values with the code of their fault.
type Line = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const START: Line = (
    "startDate",
    "Required; a valid ISO 8601 date; not in the future",
    &[
        (ABSENT, "required"),
        ("", "invalid_date"),
        ("2026-01-05", ""),
        ("2026-01-05T10:00", ""),
        ("2026-01-05T10:00:00Z", ""),
        ("2026-01-05T10:00:00.123%2B05:45", ""),
        ("05/01/2026", "invalid_date"),
        ("2026-02-30", "invalid_date"),
        ("2026-13-01", "invalid_date"),
        ("20260105", "invalid_date"),
        ("yesterday", "invalid_date"),
    ],
);

const END: Line = (
    "endDate",
    "Required; a valid ISO 8601 date; not in the future; after startDate (2026-01-01)",
    &[
        (ABSENT, "required"),
        ("", "invalid_date"),
        ("2026-01-02", ""),
        ("2026-01-01T00:00:00.000001Z", ""),
        ("2026-01-01", "not_after_start"),
        ("2026-01-01T00:00:00Z", "not_after_start"),
        ("2025-12-31", "not_after_start"),
        // It is 2026-03-01T12:00:00Z.
        ("2026-03-01", ""),
        ("2026-03-01T12:00:00Z", ""),
        ("2026-03-01T12:00:00.000001Z", "in_future"),
        ("2026-03-02", "in_future"),
        ("2026-01-32", "invalid_date"),
        ("soon", "invalid_date"),
    ],
);

const SEGMENT: Line = (
    "segment",
    "Optional; one of all, new, returning, active, inactive, premium, free",
    &[
        (ABSENT, ""),
        ("all", ""),
        ("new", ""),
        ("returning", ""),
        ("active", ""),
        ("inactive", ""),
        ("premium", ""),
        ("free", ""),
        ("", "not_in_list"),
        ("New", "not_in_list"),
        ("vip", "not_in_list"),
    ],
);

/// The fields of a good question.
type Good = &'static [(&'static str, &'static str)];

/// Endpoints 1 to 4 and 6: what is asked of them, the fields of a good question, and the lines.
const QUESTIONS: [(&str, Good, &[Line]); 5] = [
    (
        "realtime",
        &[],
        &[
            (
                "metrics",
                "Optional; an array; each one of the six",
                &[
                    (ABSENT, ""),
                    ("active_users", ""),
                    ("page_views", ""),
                    ("events_per_second", ""),
                    ("conversion_rate", ""),
                    ("error_rate", ""),
                    ("revenue_per_minute", ""),
                    ("active_users,revenue_per_minute", ""),
                    ("[%22active_users%22,%22page_views%22]", ""),
                    ("active_users&metrics=page_views", ""),
                    ("active_users&metrics[]=page_views", ""),
                    ("users", "[0] not_in_list"),
                    ("active_users,users", "[1] not_in_list"),
                    ("", "[0] not_in_list"),
                    ("{%22a%22:1}", "[0] invalid_type"),
                ],
            ),
            (
                "timeRange",
                "Optional; one of the three",
                &[
                    (ABSENT, ""),
                    ("last_5_minutes", ""),
                    ("last_15_minutes", ""),
                    ("last_hour", ""),
                    ("last_day", "not_in_list"),
                    ("", "not_in_list"),
                ],
            ),
            (
                "refreshInterval",
                "Optional; a positive integer; at least 5; at most 300",
                &[
                    (ABSENT, ""),
                    ("4", "out_of_range"),
                    ("5", ""),
                    ("300", ""),
                    ("301", "out_of_range"),
                    ("0", "out_of_range"),
                    ("-5", "out_of_range"),
                    ("30.5", "invalid_type"),
                    ("thirty", "invalid_type"),
                    ("", "invalid_type"),
                ],
            ),
        ],
    ),
    (
        "user-insights",
        &[("startDate", "2026-01-01"), ("endDate", "2026-01-31")],
        &[
            START,
            END,
            SEGMENT,
            (
                "insightType",
                "Optional; one of the five",
                &[
                    (ABSENT, ""),
                    ("engagement_patterns", ""),
                    ("conversion_funnel", ""),
                    ("drop_off_points", ""),
                    ("feature_adoption", ""),
                    ("user_journeys", ""),
                    ("funnels", "not_in_list"),
                    ("", "not_in_list"),
                ],
            ),
            (
                "limit",
                "Optional; a positive integer; at least 1; at most 100",
                &[
                    (ABSENT, ""),
                    ("0", "out_of_range"),
                    ("1", ""),
                    ("100", ""),
                    ("101", "out_of_range"),
                    ("-1", "out_of_range"),
                    ("1.5", "invalid_type"),
                    ("ten", "invalid_type"),
                ],
            ),
        ],
    ),
    (
        "cohort-analysis",
        &[
            ("startDate", "2026-01-01"),
            ("endDate", "2026-01-31"),
            ("cohortPeriod", "weekly"),
            ("analysisMetric", "retention_rate"),
        ],
        &[
            START,
            END,
            (
                "cohortPeriod",
                "Required; one of daily, weekly, monthly",
                &[
                    (ABSENT, "required"),
                    ("daily", ""),
                    ("weekly", ""),
                    ("monthly", ""),
                    ("yearly", "not_in_list"),
                    ("", "not_in_list"),
                ],
            ),
            (
                "analysisMetric",
                "Required; one of retention_rate, revenue, engagement, feature_usage",
                &[
                    (ABSENT, "required"),
                    ("retention_rate", ""),
                    ("revenue", ""),
                    ("engagement", ""),
                    ("feature_usage", ""),
                    ("churn", "not_in_list"),
                    ("", "not_in_list"),
                ],
            ),
            SEGMENT,
        ],
    ),
    (
        "predictive",
        &[
            ("startDate", "2026-01-01"),
            ("endDate", "2026-01-31"),
            ("predictionType", "user_growth"),
        ],
        &[
            START,
            END,
            (
                "predictionType",
                "Required; one of the five",
                &[
                    (ABSENT, "required"),
                    ("user_growth", ""),
                    ("revenue", ""),
                    ("demand_forecast", ""),
                    ("churn_rate", ""),
                    ("feature_adoption", ""),
                    ("weather", "not_in_list"),
                    ("", "not_in_list"),
                ],
            ),
            (
                "confidenceLevel",
                "Optional; a number between 0 and 100",
                &[
                    (ABSENT, ""),
                    ("-0.1", "out_of_range"),
                    ("0", ""),
                    ("99.5", ""),
                    ("100", ""),
                    ("100.1", "out_of_range"),
                    ("high", "invalid_type"),
                    ("NaN", "invalid_type"),
                    ("", "invalid_type"),
                ],
            ),
        ],
    ),
    (
        "custom",
        &[],
        &[
            (
                "search",
                "Optional; at most 100 characters",
                &[
                    (ABSENT, ""),
                    ("", ""),
                    ("%25", ""),
                    ("ü*100", ""),
                    ("ü*101", "invalid_length"),
                ],
            ),
            (
                "limit",
                "Optional; a positive integer; at least 1; at most 50",
                &[
                    (ABSENT, ""),
                    ("0", "out_of_range"),
                    ("1", ""),
                    ("50", ""),
                    ("51", "out_of_range"),
                    ("-1", "out_of_range"),
                    ("1.5", "invalid_type"),
                    ("all", "invalid_type"),
                ],
            ),
            (
                "offset",
                "Optional; a non-negative integer",
                &[
                    (ABSENT, ""),
                    ("-1", "out_of_range"),
                    ("0", ""),
                    ("1", ""),
                    ("1000000", ""),
                    ("0.5", "invalid_type"),
                    ("first", "invalid_type"),
                ],
            ),
            (
                "sortBy",
                "Optional; one of createdAt, name",
                &[
                    (ABSENT, ""),
                    ("createdAt", ""),
                    ("name", ""),
                    ("updatedAt", "not_in_list"),
                    ("", "not_in_list"),
                ],
            ),
            (
                "sortOrder",
                "Optional; one of asc, desc",
                &[
                    (ABSENT, ""),
                    ("asc", ""),
                    ("desc", ""),
                    ("ASC", "not_in_list"),
                    ("", "not_in_list"),
                ],
            ),
        ],
    ),
];

/// A query string of a good question with another value in the place of one field.
fn asked(good: &[(&str, &str)], field: &str, value: &str) -> String {
    let others = good.iter().filter(|(name, _)| *name != field);
    let mut pairs: Vec<String> = others
        .map(|(name, text)| format!("{name}={text}"))
        .collect();
    if value != ABSENT {
        pairs.push(format!("{field}={}", spelled(value)));
    }
    pairs.join("&")
}

/// A fault as an answer tells it: of a field, or of a place within it where the code begins with one.
fn fault(field: &str, code: &str) -> Vec<String> {
    match code {
        "" => Vec::new(),
        code if code.starts_with('[') => vec![format!("{field}{code}")],
        code => vec![format!("{field} {code}")],
    }
}

/// A range that is valid and holds too little to predict from.
fn is_short(reply: &Reply) -> bool {
    reply.json["code"] == "too_little_history"
}

/// The faults of an answer; none of a success.
fn faults(reply: &Reply) -> Vec<String> {
    if reply.status.is_success() || is_short(reply) {
        Vec::new()
    } else {
        reply.faults()
    }
}

#[tokio::test]
async fn endpoints_1_to_4_and_6_hold_every_line_of_their_field_validations() {
    let server = Server::new();
    for (path, good, lines) in QUESTIONS {
        for (field, line, values) in lines {
            for (value, code) in *values {
                let query = asked(good, field, value);
                let reply = server.ask(&format!("{BASE}/{path}"), &query, "admin").await;
                let told = (line, &query, &reply.text);
                assert_eq!(faults(&reply), fault(field, code), "{path}: {told:?}");
                let short = path == "predictive" && is_short(&reply);
                let status = if code.is_empty() && !short { 200 } else { 400 };
                assert_eq!(reply.status.as_u16(), status, "{path}: {query}");
            }
        }
    }
    // A start in the future makes no end that could be after it and not in the future.
    let query = "startDate=2026-03-02&endDate=2026-03-03&insightType=conversion_funnel";
    let reply = server.ask(INSIGHTS, query, "admin").await;
    assert_eq!(faults(&reply), ["startDate in_future", "endDate in_future"]);
}

/// `startDate` "must not be in the future": now is not, a microsecond later is. At both no end could come after it.
const STARTS: [(&str, &str); 3] = [
    ("2026-03-01T11:59:59.999999Z", ""),
    ("2026-03-01T12:00:00Z", "endDate not_after_start"),
    ("2026-03-01T12:00:00.000001Z", "startDate in_future"),
];

#[tokio::test]
async fn a_start_may_be_now_and_not_later() {
    let server = Server::new();
    for (path, good, _) in QUESTIONS.iter().filter(|(_, good, _)| !good.is_empty()) {
        let ends_now = good.iter().map(|(name, text)| match *name {
            "endDate" => ("endDate", "2026-03-01T12:00:00Z"),
            name => (name, *text),
        });
        let ends_now: Vec<(&str, &str)> = ends_now.collect();
        for (start, fault) in STARTS {
            let query = asked(&ends_now, "startDate", start);
            let reply = server.ask(&format!("{BASE}/{path}"), &query, "admin").await;
            let first = faults(&reply).into_iter().next().unwrap_or_default();
            assert_eq!(first, fault, "{path}: {query}: {}", reply.text);
        }
    }
    let who = format!("Bearer {}", token("admin"));
    for (start, fault) in STARTS {
        let body = json!({ "exportType": "report", "format": "json",
            "dateRange": { "startDate": start, "endDate": "2026-03-01T12:00:00Z" } });
        let reply = send(&server, "POST", "export", &who, &body.to_string()).await;
        let first = faults(&reply).into_iter().next().unwrap_or_default();
        let fault = match fault {
            "" => String::new(),
            fault => format!("dateRange.{fault}"),
        };
        assert_eq!(first, fault, "{body}: {}", reply.text);
    }
}

#[tokio::test]
async fn what_is_not_specified_has_its_default() {
    let server = Server::new();
    let range = "startDate=2026-01-01&endDate=2026-01-31";
    let kinds = format!("{range}&cohortPeriod=daily&analysisMetric=revenue");
    let predicted = format!("{range}&predictionType=user_growth");
    let table = [
        ("realtime", "", "timeRange=last_15_minutes"),
        ("realtime", "", "refreshInterval=30"),
        ("user-insights", range, "limit=20"),
        ("user-insights", range, "segment=all"),
        ("cohort-analysis", &kinds, "segment=all"),
        ("predictive", &predicted, "confidenceLevel=95"),
        ("custom", "", "limit=20"),
        ("custom", "", "offset=0"),
    ];
    for (path, good, default) in table {
        let path = format!("{BASE}/{path}");
        let without = server.ask(&path, good, "admin").await;
        let with = server
            .ask(&path, &format!("{good}&{default}"), "admin")
            .await;
        assert_eq!(without.status, 200, "{path} {good}: {}", without.text);
        assert_eq!(without.json["data"], with.json["data"], "{path} {default}");
        let page = |reply: &Reply| reply.json["meta"]["pagination"].clone();
        assert_eq!(page(&without), page(&with), "{path} {default}");
    }
    let who = format!("Bearer {}", token("admin"));
    let body = json!({"name": "Mine", "widgets": [widget()]}).to_string();
    let made = send(&server, "POST", "custom", &who, &body).await;
    assert_eq!(made.json["data"]["isPublic"], false);
    let metrics = server.ask(REALTIME, "", "admin").await.json["data"].clone();
    assert_eq!(metrics.as_array().map(Vec::len), Some(6), "all metrics");
    assert_eq!(metrics[0]["metadata"]["refreshInterval"], 30);
    assert_eq!(metrics[0]["metadata"]["timeRange"], "last_15_minutes");
}

fn widget() -> Value {
    json!({"type": "metric", "title": "Users", "dataSource": "user_events", "visualization": "number", "config": {}})
}

/// Endpoints 5, 8 and 10: the place of a field in the body, the line, and values with the code of their fault.
type Lines = Vec<(&'static str, &'static str, Vec<(Value, &'static str)>)>;

fn long(n: usize) -> Value {
    json!("ü".repeat(n))
}

/// The lines that hold for a dashboard that is made and for one that is changed; what must be there is said of each.
fn of_dashboard(must: &'static str) -> Lines {
    let many = |n: usize| json!(vec![widget(); n]);
    let one_of = |names: &[&str], wrong: &[&str]| {
        let good = names.iter().map(|n| (json!(n), ""));
        let bad = wrong.iter().map(|n| (json!(n), "not_in_list"));
        let more = [(Value::Null, "required"), (json!(1), "invalid_type")];
        good.chain(bad).chain(more).collect::<Vec<_>>()
    };
    let sources = [
        "user_events",
        "trips",
        "bookings",
        "reviews",
        "revenue",
        "performance",
    ];
    vec![
        (
            "/name",
            "1 to 100 characters",
            vec![
                (Value::Null, must),
                (json!(""), "invalid_length"),
                (json!("x"), ""),
                (long(100), ""),
                (long(101), "invalid_length"),
                (json!(1), "invalid_type"),
            ],
        ),
        (
            "/description",
            "Optional; at most 500 characters",
            vec![
                (Value::Null, ""),
                (json!(""), ""),
                (long(500), ""),
                (long(501), "invalid_length"),
                (json!({}), "invalid_type"),
            ],
        ),
        (
            "/widgets",
            "An array of 1 to 20 items",
            vec![
                (Value::Null, must),
                (json!({}), "invalid_type"),
                (json!("x"), "invalid_type"),
                (json!([]), "too_few"),
                (many(1), ""),
                (many(20), ""),
                (many(21), "too_many"),
            ],
        ),
        (
            "/widgets/0/type",
            "Required; one of metric, chart, table, map, funnel",
            one_of(&["metric"], &["pie", "Metric", ""]),
        ),
        (
            "/widgets/0/title",
            "Required; 1 to 100 characters",
            vec![
                (Value::Null, "required"),
                (json!(""), "invalid_length"),
                (json!("x"), ""),
                (long(100), ""),
                (long(101), "invalid_length"),
                (json!([]), "invalid_type"),
            ],
        ),
        (
            "/widgets/0/dataSource",
            "Required; one of the six",
            one_of(&sources, &["users", ""]),
        ),
        (
            "/widgets/0/visualization",
            "Required; appropriate for the widget's type",
            vec![
                (Value::Null, "required"),
                (json!("number"), ""),
                (json!("gauge"), ""),
                (json!("map"), "not_appropriate"),
                (json!("sankey"), "not_appropriate"),
                (json!(""), "not_appropriate"),
                (json!(1), "invalid_type"),
            ],
        ),
        (
            "/widgets/0/config",
            "Required; a JSON object",
            vec![
                (Value::Null, "required"),
                (json!({}), ""),
                (json!({"mine": {"deep": [1]}}), ""),
                (json!([]), "invalid_type"),
                (json!("{}"), "invalid_type"),
                (json!(1), "invalid_type"),
            ],
        ),
        (
            "/isPublic",
            "Optional; a boolean",
            vec![
                (Value::Null, ""),
                (json!(true), ""),
                (json!(false), ""),
                (json!("true"), "invalid_type"),
                (json!(1), "invalid_type"),
            ],
        ),
    ]
}

fn of_export() -> Lines {
    let dates = |must: &'static str| {
        vec![
            (Value::Null, must),
            (json!("2026-01-15"), ""),
            (json!("2026-01-15T10:00:00Z"), ""),
            (json!("2026-01-15T10:00:00+02:00"), ""),
            (json!("15.01.2026"), "invalid_date"),
            (json!("2026-02-30"), "invalid_date"),
            (json!(20_260_115), "invalid_type"),
        ]
    };
    let mut ends = dates("required");
    ends.extend([
        (json!("2026-01-01"), "not_after_start"),
        (json!("2026-01-01T00:00:00Z"), "not_after_start"),
        (json!("2026-01-01T00:00:00.001Z"), ""),
        (json!("2025-12-31"), "not_after_start"),
        (json!("2026-03-01T12:00:00Z"), ""),
        (json!("2026-03-01T12:00:00.000001Z"), "in_future"),
        (json!("2026-03-02"), "in_future"),
    ]);
    vec![
        (
            "/dashboardId",
            "Optional; a valid MongoDB ObjectId",
            vec![
                (Value::Null, ""),
                (json!("507f1f77bcf86cd79943901"), "invalid_id"),
                (json!("507f1f77bcf86cd7994390111"), "invalid_id"),
                (json!("507f1f77bcf86cd79943901g"), "invalid_id"),
                (json!(""), "invalid_id"),
                (json!(1), "invalid_type"),
                // An id that is one, of no dashboard.
                (json!("507f1f77bcf86cd799439011"), "not_found"),
            ],
        ),
        (
            "/exportType",
            "Required; one of dashboard, report, dataset",
            vec![
                (Value::Null, "required"),
                (json!("dashboard"), ""),
                (json!("report"), ""),
                (json!("dataset"), ""),
                (json!("all"), "not_in_list"),
                (json!(1), "invalid_type"),
            ],
        ),
        (
            "/format",
            "Required; one of csv, json, xlsx, pdf",
            vec![
                (Value::Null, "required"),
                (json!("csv"), ""),
                (json!("json"), ""),
                (json!("xlsx"), ""),
                (json!("pdf"), ""),
                (json!("xls"), "not_in_list"),
                (json!(["csv"]), "invalid_type"),
            ],
        ),
        (
            "/dateRange",
            "Required, since its dates are; an object",
            vec![
                (Value::Null, "required"),
                (json!("2026-01"), "invalid_type"),
                (json!(["2026-01-01", "2026-01-31"]), "invalid_type"),
            ],
        ),
        (
            "/dateRange/startDate",
            "Required; an ISO 8601 date",
            dates("required"),
        ),
        (
            "/dateRange/endDate",
            "Required; an ISO 8601 date; not in the future; after startDate",
            ends,
        ),
        (
            "/metrics",
            "Optional; an array; each a valid metric identifier",
            vec![
                (Value::Null, ""),
                (json!([]), ""),
                (json!(["active_users", "revenue_per_minute"]), ""),
                (json!("active_users"), "invalid_type"),
                (json!(["speed"]), "[0] not_in_list"),
                (json!(["page_views", 1]), "[1] invalid_type"),
            ],
        ),
    ]
}

/// A body with another value at a place, or without it.
fn with(mut body: Value, place: &str, value: &Value) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(name)),
        value => drop(parent.insert(name.to_owned(), value.clone())),
    }
    body
}

/// A place as an error names it: `/widgets/0/title` is `widgets[0].title`.
fn named(place: &str) -> String {
    place[1..].replace("/0/", "[0].").replace('/', ".")
}

async fn send(server: &Server, method: &str, path: &str, who: &str, body: &str) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{BASE}/{path}"));
    if !who.is_empty() {
        request = request.header("authorization", who);
    }
    let body = Body::from(body.to_owned());
    server.send(request.body(body).unwrap()).await
}

async fn held(method: &str, path: &str, status: u16, good: Value, lines: Lines) {
    let server = Server::new();
    let who = format!("Bearer {}", token("admin"));
    let path = if method == "PUT" {
        let body = json!({"name": "Mine", "widgets": [widget()]}).to_string();
        let made = send(&server, "POST", "custom", &who, &body).await;
        format!("{path}/{}", made.json["data"]["_id"].as_str().unwrap())
    } else {
        path.to_owned()
    };
    for (place, line, values) in lines {
        for (value, code) in values {
            let body = with(good.clone(), place, &value).to_string();
            let reply = send(&server, method, &path, &who, &body).await;
            assert_eq!(faults(&reply), fault(&named(place), code), "{line}: {body}");
            let status = if code.is_empty() { status } else { 400 };
            assert_eq!(reply.status.as_u16(), status, "{line}: {body}");
        }
    }
}

#[tokio::test]
async fn endpoint_5_holds_every_line_of_its_field_validations() {
    let good = json!({"name": "Mine", "widgets": [widget()]});
    held("POST", "custom", 201, good, of_dashboard("required")).await;
}

#[tokio::test]
async fn endpoint_8_holds_every_line_of_its_field_validations() {
    let good = json!({"name": "Mine", "widgets": [widget()]});
    held("PUT", "custom", 200, good, of_dashboard("")).await;
}

#[tokio::test]
async fn endpoint_10_holds_every_line_of_its_field_validations() {
    let good = json!({ "exportType": "report", "format": "json",
        "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } });
    held("POST", "export", 200, good, of_export()).await;
}

/// Each type with all its visualizations, and with one of each other type that is none of its own.
#[tokio::test]
async fn a_visualization_must_be_appropriate_for_the_type() {
    use travelsense::dashboard::WidgetType as T;
    let server = Server::new();
    let who = format!("Bearer {}", token("admin"));
    let types = [T::Metric, T::Chart, T::Table, T::Map, T::Funnel];
    for kind in types {
        for other in types {
            for look in other.visualizations() {
                let mut widget = widget();
                widget["type"] = json!(kind.name());
                widget["visualization"] = json!(look);
                let body = json!({"name": "Mine", "widgets": [widget]}).to_string();
                let reply = send(&server, "POST", "custom", &who, &body).await;
                if kind.visualizations().contains(look) {
                    assert_eq!(reply.status, 201, "{} {look}: {}", kind.name(), reply.text);
                } else {
                    let expected = ["widgets[0].visualization not_appropriate"];
                    assert_eq!(reply.faults(), expected, "{} {look}", kind.name());
                }
            }
        }
    }
}

/// A request of each endpoint that is good: method, path, body, and the status of its success.
fn good(id: &str) -> [(&'static str, String, String, u16); 10] {
    let range = "startDate=2026-01-01&endDate=2026-01-31";
    let dashboard = json!({"name": "Mine", "widgets": [widget()]}).to_string();
    let export = json!({ "exportType": "report", "format": "csv",
        "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } });
    let none = String::new();
    [
        ("GET", "realtime".to_owned(), none.clone(), 200),
        ("GET", format!("user-insights?{range}"), none.clone(), 200),
        (
            "GET",
            format!("cohort-analysis?{range}&cohortPeriod=daily&analysisMetric=engagement"),
            none.clone(),
            200,
        ),
        (
            "GET",
            format!("predictive?{range}&predictionType=revenue"),
            none.clone(),
            200,
        ),
        ("POST", "custom".to_owned(), dashboard.clone(), 201),
        ("GET", "custom".to_owned(), none.clone(), 200),
        ("GET", format!("custom/{id}"), none.clone(), 200),
        ("PUT", format!("custom/{id}"), dashboard, 200),
        ("POST", "export".to_owned(), export.to_string(), 200),
        ("DELETE", format!("custom/{id}"), none, 204),
    ]
}

/// 401 before 403 before everything else, for each endpoint, whether or not the rest of the request is good.
#[tokio::test]
async fn every_status_of_every_endpoint_is_answered_in_its_order() {
    let server = Server::new();
    let owner = format!("Bearer {}", token("admin"));
    let stranger = format!("Bearer {}", token("root"));
    let body = json!({"name": "Mine", "widgets": [widget()]}).to_string();
    let made = send(&server, "POST", "custom", &owner, &body).await;
    let id = made.json["data"]["_id"].as_str().unwrap();
    for (method, path, body, status) in good(id) {
        let bare = path.split('?').next().unwrap();
        let spoilt = [format!("{bare}?nonsense=1"), bare.replace(id, "none")];
        for path in spoilt.iter().chain([&path]) {
            for body in ["{", body.as_str()] {
                let nobody = send(&server, method, path, "", body).await;
                assert_eq!(nobody.problem(401), "token_missing", "{method} {path}");
                let refused = send(&server, method, path, &stranger, body).await;
                assert_eq!(refused.problem(403), "forbidden", "{method} {path}");
            }
        }
        let done = send(&server, method, &path, &owner, &body).await;
        assert_eq!(
            done.status.as_u16(),
            status,
            "{method} {path}: {}",
            done.text
        );
        assert_eq!(done.text.is_empty(), status == 204, "{method} {path}");
    }
    // What is named by an id: 400, then 404, and who is not its owner 403.
    let made = send(&server, "POST", "custom", &owner, &body).await;
    let id = made.json["data"]["_id"].as_str().unwrap();
    let mut other = claims("admin");
    other["sub"] = json!("somebody else");
    let other = format!("Bearer {}", sign(&other));
    for method in ["GET", "PUT", "DELETE"] {
        for wrong in [
            "1",
            "507f1f77bcf86cd79943901",
            "507f1f77bcf86cd7994390111",
            "507f1f77bcf86cd79943901g",
        ] {
            let reply = send(&server, method, &format!("custom/{wrong}"), &owner, "{}").await;
            assert_eq!(reply.faults(), ["id invalid_id"], "{method} {wrong}");
        }
        let absent = send(
            &server,
            method,
            "custom/507f1f77bcf86cd799439011",
            &owner,
            "{}",
        )
        .await;
        assert_eq!(absent.problem(404), "not_found", "{method}");
        // An ObjectId may be written in capitals too.
        let capitals = send(
            &server,
            method,
            "custom/507F1F77BCF86CD799439011",
            &owner,
            "{}",
        )
        .await;
        assert_eq!(capitals.problem(404), "not_found", "{method}");
        let foreign = send(&server, method, &format!("custom/{id}"), &other, "{}").await;
        assert_eq!(foreign.problem(403), "forbidden", "{method}");
    }
    // Endpoint 8 looks for the dashboard (6, 7), then at who owns it (8, 9), and only then at the fields (10).
    let wrong = json!({"name": ""}).to_string();
    let absent = "custom/507f1f77bcf86cd799439011";
    let absent = send(&server, "PUT", absent, &owner, &wrong).await;
    assert_eq!(absent.problem(404), "not_found");
    let path = format!("custom/{id}");
    let foreign = send(&server, "PUT", &path, &other, &wrong).await;
    assert_eq!(foreign.problem(403), "forbidden");
    let own = send(&server, "PUT", &path, &owner, &wrong).await;
    assert_eq!(own.faults(), ["name invalid_length"]);
    // Endpoint 10 looks at the fields (5), then whether the dashboard is to be seen (6).
    let export = |format: &str| {
        json!({ "dashboardId": id, "exportType": "dashboard", "format": format,
            "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } })
        .to_string()
    };
    let wrong = send(&server, "POST", "export", &other, &export("doc")).await;
    assert_eq!(wrong.faults(), ["format not_in_list"]);
    let foreign = send(&server, "POST", "export", &other, &export("csv")).await;
    assert_eq!(foreign.problem(403), "forbidden");
    let own = send(&server, "POST", "export", &owner, &export("csv")).await;
    assert_eq!(own.status, 200, "{}", own.text);
    // Public is to be read by other admins, and by nobody else; it is never to be changed.
    let shown = json!({"isPublic": true}).to_string();
    let path = format!("custom/{id}");
    assert_eq!(
        send(&server, "PUT", &path, &owner, &shown).await.status,
        200
    );
    assert_eq!(send(&server, "GET", &path, &other, "").await.status, 200);
    let viewer = format!("Bearer {}", token("viewer").as_str());
    let mut analyst = claims("analyst");
    analyst["sub"] = json!("an analyst");
    let analyst = format!("Bearer {}", sign(&analyst));
    assert_eq!(
        send(&server, "GET", &path, &analyst, "").await.problem(403),
        "forbidden"
    );
    for method in ["PUT", "DELETE"] {
        for who in [&other, &analyst, &viewer] {
            let refused = send(&server, method, &path, who, "{}").await;
            assert_eq!(refused.problem(403), "forbidden", "{method}");
        }
    }
}

/// Where the store fails, every endpoint answers 500 and says nothing of why.
#[tokio::test]
async fn an_unexpected_error_is_500_everywhere() {
    let server = Server::new();
    let owner = format!("Bearer {}", token("admin"));
    let body = json!({"name": "Mine", "widgets": [widget()]}).to_string();
    let made = send(&server, "POST", "custom", &owner, &body).await;
    let id = made.json["data"]["_id"].as_str().unwrap().to_owned();
    let kept = server.store.metadata().unwrap();
    travelsense::metadata::change(&*kept, |s| s.batch("alter table entries rename to gone"))
        .unwrap();
    for (method, path, body, _) in good(&id) {
        let reply = send(&server, method, &path, &owner, &body).await;
        assert_eq!(reply.problem(500), "internal", "{method} {path}");
        assert!(!reply.text.contains("entries"), "{}", reply.text);
    }
}

/// A field of a data model: its name, what it is, and whether it may be null or absent.
type Field = (&'static str, fn(&Value) -> bool, bool);

fn is_id(v: &Value) -> bool {
    v.as_str()
        .is_some_and(|t| t.len() == 24 && t.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_date(v: &Value) -> bool {
    v.as_str()
        .is_some_and(|t| t.parse::<travelsense::Instant>().is_ok())
}

fn check(what: &str, model: &[Field], value: &Value) {
    for (name, is, optional) in model {
        let field = &value[*name];
        assert!(
            *optional && field.is_null() || is(field),
            "{what}.{name} is {field}"
        );
    }
}

#[tokio::test]
async fn every_field_of_the_data_models_is_answered() {
    let server = Server::new();
    let range = "startDate=2026-01-01&endDate=2026-01-31";
    let data = async |path: &str, query: &str| {
        let reply = server.ask(&format!("{BASE}/{path}"), query, "admin").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json["data"].clone()
    };
    let metric: [Field; 6] = [
        ("_id", is_id, false),
        ("metricName", Value::is_string, false),
        ("value", Value::is_number, true),
        ("timestamp", is_date, false),
        ("metadata", Value::is_object, false),
        ("createdAt", is_date, false),
    ];
    for one in data("realtime", "").await.as_array().unwrap() {
        check("Real-time Metric", &metric, one);
    }
    let insight: [Field; 11] = [
        ("_id", is_id, false),
        ("insightType", Value::is_string, false),
        ("title", Value::is_string, false),
        ("description", Value::is_string, false),
        ("data", Value::is_object, false),
        ("confidence", Value::is_number, true),
        ("segment", Value::is_string, false),
        ("startDate", is_date, false),
        ("endDate", is_date, false),
        ("createdAt", is_date, false),
        ("updatedAt", is_date, false),
    ];
    let insights = data("user-insights", range).await;
    assert_eq!(insights.as_array().map(Vec::len), Some(5));
    for one in insights.as_array().unwrap() {
        check("User Behavior Insight", &insight, one);
    }
    let asked = format!("{range}&cohortPeriod=weekly&analysisMetric=retention_rate");
    let table = data("cohort-analysis", &asked).await;
    let cohorts: [Field; 8] = [
        ("_id", is_id, false),
        ("cohortPeriod", Value::is_string, false),
        ("analysisMetric", Value::is_string, false),
        ("cohorts", Value::is_array, false),
        ("segment", Value::is_string, false),
        ("startDate", is_date, false),
        ("endDate", is_date, false),
        ("createdAt", is_date, false),
    ];
    check("Cohort Analysis Result", &cohorts, &table);
    let cohort: [Field; 3] = [
        ("period", is_date, false),
        ("size", Value::is_u64, false),
        ("retention", Value::is_array, false),
    ];
    let cell: [Field; 3] = [
        ("period", Value::is_u64, false),
        ("value", Value::is_number, true),
        ("count", Value::is_u64, false),
    ];
    assert!(!table["cohorts"].as_array().unwrap().is_empty());
    for one in table["cohorts"].as_array().unwrap() {
        check("cohorts[]", &cohort, one);
        for cell_of in one["retention"].as_array().unwrap() {
            check("retention[]", &cell, cell_of);
        }
    }
    let result: [Field; 9] = [
        ("_id", is_id, false),
        ("predictionType", Value::is_string, false),
        ("predictions", Value::is_array, false),
        ("historicalData", Value::is_array, false),
        ("modelVersion", Value::is_string, false),
        ("confidenceLevel", Value::is_number, false),
        ("startDate", is_date, false),
        ("endDate", is_date, false),
        ("createdAt", is_date, false),
    ];
    let made = data("predictive", &format!("{range}&predictionType=user_growth")).await;
    check("Predictive Analytics Result", &result, &made);
    let prediction: [Field; 5] = [
        ("date", is_date, false),
        ("value", Value::is_number, true),
        ("lowerBound", Value::is_number, true),
        ("upperBound", Value::is_number, true),
        ("confidence", Value::is_number, false),
    ];
    check("predictions[]", &prediction, &made["predictions"][0]);
    check(
        "historicalData[]",
        &[prediction[0], prediction[1]],
        &made["historicalData"][0],
    );

    let who = format!("Bearer {}", token("admin"));
    let body = json!({"name": "Mine", "widgets": [widget()]}).to_string();
    let dashboard = send(&server, "POST", "custom", &who, &body).await.json["data"].clone();
    let model: [Field; 8] = [
        ("_id", is_id, false),
        ("name", Value::is_string, false),
        ("description", Value::is_string, false),
        ("widgets", Value::is_array, false),
        ("isPublic", Value::is_boolean, false),
        ("ownerId", Value::is_string, false),
        ("createdAt", is_date, false),
        ("updatedAt", is_date, false),
    ];
    check("Custom Dashboard", &model, &dashboard);
    let part: [Field; 5] = [
        ("type", Value::is_string, false),
        ("title", Value::is_string, false),
        ("dataSource", Value::is_string, false),
        ("visualization", Value::is_string, false),
        ("config", Value::is_object, false),
    ];
    check("widgets[]", &part, &dashboard["widgets"][0]);

    let id = &dashboard["_id"];
    let body = json!({ "dashboardId": id, "exportType": "dashboard", "format": "json", "metrics": ["active_users"],
        "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } });
    let job = send(&server, "POST", "export", &who, &body.to_string())
        .await
        .json["data"]
        .clone();
    let model: [Field; 13] = [
        ("_id", is_id, false),
        ("dashboardId", is_id, false),
        ("exportType", Value::is_string, false),
        ("format", Value::is_string, false),
        ("dateRange", Value::is_object, false),
        ("metrics", Value::is_array, false),
        ("status", Value::is_string, false),
        ("fileUrl", Value::is_string, true),
        ("fileSize", Value::is_u64, true),
        ("createdBy", Value::is_string, false),
        ("createdAt", is_date, false),
        ("completedAt", is_date, true),
        ("failureReason", Value::is_string, true),
    ];
    check("Dashboard Export Job", &model, &job);
    check(
        "dateRange",
        &[("startDate", is_date, false), ("endDate", is_date, false)],
        &job["dateRange"],
    );
}
