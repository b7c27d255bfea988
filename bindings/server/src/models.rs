//! The routes of models trained elsewhere, and of what became of what was foretold.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use serde_json::json;
use travelsense::Error;
use travelsense::access::Permission::{ManageModels, ReadAnalytics};
use travelsense::audit::Act;

use crate::answer::Answer;
use crate::call::Call;
use crate::dashboards::unparsed;
use crate::openapi::schema::{self, named};
use crate::openapi::{Api, Operation, op};
use crate::routes::{json as parsed, question};

/// The most bytes of a model's file, or of rows that are sent at once.
pub(crate) const BODY: usize = travelsense::model::MOST_BYTES;

fn at(operation: Operation) -> Operation {
    operation
        .path(
            "model",
            schema::plain(1, 200),
            "Its name, which means the latest version, `name@version`, or its id.",
        )
        .refuses(&[404])
}

fn log(operation: Operation) -> Operation {
    operation.path(
        "name",
        schema::plain(1, 100),
        "The name under which it is kept.",
    )
}

/// The routes whose bodies are small.
pub(crate) fn routes() -> Api {
    Api::of("Models")
        .get(
            "models",
            list,
            op("listModels", "Models trained elsewhere, the latest first.")
                .needs(ReadAnalytics)
                .query(
                    "search",
                    schema::plain(0, 100),
                    "Text in their name or description, taken literally.",
                )
                .paged(100, 20)
                .lists(named("Model")),
        )
        .get(
            "models/{model}",
            read,
            at(op("readModel", "A model: what it takes and gives."))
                .needs(ReadAnalytics)
                .answers(named("Model")),
        )
        .delete(
            "models/{model}",
            remove,
            at(op("deleteModel", "Removes a version of a model.")).needs(ManageModels),
        )
        .get(
            "feedback",
            logs,
            op(
                "listFeedback",
                "The names under which something foretold is kept.",
            )
            .needs(ReadAnalytics)
            .answers(schema::list(named("FeedbackLog"))),
        )
        .get(
            "feedback/{name}",
            feedback,
            log(op(
                "readFeedback",
                "What became of what was foretold under a name.",
            ))
            .needs(ReadAnalytics)
            .query(
                "uniqueId",
                schema::text(),
                "The only series; all by default.",
            )
            .query(
                "runs",
                schema::default(schema::integer(1, 1_000), 200.into()),
                "The latest so many runs.",
            )
            .query(
                "rows",
                schema::default(schema::truth(), false.into()),
                "Whether every point is told, with the features beside it.",
            )
            .query(
                "asOf",
                schema::instant(),
                "Nothing that became known after this instant is seen; now by default.",
            )
            .refuses(&[404])
            .answers(named("Feedback")),
        )
        .delete(
            "feedback/{name}",
            forget,
            log(op(
                "deleteFeedback",
                "Forgets all that is kept under a name.",
            ))
            .needs(ManageModels)
            .refuses(&[404]),
        )
}

/// The routes whose bodies may be large.
pub(crate) fn large() -> Api {
    let file = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
    Api::of("Models")
        .post(
            "models",
            register,
            op(
                "registerModel",
                "Registers a model from the bytes of its file.",
            )
            .needs(ManageModels)
            .required(
                "name",
                schema::plain(1, 100),
                "Its name, without `@` and `/`. What is there already gets its next version.",
            )
            .query("description", schema::plain(0, 500), "What it is for.")
            .query(
                "format",
                schema::one_of(&["onnx", "xgboost", "lightgbm"]),
                "Its format; the bytes tell it by default.",
            )
            .query(
                "features",
                schema::list(schema::plain(1, 200)),
                "The names of its features, in their order.",
            )
            .query(
                "classes",
                schema::list(schema::plain(1, 200)),
                "The names of its classes, in their order.",
            )
            .batch(&[("application/octet-stream", file)])
            .creates(named("Model")),
        )
        .post(
            "models/{model}/score",
            score,
            at(op(
                "score",
                "What a model says of rows, or of the warehouse's users.",
            ))
            .needs(ReadAnalytics)
            .body("ScoreQuestion")
            .answers(named("Scores")),
        )
        .post(
            "feedback/{name}/actuals",
            actuals,
            log(op(
                "addActuals",
                "Tells what came of what is kept under a name.",
            ))
            .needs(ManageModels)
            .refuses(&[404])
            .body("Actuals")
            .answers(schema::object([("new", schema::count())])),
        )
        .post(
            "feedback/{name}/predictions",
            predictions,
            log(op(
                "addPredictions",
                "Keeps predictions made elsewhere under a name.",
            ))
            .needs(ManageModels)
            .body("OutsidePredictions")
            .answers(schema::object([("run", named("ObjectId"))])),
        )
}

/// Registers a model.
async fn register(call: Call, uri: Uri, body: Bytes) -> Response {
    let beneath = call.id.path("/api/analytics-dashboard/models");
    call.tell(ManageModels, move |analytics, who| {
        let made = question(&uri, |asked| analytics.register_model(who, asked, &body))?;
        let place = format!("{beneath}/{}", made.id);
        Ok(Answer::of(&made)?.created(place))
    })
    .await
}

/// Lists models.
async fn list(call: Call, uri: Uri) -> Response {
    call.tell(ReadAnalytics, move |analytics, who| {
        let listed = question(&uri, |asked| analytics.models(who, asked))?;
        let page = (listed.total, listed.limit, listed.offset, listed.has_more);
        Answer::listed(&listed.models, page)
    })
    .await
}

/// A model.
async fn read(call: Call, Path(model): Path<String>) -> Response {
    call.tell(ReadAnalytics, move |analytics, who| {
        Answer::of(&analytics.model(who, &model)?)
    })
    .await
}

/// Removes a version of a model.
async fn remove(call: Call, Path(model): Path<String>) -> Response {
    call.tell(ManageModels, move |analytics, who| {
        analytics.delete_model(who, &model)?;
        Answer::none()
    })
    .await
}

/// Scores rows or users.
async fn score(call: Call, Path(model): Path<String>, body: Bytes) -> Response {
    call.tell_of(
        ReadAnalytics,
        Act::new("model.score", format!("model/{model}")),
        move |analytics, who| {
            let mut asked = parsed(&body)?;
            let Some(fields) = asked.as_object_mut() else {
                return Err(Error::field(
                    "body",
                    "invalid_type",
                    "must be an object with named fields",
                ));
            };
            if fields.contains_key("model") {
                return Err(Error::field("model", "unknown_field", "stands in the path"));
            }
            fields.insert("model".to_owned(), model.into());
            Answer::of(&analytics.score_json(who, &asked)?)
        },
    )
    .await
}

/// The names under which something is kept.
async fn logs(call: Call) -> Response {
    call.tell(ReadAnalytics, move |analytics, who| {
        Answer::of(&analytics.feedback_logs(who)?)
    })
    .await
}

/// What became of what was foretold.
async fn feedback(call: Call, Path(name): Path<String>, uri: Uri) -> Response {
    call.tell_of(
        ReadAnalytics,
        Act::new("feedback.read", format!("feedback/{name}")),
        move |analytics, who| {
            question(&uri, |asked| {
                let mut asked = asked.clone();
                if let Some(fields) = asked.as_object_mut() {
                    fields.insert("name".to_owned(), name.as_str().into());
                }
                Answer::of(&analytics.feedback_json(who, &asked)?)
            })
        },
    )
    .await
}

/// Tells what came.
async fn actuals(call: Call, Path(name): Path<String>, body: Bytes) -> Response {
    call.tell(ManageModels, move |analytics, who| {
        let new = unparsed(&body, |body| analytics.add_actuals(who, &name, body))?;
        Answer::of(&json!({ "new": new }))
    })
    .await
}

/// Keeps predictions made elsewhere.
async fn predictions(call: Call, Path(name): Path<String>, body: Bytes) -> Response {
    call.tell(ManageModels, move |analytics, who| {
        let run = unparsed(&body, |body| analytics.add_predictions(who, &name, body))?;
        Answer::of(&json!({ "run": run }))
    })
    .await
}

/// Forgets a name.
async fn forget(call: Call, Path(name): Path<String>) -> Response {
    call.tell(ManageModels, move |analytics, who| {
        analytics.delete_feedback(who, &name)?;
        Answer::none()
    })
    .await
}
