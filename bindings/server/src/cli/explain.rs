//! `travelsense explain`: why two questions have different answers, in the terminal.

use std::path::PathBuf;

use serde_json::{Map, Value};
use travelsense::Principal;
use travelsense::explain::Explanation;

use super::Outcome;
use super::failure::Failure;
use super::output;
use super::store::Store;
use super::table::{Table, count};

/// Shows why two questions have different answers: the switches that differ, and what each does alone
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense explain --data demo \\
    '{\"steps\":[\"search\",\"complete_booking\"],\"startDate\":\"MONTH_AGO\",\"endDate\":\"YESTERDAY\"}' '{\"preset\":\"mixpanel\"}'

The second question is the first one with these fields in place of its own.")]
pub(super) struct Explain {
    #[command(flatten)]
    store: Store,
    /// The first question as JSON, or a file that holds it
    #[arg(value_name = "QUESTION")]
    a: String,
    /// What the second question has in place of the first one's fields, as JSON or a file
    #[arg(value_name = "CHANGES")]
    b: String,
    /// What is asked: funnel or retention
    #[arg(long, value_name = "WORD", default_value = "funnel")]
    word: String,
    /// The number whose users are compared, as JSON [default: the converters of a funnel]
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// Write the answer as the same JSON that every other door gives
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let a = object("QUESTION", &self.a)?;
        let mut b = a.clone();
        b.extend(object("CHANGES", &self.b)?);
        let mut question = Map::from_iter([
            ("word".to_owned(), Value::from(self.word)),
            ("a".to_owned(), Value::Object(a)),
            ("b".to_owned(), Value::Object(b)),
        ]);
        if let Some(cell) = &self.cell {
            question.insert("cell".to_owned(), Value::Object(object("--cell", cell)?));
        }
        let store = self.store.read()?;
        let answer =
            store.explain_difference_json(&Principal::owner(), &Value::Object(question))?;
        let text = if self.json {
            serde_json::to_string(&answer).map_err(travelsense::Error::internal)?
        } else {
            show(&answer)
        };
        Ok(output::line(text.trim_end())?)
    }
}

/// An object of JSON, or of the file that has this name.
fn object(flag: &str, text: &str) -> Result<Map<String, Value>, Failure> {
    let path = PathBuf::from(text);
    let read = if path.is_file() {
        std::fs::read_to_string(path).map_err(|e| Failure::failed(format!("{flag}: {e}")))?
    } else {
        text.to_owned()
    };
    serde_json::from_str(&read).map_err(|e| {
        Failure::invalid(format!(
            "{flag} must be a JSON object or a file of one: {e}"
        ))
    })
}

fn show(answer: &Explanation) -> String {
    let users = &answer.users;
    let mut text = format!(
        "The first counts {} users, the second {}; {} are in both, {} only in the first, {} only in the second.\n",
        count(users.a),
        count(users.b),
        count(users.both),
        count(users.only_a),
        count(users.only_b),
    );
    if answer.switches.is_empty() {
        text.push_str("No switch makes a difference.\n");
        return text;
    }
    let mut table = Table::new(
        4,
        &["Switch", "First", "Second", "Rules", "Users", "Lost", "Won"],
    );
    for switch in &answer.switches {
        let figure = |of: fn(&travelsense::explain::Users) -> u64| {
            switch
                .users
                .as_ref()
                .map_or_else(|| "–".to_owned(), |users| count(of(users)))
        };
        table.row(vec![
            switch.switch.to_owned(),
            value(&switch.a),
            value(&switch.b),
            switch.rules.join(", "),
            figure(|users| users.b),
            figure(|users| users.only_a),
            figure(|users| users.only_b),
        ]);
    }
    text.push_str(&format!(
        "\n{}\nEach switch alone, as in the second.\n",
        table.render()
    ));
    text
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        value => value.to_string(),
    }
}
