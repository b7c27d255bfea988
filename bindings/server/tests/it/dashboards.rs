//! Endpoints 5 to 9 of the specification over HTTP: statuses, their order, and what is answered.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use travelsense::access::Key;
use travelsense_server::Limits;

use crate::client::*;
use crate::tokens::*;

const CUSTOM: &str = "/api/analytics-dashboard/custom";

fn widget() -> Value {
    json!({"type": "metric", "title": "Users", "dataSource": "user_events", "visualization": "number", "config": {"mine": 1}})
}

fn body() -> Value {
    json!({"name": "Mine", "widgets": [widget()]})
}

fn bearer(sub: &str, role: &str) -> String {
    let mut claims = claims(role);
    claims["sub"] = json!(sub);
    format!("Bearer {}", sign(&claims))
}

async fn send(server: &Server, method: &str, path: &str, who: &str, text: String) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if !who.is_empty() {
        request = request.header("authorization", who);
    }
    server.send(request.body(Body::from(text)).unwrap()).await
}

async fn create(server: &Server, who: &str, body: &Value) -> String {
    let reply = send(server, "POST", CUSTOM, who, body.to_string()).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json["data"]["_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_dashboard_is_created_read_changed_and_deleted() {
    let server = Server::new();
    let me = bearer("me", "admin");
    let made = send(&server, "POST", CUSTOM, &me, body().to_string()).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.header("etag"), "\"1\"");
    let data = &made.json["data"];
    let id = data["_id"].as_str().unwrap();
    let at = format!("{CUSTOM}/{id}");
    assert_eq!(made.header("location"), at);
    let expected = json!({
        "_id": id, "name": "Mine", "description": "", "widgets": [widget()], "isPublic": false, "ownerId": "me",
        "createdBy": "me", "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:00:00.000Z", "revision": 1,
    });
    assert_eq!(*data, expected);

    let read = send(&server, "GET", &at, &me, String::new()).await;
    assert_eq!((read.status.as_u16(), &read.json["data"]), (200, &expected));
    assert_eq!(read.header("etag"), "\"1\"");

    let changed = send(
        &server,
        "PUT",
        &at,
        &me,
        json!({"description": "new", "isPublic": true}).to_string(),
    )
    .await;
    assert_eq!(
        (changed.status.as_u16(), changed.header("etag")),
        (200, "\"2\"")
    );
    assert_eq!(changed.json["data"]["name"], "Mine");
    assert_eq!(changed.json["data"]["description"], "new");

    let gone = send(&server, "DELETE", &at, &me, String::new()).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    assert_eq!(
        send(&server, "GET", &at, &me, String::new())
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(
        send(&server, "DELETE", &at, &me, String::new())
            .await
            .problem(404),
        "not_found"
    );
}

#[tokio::test]
async fn requests_are_refused_in_the_order_of_the_specification() {
    let server = Server::new();
    let owner = bearer("owner", "admin");
    let id = create(&server, &owner, &body()).await;
    let (absent, wrong) = ("0".repeat(24), json!({"name": ""}).to_string());
    let (other, viewer) = (bearer("other", "admin"), bearer("v", "viewer"));
    let root = bearer("r", "root");
    let id = id.as_str();
    // Method, id, who, body: status and code.
    let table: Vec<(&str, &str, &str, &str, u16, &str)> = vec![
        ("POST", "", "", &wrong, 401, "token_missing"),
        ("POST", "", "Bearer x", &wrong, 401, "token_malformed"),
        ("POST", "", &viewer, &wrong, 403, "forbidden"),
        ("POST", "", &root, &wrong, 403, "forbidden"),
        ("POST", "", &owner, &wrong, 400, "validation_failed"),
        ("POST", "", &owner, "{", 400, "validation_failed"),
        ("POST", "", &owner, "", 400, "validation_failed"),
        ("POST", "", &owner, "[]", 400, "validation_failed"),
        ("GET", "", "", "", 401, "token_missing"),
        ("GET", "", &root, "", 403, "forbidden"),
        ("GET", "x", "", "", 401, "token_missing"),
        ("GET", "x", &root, "", 403, "forbidden"),
        ("GET", "x", &owner, "", 400, "validation_failed"),
        ("GET", &absent, &owner, "", 404, "not_found"),
        ("GET", id, &other, "", 403, "forbidden"),
        ("PUT", "x", "", &wrong, 401, "token_missing"),
        ("PUT", "x", &viewer, &wrong, 403, "forbidden"),
        ("PUT", "x", &other, &wrong, 400, "validation_failed"),
        ("PUT", &absent, &other, &wrong, 404, "not_found"),
        ("PUT", &absent, &other, "{", 404, "not_found"),
        ("PUT", id, &other, &wrong, 403, "forbidden"),
        ("PUT", id, &other, "{", 403, "forbidden"),
        ("PUT", id, &owner, &wrong, 400, "validation_failed"),
        ("PUT", id, &owner, "{", 400, "validation_failed"),
        ("DELETE", "x", "", "", 401, "token_missing"),
        ("DELETE", "x", &viewer, "", 403, "forbidden"),
        ("DELETE", "x", &owner, "", 400, "validation_failed"),
        ("DELETE", &absent, &owner, "", 404, "not_found"),
        ("DELETE", id, &other, "", 403, "forbidden"),
        ("PATCH", id, &owner, "{}", 405, "method_not_allowed"),
        ("GET", "a/b/c", &owner, "", 404, "not_found"),
    ];
    for (method, id, who, text, status, code) in table {
        let path = if id.is_empty() {
            CUSTOM.to_owned()
        } else {
            format!("{CUSTOM}/{id}")
        };
        let reply = send(&server, method, &path, who, text.to_owned()).await;
        assert_eq!(reply.problem(status), code, "{method} {path} {text}");
    }
    let broken = send(
        &server,
        "PUT",
        &format!("{CUSTOM}/{id}"),
        &owner,
        "{".to_owned(),
    )
    .await;
    assert_eq!(broken.faults(), ["body invalid_json"]);
    let left = send(
        &server,
        "GET",
        &format!("{CUSTOM}/{id}"),
        &owner,
        String::new(),
    )
    .await;
    assert_eq!(
        left.json["data"]["revision"], 1,
        "nothing was changed by any of it"
    );
}

#[tokio::test]
async fn every_validation_of_a_body_is_answered_with_its_field() {
    let server = Server::new();
    let me = bearer("me", "admin");
    let long = |n: usize| "ü".repeat(n);
    let set = |at: &str, value: Value| {
        let mut body = body();
        match body.pointer_mut(at) {
            Some(place) => *place = value,
            None => body[at.trim_start_matches('/')] = value,
        }
        body
    };
    let table = [
        (set("/name", json!(long(100))), vec![]),
        (set("/name", json!(long(101))), vec!["name invalid_length"]),
        (set("/name", json!("")), vec!["name invalid_length"]),
        (set("/name", json!("a\0b")), vec!["name invalid_text"]),
        (set("/description", json!(long(500))), vec![]),
        (
            set("/description", json!(long(501))),
            vec!["description invalid_length"],
        ),
        (set("/widgets", json!([])), vec!["widgets too_few"]),
        (set("/widgets", json!(vec![widget(); 20])), vec![]),
        (
            set("/widgets", json!(vec![widget(); 21])),
            vec!["widgets too_many"],
        ),
        (
            set("/widgets/0/title", json!(long(101))),
            vec!["widgets[0].title invalid_length"],
        ),
        (
            set("/widgets/0/type", json!("pie")),
            vec!["widgets[0].type not_in_list"],
        ),
        (
            set("/widgets/0/dataSource", json!("x")),
            vec!["widgets[0].dataSource not_in_list"],
        ),
        (
            set("/widgets/0/visualization", json!("map")),
            vec!["widgets[0].visualization not_appropriate"],
        ),
        (
            set("/widgets/0/config", json!("x")),
            vec!["widgets[0].config invalid_type"],
        ),
        (
            set("/isPublic", json!("yes")),
            vec!["isPublic invalid_type"],
        ),
        (json!({}), vec!["name required", "widgets required"]),
    ];
    for (body, expected) in table {
        let reply = send(&server, "POST", CUSTOM, &me, body.to_string()).await;
        if expected.is_empty() {
            assert_eq!(reply.status, 201, "{}", reply.text);
        } else {
            assert_eq!(reply.faults(), expected, "{body}");
        }
    }
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let deep = format!(r#"{{"name": "x", "widgets": {deep}}}"#);
    assert_eq!(
        send(&server, "POST", CUSTOM, &me, deep).await.faults(),
        ["body invalid_json"]
    );
    let large = json!({"name": "x".repeat(70_000)}).to_string();
    assert_eq!(
        send(&server, "POST", CUSTOM, &me, large).await.problem(413),
        "body_too_large"
    );
}

#[tokio::test]
async fn lists_are_paged_sorted_and_searched_literally() {
    let server = Server::new();
    let me = bearer("me", "admin");
    let names = [
        "100% sure",
        "a_b",
        "aXb",
        "Über \"uns\"",
        "[1]",
        "it's",
        "back\\slash",
    ];
    for name in names {
        create(
            &server,
            &me,
            &json!({"name": name, "description": format!("about {name}"), "widgets": [widget()]}),
        )
        .await;
    }
    create(&server, &bearer("other", "admin"), &body()).await;
    let mut public = body();
    public["isPublic"] = json!(true);
    public["name"] = json!("zz public");
    create(&server, &bearer("other", "admin"), &public).await;

    let list = async |query: &str| server.get(CUSTOM, query, &me).await;
    let all = list("").await;
    assert_eq!(
        all.json["meta"]["pagination"],
        json!({"total": 8, "limit": 20, "offset": 0, "hasMore": false})
    );
    let page = list("limit=3&offset=6&sortBy=name&sortOrder=asc").await;
    assert_eq!(
        page.json["meta"]["pagination"],
        json!({"total": 8, "limit": 3, "offset": 6, "hasMore": false})
    );
    assert_eq!(page.json["data"].as_array().unwrap().len(), 2);
    assert_eq!(
        list("limit=3").await.json["meta"]["pagination"]["hasMore"],
        true
    );
    assert_eq!(
        list("offset=100").await.json["meta"]["pagination"]["total"],
        8
    );
    let first = async |query: &str| list(query).await.json["data"][0]["name"].clone();
    assert_eq!(first("sortBy=name&sortOrder=desc").await, "Über \"uns\"");
    assert_eq!(first("sortBy=name").await, "100% sure");
    for (search, found) in [
        ("%25", 1),
        ("_", 1),
        ("a_b", 1),
        ("ÜBER", 1),
        ("%22uns%22", 1),
        ("%5B1%5D", 1),
        ("it%27s", 1),
        ("%5C", 1),
        ("about", 7),
        ("%27%20or%201%3D1%20--", 0),
        ("", 8),
    ] {
        let reply = list(&format!("search={search}")).await;
        assert_eq!(reply.json["meta"]["pagination"]["total"], found, "{search}");
    }
    let table = [
        ("limit=0", "limit out_of_range"),
        ("limit=51", "limit out_of_range"),
        ("limit=x", "limit invalid_type"),
        ("limit=1.5", "limit invalid_type"),
        ("offset=-1", "offset out_of_range"),
        ("sortBy=owner", "sortBy not_in_list"),
        ("sortOrder=up", "sortOrder not_in_list"),
        ("limit=1&limit=2", "limit repeated"),
        ("page=2", "page unknown_field"),
    ];
    for (query, fault) in table {
        assert_eq!(list(query).await.faults(), [fault], "{query}");
    }
    let long = format!("search={}", "x".repeat(101));
    assert_eq!(list(&long).await.faults(), ["search invalid_length"]);
    assert_eq!(list(&long[..long.len() - 1]).await.status, 200);
    assert_eq!(list("limit=1&offset=0").await.status, 200);
    assert_eq!(list("limit=50").await.status, 200);
}

#[tokio::test]
async fn two_editors_do_not_overwrite_each_other_unseen() {
    let server = Server::new();
    let me = bearer("me", "admin");
    let at = format!("{CUSTOM}/{}", create(&server, &me, &body()).await);
    let put = async |tag: &str, name: &str| {
        let request = Request::put(&at)
            .header("authorization", &me)
            .header("if-match", tag);
        let body = Body::from(json!({ "name": name }).to_string());
        server.send(request.body(body).unwrap()).await
    };
    assert_eq!(put("\"1\"", "first").await.header("etag"), "\"2\"");
    assert_eq!(
        put("\"1\"", "second").await.problem(412),
        "revision_changed"
    );
    assert_eq!(
        put("W/\"2\"", "weak").await.problem(412),
        "revision_changed"
    );
    assert_eq!(put("*", "any").await.status, 200);
    let request = Request::delete(&at)
        .header("authorization", &me)
        .header("if-match", "\"1\"");
    let reply = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.problem(412), "revision_changed");
}

/// Sends a body with an `Idempotency-Key`.
async fn keyed(server: &Server, path: &str, who: &str, key: &str, body: &Value) -> Reply {
    let request = Request::post(format!("/api/analytics-dashboard/{path}"))
        .header("authorization", who)
        .header("idempotency-key", key);
    server
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_is_sent_again_with_its_key_makes_nothing_new() {
    let server = std::sync::Arc::new(Server::new());
    let (me, other) = (bearer("me", "admin"), bearer("other", "admin"));
    let export = json!({ "exportType": "report", "format": "csv",
        "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } });
    for (path, body, status) in [("custom", body(), 201), ("export", export, 200)] {
        // Many at once are one.
        let sent: Vec<_> = (0..8)
            .map(|_| {
                let (server, me, body) = (server.clone(), me.clone(), body.clone());
                tokio::spawn(async move { keyed(&server, path, &me, "k-1", &body).await })
            })
            .collect();
        let mut ids = Vec::new();
        for one in sent {
            let reply = one.await.unwrap();
            assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
            ids.push(reply.json["data"]["_id"].clone());
        }
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let mut changed = body.clone();
        changed[if path == "custom" { "name" } else { "format" }] = json!("json");
        let reused = keyed(&server, path, &me, "k-1", &changed).await;
        assert_eq!(reused.problem(409), "idempotency_key_reused");
        for (who, key) in [(&me, "k-2"), (&other, "k-1")] {
            let reply = keyed(&server, path, who, key, &body).await;
            assert_eq!(reply.status.as_u16(), status);
            assert_ne!(reply.json["data"]["_id"], ids[0], "{path} {key}");
        }
        changed["color"] = json!("red");
        let refused = keyed(&server, path, &me, &"x".repeat(256), &changed).await;
        let expected = ["color unknown_field", "idempotencyKey invalid_length"];
        assert_eq!(refused.faults(), expected);
    }
    assert_eq!(
        server.get(CUSTOM, "", &me).await.json["meta"]["pagination"]["total"],
        2
    );
    // What its key made may be gone by then.
    let made = keyed(&server, "custom", &me, "k-3", &body()).await;
    let at = format!("{CUSTOM}/{}", made.json["data"]["_id"].as_str().unwrap());
    send(&server, "DELETE", &at, &me, String::new()).await;
    let again = keyed(&server, "custom", &me, "k-3", &body()).await;
    assert_eq!(again.problem(404), "not_found");
}

#[tokio::test]
async fn a_dashboard_is_shared_and_its_data_come_in_one_call() {
    let server = Server::new();
    let (me, friend) = (bearer("me", "analyst"), bearer("friend", "viewer"));
    let templates = send(
        &server,
        "GET",
        "/api/analytics-dashboard/templates",
        &friend,
        String::new(),
    )
    .await;
    let templates = templates.json["data"].as_array().unwrap().clone();
    assert!(templates.len() >= 6);
    for template in templates {
        let key = template["key"].as_str().unwrap();
        let made = send(
            &server,
            "POST",
            &format!("/api/analytics-dashboard/templates/{key}"),
            &me,
            String::new(),
        )
        .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json["data"]["_id"].as_str().unwrap();
        let at = format!("{CUSTOM}/{id}/data");
        assert_eq!(
            send(&server, "GET", &at, &friend, String::new())
                .await
                .problem(403),
            "forbidden"
        );
        let sharing =
            json!({"users": [{"id": "friend", "access": "view"}], "roles": []}).to_string();
        let path = format!("{CUSTOM}/{id}/sharing");
        assert_eq!(
            send(&server, "PUT", &path, &friend, sharing.clone())
                .await
                .problem(403),
            "forbidden"
        );
        assert_eq!(
            send(&server, "PUT", &path, &me, sharing.clone())
                .await
                .status,
            200
        );
        assert_eq!(
            send(&server, "GET", &path, &me, String::new()).await.json["data"].to_string(),
            sharing.replace(' ', "")
        );
        for range in [
            "",
            "?startDate=2026-01-01&endDate=2026-03-01&timezone=Europe/Paris",
        ] {
            let reply = send(
                &server,
                "GET",
                &format!("{at}{range}"),
                &friend,
                String::new(),
            )
            .await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let widgets = template["widgets"].as_array().unwrap();
            let data = reply.json["data"].as_array().unwrap();
            assert_eq!(data.len(), widgets.len());
            for (place, one) in data.iter().enumerate() {
                assert_eq!(one["widget"], place);
                assert!(one.get("error").is_none(), "{key}: {one}");
                assert!(one["data"]["kind"].is_string(), "{key}: {one}");
            }
        }
        let wrong = send(
            &server,
            "GET",
            &format!("{at}?startDate=2026-02-01&endDate=2026-01-01"),
            &me,
            String::new(),
        )
        .await;
        assert_eq!(wrong.faults(), ["endDate not_after_start"]);
    }
}

#[tokio::test]
async fn the_record_is_read_by_admins_and_verifies() {
    let server = Server::new();
    let (admin, analyst) = (bearer("boss", "admin"), bearer("ana", "analyst"));
    let id = create(&server, &analyst, &body()).await;
    send(
        &server,
        "GET",
        &format!("{CUSTOM}/{id}"),
        &admin,
        String::new(),
    )
    .await
    .problem(403);
    server.get(REALTIME, "", &analyst).await;
    server.get(REALTIME, "limit=1", &analyst).await;
    server.get(REALTIME, "", "Bearer x.y.z").await;
    server.get(REALTIME, "", "").await;
    let path = "/api/analytics-dashboard/audit";
    assert_eq!(
        server.get(path, "", &analyst).await.problem(403),
        "forbidden"
    );
    let list = async |query: &str| {
        server.get(path, query, &admin).await.json["data"]
            .as_array()
            .unwrap()
            .clone()
    };
    let told = |e: &Value| {
        format!(
            "{} {} {}",
            e["who"].as_str().unwrap(),
            e["action"].as_str().unwrap(),
            e["outcome"].as_str().unwrap()
        )
    };
    let mut all: Vec<String> = list("limit=100").await.iter().map(told).collect();
    all.reverse();
    let expected = [
        "ana dashboard.create allowed",
        "boss dashboard.read refused",
        "ana query.realtime allowed",
        "ana query.realtime failed",
        " access.authenticate refused",
        "ana audit.read refused",
    ];
    assert_eq!(all, expected);
    assert_eq!(list("who=ana&action=query").await.len(), 2);
    assert_eq!(list("outcome=refused&limit=2").await.len(), 2);
    let first = &list("action=dashboard.create").await[0];
    assert_eq!(first["object"], format!("dashboard/{id}"));
    assert!(!first["requestId"].as_str().unwrap().is_empty());
    assert_eq!(
        server.get(path, "outcome=maybe", &admin).await.faults(),
        ["outcome not_in_list"]
    );
    let found = server.get(&format!("{path}/verify"), "", &admin).await;
    assert_eq!(found.json["data"]["broken"], Value::Null);
    assert!(found.json["data"]["entries"].as_u64().unwrap() >= 6);
}

#[tokio::test]
async fn tokens_are_taken_back_at_once() {
    let server = Server::new();
    let admin = bearer("boss", "admin");
    let token = |sub: &str, jti: &str, iat: i64| {
        let mut claims = claims("admin");
        claims["sub"] = json!(sub);
        claims["jti"] = json!(jti);
        claims["iat"] = json!(iat);
        format!("Bearer {}", sign(&claims))
    };
    let path = "/api/analytics-dashboard/revocations";
    let (one, two, old, fresh) = (
        token("u", "a", NOW),
        token("u", "b", NOW),
        token("w", "c", NOW - 500),
        token("w", "d", NOW - 10),
    );
    for token in [&one, &two, &old, &fresh] {
        assert_eq!(server.get(CUSTOM, "", token).await.status, 200);
    }
    let viewer = bearer("v", "viewer");
    assert_eq!(
        send(
            &server,
            "POST",
            path,
            &viewer,
            json!({"jti": "a"}).to_string()
        )
        .await
        .problem(403),
        "forbidden"
    );
    assert_eq!(
        send(&server, "POST", path, &admin, "{}".to_owned())
            .await
            .faults(),
        ["jti required"]
    );
    for body in [
        json!({"jti": "a"}),
        json!({"subject": "w", "issuedBefore": "2026-03-01T11:55:00Z"}),
    ] {
        assert_eq!(
            send(&server, "POST", path, &admin, body.to_string())
                .await
                .status,
            204
        );
    }
    assert_eq!(
        server.get(CUSTOM, "", &one).await.problem(401),
        "token_revoked"
    );
    assert_eq!(
        server.get(CUSTOM, "", &old).await.problem(401),
        "token_revoked"
    );
    assert_eq!(server.get(CUSTOM, "", &two).await.status, 200);
    assert_eq!(server.get(CUSTOM, "", &fresh).await.status, 200);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_go_on() {
    let limits = Limits {
        rate: Some(1),
        ..Limits::default()
    };
    let server = Server::with(vec![Key::secret(SECRET).unwrap()], limits);
    let (one, other) = (bearer("one", "admin"), bearer("other", "admin"));
    let mut refused = None;
    for sent in 0..100 {
        let reply = server.get(CUSTOM, "", &one).await;
        if reply.status == 429 {
            refused = Some((sent, reply));
            break;
        }
    }
    let (sent, reply) = refused.expect("a request too many");
    assert!(sent >= 2, "two seconds' requests may come at once");
    assert_eq!(reply.problem(429), "rate_limited");
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(server.get(CUSTOM, "", &other).await.status, 200);
}

#[tokio::test]
async fn keys_can_be_exchanged_while_the_server_runs() {
    let server = Server::new();
    let me = bearer("me", "admin");
    assert_eq!(server.get(CUSTOM, "", &me).await.status, 200);
    server
        .service
        .rotate(verifier(vec![Key::secret(OTHER).unwrap()]));
    assert_eq!(
        server.get(CUSTOM, "", &me).await.problem(401),
        "token_bad_signature"
    );
    server.service.rotate(verifier(vec![
        Key::secret(OTHER).unwrap(),
        Key::secret(SECRET).unwrap(),
    ]));
    assert_eq!(server.get(CUSTOM, "", &me).await.status, 200);
}

#[expect(
    clippy::disallowed_methods,
    reason = "how many requests are sent is said by whoever runs the tests"
)]
fn requests() -> Option<usize> {
    std::env::var("TRAVELSENSE_REQUESTS").ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn interleaved_requests_of_many_principals_are_never_mixed_up() {
    const PRINCIPALS: usize = 100;
    // 50,000 before a release.
    let requests = requests().unwrap_or(2_000);
    let server = std::sync::Arc::new(Server::new());
    let mut tasks = Vec::new();
    for n in 0..PRINCIPALS {
        let server = std::sync::Arc::clone(&server);
        tasks.push(tokio::spawn(async move {
            let role = ["admin", "analyst", "viewer", "root"][n % 4];
            let (me, name) = (bearer(&format!("u{n}"), role), format!("of u{n}"));
            let may = [true, true, false, false][n % 4];
            let mut body = body();
            body["name"] = json!(name);
            let mine = send(&server, "POST", CUSTOM, &me, body.to_string()).await;
            assert_eq!(mine.status.as_u16(), if may { 201 } else { 403 });
            let at = mine.json["data"]["_id"]
                .as_str()
                .map(|id| format!("{CUSTOM}/{id}"));
            for _ in 0..requests / PRINCIPALS {
                tokio::task::yield_now().await;
                match &at {
                    Some(at) => {
                        let read = send(&server, "GET", at, &me, String::new()).await;
                        assert_eq!(read.json["data"]["name"], name.as_str());
                        assert_eq!(read.json["data"]["ownerId"], format!("u{n}"));
                    }
                    None if role == "viewer" => {
                        let listed = send(&server, "GET", CUSTOM, &me, String::new()).await;
                        assert_eq!(listed.json["data"], json!([]));
                    }
                    None => {
                        let refused = send(&server, "GET", CUSTOM, &me, String::new()).await;
                        assert_eq!(refused.problem(403), "forbidden");
                    }
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let found = server
        .store
        .verify_audit(&travelsense::Principal::owner())
        .unwrap();
    assert_eq!(found.broken, None);
    assert_eq!(
        found.entries as usize,
        PRINCIPALS + requests / PRINCIPALS * PRINCIPALS
    );
    for n in [0, 1, 2, 3] {
        let asked = json!({"who": format!("u{n}"), "limit": 1});
        let listed = server
            .store
            .audit(&travelsense::Principal::owner(), &asked)
            .unwrap();
        assert_eq!(
            listed.total as usize,
            1 + requests / PRINCIPALS,
            "every request has its entry"
        );
    }
}
