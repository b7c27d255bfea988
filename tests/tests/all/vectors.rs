//! The vectors, through the Rust core and through HTTP.

use std::sync::Arc;

use serde_json::Value;
use travelsense::{Error, Principal};
use travelsense_tests::vector::{FieldCode, Vector, holds};

use crate::http::Door;
use crate::store;

/// What a door says: an answer, or the error's code and its field errors.
pub(crate) type Said = Result<Value, (String, Vec<FieldCode>)>;

/// Asks the Rust core a question of a word.
fn core(vector: &Vector) -> Result<Said, String> {
    let (store, report) = store::of(vector);
    if let Some(expected) = &vector.ingest {
        let report = serde_json::to_value(&report).map_err(|e| e.to_string())?;
        holds(expected, &report)
            .map_err(|differences| format!("the report of ingest{differences}"))?;
    }
    let (who, question) = (Principal::owner(), &vector.question);
    for (request, users) in vector.people() {
        let people = store.people(&who, &request).map_err(|e| e.to_string())?;
        let named: Vec<String> = people.users.into_iter().map(|p| p.user_id).collect();
        if named != users || people.total != users.len() as u64 {
            return Err(format!("{request} names {named:?}"));
        }
    }
    Ok(match store.ask(&who, &vector.word, question) {
        Ok(answer) => Ok(serde_json::from_str(&answer).expect("an answer is JSON")),
        Err(error) => Err(refusal(&error)),
    })
}

fn refusal(error: &Error) -> (String, Vec<FieldCode>) {
    let field = |e: &travelsense::FieldError| FieldCode {
        field: e.field.clone(),
        code: e.code.to_owned(),
    };
    (
        error.code().to_owned(),
        error.field_errors().iter().map(field).collect(),
    )
}

/// Whether a door says what a vector expects.
fn judged(vector: &Vector, said: Said) -> Result<(), String> {
    match said {
        Ok(answer) => vector.matches(&answer),
        Err((code, errors)) => vector.refused(&code, errors),
    }
}

/// Runs all vectors of a word through a door.
fn run(word: &str, door: impl Fn(&Vector) -> Result<Option<Said>, String>) {
    let vectors = Vector::all(word).expect("vectors that can be read");
    let mut asked = 0;
    let mut wrong = Vec::new();
    for vector in &vectors {
        let judged = match door(vector) {
            Ok(None) => continue,
            Ok(Some(said)) => judged(vector, said),
            Err(sentence) => Err(sentence),
        };
        asked += 1;
        if let Err(complaint) = judged {
            wrong.push(format!(
                "{}/{}: {}\n{complaint}",
                vector.word, vector.name, vector.why
            ));
        }
    }
    assert!(asked > 0, "no vectors of {word}");
    assert!(
        wrong.is_empty(),
        "{} of {asked} vectors:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// Runs all vectors of a word through HTTP: all as bodies, and as query strings those that these can express.
fn run_http(word: &str) {
    run(word, |vector| {
        // Opening one takes longer than asking it, so that it is asked in both ways.
        let door = Door::new(Arc::new(store::of(vector).0));
        for (request, users) in vector.people() {
            let named = door.people(&request);
            if named != users {
                return Err(format!("{request} names {named:?}"));
            }
        }
        if ["funnel", "retention", "realtime"].contains(&word)
            && let Some(query) = Door::query(vector)
        {
            judged(vector, door.ask(word, &query))?;
        }
        Ok(Some(door.tell(word, &vector.question)))
    });
}

#[test]
fn the_core_answers_every_funnel_vector() {
    run("funnel", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_retention_vector() {
    run("retention", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_engagement_vector() {
    run("engagement", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_adoption_vector() {
    run("adoption", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_journey_vector() {
    run("journey", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_vector_of_what_users_will_do() {
    for word in ["churn", "value", "next_action"] {
        run(word, |vector| core(vector).map(Some));
    }
}

#[test]
fn http_answers_every_vector_of_what_users_will_do() {
    for word in ["churn", "value", "next_action"] {
        run_http(word);
    }
}

#[test]
fn every_vector_of_models_and_feedback_is_answered_by_the_core_and_over_http() {
    for word in [
        "score",
        "feedback",
        "predictive",
        "forecast",
        "backtest",
        "detect_anomalies",
    ] {
        run(word, |vector| core(vector).map(Some));
        run_http(word);
    }
}

#[test]
fn every_pickup_vector_is_answered_by_the_core_and_over_http() {
    run("pickup", |vector| core(vector).map(Some));
    run_http("pickup");
}

#[test]
fn the_core_answers_every_realtime_vector() {
    run("realtime", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_drop_off_vector() {
    run("drop_off", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_comparison_vector() {
    run("compare", |vector| core(vector).map(Some));
}

#[test]
fn the_core_answers_every_difference_vector() {
    run("explain_difference", |vector| core(vector).map(Some));
}

#[test]
fn http_answers_every_vector_about_differences() {
    for word in ["drop_off", "compare", "explain_difference"] {
        run_http(word);
    }
}

#[test]
fn http_answers_every_funnel_vector() {
    run_http("funnel");
}

#[test]
fn http_answers_every_retention_vector() {
    run_http("retention");
}

#[test]
fn http_answers_every_engagement_vector() {
    run_http("engagement");
}

#[test]
fn http_answers_every_adoption_vector() {
    run_http("adoption");
}

#[test]
fn http_answers_every_journey_vector() {
    run_http("journey");
}

#[test]
fn http_answers_every_realtime_vector() {
    run_http("realtime");
}
