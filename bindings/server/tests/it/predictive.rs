//! The specification's predictive endpoint: what it answers, and what it refuses, in which order.

use serde_json::json;

use crate::client::*;

const PREDICTIVE: &str = "/api/analytics-dashboard/predictive";

#[tokio::test]
async fn every_prediction_is_answered_in_the_shape_of_the_specification() {
    let server = Server::new();
    for kind in [
        "user_growth",
        "revenue",
        "demand_forecast",
        "churn_rate",
        "feature_adoption",
    ] {
        let query = format!("startDate=2026-01-01&endDate=2026-01-31&predictionType={kind}");
        let reply = server.ask(PREDICTIVE, &query, "viewer").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let data = &reply.json["data"];
        assert_eq!(data["predictionType"], kind);
        assert_eq!(data["confidenceLevel"], json!(95.0));
        assert!(
            data["predictions"]
                .as_array()
                .is_some_and(|p| !p.is_empty()),
            "{data}"
        );
        for field in [
            "_id",
            "modelVersion",
            "startDate",
            "endDate",
            "createdAt",
            "historicalData",
        ] {
            assert!(!data[field].is_null(), "{field}: {data}");
        }
    }
    let query = "startDate=2026-01-01&endDate=2026-01-31&predictionType=user_growth&horizon=3&confidenceLevel=80&segments=new,returning";
    let data = server.ask(PREDICTIVE, query, "viewer").await.json["data"].clone();
    assert_eq!(data["predictions"].as_array().map(Vec::len), Some(3));
    assert_eq!(data["confidenceLevel"], json!(80.0));
    assert_eq!(data["segments"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        data["historicalData"][4],
        json!({"date": "2026-01-05T00:00:00.000Z", "value": 2.0})
    );
}

#[tokio::test]
async fn the_borders_of_every_field_are_kept() {
    let server = Server::new();
    let good = "startDate=2026-01-01&endDate=2026-01-31&predictionType=user_growth";
    for more in [
        "",
        "&confidenceLevel=0",
        "&confidenceLevel=100",
        "&confidenceLevel=99.5",
        "&horizon=1",
        "&horizon=365",
    ] {
        let reply = server
            .ask(PREDICTIVE, &format!("{good}{more}"), "viewer")
            .await;
        assert_eq!(reply.status, 200, "{more}: {}", reply.text);
    }
    for (query, field, code) in [
        (
            format!("{good}&confidenceLevel=-0.1"),
            "confidenceLevel",
            "out_of_range",
        ),
        (
            format!("{good}&confidenceLevel=100.1"),
            "confidenceLevel",
            "out_of_range",
        ),
        (
            format!("{good}&confidenceLevel=high"),
            "confidenceLevel",
            "invalid_type",
        ),
        (format!("{good}&horizon=0"), "horizon", "out_of_range"),
        (format!("{good}&horizon=366"), "horizon", "out_of_range"),
        (format!("{good}&colour=red"), "colour", "unknown_field"),
        (
            "startDate=2026-01-01&endDate=2026-01-31".to_owned(),
            "predictionType",
            "required",
        ),
        (
            "startDate=2026-01-01&endDate=2026-01-31&predictionType=weather".to_owned(),
            "predictionType",
            "not_in_list",
        ),
        (
            "endDate=2026-01-31&predictionType=revenue".to_owned(),
            "startDate",
            "required",
        ),
        (
            "startDate=2026-01-01&predictionType=revenue".to_owned(),
            "endDate",
            "required",
        ),
        (
            "startDate=soon&endDate=2026-01-31&predictionType=revenue".to_owned(),
            "startDate",
            "invalid_date",
        ),
        (
            "startDate=2026-01-31&endDate=2026-01-01&predictionType=revenue".to_owned(),
            "endDate",
            "not_after_start",
        ),
        (
            "startDate=2026-03-02&endDate=2026-03-03&predictionType=revenue".to_owned(),
            "startDate",
            "in_future",
        ),
    ] {
        let reply = server.ask(PREDICTIVE, &query, "viewer").await;
        assert_eq!(reply.problem(400), "validation_failed", "{query}");
        let errors = reply.json["errors"].as_array().expect("errors").clone();
        assert!(
            errors
                .iter()
                .any(|e| e["field"] == field && e["code"] == code),
            "{query}: {errors:?}"
        );
    }
    assert_eq!(server.get(PREDICTIVE, "", "").await.status, 401);
}
