//! The dashboard's files as a browser fetches them.

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use tower::ServiceExt as _;
use travelsense_server::router;

use crate::client::Server;

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    router(server.service.clone())
        .oneshot(request)
        .await
        .unwrap()
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> &'r str {
    response
        .headers()
        .get(name)
        .map_or("", |v| v.to_str().unwrap())
}

#[tokio::test]
async fn a_page_is_served_at_every_path_that_a_browser_may_ask_for() {
    let server = Server::new();
    let html = [("accept", "text/html,application/xhtml+xml;q=0.9")];
    for path in ["/", "/funnels", "/dashboards/6b07905794e2172b16e45bea"] {
        let page = get(&server, path, &html).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        let policy = header(&page, "content-security-policy");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert_eq!(header(&page, "cache-control"), "no-cache");
    }
    for (path, accept) in [
        ("/api/analytics-dashboard/nothing", "text/html"),
        ("/assets/nothing.js", "*/*"),
    ] {
        let missing = get(&server, path, &[("accept", accept)]).await;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&missing, "cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_file_is_compressed_where_that_is_understood_and_sent_once_to_who_has_it() {
    let server = Server::new();
    let path = "/assets/index.js";
    let plain = get(&server, path, &[]).await;
    assert_eq!(header(&plain, "content-encoding"), "");
    let tag = header(&plain, "etag").to_owned();
    let whole = to_bytes(plain.into_body(), 10_000_000).await.unwrap();
    let gzip = get(&server, path, &[("accept-encoding", "br, gzip;q=0.8")]).await;
    assert_eq!(header(&gzip, "content-encoding"), "gzip");
    let small = to_bytes(gzip.into_body(), 10_000_000).await.unwrap();
    assert!(small.len() < whole.len());
    let known = get(&server, path, &[("if-none-match", &tag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
}
