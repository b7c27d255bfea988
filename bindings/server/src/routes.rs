//! The paths, and the order in which each request is checked: 401, 403, 400, 200.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Router, middleware};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use travelsense::access::{self, Permission};
use travelsense::audit::{Act, Outcome};
use travelsense::{Analytics, Error, ErrorKind, Principal, Result};

use crate::answer::Answer;
use crate::frame::{self, Asker, Id};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::service::Service;
use crate::{dashboards, export, record};

/// The server as a tower service, for `axum::serve` or for one request at a time.
pub fn router(service: Service) -> Router {
    let body = service.limits().body;
    let routes = Router::new()
        .route("/api/analytics-dashboard/realtime", get(realtime))
        .route("/api/analytics-dashboard/user-insights", get(user_insights))
        .route(
            "/api/analytics-dashboard/cohort-analysis",
            get(cohort_analysis),
        )
        .route("/api/analytics-dashboard/predictive", get(predictive))
        .route("/api/analytics-dashboard/query/{word}", post(query))
        .route("/api/analytics-dashboard/people", post(people))
        .route("/api/analytics-dashboard/cohorts", get(cohorts))
        .route(
            "/api/analytics-dashboard/cohorts/{name}",
            put(create_cohort).delete(remove_cohort),
        )
        .route("/health", get(health))
        .merge(dashboards::routes())
        .merge(export::routes())
        .merge(record::routes())
        .with_state(service);
    framed(routes, body)
}

/// What surrounds every route: an id, a line in the log, problems as JSON, no panic and no large body.
fn framed(routes: Router, body: usize) -> Router {
    routes
        .fallback(frame::nothing_here)
        .layer(CatchPanicLayer::custom(frame::panicked))
        .layer(RequestBodyLimitLayer::new(body))
        .layer(middleware::from_fn(frame::frame))
}

/// What is happening now, as an array of Real-time Metrics.
async fn realtime(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    ask(
        service,
        id,
        headers,
        "query.realtime",
        move |analytics, who| {
            let metrics = question(&uri, |asked| analytics.realtime_json(who, asked))?;
            let as_of = metrics.first().map(|m| m.timestamp);
            Ok(Answer::of(&metrics)?.at(as_of))
        },
    )
    .await
}

/// What stands out in how users behave, as an array of User Behavior Insights.
async fn user_insights(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    ask(
        service,
        id,
        headers,
        "query.user_insights",
        move |analytics, who| {
            let insights = question(&uri, |asked| analytics.user_insights_json(who, asked))?;
            let first = insights.first().map(|i| (i.created_at, i.timezone.clone()));
            let (as_of, zone) = first.unzip();
            Ok(Answer::of(&insights)?.at(as_of).in_zone(zone))
        },
    )
    .await
}

/// Who comes back, as one Cohort Analysis Result.
async fn cohort_analysis(
    service: State<Service>,
    id: Id,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    ask(
        service,
        id,
        headers,
        "query.retention",
        move |analytics, who| {
            let table = question(&uri, |asked| analytics.retention_json(who, asked))?;
            Ok(Answer::of(&table)?
                .at(Some(table.as_of))
                .in_zone(Some(table.timezone.clone())))
        },
    )
    .await
}

/// What comes after the history of a range, as one Predictive Analytics Result.
async fn predictive(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    ask(
        service,
        id,
        headers,
        "query.predictive",
        move |analytics, who| {
            let made = question(&uri, |asked| analytics.predictive_json(who, asked))?;
            Ok(Answer::of(&made)?
                .at(Some(made.as_of))
                .in_zone(Some(made.timezone.clone())))
        },
    )
    .await
}

/// The answer of any word to a question in its JSON form, which query strings cannot express in full.
async fn query(
    service: State<Service>,
    id: Id,
    Path(word): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = Act::new("query.word", &word);
    let permission = Permission::ReadAnalytics;
    tell(
        service,
        id,
        headers,
        permission,
        Some(act),
        move |analytics, who| {
            let answer = RawValue::from_string(analytics.ask(who, &word, &json(&body)?)?);
            Answer::of(&answer.map_err(Error::internal)?)
        },
    )
    .await
}

/// The users behind a number.
async fn people(service: State<Service>, id: Id, headers: HeaderMap, body: Bytes) -> Response {
    let act = Act::new("query.people", "");
    let permission = Permission::ReadPeople;
    tell(
        service,
        id,
        headers,
        permission,
        Some(act),
        move |analytics, who| {
            let people = analytics.people(who, &json(&body)?)?;
            Ok(Answer::of(&people)?.at(Some(people.as_of)))
        },
    )
    .await
}

/// All cohorts.
async fn cohorts(service: State<Service>, id: Id, headers: HeaderMap) -> Response {
    ask(service, id, headers, "cohort.list", |analytics, who| {
        Answer::of(&analytics.cohorts(who)?)
    })
    .await
}

/// Makes a cohort of the name in the path and the definition in the body.
async fn create_cohort(
    service: State<Service>,
    id: Id,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = Act::new("cohort.create", format!("cohort/{name}"));
    let permission = Permission::ManageCohorts;
    tell(
        service,
        id,
        headers,
        permission,
        Some(act),
        move |analytics, who| {
            analytics.create_cohort(who, &name, &json(&body)?)?;
            Answer::of(&serde_json::json!({ "name": name }))
        },
    )
    .await
}

/// Removes a cohort.
async fn remove_cohort(
    service: State<Service>,
    id: Id,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let act = Act::new("cohort.remove", format!("cohort/{name}"));
    let permission = Permission::ManageCohorts;
    tell(
        service,
        id,
        headers,
        permission,
        Some(act),
        move |analytics, who| {
            analytics.remove_cohort(who, &name)?;
            Answer::of(&serde_json::json!({ "name": name }))
        },
    )
    .await
}

/// Whether the server is up; anybody may ask.
async fn health(Extension(id): Id) -> Response {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
    }

    match Answer::of(&Health { status: "ok" }) {
        Ok(answer) => answer.respond(&id.0),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// A request's body as JSON.
pub(crate) fn json(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body)
        .map_err(|e| Error::field("body", "invalid_json", format!("is not JSON: {e}")))
}

/// What the question of a query string is answered with.
pub(crate) fn question<T>(uri: &Uri, call: impl FnOnce(&Value) -> Result<T>) -> Result<T> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| {
        Error::new(
            ErrorKind::Invalid,
            "bad_request",
            "the query cannot be read",
        )
    })?;
    let parameters = Parameters::read(pairs.0);
    call(parameters.question()).map_err(|e| parameters.explain(e))
}

/// Has the core answer a question about the events.
async fn ask(
    service: State<Service>,
    id: Id,
    headers: HeaderMap,
    action: &'static str,
    answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
) -> Response {
    let act = Act::new(action, "");
    tell(
        service,
        id,
        headers,
        Permission::ReadAnalytics,
        Some(act),
        answer,
    )
    .await
}

/// Checks who sends a request (401) and whether they may (403), and has the core do the rest; then it stands in the record, which the
/// core sees to itself where there is no `act`.
pub(crate) async fn tell(
    State(service): State<Service>,
    Extension(id): Id,
    headers: HeaderMap,
    permission: Permission,
    act: Option<Act>,
    answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
) -> Response {
    let who = match service.authenticate(&headers, &id).await {
        Ok(who) => who,
        Err(problem) => return problem.into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let answered = service.run(move |analytics| {
        let granted = access::decide(&who, permission);
        let answer = || {
            let answer = answer(analytics, &who)?;
            Ok(answer.holding(analytics.data_version(&who)?))
        };
        let Some(act) = act else {
            return answer();
        };
        let allowed = (Outcome::Allowed, granted.reason.as_str());
        // What changes is kept in another store than the record: without an entry beforehand there is no change.
        let changes = granted.allow && permission == Permission::ManageCohorts;
        if changes {
            analytics.record(&who, &act, allowed)?;
        }
        let done = access::grant(&who, permission, ()).and_then(|_| answer());
        match &done {
            Ok(_) if changes => {}
            Ok(_) => analytics.record(&who, &act, allowed)?,
            Err(error) => analytics.record(&who, &act, Outcome::of(error))?,
        }
        done
    });
    let mut response = match answered.await {
        Ok(answer) => answer.respond(&id.0),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_like_any_internal_error_and_tells_nothing() {
        async fn fault() -> StatusCode {
            panic!("the secret is 42")
        }

        let routes = Router::new().route("/", get(fault));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = framed(routes, 10).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let id = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "internal");
        assert_eq!(problem["requestId"], id);
        assert!(!problem.to_string().contains("secret"));
    }
}
