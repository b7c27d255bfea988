//! Alerts and notifications over HTTP, and their delivery: a webhook that Python verifies, and e-mail into a sink.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, mpsc};

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use travelsense::metadata::{alerts, change};
use travelsense::{Analytics, Principal};
use travelsense_server::notify::{Allowed, Mail, Notifier, Outgoing, Secrets};

use crate::client::*;
use crate::program::{admin, folder};
use crate::tokens::*;

pub(crate) const ALERTS: &str = "/api/analytics-dashboard/alerts";
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) async fn send(
    server: &Server,
    method: Method,
    path: &str,
    role: &str,
    body: &Value,
) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if !role.is_empty() {
        request = request.header("authorization", format!("Bearer {}", token(role)));
    }
    server
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

pub(crate) fn rule(channels: Value) -> Value {
    json!({
        "name": "Quiet",
        "source": { "system": "freshness" },
        "condition": { "type": "threshold", "above": 60 },
        "channels": channels,
    })
}

#[tokio::test]
async fn a_rule_is_made_read_changed_silenced_tested_and_removed() {
    let server = Server::new();
    let admins = json!([{ "type": "in_app", "roles": ["admin"] }]);
    let made = send(&server, Method::POST, ALERTS, "admin", &rule(admins)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json["data"]["_id"].as_str().unwrap().to_owned();
    let path = format!("{ALERTS}/{id}");
    assert_eq!(made.header("location"), path);
    assert_eq!(made.header("etag"), "\"1\"");
    let listed = server.ask(ALERTS, "search=qui&limit=5", "viewer").await;
    assert_eq!(listed.json["meta"]["pagination"]["total"], 1);
    assert_eq!(listed.json["data"][0]["phase"], "ok");
    let changed = send(
        &server,
        Method::PUT,
        &path,
        "admin",
        &json!({ "severity": "critical" }),
    )
    .await;
    assert_eq!(
        (changed.status.as_u16(), changed.header("etag")),
        (200, "\"2\"")
    );
    let tested = send(
        &server,
        Method::POST,
        &format!("{path}/test"),
        "admin",
        &json!({}),
    )
    .await;
    assert_eq!(tested.json["data"]["verdict"], "breach", "{}", tested.text);
    let silenced = send(
        &server,
        Method::POST,
        &format!("{path}/silence"),
        "admin",
        &json!({ "for": "1h" }),
    )
    .await;
    assert_ne!(
        silenced.json["data"]["silencedUntil"],
        Value::Null,
        "{}",
        silenced.text
    );
    let history = server.ask(&format!("{path}/history"), "", "viewer").await;
    assert_eq!(history.json["data"], json!([]));
    let notes = server
        .ask(
            "/api/analytics-dashboard/notifications",
            "unread=true",
            "admin",
        )
        .await;
    let note = notes.json["data"][0]["_id"].as_str().unwrap().to_owned();
    let read = format!("/api/analytics-dashboard/notifications/{note}/read");
    assert_eq!(
        send(&server, Method::POST, &read, "admin", &json!({}))
            .await
            .status,
        204
    );
    assert_eq!(
        send(&server, Method::DELETE, &path, "admin", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        server.ask(&path, "", "admin").await.problem(404),
        "not_found"
    );
}

/// A rule whose question cannot be answered says so when it is tested, and its messages are sent all the same.
#[tokio::test]
async fn a_test_tells_why_a_rule_reads_nothing() {
    let server = Server::new();
    let mut rule = rule(json!([{ "type": "in_app", "roles": ["admin"] }]));
    rule["source"] =
        json!({ "word": "funnel", "question": { "steps": [] }, "value": "/rate", "lastDays": 7 });
    let made = send(&server, Method::POST, ALERTS, "admin", &rule).await;
    let path = format!(
        "{ALERTS}/{}/test",
        made.json["data"]["_id"].as_str().unwrap()
    );
    let tested = send(&server, Method::POST, &path, "admin", &json!({})).await;
    assert_eq!(tested.status, 200, "{}", tested.text);
    let data = &tested.json["data"];
    assert_eq!(
        (&data["verdict"], &data["messages"]),
        (&json!("unknown"), &json!(1))
    );
    assert!(data["reading"]["error"].is_string(), "{data}");
}

#[tokio::test]
async fn a_request_is_refused_in_the_order_of_the_house() {
    let server = Server::new();
    let wrong = json!({ "name": "" });
    assert_eq!(
        send(&server, Method::POST, ALERTS, "", &wrong).await.status,
        401
    );
    assert_eq!(
        send(&server, Method::POST, ALERTS, "viewer", &wrong)
            .await
            .problem(403),
        "forbidden"
    );
    let faults = send(&server, Method::POST, ALERTS, "admin", &wrong)
        .await
        .faults();
    assert_eq!(
        faults,
        [
            "name invalid_length",
            "source required",
            "condition required"
        ]
    );
    let mut other = rule(json!([]));
    other["name"] = json!("");
    other["source"] = json!({ "word": "fortune", "question": {}, "value": "/rate" });
    let faults = send(&server, Method::POST, ALERTS, "admin", &other)
        .await
        .faults();
    assert_eq!(faults, ["name invalid_length", "source.word not_in_list"]);
    let long = format!("search={}", "x".repeat(101));
    assert_eq!(
        server.ask(ALERTS, &long, "admin").await.faults(),
        ["search invalid_length"]
    );
    let made = send(&server, Method::POST, ALERTS, "admin", &rule(json!([]))).await;
    let path = format!("{ALERTS}/{}", made.json["data"]["_id"].as_str().unwrap());
    for (body, fault) in [
        (json!({ "name": null }), ""),
        (json!({}), ""),
        (
            json!({ "condition": { "type": "band" } }),
            "condition.type unsupported",
        ),
        (
            json!({ "source": { "word": "x", "question": {}, "value": "/a" } }),
            "source.word not_in_list",
        ),
    ] {
        let reply = send(&server, Method::PUT, &path, "admin", &body).await;
        match fault {
            "" => assert_eq!(reply.status, 200, "{body}: {}", reply.text),
            fault => assert_eq!(reply.faults(), [fault], "{body}"),
        }
    }
    let silence = format!("{path}/silence");
    for (body, fault) in [
        (json!({}), "until required"),
        (json!({ "for": 0.5 }), "for out_of_range"),
        (
            json!({ "for": 60, "until": "2026-04-01T00:00:00Z" }),
            "until contradiction",
        ),
        (json!({ "until": "2026-01-01T00:00:00Z" }), "until in_past"),
        (
            json!({ "for": 60, "reason": "a\0b" }),
            "reason invalid_text",
        ),
        (json!({ "until": null }), ""),
        (json!({ "for": 31_536_000, "until": null }), ""),
    ] {
        let reply = send(&server, Method::POST, &silence, "admin", &body).await;
        match fault {
            "" => assert_eq!(reply.status, 200, "{body}: {}", reply.text),
            fault => assert_eq!(reply.faults(), [fault], "{body}"),
        }
    }
    let deliveries = "/api/analytics-dashboard/deliveries";
    assert_eq!(
        server.ask(deliveries, "", "viewer").await.problem(403),
        "forbidden"
    );
    assert_eq!(
        server.ask(deliveries, "state=lost", "admin").await.faults(),
        ["state not_in_list"]
    );
    assert_eq!(
        server.ask(&format!("{ALERTS}/x"), "", "admin").await.status,
        400
    );
}

/// Answers one request with a status, and hands over what came.
pub(crate) fn hook(status: &'static str) -> (u16, mpsc::Receiver<(Vec<String>, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (came, comes) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim_end().to_owned();
                if line.is_empty() {
                    break;
                }
                head.push(line);
            }
            let length = head.iter().find_map(|l| {
                l.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let _ = came.send((head, String::from_utf8(body).unwrap()));
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nlocation: http://127.0.0.1:{port}/again\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (port, comes)
}

fn notifier(allow: &[&str], mail: Option<Mail>) -> Arc<Notifier> {
    let allow: Vec<String> = allow.iter().map(|a| (*a).to_owned()).collect();
    let outgoing = Outgoing {
        secrets: Some(Secrets::read(SECRET).unwrap()),
        allowed: Allowed::read(&allow).unwrap(),
        mail,
    };
    Arc::new(Notifier::new(outgoing).unwrap())
}

/// Evaluates and delivers; gives the deliveries afterwards, the latest first.
async fn told(server: &Server, notifier: &Arc<Notifier>) -> Vec<Value> {
    let store = Arc::clone(&server.store);
    let owner = Principal::owner();
    let done = tokio::task::spawn_blocking(move || store.evaluate_alerts(&owner)).await;
    assert_eq!(done.unwrap().unwrap().opened, 1);
    assert_eq!(notifier.deliver(&server.store).await, 1);
    let path = "/api/analytics-dashboard/deliveries";
    let reply = server.ask(path, "", "admin").await;
    reply.json["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_webhook_arrives_and_python_verifies_its_signature() {
    let server = Server::new();
    let (port, comes) = hook("204 No Content");
    let channels = json!([{ "type": "webhook", "url": format!("http://127.0.0.1:{port}/hook") }]);
    send(&server, Method::POST, ALERTS, "admin", &rule(channels)).await;
    let deliveries = told(&server, &notifier(&["127.0.0.1"], None)).await;
    assert_eq!(deliveries[0]["state"], "sent", "{deliveries:?}");
    let (head, body) = comes.recv().unwrap();
    assert_eq!(head[0], "POST /hook HTTP/1.1");
    let header = |name: &str| {
        let line = head
            .iter()
            .find_map(|l| l.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} in {head:?}"))
            .to_owned()
    };
    assert_eq!(header("webhook-id"), deliveries[0]["_id"]);
    assert_eq!(header("webhook-timestamp"), NOW.to_string());
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["type"], "alert.firing");
    assert_eq!(told["data"]["alerts"][0]["name"], "Quiet");
    let program = "
import base64, hashlib, hmac, sys
secret, id, timestamp, signature, body = sys.argv[1:]
key = base64.b64decode(secret.removeprefix('whsec_'))
own = base64.b64encode(hmac.new(key, f'{id}.{timestamp}.{body}'.encode(), hashlib.sha256).digest()).decode()
sys.exit(0 if any(hmac.compare_digest(s, 'v1,' + own) for s in signature.split()) else 1)
";
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let signature = header("webhook-signature");
    let verified = std::process::Command::new("python3")
        .args(["-c", program, SECRET, &id, &timestamp, &signature, &body])
        .status()
        .unwrap();
    assert!(verified.success());
    assert_eq!(
        notifier(&["127.0.0.1"], None).deliver(&server.store).await,
        0,
        "it is told once"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_an_address_of_this_machine_is_not_called() {
    let (port, comes) = hook("302 Found");
    let channels = json!([{ "type": "webhook", "url": format!("http://127.0.0.1:{port}/hook") }]);
    let server = Server::new();
    send(
        &server,
        Method::POST,
        ALERTS,
        "admin",
        &rule(channels.clone()),
    )
    .await;
    let deliveries = told(&server, &notifier(&["127.0.0.1"], None)).await;
    assert_eq!(
        (&deliveries[0]["state"], &deliveries[0]["attempts"]),
        (&json!("waiting"), &json!(1))
    );
    assert_eq!(deliveries[0]["error"], "it answered 302 Found");
    assert_eq!(comes.try_iter().count(), 1);
    let server = Server::new();
    send(&server, Method::POST, ALERTS, "admin", &rule(channels)).await;
    let deliveries = told(&server, &notifier(&[], None)).await;
    assert_eq!(deliveries[0]["state"], "dead", "{deliveries:?}");
    assert_eq!(
        deliveries[0]["error"],
        "`127.0.0.1` leads to an address that is of this machine"
    );
    assert_eq!(comes.try_iter().count(), 0);
}

/// A server that takes one e-mail, and hands it over.
pub(crate) fn sink() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (came, comes) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        say("220 sink");
        let mut all = String::new();
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 0 {
            all.push_str(&line);
            match line.trim_end() {
                "DATA" => {
                    say("354 go on");
                    loop {
                        line.clear();
                        reader.read_line(&mut line).unwrap();
                        if line == ".\r\n" {
                            break;
                        }
                        all.push_str(&line);
                    }
                    let _ = came.send(all.clone());
                    say("250 taken");
                }
                "QUIT" => return,
                _ => say("250 ok"),
            }
            line.clear();
        }
    });
    (port, comes)
}

#[tokio::test]
async fn an_e_mail_arrives_with_the_sentence_of_the_alert() {
    let server = Server::new();
    let (port, comes) = sink();
    let mut rule = rule(json!([{ "type": "email", "to": ["ops@example.com"] }]));
    rule["name"] = json!("Zürich is quiet");
    send(&server, Method::POST, ALERTS, "admin", &rule).await;
    let mail = Mail::new(
        &format!("smtp://127.0.0.1:{port}"),
        "travelsense <alerts@example.com>",
    )
    .unwrap();
    let deliveries = told(&server, &notifier(&[], Some(mail))).await;
    assert_eq!(deliveries[0]["state"], "sent", "{deliveries:?}");
    let mail = comes.recv().unwrap();
    assert!(mail.contains("MAIL FROM:<alerts@example.com>"), "{mail}");
    assert!(mail.contains("RCPT TO:<ops@example.com>"), "{mail}");
    let id = deliveries[0]["_id"].as_str().unwrap();
    assert!(
        mail.contains(&format!("Message-ID: <{id}@example.com>")),
        "{mail}"
    );
    assert!(mail.contains("Severity: warning"), "{mail}");
}

#[test]
fn a_mail_server_that_cannot_be_read_does_not_repeat_its_password() {
    let error = Mail::new("mail://u:hunter2@x", "a@b.example").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
    assert!(Mail::new("smtp://localhost", "nobody").is_err());
}

/// Writes down of so many rules that they cannot be read.
fn many(store: &Analytics, count: usize) {
    let written = change(&*store.metadata().unwrap(), |session| {
        (0..count).try_for_each(|rule| {
            let event = travelsense::metadata::Event {
                rule: rule.to_string(),
                at: store.now(),
                event: "error".to_owned(),
                body: "{}".to_owned(),
            };
            alerts::happened(session, &event)
        })
    });
    written.unwrap();
}

#[tokio::test]
async fn what_becomes_of_alerts_is_pushed_and_goes_on_where_it_was() {
    let server = Server::new();
    let admins = json!([{ "type": "in_app", "roles": ["admin"] }]);
    let made = send(&server, Method::POST, ALERTS, "admin", &rule(admins)).await;
    let id = made.json["data"]["_id"].as_str().unwrap().to_owned();
    // Due at midnight, and evaluated for it as soon as it is made.
    let mut daily = rule(json!([{ "type": "in_app", "roles": ["admin"] }]));
    daily["schedule"] = json!({ "every": "1d" });
    let made = send(&server, Method::POST, ALERTS, "admin", &daily).await;
    let of_midnight = made.json["data"]["_id"].as_str().unwrap().to_owned();
    let path = format!("{ALERTS}/stream");
    assert_eq!(server.ask(&path, "", "collector").await.status, 403);
    let watch = |last: Option<&str>| {
        let mut request =
            Request::get(&path).header("authorization", format!("Bearer {}", token("viewer")));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        server.send(request.body(Body::empty()).unwrap())
    };
    let pause = |ms| tokio::time::sleep(std::time::Duration::from_millis(ms));
    let evaluated = async {
        pause(300).await;
        let store = Arc::clone(&server.store);
        let done =
            tokio::task::spawn_blocking(move || store.evaluate_alerts(&Principal::owner())).await;
        assert_eq!(done.unwrap().unwrap().opened, 2);
        pause(2_500).await;
        // More than are read at once.
        let store = Arc::clone(&server.store);
        tokio::task::spawn_blocking(move || many(&store, 1_100))
            .await
            .unwrap();
        pause(2_500).await;
        server.service.stop();
    };
    let (heard, ()) = tokio::join!(watch(None), evaluated);
    assert_eq!(heard.status, 200);
    assert_eq!(heard.header("content-type"), "text/event-stream");
    for part in ["event: firing", "event: notified", &id, &of_midnight] {
        assert!(heard.text.contains(part), "{}", heard.text);
    }
    assert_eq!(heard.text.matches("event: error").count(), 1_100);
    // The server stops, so that whoever comes hears what there is and no more: the last instant once more, or nothing of before.
    let last = heard
        .text
        .split("id: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let again = watch(Some(last)).await;
    assert!(again.text.contains("event: firing"), "{}", again.text);
    let late = watch(None).await;
    assert!(!late.text.contains("event: "), "{}", late.text);
}

#[test]
fn a_server_delivers_by_webhook_slack_and_mail_and_keeps_what_it_gives_up() {
    let (_dir, data) = folder();
    let (good, comes) = hook("200 OK");
    let (gone, refused) = hook("410 Gone");
    let (smtp, mails) = sink();
    let url = format!("smtp://127.0.0.1:{smtp}");
    let flags = [
        "--webhook-secret",
        SECRET,
        "--webhook-allow",
        "127.0.0.1",
        "--smtp",
        &url,
    ];
    let (server, address) = crate::crash::serve_with(&flags, &data);
    let token = admin();
    let ask = |method: &str, path: &str, body: &Value| {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let path = format!("/api/analytics-dashboard/{path}");
        crate::program::send(&address, (method, &path), &token, &body).unwrap()
    };
    let channels = json!([
        { "type": "webhook", "url": format!("http://127.0.0.1:{good}/hook") },
        { "type": "slack", "url": format!("http://127.0.0.1:{good}/services/T0/B0/x") },
        { "type": "email", "to": ["ops@example.com"] },
        { "type": "webhook", "url": format!("http://127.0.0.1:{gone}/gone") },
        // The name of an address that is not public is found out when it is connected to.
        { "type": "webhook", "url": "http://169.254.169.254/latest/meta-data" },
    ]);
    let (status, made) = ask("POST", "alerts", &rule(channels));
    assert_eq!(status, 201, "{made}");
    let id = made["data"]["_id"].as_str().unwrap();
    assert_eq!(
        ask("POST", &format!("alerts/{id}/test"), &Value::Null).0,
        200
    );
    let deliveries = |state: &str| {
        let (_, list) = ask(
            "GET",
            &format!("deliveries?limit=100&state={state}"),
            &Value::Null,
        );
        list["data"].as_array().unwrap().clone()
    };
    for _ in 0..150 {
        if deliveries("sent").len() + deliveries("dead").len() == 5 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(deliveries("sent").len(), 3, "{:?}", deliveries(""));
    let mut told: Vec<_> = comes.try_iter().collect();
    told.sort();
    let (hooked, slack) = (&told[0], &told[1]);
    assert!(
        hooked
            .0
            .iter()
            .any(|line| line.starts_with("webhook-signature: v1,")),
        "{hooked:?}"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&hooked.1).unwrap()["type"],
        "alert.test"
    );
    let slack: Value = serde_json::from_str(&slack.1).unwrap();
    assert!(
        slack["text"].is_string() && slack["blocks"][0]["type"] == "section",
        "{slack}"
    );
    let mail = mails.recv().unwrap();
    assert!(
        mail.contains("RCPT TO:<ops@example.com>") && mail.contains("Quiet"),
        "{mail}"
    );

    let dead = deliveries("dead");
    let why: Vec<&str> = dead.iter().map(|d| d["error"].as_str().unwrap()).collect();
    assert!(why.contains(&"it answered 410 Gone"), "{why:?}");
    assert!(
        why.iter().any(|why| why.contains("169.254.169.254")),
        "{why:?}"
    );
    // What was given up goes out again when somebody says so.
    assert_eq!(refused.try_iter().count(), 1);
    let given_up = dead
        .iter()
        .find(|d| d["error"] == "it answered 410 Gone")
        .unwrap();
    let again = format!("deliveries/{}/retry", given_up["_id"].as_str().unwrap());
    assert!(ask("POST", &again, &Value::Null).0 < 300);
    let came = refused.recv_timeout(std::time::Duration::from_secs(10));
    assert_eq!(came.unwrap().0[0], "POST /gone HTTP/1.1");
    assert_eq!(server.stop("-TERM").0, Some(0));
}
