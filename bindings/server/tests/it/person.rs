//! One person with their events, and dashboards narrowed to some of them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use travelsense::Principal;

use crate::client::*;
use crate::tokens::*;

const PEOPLE: &str = "/api/analytics-dashboard/people";

#[tokio::test]
async fn a_person_is_shown_with_what_they_did_the_latest_first() {
    let server = Server::new();
    let more = json!([
        {"userId": "a/b", "name": "payment", "ts": "2026-02-01T10:00:00Z", "sessionId": "s", "eventId": "e1",
         "properties": {"amount": 12.5, "currency": "EUR", "<b>": "مرحبا"}},
        {"userId": "a/b", "name": "search", "ts": "2026-01-01T10:00:00Z"},
    ]);
    server.store.ingest(&Principal::owner(), &more).unwrap();

    let reply = server.ask(&format!("{PEOPLE}/a%2Fb"), "", "analyst").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let data = &reply.json["data"];
    assert_eq!(data["person"]["userId"], "a/b");
    assert_eq!(data["person"]["events"], 2);
    assert_eq!(data["ids"], json!([{"id": "a/b", "anonymous": false}]));
    assert_eq!(
        data["names"],
        json!([{"name": "payment", "events": 1}, {"name": "search", "events": 1}])
    );
    let (latest, first) = (&data["events"][0], &data["events"][1]);
    assert_eq!(latest["name"], "payment");
    assert_eq!(latest["ts"], "2026-02-01T10:00:00.000Z");
    assert_eq!(latest["eventId"], "e1");
    assert_eq!(latest["sessionId"], "s");
    assert_eq!(latest["properties"]["<b>"], "مرحبا");
    assert_eq!(latest["amount"], "12.50");
    assert_eq!(latest["currency"], "EUR");
    assert_eq!(first["name"], "search");
    assert_eq!(first["properties"], Value::Null);

    // Page by page, of one name, and as of before.
    let ask = async |query: &str| {
        let reply = server.ask(&format!("{PEOPLE}/u2"), query, "analyst").await;
        let data = reply.json["data"].clone();
        let at = data["events"].as_array().unwrap().iter();
        let at: Vec<String> = at
            .map(|e| e["ts"].as_str().unwrap()[..10].to_owned())
            .collect();
        (at, data["total"].clone(), data["hasMore"].clone())
    };
    let days = |days: &[&str]| days.iter().map(|&d| d.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        ask("limit=1").await,
        (days(&["2026-03-01"]), json!(2), json!(true))
    );
    assert_eq!(
        ask("limit=1&offset=1").await,
        (days(&["2026-01-05"]), json!(2), json!(false))
    );
    assert_eq!(ask("name=book").await, (days(&[]), json!(0), json!(false)));
    assert_eq!(
        ask("asOf=2026-02-01T00:00:00Z").await,
        (days(&["2026-01-05"]), json!(1), json!(false))
    );
}

#[tokio::test]
async fn a_person_is_shown_to_those_who_may_see_people_and_it_stands_in_the_record() {
    let server = Server::new();
    let at = format!("{PEOPLE}/u1");
    assert_eq!(server.get(&at, "", "").await.problem(401), "token_missing");
    assert_eq!(
        server.ask(&at, "", "viewer").await.problem(403),
        "forbidden"
    );
    let nobody = server.ask(&format!("{PEOPLE}/nobody"), "", "admin").await;
    assert_eq!(nobody.problem(404), "not_found");
    // Users and devices are namespaces of their own.
    assert_eq!(
        server
            .ask(&at, "anonymous=true", "admin")
            .await
            .problem(404),
        "not_found"
    );
    let wrong = server
        .ask(&at, "limit=0&offset=-1&anonymous=maybe&x=1", "admin")
        .await;
    assert_eq!(
        wrong.faults(),
        [
            "anonymous invalid_type",
            "limit out_of_range",
            "offset out_of_range",
            "x unknown_field"
        ]
    );
    assert_eq!(server.ask(&at, "", "analyst").await.status, 200);
    let record = server
        .ask("/api/analytics-dashboard/audit", "limit=50", "admin")
        .await;
    let entries = record.json["data"].as_array().unwrap().clone();
    let told = |role: &str, outcome: &str| {
        entries.iter().any(|e| {
            e["action"] == "people.read"
                && e["object"] == "person/u1"
                && e["role"] == role
                && e["outcome"] == outcome
        })
    };
    assert!(told("viewer", "refused"), "{entries:?}");
    assert!(told("analyst", "allowed"), "{entries:?}");
}

#[tokio::test]
async fn a_dashboard_is_narrowed_by_filters() {
    let server = Server::new();
    let event = |user: &str, name: &str, country: &str| json!({"userId": user, "name": name, "ts": "2026-02-10T10:00:00Z", "properties": {"country": country, "n": 4}});
    let more = json!([
        event("u1", "search", "FR"),
        event("u1", "book", "FR"),
        event("u2", "search", "DE")
    ]);
    server.store.ingest(&Principal::owner(), &more).unwrap();
    let me = format!("Bearer {}", token("admin"));
    let board = json!({"name": "Mine", "widgets": [
        {"type": "table", "title": "Events", "dataSource": "user_events", "visualization": "table", "config": {"groupBy": "name"}},
        {"type": "funnel", "title": "Funnel", "dataSource": "user_events", "visualization": "funnel", "config": {"steps": ["search", "book"]}},
        {"type": "metric", "title": "Now", "dataSource": "user_events", "visualization": "number", "config": {"metric": "active_users"}},
    ]});
    let request = Request::post("/api/analytics-dashboard/custom").header("authorization", &me);
    let made = server
        .send(request.body(Body::from(board.to_string())).unwrap())
        .await;
    let id = made.json["data"]["_id"].as_str().unwrap().to_owned();
    let ask = async |filters: Value| {
        let text: String = form(&filters.to_string());
        let query = format!("startDate=2026-02-01&endDate=2026-02-28&filters={text}");
        server
            .get(
                &format!("/api/analytics-dashboard/custom/{id}/data"),
                &query,
                &me,
            )
            .await
    };
    let only = async |property: &str, value: Value| {
        let data = ask(json!([{"property": property, "value": value}]))
            .await
            .json["data"]
            .clone();
        let rows = data[0]["data"]["rows"].as_array().unwrap().iter();
        let rows: Vec<_> = rows
            .map(|r| (r["group"].clone(), r["value"].clone()))
            .collect();
        assert!(data[2]["data"]["value"].is_number(), "{data}");
        (rows, data[1]["data"]["entered"].clone())
    };
    assert_eq!(
        only("country", json!("FR")).await,
        (
            vec![(json!("book"), json!(1)), (json!("search"), json!(1))],
            json!(1)
        )
    );
    assert_eq!(
        only("country", json!("DE")).await,
        (vec![(json!("search"), json!(1))], json!(1))
    );
    assert_eq!(only("country", json!("IT")).await, (vec![], json!(0)));
    assert_eq!(only("n", json!(4)).await.1, json!(2));
    assert_eq!(only("x' or 1=1 --", json!("y")).await, (vec![], json!(0)));
    // All of several must hold.
    let both =
        ask(json!([{"property": "country", "value": "FR"}, {"property": "n", "value": 5}])).await;
    assert_eq!(both.json["data"][0]["data"]["rows"], json!([]));
    let wrong = ask(json!([{"property": "country"}, {"property": "", "value": [], "x": 1}])).await;
    assert_eq!(
        wrong.faults(),
        [
            "filters[0].value required",
            "filters[1].property invalid_length",
            "filters[1].value invalid_type",
            "filters[1].x unknown_field"
        ]
    );
    let filter = json!({"property": "country", "value": "FR"});
    let many = ask(vec![filter; 11].into()).await;
    assert_eq!(many.faults(), ["filters invalid_length"]);
    assert_eq!(
        ask(json!({"country": "FR"})).await.faults(),
        ["filters invalid_type"]
    );
}

/// Text as a query string holds it.
fn form(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
