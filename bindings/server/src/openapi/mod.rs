//! The table of routes: the router and `openapi.json` are made of the same entries, so that neither has what the other lacks.
//!
//! A new route is one entry in its file's `routes()`, such as `.get("path", handler, op("operationId", "What it does.").needs(…)
//! .answers(…))`, and each new body or answer is a schema in `requests.rs` or `answers.rs` here. Then
//! `TRAVELSENSE_GOLDEN=write cargo nextest run --workspace --test it -E 'test(openapi)'` writes `bindings/server/openapi.json` anew.
#![expect(
    clippy::indexing_slicing,
    reason = "a document that is written here: a key that is assigned is made, and one that is read and not there is null"
)]

mod alerts;
mod answers;
mod models;
mod operation;
mod page;
mod requests;
pub(crate) mod schema;

use std::sync::OnceLock;

use axum::Router;
use axum::handler::Handler;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use serde_json::{Map, Value, json};

pub(crate) use self::operation::{Operation, op};
pub(crate) use self::requests::{SEGMENTS, WEEKDAYS};
use crate::frame::Id;
use crate::service::Service;

/// Where paths that do not begin with `/` are.
const BASE: &str = "/api/analytics-dashboard";

/// Routes with what is to be said of them.
pub(crate) struct Api {
    tag: &'static str,
    router: Router<Service>,
    entries: Vec<Entry>,
}

/// One method of one path.
struct Entry {
    tag: &'static str,
    method: &'static str,
    path: String,
    operation: Operation,
}

impl Api {
    /// Routes that are shown under this heading.
    pub(crate) fn of(tag: &'static str) -> Self {
        Self {
            tag,
            router: Router::new(),
            entries: Vec::new(),
        }
    }

    /// Answers `GET`, and `HEAD` with it.
    pub(crate) fn get<H, T>(self, path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        self.on((MethodFilter::GET, "get"), path, handler, operation)
    }

    /// Answers `POST`.
    pub(crate) fn post<H, T>(self, path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        self.on((MethodFilter::POST, "post"), path, handler, operation)
    }

    /// Answers `PUT`.
    pub(crate) fn put<H, T>(self, path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        self.on((MethodFilter::PUT, "put"), path, handler, operation)
    }

    /// Answers `DELETE`.
    pub(crate) fn delete<H, T>(self, path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        self.on((MethodFilter::DELETE, "delete"), path, handler, operation)
    }

    fn on<H, T>(
        mut self,
        (filter, method): (MethodFilter, &'static str),
        path: &str,
        handler: H,
        operation: Operation,
    ) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{BASE}/{path}")
        };
        self.router = self.router.route(&path, on(filter, handler));
        self.entries.push(Entry {
            tag: self.tag,
            method,
            path,
            operation,
        });
        self
    }

    /// These and those.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.entries.extend(other.entries);
        self
    }

    /// The routes as they are served.
    pub(crate) fn into_router(self) -> Router<Service> {
        self.router
    }

    /// The routes as OpenAPI 3.1 describes them.
    pub(crate) fn document(&self) -> Value {
        let mut paths = Map::new();
        let mut tags: Vec<&str> = Vec::new();
        for entry in &self.entries {
            if !tags.contains(&entry.tag) {
                tags.push(entry.tag);
            }
            let path = paths.entry(&entry.path).or_insert_with(|| json!({}));
            if let Some(methods) = path.as_object_mut() {
                methods.insert(entry.method.to_owned(), entry.operation.json(entry.tag));
            }
        }
        let mut schemas = answers::schemas();
        schemas.extend(requests::schemas());
        let alerts = alerts::schemas().into_iter();
        let models = models::schemas().into_iter();
        schemas.extend(
            alerts
                .chain(models)
                .map(|(name, schema)| (name.to_owned(), schema)),
        );
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "travelsense",
                "version": env!("CARGO_PKG_VERSION"),
                "summary": "Behavioural analytics, dashboards, exports and the record of who did what.",
                "description": "Every success is `{ \"data\": …, \"meta\": … }`, every error a problem of RFC 9457 with a stable `code` \
                    and all field errors at once. Checks come in this order: 401, 403, 400, 404.",
                "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            },
            "servers": [{ "url": "/" }],
            "tags": tags.iter().map(|tag| json!({ "name": tag })).collect::<Vec<_>>(),
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": operation::problems(),
                "securitySchemes": {
                    "token": {
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "JWT",
                        "description": "A JWT with `sub`, `role`, `iss`, `aud` and `exp`, signed with a key that the server knows.",
                    },
                },
            },
        })
    }
}

/// The whole document as text: what is committed, and what `/openapi.json` gives.
pub fn openapi() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let document = crate::routes::api().document();
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    })
}

/// The routes that tell of the others.
pub(crate) fn routes() -> Api {
    Api::of("Service")
        .get(
            "/openapi.json",
            document,
            op("readOpenapi", "This document.")
                .anybody()
                .sends(&["application/json"]),
        )
        .merge(page::routes())
}

async fn document(id: Id) -> Response {
    // Tools ask below the server's address, which is where a program has put these routes.
    let base = id.path("");
    let server = if base.is_empty() { "/" } else { &base };
    let text = openapi().replacen("\"url\": \"/\"", &format!("\"url\": \"{server}\""), 1);
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}
