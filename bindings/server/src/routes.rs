//! The paths, and the order in which each request is checked: 401, 403, 400, 200.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::Uri;
use axum::response::Response;
use axum::{Router, middleware};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use travelsense::access::{Permission, Principal};
use travelsense::audit::Act;
use travelsense::realtime::Metric;
use travelsense::{Analytics, Error, ErrorKind, Result};

use crate::answer::Answer;
use crate::call::Call;
use crate::dashboards::unparsed;
use crate::frame;
use crate::meters::Meters;
use crate::openapi::schema::{self, named};
use crate::openapi::{self, Api, SEGMENTS, WEEKDAYS, op};
use crate::parameters::Parameters;
use crate::service::{Limits, Service};
use crate::{
    alerts, body, dashboards, export, health, host, ingest, live, meters, models, record, session,
    ui,
};

/// The server as a tower service, for a socket or for one request at a time.
pub fn router(service: Service) -> Router {
    let Limits {
        body: most,
        silence,
        ..
    } = service.limits();
    let questions = questions().into_router();
    let events = ingest::routes().into_router();
    let proved = middleware::from_fn_with_state(service.clone(), body::of_the_proved);
    let declared = middleware::from_fn_with_state(service.clone(), body::declared);
    let in_time = middleware::from_fn_with_state(service.clone(), body::in_time);
    let routes = questions
        .layer(RequestBodyLimitLayer::new(most))
        // The framework has a limit of its own, which is lower.
        .merge(
            events
                .layer(proved.clone())
                .layer(DefaultBodyLimit::disable())
                .layer(RequestBodyLimitLayer::new(ingest::BODY)),
        )
        .merge(
            models::large()
                .into_router()
                .layer(proved)
                .layer(DefaultBodyLimit::disable())
                .layer(RequestBodyLimitLayer::new(models::BODY)),
        );
    let same_site = middleware::from_fn_with_state(service.clone(), host::same_site);
    let routes = routes
        // Who asks comes before how much they send.
        .layer(declared)
        .layer(middleware::from_fn(session::bearer))
        .layer(same_site)
        .layer(in_time)
        .layer(RequestBodyTimeoutLayer::new(silence));
    let meters = service.meters().clone();
    framed(routes.with_state(service), meters)
}

/// Every route there is.
pub(crate) fn api() -> Api {
    questions().merge(ingest::routes()).merge(models::large())
}

/// The routes whose bodies are small.
fn questions() -> Api {
    analytics()
        .merge(alerts::routes())
        .merge(dashboards::routes())
        .merge(export::routes())
        .merge(models::routes())
        .merge(record::routes())
        .merge(session::routes())
        .merge(health::routes())
        .merge(meters::routes())
        .merge(openapi::routes())
}

/// The specification's first three questions, and the words behind them.
fn analytics() -> Api {
    let metrics = Metric::ALL.map(Metric::name);
    let words = travelsense::analytics::words();
    let asked = |id, summary| op(id, summary).needs(Permission::ReadAnalytics);
    Api::of("Analytics")
        .get(
            "realtime",
            realtime,
            asked("readRealtime", "What is happening now.")
                .query(
                    "metrics",
                    schema::list(schema::measure(&metrics)),
                    "Which figures, repeated or with commas between them: all six by default; `events:NAME` and `users:NAME` count the events and users of a name or of a list of the catalogue, such as `users:$features`.",
                )
                .query(
                    "timeRange",
                    schema::default(schema::time_range(), "last_15_minutes".into()),
                    "How long the window is: one of the three, or a length up to `24h`.",
                )
                .query(
                    "refreshInterval",
                    schema::default(schema::integer(5, 300), 30.into()),
                    "In how many seconds it is asked again; it is handed back.",
                )
                .query(
                    "asOf",
                    schema::instant(),
                    "The end of the window, not in the future; now by default.",
                )
                .answers(schema::list(named("RealtimeMetric"))),
        )
        .get(
            "realtime/stream",
            live::stream,
            asked(
                "streamRealtime",
                "What is happening now, as server-sent events: one every `refreshInterval` seconds, with the data of `readRealtime`.",
            )
            .query(
                "metrics",
                schema::list(schema::measure(&metrics)),
                "Which figures, repeated or with commas between them: all six by default; `events:NAME` and `users:NAME` count the events and users of a name or of a list of the catalogue, such as `users:$features`.",
            )
            .query(
                "timeRange",
                schema::default(schema::time_range(), "last_15_minutes".into()),
                "How long the window is: one of the three, or a length up to `24h`.",
            )
            .query(
                "refreshInterval",
                schema::default(schema::integer(5, 300), 30.into()),
                "How many seconds lie between two events.",
            )
            .header(
                "Last-Event-ID",
                schema::text(),
                "The id of the last event that was read; it goes on in the same rhythm.",
            )
            .sends(&["text/event-stream"]),
        )
        .get(
            "user-insights",
            user_insights,
            asked("readUserInsights", "What stands out in how users behave.")
                .ranged()
                .query(
                    "insightType",
                    schema::one_of(&[
                        "engagement_patterns",
                        "conversion_funnel",
                        "drop_off_points",
                        "feature_adoption",
                        "user_journeys",
                    ]),
                    "The only kind of insight; all by default.",
                )
                .query(
                    "limit",
                    schema::default(schema::integer(1, 100), 20.into()),
                    "At most so many.",
                )
                .query(
                    "steps",
                    schema::events(64),
                    "The steps of the funnel; the catalogue's by default. `*` is any event.",
                )
                .query(
                    "window",
                    named("Window"),
                    "The conversion window; 14 days by default.",
                )
                .answers(schema::list(named("UserBehaviorInsight"))),
        )
        .get(
            "cohort-analysis",
            cohort_analysis,
            asked("readCohortAnalysis", "Who comes back.")
                .ranged()
                .required(
                    "cohortPeriod",
                    schema::one_of(&["hourly", "daily", "weekly", "monthly"]),
                    "The period of cohorts and columns.",
                )
                .required(
                    "analysisMetric",
                    schema::one_of(&["retention_rate", "revenue", "engagement", "feature_usage"]),
                    "The figure in the cells.",
                )
                .query(
                    "mode",
                    schema::one_of(&["first_time", "first_ever_then_filter", "recurring"]),
                    "When a user joins a cohort.",
                )
                .query(
                    "weekStart",
                    schema::one_of(&WEEKDAYS),
                    "The first day of weeks.",
                )
                .query(
                    "start",
                    schema::events(100),
                    "The events that start a user; any by default.",
                )
                .query(
                    "return",
                    schema::events(100),
                    "The events that bring a user back; any by default.",
                )
                .query("periods", schema::integer(0, 1_000), "The last column.")
                .answers(named("CohortAnalysisResult")),
        )
        .get(
            "predictive",
            predictive,
            asked("readPredictive", "What comes after the history of a range.")
                .ranged()
                .required(
                    "predictionType",
                    schema::one_of(&[
                        "user_growth",
                        "revenue",
                        "demand_forecast",
                        "churn_rate",
                        "feature_adoption",
                    ]),
                    "What is predicted.",
                )
                .query(
                    "confidenceLevel",
                    schema::default(
                        json!({ "type": "number", "minimum": 0, "maximum": 100 }),
                        95.into(),
                    ),
                    "The level of the intervals in percent.",
                )
                .query(
                    "horizon",
                    schema::integer(1, 365),
                    "How many buckets ahead; a quarter of the history by default, 90 at most.",
                )
                .query(
                    "segments",
                    schema::list(schema::one_of(&SEGMENTS)),
                    "Segments that are predicted beside it, each by itself.",
                )
                .query(
                    "feature",
                    schema::text_of(1, 200),
                    "The one feature of `feature_adoption`; every feature of the catalogue by default.",
                )
                .query(
                    "country",
                    schema::one_of(&travelsense::forecast::countries()),
                    "The country whose holidays count.",
                )
                .query(
                    "feedback",
                    schema::plain(1, 100),
                    "A name under which the prediction is kept, so that its intervals learn from what comes; needs `manage_models`.",
                )
                .answers(named("PredictiveAnalyticsResult")),
        )
        .post(
            "query/{word}",
            query,
            asked(
                "ask",
                "The answer of a word to a question in its JSON form.",
            )
            .path("word", schema::one_of(&words), "Which word is asked.")
            .body("Question")
            .answers(schema::about(json!({}), "The answer of the word.")),
        )
        .post(
            "people",
            people,
            op("readPeople", "The users behind a number.")
                .needs(Permission::ReadPeople)
                .body("PeopleRequest")
                .answers(named("People")),
        )
        .get(
            "people/{id}",
            person,
            op("readPerson", "One person with their events, the latest first.")
                .needs(Permission::ReadPeople)
                .path("id", schema::text_of(1, 1_000), "Their id.")
                .query(
                    "anonymous",
                    schema::default(schema::truth(), false.into()),
                    "Whether it is the id of a device.",
                )
                .query("name", schema::text_of(1, 200), "Only events of this name.")
                .query(
                    "limit",
                    schema::default(schema::integer(1, 1_000), 50.into()),
                    "At most so many events.",
                )
                .query(
                    "offset",
                    schema::default(schema::integer(0, i64::from(u32::MAX)), 0.into()),
                    "After so many, from the latest on.",
                )
                .query(
                    "asOf",
                    schema::instant(),
                    "Nothing after this instant is seen; now by default.",
                )
                .refuses(&[404])
                .answers(named("Profile")),
        )
        .get(
            "catalogue",
            catalogue,
            asked("readCatalogue", "Which events mean what.").answers(named("Catalogue")),
        )
        .get(
            "cohorts",
            cohorts,
            asked("listCohorts", "All cohorts by name.").answers(schema::list(named("Cohort"))),
        )
        .put(
            "cohorts/{name}",
            create_cohort,
            op("createCohort", "Makes a cohort, which never changes.")
                .needs(Permission::ManageCohorts)
                .path("name", schema::text_of(1, 100), "Its name.")
                .refuses(&[409])
                .body("CohortDefinition")
                .answers(named("CohortName")),
        )
        .delete(
            "cohorts/{name}",
            remove_cohort,
            op("removeCohort", "Removes a cohort.")
                .needs(Permission::ManageCohorts)
                .path("name", schema::text_of(1, 100), "Its name.")
                .refuses(&[404])
                .answers(named("CohortName")),
        )
}

/// What surrounds every route: an id, a line in the log, problems as JSON and no panic.
fn framed(routes: Router, meters: Meters) -> Router {
    routes
        .fallback(ui::serve)
        .layer(CatchPanicLayer::custom(frame::panicked))
        .layer(middleware::from_fn_with_state(meters, frame::frame))
}

/// What is happening now, as an array of Real-time Metrics.
async fn realtime(call: Call, uri: Uri) -> Response {
    let answers = call.service.answers().clone();
    call.glance("query.realtime", move |analytics, who| {
        let compute = |asked: &Value| {
            let metrics = analytics.realtime_json(who, asked)?;
            let as_of = metrics.first().map(|m| m.timestamp);
            Ok(Answer::of(&metrics)?.at(as_of))
        };
        question(&uri, |asked| {
            answers.ask((analytics, who), "realtime", asked, || compute(asked))
        })
    })
    .await
}

/// What stands out in how users behave, as an array of User Behavior Insights.
async fn user_insights(call: Call, uri: Uri) -> Response {
    let answers = call.service.answers().clone();
    call.ask("query.user_insights", move |analytics, who| {
        let compute = |asked: &Value| {
            let insights = analytics.user_insights_json(who, asked)?;
            let first = insights.first().map(|i| (i.created_at, i.timezone.clone()));
            let (as_of, zone) = first.unzip();
            Ok(Answer::of(&insights)?.at(as_of).in_zone(zone))
        };
        question(&uri, |asked| {
            answers.ask((analytics, who), "user_insights", asked, || compute(asked))
        })
    })
    .await
}

/// Who comes back, as one Cohort Analysis Result.
async fn cohort_analysis(call: Call, uri: Uri) -> Response {
    let answers = call.service.answers().clone();
    call.ask("query.retention", move |analytics, who| {
        let compute = |asked: &Value| {
            let table = analytics.retention_json(who, asked)?;
            Ok(Answer::of(&table)?
                .at(Some(table.as_of))
                .in_zone(Some(table.timezone.clone())))
        };
        question(&uri, |asked| {
            answers.ask((analytics, who), "retention", asked, || compute(asked))
        })
    })
    .await
}

/// What comes after the history of a range, as one Predictive Analytics Result.
async fn predictive(call: Call, uri: Uri) -> Response {
    call.ask("query.predictive", move |analytics, who| {
        let made = question(&uri, |asked| analytics.predictive_json(who, asked))?;
        Ok(Answer::of(&made)?
            .at(Some(made.as_of))
            .in_zone(Some(made.timezone.clone())))
    })
    .await
}

/// The answer of any word to a question in its JSON form, which query strings cannot express in full.
async fn query(call: Call, Path(word): Path<String>, body: Bytes) -> Response {
    let answers = call.service.answers().clone();
    call.tell_of(
        Permission::ReadAnalytics,
        Act::new("query.word", &word),
        move |analytics, who| {
            let asked = json(&body)?;
            // By its word and the form it came in: a door of its own adds to the answer what this one does not.
            let name = format!("query/{word}");
            answers.ask((analytics, who), &name, &asked, || {
                let answer = RawValue::from_string(analytics.ask(who, &word, &asked)?);
                Answer::of(&answer.map_err(Error::internal)?)
            })
        },
    )
    .await
}

/// The users behind a number.
async fn people(call: Call, body: Bytes) -> Response {
    call.tell_of(
        Permission::ReadPeople,
        Act::new("query.people", ""),
        move |analytics, who| {
            let people = analytics.people(who, &json(&body)?)?;
            Ok(Answer::of(&people)?.at(Some(people.as_of)))
        },
    )
    .await
}

/// One person with their events.
async fn person(call: Call, Path(person): Path<String>, uri: Uri) -> Response {
    call.tell_of(
        Permission::ReadPeople,
        Act::new("people.read", format!("person/{person}")),
        move |analytics, who| {
            let profile = question(&uri, |asked| analytics.profile(who, &person, asked))?;
            Ok(Answer::of(&profile)?.at(Some(profile.as_of)))
        },
    )
    .await
}

/// Which events mean what.
async fn catalogue(call: Call) -> Response {
    call.glance("catalogue.read", |analytics, who| {
        Answer::of(&analytics.catalogue(who)?)
    })
    .await
}

/// All cohorts.
async fn cohorts(call: Call) -> Response {
    call.glance("cohort.list", |analytics, who| {
        Answer::of(&analytics.cohorts(who)?)
    })
    .await
}

/// Makes a cohort of the name in the path and the definition in the body.
async fn create_cohort(call: Call, Path(name): Path<String>, body: Bytes) -> Response {
    let create = move |analytics: &Analytics, who: &Principal| {
        unparsed(&body, |body| analytics.create_cohort(who, &name, body))?;
        Answer::of(&json!({ "name": name }))
    };
    call.give(create, Answer::respond).await
}

/// Removes a cohort.
async fn remove_cohort(call: Call, Path(name): Path<String>) -> Response {
    let remove = move |analytics: &Analytics, who: &Principal| {
        analytics.remove_cohort(who, &name)?;
        Answer::of(&json!({ "name": name }))
    };
    call.give(remove, Answer::respond).await
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_like_any_internal_error_and_tells_nothing() {
        async fn fault() -> StatusCode {
            panic!("the secret is 42")
        }

        let routes = Router::new().route("/", get(fault));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = framed(routes, Meters::new())
            .oneshot(request)
            .await
            .unwrap();
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
