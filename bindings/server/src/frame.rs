//! The frame around every answer: its id, its line in the log, and the writing of problems.

use std::net::SocketAddr;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use crate::host::Host;
use crate::meters::Meters;
use crate::problem::Problem;

/// The id of a request, in its answer and in every line of the log about it; the address it came from; and what the program around
/// the routes says of it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String, pub(crate) String, pub(crate) Host);

/// Who asked, left on the response for the log.
#[derive(Clone, Debug)]
pub(crate) struct Asker(pub(crate) String);

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl RequestId {
    /// The caller's own id where it is short and plain, so that a proxy's log and ours can be joined; else a new one.
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        let plain = |id: &&str| {
            (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        let given = headers
            .get(&X_REQUEST_ID)
            .and_then(|v| v.to_str().ok())
            .filter(plain);
        // What a proxy says of its clients is not believed: anybody could say it.
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let host = request.extensions().get::<Host>().cloned();
        let host = host.unwrap_or_default();
        Self(
            given.map_or_else(crate::chance::id, ToOwned::to_owned),
            peer.map_or_else(|| host.origin.clone(), |peer| peer.0.ip().to_string()),
            host,
        )
    }

    /// A path of ours as a browser asks for it.
    pub(crate) fn path(&self, ours: &str) -> String {
        format!("{}{ours}", self.2.base)
    }
}

/// Gives a request its id, times it, logs it, and writes its problem out if it has one.
pub(crate) async fn frame(
    State(meters): State<Meters>,
    mut request: Request,
    next: Next,
) -> Response {
    let _in_flight = meters.begin();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = RequestId::of(&request);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let started = tokio::time::Instant::now();
    request.extensions_mut().insert(id.clone());

    let span = tracing::info_span!("request", requestId = %id.0);
    #[cfg(feature = "otel")]
    crate::traces::begin(&span, request.headers());
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    let mut code = "ok";
    if status.is_client_error() || status.is_server_error() {
        let problem = response
            .extensions_mut()
            .remove::<Problem>()
            .unwrap_or_else(|| Problem::of_status(status));
        code = problem.code();
        write(&mut response, problem.body(&path, &id.0));
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(&X_REQUEST_ID, value);
    }
    // What may be kept says so itself.
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

    let who = response
        .extensions()
        .get::<Asker>()
        .map(|a| a.0.as_str())
        .unwrap_or_default();
    let took = started.elapsed();
    meters.answered(
        &method,
        route.as_ref().map(MatchedPath::as_str),
        status,
        took,
    );
    #[cfg(feature = "otel")]
    crate::traces::end(
        &span,
        &method,
        route.as_ref().map(MatchedPath::as_str),
        status,
    );
    let ms = took.as_secs_f64() * 1e3;
    span.in_scope(|| tracing::info!(%method, path, status = status.as_u16(), code, who = %who.escape_debug(), ms, "answered"));
    response
}

/// A panic of ours, caught: the client learns as little as of any other internal error.
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("unknown"), "a request panicked");
    Problem::internal().into_response()
}

/// The id of the request at hand.
pub(crate) type Id = Extension<RequestId>;

fn write(response: &mut Response, body: String) {
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response.headers_mut().remove(CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
}
