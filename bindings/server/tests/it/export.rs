//! Exports and charts over HTTP: statuses, headers and files.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::client::*;
use crate::tokens::*;

const EXPORT: &str = "/api/analytics-dashboard/export";

fn good() -> Value {
    json!({ "exportType": "report", "format": "csv",
        "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } })
}

/// Sends a body, with the role's token unless the role is empty.
async fn send(server: &Server, method: Method, path: &str, role: &str, body: &Value) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if !role.is_empty() {
        request = request.header("authorization", format!("Bearer {}", token(role)));
    }
    server
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

/// Waits until an export is over.
async fn over(server: &Server, path: &str) -> Reply {
    for _ in 0..600 {
        let reply = server.ask(path, "", "admin").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let status = reply.json["data"]["status"].as_str().unwrap();
        if status == "completed" || status == "failed" {
            return reply;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} is never over")
}

#[tokio::test]
async fn an_export_is_made_looked_at_listed_and_fetched() {
    let server = Server::new();
    let made = send(&server, Method::POST, EXPORT, "admin", &good()).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let id = made.json["data"]["_id"].as_str().unwrap();
    let path = format!("{EXPORT}/{id}");
    let job = over(&server, &path).await.json["data"].clone();
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["fileUrl"], format!("{path}/file"));
    let listed = server
        .ask(
            "/api/analytics-dashboard/exports",
            "limit=1&status=completed",
            "admin",
        )
        .await;
    assert_eq!(
        listed.json["data"]["exports"][0]["_id"], id,
        "{}",
        listed.text
    );

    let file = server.ask(&format!("{path}/file"), "", "admin").await;
    assert_eq!(file.status, 200, "{}", file.text);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"report-2026-01-01.csv\""
    );
    assert_eq!(file.header("content-length"), file.text.len().to_string());
    assert_eq!(file.header("cache-control"), "no-store");
    assert!(file.text.starts_with("section,row,column,value\r\n"));
    let again = send(&server, Method::DELETE, &path, "admin", &Value::Null).await;
    assert_eq!(again.problem(409), "export_over");
}

#[tokio::test]
async fn every_status_of_the_specification_is_answered_in_its_order() {
    let server = Server::new();
    let bad = json!({ "exportType": "all" });
    let post = |role: &'static str, body: Value| {
        let server = &server;
        async move { send(server, Method::POST, EXPORT, role, &body).await }
    };
    assert_eq!(post("", bad.clone()).await.problem(401), "token_missing");
    assert_eq!(post("nobody", bad.clone()).await.problem(403), "forbidden");
    let mut faults = post("admin", bad).await.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "dateRange required",
            "exportType not_in_list",
            "format required"
        ]
    );
    let mut of_none = good();
    of_none["dashboardId"] = json!("507f1f77bcf86cd799439011");
    assert_eq!(
        post("admin", of_none).await.faults(),
        ["dashboardId not_found"]
    );
    let mut events = good();
    events["exportType"] = json!("dataset");
    assert_eq!(post("viewer", events).await.problem(403), "forbidden");
    let none = server
        .ask(&format!("{EXPORT}/507f1f77bcf86cd799439011"), "", "admin")
        .await;
    assert_eq!(none.problem(404), "not_found");
    let wrong = server
        .ask(
            &format!("{EXPORT}/..%2f..%2fetc%2fpasswd/file"),
            "",
            "admin",
        )
        .await;
    assert_eq!(wrong.faults(), ["id invalid_id"]);
    let method = send(&server, Method::PUT, EXPORT, "admin", &good()).await;
    method.problem(405);
}

#[tokio::test]
async fn whoever_is_named_is_told_that_an_export_is_over() {
    let server = Server::new();
    let mut named = good();
    named["notify"] = json!([
        { "type": "webhook", "url": "https://example.com/hook" },
        { "type": "email", "to": ["ops@example.com"] },
        { "type": "in_app", "roles": ["analyst"] },
    ]);
    let refused = send(&server, Method::POST, EXPORT, "viewer", &named).await;
    assert_eq!(refused.problem(403), "forbidden");
    let made = send(&server, Method::POST, EXPORT, "admin", &named).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let id = made.json["data"]["_id"].as_str().unwrap();
    over(&server, &format!("{EXPORT}/{id}")).await;
    let ask = async |path: &str, role| {
        let path = format!("/api/analytics-dashboard/{path}");
        server.ask(&path, "", role).await.json["data"].clone()
    };
    let deliveries = ask("deliveries", "admin").await;
    let mut kinds: Vec<&str> = deliveries
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            assert_eq!(d["body"]["type"], "export.completed");
            assert_eq!(d["body"]["data"]["exportId"], id);
            d["channel"]["type"].as_str().unwrap()
        })
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["email", "webhook"]);
    // All tokens of these tests are of one user, who sees her own and those of her role.
    assert_eq!(
        ask("notifications", "admin").await.as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        ask("notifications", "analyst")
            .await
            .as_array()
            .map(Vec::len),
        Some(2)
    );

    named["notify"] = json!([{ "type": "pigeon" }, { "type": "webhook", "url": "ftp://x" }, 7]);
    named["format"] = json!("doc");
    let faults = send(&server, Method::POST, EXPORT, "admin", &named)
        .await
        .faults();
    let expected = [
        "format not_in_list",
        "notify[0].type not_in_list",
        "notify[1].url invalid_url",
        "notify[2] invalid_type",
    ];
    assert_eq!(faults, expected);
}

#[tokio::test]
async fn an_answer_is_drawn_as_svg() {
    let server = Server::new();
    let question =
        json!({ "startDate": "2026-01-01", "endDate": "2026-01-31", "steps": ["search", "book"] });
    let path = "/api/analytics-dashboard/chart/funnel";
    let drawn = send(&server, Method::POST, path, "viewer", &question).await;
    assert_eq!(drawn.status, 200, "{}", drawn.text);
    assert_eq!(drawn.header("content-type"), "image/svg+xml");
    assert!(
        drawn.text.starts_with("<svg ")
            && drawn.text.contains("<title>From search to book</title>")
    );
    let other = "/api/analytics-dashboard/chart/insights";
    let other = send(&server, Method::POST, other, "viewer", &question).await;
    assert_eq!(other.faults(), ["word not_in_list"]);
}
