//! How a browser logs in and stays logged in, and what another site cannot do with its cookie.

use axum::body::Body;
use axum::http::Request;

use crate::client::{REALTIME, Reply, Server};
use crate::tokens::token;

const SESSION: &str = "/api/analytics-dashboard/session";

async fn send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

const OURS: (&str, &str) = ("x-requested-with", "travelsense");

async fn begin(server: &Server, body: &str) -> Reply {
    send(server, "POST", SESSION, &[OURS], body).await
}

/// The name and value of the cookie that an answer sets.
fn cookie(reply: &Reply) -> &str {
    reply
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
}

#[tokio::test]
async fn a_token_becomes_a_cookie_that_no_script_reads_and_no_other_site_sends() {
    let server = Server::new();
    let body = format!(r#"{{"token": "{}"}}"#, token("viewer"));
    let begun = begin(&server, &body).await;
    assert_eq!(begun.status.as_u16(), 200, "{}", begun.text);
    assert_eq!(begun.json["data"]["role"], "viewer");
    assert_eq!(
        begun.json["data"]["permissions"],
        serde_json::json!(["read_analytics", "read_dashboards", "read_alerts"])
    );
    let set = begun.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/api", "Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "{set}");

    let known = send(&server, "GET", SESSION, &[("cookie", cookie(&begun))], "").await;
    assert_eq!(known.json["data"]["userId"], "u1");
    let asked = send(&server, "GET", REALTIME, &[("cookie", cookie(&begun))], "").await;
    assert_eq!(asked.status.as_u16(), 200);

    let headers = [OURS, ("origin", "https://analytics.example")];
    let encrypted = send(&server, "POST", SESSION, &headers, &body).await;
    assert!(encrypted.header("set-cookie").contains("; Secure"));
    let ended = send(&server, "DELETE", SESSION, &[], "").await;
    assert!(ended.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn a_cookie_changes_nothing_without_the_header_that_only_our_pages_send() {
    let server = Server::new();
    let begun = begin(&server, &format!(r#"{{"token": "{}"}}"#, token("admin"))).await;
    let cookie = ("cookie", cookie(&begun));
    let path = "/api/analytics-dashboard/cohorts/x";
    let body = r#"{"users": ["u1"]}"#;
    let forged = send(&server, "PUT", path, &[cookie], body).await;
    assert_eq!(forged.problem(401), "token_missing");
    let own = send(&server, "PUT", path, &[cookie, OURS], body).await;
    assert_eq!(own.status.as_u16(), 200, "{}", own.text);
    let login = send(&server, "POST", SESSION, &[], r#"{"token": "x"}"#).await;
    assert_eq!(login.faults(), ["x-requested-with required"]);
}

#[tokio::test]
async fn a_code_logs_in_once_and_what_is_no_proof_sets_no_cookie() {
    let server = Server::new();
    server.service.admit_once("c0de", token("admin"));
    let first = begin(&server, r#"{"code": "c0de"}"#).await;
    assert_eq!(first.json["data"]["role"], "admin");
    for (body, status) in [
        (r#"{"code": "c0de"}"#, 401),
        (r#"{"code": ""}"#, 401),
        (r#"{"token": "wrong"}"#, 401),
        (r#"{"token": "a\nb"}"#, 401),
        (r#"{"token": ""}"#, 400),
        (r#"{"token": 1}"#, 400),
        (r#"{"token": "a", "code": "b"}"#, 400),
        ("{}", 400),
        ("{", 400),
    ] {
        let refused = begin(&server, body).await;
        refused.problem(status);
        assert_eq!(refused.header("set-cookie"), "", "{body}");
    }
}

#[tokio::test]
async fn our_cookie_is_found_among_others() {
    let server = Server::new();
    let good = token("admin");
    for (given, status) in [
        (format!("travelsense={good}"), 200),
        (format!("a=b; travelsense={good}; c=d"), 200),
        (format!("travelsense2={good}"), 401),
        (format!("nottravelsense={good}"), 401),
        (String::new(), 401),
    ] {
        let asked = send(&server, "GET", SESSION, &[("cookie", &given)], "").await;
        assert_eq!(asked.status.as_u16(), status, "{given}");
    }
    let bearer = format!("Bearer {}", token("viewer"));
    let both = [("cookie", "travelsense=wrong"), ("authorization", &bearer)];
    let asked = send(&server, "GET", SESSION, &both, "").await;
    assert_eq!(asked.json["data"]["role"], "viewer");
}
