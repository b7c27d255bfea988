//! Models trained elsewhere: registered, listed, scored with, removed; and feedback on what they and the forecasts foretold.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use travelsense::{Analytics, Error, ErrorKind, Instant, Options, Principal};

const DAY: i64 = 86_400_000_000;

/// 2026-06-01.
const BEGIN: i64 = 20_605 * DAY;

/// A store whose clock is set by hand, in days since the beginning.
fn store() -> (Analytics, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(0));
    let told = Arc::clone(&now);
    let clock = move || Instant::from_micros(BEGIN + told.load(Ordering::Relaxed) * DAY).unwrap();
    let options = Options {
        clock: Arc::new(clock),
        ..Options::default()
    };
    (Analytics::open_with(options).unwrap(), now)
}

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/models")
        .join(name);
    std::fs::read(path).unwrap()
}

fn owner() -> Principal {
    Principal::owner()
}

fn code(error: &Error) -> (String, &'static str) {
    let fault = error.field_errors().first();
    fault.map_or((String::new(), error.code()), |f| (f.field.clone(), f.code))
}

fn ask(a: &Analytics, word: &str, question: &Value) -> Value {
    serde_json::from_str(&a.ask(&owner(), word, question).unwrap()).unwrap()
}

/// A model in LightGBM's text: 3 where a user was away for more than 10 days, else 1, and what was spent doubled above 50.
const AWAY: &str = "tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=regression
feature_names=recency_days value
feature_infos=[0:100] [0:1000]
tree_sizes=1 1

Tree=0
num_leaves=2
num_cat=0
split_feature=0
threshold=10
decision_type=2
left_child=-1
right_child=-2
leaf_value=1 3
is_linear=0
shrinkage=1


Tree=1
num_leaves=2
num_cat=0
split_feature=1
threshold=50
decision_type=2
left_child=-1
right_child=-2
leaf_value=0 100
is_linear=0
shrinkage=1


end of trees
";

#[test]
fn versions_are_counted_and_never_given_twice() {
    let (a, _) = store();
    let who = owner();
    let register = |body: Value, name: &str| a.register_model(&who, &body, &file(name)).unwrap();
    let first = register(
        json!({"name": "churn", "description": "who goes"}),
        "churn.onnx",
    );
    assert_eq!(
        (first.version, first.schema.classes.as_slice()),
        (1, ["goes", "stays"].map(str::to_owned).as_slice())
    );
    assert_eq!(first.hash.len(), 64);
    // The same file under the same names is what is there.
    assert_eq!(
        register(json!({"name": "churn"}), "churn.onnx").id,
        first.id
    );
    let second = register(json!({"name": "churn"}), "churn.json");
    assert_eq!(second.version, 2);
    assert_eq!(a.model(&who, "churn").unwrap().id, second.id);
    assert_eq!(a.model(&who, "churn@1").unwrap().id, first.id);
    assert_eq!(a.model(&who, &first.id.to_string()).unwrap(), first);
    let listed = a.models(&who, &json!({"search": "WHO"})).unwrap();
    assert_eq!((listed.total, listed.models[0].id), (1, first.id));
    a.delete_model(&who, "churn@2").unwrap();
    assert_eq!(a.model(&who, "churn").unwrap().id, first.id);
    assert_eq!(
        a.model(&who, "churn@2").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(register(json!({"name": "churn"}), "visits.txt").version, 3);
    let actions: Vec<Value> = serde_json::to_value(a.audit(&who, &json!({"limit": 100})).unwrap())
        .unwrap()["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["action"].clone())
        .collect();
    assert_eq!(actions.iter().filter(|a| *a == "model.register").count(), 4);
    assert!(actions.contains(&json!("model.delete")));
}

#[test]
fn what_is_refused_changes_nothing() {
    let (a, _) = store();
    let who = owner();
    let refused =
        |body: Value, file: &[u8]| code(&a.register_model(&who, &body, file).unwrap_err());
    let named = json!({"name": "m"});
    let of = |field: &str, code| (field.to_owned(), code);
    assert_eq!(
        refused(named.clone(), b"no model"),
        of("file", "malformed_model")
    );
    let cut = &file("churn.onnx")[..1_000];
    assert_eq!(refused(named.clone(), cut), of("file", "malformed_model"));
    let own = String::from_utf8(file("churn.json"))
        .unwrap()
        .replace("binary:logistic", "mine");
    assert_eq!(
        refused(named, own.as_bytes()),
        of("file", "unsupported_model")
    );
    assert_eq!(
        refused(json!({"name": "a@b"}), &file("churn.json")),
        of("name", "invalid_text")
    );
    assert_eq!(
        refused(json!({}), &file("churn.json")),
        of("name", "required")
    );
    assert_eq!(a.models(&who, &json!({})).unwrap().total, 0);
}

#[test]
fn viewers_score_but_change_nothing() {
    let (a, _) = store();
    let viewer = Principal::new("v", "viewer");
    let body = json!({"name": "churn"});
    let refused = a
        .register_model(&viewer, &body, &file("churn.json"))
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    a.register_model(&Principal::new("b", "analyst"), &body, &file("churn.json"))
        .unwrap();
    let rows = json!({"recency": [3], "visits": [4], "plan": ["free"]});
    let mut question = json!({"model": "churn", "rows": rows});
    a.score_json(&viewer, &question).unwrap();
    question["feedback"] = json!("churn");
    assert_eq!(
        a.score_json(&viewer, &question).unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    let users = json!({"model": "churn", "users": {}});
    assert_eq!(
        a.score_json(&viewer, &users).unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    // An analyst removes their own models, and those of others only with the right to.
    let other = Principal::new("c", "analyst");
    assert_eq!(
        a.delete_model(&other, "churn").unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    a.delete_model(&owner(), "churn").unwrap();
}

#[test]
fn rows_are_scored_as_by_the_library() {
    let (a, _) = store();
    let expected: Value = serde_json::from_slice(&file("expected.json")).unwrap();
    a.register_model(&owner(), &json!({"name": "churn"}), &file("churn.onnx"))
        .unwrap();
    let scored = ask(
        &a,
        "score",
        &json!({"model": "churn", "rows": expected["rows"]}),
    );
    assert_eq!(
        scored["predictions"]["label"],
        expected["churn.onnx"]["label"]
    );
    assert_eq!(scored["model"], "churn@1");
    // A list of objects says the same.
    let columns = expected["rows"].as_object().unwrap();
    let objects: Vec<Value> = (0..4)
        .map(|i| {
            columns
                .iter()
                .map(|(name, values)| (name.clone(), values[i].clone()))
                .collect()
        })
        .collect();
    let again = ask(&a, "score", &json!({"model": "churn", "rows": objects}));
    assert_eq!(again["predictions"], scored["predictions"]);
    let lacking = json!({"model": "churn", "rows": {"visits": [1]}});
    let error = a.ask(&owner(), "score", &lacking).unwrap_err();
    let fields: Vec<&str> = error
        .field_errors()
        .iter()
        .map(|f| f.field.as_str())
        .collect();
    assert_eq!(fields, ["rows.recency", "rows.plan"]);
    for (question, field, code_) in [
        (json!({"model": "churn"}), "rows", "required"),
        (json!({"model": "churn", "rows": 3}), "rows", "invalid_type"),
        (
            json!({"model": "churn", "rows": {"a": [1], "b": []}}),
            "rows",
            "different_length",
        ),
        (
            json!({"model": "churn", "rows": {"a": [1]}, "ids": []}),
            "ids",
            "different_length",
        ),
        (
            json!({"model": "churn", "rows": {"a": [1]}, "users": {}}),
            "users",
            "not_used",
        ),
        (json!({"rows": {"a": [1]}}), "model", "required"),
    ] {
        let error = a.ask(&owner(), "score", &question).unwrap_err();
        assert_eq!(code(&error), (field.to_owned(), code_), "{question}");
    }
}

#[test]
fn users_are_scored_by_what_is_known_of_them() {
    let (a, now) = store();
    now.store(100, Ordering::Relaxed);
    // u1 was last active 3 days ago and spent 60 on two days; u2 20 days ago, and nothing.
    let events = [("u1", 90, 20.0), ("u1", 97, 40.0), ("u2", 80, 0.0)];
    let events: Vec<Value> = events
        .iter()
        .enumerate()
        .map(|(i, (user, day, amount))| {
            let at = Instant::from_micros(BEGIN + day * DAY).unwrap();
            json!({"eventId": i.to_string(), "userId": user, "name": "payment", "ts": at,
                "properties": {"amount": amount}})
        })
        .collect();
    crate::store::ingest(&a, &events);
    a.register_model(&owner(), &json!({"name": "away"}), AWAY.as_bytes())
        .unwrap();
    let scored = ask(&a, "score", &json!({"model": "away", "users": {}}));
    assert_eq!(scored["ids"], json!(["u1", "u2"]));
    assert_eq!(scored["predictions"]["prediction"], json!([101.0, 3.0]));
    let one = json!({"model": "away", "users": {"users": ["u2"]}});
    assert_eq!(
        ask(&a, "score", &one)["predictions"]["prediction"],
        json!([3.0])
    );
    a.register_model(&owner(), &json!({"name": "other"}), &file("churn.json"))
        .unwrap();
    let error = a
        .ask(&owner(), "score", &json!({"model": "other", "users": {}}))
        .unwrap_err();
    assert_eq!(code(&error), ("users".to_owned(), "unknown_feature"));
    assert_eq!(error.field_errors().len(), 3);
}

#[test]
fn scores_are_kept_and_what_comes_joins_them() {
    let (a, now) = store();
    a.register_model(&owner(), &json!({"name": "churn"}), &file("churn.json"))
        .unwrap();
    let rows =
        json!({"recency": [3, 40, null], "visits": [4, 9, 1], "plan": ["free", "premium", "free"]});
    let question =
        json!({"model": "churn", "rows": rows, "ids": ["a", "b", "c"], "feedback": "goes"});
    let scored = ask(&a, "score", &question);
    assert!(scored["run"].is_string());
    now.store(30, Ordering::Relaxed);
    let told = json!({"uniqueId": ["a", "b"], "y": [false, true]});
    assert_eq!(a.add_actuals(&owner(), "goes", &told).unwrap(), 2);
    let answer = ask(&a, "feedback", &json!({"name": "goes", "rows": true}));
    assert_eq!(
        (&answer["measure"], &answer["waiting"]),
        (&json!("probability"), &json!(1))
    );
    assert_eq!(answer["rows"]["uniqueId"], json!(["a", "b"]));
    assert_eq!(
        answer["rows"]["features"]["plan"],
        json!(["free", "premium"])
    );
    let p = &scored["predictions"]["probability_1"];
    assert_eq!(answer["rows"]["mean"], json!([p[0], p[1]]));
    let (first, second) = (p[0].as_f64().unwrap(), p[1].as_f64().unwrap());
    let brier = (first.powi(2) + (1.0 - second).powi(2)) / 2.0;
    assert!((answer["probabilities"]["brier"].as_f64().unwrap() - brier).abs() < 1e-12);
    // As it was known before, nothing had come.
    let then = Instant::from_micros(BEGIN + DAY).unwrap();
    let before = ask(&a, "feedback", &json!({"name": "goes", "asOf": then}));
    assert_eq!(
        (&before["waiting"], &before["scores"]["n"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(a.feedback_logs(&owner()).unwrap()[0].runs, 1);
    assert_eq!(a.delete_feedback(&owner(), "goes").unwrap(), 1);
    let gone = a
        .ask(&owner(), "feedback", &json!({"name": "goes"}))
        .unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[test]
fn who_is_erased_is_erased_from_feedback() {
    let (a, now) = store();
    now.store(10, Ordering::Relaxed);
    let at = Instant::from_micros(BEGIN + DAY).unwrap();
    let event = |user: &str| json!({"eventId": user, "userId": user, "name": "search", "ts": at});
    crate::store::ingest(&a, &[event("u1"), event("u2")]);
    a.register_model(&owner(), &json!({"name": "away"}), AWAY.as_bytes())
        .unwrap();
    ask(
        &a,
        "score",
        &json!({"model": "away", "users": {}, "feedback": "away"}),
    );
    a.add_actuals(
        &owner(),
        "away",
        &json!({"uniqueId": ["u1", "u2"], "y": [3, 1]}),
    )
    .unwrap();
    a.erase(&owner(), &["u1"]).unwrap();
    let rows = &ask(&a, "feedback", &json!({"name": "away", "rows": true}))["rows"];
    assert_eq!(
        (&rows["uniqueId"], &rows["y"]),
        (&json!(["u2"]), &json!([1.0]))
    );
    assert_eq!(rows["features"]["value"], json!([0.0]));
}

#[test]
fn predictions_made_elsewhere_are_compared_like_our_own() {
    let (a, _) = store();
    let body = json!({"model": "theirs", "uniqueId": ["x", "x"], "ds": ["2026-06-02", "2026-06-03"],
        "mean": [10, 20], "lower": [8, 18], "upper": [12, 22]});
    a.add_predictions(&owner(), "sales", &body).unwrap();
    let told =
        json!({"uniqueId": ["x", "x"], "ds": ["2026-06-02", "2026-06-03T00:00"], "y": [11, 25]});
    a.add_actuals(&owner(), "sales", &told).unwrap();
    let answer = ask(&a, "feedback", &json!({"name": "sales"}));
    assert_eq!(answer["models"], json!(["theirs"]));
    assert_eq!(answer["scores"]["bias"], json!(-3.0));
    let covered = &answer["scores"]["coverage"];
    assert_eq!(
        (
            &covered[0]["level"],
            &covered[0]["held"]["k"],
            &covered[0]["held"]["n"]
        ),
        (&json!(95.0), &json!(1), &json!(2))
    );
    let wrong = json!({"model": "theirs", "mean": [1], "lower": [1]});
    let error = a.add_predictions(&owner(), "sales", &wrong).unwrap_err();
    assert_eq!(code(&error), ("upper".to_owned(), "required"));
    let error = a
        .add_actuals(&owner(), "nothing", &json!({"y": [1]}))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn intervals_of_predictions_learn_from_what_came() {
    let (a, now) = store();
    // New users a day: around 20, with a spread that no Poisson has, from a generator of Park and Miller.
    let mut state = 42_u64;
    let mut lines = Vec::new();
    for day in 0..120_i64 {
        state = state * 48_271 % 2_147_483_647;
        let count = 5 + (state % 31) as i64;
        for i in 0..count {
            let at = Instant::from_micros(BEGIN + day * DAY + i).unwrap();
            let id = format!("{day}-{i}");
            lines.push(json!({"eventId": id, "userId": id, "name": "search", "ts": at}));
        }
    }
    now.store(130, Ordering::Relaxed);
    crate::store::ingest(&a, &lines);
    let question = |day: i64| {
        let end = Instant::from_micros(BEGIN + day * DAY).unwrap();
        json!({"predictionType": "user_growth", "startDate": "2026-06-01", "endDate": end, "asOf": end,
            "timezone": "UTC", "horizon": 3, "confidenceLevel": 80, "feedback": "growth"})
    };
    let mut last = Value::Null;
    for day in (60..120).step_by(3) {
        now.store(day, Ordering::Relaxed);
        last = ask(&a, "predictive", &question(day));
        assert_eq!(last["confidenceLevel"], json!(80.0));
        assert_eq!(last["predictions"][0]["confidence"], json!(80.0));
    }
    let told = ask(&a, "feedback", &json!({"name": "growth"}));
    assert_eq!(
        (&told["runs"], &told["scores"]["n"], &told["waiting"]),
        (&json!(20), &json!(57), &json!(3))
    );
    assert_eq!(told["byHorizon"].as_array().unwrap().len(), 3);
    assert_eq!(told["adapted"][0]["level"], json!(80.0));
    // The last prediction was computed at the level learned before it.
    let used = last["computedLevel"].as_f64().unwrap();
    assert!(used != 80.0, "{used}");
    assert!((used - told["adapted"][0]["used"].as_f64().unwrap()).abs() < 3.0);
    // Without a name nothing is kept and nothing learned.
    let mut plain = question(117);
    plain.as_object_mut().unwrap().remove("feedback");
    let plain = ask(&a, "predictive", &plain);
    assert!(plain.get("computedLevel").is_none() && plain.get("run").is_none());
}

#[test]
fn forecasts_of_tables_are_kept_and_later_tables_bring_what_came() {
    let (a, now) = store();
    let table = |days: i64| {
        let ds: Vec<String> = (0..days)
            .map(|d| Instant::from_micros(BEGIN + d * DAY).unwrap().to_string()[..10].to_owned())
            .collect();
        let y: Vec<i64> = (0..days)
            .map(|d| 100 + (d * 37) % 23 + 10 * (d % 7))
            .collect();
        json!({"uniqueId": vec!["x"; days as usize], "ds": ds, "y": y, "horizon": 2, "level": [80],
            "feedback": "demand"})
    };
    for days in 40..60 {
        now.store(days, Ordering::Relaxed);
        let made = ask(&a, "forecast", &table(days));
        assert_eq!(made["forecasts"]["intervals"].as_array().unwrap().len(), 1);
        assert_eq!(made["forecasts"]["intervals"][0]["level"], json!(80.0));
        assert!(made["run"].is_string());
        assert_eq!(made["adapted"][0]["level"], json!(80.0));
    }
    let told = ask(&a, "feedback", &json!({"name": "demand", "rows": true}));
    assert_eq!(
        (&told["runs"], &told["scores"]["n"], &told["waiting"]),
        (&json!(20), &json!(37), &json!(3))
    );
    let first = &told["rows"];
    assert_eq!(
        (&first["ds"][0], &first["h"][0]),
        (&json!("2026-07-11"), &json!(1))
    );
    assert!(first["lower"][0].as_f64() < first["mean"][0].as_f64());
    let bad = a.ask(
        &owner(),
        "forecast",
        &json!({"feedback": "", "ds": [], "y": [], "horizon": 1}),
    );
    assert_eq!(
        code(&bad.unwrap_err()),
        ("feedback".to_owned(), "invalid_length")
    );
}
