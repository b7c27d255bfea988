//! Whether the server is up, and whether it can answer; anybody may ask.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use travelsense::{Analytics, Principal, Result, metadata};

use crate::answer::Answer;
use crate::frame::Id;
use crate::openapi::schema::named;
use crate::openapi::{Api, op};
use crate::problem::Problem;
use crate::service::Service;

/// A store that takes longer than this to say anything is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// The routes.
pub(crate) fn routes() -> Api {
    Api::of("Service")
        .get(
            "/health",
            health,
            op("readHealth", "Whether the server is up.")
                .anybody()
                .answers(named("Health")),
        )
        .get(
            "/ready",
            ready,
            op(
                "readReadiness",
                "Whether the server can answer: its stores do, there is space on the disk, and it is not about to stop.",
            )
            .anybody()
            .refuses(&[503])
            .answers(named("Health")),
        )
}

async fn health(Extension(id): Id) -> Response {
    ok(&id.0)
}

async fn ready(State(service): State<Service>, Extension(id): Id) -> Response {
    if service.is_broken() {
        return Problem::not_ready("the store met a failure and is opened again").into_response();
    }
    if service.is_leaving() {
        return Problem::not_ready("the server is about to stop").into_response();
    }
    // Beside the questions: a server that is busy is ready all the same.
    let analytics = service.analytics().clone();
    let asked = tokio::task::spawn_blocking(move || stores(&analytics));
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Ok(()))) => ok(&id.0),
        Ok(Ok(Err(error))) if error.code() == "disk_full" => {
            Problem::not_ready("there is no space left on the disk").into_response()
        }
        Ok(Ok(Err(error))) => {
            tracing::error!(code = error.code(), "a store does not answer");
            Problem::not_ready("a store does not answer").into_response()
        }
        _ => Problem::not_ready("a store takes long to answer").into_response(),
    }
}

/// Asks both stores for little, and whether events can be stored.
fn stores(analytics: &Analytics) -> Result<()> {
    analytics.has_room()?;
    analytics.data_version(&Principal::owner())?;
    metadata::read(&*analytics.metadata()?, metadata::entries::head).map(|_| ())
}

fn ok(id: &str) -> Response {
    match Answer::of(&json!({ "status": "ok" })) {
        Ok(answer) => answer.respond(id),
        Err(error) => Problem::from(error).into_response(),
    }
}
