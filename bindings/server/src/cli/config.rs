//! `travelsense config check`: what every setting is, where it comes from, and whether a server would start with them.

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::Value;

use super::failure::Failure;
use super::settings::Settings;
use super::{Outcome, output};

/// Looks at the settings of the server
#[derive(Debug, clap::Args)]
pub(super) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows every setting and where it comes from, and says all that keeps a server from starting; takes the flags of `serve`
    Check(Box<Check>),
}

#[derive(Debug, clap::Args)]
struct Check {
    #[command(flatten)]
    settings: Settings,
}

/// Where a setting comes from that nobody made.
const DEFAULT: &str = "default";
const UNSET: &str = "not set";

/// The setting whose default is no value.
const METADATA: &str = "metadata";

impl Config {
    /// Checks the settings. What clap matched says which were flags and which variables.
    pub(super) fn run(self, matches: &ArgMatches) -> Outcome {
        let Command::Check(check) = self.command;
        let settings = check.settings;
        let file = json(&settings.file()?)?;
        let path = settings.config().map(|p| p.display().to_string());
        let settings = settings.with_file()?;
        let merged = json(&settings)?;
        let matches = matches.subcommand_matches("check");
        let origin = |name: &str| {
            let id = name.replace('-', "_");
            match matches.and_then(|m| m.value_source(&id)) {
                Some(ValueSource::CommandLine) => format!("--{name}"),
                Some(ValueSource::EnvVariable) => {
                    format!("TRAVELSENSE_{}", id.to_uppercase())
                }
                _ if file.get(name).is_some_and(is_set) => path.clone().unwrap_or_default(),
                _ if merged.get(name).is_some_and(is_set) || name == METADATA => DEFAULT.to_owned(),
                _ => UNSET.to_owned(),
            }
        };
        for (name, value) in merged.as_object().into_iter().flatten() {
            let shown = match name.as_str() {
                _ if is_set(value) => shown(name, value),
                METADATA => "(a file beside the events)".to_owned(),
                _ => "-".to_owned(),
            };
            output::line(&format!("{name:<20} {shown:<40} {}", origin(name)))?;
        }
        let faults = settings.faults();
        let lines = faults.iter().flat_map(Failure::lines).map(|line| {
            // A sentence begins with the flag it is about.
            let flag = line
                .strip_prefix("--")
                .and_then(|l| l.split([':', ' ']).next());
            match flag.map(origin) {
                Some(origin)
                    if !origin.starts_with("--") && origin != DEFAULT && origin != UNSET =>
                {
                    format!("{line} (from {origin})")
                }
                _ => line.clone(),
            }
        });
        match Failure::all_invalid(lines.collect()) {
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }
}

fn json(settings: &Settings) -> Result<Value, Failure> {
    serde_json::to_value(settings)
        .map_err(|e| Failure::failed(format!("the settings cannot be shown: {e}")))
}

fn is_set(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
}

/// A value without what must not be seen.
fn shown(name: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let text = |item: &Value| match item.get("from").and_then(Value::as_str) {
                Some(source) => Some(without_password(source)),
                None => item.as_str().map(ToOwned::to_owned),
            };
            let items = items.iter().filter_map(text);
            items.collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    match name {
        "jwt-secret" | "webhook-secret" => "(hidden)".to_owned(),
        METADATA | "smtp" => without_password(&text),
        _ => text,
    }
}

/// A URL whose password, if it has one, is hidden, whether it stands before the host or among the parameters.
fn without_password(url: &str) -> String {
    let (start, query) = url
        .split_once('?')
        .map_or((url, None), |(s, q)| (s, Some(q)));
    let hidden = match start.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, host)) => {
                let user = user.split(':').next().unwrap_or_default();
                format!("{scheme}://{user}:(hidden)@{host}")
            }
            None => start.to_owned(),
        },
        // Words such as `host=… password=…`.
        None if start.contains("password") => "(hidden)".to_owned(),
        None => start.to_owned(),
    };
    match query {
        Some(query) if query.contains("password") => format!("{hidden}?(hidden)"),
        Some(query) => format!("{hidden}?{query}"),
        None => hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn no_password_is_shown() {
        let table = [
            ("postgres://me:s3cret@db/x", "postgres://me:(hidden)@db/x"),
            ("postgres://me:s3c@ret@db/x", "postgres://me:(hidden)@db/x"),
            ("postgres://me@db/x", "postgres://me:(hidden)@db/x"),
            ("postgres://db/x", "postgres://db/x"),
            (
                "postgres://db/x?password=s3cret",
                "postgres://db/x?(hidden)",
            ),
            ("postgres://db/x?user=me", "postgres://db/x?user=me"),
            ("host=db password=s3cret", "(hidden)"),
            ("smtps://me:s3cret@mail", "smtps://me:(hidden)@mail"),
        ];
        for (url, expected) in table {
            assert_eq!(without_password(url), expected, "{url}");
        }
    }
}
