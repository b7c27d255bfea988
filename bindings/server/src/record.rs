//! The routes of the record and of tokens that are taken back.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use travelsense::access::Permission;

use crate::answer::Answer;
use crate::frame::Id;
use crate::openapi::schema::{self, named};
use crate::openapi::{Api, op};
use crate::routes::{json, question, tell};
use crate::service::Service;

/// The routes.
pub(crate) fn routes() -> Api {
    let within = |what: &str| format!("Only entries of this {what}.");
    let plain = || schema::plain(0, 500);
    Api::of("Access and record")
        .get(
            "audit",
            list,
            op("readAudit", "Who did what, the latest entry first.")
                .needs(Permission::ReadAudit)
                .query("who", plain(), &within("principal"))
                .query("action", plain(), &within("action, or group of actions"))
                .query("object", plain(), &within("object"))
                .query(
                    "outcome",
                    schema::one_of(&["allowed", "refused", "failed"]),
                    &within("outcome"),
                )
                .query("from", schema::instant(), "Only entries from then on.")
                .query("to", schema::instant(), "Only entries before then.")
                .query(
                    "limit",
                    schema::default(schema::integer(1, 1_000), 50.into()),
                    "At most so many.",
                )
                .query(
                    "offset",
                    schema::default(schema::integer(0, i64::from(u32::MAX)), 0.into()),
                    "After so many.",
                )
                .lists(named("AuditEntry")),
        )
        .get(
            "audit/verify",
            verify,
            op("verifyAudit", "Whether the record is whole.")
                .needs(Permission::ReadAudit)
                .answers(named("Verification")),
        )
        .post(
            "revocations",
            revoke,
            op("revokeTokens", "Takes tokens back before they expire.")
                .needs(Permission::ManageAccess)
                .body("Revocation"),
        )
}

/// The record, the latest entry first.
async fn list(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    let may = Permission::ReadAudit;
    tell(service, id, headers, may, None, move |analytics, who| {
        let listed = question(&uri, |asked| analytics.audit(who, asked))?;
        let page = (listed.total, listed.limit, listed.offset, listed.has_more);
        Answer::listed(&listed.entries, page)
    })
    .await
}

/// Whether the record is whole.
async fn verify(service: State<Service>, id: Id, headers: HeaderMap) -> Response {
    let may = Permission::ReadAudit;
    tell(service, id, headers, may, None, |analytics, who| {
        Answer::of(&analytics.verify_audit(who)?)
    })
    .await
}

/// Takes tokens back.
async fn revoke(service: State<Service>, id: Id, headers: HeaderMap, body: Bytes) -> Response {
    let may = Permission::ManageAccess;
    tell(service, id, headers, may, None, move |analytics, who| {
        analytics.revoke(who, &json(&body)?)?;
        Answer::none()
    })
    .await
}
