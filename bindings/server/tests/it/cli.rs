//! The commands as people run them: what they write where, and their exit codes.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use travelsense::Principal;

use crate::program::*;

#[test]
fn every_command_explains_itself() {
    let commands = [
        "demo",
        "serve",
        "import",
        "funnel",
        "retention",
        "journey",
        "engagement",
        "adoption",
        "drop-off",
        "compare",
        "explain",
        "token",
        "alerts",
    ];
    for command in commands {
        let help = ok(&[command, "--help"]);
        assert!(help.contains("Usage: travelsense"), "{command}: {help}");
        assert!(help.contains("--"), "{command}");
    }
    assert_eq!(run(&[], &[]).code, 2);
    refused(&["fly"], &[], 2, &["unrecognized subcommand"]);
    refused(&["funnel", "--colour", "red"], &[], 2, &["--colour"]);
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
        &["SOURCE", "events.xyz"],
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

    let text = ok(&[&question[..], &["--breakdown", "country"]].concat());
    let (_, groups) = text.split_once("\n\nBy country").expect(&text);
    assert!(
        groups.starts_with("  1. search  2. book  Converted  Median time\n"),
        "{text}"
    );
    assert_eq!(groups.lines().count(), 2, "{text}");
    assert!(groups.contains("(not set)"), "{text}");
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

/// What a command writes of January, as JSON and to read, must be the core's answer of the word.
fn january(word: &str, command: &[&str], asked: &Value) -> (Value, String) {
    let (_dir, data) = imported();
    let range = [
        "--start",
        "2026-01-01",
        "--end",
        "2026-01-31",
        "--as-of",
        "2026-02-10T00:00:00Z",
    ];
    let question = [command, &["--data", &data], &range].concat();
    let mut asked = asked.clone();
    asked["startDate"] = json!("2026-01-01");
    asked["endDate"] = json!("2026-01-31");
    asked["asOf"] = json!("2026-02-10T00:00:00Z");
    let answer = open(&data).ask(&Principal::owner(), word, &asked).unwrap();
    let json = ok(&[&question[..], &["--json"]].concat());
    assert_eq!(json.trim_end(), answer, "{word}");
    (serde_json::from_str(&answer).unwrap(), ok(&question))
}

/// Whether a line begins with a word and holds these figures in this order.
fn has(text: &str, begins: &str, figures: &[&str]) -> bool {
    text.lines()
        .filter(|line| line.starts_with(begins))
        .any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let mut left = figures.iter().peekable();
            for word in words {
                left.next_if(|figure| **figure == word);
            }
            left.peek().is_none()
        })
}

#[test]
fn every_word_is_a_table_or_the_cores_json() {
    let (answer, text) = january(
        "engagement",
        &[
            "engagement",
            "--period",
            "weekly",
            "--option",
            "minEvents=1",
        ],
        &json!({"period": "weekly", "minEvents": 1}),
    );
    assert_eq!(answer["users"], 3);
    assert!(
        has(&text, "2026-01-05", &["2", "2", "0", "0", "0"]),
        "{text}"
    );
    assert!(
        has(&text, "2026-01-12", &["2", "1", "1", "0", "1"]),
        "{text}"
    );
    assert!(text.contains("5 sessions"), "{text}");

    let (_, text) = january(
        "adoption",
        &["adoption", "--features", "book,chat", "--within", "7d"],
        &json!({"features": ["book", "chat"], "within": "7d"}),
    );
    assert!(has(&text, "book", &["3", "1", "33.3", "1"]), "{text}");
    assert!(has(&text, "chat", &["3", "0", "0.0", "–", "0"]), "{text}");
    assert!(
        text.contains("2 of 3 active users used none of them"),
        "{text}"
    );

    let (_, text) = january(
        "journey",
        &["journey", "--length", "2", "--limit", "5"],
        &json!({"length": 2, "limit": 5}),
    );
    assert!(has(&text, "search → book", &["1", "1"]), "{text}");
    assert!(has(&text, "search", &["book", "1", "1"]), "{text}");

    let (_, text) = january(
        "drop_off",
        &[
            "drop-off",
            "--steps",
            "search,book",
            "--window",
            "7d",
            "--option",
            "minSupport=1",
        ],
        &json!({"steps": ["search", "book"], "window": "7d", "minSupport": 1}),
    );
    assert!(has(&text, "1. search", &["3", "2", "66.7"]), "{text}");

    let (_, text) = january(
        "compare",
        &[
            "compare",
            "--steps",
            "search,book",
            "--between",
            "new,returning",
        ],
        &json!({"steps": ["search", "book"], "between": ["new", "returning"]}),
    );
    assert!(has(&text, "new", &["all", "33.3", "–"]), "{text}");
    assert!(has(&text, "returning", &["all", "0", "–"]), "{text}");
}

#[test]
fn two_questions_are_explained() {
    let (dir, data) = imported();
    let a = json!({"steps": ["search", "book"], "startDate": "2026-01-01", "endDate": "2026-01-31", "asOf": "2026-02-10T00:00:00Z"});
    let file = file(&dir, "a.json", &a.to_string());
    let command = ["explain", "--data", &data, &file, r#"{"window": "1h"}"#];
    let json = ok(&[&command[..], &["--json"]].concat());
    let mut b = a.clone();
    b["window"] = json!("1h");
    let asked = json!({"word": "funnel", "a": a, "b": b});
    let answer = open(&data)
        .ask(&Principal::owner(), "explain_difference", &asked)
        .unwrap();
    assert_eq!(json.trim_end(), answer);
    let text = ok(&command);
    assert!(has(&text, "window", &["0", "1", "0"]), "{text}");
    refused(
        &["explain", "--data", &data, "{", "{}"],
        &[],
        2,
        &["QUESTION"],
    );
    refused(
        &["funnel", "--data", &data, "--option", "limit"],
        &[],
        2,
        &["--option `limit`"],
    );
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

/// How many events a store that nobody has open holds.
fn held(data: &str) -> u64 {
    use travelsense::warehouse::{Duckdb, Open, Warehouse as _};
    let store = Duckdb::open(&Open {
        path: Some(std::path::Path::new(data).join("travelsense.db")),
        read_only: true,
        threads: None,
        memory_limit: None,
        now: travelsense::Instant::default(),
    });
    store.unwrap().head().unwrap().events
}

#[test]
fn what_is_appended_to_files_is_followed_and_each_line_taken_once() {
    use std::io::{BufRead as _, Write as _};
    let (dir, data) = folder();
    let feed = dir.path().join("feed");
    std::fs::create_dir(&feed).unwrap();
    let append = |name: &str, text: &str| {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(feed.join(name))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let line = |user: u32| {
        format!("{{\"who\": \"u{user}\", \"name\": \"a\", \"ts\": \"2026-01-05T10:00:00Z\"}}\n")
    };
    // Follows until so many events were told of, and is then ended in one way or the other.
    let follow = |events: u64, signal: &str| {
        let feed = feed.to_str().unwrap();
        let args = ["import", feed, "--follow", "--data", &data, "--user", "who"];
        let mut follower = Running::start(&args, &[]);
        let lines = std::io::BufReader::new(follower.0.stdout.take().unwrap()).lines();
        let mut told = 0;
        for line in lines.map_while(Result::ok) {
            told += line
                .strip_suffix(" events")
                .map_or(0, |n| n.parse::<u64>().unwrap());
            if told >= events {
                break;
            }
        }
        assert_eq!(told, events);
        follower.stop(signal)
    };
    append(
        "a.ndjson",
        &format!("{}{}{{\"who\": \"cut", line(1), line(2)),
    );
    append(
        "b.csv",
        "who,name,ts,note\nu3,b,2026-01-05T11:00:00Z,\"two\nlines\"\nu4,b,2026-01-05",
    );
    append("c.txt", "not followed");
    assert_eq!(follow(3, "-TERM").0, Some(0));
    append(
        "a.ndjson",
        &format!(
            "\", \"name\": \"a\", \"ts\": \"2026-01-05T10:00:00Z\"}}\n{}",
            line(1)
        ),
    );
    append("b.csv", "T12:00:00Z,x\n");
    follow(3, "-KILL");
    append("a.ndjson", &line(9));
    assert_eq!(follow(1, "-TERM").0, Some(0));
    assert_eq!(held(&data), 7);
    // A file that begins anew is another one.
    std::fs::write(feed.join("a.ndjson"), line(10)).unwrap();
    assert_eq!(follow(1, "-INT").0, Some(0));
    assert_eq!(held(&data), 8);
}
