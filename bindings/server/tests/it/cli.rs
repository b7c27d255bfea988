//! The program as people run it: its flags, what it writes where, and its exit codes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Clock};

use serde_json::{Value, json};
use tempfile::TempDir;
use travelsense::access::{Key, Verifier};
use travelsense::{Analytics, Instant, Options, Principal};

use crate::tokens;

const SECRET: &str = "Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKaE";

/// The program, without any setting of the machine it is tested on.
fn program(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_travelsense"));
    for name in [
        "DATA",
        "BIND",
        "CONFIG",
        "JWT_SECRET",
        "JWT_SECRET_FILE",
        "JWT_PUBLIC_KEY",
        "JWT_JWKS",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "LOG",
        "LOG_FORMAT",
        "DEMO",
    ] {
        command.env_remove(format!("TRAVELSENSE_{name}"));
    }
    command
        .args(args)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command
}

struct Done {
    code: i32,
    out: String,
    err: String,
}

fn run(args: &[&str], environment: &[(&str, &str)]) -> Done {
    let output = program(args, environment).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Runs it and expects success.
fn ok(args: &[&str]) -> String {
    let done = run(args, &[]);
    assert_eq!(done.code, 0, "{args:?}: {}", done.err);
    done.out
}

/// Runs it and expects that it refuses with this exit code and these words.
fn refused(args: &[&str], environment: &[(&str, &str)], code: i32, words: &[&str]) {
    let done = run(args, environment);
    assert_eq!(done.code, code, "{args:?}: {}{}", done.out, done.err);
    assert_eq!(done.out, "", "{args:?}");
    for word in words {
        assert!(
            done.err.contains(word),
            "{args:?}: `{word}` is not in: {}",
            done.err
        );
    }
    assert!(!done.err.contains("panicked"), "{}", done.err);
}

fn folder() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_command_explains_itself() {
    for command in ["demo", "serve", "import", "funnel", "retention", "token"] {
        let help = ok(&[command, "--help"]);
        assert!(help.contains("Usage: travelsense"), "{command}: {help}");
        assert!(help.contains("--"), "{command}");
    }
    assert_eq!(run(&[], &[]).code, 2);
    refused(&["fly"], &[], 2, &["unrecognized subcommand"]);
    refused(&["funnel", "--colour", "red"], &[], 2, &["--colour"]);
}

#[test]
fn a_minted_token_is_one_that_the_server_accepts() {
    let (dir, _) = folder();
    let secret_file = file(&dir, "secret", &format!("{SECRET}\n"));
    let calls = [
        run(
            &["token", "--sub", "alice", "--role", "analyst"],
            &[("TRAVELSENSE_JWT_SECRET", SECRET)],
        ),
        run(
            &[
                "token",
                "--sub",
                "alice",
                "--role",
                "analyst",
                "--secret-file",
                &secret_file,
            ],
            &[],
        ),
        run(
            &[
                "token",
                "--sub",
                "alice",
                "--role",
                "analyst",
                "--expires",
                "30m",
                "--jwt-secret",
                SECRET,
            ],
            &[],
        ),
    ];
    let verifier = Verifier::new(
        vec![Key::secret(SECRET.as_bytes()).unwrap()],
        "travelsense",
        "travelsense",
    )
    .unwrap();
    let now = (Options::default().clock)();
    for done in calls {
        assert_eq!(done.code, 0, "{}", done.err);
        assert_eq!(
            verifier.verify(done.out.trim(), now).unwrap(),
            Principal::new("alice", "analyst")
        );
    }
}

#[test]
fn a_token_is_refused_where_it_would_be_of_no_use() {
    let secret = [("TRAVELSENSE_JWT_SECRET", SECRET)];
    refused(&["token", "--sub", "a"], &[], 2, &["no secret"]);
    refused(
        &["token", "--sub", "a", "--jwt-secret", "short"],
        &[],
        2,
        &["256"],
    );
    refused(
        &["token", "--sub", "a", "--secret-file", "/nowhere/secret"],
        &[],
        2,
        &["--jwt-secret-file", "/nowhere/secret"],
    );
    refused(
        &["token", "--sub", "a", "--role", "root"],
        &secret,
        2,
        &["--role", "root"],
    );
    refused(
        &["token", "--sub", "", "--role", "admin"],
        &secret,
        2,
        &["--sub"],
    );
    refused(
        &["token", "--sub", "a", "--expires", "soon"],
        &secret,
        2,
        &["--expires", "soon"],
    );
    refused(
        &["token", "--sub", "a", "--expires", "0s"],
        &secret,
        2,
        &["--expires"],
    );
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let (dir, _) = folder();
    let config = file(
        &dir,
        "settings.toml",
        &format!("jwt-secret = \"{SECRET}\"\njwt-issuer = \"file\"\njwt-audience = \"file\"\n"),
    );
    let environment = [
        ("TRAVELSENSE_CONFIG", config.as_str()),
        ("TRAVELSENSE_JWT_ISSUER", "environment"),
    ];
    let issuer = |args: &[&str], environment: &[(&str, &str)]| {
        let done = run(&[&["token", "--sub", "a"], args].concat(), environment);
        assert_eq!(done.code, 0, "{}", done.err);
        let now = (Options::default().clock)();
        ["file", "environment", "flag"].into_iter().find(|issuer| {
            let key = Key::secret(SECRET.as_bytes()).unwrap();
            Verifier::new(vec![key], *issuer, "file")
                .unwrap()
                .verify(done.out.trim(), now)
                .is_ok()
        })
    };
    assert_eq!(issuer(&[], &environment[..1]), Some("file"));
    assert_eq!(issuer(&[], &environment), Some("environment"));
    assert_eq!(
        issuer(&["--jwt-issuer", "flag"], &environment),
        Some("flag")
    );

    let unknown = file(&dir, "unknown.toml", "jwt-issuers = \"x\"\n");
    refused(
        &["token", "--sub", "a", "--config", &unknown],
        &[],
        2,
        &["--config", "jwt-issuers"],
    );
    let broken = file(&dir, "broken.toml", "jwt-issuer = \n");
    refused(
        &["token", "--sub", "a", "--config", &broken],
        &[],
        2,
        &["--config"],
    );
}

#[test]
fn the_server_does_not_start_without_a_key_that_is_safe() {
    let (dir, data) = folder();
    let private = file(&dir, "private.pem", tokens::EC);
    let serve = |args: &[&str], environment: &[(&str, &str)], words: &[&str]| {
        let all = [&["serve", "--data", &data, "--bind", "127.0.0.1:0"], args].concat();
        refused(&all, environment, 2, words);
    };
    serve(&[], &[], &["no key", "TRAVELSENSE_JWT_SECRET"]);
    serve(&[], &[("TRAVELSENSE_JWT_SECRET", "")], &["256"]);
    serve(
        &[],
        &[("TRAVELSENSE_JWT_SECRET", "0123456789012345678901234567890")],
        &["248 bits", "256"],
    );
    serve(
        &[],
        &[(
            "TRAVELSENSE_JWT_SECRET",
            "a-string-secret-at-least-256-bits-long",
        )],
        &["manuals"],
    );
    serve(
        &["--jwt-public-key", &private],
        &[],
        &["--jwt-public-key", "private key"],
    );
    serve(
        &["--jwt-public-key", "/nowhere.pem"],
        &[],
        &["--jwt-public-key", "/nowhere.pem"],
    );
    serve(&["--jwt-jwks", &private], &[], &["--jwt-jwks", "JWKS"]);
    let good = [("TRAVELSENSE_JWT_SECRET", SECRET)];
    serve(&["--timeout", "never"], &good, &["--timeout", "never"]);
    serve(&["--max-running", "0"], &good, &["--max-running"]);
    serve(&["--log-format", "xml"], &good, &["--log-format", "xml"]);
    serve(&["--jwt-issuer", ""], &good, &["issuer"]);
    refused(&["serve"], &good, 2, &["--data"]);
    assert!(
        !dir.path().join("travelsense.db").exists(),
        "a server that does not start makes no store"
    );
}

const EVENTS: &str = "\
user_id,event,ts
u1,search,2026-01-05T10:00:00Z
u1,book,2026-01-06T10:00:00Z
u2,search,2026-01-05T11:00:00Z
u2,search,2026-01-13T11:00:00Z
u3,search,2026-01-14T11:00:00Z
";

fn imported() -> (TempDir, String) {
    let (dir, data) = folder();
    let events = file(&dir, "events.csv", EVENTS);
    ok(&["import", &events, "--data", &data]);
    (dir, data)
}

fn open(data: &str) -> Analytics {
    let path = Path::new(data).join("travelsense.db");
    Analytics::open_with(Options {
        path: Some(path),
        read_only: true,
        ..Options::default()
    })
    .unwrap()
}

#[test]
fn an_import_says_what_became_of_each_row() {
    let (dir, data) = folder();
    let events = file(&dir, "events.csv", EVENTS);
    let out = ok(&["import", &events, "--data", &data]);
    assert!(out.contains("rows read"), "{out}");
    assert!(out.contains("accepted    5"), "{out}");

    let bad = file(
        &dir,
        "bad.csv",
        &format!("{EVENTS},search,2026-01-05\nu9,search,soon\nu9,,2026-01-05\n"),
    );
    let report: Value =
        serde_json::from_str(&ok(&["import", &bad, "--data", &data, "--json"])).unwrap();
    assert_eq!(report["sent"], 8);
    assert_eq!(report["refused"], 2, "{report}");
    assert_eq!(report["refusals"][0]["line"], 8);
    assert_eq!(report["refusals"][1]["line"], 9);
    let out = ok(&["import", &bad, "--data", &data]);
    assert!(
        out.contains("line 8: ") && out.contains("line 9: "),
        "{out}"
    );
}

#[test]
fn a_strict_import_that_refuses_a_row_keeps_nothing_and_exits_with_1() {
    let (dir, data) = folder();
    let bad = file(&dir, "bad.csv", &format!("{EVENTS}u9,search,soon\n"));
    refused(
        &["import", &bad, "--data", &data, "--strict"],
        &[],
        1,
        &["lines[7]", "1 of 6 rows"],
    );
    let answer = ok(&[
        "funnel",
        "--data",
        &data,
        "--steps",
        "search",
        "--start",
        "2026-01-01",
        "--end",
        "2026-01-31",
        "--json",
    ]);
    assert_eq!(
        serde_json::from_str::<Value>(&answer).unwrap()["entered"],
        0
    );
}

#[test]
fn an_import_that_cannot_begin_names_the_flag() {
    let (dir, data) = folder();
    let events = file(&dir, "events.csv", EVENTS);
    let with = |args: &[&'static str]| {
        [&["import", &events, "--data", &data][..], args]
            .concat()
            .iter()
            .map(|a| (*a).to_owned())
            .collect::<Vec<_>>()
    };
    let table: [(Vec<String>, i32, &[&str]); 6] = [
        (
            with(&["--user", "customer"]),
            2,
            &["--user", "customer", "user_id"],
        ),
        (with(&["--timezone", "Mars"]), 2, &["--timezone", "Mars"]),
        (
            with(&["--table", "planes"]),
            2,
            &["--table", "planes", "payments"],
        ),
        (with(&["--format", "xls"]), 2, &["--format", "xls"]),
        (with(&["--time-unit", "h"]), 2, &["--time-unit", "h"]),
        (
            with(&["--name", "event", "--event", "x"]),
            2,
            &["--name", "--event"],
        ),
    ];
    for (args, code, words) in table {
        refused(
            &args.iter().map(String::as_str).collect::<Vec<_>>(),
            &[],
            code,
            words,
        );
    }
    refused(
        &["import", "/nowhere.csv", "--data", &data],
        &[],
        1,
        &["/nowhere.csv", "does not exist"],
    );
    let unknown = file(&dir, "events.xyz", EVENTS);
    refused(
        &["import", &unknown, "--data", &data],
        &[],
        2,
        &["FILE", "events.xyz"],
    );
}

#[test]
fn a_funnel_is_a_picture_or_the_cores_json() {
    let (_dir, data) = imported();
    let question = [
        "funnel",
        "--data",
        &data,
        "--steps",
        "search,book",
        "--window",
        "7d",
        "--start",
        "2026-01-01",
        "--end",
        "2026-01-31",
        "--as-of",
        "2026-02-10T00:00:00Z",
    ];
    let json = ok(&[&question[..], &["--json"]].concat());
    let asked = json!({
        "steps": ["search", "book"], "window": "7d", "startDate": "2026-01-01", "endDate": "2026-01-31",
        "asOf": "2026-02-10T00:00:00Z",
    });
    let answer = open(&data)
        .funnel_json(&Principal::owner(), &asked)
        .unwrap();
    assert_eq!(json.trim_end(), serde_json::to_string(&answer).unwrap());
    assert_eq!((answer.entered, answer.converted), (3, 1));

    let text = ok(&question);
    assert!(
        text.starts_with("2026-01-01 to 2026-01-31, all users, window 7 d, UTC\n"),
        "{text}"
    );
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[3].starts_with("1. search") && lines[3].ends_with(&"█".repeat(30)),
        "{text}"
    );
    assert!(
        lines[4].starts_with("2. book") && lines[4].contains("33.3 %") && lines[4].contains("1 d"),
        "{text}"
    );
    assert!(text.contains("1 of 3 converted: 33.3 %"), "{text}");
}

#[test]
fn a_cohort_table_is_a_table_or_the_cores_json() {
    let (_dir, data) = imported();
    let question = [
        "retention",
        "--data",
        &data,
        "--period",
        "weekly",
        "--start",
        "2026-01-05",
        "--end",
        "2026-01-18",
        "--start-event",
        "search",
        "--as-of",
        "2026-01-20T00:00:00Z",
    ];
    let json = ok(&[&question[..], &["--json"]].concat());
    let asked = json!({
        "cohortPeriod": "weekly", "analysisMetric": "retention_rate", "startDate": "2026-01-05", "endDate": "2026-01-18",
        "start": "search", "asOf": "2026-01-20T00:00:00Z",
    });
    let answer = open(&data)
        .retention_json(&Principal::owner(), &asked)
        .unwrap();
    assert_eq!(json.trim_end(), serde_json::to_string(&answer).unwrap());

    let text = ok(&question);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[2], "Cohort      Users       0      1    2", "{text}");
    assert_eq!(lines[3], "2026-01-05      2  100.0%  50.0%  (0)", "{text}");
    assert_eq!(lines[4], "2026-01-12      1  100.0%    (0)", "{text}");
    assert_eq!(lines[5], "All             3  100.0%  50.0%    –", "{text}");
}

#[test]
fn questions_that_are_not_valid_exit_with_2_and_name_every_flag() {
    let (_dir, data) = imported();
    let funnel = |args: &[&str], words: &[&str]| {
        refused(
            &[&["funnel", "--data", &data], args].concat(),
            &[],
            2,
            words,
        )
    };
    let range = ["--start", "2026-01-01", "--end", "2026-01-31"];
    funnel(
        &["--steps", "search"],
        &["--start is required", "--end is required"],
    );
    funnel(
        &[
            "--steps",
            "search",
            "--start",
            "2026-02-01",
            "--end",
            "2026-01-01",
        ],
        &["--end must be after"],
    );
    funnel(
        &[
            "--steps",
            "search",
            "--start",
            "2026-01-01",
            "--end",
            "2999-01-01",
        ],
        &["--end must not be in the future"],
    );
    funnel(
        &[
            "--steps",
            "search",
            "--start",
            "2026-02-30",
            "--end",
            "soon",
        ],
        &["--start `2026-02-30`", "--end `soon`"],
    );
    funnel(&[&range[..], &["--steps", ""]].concat(), &["--steps[0]"]);
    funnel(
        &[&range[..], &["--steps", &["a"; 65].join(",")]].concat(),
        &["--steps must have 1 to 64"],
    );
    funnel(
        &[&range[..], &["--steps", "a", "--window", "-1d"]].concat(),
        &["--window must not be negative"],
    );
    funnel(
        &[&range[..], &["--steps", "a", "--timezone", "Mars"]].concat(),
        &["--timezone `Mars`"],
    );
    funnel(
        &[&range[..], &["--steps", "a", "--segment", "vip"]].concat(),
        &["--segment `vip`"],
    );
    let retention = |args: &[&str], words: &[&str]| {
        refused(
            &[&["retention", "--data", &data], args].concat(),
            &[],
            2,
            words,
        )
    };
    retention(
        &["--period", "yearly"],
        &[
            "--period `yearly`",
            "--start is required",
            "--end is required",
        ],
    );
    retention(
        &[&range[..], &["--periods", "-1", "--week-start", "funday"]].concat(),
        &["--periods", "--week-start `funday`"],
    );

    let (_empty, nothing) = folder();
    refused(
        &["funnel", "--data", &nothing],
        &[],
        2,
        &["--data", "no events"],
    );
    assert_eq!(
        fs::read_dir(&nothing).unwrap().count(),
        0,
        "reading makes no store"
    );
}

#[test]
fn real_purchases_load_and_are_answered() {
    let path: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "../../../shared/data/customers_cdnow_transactions.csv",
    ]
    .iter()
    .collect();
    if !path.exists() {
        eprintln!("not run: `{}` is not there", path.display());
        return;
    }
    let (_dir, data) = folder();
    let file = path.to_str().unwrap();
    let out = ok(&[
        "import",
        file,
        "--data",
        &data,
        "--user",
        "customer_id",
        "--time",
        "date",
        "--event",
        "purchase",
        "--json",
    ]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (
            report["sent"].as_u64(),
            report["accepted"].as_u64(),
            report["refused"].as_u64()
        ),
        (Some(69_659), Some(69_659), Some(0))
    );
    let out = ok(&[
        "retention",
        "--data",
        &data,
        "--period",
        "monthly",
        "--start",
        "1997-01-01",
        "--end",
        "1997-03-31",
        "--json",
    ]);
    let table: Value = serde_json::from_str(&out).unwrap();
    let sizes: u64 = table["cohorts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["size"].as_u64().unwrap())
        .sum();
    assert_eq!(
        sizes, 23_570,
        "all of them first bought in the first quarter of 1997"
    );
}

#[test]
fn nobody_reading_the_output_is_no_error() {
    let (_dir, data) = imported();
    let args = [
        "funnel",
        "--data",
        &data,
        "--steps",
        "search",
        "--start",
        "2026-01-01",
        "--end",
        "2026-01-31",
    ];
    let mut child = program(&args, &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
    assert_eq!(done.status.code(), Some(0));
}

/// A server that is stopped whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self(
            program(args, environment)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// Sends a signal and gives the exit code and how long it took.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a shutdown takes is what is tested"
    )]
    fn stop(mut self, signal: &str) -> (Option<i32>, Duration) {
        let asked = Clock::now();
        let sent = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let status = self.0.wait().unwrap();
        (status.code(), asked.elapsed())
    }
}

/// One request over a socket: the status and the body.
fn get(address: &str, path: &str, token: &str) -> (u16, Value) {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

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
