//! The server in this process, asked one request at a time, over a store with a fixed clock and four events.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use travelsense::access::{Key, Verifier};
use travelsense::{Analytics, Instant, Options, Principal};
use travelsense_server::{Limits, Service, router};

use crate::tokens::*;

pub(crate) const REALTIME: &str = "/api/analytics-dashboard/realtime";
pub(crate) const INSIGHTS: &str = "/api/analytics-dashboard/user-insights";
pub(crate) const COHORTS: &str = "/api/analytics-dashboard/cohort-analysis";

/// A question that each endpoint answers.
pub(crate) const GOOD: [(&str, &str); 3] = [
    (REALTIME, "metrics=active_users&timeRange=last_hour"),
    (
        INSIGHTS,
        "startDate=2026-01-01&endDate=2026-01-31&steps=search,book",
    ),
    (
        COHORTS,
        "startDate=2026-01-01&endDate=2026-01-31&cohortPeriod=weekly&analysisMetric=retention_rate",
    ),
];

pub(crate) fn store() -> Arc<Analytics> {
    let now = Instant::from_micros(NOW * 1_000_000).unwrap();
    let options = Options {
        clock: Arc::new(move || now),
        threads: Some(1),
        ..Options::default()
    };
    let store = Analytics::open_with(options).unwrap();
    let event = |user: &str, name: &str, ts: &str| json!({"userId": user, "name": name, "ts": ts});
    let events = json!([
        event("u1", "search", "2026-01-05T10:00:00Z"),
        event("u1", "book", "2026-01-06T10:00:00Z"),
        event("u2", "search", "2026-01-05T11:00:00Z"),
        event("u2", "search", "2026-03-01T11:30:00Z"),
    ]);
    assert_eq!(
        store.ingest(&Principal::owner(), &events).unwrap().accepted,
        4
    );
    Arc::new(store)
}

pub(crate) fn verifier(keys: Vec<Key>) -> Verifier {
    Verifier::new(keys, ISSUER, AUDIENCE).unwrap()
}

pub(crate) struct Server {
    pub(crate) store: Arc<Analytics>,
    pub(crate) service: Service,
    router: Router,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(vec![Key::secret(SECRET).unwrap()], Limits::default())
    }

    pub(crate) fn with(keys: Vec<Key>, limits: Limits) -> Self {
        let store = store();
        let service = Service::new(Arc::clone(&store), verifier(keys), limits);
        Self::of(store, service.clone(), router(service))
    }

    pub(crate) fn of(store: Arc<Analytics>, service: Service, router: Router) -> Self {
        Self {
            store,
            service,
            router,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 10_000_000).await.unwrap().to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply {
            status: parts.status,
            headers: parts.headers,
            text,
            json,
        }
    }

    /// Asks with an `Authorization` header, or with none where it is empty.
    pub(crate) async fn get(&self, path: &str, query: &str, authorization: &str) -> Reply {
        let mut request = Request::get(format!("{path}?{query}"));
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn ask(&self, path: &str, query: &str, role: &str) -> Reply {
        self.get(path, query, &format!("Bearer {}", token(role)))
            .await
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// Checks that it is a whole problem and gives its code.
    pub(crate) fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json.as_object().unwrap();
        let names: Vec<&str> = body.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "code",
                "detail",
                "errors",
                "instance",
                "requestId",
                "status",
                "title",
                "type"
            ]
        );
        assert_eq!(body["status"], status);
        assert_eq!(body["requestId"], self.header("x-request-id"));
        let code = body["code"].as_str().unwrap();
        assert_eq!(body["type"], format!("urn:travelsense:problem:{code}"));
        assert!(!body["detail"].as_str().unwrap().is_empty());
        code
    }

    /// Its field errors as `field code`.
    pub(crate) fn faults(&self) -> Vec<String> {
        assert_eq!(self.problem(400), "validation_failed");
        let errors = self.json["errors"].as_array().unwrap();
        let text = |e: &Value, name: &str| e[name].as_str().unwrap().to_owned();
        for error in errors {
            assert!(!text(error, "message").is_empty());
        }
        errors
            .iter()
            .map(|e| format!("{} {}", text(e, "field"), text(e, "code")))
            .collect()
    }
}
