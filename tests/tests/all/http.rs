//! The HTTP door without a socket: one request at a time to the router.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use serde_json::value::RawValue;
use tower::ServiceExt as _;
use travelsense::access::{Claims, Key, Verifier, mint};
use travelsense::{Analytics, Instant};
use travelsense_server::{Limits, Service, router};
use travelsense_tests::vector::{FieldCode, Vector};

use crate::vectors::Said;

const SECRET: &[u8] = b"a secret of the tests, and of nobody else at all";

/// A server over a store, and a token that opens it.
pub(crate) struct Door {
    router: Router,
    token: String,
    runtime: tokio::runtime::Runtime,
}

impl Door {
    pub(crate) fn new(store: Arc<Analytics>) -> Self {
        let after = |hours: i64| {
            Instant::saturating_from_micros(store.now().micros() + hours * 3_600_000_000)
        };
        let claims = Claims {
            sub: "tester".to_owned(),
            role: "analyst".to_owned(),
            iss: "tests".to_owned(),
            aud: "travelsense".to_owned(),
            iat: after(0),
            exp: after(1),
        };
        let token = mint(SECRET, &claims).expect("a token");
        let key = Key::secret(SECRET).expect("a key");
        let verifier = Verifier::new(vec![key], "tests", "travelsense").expect("a verifier");
        Self {
            router: router(Service::new(store, verifier, Limits::default())),
            token,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    /// The query string of a vector's question, unless the question gives a plain parameter the wrong type on purpose:
    /// in a query string everything but a list is text.
    pub(crate) fn query(vector: &Vector) -> Option<String> {
        let question = vector.question.as_object().expect("questions are objects");
        let of_a_type = |field: &str| {
            vector
                .error
                .iter()
                .flat_map(|e| &e.errors)
                .any(|e| e.field == field && e.code == "invalid_type")
        };
        if question.keys().any(|name| of_a_type(name)) {
            return None;
        }
        Some(query(&vector.question))
    }

    /// Asks by a query string; the answer is the core's part of the body.
    pub(crate) fn ask(&self, word: &str, query: &str) -> Said {
        said(word, self.get(word, query))
    }

    /// Asks by a body, which takes any word and any question.
    pub(crate) fn tell(&self, word: &str, question: &Value) -> Said {
        let request = Request::post(format!("/api/analytics-dashboard/query/{word}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::from(question.to_string()))
            .expect("a request");
        said("", self.send(request))
    }

    /// The ids of the users behind a number.
    pub(crate) fn people(&self, request: &Value) -> Vec<String> {
        let request = Request::post("/api/analytics-dashboard/people")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::from(request.to_string()))
            .expect("a request");
        let people = said("", self.send(request)).expect("people");
        let users = people["users"].as_array().cloned().unwrap_or_default();
        let id = |user: &Value| user["userId"].as_str().expect("an id").to_owned();
        users.iter().map(id).collect()
    }

    /// The status and the body of a request.
    pub(crate) fn get(&self, word: &str, query: &str) -> (u16, String) {
        let (path, more) = match word {
            "funnel" => ("user-insights", "insightType=conversion_funnel&"),
            "retention" => ("cohort-analysis", ""),
            "realtime" => ("realtime", ""),
            other => panic!("`{other}` is no word"),
        };
        let request = Request::get(format!("/api/analytics-dashboard/{path}?{more}{query}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .expect("a request");
        self.send(request)
    }

    fn send(&self, request: Request<Body>) -> (u16, String) {
        self.runtime.block_on(async {
            let response = self
                .router
                .clone()
                .oneshot(request)
                .await
                .expect("an answer");
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), usize::MAX)
                .await
                .expect("a body");
            (status, String::from_utf8(body.to_vec()).expect("text"))
        })
    }
}

fn said(word: &str, (status, body): (u16, String)) -> Said {
    if status == 200 {
        return Ok(serde_json::from_str(&answer(word, &body)).expect("JSON"));
    }
    let problem: Value = serde_json::from_str(&body).expect("a problem is JSON");
    let absent = problem["code"] == "not_found";
    assert_eq!(status, if absent { 404 } else { 400 }, "{problem}");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let errors = errors.iter().map(|e| FieldCode {
        field: text(&e["field"]),
        code: text(&e["code"]),
    });
    Err((text(&problem["code"]), errors.collect()))
}

/// The core's answer within a body, byte for byte.
pub(crate) fn answer(word: &str, body: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Body<T> {
        data: T,
    }
    let read = "a body with data";
    if word == "funnel" {
        let insights: Body<Vec<Body<Box<RawValue>>>> = serde_json::from_str(body).expect(read);
        insights
            .data
            .first()
            .expect("an insight")
            .data
            .get()
            .to_owned()
    } else {
        let body: Body<Box<RawValue>> = serde_json::from_str(body).expect(read);
        body.data.get().to_owned()
    }
}

/// A question as a query string: lists as JSON, null as `*`, the rest as plain text.
pub(crate) fn query(question: &Value) -> String {
    let question = question.as_object().expect("questions are objects");
    let pairs = question.iter().filter_map(|(name, value)| {
        let text = match value {
            Value::Null if name == "start" || name == "return" => "*".to_owned(),
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(format!("{name}={}", escaped(&text)))
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
