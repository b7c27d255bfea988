//! Events over HTTP, answered one by one.

use std::io::Write as _;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use travelsense::Principal;

use crate::client::{Reply, Server};
use crate::tokens::token;

const EVENTS: &str = "/api/analytics-dashboard/events";
const QUARANTINE: &str = "/api/analytics-dashboard/events/quarantine";

async fn post(
    server: &Server,
    path: &str,
    role: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Reply {
    let mut request =
        Request::post(path).header("authorization", format!("Bearer {}", token(role)));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(body.into()).unwrap()).await
}

const JSON: (&str, &str) = ("content-type", "application/json");
const LINES: (&str, &str) = ("content-type", "application/x-ndjson");

fn event(id: &str) -> Value {
    json!({"eventId": id, "userId": "u9", "name": "search", "ts": "2026-03-01T11:59:00Z"})
}

fn counts(data: &Value) -> [u64; 4] {
    ["sent", "accepted", "duplicates", "refused"].map(|name| data[name].as_u64().unwrap())
}

#[tokio::test]
async fn every_event_is_answered_in_every_form() {
    let server = Server::new();
    let array = json!([event("a"), event("a"), {"name": "x"}, 5, event("b")]).to_string();
    let reply = post(&server, EVENTS, "collector", &[JSON], array.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let data = &reply.json["data"];
    assert_eq!(counts(data), [5, 2, 1, 2]);
    let statuses: Vec<&str> = data["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        ["accepted", "duplicate", "refused", "refused", "accepted"]
    );
    assert_eq!(data["events"][2]["errors"][0]["code"], "required");

    let lines = format!("{}\n\nnot json\n{}\r\n", event("c"), event("b"));
    let packed = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let gzip = [LINES, ("content-encoding", "gzip")];
    let reply = post(
        &server,
        EVENTS,
        "collector",
        &gzip,
        packed(lines.as_bytes()),
    )
    .await;
    assert_eq!(counts(&reply.json["data"]), [3, 1, 1, 1], "{}", reply.text);
    assert_eq!(
        reply.json["data"]["events"][1]["errors"][0]["code"],
        "malformed"
    );

    let zstd = zstd::encode_all(array.as_bytes(), 1).unwrap();
    let headers = [JSON, ("content-encoding", "zstd")];
    let reply = post(&server, EVENTS, "collector", &headers, zstd).await;
    assert_eq!(counts(&reply.json["data"]), [5, 0, 3, 2]);

    // And what was answered can be asked for at once.
    let live = server
        .ask(
            "/api/analytics-dashboard/realtime",
            "metrics=active_users,events_per_second",
            "viewer",
        )
        .await;
    assert_eq!(live.json["data"][0]["value"], 1);
}

#[tokio::test]
async fn who_may_not_and_what_cannot_be_read_is_refused() {
    let server = Server::new();
    let one = json!([event("a")]).to_string();
    for (role, headers, body, status, code) in [
        ("viewer", vec![JSON], one.clone(), 403, "forbidden"),
        ("root", vec![JSON], one.clone(), 403, "forbidden"),
        (
            "admin",
            vec![("content-type", "text/html")],
            one.clone(),
            415,
            "unsupported_media_type",
        ),
        (
            "admin",
            vec![JSON, ("content-encoding", "br")],
            one.clone(),
            415,
            "unsupported_media_type",
        ),
        (
            "admin",
            vec![JSON, ("content-encoding", "gzip")],
            one.clone(),
            400,
            "validation_failed",
        ),
        (
            "admin",
            vec![JSON, ("content-encoding", "zstd")],
            one.clone(),
            400,
            "validation_failed",
        ),
        (
            "admin",
            vec![JSON],
            "{".to_owned(),
            400,
            "validation_failed",
        ),
        (
            "admin",
            vec![JSON],
            event("a").to_string(),
            400,
            "validation_failed",
        ),
        (
            "admin",
            vec![JSON],
            format!("[{}1]", "1,".repeat(10_000)),
            400,
            "validation_failed",
        ),
        (
            "admin",
            vec![JSON, ("idempotency-key", "")],
            one.clone(),
            400,
            "validation_failed",
        ),
        (
            "admin",
            vec![JSON],
            " ".repeat((8 << 20) + 1),
            413,
            "body_too_large",
        ),
    ] {
        let reply = post(&server, EVENTS, role, &headers, body).await;
        assert_eq!(reply.problem(status), code, "{headers:?}");
    }
    // A small body that unpacks to a large one is not unpacked.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let headers = [JSON, ("content-encoding", "gzip")];
    let reply = post(&server, EVENTS, "admin", &headers, gzip.finish().unwrap()).await;
    assert_eq!(reply.problem(413), "body_too_large");
    let reply = post(
        &server,
        &format!("{EVENTS}?colour=red"),
        "admin",
        &[JSON],
        one.clone(),
    )
    .await;
    assert_eq!(reply.faults(), ["colour unknown_field"]);
    let none = server
        .send(Request::post(EVENTS).body(Body::from(one)).unwrap())
        .await;
    assert_eq!(none.problem(401), "token_missing");
    // A collector may do nothing else.
    let asked = server
        .ask("/api/analytics-dashboard/realtime", "", "collector")
        .await;
    assert_eq!(asked.problem(403), "forbidden");
    let refusals = server
        .store
        .audit(&Principal::owner(), &json!({"action": "event.ingest"}))
        .unwrap();
    assert_eq!(
        serde_json::to_value(&refusals).unwrap()["entries"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_batch_with_a_key_is_stored_once_and_answered_alike() {
    let server = Server::new();
    // Without ids nothing else would tell them apart.
    let batch =
        json!([{"userId": "u", "name": "search", "ts": "2026-03-01T11:00:00Z"}, {"name": 5}])
            .to_string();
    let headers = [JSON, ("idempotency-key", "k-1")];
    let first = post(&server, EVENTS, "admin", &headers, batch.clone()).await;
    assert_eq!(counts(&first.json["data"]), [2, 1, 0, 1]);
    let again = post(&server, EVENTS, "admin", &headers, batch.clone()).await;
    assert_eq!(again.json["data"], first.json["data"]);
    let other = post(&server, EVENTS, "admin", &headers, json!([]).to_string()).await;
    assert_eq!(other.problem(409), "idempotency_key_reused");
    let unkeyed = post(&server, EVENTS, "admin", &[JSON], batch).await;
    assert_eq!(counts(&unkeyed.json["data"]), [2, 1, 0, 1]);
}

#[tokio::test]
async fn what_is_kept_aside_is_listed_and_sent_again() {
    let server = Server::new();
    let late =
        json!({"eventId": "f", "userId": "u", "name": "search", "ts": "2026-03-03T12:00:00Z"});
    let huge = json!({"eventId": "h", "userId": "u", "name": "search", "ts": "2026-03-01T11:00:00Z", "properties": {"x": "y".repeat(1 << 20)}});
    let reply = post(
        &server,
        EVENTS,
        "admin",
        &[JSON],
        json!([late, huge]).to_string(),
    )
    .await;
    assert_eq!(counts(&reply.json["data"]), [2, 0, 0, 2]);
    assert_eq!(reply.json["data"]["quarantined"], 2);
    let list = server.ask(QUARANTINE, "limit=10", "analyst").await;
    assert_eq!(list.json["meta"]["pagination"]["total"], 2, "{}", list.text);
    let mut codes: Vec<&str> = list.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, ["clock_in_future", "too_large"]);
    assert_eq!(
        server.ask(QUARANTINE, "", "viewer").await.problem(403),
        "forbidden"
    );
    // Nothing has changed since, so that both are refused again and stay.
    let replay = format!("{QUARANTINE}/replay");
    let again = post(&server, &replay, "admin", &[JSON], "{}").await;
    assert_eq!(counts(&again.json["data"]), [2, 0, 0, 2], "{}", again.text);
    assert_eq!(
        server.ask(QUARANTINE, "", "admin").await.json["meta"]["pagination"]["total"],
        2
    );
    let status = server.ask(&format!("{EVENTS}/status"), "", "viewer").await;
    assert_eq!(
        status.json["data"]["refusedByCode"]["clock_in_future"], 2,
        "{}",
        status.text
    );
    assert_eq!(status.json["data"]["sources"]["http"]["accepted"], 0);
}

#[tokio::test]
async fn the_figures_are_pushed_until_the_server_stops() {
    let server = Server::new();
    let path = "/api/analytics-dashboard/realtime/stream";
    for (query, status, code) in [
        ("refreshInterval=4", 400, "validation_failed"),
        ("asOf=2026-01-01", 400, "validation_failed"),
    ] {
        assert_eq!(
            server.ask(path, query, "viewer").await.problem(status),
            code
        );
    }
    let none = server.get(path, "", "").await;
    assert_eq!(none.problem(401), "token_missing");
    // A token in the path is a parameter like any other, and unknown.
    let token_in_path = server
        .get(path, &format!("access_token={}", token("admin")), "")
        .await;
    assert_eq!(token_in_path.problem(401), "token_missing");

    let known = server
        .ask(
            "/api/analytics-dashboard/realtime",
            "timeRange=last_hour",
            "viewer",
        )
        .await;
    let at = crate::tokens::NOW * 1_000_000;
    for (last, events) in [(None, 1), (Some(at), 0), (Some(at - 60_000_000), 1)] {
        let server = Server::new();
        let mut request = Request::get(format!("{path}?timeRange=last_hour"))
            .header("authorization", format!("Bearer {}", token("viewer")));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let stop = async {
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            server.service.stop();
        };
        let sent = server.send(request.body(Body::empty()).unwrap());
        let (reply, ()) = tokio::join!(sent, stop);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), "text/event-stream");
        let data: Vec<&str> = reply
            .text
            .lines()
            .filter_map(|l| l.strip_prefix("data: "))
            .collect();
        assert_eq!(data.len(), events, "after {last:?}: {}", reply.text);
        for data in data {
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(data, known.json["data"]);
            assert!(
                reply.text.contains(&format!("id: {at}\n")),
                "{}",
                reply.text
            );
        }
    }
}
