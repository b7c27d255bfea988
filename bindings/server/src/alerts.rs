//! The routes of alerts and notifications. The core decides in which order a request is refused.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use travelsense::access::Permission::{ManageAlerts, ReadAlerts, ReadAnalytics};

use crate::answer::Answer;
use crate::call::Call;
use crate::dashboards::{revision, unparsed};
use crate::openapi::schema::{self, named};
use crate::openapi::{Api, Operation, op};
use crate::routes::question;

/// The routes.
pub(crate) fn routes() -> Api {
    let at = |operation: Operation| {
        operation
            .path("id", named("ObjectId"), "The rule's id.")
            .refuses(&[404])
    };
    let note = |operation: Operation| {
        operation
            .path("id", schema::text(), "The notification's id.")
            .refuses(&[404])
    };
    let alert = || named("Alert");
    Api::of("Alerts")
        .post(
            "alerts",
            create,
            op("createAlert", "Makes an alert rule.")
                .needs(ManageAlerts)
                .body("AlertDraft")
                .creates(alert()),
        )
        .get(
            "alerts",
            list,
            op("listAlerts", "Alert rules, and where they stand.")
                .needs(ReadAlerts)
                .paged(100, 20)
                .query(
                    "search",
                    schema::plain(0, 100),
                    "Text in their name, taken literally.",
                )
                .lists(alert()),
        )
        .get(
            "alerts/stream",
            crate::news::stream,
            op(
                "streamAlerts",
                "What becomes of alert rules from now on, as server-sent events.",
            )
            .needs(ReadAlerts)
            .header(
                "Last-Event-ID",
                schema::text(),
                "The id of the last event that was read; all since then come.",
            )
            .sends(&["text/event-stream"]),
        )
        .get(
            "alerts/{id}",
            read,
            at(op("readAlert", "An alert rule, and where it stands."))
                .needs(ReadAlerts)
                .answers(alert())
                .tagged(),
        )
        .put(
            "alerts/{id}",
            update,
            at(op("updateAlert", "Changes an alert rule."))
                .needs(ManageAlerts)
                .matches()
                .body("AlertPatch")
                .answers(alert())
                .tagged(),
        )
        .delete(
            "alerts/{id}",
            remove,
            at(op("deleteAlert", "Removes an alert rule."))
                .needs(ManageAlerts)
                .matches(),
        )
        .get(
            "alerts/{id}/history",
            history,
            at(op(
                "readAlertHistory",
                "What became of an alert rule, the latest first.",
            ))
            .needs(ReadAlerts)
            .paged(100, 20)
            .answers(schema::list(named("AlertEvent"))),
        )
        .post(
            "alerts/{id}/silence",
            silence,
            at(op(
                "silenceAlert",
                "Tells nobody of an alert rule for a while.",
            ))
            .needs(ManageAlerts)
            .body("AlertSilence")
            .answers(alert()),
        )
        .post(
            "alerts/{id}/test",
            test,
            at(op(
                "testAlert",
                "Reads what a rule looks at, and sends a test to all places that it tells.",
            ))
            .needs(ManageAlerts)
            .answers(named("AlertTest")),
        )
        .get(
            "notifications",
            notifications,
            op(
                "listNotifications",
                "One's notifications, the latest first.",
            )
            .needs(ReadAnalytics)
            .paged(100, 20)
            .query("unread", schema::truth(), "Only those that are not read.")
            .lists(named("Notification")),
        )
        .post(
            "notifications/{id}/read",
            mark_read,
            note(op("readNotification", "Marks a notification as read.")).needs(ReadAnalytics),
        )
        .get(
            "deliveries",
            deliveries,
            op(
                "listDeliveries",
                "Notifications on their way out, the latest first.",
            )
            .needs(ManageAlerts)
            .paged(100, 20)
            .query(
                "state",
                schema::one_of(&["waiting", "sent", "dead"]),
                "Only those.",
            )
            .lists(named("Delivery")),
        )
        .post(
            "deliveries/{id}/retry",
            retry,
            note(op(
                "retryDelivery",
                "Puts a notification that was given up on its way again.",
            ))
            .needs(ManageAlerts)
            .refuses(&[409]),
        )
}

/// Makes an alert rule.
async fn create(call: Call, body: Bytes) -> Response {
    let beneath = call.id.path("/api/analytics-dashboard/alerts");
    call.tell(ManageAlerts, move |analytics, who| {
        let made = unparsed(&body, |body| analytics.create_alert(who, body))?;
        let place = format!("{beneath}/{}", made.id);
        Ok(Answer::of(&made)?.created(place).tagged(made.revision))
    })
    .await
}

/// Lists alert rules.
async fn list(call: Call, uri: Uri) -> Response {
    call.tell(ReadAlerts, move |analytics, who| {
        let listed = question(&uri, |asked| analytics.alerts(who, asked))?;
        let page = (listed.total, listed.limit, listed.offset, listed.has_more);
        Answer::listed(&listed.alerts, page)
    })
    .await
}

/// An alert rule, and where it stands.
async fn read(call: Call, Path(alert): Path<String>) -> Response {
    call.tell(ReadAlerts, move |analytics, who| {
        let found = analytics.alert(who, &alert)?;
        Ok(Answer::of(&found)?.tagged(found.revision))
    })
    .await
}

/// Changes an alert rule.
async fn update(call: Call, Path(alert): Path<String>, body: Bytes) -> Response {
    let revision = revision(&call.headers);
    call.tell(ManageAlerts, move |analytics, who| {
        let changed = unparsed(&body, |body| {
            analytics.update_alert(who, &alert, body, revision)
        })?;
        Ok(Answer::of(&changed)?.tagged(changed.revision))
    })
    .await
}

/// Removes an alert rule.
async fn remove(call: Call, Path(alert): Path<String>) -> Response {
    let revision = revision(&call.headers);
    call.tell(ManageAlerts, move |analytics, who| {
        analytics.delete_alert(who, &alert, revision)?;
        Answer::none()
    })
    .await
}

/// What became of an alert rule.
async fn history(call: Call, Path(alert): Path<String>, uri: Uri) -> Response {
    call.tell(ReadAlerts, move |analytics, who| {
        let events = question(&uri, |asked| analytics.alert_history(who, &alert, asked))?;
        Answer::of(&events)
    })
    .await
}

/// Tells nobody of an alert rule for a while.
async fn silence(call: Call, Path(alert): Path<String>, body: Bytes) -> Response {
    call.tell(ManageAlerts, move |analytics, who| {
        let silenced = unparsed(&body, |body| analytics.silence_alert(who, &alert, body))?;
        Answer::of(&silenced)
    })
    .await
}

/// Sends a test to all places that an alert rule tells.
async fn test(call: Call, Path(alert): Path<String>) -> Response {
    call.tell(ManageAlerts, move |analytics, who| {
        Answer::of(&analytics.test_alert(who, &alert)?)
    })
    .await
}

/// The notifications of whoever asks.
async fn notifications(call: Call, uri: Uri) -> Response {
    call.tell(ReadAnalytics, move |analytics, who| {
        let listed = question(&uri, |asked| analytics.notifications(who, asked))?;
        let page = (listed.total, listed.limit, listed.offset, listed.has_more);
        Answer::listed(&listed.notifications, page)
    })
    .await
}

/// Marks a notification as read.
async fn mark_read(call: Call, Path(notification): Path<String>) -> Response {
    call.tell(ReadAnalytics, move |analytics, who| {
        analytics.read_notification(who, &notification)?;
        Answer::none()
    })
    .await
}

/// Notifications on their way out, and what became of them.
async fn deliveries(call: Call, uri: Uri) -> Response {
    call.tell(ManageAlerts, move |analytics, who| {
        let listed = question(&uri, |asked| analytics.deliveries(who, asked))?;
        let page = (listed.total, listed.limit, listed.offset, listed.has_more);
        Answer::listed(&listed.deliveries, page)
    })
    .await
}

/// Puts a notification that was given up on its way again.
async fn retry(call: Call, Path(notification): Path<String>) -> Response {
    call.tell(ManageAlerts, move |analytics, who| {
        analytics.retry_delivery(who, &notification)?;
        Answer::none()
    })
    .await
}
