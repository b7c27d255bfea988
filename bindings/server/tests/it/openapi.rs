//! The description of the API: it is the committed one, and it and the router have the same routes.

use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use travelsense_server::openapi;

use crate::client::*;
use crate::tokens::*;

fn document() -> Value {
    serde_json::from_str(openapi()).unwrap()
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whether the document is written anew is said by whoever runs the test"
)]
fn the_committed_document_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("TRAVELSENSE_GOLDEN").is_some_and(|v| v == "write") {
        fs::write(&path, openapi()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == openapi(),
        "the API changed: run this test with TRAVELSENSE_GOLDEN=write, and read what became of openapi.json"
    );
}

/// Routes are made in one place only, which describes each.
#[test]
fn no_route_is_made_beside_the_table() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut made = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for call in [".route(", ".route_service(", ".nest(", ".nest_service("] {
                for _ in code.matches(call) {
                    made.push(path.file_name().unwrap().to_owned());
                }
            }
        }
    }
    assert_eq!(made, ["mod.rs"]);
}

/// What is described is served: nothing of it is an unknown path or method, and methods that are not described are refused.
#[tokio::test]
async fn every_operation_is_served_and_no_other() {
    let server = Server::new();
    // Streams end where the server stops; others go on.
    server.service.stop();
    let paths = document()["paths"].as_object().unwrap().clone();
    assert!(paths.len() >= 20);
    for (path, methods) in &paths {
        let at = path
            .replace("{id}", "6955b90001020304050607ff")
            .replace("{word}", "funnel")
            .replace("{key}", "none")
            .replace("{model}", "none")
            .replace("{name}", "none");
        assert!(!at.contains('{'), "{path}: which value shall stand there?");
        for method in ["get", "post", "put", "delete", "patch", "trace", "options"] {
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&at)
                .header("authorization", format!("Bearer {}", token("admin")));
            let reply = server.send(request.body(Body::empty()).unwrap()).await;
            let served = methods.get(method).is_some();
            assert_eq!(
                reply.status == 405,
                !served,
                "{method} {path}: {}",
                reply.status
            );
            if served {
                let status = reply.status.as_str().to_owned();
                assert!(
                    methods[method]["responses"].get(&status).is_some(),
                    "{method} {path}: {status} is not described"
                );
                assert_ne!(reply.json["detail"], "there is nothing at this path");
            }
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (name, _) in document["components"]["schemas"].as_object().unwrap() {
        let reference = format!("#/components/schemas/{name}");
        assert!(found.contains(&reference), "{name} is used nowhere");
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.push(reference.clone());
            }
            map.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

/// Identifiers are those of generated clients, so they are unique, and every operation says who may and what it is for.
#[test]
fn operations_are_named_and_described() {
    let mut ids = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(!ids.contains(&id), "{id} is there twice");
            ids.push(id);
            assert!(
                operation["summary"].as_str().unwrap().ends_with('.'),
                "{method} {path}"
            );
            let open = operation["security"].as_array().unwrap().is_empty();
            // What begins a session needs no token beside the one it is given, which may be refused.
            let proves = ids.last().is_some_and(|id| id == "beginSession");
            assert_eq!(
                operation.get("description").is_none(),
                open,
                "{method} {path}"
            );
            assert_eq!(
                operation["responses"].get("401").is_none(),
                open && !proves,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_there_for_everybody_and_load_nothing_from_elsewhere() {
    let server = Server::new();
    let document = server.get("/openapi.json", "", "").await;
    assert_eq!(
        (document.status.as_u16(), document.text.as_str()),
        (200, openapi())
    );
    let page = server.get("/docs", "", "").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"));
    assert!(
        page.text
            .contains("/api/analytics-dashboard/custom/{id}/sharing")
    );
    // The pattern of an address may be shown; nothing may lead to one.
    for foreign in ["<script", "=\"http", "=\"//", "style=\"", "onclick"] {
        assert!(!page.text.contains(foreign), "{foreign}");
    }
    let style = server.get("/docs/style.css", "", "").await;
    assert_eq!(
        (style.status.as_u16(), style.header("content-type")),
        (200, "text/css; charset=utf-8")
    );
}
