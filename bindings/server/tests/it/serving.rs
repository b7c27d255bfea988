//! The server and the demo as processes: from their first line to the signal that ends them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use travelsense::{Analytics, Instant, Principal};

use crate::program::*;

#[test]
fn the_server_answers_and_stops_on_sigterm() {
    let (_dir, data) = imported();
    let args = [
        "serve",
        "--data",
        &data,
        "--bind",
        "127.0.0.1:0",
        "--log-format",
        "json",
    ];
    let mut server = Running::start(&args, &[("TRAVELSENSE_JWT_SECRET", SECRET)]);
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let address = log
        .by_ref()
        .map(|line| {
            serde_json::from_str::<Value>(&line.unwrap()).expect("every line of the log is JSON")
        })
        .find_map(|line| {
            (line["message"] == "listening").then(|| line["address"].as_str().unwrap().to_owned())
        })
        .unwrap();
    let token = run(
        &["token", "--sub", "alice"],
        &[("TRAVELSENSE_JWT_SECRET", SECRET)],
    )
    .out;

    assert_eq!(get(&address, "/health", "").0, 200);
    let path = "/api/analytics-dashboard/cohort-analysis?startDate=2026-01-05&endDate=2026-01-18&cohortPeriod=weekly&analysisMetric=retention_rate";
    let (status, answer) = get(&address, path, token.trim());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["data"]["cohorts"][0]["size"], 2);
    assert_eq!(get(&address, path, "wrong").0, 401);

    let id = answer["meta"]["requestId"].as_str().unwrap().to_owned();
    let logged = log
        .by_ref()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .find(|line| line.to_string().contains(&id));
    let logged = logged.unwrap();
    assert_eq!(logged["status"], 200);
    assert!(
        !logged.to_string().contains(token.trim()),
        "a log holds no token"
    );

    // Somebody who holds a connection open does not keep the server from stopping.
    let _idle = TcpStream::connect(&address).unwrap();
    let (code, took) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
}

/// The address at which a server says that it listens.
fn listening(server: &mut Running) -> String {
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let address = log
        .by_ref()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .find_map(|line| line["address"].as_str().map(str::to_owned))
        .unwrap();
    // Somebody must read on, or the server waits.
    std::thread::spawn(move || log.for_each(drop));
    address
}

#[test]
fn what_was_acknowledged_before_sigterm_is_there_afterwards() {
    let (_dir, data) = imported();
    let secret = [("TRAVELSENSE_JWT_SECRET", SECRET)];
    let args = [
        "serve",
        "--data",
        &data,
        "--bind",
        "127.0.0.1:0",
        "--log-format",
        "json",
        "--rate-limit",
        "off",
        "--shutdown-delay",
        "500ms",
    ];
    let token = run(&["token", "--sub", "alice", "--role", "admin"], &secret).out;
    let token = token.trim();
    let mut server = Running::start(&args, &secret);
    let address = listening(&mut server);
    let board = json!({"name": "Mine", "widgets": [{"type": "metric", "title": "Users", "dataSource": "user_events",
        "visualization": "number", "config": {}}]})
    .to_string();
    let export = json!({"exportType": "report", "format": "pdf",
        "dateRange": {"startDate": "2026-01-01", "endDate": "2026-01-31"}})
    .to_string();

    let (code, took, made) = std::thread::scope(|scope| {
        let writers: Vec<_> = [("custom", &board), ("custom", &board), ("export", &export)]
            .into_iter()
            .map(|(path, body)| {
                let address = &address;
                scope.spawn(move || {
                    let path = format!("/api/analytics-dashboard/{path}");
                    let mut acknowledged = Vec::new();
                    // Until the server takes no more.
                    while let Ok((200 | 201, answer)) = send(address, ("POST", &path), token, body)
                    {
                        acknowledged.push(answer["data"]["_id"].as_str().unwrap().to_owned());
                    }
                    (path, acknowledged)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(1_500));
        let (code, took) = server.stop("-TERM");
        let made: Vec<_> = writers.into_iter().map(|w| w.join().unwrap()).collect();
        (code, took, made)
    });
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");

    let mut server = Running::start(&args, &secret);
    let address = listening(&mut server);
    for (path, acknowledged) in made {
        assert!(!acknowledged.is_empty());
        for id in acknowledged {
            let (status, answer) = get(&address, &format!("{path}/{id}"), token);
            assert_eq!((status, &answer["data"]["_id"]), (200, &json!(id)));
        }
    }
    let (_, whole) = get(&address, "/api/analytics-dashboard/audit/verify", token);
    assert_eq!(whole["data"]["broken"], Value::Null);
    assert_eq!(server.stop("-TERM").0, Some(0));
}

#[test]
fn a_server_says_that_it_will_stop_before_it_stops() {
    let (_dir, data) = imported();
    let secret = [("TRAVELSENSE_JWT_SECRET", SECRET)];
    let args = [
        "serve",
        "--data",
        &data,
        "--bind",
        "127.0.0.1:0",
        "--log-format",
        "json",
        "--shutdown-delay",
        "2s",
    ];
    let mut server = Running::start(&args, &secret);
    let address = listening(&mut server);
    assert_eq!(get(&address, "/ready", "").0, 200);
    let id = server.0.id().to_string();
    std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(get(&address, "/ready", "").0, 503);
    assert_eq!(get(&address, "/health", "").0, 200);
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
}

#[test]
fn two_servers_do_not_share_a_store_or_a_port() {
    let (_dir, data) = imported();
    let secret = [("TRAVELSENSE_JWT_SECRET", SECRET)];
    let mut server = Running::start(
        &["serve", "--data", &data, "--bind", "127.0.0.1:0"],
        &secret,
    );
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let line = log
        .by_ref()
        .map(Result::unwrap)
        .find(|l| l.contains("listening"))
        .unwrap();
    refused(
        &["serve", "--data", &data, "--bind", "127.0.0.1:0"],
        &secret,
        1,
        &["travelsense:"],
    );
    let (_other, empty) = folder();
    let taken = line
        .split("127.0.0.1:")
        .nth(1)
        .unwrap()
        .trim_matches(|c: char| !c.is_ascii_digit());
    let address = format!("127.0.0.1:{taken}");
    refused(
        &["serve", "--data", &empty, "--bind", &address],
        &secret,
        1,
        &["--bind", &address],
    );
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn the_demo_prints_lines_that_work() {
    let (_dir, data) = folder();
    let args = [
        "demo",
        "--data",
        &data,
        "--users",
        "300",
        "--days",
        "90",
        "--bind",
        "127.0.0.1:0",
    ];
    let mut server = Running::start(&args, &[]);
    let lines = BufReader::new(server.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let printed: Vec<String> = lines.take_while(|l| !l.contains("Ctrl-C")).collect();
    let curls: Vec<&String> = printed.iter().filter(|l| l.starts_with("curl ")).collect();
    assert_eq!(curls.len(), 3, "{printed:?}");
    let mut answers = Vec::new();
    for line in curls {
        let token = line
            .split("Bearer ")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap();
        let url = line.split("http://").nth(1).unwrap().trim_end_matches('\'');
        let (address, path) = url.split_once('/').unwrap();
        let (status, answer) = get(address, &format!("/{path}"), token);
        assert_eq!(status, 200, "{line}: {answer}");
        answers.push(answer["data"].clone());
    }
    assert_eq!(answers[0].as_array().unwrap().len(), 6);
    assert!(
        answers[1][0]["data"]["entered"].as_u64().unwrap() > 0,
        "{}",
        answers[1]
    );
    assert!(
        answers[2]["cohorts"][0]["size"].as_u64().unwrap() > 0,
        "{}",
        answers[2]
    );
    // Another demo does not take the file from under the server.
    let other = || {
        run(
            &["demo", "--data", &data, "--users", "200", "--no-serve"],
            &[],
        )
    };
    let refused = other();
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("open for writing"), "{}", refused.err);
    // Nor does a question, which is told whom to ask.
    let asked = run(&["alerts", "list", "--data", &data], &[]);
    assert_eq!(asked.code, 1, "{}", asked.err);
    assert!(asked.err.contains("over HTTP"), "{}", asked.err);
    let (code, took) = server.stop("-INT");
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");

    // The same day's demo is not made again.
    let note = fs::read_to_string(Path::new(&data).join("demo.json")).unwrap();
    let again = run(
        &[
            "demo",
            "--data",
            &data,
            "--users",
            "300",
            "--days",
            "90",
            "--no-serve",
        ],
        &[],
    );
    assert_eq!((again.code, again.err.as_str()), (0, ""));
    assert_eq!(
        fs::read_to_string(Path::new(&data).join("demo.json")).unwrap(),
        note
    );

    // Nor does another take the place of what came later.
    let store = Analytics::open(Path::new(&data).join("travelsense.db")).unwrap();
    let late = json!([{"userId": "late", "name": "search", "ts": "2026-01-01T00:00:00Z"}]);
    store.ingest(&Principal::owner(), &late).unwrap();
    store.close();
    let refused = other();
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(
        refused.err.contains("1 events that the demo did not make"),
        "{}",
        refused.err
    );
}

#[test]
fn the_demo_leaves_data_alone_that_it_did_not_make() {
    let (_dir, data) = imported();
    let done = run(
        &["demo", "--data", &data, "--users", "300", "--no-serve"],
        &[],
    );
    assert_eq!(done.code, 0, "{}", done.err);
    let asked = json!({"steps": ["search"], "startDate": "2026-01-01", "endDate": "2026-01-31", "asOf": "2026-02-10T00:00:00Z"});
    let answer = open(&data)
        .funnel_json(&Principal::owner(), &asked)
        .unwrap();
    assert_eq!(answer.entered, 3);
    assert_eq!(
        answer.as_of,
        "2026-02-10T00:00:00Z".parse::<Instant>().unwrap()
    );
}

#[test]
fn a_record_that_is_made_anew_is_found_by_the_anchors_beside_it() {
    let (dir, data) = imported();
    let keys = [
        ("key.pem", crate::tokens::ED),
        ("key.pub.pem", crate::tokens::ED_PUBLIC),
    ];
    let [key, public] = keys.map(|(name, text)| file(&dir, name, text));
    let (elsewhere, anchors) = folder();
    let anchors = format!("{anchors}/anchors");
    let within = format!("{data}/anchors");
    let secret = [("TRAVELSENSE_JWT_SECRET", SECRET)];
    let serve = |anchors: &str| {
        let args = [
            "serve",
            "--data",
            &data,
            "--bind",
            "127.0.0.1:0",
            "--log-format",
            "json",
            "--audit-anchor",
            anchors,
            "--audit-anchor-key",
            &key,
        ];
        args.map(str::to_owned)
    };
    let args = serve(&within);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    refused(
        &args,
        &secret,
        2,
        &["--audit-anchor", "within the data folder"],
    );

    let token = run(&["token", "--sub", "alice", "--role", "admin"], &secret).out;
    let args = serve(&anchors);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for _ in 0..2 {
        let mut server = Running::start(&args, &secret);
        let address = listening(&mut server);
        let path = "/api/analytics-dashboard/custom";
        assert_eq!(get(&address, path, token.trim()).0, 200);
        assert_eq!(server.stop("-TERM").0, Some(0));
    }
    let verify = |more: &[&str]| {
        let args = [&["audit", "verify", "--data", &data], more].concat();
        run(&args, &[])
    };
    let by = ["--anchors", &anchors, "--anchor-key", &public];
    let whole = verify(&by);
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert!(
        whole.out.contains("2 anchors say the same"),
        "{}",
        whole.out
    );
    // A line that nobody signed.
    let lines = fs::read_to_string(&anchors).unwrap();
    let other = file(&elsewhere, "other", &lines.replace("ey", "ez"));
    let forged = verify(&["--anchors", &other, "--anchor-key", &public]);
    assert_eq!(forged.code, 2, "{}", forged.err);
    assert!(forged.err.contains("line 1 is no anchor"), "{}", forged.err);
    // A record that begins anew is whole by itself, and not by its anchors.
    fs::remove_file(Path::new(&data).join("travelsense.db.meta")).unwrap();
    let mut server = Running::start(&args[..args.len() - 4], &secret);
    let address = listening(&mut server);
    for _ in 0..3 {
        get(
            &address,
            "/api/analytics-dashboard/custom?limit=1",
            token.trim(),
        );
    }
    server.stop("-TERM");
    assert_eq!(verify(&[]).code, 0);
    let found = verify(&by);
    assert_eq!(found.code, 1, "{}", found.out);
    assert!(
        found.err.contains("is not what the anchor of"),
        "{}",
        found.err
    );
}

/// Only a build with the feature sends traces.
#[cfg(feature = "otel")]
#[test]
fn a_request_becomes_a_span_of_the_trace_that_its_caller_names() {
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let (came, comes) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut head).unwrap(), 0);
            }
            let lower = head.to_lowercase();
            let length = lower.split("content-length: ").nth(1).unwrap();
            let length = length.split("\r\n").next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let _ = came.send((head, body));
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
        }
    });
    let (_dir, data) = imported();
    let args = [
        "serve",
        "--data",
        &data,
        "--bind",
        "127.0.0.1:0",
        "--log-format",
        "json",
        "--otlp",
        &collector,
    ];
    let mut server = Running::start(&args, &[("TRAVELSENSE_JWT_SECRET", SECRET)]);
    let address = listening(&mut server);
    let mut socket = TcpStream::connect(&address).unwrap();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    write!(
        socket,
        "GET /health HTTP/1.1\r\nhost: x\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-01\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    socket.read_to_end(&mut Vec::new()).unwrap();
    // What is left is sent when the server stops.
    assert_eq!(server.stop("-TERM").0, Some(0));
    let (head, body) = comes.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
    let has = |needle: &[u8]| body.windows(needle.len()).any(|part| part == needle);
    let id: Vec<u8> = (0..trace.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&trace[i..i + 2], 16).unwrap())
        .collect();
    assert!(has(&id), "the trace goes on");
    for word in [
        "travelsense",
        "request",
        "http.route",
        "/health",
        "http.response.status_code",
    ] {
        assert!(has(word.as_bytes()), "{word}");
    }
}
