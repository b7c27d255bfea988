//! The server over HTTP: who is let in, in which order things are checked, and what each answer looks like.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use travelsense::access::{Key, Verifier};
use travelsense::{Analytics, Instant, Options, Principal};
use travelsense_server::{Limits, Service, router};

use crate::tokens::*;

const REALTIME: &str = "/api/analytics-dashboard/realtime";
const INSIGHTS: &str = "/api/analytics-dashboard/user-insights";
const COHORTS: &str = "/api/analytics-dashboard/cohort-analysis";

/// A question that each endpoint answers.
const GOOD: [(&str, &str); 3] = [
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

fn store() -> Arc<Analytics> {
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

fn verifier(keys: Vec<Key>) -> Verifier {
    Verifier::new(keys, ISSUER, AUDIENCE).unwrap()
}

struct Server {
    store: Arc<Analytics>,
    router: Router,
}

impl Server {
    fn new() -> Self {
        Self::with(vec![Key::secret(SECRET).unwrap()], Limits::default())
    }

    fn with(keys: Vec<Key>, limits: Limits) -> Self {
        let store = store();
        let router = router(Service::new(Arc::clone(&store), verifier(keys), limits));
        Self { store, router }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
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
    async fn get(&self, path: &str, query: &str, authorization: &str) -> Reply {
        let mut request = Request::get(format!("{path}?{query}"));
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn ask(&self, path: &str, query: &str, role: &str) -> Reply {
        self.get(path, query, &format!("Bearer {}", token(role)))
            .await
    }
}

#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// Checks that it is a whole problem and gives its code.
    fn problem(&self, status: u16) -> &str {
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
    fn faults(&self) -> Vec<String> {
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

#[tokio::test]
async fn without_a_valid_token_every_endpoint_answers_401() {
    let server = Server::new();
    let bearer = |token: String| format!("Bearer {token}");
    let key = |algorithm, pem: &str| match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(),
        _ => EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(),
    };
    let foreign =
        |algorithm, pem| bearer(signed(algorithm, &key(algorithm, pem), &claims("admin")));
    let table = [
        (String::new(), "token_missing"),
        ("Bearer".to_owned(), "token_missing"),
        ("Bearer ".to_owned(), "token_missing"),
        ("Basic dTpw".to_owned(), "token_missing"),
        (token("admin"), "token_missing"),
        (bearer("undefined".to_owned()), "token_malformed"),
        (bearer(format!("{} x", token("admin"))), "token_malformed"),
        (bearer(sign(&with("exp", json!(NOW - 31)))), "token_expired"),
        (
            bearer(sign(&with("exp", json!("9999999999")))),
            "token_malformed",
        ),
        (
            bearer(sign(&with("nbf", json!(NOW + 31)))),
            "token_not_yet_valid",
        ),
        (bearer(sign(&with("nbf", json!("0")))), "token_malformed"),
        (bearer(unsigned()), "token_wrong_algorithm"),
        (
            bearer(signed(
                Algorithm::HS256,
                &EncodingKey::from_secret(OTHER),
                &claims("admin"),
            )),
            "token_bad_signature",
        ),
        (
            bearer(signed(
                Algorithm::HS512,
                &EncodingKey::from_secret(SECRET),
                &claims("admin"),
            )),
            "token_wrong_algorithm",
        ),
        (foreign(Algorithm::RS256, RSA), "token_wrong_algorithm"),
        (foreign(Algorithm::ES256, EC), "token_wrong_algorithm"),
        (foreign(Algorithm::EdDSA, ED), "token_wrong_algorithm"),
        (
            bearer(sign(&with("aud", json!("another")))),
            "token_wrong_audience",
        ),
        (
            bearer(sign(&with("iss", json!("https://evil.example")))),
            "token_wrong_issuer",
        ),
        (bearer(sign(&without("exp"))), "token_missing_claim"),
        (bearer(sign(&without("sub"))), "token_missing_claim"),
        (bearer(sign(&without("iss"))), "token_missing_claim"),
        (bearer(sign(&without("aud"))), "token_missing_claim"),
    ];
    for (path, query) in GOOD {
        for (authorization, code) in &table {
            // What else is wrong with the request does not matter before it is known who asks.
            for query in [query, "startDate=nonsense&unknown=1"] {
                let reply = server.get(path, query, authorization).await;
                assert_eq!(reply.problem(401), *code, "{path} {authorization}");
                assert_eq!(reply.json["errors"], json!([]));
                assert_eq!(reply.json["instance"], path);
                let challenge = reply.header("www-authenticate");
                assert!(
                    challenge.starts_with("Bearer realm=\"travelsense\""),
                    "{challenge}"
                );
                assert_eq!(
                    challenge.contains("error=\"invalid_token\""),
                    *code != "token_missing"
                );
            }
        }
    }
}

#[tokio::test]
async fn two_authorization_headers_are_none() {
    let request = Request::get(REALTIME)
        .header("authorization", format!("Bearer {}", token("admin")))
        .header("authorization", format!("Bearer {}", token("viewer")));
    let reply = Server::new()
        .send(request.body(Body::empty()).unwrap())
        .await;
    assert_eq!(reply.problem(401), "token_malformed");
}

#[tokio::test]
async fn a_role_without_rights_is_403_before_anything_is_validated() {
    let server = Server::new();
    for (path, query) in GOOD {
        for query in [query, "startDate=nonsense&unknown=1"] {
            for claims in [claims("root"), claims("Admin"), claims(""), without("role")] {
                let reply = server
                    .get(path, query, &format!("Bearer {}", sign(&claims)))
                    .await;
                assert_eq!(reply.problem(403), "forbidden", "{path}");
                assert_eq!(reply.header("www-authenticate"), "");
                assert_eq!(reply.json["errors"], json!([]));
            }
        }
    }
}

#[tokio::test]
async fn every_role_with_rights_reads_and_the_scheme_is_case_insensitive() {
    let server = Server::new();
    for (path, query) in GOOD {
        for role in ["admin", "analyst", "viewer"] {
            assert_eq!(server.ask(path, query, role).await.status, 200);
        }
        assert_eq!(
            server
                .get(path, query, &format!("bearer {}", token("viewer")))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn public_keys_let_in_whom_they_signed() {
    let pairs = [
        (
            Algorithm::RS256,
            EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap(),
            RSA_PUBLIC,
        ),
        (
            Algorithm::ES256,
            EncodingKey::from_ec_pem(EC.as_bytes()).unwrap(),
            EC_PUBLIC,
        ),
        (
            Algorithm::EdDSA,
            EncodingKey::from_ed_pem(ED.as_bytes()).unwrap(),
            ED_PUBLIC,
        ),
    ];
    for (algorithm, private, public) in pairs {
        let server = Server::with(vec![Key::pem(public).unwrap()], Limits::default());
        let (path, query) = GOOD[0];
        let good = format!("Bearer {}", signed(algorithm, &private, &claims("viewer")));
        assert_eq!(server.get(path, query, &good).await.status, 200);
        // A secret that an attacker knows, because it is the public key.
        let secret = EncodingKey::from_secret(public.as_bytes());
        let forged = format!(
            "Bearer {}",
            signed(Algorithm::HS256, &secret, &claims("admin"))
        );
        assert_eq!(
            server.get(path, query, &forged).await.problem(401),
            "token_wrong_algorithm"
        );
    }
}

#[tokio::test]
async fn bad_parameters_are_400_and_name_the_field() {
    let range = "startDate=2026-01-01&endDate=2026-01-31";
    let insights = |more: &str| format!("{range}&steps=search,book&{more}");
    let cohorts =
        |more: &str| format!("{range}&cohortPeriod=weekly&analysisMetric=retention_rate&{more}");
    let many = format!("steps={}", vec!["a"; 65].join(","));
    let table: Vec<(&str, String, &[&str])> = vec![
        (
            REALTIME,
            "metrics=users".into(),
            &["metrics[0] not_in_list"],
        ),
        (
            REALTIME,
            "metrics=active_users,x&metrics[]=y".into(),
            &["metrics[1] not_in_list", "metrics[2] not_in_list"],
        ),
        (REALTIME, "metrics=".into(), &["metrics[0] not_in_list"]),
        (
            REALTIME,
            "metrics=%7B%22a%22:1%7D".into(),
            &["metrics[0] invalid_type"],
        ),
        (
            REALTIME,
            "timeRange=last_day".into(),
            &["timeRange not_in_list"],
        ),
        (REALTIME, "timeRange=".into(), &["timeRange not_in_list"]),
        (
            REALTIME,
            "timeRange=last_hour&timeRange=last_hour".into(),
            &["timeRange repeated"],
        ),
        (
            REALTIME,
            "refreshInterval=4".into(),
            &["refreshInterval out_of_range"],
        ),
        (
            REALTIME,
            "refreshInterval=301".into(),
            &["refreshInterval out_of_range"],
        ),
        (
            REALTIME,
            "refreshInterval=-5".into(),
            &["refreshInterval out_of_range"],
        ),
        (
            REALTIME,
            "refreshInterval=30.5".into(),
            &["refreshInterval invalid_type"],
        ),
        (
            REALTIME,
            "refreshInterval=abc".into(),
            &["refreshInterval invalid_type"],
        ),
        (
            REALTIME,
            "refreshInterval=".into(),
            &["refreshInterval invalid_type"],
        ),
        (
            REALTIME,
            "refreshInterval=5&refreshInterval=6".into(),
            &["refreshInterval repeated"],
        ),
        (REALTIME, "color=red".into(), &["color unknown_field"]),
        (
            INSIGHTS,
            "steps=a".into(),
            &["startDate required", "endDate required"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-01".into(),
            &["endDate required"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=&endDate=2026-01-31".into(),
            &["startDate invalid_date"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=01/02/2026&endDate=2026-01-31".into(),
            &["startDate invalid_date"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-02-30&endDate=2026-02-31".into(),
            &["startDate invalid_date", "endDate invalid_date"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-31&endDate=2026-01-01".into(),
            &["endDate not_after_start"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-31&endDate=2026-01-31".into(),
            &["endDate not_after_start"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-03-02&endDate=2026-03-03".into(),
            &["startDate in_future", "endDate in_future"],
        ),
        (
            INSIGHTS,
            "steps=a&startDate=2026-01-01&endDate=2099-01-01".into(),
            &["endDate in_future"],
        ),
        (
            INSIGHTS,
            insights("timezone=Mars/Base"),
            &["timezone unknown_zone"],
        ),
        (INSIGHTS, insights("timezone="), &["timezone unknown_zone"]),
        (INSIGHTS, insights("segment=gold"), &["segment not_in_list"]),
        (
            INSIGHTS,
            insights("segment=all&segment=new"),
            &["segment repeated"],
        ),
        (
            INSIGHTS,
            insights("insightType=funnel"),
            &["insightType not_in_list"],
        ),
        (
            INSIGHTS,
            insights("insightType=user_journeys"),
            &["insightType not_available"],
        ),
        (INSIGHTS, insights("limit=0"), &["limit out_of_range"]),
        (INSIGHTS, insights("limit=101"), &["limit out_of_range"]),
        (INSIGHTS, insights("limit=ten"), &["limit invalid_type"]),
        (INSIGHTS, insights("window=-1d"), &["window out_of_range"]),
        (INSIGHTS, insights("window=-60"), &["window out_of_range"]),
        (
            INSIGHTS,
            insights("window=soon"),
            &["window invalid_window"],
        ),
        (
            INSIGHTS,
            insights("window=1d&window=2d"),
            &["window repeated"],
        ),
        (
            INSIGHTS,
            insights("strictIncrease=maybe"),
            &["strictIncrease invalid_type"],
        ),
        (
            INSIGHTS,
            insights("timeBetween=2,1"),
            &["timeBetween out_of_range"],
        ),
        (
            INSIGHTS,
            insights("timeBetween=1"),
            &["timeBetween invalid_length"],
        ),
        (
            INSIGHTS,
            insights("asOf=2099-01-01T00:00:00Z"),
            &["asOf in_future"],
        ),
        (INSIGHTS, insights("asOf=yesterday"), &["asOf invalid_date"]),
        (
            INSIGHTS,
            insights("StartDate=2026-01-01"),
            &["StartDate unknown_field"],
        ),
        (
            INSIGHTS,
            insights("cohortPeriod=weekly"),
            &["cohortPeriod unknown_field"],
        ),
        (
            INSIGHTS,
            format!("{range}&{many}"),
            &["steps invalid_length"],
        ),
        (
            INSIGHTS,
            format!("{range}&steps=%5B%5D"),
            &["steps invalid_length"],
        ),
        (
            INSIGHTS,
            format!("{range}&steps="),
            &["steps[0] invalid_length"],
        ),
        (
            INSIGHTS,
            format!("{range}&steps=a,,b"),
            &["steps[1] invalid_length"],
        ),
        (
            COHORTS,
            range.into(),
            &["cohortPeriod required", "analysisMetric required"],
        ),
        (
            COHORTS,
            format!("{range}&cohortPeriod=yearly&analysisMetric=retention_rate"),
            &["cohortPeriod not_in_list"],
        ),
        (
            COHORTS,
            format!("{range}&cohortPeriod=daily&analysisMetric=churn"),
            &["analysisMetric not_in_list"],
        ),
        (
            COHORTS,
            format!("{range}&cohortPeriod=daily&analysisMetric=revenue"),
            &["analysisMetric not_available"],
        ),
        (COHORTS, cohorts("segment=vip"), &["segment not_in_list"]),
        (
            COHORTS,
            cohorts("weekStart=funday"),
            &["weekStart not_in_list"],
        ),
        (COHORTS, cohorts("mode=always"), &["mode not_in_list"]),
        (COHORTS, cohorts("periods=-1"), &["periods out_of_range"]),
        (COHORTS, cohorts("start="), &["start invalid_length"]),
        (
            COHORTS,
            cohorts("x=1&x=2&y"),
            &["x unknown_field", "y unknown_field"],
        ),
        (
            COHORTS,
            "startDate=x&endDate=2099-01-01&cohortPeriod=w&segment=s&segment=t&zzz=1".into(),
            &[
                "cohortPeriod not_in_list",
                "startDate invalid_date",
                "segment repeated",
                "analysisMetric required",
                "endDate in_future",
                "zzz unknown_field",
            ],
        ),
    ];
    let server = Server::new();
    for (path, query, faults) in table {
        let reply = server.ask(path, &query, "viewer").await;
        assert_eq!(reply.faults(), faults, "{path} {query}");
    }
}

#[tokio::test]
async fn whatever_stands_once_only_is_refused_when_it_stands_twice() {
    let server = Server::new();
    let cohorts = [
        "startDate",
        "endDate",
        "cohortPeriod",
        "analysisMetric",
        "segment",
        "timezone",
        "mode",
        "weekStart",
        "periods",
        "asOf",
    ];
    let insights = [
        "startDate",
        "endDate",
        "segment",
        "insightType",
        "limit",
        "window",
        "timezone",
        "asOf",
        "strictIncrease",
    ];
    for (path, names) in [
        (COHORTS, &cohorts[..]),
        (INSIGHTS, &insights[..]),
        (REALTIME, &["timeRange", "refreshInterval"]),
    ] {
        for name in names {
            let reply = server
                .ask(path, &format!("{name}=1&{name}=1"), "viewer")
                .await;
            assert!(
                reply.faults().contains(&format!("{name} repeated")),
                "{path} {name}: {}",
                reply.text
            );
        }
    }
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
async fn unknown_paths_and_methods_are_problems_too() {
    let server = Server::new();
    for path in [
        "/",
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
async fn a_large_body_is_refused() {
    let request = Request::get(REALTIME).header("content-length", "65537");
    let reply = Server::new()
        .send(request.body(Body::from(vec![b' '; 65_537])).unwrap())
        .await;
    assert_eq!(reply.problem(413), "body_too_large");
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
