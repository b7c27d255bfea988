//! The routes of the record and of tokens that are taken back.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use travelsense::access::Permission;

use crate::answer::Answer;
use crate::frame::Id;
use crate::routes::{json, question, tell};
use crate::service::Service;

/// The routes.
pub(crate) fn routes() -> Router<Service> {
    Router::new()
        .route("/api/analytics-dashboard/audit", get(list))
        .route("/api/analytics-dashboard/audit/verify", get(verify))
        .route("/api/analytics-dashboard/revocations", post(revoke))
}

/// The record, the latest entry first.
async fn list(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    tell(
        service,
        id,
        headers,
        Permission::ReadAudit,
        None,
        move |analytics, who| {
            let listed = question(&uri, |asked| analytics.audit(who, asked))?;
            let page = (listed.total, listed.limit, listed.offset, listed.has_more);
            Ok(Answer::of(&listed.entries)?.page(page))
        },
    )
    .await
}

/// Whether the record is whole.
async fn verify(service: State<Service>, id: Id, headers: HeaderMap) -> Response {
    tell(
        service,
        id,
        headers,
        Permission::ReadAudit,
        None,
        |analytics, who| Answer::of(&analytics.verify_audit(who)?),
    )
    .await
}

/// Takes tokens back.
async fn revoke(service: State<Service>, id: Id, headers: HeaderMap, body: Bytes) -> Response {
    tell(
        service,
        id,
        headers,
        Permission::ManageAccess,
        None,
        move |analytics, who| {
            analytics.revoke(who, &json(&body)?)?;
            Ok(Answer::of(&Value::Null)?.status(StatusCode::NO_CONTENT))
        },
    )
    .await
}
