//! The routes inside a program that has a login of its own.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;
use travelsense::{Analytics, Principal};
use travelsense_server::{Host, Limits, Service, router};

use crate::client::store;

/// Sends a request as somebody below a path, and gives the status, the place it names and the body.
async fn send(
    store: &Arc<Analytics>,
    who: Option<Principal>,
    mut request: Request<Body>,
) -> (StatusCode, String, Value) {
    request.extensions_mut().insert(Host {
        who,
        origin: "10.1.2.3".to_owned(),
        base: Arc::from("/admin"),
    });
    let service = Service::hosted(Arc::clone(store), Limits::default());
    let response = router(service).oneshot(request).await.unwrap();
    let place = response.headers().get("location");
    let place = place.map_or_else(String::new, |v| v.to_str().unwrap().to_owned());
    let status = response.status();
    let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
    (
        status,
        place,
        serde_json::from_slice(&body).unwrap_or_default(),
    )
}

fn get(path: &str) -> Request<Body> {
    Request::get(format!("/api/analytics-dashboard/{path}"))
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn who_asks_is_what_the_program_says_and_no_token_counts() {
    let store = store();
    let ana = Principal::new("ana", "admin");
    let (status, _, body) = send(&store, Some(ana.clone()), get("session")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["data"]["userId"], "ana");
    assert_eq!(body["data"]["login"], "host");
    let mut forged = get("session");
    let token = crate::tokens::token("admin");
    let bearer = format!("Bearer {token}").try_into().unwrap();
    forged.headers_mut().insert("authorization", bearer);
    let (status, _, body) = send(&store, None, forged).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["code"], "not_logged_in");
    let viewer = Principal::new("vic", "viewer");
    let (status, ..) = send(&store, Some(viewer), get("audit")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, _, body) = send(&store, Some(ana), get("audit?outcome=refused")).await;
    assert_eq!(body["data"][0]["who"], "vic");
    assert_eq!(body["data"][0]["origin"], "10.1.2.3");
}

#[tokio::test]
async fn a_server_that_verifies_tokens_does_not_believe_what_a_request_carries() {
    let server = crate::client::Server::new();
    let mut request = get("session");
    request.extensions_mut().insert(Host {
        who: Some(Principal::new("ana", "admin")),
        ..Host::default()
    });
    let response = router(server.service.clone())
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_made_lies_below_the_path_of_the_program() {
    let store = store();
    let widget = r#"{"name":"a","widgets":[{"type":"metric","title":"t","dataSource":"user_events","visualization":"number","config":{}}]}"#;
    let request = Request::post("/api/analytics-dashboard/custom")
        .body(Body::from(widget))
        .unwrap();
    let ana = Some(Principal::new("ana", "admin"));
    let (status, place, _) = send(&store, ana.clone(), request).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(
        place.starts_with("/admin/api/analytics-dashboard/custom/"),
        "{place}"
    );
    let foreign = Request::post("/api/analytics-dashboard/custom")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(widget))
        .unwrap();
    let (status, _, body) = send(&store, ana, foreign).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body["code"], "cross_site");
}
