//! `travelsense models` and `travelsense feedback`: models trained elsewhere, and what became of what was foretold.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use travelsense::Principal;

use super::failure::Failure;
use super::store::Store;
use super::{Outcome, output};

/// Registers models trained elsewhere, shows them, scores rows with them
#[derive(Debug, clap::Args)]
pub(super) struct Models {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows the models, the latest first
    List(Plain),
    /// Registers a model from its file: ONNX, XGBoost's JSON or UBJSON, LightGBM's text
    Register(Register),
    /// Shows a model: what it takes and gives
    Show(One),
    /// Removes a version of a model
    Remove(One),
    /// What a model says of rows or users
    Score(Score),
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
    /// The name, which means the latest version, NAME@VERSION, or the id
    model: String,
    #[command(flatten)]
    store: Store,
}

#[derive(Debug, clap::Args)]
struct Register {
    /// The name
    name: String,
    /// The file
    file: PathBuf,
    /// The names of the features, with commas between them
    #[arg(long, value_delimiter = ',')]
    features: Option<Vec<String>>,
    /// The names of the classes, with commas between them
    #[arg(long, value_delimiter = ',')]
    classes: Option<Vec<String>>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    store: Store,
}

#[derive(Debug, clap::Args)]
struct Score {
    /// The name, which means the latest version, NAME@VERSION, or the id
    model: String,
    /// A file of rows: JSON (a list of objects, or columns by name), or an object a line
    #[arg(long, required_unless_present = "users")]
    rows: Option<PathBuf>,
    /// Users of the store instead, as a question of churn in JSON, such as {"segment": "active"}
    #[arg(long, conflicts_with = "rows")]
    users: Option<String>,
    /// A name under which the scores are kept
    #[arg(long)]
    feedback: Option<String>,
    #[command(flatten)]
    store: Store,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

/// What became of what was foretold under a name
#[derive(Debug, clap::Args)]
pub(super) struct Feedback {
    /// The name; all names are shown without
    name: Option<String>,
    #[command(flatten)]
    store: Store,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

impl Models {
    /// Does it, and writes what came of it.
    pub(super) fn run(self) -> Outcome {
        let owner = Principal::owner();
        match self.command {
            Command::List(command) => list(&command),
            Command::Register(command) => {
                let file = read(&command.file)?;
                let mut asked = Map::new();
                asked.insert("name".to_owned(), command.name.into());
                asked.insert("features".to_owned(), json!(command.features));
                asked.insert("classes".to_owned(), json!(command.classes));
                asked.insert("description".to_owned(), json!(command.description));
                let store = command.store.write()?;
                write_json(&store.register_model(&owner, &Value::Object(asked), &file)?)
            }
            Command::Show(command) => {
                write_json(&command.store.read()?.model(&owner, &command.model)?)
            }
            Command::Remove(command) => {
                let store = command.store.write()?;
                store.delete_model(&owner, &command.model)?;
                line(&format!("{} is removed", command.model))
            }
            Command::Score(command) => score(&command),
        }
    }
}

impl Feedback {
    /// Answers, and writes the answer.
    pub(super) fn run(self) -> Outcome {
        let owner = Principal::owner();
        let store = self.store.read()?;
        let Some(name) = &self.name else {
            let logs = store.feedback_logs(&owner)?;
            if self.json {
                return write_json(&logs);
            }
            if logs.is_empty() {
                output::remark(
                    "Nothing is kept of what was foretold; predictions and scores are kept under a name that is asked for as `feedback`.",
                );
            }
            for log in &logs {
                line(&format!(
                    "{} {} runs, the latest at {}",
                    log.name, log.runs, log.latest_at
                ))?;
            }
            return Ok(());
        };
        let told = store.feedback_json(&owner, &json!({ "name": name }))?;
        if self.json {
            return write_json(&told);
        }
        let figure = |value: Option<f64>| value.map_or("none".to_owned(), |v| format!("{v:.4}"));
        line(&format!(
            "{} compared, {} to come",
            told.scores.n, told.waiting
        ))?;
        line(&format!(
            "bias (forecast less value) {}",
            figure(told.scores.bias)
        ))?;
        line(&format!("mean absolute error {}", figure(told.scores.mae)))?;
        for covered in &told.scores.coverage {
            let held = figure(covered.held.value);
            line(&format!("intervals of {} % held {held}", covered.level))?;
        }
        if let Some(chances) = &told.probabilities {
            line(&format!(
                "Brier {:.4}, calibration error {:.4}",
                chances.brier, chances.calibration_error
            ))?;
        }
        line(&format!("drift {:.2} of an alarm", told.drift.ratio))?;
        for reason in &told.advice.reasons {
            line(&format!("train anew: {reason}"))?;
        }
        Ok(())
    }
}

fn list(command: &Plain) -> Outcome {
    let asked = json!({ "limit": 100 });
    let listed = command.store.read()?.models(&Principal::owner(), &asked)?;
    if command.json {
        return write_json(&listed);
    }
    if listed.models.is_empty() {
        output::remark("There are no models; `travelsense models register` takes one in.");
    }
    for model in &listed.models {
        let takes = model.schema.features.len();
        line(&format!(
            "{} {} {takes} features",
            model.id,
            model.reference()
        ))?;
    }
    Ok(())
}

fn score(command: &Score) -> Outcome {
    let mut asked = Map::new();
    asked.insert("model".to_owned(), command.model.clone().into());
    if let Some(path) = &command.rows {
        asked.insert("rows".to_owned(), rows(&read(path)?)?);
    }
    if let Some(users) = &command.users {
        asked.insert("users".to_owned(), parsed(users.as_bytes())?);
    }
    asked.insert("feedback".to_owned(), json!(command.feedback));
    let store = match command.feedback {
        Some(_) => command.store.write()?,
        None => command.store.read()?,
    };
    let scored = store.score_json(&Principal::owner(), &Value::Object(asked))?;
    if command.json {
        return write_json(&scored);
    }
    let columns: Vec<(&String, &Vec<Value>)> = scored
        .predictions
        .iter()
        .filter_map(|(name, values)| Some((name, values.as_array()?)))
        .collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    line(&format!("id,{}", names.join(",")))?;
    let count = columns.first().map_or(0, |(_, values)| values.len());
    for row in 0..count {
        let id = scored.ids.as_ref().and_then(|ids| ids.get(row)).cloned();
        let values = columns.iter().map(|(_, values)| match values.get(row) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(value) => value.to_string(),
        });
        let values: Vec<String> = values.collect();
        let id = id.unwrap_or_else(|| row.to_string());
        line(&format!("{id},{}", values.join(",")))?;
    }
    Ok(())
}

/// Rows as JSON, or as an object a line.
fn rows(bytes: &[u8]) -> Result<Value, Failure> {
    if let Ok(whole) = serde_json::from_slice::<Value>(bytes) {
        // One line with one object is one row, unless its fields are columns.
        let columns = whole
            .as_object()
            .is_some_and(|o| o.values().all(Value::is_array));
        return Ok(if whole.is_object() && !columns {
            json!([whole])
        } else {
            whole
        });
    }
    let lines = bytes
        .split(|b| *b == b'\n')
        .filter(|l| !l.trim_ascii().is_empty());
    lines
        .map(parsed)
        .collect::<Result<Vec<_>, _>>()
        .map(Value::from)
}

fn parsed(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|e| Failure::failed(format!("is not JSON: {e}")))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|e| Failure::failed(format!("cannot read `{}`: {e}", path.display())))
}

/// Whatever somebody called something does not reach the terminal as it is.
fn line(text: &str) -> Outcome {
    Ok(output::line(&text.escape_debug().to_string())?)
}

fn write_json<T: serde::Serialize>(found: &T) -> Outcome {
    let text = serde_json::to_string_pretty(found)
        .map_err(|e| Failure::failed(format!("cannot write: {e}")))?;
    Ok(output::line(&text)?)
}
