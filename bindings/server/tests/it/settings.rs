//! Tokens from the command line, and what the server must be given before it starts.

use travelsense::access::{Key, Verifier};
use travelsense::{Options, Principal};

use crate::program::*;
use crate::tokens;

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
    let most = usize::MAX.to_string();
    serve(&["--max-running", &most], &good, &["--max-running"]);
    serve(&["--max-connections", "0"], &good, &["--max-connections"]);
    serve(&["--log-format", "xml"], &good, &["--log-format", "xml"]);
    serve(&["--jwt-issuer", ""], &good, &["issuer"]);
    refused(&["serve"], &good, 2, &["--data"]);
    assert!(
        !dir.path().join("travelsense.db").exists(),
        "a server that does not start makes no store"
    );
}

#[test]
fn config_check_shows_each_setting_where_it_comes_from_and_no_secret() {
    let (dir, data) = folder();
    let text =
        "bind = \"127.0.0.1:9\"\nmax-running = 3\nmetadata = \"postgres://me:s3cret@db/x\"\n";
    let config = file(&dir, "settings.toml", text);
    let environment = [
        ("TRAVELSENSE_JWT_SECRET", SECRET),
        ("TRAVELSENSE_CONFIG", config.as_str()),
        ("TRAVELSENSE_MAX_RUNNING", "4"),
    ];
    let done = run(&["config", "check", "--data", &data], &environment);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let line = |name: &str| {
        let found = done
            .out
            .lines()
            .find(|l| l.starts_with(&format!("{name} ")));
        found
            .unwrap()
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
    };
    assert_eq!(line("data"), [data.as_str(), "--data"]);
    assert_eq!(line("max-running"), ["4", "TRAVELSENSE_MAX_RUNNING"]);
    assert_eq!(line("bind"), ["127.0.0.1:9", config.as_str()]);
    assert_eq!(line("jwt-secret"), ["(hidden)", "TRAVELSENSE_JWT_SECRET"]);
    assert_eq!(
        line("metadata"),
        ["postgres://me:(hidden)@db/x", config.as_str()]
    );
    // What nobody set has its default, and what has none says so.
    assert_eq!(line("timeout"), ["30s", "default"]);
    assert_eq!(line("rate-limit"), ["100", "default"]);
    assert_eq!(line("jwt-issuer"), ["travelsense", "default"]);
    assert_eq!(line("smtp"), ["-", "not", "set"]);
    assert!(
        !done.out.contains(SECRET) && !done.out.contains("s3cret"),
        "{}",
        done.out
    );
}

#[test]
fn config_check_names_every_fault_with_the_place_it_came_from() {
    let (dir, data) = folder();
    let config = file(
        &dir,
        "settings.toml",
        "timeout = \"soon\"\nlog-format = \"xml\"\n",
    );
    let done = run(
        &[
            "config",
            "check",
            "--data",
            &data,
            "--config",
            &config,
            "--shutdown-delay",
            "x",
        ],
        &[],
    );
    assert_eq!(done.code, 2);
    let from = format!("(from {config})");
    let about = |what: &str| {
        done.err
            .lines()
            .find(|l| l.contains(what))
            .unwrap()
            .to_owned()
    };
    assert!(about("--timeout").contains(&from), "{}", done.err);
    assert!(about("--log-format").contains(&from), "{}", done.err);
    assert!(!about("--shutdown-delay").contains("(from"), "{}", done.err);
    about("no key to verify tokens with");
    let unknown = file(&dir, "unknown.toml", "jwt-issuers = \"x\"\n");
    let done = run(&["config", "check", "--config", &unknown], &[]);
    assert!(
        done.code == 2 && done.err.contains("jwt-issuers") && done.err.contains(&unknown),
        "{}",
        done.err
    );
}
