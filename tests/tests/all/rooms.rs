//! The rooms of the house, read from the sources: who may name a driver, another word, a clock, SQL, a door.

use std::fs;
use std::path::{Path, PathBuf};

use travelsense_tests::vector::Vector;

/// The words of `core/src` that may not know one another; `insight` speaks of what other words answer, and is none.
const WORDS: [&str; 15] = [
    "alert",
    "anomaly",
    "feedback",
    "model",
    "funnel",
    "retention",
    "journey",
    "engagement",
    "adoption",
    "realtime",
    "explain",
    "churn",
    "next_action",
    "pickup",
    "predictive",
];

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A source file: where it lies below the workspace, and its lines without comments and without its test module.
struct Source {
    path: String,
    lines: Vec<(usize, String)>,
}

/// All sources below a folder of the workspace.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(source(&path));
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("a source that can be read");
    let name = path
        .strip_prefix(root())
        .expect("below the workspace")
        .display()
        .to_string();
    // A test module stands at the end of its file, in a file `tests.rs`, or in a folder `tests` beneath that.
    let module = name.starts_with("core/src/") && name.contains("/tests/");
    let code = if module || name.ends_with("/tests.rs") {
        ""
    } else {
        &text
    };
    let code = code.lines().take_while(|line| line.trim() != "mod tests {");
    let lines = code.enumerate().map(|(i, line)| (i + 1, line.to_owned()));
    let spoken = |line: &str| line.trim_start().starts_with("//");
    Source {
        path: name,
        lines: lines.filter(|(_, line)| !spoken(line)).collect(),
    }
}

/// Refuses every line below `folder` that `wrong` points at.
fn refuse(folder: &str, rule: &str, wrong: impl Fn(&str, &str) -> bool) {
    let mut found = Vec::new();
    for source in sources(folder) {
        for (number, line) in &source.lines {
            if wrong(&source.path, line) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    found.sort();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// Whether a line has a word that is not part of a longer one.
fn has(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

#[test]
fn only_the_warehouse_names_the_driver() {
    refuse(
        "core/src",
        "only core/src/warehouse and the engine of core/src/metadata may name duckdb",
        |path, line| {
            !path.starts_with("core/src/warehouse/")
                && path != "core/src/metadata/embedded.rs"
                && line.contains("duckdb::")
                && !line.contains("warehouse::duckdb::")
        },
    );
    for folder in ["bindings", "benches/src"] {
        refuse(folder, "a door does not know the driver", |path, line| {
            path.starts_with("bindings/") && line.contains("duckdb::")
        });
    }
}

#[test]
fn messages_do_not_quote_the_fields_that_doors_write_otherwise() {
    // Python says `as_of` for asOf, but leaves alone what is quoted, for that may be the user's own text.
    let quoted = regex::Regex::new("\"[^\"]*`[a-z]+[A-Z][A-Za-z]*`").expect("a pattern");
    refuse(
        "core/src",
        "a field of several words stands in a message without quotes",
        |_, line| quoted.is_match(line),
    );
}

#[test]
fn no_word_imports_another() {
    for word in WORDS {
        refuse(
            &format!("core/src/{word}"),
            "no word imports another",
            |_, line| {
                WORDS
                    .iter()
                    .any(|other| *other != word && line.contains(&format!("crate::{other}")))
            },
        );
    }
    for below in [
        "query",
        "timeline",
        "learn",
        "warehouse",
        "access",
        "chart",
        "export",
        "error.rs",
    ] {
        refuse(
            "core/src",
            "what lies below the words does not know them",
            |path, line| {
                path.starts_with(&format!("core/src/{below}"))
                    && WORDS
                        .iter()
                        .any(|word| line.contains(&format!("crate::{word}::")))
            },
        );
    }
}

#[test]
fn the_clock_the_environment_and_chance_stay_outside() {
    let clock = [
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "Utc::now",
        "current_timestamp",
        "now()",
    ];
    refuse(
        "core/src",
        "only the handle may look at a clock",
        |path, line| {
            // The handle's `self.now()` is that clock, asked for by its name.
            let mine = path == "core/src/analytics/mod.rs"
                || line.contains(".now()") && path.starts_with("core/src/analytics/");
            !mine && clock.iter().any(|name| line.contains(name)) && !line.contains("fn now()")
        },
    );
    refuse(
        "core/src",
        "nothing in core reads the environment",
        |_, line| {
            line.contains("env::var") || line.contains("std::env") || line.contains("option_env!")
        },
    );
    refuse(
        "core/src",
        "chance belongs to the demo, with a seed",
        |path, line| {
            let chance = [
                "rand::",
                "rand_chacha::",
                "RandomState",
                "random()",
                "thread_rng",
            ];
            !path.starts_with("core/src/demo") && chance.iter().any(|name| line.contains(name))
        },
    );
}

#[test]
fn only_the_warehouse_speaks_sql() {
    let openings = [
        "\"select ",
        "\"insert into ",
        "\"create table",
        "\"update ",
        "\"delete from ",
        "\"with ",
        "\"pragma ",
        "\"copy ",
    ];
    refuse(
        "core/src",
        "SQL text belongs to core/src/warehouse, core/src/metadata and core/src/pull.rs, which reads other people's tables",
        |path, line| {
            let line = line.to_lowercase();
            let stores = [
                "core/src/warehouse/",
                "core/src/metadata/",
                "core/src/pull.rs",
            ];
            !stores.iter().any(|store| path.starts_with(store))
                && openings.iter().any(|o| line.contains(o))
        },
    );
    refuse("bindings", "a door holds no SQL", |path, line| {
        // Tests make the tables of others that are read, and tamper with those of PostgreSQL.
        let line = line.to_lowercase();
        !path.contains("/tests/it/") && openings.iter().any(|o| line.contains(o))
    });
}

#[test]
fn the_core_knows_no_door() {
    refuse("core/src", "the core knows no door", |_, line| {
        ["pyo3", "napi", "axum", "tower", "hyper"]
            .iter()
            .any(|door| has(line, door))
    });
    let manifest = fs::read_to_string(root().join("core/Cargo.toml")).expect("a manifest");
    for door in ["pyo3", "napi", "axum", "tower", "hyper", "tokio"] {
        assert!(!manifest.contains(door), "core/Cargo.toml names {door}");
    }
}

#[test]
fn no_statement_leaves_the_calendar_to_the_engine() {
    let traps = [
        "date_trunc",
        "time_bucket",
        "timestamptz",
        "timestamp with time zone",
        "at time zone",
        "date_diff",
        "datediff",
        "current_timestamp",
        "interval '",
    ];
    let wrong = |line: &str| {
        traps
            .iter()
            .find(|trap| line.to_lowercase().contains(*trap))
    };
    refuse(
        "core/src",
        "T5: calendars are computed here and passed down as instants",
        |_, line| wrong(line).is_some(),
    );
    let folders = ["core/migrations", "core/migrations/metadata"];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).expect("the migrations"));
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a migration");
        for line in text.lines().filter(|l| !l.trim_start().starts_with("--")) {
            assert_eq!(wrong(line), None, "{}: {line}", path.display());
        }
    }
}

#[test]
fn the_oracle_shares_no_code_with_the_engine() {
    refuse(
        "tests/src",
        "the oracle is written from the rules alone",
        |_, line| has(line, "travelsense") || has(line, "jiff"),
    );
    let manifest = fs::read_to_string(root().join("tests/Cargo.toml")).expect("a manifest");
    let own = manifest
        .split("[dev-dependencies]")
        .next()
        .unwrap_or_default();
    let own = own.split("[dependencies]").nth(1).expect("dependencies");
    assert!(
        !own.contains("travelsense") && !own.contains("jiff"),
        "{own}"
    );
}

/// The words that can be asked and have vectors.
const WITH_VECTORS: [&str; 14] = [
    "funnel",
    "drop_off",
    "compare",
    "explain_difference",
    "retention",
    "journey",
    "engagement",
    "adoption",
    "realtime",
    "churn",
    "value",
    "next_action",
    "pickup",
    "detect_anomalies",
];

#[test]
fn every_vector_is_of_the_rule_that_it_names() {
    let vectors: Vec<Vector> = WITH_VECTORS
        .iter()
        .flat_map(|word| Vector::all(word).expect("vectors"))
        .collect();
    for vector in &vectors {
        let begins = format!("{}-", vector.rule);
        assert!(
            vector.name.starts_with(&begins),
            "{}/{} is a vector of {}",
            vector.word,
            vector.name,
            vector.rule
        );
        assert!(
            vector.why.ends_with('.'),
            "{}/{}: `why` is a sentence",
            vector.word,
            vector.name
        );
    }
}
