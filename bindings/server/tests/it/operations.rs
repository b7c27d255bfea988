//! What those who run the server rely on: readiness, counts, and answers that are kept no longer than they hold.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use travelsense::Principal;
use travelsense::access::Key;
use travelsense_server::Limits;

use crate::client::*;
use crate::tokens::*;

/// The value of a series.
async fn measured(server: &Server, series: &str) -> f64 {
    let reply = server.ask("/metrics", "", "viewer").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let lines = reply.text.lines();
    let found = lines
        .filter_map(|line| line.rsplit_once(' '))
        .find(|(name, _)| *name == series);
    found.map_or(f64::NAN, |(_, value)| value.parse().unwrap())
}

#[tokio::test]
async fn a_server_is_ready_until_it_is_about_to_stop() {
    let server = Server::new();
    assert_eq!(server.get("/ready", "", "").await.status, 200);
    server.service.leave();
    let reply = server.get("/ready", "", "").await;
    assert_eq!(reply.problem(503), "not_ready");
    assert_eq!(server.get("/health", "", "").await.status, 200);
    assert_eq!(
        server.ask(GOOD[0].0, GOOD[0].1, "viewer").await.status,
        200,
        "what comes is answered"
    );
}

#[tokio::test]
async fn what_is_answered_is_counted_by_route_and_status() {
    let server = Server::new();
    assert_eq!(
        server.get("/metrics", "", "").await.problem(401),
        "token_missing"
    );
    assert_eq!(
        server.ask("/metrics", "", "nobody").await.problem(403),
        "forbidden"
    );
    for id in ["x", "y"] {
        server
            .ask(
                &format!("/api/analytics-dashboard/custom/{id}"),
                "",
                "viewer",
            )
            .await;
    }
    server.get("/nowhere/at/all", "", "").await;
    let route = "/api/analytics-dashboard/custom/{id}";
    let counted =
        format!("travelsense_requests_total{{method=\"GET\",route=\"{route}\",status=\"400\"}}");
    assert_eq!(measured(&server, &counted).await, 2.0);
    let unknown = "travelsense_requests_total{method=\"GET\",route=\"none\",status=\"404\"}";
    assert_eq!(measured(&server, unknown).await, 1.0);
    let timed = format!("travelsense_request_seconds_count{{route=\"{route}\"}}");
    assert_eq!(measured(&server, &timed).await, 2.0);
    assert_eq!(
        measured(&server, "travelsense_requests_in_flight").await,
        1.0,
        "this one"
    );
    let version = server.store.data_version(&Principal::owner()).unwrap();
    assert_eq!(
        measured(&server, "travelsense_data_version").await,
        version as f64
    );
    assert_eq!(
        measured(&server, "travelsense_exports{status=\"completed\"}").await,
        0.0
    );
    if cfg!(target_os = "linux") {
        assert!(measured(&server, "travelsense_process_resident_bytes").await > 1e6);
        assert!(measured(&server, "travelsense_process_open_files").await >= 3.0);
    }
}

async fn hits(server: &Server) -> (f64, f64) {
    let hits = measured(server, "travelsense_cache_hits_total").await;
    (
        hits,
        measured(server, "travelsense_cache_misses_total").await,
    )
}

/// The answer without what belongs to the request alone.
fn data(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["data"].clone()
}

#[tokio::test]
async fn an_answer_is_shared_by_those_with_the_same_rights_and_nobody_else() {
    let server = Server::new();
    let (path, query) = GOOD[2];
    let first = data(&server.ask(path, query, "viewer").await);
    assert_eq!(hits(&server).await, (0.0, 1.0));
    assert_eq!(data(&server.ask(path, query, "viewer").await), first);
    assert_eq!(hits(&server).await, (1.0, 1.0));
    for role in ["analyst", "admin"] {
        assert_eq!(data(&server.ask(path, query, role).await), first);
    }
    assert_eq!(
        hits(&server).await,
        (1.0, 3.0),
        "other rights, another answer"
    );
    assert_eq!(
        server.ask(path, query, "nobody").await.problem(403),
        "forbidden"
    );
    assert_eq!(
        server.get(path, query, "").await.problem(401),
        "token_missing"
    );
    assert_eq!(server.ask(path, "startDate=x", "viewer").await.status, 400);
    assert_eq!(hits(&server).await, (1.0, 4.0));
    let asked = server
        .store
        .audit(&Principal::owner(), &json!({"action": "query.retention"}))
        .unwrap();
    assert_eq!(
        asked.total, 6,
        "an answer that was kept is on record like any other"
    );
}

#[tokio::test]
async fn a_change_of_the_data_is_seen_at_once() {
    let server = Server::new();
    let (path, query) = GOOD[2];
    let before = data(&server.ask(path, query, "viewer").await);
    let event = json!([{"userId": "u9", "name": "search", "ts": "2026-01-05T12:00:00Z"}]);
    server.store.ingest(&Principal::owner(), &event).unwrap();
    let after = data(&server.ask(path, query, "viewer").await);
    assert_eq!(before["cohorts"][1]["size"], 2);
    assert_eq!(after["cohorts"][1]["size"], 3, "{after}");

    // A cohort is no part of the events: what asks for one is never kept.
    let put = |method: &'static str| {
        let cohort = Request::builder()
            .method(method)
            .uri("/api/analytics-dashboard/cohorts/c")
            .header("authorization", format!("Bearer {}", token("admin")));
        cohort
            .body(Body::from(json!({"users": ["u1"]}).to_string()))
            .unwrap()
    };
    let funnel = || {
        let asked = json!({"steps": ["search"], "startDate": "2026-01-01", "endDate": "2026-01-31", "segment": {"cohort": "c"}});
        let request = Request::post("/api/analytics-dashboard/query/funnel")
            .header("authorization", format!("Bearer {}", token("viewer")));
        request.body(Body::from(asked.to_string())).unwrap()
    };
    assert_eq!(server.send(put("PUT")).await.status, 200);
    assert_eq!(data(&server.send(funnel()).await)["entered"], 1);
    assert_eq!(server.send(put("DELETE")).await.status, 200);
    assert_eq!(server.send(funnel()).await.status, 400, "it is gone");
}

#[tokio::test]
async fn many_who_ask_the_same_at_once_wait_for_one_answer() {
    let limits = Limits {
        running: 8,
        ..Limits::default()
    };
    let server = Arc::new(Server::with(vec![Key::secret(SECRET).unwrap()], limits));
    let (path, query) = GOOD[1];
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { data(&server.ask(path, query, "viewer").await) })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(hits(&server).await, (39.0, 1.0));
}

#[tokio::test]
async fn nothing_is_kept_where_that_is_turned_off() {
    let limits = Limits {
        cache: 0,
        ..Limits::default()
    };
    let server = Server::with(vec![Key::secret(SECRET).unwrap()], limits);
    for _ in 0..2 {
        data(&server.ask(GOOD[2].0, GOOD[2].1, "viewer").await);
    }
    assert_eq!(hits(&server).await, (0.0, 0.0));
}
