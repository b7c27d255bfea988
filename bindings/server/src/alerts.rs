//! The routes of alerts and notifications. The core decides in which order a request is refused.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use travelsense::access::Permission::{ManageAlerts, ReadAlerts, ReadAnalytics};

use crate::answer::Answer;
use crate::dashboards::{revision, unparsed};
use crate::frame::Id;
use crate::routes::{question, tell};
use crate::service::Service;

/// The routes.
pub(crate) fn routes() -> Router<Service> {
    let at = |path: &str| format!("/api/analytics-dashboard/{path}");
    Router::new()
        .route(&at("alerts"), post(create).get(list))
        .route(&at("alerts/{id}"), get(read).put(update).delete(remove))
        .route(&at("alerts/{id}/history"), get(history))
        .route(&at("alerts/{id}/silence"), post(silence))
        .route(&at("alerts/{id}/test"), post(test))
        .route(&at("notifications"), get(notifications))
        .route(&at("notifications/{id}/read"), post(mark_read))
        .route(&at("deliveries"), get(deliveries))
        .route(&at("deliveries/{id}/retry"), post(retry))
}

/// Makes an alert rule.
async fn create(service: State<Service>, id: Id, headers: HeaderMap, body: Bytes) -> Response {
    tell(
        service,
        id,
        headers,
        ManageAlerts,
        None,
        move |analytics, who| {
            let made = unparsed(&body, |body| analytics.create_alert(who, body))?;
            let place = format!("/api/analytics-dashboard/alerts/{}", made.id);
            Ok(Answer::of(&made)?.created(place).tagged(made.revision))
        },
    )
    .await
}

/// Lists alert rules.
async fn list(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    tell(
        service,
        id,
        headers,
        ReadAlerts,
        None,
        move |analytics, who| {
            let listed = question(&uri, |asked| analytics.alerts(who, asked))?;
            let page = (listed.total, listed.limit, listed.offset, listed.has_more);
            Ok(Answer::of(&listed.alerts)?.page(page))
        },
    )
    .await
}

/// An alert rule, and where it stands.
async fn read(
    service: State<Service>,
    id: Id,
    Path(alert): Path<String>,
    headers: HeaderMap,
) -> Response {
    tell(
        service,
        id,
        headers,
        ReadAlerts,
        None,
        move |analytics, who| {
            let found = analytics.alert(who, &alert)?;
            Ok(Answer::of(&found)?.tagged(found.revision))
        },
    )
    .await
}

/// Changes an alert rule.
async fn update(
    service: State<Service>,
    id: Id,
    Path(alert): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let revision = revision(&headers);
    tell(
        service,
        id,
        headers,
        ManageAlerts,
        None,
        move |analytics, who| {
            let changed = unparsed(&body, |body| {
                analytics.update_alert(who, &alert, body, revision)
            })?;
            Ok(Answer::of(&changed)?.tagged(changed.revision))
        },
    )
    .await
}

/// Removes an alert rule.
async fn remove(
    service: State<Service>,
    id: Id,
    Path(alert): Path<String>,
    headers: HeaderMap,
) -> Response {
    let revision = revision(&headers);
    tell(
        service,
        id,
        headers,
        ManageAlerts,
        None,
        move |analytics, who| {
            analytics.delete_alert(who, &alert, revision)?;
            Ok(Answer::of(&Value::Null)?.status(StatusCode::NO_CONTENT))
        },
    )
    .await
}

/// What became of an alert rule.
async fn history(
    service: State<Service>,
    id: Id,
    Path(alert): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    tell(
        service,
        id,
        headers,
        ReadAlerts,
        None,
        move |analytics, who| {
            let events = question(&uri, |asked| analytics.alert_history(who, &alert, asked))?;
            Answer::of(&events)
        },
    )
    .await
}

/// Tells nobody of an alert rule for a while.
async fn silence(
    service: State<Service>,
    id: Id,
    Path(alert): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    tell(
        service,
        id,
        headers,
        ManageAlerts,
        None,
        move |analytics, who| {
            let silenced = unparsed(&body, |body| analytics.silence_alert(who, &alert, body))?;
            Answer::of(&silenced)
        },
    )
    .await
}

/// Sends a test to all places that an alert rule tells.
async fn test(
    service: State<Service>,
    id: Id,
    Path(alert): Path<String>,
    headers: HeaderMap,
) -> Response {
    tell(
        service,
        id,
        headers,
        ManageAlerts,
        None,
        move |analytics, who| Answer::of(&analytics.test_alert(who, &alert)?),
    )
    .await
}

/// The notifications of whoever asks.
async fn notifications(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    tell(
        service,
        id,
        headers,
        ReadAnalytics,
        None,
        move |analytics, who| {
            let listed = question(&uri, |asked| analytics.notifications(who, asked))?;
            let page = (listed.total, listed.limit, listed.offset, listed.has_more);
            Ok(Answer::of(&listed.notifications)?.page(page))
        },
    )
    .await
}

/// Marks a notification as read.
async fn mark_read(
    service: State<Service>,
    id: Id,
    Path(notification): Path<String>,
    headers: HeaderMap,
) -> Response {
    tell(
        service,
        id,
        headers,
        ReadAnalytics,
        None,
        move |analytics, who| {
            analytics.read_notification(who, &notification)?;
            Ok(Answer::of(&Value::Null)?.status(StatusCode::NO_CONTENT))
        },
    )
    .await
}

/// Notifications on their way out, and what became of them.
async fn deliveries(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    tell(
        service,
        id,
        headers,
        ManageAlerts,
        None,
        move |analytics, who| {
            let listed = question(&uri, |asked| analytics.deliveries(who, asked))?;
            let page = (listed.total, listed.limit, listed.offset, listed.has_more);
            Ok(Answer::of(&listed.deliveries)?.page(page))
        },
    )
    .await
}

/// Puts a notification that was given up on its way again.
async fn retry(
    service: State<Service>,
    id: Id,
    Path(notification): Path<String>,
    headers: HeaderMap,
) -> Response {
    tell(
        service,
        id,
        headers,
        ManageAlerts,
        None,
        move |analytics, who| {
            analytics.retry_delivery(who, &notification)?;
            Ok(Answer::of(&Value::Null)?.status(StatusCode::NO_CONTENT))
        },
    )
    .await
}
