//! `travelsense alerts`: shows alert rules, tests one, and evaluates those that are due.

use serde_json::json;
use travelsense::Principal;

use super::failure::Failure;
use super::store::Store;
use super::{Outcome, output};

/// Shows alert rules, tests one, or evaluates those that are due
#[derive(Debug, clap::Args)]
pub(super) struct Alerts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows the rules and where they stand
    List(Plain),
    /// Shows what became of a rule, the latest first
    History(One),
    /// Reads what a rule looks at now, and sends a test to all places that it tells
    Test(One),
    /// Evaluates the rules that are due, as a server does every minute
    Evaluate(Plain),
}

#[derive(Debug, clap::Args)]
struct Plain {
    #[command(flatten)]
    store: Store,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct One {
    /// The id of the rule
    id: String,
    #[command(flatten)]
    store: Store,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

impl Alerts {
    /// Does it, and writes what came of it.
    pub(super) fn run(self) -> Outcome {
        match self.command {
            Command::List(command) => list(&command),
            Command::History(command) => history(&command),
            Command::Test(command) => {
                let store = command.store.write()?;
                let tested = store.test_alert(&Principal::owner(), &command.id)?;
                write_json(&tested)
            }
            Command::Evaluate(command) => {
                let done = command
                    .store
                    .write()?
                    .evaluate_alerts(&Principal::owner())?;
                if command.json {
                    return write_json(&done);
                }
                Ok(output::line(&format!(
                    "{} evaluated, {} failed, {} incidents began, {} messages",
                    done.evaluated, done.failed, done.opened, done.messages
                ))?)
            }
        }
    }
}

fn list(command: &Plain) -> Outcome {
    let asked = json!({ "limit": 100 });
    let listed = command.store.read()?.alerts(&Principal::owner(), &asked)?;
    if command.json {
        return write_json(&listed);
    }
    if listed.alerts.is_empty() {
        output::remark(
            "There are no alert rules; they are made over HTTP (POST /api/analytics-dashboard/alerts), in Python, in Node.js or on the dashboard.",
        );
    }
    for alert in &listed.alerts {
        let phase = alert.state().phase.name();
        let on = if alert.rule.enabled {
            phase
        } else {
            "disabled"
        };
        line(&format!("{} {on} {}", alert.id, alert.rule.name))?;
    }
    Ok(())
}

fn history(command: &One) -> Outcome {
    let asked = json!({ "limit": 100 });
    let store = command.store.read()?;
    let events = store.alert_history(&Principal::owner(), &command.id, &asked)?;
    if command.json {
        return write_json(&events);
    }
    if events.is_empty() {
        output::remark("Nothing has become of this rule yet.");
    }
    for event in &events {
        line(&format!("{} {} {}", event.at, event.event, event.details))?;
    }
    Ok(())
}

/// Whatever somebody called a rule does not reach the terminal as it is.
fn line(text: &str) -> Outcome {
    Ok(output::line(&text.escape_debug().to_string())?)
}

fn write_json<T: serde::Serialize>(found: &T) -> Outcome {
    let text = serde_json::to_string_pretty(found)
        .map_err(|e| Failure::failed(format!("cannot write: {e}")))?;
    Ok(output::line(&text)?)
}
