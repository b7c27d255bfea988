//! The paths, and the order in which each request is checked: 401, 403, 400, 200.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Router, middleware};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use travelsense::access::Permission;
use travelsense::{Analytics, Error, Principal, Result};

use crate::answer::Answer;
use crate::export;
use crate::frame::{self, Asker, Id};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::service::Service;

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
        .route("/api/analytics-dashboard/query/{word}", post(query))
        .route("/api/analytics-dashboard/people", post(people))
        .route("/api/analytics-dashboard/cohorts", get(cohorts))
        .route(
            "/api/analytics-dashboard/cohorts/{name}",
            put(create_cohort).delete(remove_cohort),
        )
        .route("/health", get(health))
        .merge(export::routes())
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
    ask(service, id, headers, uri, |analytics, who, question| {
        let metrics = analytics.realtime_json(who, question)?;
        let as_of = metrics.first().map(|m| m.timestamp);
        Ok(Answer::of(&metrics)?.at(as_of))
    })
    .await
}

/// What stands out in how users behave, as an array of User Behavior Insights.
async fn user_insights(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    ask(service, id, headers, uri, |analytics, who, question| {
        let insights = analytics.user_insights_json(who, question)?;
        let first = insights.first().map(|i| (i.created_at, i.timezone.clone()));
        let (as_of, zone) = first.unzip();
        Ok(Answer::of(&insights)?.at(as_of).in_zone(zone))
    })
    .await
}

/// Who comes back, as one Cohort Analysis Result.
async fn cohort_analysis(
    service: State<Service>,
    id: Id,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    ask(service, id, headers, uri, |analytics, who, question| {
        let table = analytics.retention_json(who, question)?;
        Ok(Answer::of(&table)?
            .at(Some(table.as_of))
            .in_zone(Some(table.timezone.clone())))
    })
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
    tell(
        service,
        id,
        headers,
        Permission::ReadAnalytics,
        move |analytics, who| {
            let answer = RawValue::from_string(analytics.ask(who, &word, &json(&body)?)?);
            Answer::of(&answer.map_err(Error::internal)?)
        },
    )
    .await
}

/// The users behind a number.
async fn people(service: State<Service>, id: Id, headers: HeaderMap, body: Bytes) -> Response {
    tell(
        service,
        id,
        headers,
        Permission::ReadPeople,
        move |analytics, who| {
            let people = analytics.people(who, &json(&body)?)?;
            Ok(Answer::of(&people)?.at(Some(people.as_of)))
        },
    )
    .await
}

/// All cohorts.
async fn cohorts(service: State<Service>, id: Id, headers: HeaderMap) -> Response {
    tell(
        service,
        id,
        headers,
        Permission::ReadAnalytics,
        |analytics, who| Answer::of(&analytics.cohorts(who)?),
    )
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
    tell(
        service,
        id,
        headers,
        Permission::ManageCohorts,
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
    tell(
        service,
        id,
        headers,
        Permission::ManageCohorts,
        move |analytics, who| {
            analytics.remove_cohort(who, &name)?;
            Answer::of(&serde_json::json!({ "name": name }))
        },
    )
    .await
}

pub(crate) fn json(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body)
        .map_err(|e| Error::field("body", "invalid_json", format!("is not JSON: {e}")))
}

/// Checks who sends a body and whether they may, and has the core do the rest.
pub(crate) async fn tell(
    State(service): State<Service>,
    Extension(id): Id,
    headers: HeaderMap,
    permission: Permission,
    answer: impl FnOnce(&Analytics, &Principal) -> Result<Answer> + Send + 'static,
) -> Response {
    let who = match service.authenticate(&headers) {
        Ok(who) => who,
        Err(error) => return Problem::from(error).into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let answered = async {
        Service::authorise(&who, permission)?;
        service
            .run(move |analytics| {
                let version = analytics.data_version(&who)?;
                Ok(answer(analytics, &who)?.holding(version))
            })
            .await
    };
    let mut response = match answered.await {
        Ok(answer) => answer.respond(&id.0),
        Err::<_, Problem>(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
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

/// Checks who asks and whether they may, reads the question, and has the core check and answer it.
pub(crate) async fn ask(
    State(service): State<Service>,
    Extension(id): Id,
    headers: HeaderMap,
    uri: Uri,
    answer: impl FnOnce(&Analytics, &Principal, &Value) -> Result<Answer> + Send + 'static,
) -> Response {
    let who = match service.authenticate(&headers) {
        Ok(who) => who,
        Err(error) => return Problem::from(error).into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let mut response = match allowed(&service, who, &uri, answer).await {
        Ok(answer) => answer.respond(&id.0),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
}

/// The answer for somebody known: 403, then 400, then the answer.
async fn allowed(
    service: &Service,
    who: Principal,
    uri: &Uri,
    answer: impl FnOnce(&Analytics, &Principal, &Value) -> Result<Answer> + Send + 'static,
) -> std::result::Result<Answer, Problem> {
    Service::authorise(&who, Permission::ReadAnalytics)?;
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Problem::of_status(StatusCode::BAD_REQUEST))?
        .0;
    service
        .run(move |analytics| {
            let version = analytics.data_version(&who)?;
            let parameters = Parameters::read(pairs);
            answer(analytics, &who, parameters.question())
                .map(|answer| answer.holding(version))
                .map_err(|e| parameters.explain(e))
        })
        .await
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
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
