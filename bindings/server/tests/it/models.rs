//! Models and feedback over HTTP.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::client::*;
use crate::tokens::*;

const API: &str = "/api/analytics-dashboard";

async fn send(server: &Server, method: Method, path: &str, role: &str, body: Vec<u8>) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(format!("{API}/{path}"))
        .header("authorization", format!("Bearer {}", token(role)));
    server.send(request.body(Body::from(body)).unwrap()).await
}

fn file(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/models");
    std::fs::read(folder.join(name)).unwrap()
}

#[tokio::test]
async fn a_model_is_registered_read_asked_and_removed() {
    let server = Server::new();
    let path = "models?name=churn&classes=stays,goes";
    let refused = send(&server, Method::POST, path, "viewer", file("churn.json")).await;
    assert_eq!(refused.status, 403);
    let made = send(&server, Method::POST, path, "analyst", file("churn.json")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json["data"]["_id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("{API}/models/{id}"));
    let listed = send(
        &server,
        Method::GET,
        "models?search=CHU",
        "viewer",
        Vec::new(),
    )
    .await;
    assert_eq!(listed.json["meta"]["pagination"]["total"], 1);
    let read = send(&server, Method::GET, "models/churn@1", "viewer", Vec::new()).await;
    assert_eq!(read.json["data"]["_id"], id);
    let rows: Value = serde_json::from_slice(&file("expected.json")).unwrap();
    let ask = json!({"rows": rows["rows"], "ids": [1, 2, 3, 4], "feedback": "goes"}).to_string();
    let scored = send(
        &server,
        Method::POST,
        "models/churn/score",
        "admin",
        ask.into_bytes(),
    )
    .await;
    assert_eq!(scored.status, 200, "{}", scored.text);
    let chances = &scored.json["data"]["predictions"]["probability_goes"];
    let want = rows["churn.json"]["probability_1"].as_array().unwrap();
    for (got, want) in chances.as_array().unwrap().iter().zip(want) {
        assert!((got.as_f64().unwrap() - want.as_f64().unwrap()).abs() < 1e-6);
    }
    let word = json!({"model": "churn", "rows": rows["rows"]}).to_string();
    let same = send(
        &server,
        Method::POST,
        "query/score",
        "viewer",
        word.into_bytes(),
    )
    .await;
    assert_eq!(
        same.json["data"]["predictions"]["probability_goes"],
        *chances
    );
    let told = json!({"uniqueId": [1, 2], "y": [0, 1]}).to_string();
    let told = send(
        &server,
        Method::POST,
        "feedback/goes/actuals",
        "admin",
        told.into_bytes(),
    )
    .await;
    assert_eq!(told.json["data"]["new"], 2, "{}", told.text);
    let outside = json!({"model": "sheet", "mean": [1], "ds": ["2026-01-01"]}).to_string();
    let kept = send(
        &server,
        Method::POST,
        "feedback/theirs/predictions",
        "admin",
        outside.into_bytes(),
    )
    .await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    let logs = send(&server, Method::GET, "feedback", "viewer", Vec::new()).await;
    assert_eq!(logs.json["data"].as_array().unwrap().len(), 2);
    let answer = send(
        &server,
        Method::GET,
        "feedback/goes?runs=10",
        "viewer",
        Vec::new(),
    )
    .await;
    assert_eq!(answer.json["data"]["scores"]["n"], 2);
    assert_eq!(answer.json["data"]["waiting"], 2);
    let rows = send(
        &server,
        Method::GET,
        "feedback/goes?rows=true",
        "viewer",
        Vec::new(),
    )
    .await;
    assert_eq!(rows.status, 403);
    let gone = send(
        &server,
        Method::DELETE,
        "feedback/goes",
        "admin",
        Vec::new(),
    )
    .await;
    assert_eq!(gone.status, 204);
    let gone = send(&server, Method::DELETE, "models/churn", "admin", Vec::new()).await;
    assert_eq!(gone.status, 204);
    let missing = send(&server, Method::GET, "models/churn", "viewer", Vec::new()).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_file_that_is_no_model_is_refused_by_name() {
    let server = Server::new();
    let table = [
        (b"no model".to_vec(), "malformed_model"),
        (file("churn.onnx")[..2_000].to_vec(), "malformed_model"),
        (Vec::new(), "malformed_model"),
    ];
    for (body, code) in table {
        let refused = send(&server, Method::POST, "models?name=m", "admin", body).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json["errors"][0]["field"], "file");
        assert_eq!(refused.json["errors"][0]["code"], code);
    }
    let nameless = send(&server, Method::POST, "models", "admin", file("churn.json")).await;
    assert_eq!(nameless.json["errors"][0]["field"], "name");
    let listed = send(&server, Method::GET, "models", "viewer", Vec::new()).await;
    assert_eq!(listed.json["meta"]["pagination"]["total"], 0);
}
