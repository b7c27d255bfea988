//! The routes of dashboards: the specification's endpoints 5 to 9, and templates, sharing and data beside them. The core decides in
//! which order a request is refused; a body that is not JSON is refused where any other fault of the body would be.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::Value;
use travelsense::Result;
use travelsense::access::Permission;
use travelsense::audit::Act;

use crate::answer::Answer;
use crate::call::Call;
use crate::ingest::key;
use crate::openapi::schema::{self, named};
use crate::openapi::{Api, Operation, op};
use crate::routes::{json, question};

/// The routes.
pub(crate) fn routes() -> Api {
    use Permission::{ManageDashboards, ReadDashboards};

    let id = || (named("ObjectId"), "The dashboard's id.");
    let at = |operation: Operation| operation.path("id", id().0, id().1).refuses(&[404]);
    let dashboard = || named("CustomDashboard");
    Api::of("Dashboards")
        .post(
            "custom",
            create,
            op("createDashboard", "Creates a custom dashboard.")
                .needs(ManageDashboards)
                .keyed()
                .body("DashboardDraft")
                .creates(dashboard()),
        )
        .get("custom", list, listing())
        .get(
            "custom/{id}",
            read,
            at(op("readDashboard", "A dashboard with its widgets."))
                .needs(ReadDashboards)
                .answers(dashboard())
                .tagged(),
        )
        .put(
            "custom/{id}",
            update,
            at(op("updateDashboard", "Changes a dashboard."))
                .needs(ManageDashboards)
                .matches()
                .body("DashboardPatch")
                .answers(dashboard())
                .tagged(),
        )
        .delete(
            "custom/{id}",
            remove,
            at(op("deleteDashboard", "Deletes a dashboard."))
                .needs(ManageDashboards)
                .matches(),
        )
        .get(
            "custom/{id}/data",
            data,
            at(op(
                "readDashboardData",
                "A dashboard's widgets with their data.",
            ))
            .needs(ReadDashboards)
            .query(
                "startDate",
                named("Date"),
                "Where all widgets begin; given with `endDate`, or neither.",
            )
            .query("endDate", named("Date"), "Where they end.")
            .query("timezone", named("TimeZone"), "The zone of the range.")
            .query(
                "filters",
                schema::text(),
                "Only what has these values, as JSON: `[{\"property\": \"country\", \"value\": \"FR\"}]`. Real-time metrics are of everybody.",
            )
            .answers(schema::list(named("WidgetData"))),
        )
        .get(
            "custom/{id}/sharing",
            sharing,
            at(op("readSharing", "Whom a dashboard is shared with."))
                .needs(ReadDashboards)
                .answers(named("SharedWith")),
        )
        .put(
            "custom/{id}/sharing",
            share,
            at(op(
                "shareDashboard",
                "Shares a dashboard with these users and roles and nobody else.",
            ))
            .needs(ManageDashboards)
            .body("Sharing")
            .answers(named("SharedWith")),
        )
        .get(
            "templates",
            templates,
            op("listTemplates", "Ready-made dashboards.")
                .needs(ReadDashboards)
                .answers(schema::list(named("Template"))),
        )
        .post(
            "templates/{key}",
            create_from,
            op(
                "createDashboardFromTemplate",
                "Creates a dashboard of a template.",
            )
            .needs(ManageDashboards)
            .path("key", schema::text(), "The template's key.")
            .refuses(&[404])
            .maybe_body("TemplateDraft")
            .creates(dashboard()),
        )
}

fn listing() -> Operation {
    op(
        "listDashboards",
        "The dashboards that are one's own, shared or public.",
    )
    .needs(Permission::ReadDashboards)
    .query(
        "search",
        schema::plain(0, 100),
        "Text in their name or description, taken literally, whatever the case.",
    )
    .paged(50, 20)
    .query(
        "sortBy",
        schema::one_of(&["createdAt", "name"]),
        "`createdAt` by default.",
    )
    .query(
        "sortOrder",
        schema::one_of(&["asc", "desc"]),
        "The latest first, or names from A to Z, by default.",
    )
    .lists(named("CustomDashboard"))
}

/// Creates a custom dashboard.
async fn create(call: Call, body: Bytes) -> Response {
    let beneath = call.id.path("/api/analytics-dashboard/custom");
    let key = key(&call.headers);
    call.tell(Permission::ManageDashboards, move |analytics, who| {
        let made = unparsed(&body, |body| {
            analytics.create_dashboard_once(who, body, key.as_deref())
        })?;
        let place = format!("{beneath}/{}", made.id);
        Ok(Answer::of(&made)?.created(place).tagged(made.revision))
    })
    .await
}

/// Creates a dashboard of a template.
async fn create_from(call: Call, Path(key): Path<String>, body: Bytes) -> Response {
    let beneath = call.id.path("/api/analytics-dashboard/custom");
    call.tell(Permission::ManageDashboards, move |analytics, who| {
        let body = if body.is_empty() {
            Bytes::from_static(b"{}")
        } else {
            body
        };
        let made = unparsed(&body, |body| {
            analytics.create_dashboard_from(who, &key, body)
        })?;
        let place = format!("{beneath}/{}", made.id);
        Ok(Answer::of(&made)?.created(place).tagged(made.revision))
    })
    .await
}

/// Lists dashboards.
async fn list(call: Call, uri: Uri) -> Response {
    call.tell(Permission::ReadDashboards, move |analytics, who| {
        let listed = question(&uri, |asked| analytics.dashboards(who, asked))?;
        let page = (listed.total, listed.limit, listed.offset, listed.has_more);
        Answer::listed(&listed.dashboards, page)
    })
    .await
}

/// One dashboard with its widgets.
async fn read(call: Call, Path(dashboard): Path<String>) -> Response {
    call.tell(Permission::ReadDashboards, move |analytics, who| {
        let found = analytics.dashboard(who, &dashboard)?;
        Ok(Answer::of(&found)?.tagged(found.revision))
    })
    .await
}

/// Changes a dashboard.
async fn update(call: Call, Path(dashboard): Path<String>, body: Bytes) -> Response {
    let revision = revision(&call.headers);
    call.tell(Permission::ManageDashboards, move |analytics, who| {
        let changed = unparsed(&body, |body| {
            analytics.update_dashboard(who, &dashboard, body, revision)
        })?;
        Ok(Answer::of(&changed)?.tagged(changed.revision))
    })
    .await
}

/// Removes a dashboard.
async fn remove(call: Call, Path(dashboard): Path<String>) -> Response {
    let revision = revision(&call.headers);
    call.tell(Permission::ManageDashboards, move |analytics, who| {
        analytics.delete_dashboard(who, &dashboard, revision)?;
        Answer::none()
    })
    .await
}

/// A dashboard's widgets with their data, in one call.
async fn data(call: Call, Path(dashboard): Path<String>, uri: Uri) -> Response {
    let answers = call.service.answers().clone();
    let act = Act::new("dashboard.data", format!("dashboard/{dashboard}"));
    call.tell_of(Permission::ReadAnalytics, act, move |analytics, who| {
        // Who may see a dashboard is asked every time, what its widgets show is kept as any answer is.
        let found = analytics.open_dashboard(who, &dashboard)?;
        let compute = |asked: &Value| {
            let data = analytics.widgets_data(who, &found.widgets, asked)?;
            Ok(Answer::of(&data)?.at(Some(analytics.now())))
        };
        question(&uri, |asked| {
            let whole = serde_json::json!({ "widgets": found.widgets, "asked": asked });
            answers.ask((analytics, who), "dashboard", &whole, || compute(asked))
        })
    })
    .await
}

/// With whom a dashboard is shared.
async fn sharing(call: Call, Path(dashboard): Path<String>) -> Response {
    call.tell(Permission::ReadDashboards, move |analytics, who| {
        Answer::of(&analytics.dashboard_sharing(who, &dashboard)?)
    })
    .await
}

/// Shares a dashboard with named users and roles.
async fn share(call: Call, Path(dashboard): Path<String>, body: Bytes) -> Response {
    call.tell(Permission::ManageDashboards, move |analytics, who| {
        let shared = unparsed(&body, |body| {
            analytics.share_dashboard(who, &dashboard, body)
        })?;
        Answer::of(&shared)
    })
    .await
}

/// The templates.
async fn templates(call: Call) -> Response {
    call.tell_of(
        Permission::ReadDashboards,
        Act::new("dashboard.templates", ""),
        |analytics, who| Answer::of(&analytics.dashboard_templates(who)?),
    )
    .await
}

/// Has the core check everything that comes before the body, even where the body is not JSON.
pub(crate) fn unparsed<T>(body: &[u8], call: impl FnOnce(&Value) -> Result<T>) -> Result<T> {
    match json(body) {
        Ok(body) => call(&body),
        // Null is no body: the core refuses it last.
        Err(broken) => call(&Value::Null).map_err(|error| {
            let of_body = error
                .field_errors()
                .iter()
                .any(|fault| fault.field == "body");
            if of_body { broken } else { error }
        }),
    }
}

/// The revision that `If-Match` names. One tag is enough, and a tag that is none of ours matches nothing.
pub(crate) fn revision(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(IF_MATCH)?.to_str().unwrap_or_default().trim();
    if text == "*" {
        return None;
    }
    let tag = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    Some(tag.and_then(|t| t.parse().ok()).unwrap_or(-1))
}

#[cfg(test)]
mod tests {
    use travelsense::Error;

    use super::*;

    #[test]
    fn if_match_names_a_revision_or_matches_nothing() {
        let table = [
            (None, None),
            (Some("*"), None),
            (Some("\"3\""), Some(3)),
            (Some(" \"3\" "), Some(3)),
            (Some("W/\"3\""), Some(-1)),
            (Some("3"), Some(-1)),
            (Some("\"x\""), Some(-1)),
            (Some("\"1\", \"2\""), Some(-1)),
        ];
        for (given, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(text) = given {
                headers.insert(IF_MATCH, text.parse().unwrap());
            }
            assert_eq!(revision(&headers), expected, "{given:?}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_refused_after_what_comes_before_it() {
        let before = || Error::new(travelsense::ErrorKind::NotFound, "not_found", "x");
        let late = unparsed(b"{", |_| {
            Err::<(), _>(Error::field("body", "invalid_type", "x"))
        });
        assert_eq!(late.unwrap_err().field_errors()[0].code, "invalid_json");
        assert_eq!(
            unparsed(b"{", |_| Err::<(), _>(before()))
                .unwrap_err()
                .code(),
            "not_found"
        );
    }
}
