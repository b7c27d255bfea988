//! What the command line says where somebody needs help, and where there is nothing to show.

use std::process::Command;

use serde_json::Value;

use crate::program::*;

/// A demo of 300 people, made today.
fn demo() -> (tempfile::TempDir, String) {
    let (dir, data) = folder();
    let made = run(
        &["demo", "--data", &data, "--users", "300", "--no-serve"],
        &[],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    (dir, data)
}

#[test]
fn every_example_of_a_question_is_about_the_days_of_a_demo() {
    let (_dir, data) = demo();
    let words = [
        ("funnel", "/steps/0/count"),
        ("retention", "/cohorts/1/size"),
        ("journey", "/users"),
        ("engagement", "/users"),
        ("adoption", "/features/0/exposed"),
        ("drop-off", "/steps/0/reached"),
        ("compare", "/groups/0/conversion/with/n"),
        ("explain", "/a/numbers/entered"),
    ];
    for (word, counted) in words {
        let help = ok(&[word, "--help"]);
        let example = help.split("Example:\n").nth(1).unwrap();
        let example = example.split("\n\n").next().unwrap().trim();
        let asked = example
            .replacen("travelsense", env!("CARGO_BIN_EXE_travelsense"), 1)
            .replace("--data demo", &format!("--data {data}"));
        let done = Command::new("sh")
            .args(["-c", &format!("{asked} --json")])
            .env_remove("TRAVELSENSE_DATA")
            .output()
            .unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{asked}: {said}");
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
        let users = answer.pointer(counted).and_then(Value::as_u64);
        assert!(
            users.is_some_and(|n| n > 0),
            "{asked}: {counted} of {answer}"
        );
    }
}

#[test]
fn a_list_without_anything_in_it_says_so() {
    let (_dir, data) = imported();
    let table: [(&[&str], &str); 4] = [
        (&["models", "list"], "travelsense models register"),
        (&["feedback"], "`feedback`"),
        (&["alerts", "list"], "travelsense alerts create"),
        (&["audit", "list", "--who", "nobody"], "no entry"),
    ];
    for (command, words) in table {
        let done = run(&[command, &["--data", &data]].concat(), &[]);
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{command:?}");
        assert!(done.err.contains(words), "{command:?}: {}", done.err);
        // Whoever reads JSON needs no sentence.
        let json = run(&[command, &["--data", &data, "--json"]].concat(), &[]);
        assert_eq!((json.code, json.err.as_str()), (0, ""), "{command:?}");
        serde_json::from_str::<Value>(&json.out).unwrap();
    }
    let whole = ok(&["audit", "verify", "--data", &data]);
    assert!(whole.contains("it has no entries"), "{whole}");
}

#[test]
fn every_role_that_a_token_may_have_is_named() {
    let help = ok(&["token", "--help"]);
    for role in ["admin", "analyst", "viewer", "collector"] {
        assert!(help.contains(role), "{role}: {help}");
        let secret = [("TRAVELSENSE_JWT_SECRET", SECRET)];
        let made = run(&["token", "--sub", "a", "--role", role], &secret);
        assert_eq!(made.code, 0, "{}", made.err);
    }
}
