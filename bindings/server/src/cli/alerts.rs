//! `travelsense alerts`: makes and changes alert rules, shows what became of them and of what was told, and evaluates those that are due.

use std::io::Read as _;

use serde_json::{Map, Value, json};
use travelsense::alert::Alert;
use travelsense::{Error, Principal};

use super::failure::Failure;
use super::store::Metadata;
use super::{Outcome, output};
use crate::routes;

/// Makes, changes, shows and tests alert rules, and evaluates those that are due
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, of a rule as over HTTP:
  travelsense alerts create - --data ./data <<'END'
  {\"name\": \"Checkout\", \"source\": {\"metric\": \"conversion_rate\", \"timeRange\": \"last_hour\"},
   \"condition\": {\"type\": \"anomaly\", \"direction\": \"down\"}, \"channels\": [{\"type\": \"in_app\", \"roles\": [\"admin\"]}]}
  END

A server evaluates the rules and delivers what they tell; while it has the folder open, it is asked over HTTP instead.")]
pub(super) struct Alerts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows the rules and where they stand
    List(Plain),
    /// Makes a rule
    Create(Create),
    /// Shows a rule and where it stands
    Show(One),
    /// Changes the fields of a rule that are given; the others stay as they are
    Update(Update),
    /// Removes a rule
    Delete(Delete),
    /// Tells nobody of a rule for a while
    Silence(Silence),
    /// Shows what became of a rule, the latest first
    History(One),
    /// Reads what a rule looks at now, and sends a test to all places that it tells
    Test(One),
    /// Evaluates the rules that are due, as a server does every minute
    Evaluate(Plain),
    /// Shows notifications on their way out, the latest first
    Deliveries(Deliveries),
    /// Puts a notification that was given up on its way again
    Retry(Retry),
}

#[derive(Debug, clap::Args)]
struct Plain {
    #[command(flatten)]
    store: Metadata,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct One {
    /// The id of the rule
    id: String,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The file of the rule in JSON; - for standard input
    file: String,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, clap::Args)]
struct Update {
    /// The id of the rule
    id: String,
    /// The file of the fields in JSON; - for standard input
    file: String,
    /// Only if the rule still has this revision
    #[arg(long, value_name = "N")]
    revision: Option<i64>,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, clap::Args)]
struct Delete {
    /// The id of the rule
    id: String,
    /// Only if the rule still has this revision
    #[arg(long, value_name = "N")]
    revision: Option<i64>,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("end").required(true).args(["length", "until", "off"])))]
struct Silence {
    /// The id of the rule
    id: String,
    /// For so long, such as 30m, 8h or 7d
    #[arg(long = "for", value_name = "LENGTH")]
    length: Option<String>,
    /// Until this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// Ends a silence
    #[arg(long)]
    off: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, clap::Args)]
struct Deliveries {
    /// Only those: waiting, sent, or dead for those that were given up
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Debug, clap::Args)]
struct Retry {
    /// The id of the notification
    id: String,
    #[command(flatten)]
    plain: Plain,
}

impl Alerts {
    /// Does it, and writes what came of it.
    pub(super) fn run(self) -> Outcome {
        match self.command {
            Command::List(command) => command.list(),
            Command::Create(command) => command.run(),
            Command::Show(command) => command.show(),
            Command::Update(command) => command.run(),
            Command::Delete(command) => command.run(),
            Command::Silence(command) => command.run(),
            Command::History(command) => command.history(),
            Command::Test(command) => command.test(),
            Command::Evaluate(command) => command.evaluate(),
            Command::Deliveries(command) => command.run(),
            Command::Retry(command) => command.run(),
        }
    }
}

impl Plain {
    fn list(&self) -> Outcome {
        let listed = self
            .store
            .read()?
            .alerts(&Principal::owner(), &json!({ "limit": 100 }))?;
        if self.json {
            return write_json(&listed);
        }
        if listed.alerts.is_empty() {
            output::remark(
                "There are no alert rules; `travelsense alerts create` makes one, as do HTTP, Python, Node.js and the dashboard.",
            );
        }
        for alert in &listed.alerts {
            line(&told(alert))?;
        }
        Ok(())
    }

    fn evaluate(&self) -> Outcome {
        let store = self.store.with_events()?;
        let done = store.evaluate_alerts(&Principal::owner())?;
        if self.json {
            return write_json(&done);
        }
        line(&format!(
            "{} evaluated, {} failed, {} incidents began, {} messages",
            done.evaluated, done.failed, done.opened, done.messages
        ))
    }

    /// Writes a rule as it is now.
    fn write(&self, alert: &Alert) -> Outcome {
        if self.json {
            return write_json(alert);
        }
        line(&told(alert))
    }

    /// Writes that something was done, of which there is nothing to show.
    fn done(&self, what: &str, id: &str) -> Outcome {
        if self.json {
            return write_json(&json!({ "_id": id }));
        }
        line(&format!("{id} {what}"))
    }
}

impl Create {
    fn run(&self) -> Outcome {
        let rule = read(&self.file)?;
        let store = self.plain.store.write()?;
        let made = store.create_alert(&Principal::owner(), &rule);
        let made = made.map_err(|error| of_file(&self.file, &error))?;
        self.plain.write(&made)
    }
}

impl Update {
    fn run(&self) -> Outcome {
        let fields = read(&self.file)?;
        let store = self.plain.store.write()?;
        let changed = store.update_alert(&Principal::owner(), &self.id, &fields, self.revision);
        let changed = changed.map_err(|error| of_file(&self.file, &error))?;
        self.plain.write(&changed)
    }
}

impl Delete {
    fn run(&self) -> Outcome {
        let store = self.plain.store.write()?;
        let deleted = store.delete_alert(&Principal::owner(), &self.id, self.revision);
        deleted.map_err(|error| of_flags(&error))?;
        self.plain.done("is removed", &self.id)
    }
}

impl Silence {
    fn run(&self) -> Outcome {
        let mut asked = Map::new();
        if self.off {
            asked.insert("until".to_owned(), Value::Null);
        }
        let given = [
            ("for", &self.length),
            ("until", &self.until),
            ("reason", &self.reason),
        ];
        for (name, text) in given {
            if let Some(text) = text {
                asked.insert(name.to_owned(), text.clone().into());
            }
        }
        let store = self.plain.store.write()?;
        let silenced = store.silence_alert(&Principal::owner(), &self.id, &Value::Object(asked));
        self.plain
            .write(&silenced.map_err(|error| of_flags(&error))?)
    }
}

impl One {
    fn show(&self) -> Outcome {
        let found = self
            .plain
            .store
            .read()?
            .alert(&Principal::owner(), &self.id);
        let found = found.map_err(|error| of_flags(&error))?;
        if self.plain.json {
            return write_json(&found);
        }
        line(&told(&found))?;
        let form = serde_json::to_value(&found).map_err(Error::internal)?;
        for (name, value) in form.as_object().into_iter().flatten() {
            let shown = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            line(&format!("  {name}  {shown}"))?;
        }
        Ok(())
    }

    fn history(&self) -> Outcome {
        let store = self.plain.store.read()?;
        let asked = json!({ "limit": 100 });
        let events = store.alert_history(&Principal::owner(), &self.id, &asked);
        let events = events.map_err(|error| of_flags(&error))?;
        if self.plain.json {
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

    fn test(&self) -> Outcome {
        let store = self.plain.store.with_events()?;
        let tested = store.test_alert(&Principal::owner(), &self.id);
        write_json(&tested.map_err(|error| of_flags(&error))?)
    }
}

impl Deliveries {
    fn run(&self) -> Outcome {
        let asked = json!({ "limit": 100, "state": self.state });
        let store = self.plain.store.read()?;
        let listed = store.deliveries(&Principal::owner(), &asked);
        let listed = listed.map_err(|error| of_flags(&error))?;
        if self.plain.json {
            return write_json(&listed);
        }
        if listed.deliveries.is_empty() {
            output::remark("No notification is on its way, and none was sent or given up.");
        }
        for delivery in &listed.deliveries {
            let channel = delivery.channel.get("type").and_then(Value::as_str);
            line(&format!(
                "{} {} {} {} {}",
                delivery.id,
                delivery.state,
                channel.unwrap_or_default(),
                delivery.title,
                delivery.error
            ))?;
        }
        Ok(())
    }
}

impl Retry {
    fn run(&self) -> Outcome {
        let store = self.plain.store.write()?;
        store.retry_delivery(&Principal::owner(), &self.id)?;
        self.plain.done("is on its way again", &self.id)
    }
}

/// A rule in a line: its id, where it stands, its name.
fn told(alert: &Alert) -> String {
    let phase = alert.state().phase.name();
    let on = if alert.rule.enabled {
        phase
    } else {
        "disabled"
    };
    let silence = alert.standing.silenced_until;
    let silence = silence.map_or_else(String::new, |until| format!(" (silent until {until})"));
    format!("{} {on} {}{silence}", alert.id, alert.rule.name)
}

/// What a file, or standard input, holds in JSON.
fn read(file: &str) -> Result<Value, Failure> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes =
        bytes.map_err(|e| Failure::invalid(format!("{} cannot be read: {e}", named(file))))?;
    routes::json(&bytes).map_err(|error| of_file(file, &error))
}

/// What is wrong with a file, by the names that its fields have there.
fn of_file(file: &str, error: &Error) -> Failure {
    let file = named(file);
    Failure::of(error, |field| match field {
        "id" => "ID".to_owned(),
        "body" => file.clone(),
        field => format!("{file}: {field}"),
    })
}

/// What is wrong with the id of a rule, or with a flag.
fn of_flags(error: &Error) -> Failure {
    Failure::of(error, |field| match field {
        "id" => "ID".to_owned(),
        field => format!("--{field}"),
    })
}

/// What a file is called where it is complained of.
fn named(file: &str) -> String {
    match file {
        "-" => "standard input".to_owned(),
        file => format!("`{file}`"),
    }
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
