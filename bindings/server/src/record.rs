//! The routes of the record and of tokens that are taken back.

use axum::body::Bytes;
use axum::http::Uri;
use axum::response::Response;
use travelsense::access::Permission;

use crate::answer::Answer;
use crate::call::Call;
use crate::openapi::schema::{self, named};
use crate::openapi::{Api, op};
use crate::routes::{json, question};

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
                .paged(1_000, 50)
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
async fn list(call: Call, uri: Uri) -> Response {
    call.tell(Permission::ReadAudit, move |analytics, who| {
        let listed = question(&uri, |asked| analytics.audit(who, asked))?;
        let page = (listed.total, listed.limit, listed.offset, listed.has_more);
        Answer::listed(&listed.entries, page)
    })
    .await
}

/// Whether the record is whole.
async fn verify(call: Call) -> Response {
    call.tell(Permission::ReadAudit, |analytics, who| {
        Answer::of(&analytics.verify_audit(who)?)
    })
    .await
}

/// Takes tokens back.
async fn revoke(call: Call, body: Bytes) -> Response {
    call.tell(Permission::ManageAccess, move |analytics, who| {
        analytics.revoke(who, &json(&body)?)?;
        Answer::none()
    })
    .await
}
