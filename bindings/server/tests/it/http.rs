//! What every answer looks like, good or bad.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use travelsense::Principal;
use travelsense::access::Key;
use travelsense_server::Limits;

use crate::client::*;
use crate::tokens::*;

#[tokio::test]
async fn a_figure_says_whether_it_is_as_usual_once_that_is_kept_up() {
    let server = Server::new();
    // Answers are kept for a moment, for each role.
    let without = server.ask(REALTIME, "", "admin").await;
    let of = |reply: &Reply| reply.json["data"][0]["metadata"]["anomaly"].clone();
    assert_eq!(of(&without), json!(null));
    server.store.judge_realtime().unwrap();
    let with = server.ask(REALTIME, "", "viewer").await;
    assert_eq!(of(&with)["status"], "too_few", "{}", with.text);
    assert_eq!(of(&with)["step"], 300);
    assert_eq!(of(&with)["at"], "2026-03-01T11:50:00.000Z");
    assert_ne!(
        without.json["data"][0]["resultHash"],
        with.json["data"][0]["resultHash"]
    );
}

#[tokio::test]
async fn the_data_is_the_cores_json_byte_for_byte() {
    let server = Server::new();
    let who = Principal::owner();
    let insights =
        json!({"startDate": "2026-01-01", "endDate": "2026-01-31", "steps": ["search", "book"]});
    let cohorts = json!({
        "startDate": "2026-01-01", "endDate": "2026-01-31", "cohortPeriod": "weekly", "analysisMetric": "retention_rate",
    });
    let realtime = json!({"metrics": ["active_users"], "timeRange": "last_hour"});
    let expected = [
        serde_json::to_string(&server.store.realtime_json(&who, &realtime).unwrap()).unwrap(),
        serde_json::to_string(&server.store.user_insights_json(&who, &insights).unwrap()).unwrap(),
        serde_json::to_string(&server.store.retention_json(&who, &cohorts).unwrap()).unwrap(),
    ];
    assert!(expected[0].contains(r#""value":1"#), "{}", expected[0]);
    assert!(
        expected[1].contains(r#""entered":2,"converted":1"#),
        "{}",
        expected[1]
    );
    assert!(expected[2].contains(r#""size":2"#), "{}", expected[2]);
    for ((path, query), data) in GOOD.iter().zip(expected) {
        let reply = server.ask(path, query, "viewer").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.header("content-type"), "application/json");
        assert!(
            reply
                .text
                .starts_with(&format!("{{\"data\":{data},\"meta\":{{")),
            "{}",
            reply.text
        );
        assert_eq!(
            reply.json["meta"]["requestId"],
            reply.header("x-request-id")
        );
        assert_eq!(reply.json["meta"]["asOf"], "2026-03-01T12:00:00.000Z");
        assert_eq!(
            reply.json["meta"]["dataVersion"],
            server.store.data_version(&who).unwrap()
        );
    }
}

#[tokio::test]
async fn journeys_are_an_insight_with_their_figures() {
    let query = "startDate=2026-01-01&endDate=2026-01-31&insightType=user_journeys";
    let reply = Server::new().ask(INSIGHTS, query, "viewer").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let insight = &reply.json["data"][0];
    assert_eq!(insight["insightType"], "user_journeys");
    assert_eq!(
        (&insight["data"]["users"], &insight["data"]["paths"]),
        (&json!(2), &json!(3))
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let server = Server::new();
    for path in [
        "/assets/none.js",
        "/api",
        "/api/analytics-dashboard",
        "/api/analytics-dashboard/realtime/x",
        "/health/",
    ] {
        assert_eq!(
            server.get(path, "", "").await.problem(404),
            "not_found",
            "{path}"
        );
    }
    for (path, _) in GOOD {
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
            Method::TRACE,
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(Body::empty())
                .unwrap();
            let reply = server.send(request).await;
            assert_eq!(reply.problem(405), "method_not_allowed");
            assert_eq!(reply.header("allow"), "GET,HEAD");
        }
    }
}

#[tokio::test]
async fn health_needs_no_token() {
    let reply = Server::new().get("/health", "", "").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json["data"]),
        (200, &json!({"status": "ok"}))
    );
}

#[tokio::test]
async fn a_plain_request_id_is_kept_and_any_other_is_replaced() {
    let server = Server::new();
    let long = "x".repeat(65);
    let table = [
        ("abc-1.2_3", true),
        ("", false),
        ("a b", false),
        ("<script>", false),
        (long.as_str(), false),
    ];
    for (id, kept) in table {
        let request = Request::get("/health")
            .header("x-request-id", id)
            .body(Body::empty())
            .unwrap();
        let reply = server.send(request).await;
        assert_eq!(reply.header("x-request-id") == id, kept, "{id}");
        assert_eq!(
            reply.json["meta"]["requestId"],
            reply.header("x-request-id")
        );
    }
    let two = [
        server.get("/health", "", "").await,
        server.get("/health", "", "").await,
    ];
    assert_ne!(two[0].header("x-request-id"), two[1].header("x-request-id"));
    assert_eq!(two[0].header("x-request-id").len(), 32);
}

#[tokio::test]
async fn no_answer_may_be_cached_or_guessed_at() {
    let server = Server::new();
    for reply in [
        server.get("/health", "", "").await,
        server.get(REALTIME, "", "").await,
    ] {
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_large_body_is_refused_after_who_sends_it() {
    let large = |token: &str| {
        let request = Request::get(REALTIME)
            .header("content-length", "65537")
            .header("authorization", format!("Bearer {token}"));
        request.body(Body::from(vec![b' '; 65_537])).unwrap()
    };
    let server = Server::new();
    let reply = server.send(large(&token("admin"))).await;
    assert_eq!(reply.problem(413), "body_too_large");
    let reply = server.send(large("nobody")).await;
    assert_eq!(reply.problem(401), "token_malformed");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let limits = Limits {
        timeout: Duration::ZERO,
        ..Limits::default()
    };
    let server = Server::with(vec![Key::secret(SECRET).unwrap()], limits);
    let reply = server.ask(GOOD[2].0, GOOD[2].1, "viewer").await;
    assert_eq!(reply.problem(503), "timeout");
    assert_eq!(reply.header("retry-after"), "1");
}

#[tokio::test]
async fn each_kind_of_insight_is_asked_for_by_its_name() {
    let server = Server::new();
    let range = "startDate=2026-01-01&endDate=2026-01-31";
    let table = [
        ("engagement_patterns", "users", 2),
        ("conversion_funnel", "entered", 2),
        ("drop_off_points", "minSupport", 30),
        ("feature_adoption", "activeUsers", 2),
    ];
    for (kind, field, number) in table {
        let query = format!("{range}&insightType={kind}");
        let reply = server.ask(INSIGHTS, &query, "viewer").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let insights = &reply.json["data"];
        assert_eq!(insights.as_array().map(Vec::len), Some(1));
        assert_eq!(insights[0]["insightType"], kind);
        assert_eq!(insights[0]["data"][field], number, "{}", reply.text);
    }
    let query = format!("{range}&limit=2");
    let reply = server.ask(INSIGHTS, &query, "viewer").await;
    assert_eq!(reply.json["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn null_stands_for_absent_in_every_body() {
    let server = Server::new();
    let send = async |method: Method, path: &str, body: serde_json::Value| {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/analytics-dashboard/{path}"))
            .header("authorization", format!("Bearer {}", token("admin")));
        server
            .send(request.body(Body::from(body.to_string())).unwrap())
            .await
    };
    let none = send(Method::PUT, "cohorts/a", json!({ "not": null })).await;
    assert_eq!(none.faults(), ["definition contradiction"]);
    let did = json!({ "did": "book", "last": null, "atMost": null, "users": null });
    assert_eq!(send(Method::PUT, "cohorts/a", did).await.status, 200);
    let named = json!({ "name": null, "description": null, "isPublic": null });
    let made = send(Method::POST, "templates/executive-overview", named).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["data"]["name"], "Executive overview");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let server = Server::new();
    let paths = [
        ("/health".to_owned(), 200),
        (format!("{REALTIME}?metrics=active_users"), 200),
        (format!("{REALTIME}?x=1"), 400),
    ];
    for (path, status) in paths {
        let request =
            Request::head(&path).header("authorization", format!("Bearer {}", token("viewer")));
        let reply = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.header("x-request-id").len(), 32);
    }
}

#[tokio::test]
async fn json_that_is_too_deep_is_refused_wherever_there_is_a_body() {
    let server = Server::new();
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let id = "6955b90001020304050607ff";
    let paths = [
        ("POST", "query/funnel".to_owned(), 400),
        ("POST", "people".to_owned(), 400),
        ("PUT", "cohorts/a".to_owned(), 400),
        ("POST", "chart/funnel".to_owned(), 400),
        ("POST", "custom".to_owned(), 400),
        ("POST", "templates/executive-overview".to_owned(), 400),
        ("POST", "export".to_owned(), 400),
        ("POST", "revocations".to_owned(), 400),
        // What comes before the body comes first.
        ("PUT", format!("custom/{id}"), 404),
        ("PUT", format!("custom/{id}/sharing"), 404),
    ];
    for (method, path, status) in paths {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/analytics-dashboard/{path}"))
            .header("authorization", format!("Bearer {}", token("admin")));
        let reply = server
            .send(request.body(Body::from(deep.clone())).unwrap())
            .await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text);
        reply.problem(status);
    }
}
