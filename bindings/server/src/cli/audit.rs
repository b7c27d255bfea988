//! `travelsense audit`: reads and checks the record of who did what.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use travelsense::Principal;
use travelsense::access::Key;
use travelsense::audit::Anchor;

use super::failure::Failure;
use super::store::Metadata;
use super::{Outcome, output};

/// Reads the record of who did what, or checks that nobody changed it
#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows entries, the latest first
    List(List),
    /// Checks every entry, and names the first that was changed, removed or put in
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    record: Metadata,
    /// Only those of this user
    #[arg(long, value_name = "ID")]
    who: Option<String>,
    /// Only of this action, such as `dashboard.update`, or of a group of them, such as `dashboard`
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// Only to this object, such as `dashboard/6955b90001020304050607ff`
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    /// Only with this outcome: allowed, refused or failed
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only at or after this instant
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Only before this instant
    #[arg(long, value_name = "INSTANT")]
    to: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    record: Metadata,
    /// The file of anchors that the server keeps, to find a record that was made anew as a whole
    #[arg(long, value_name = "FILE", requires = "anchor_key")]
    anchors: Option<PathBuf>,
    /// The public key of those anchors, as a PEM file
    #[arg(long, value_name = "FILE", requires = "anchors")]
    anchor_key: Option<PathBuf>,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    /// Reads or checks it, and writes what was found.
    pub(super) fn run(self) -> Outcome {
        match self.command {
            Command::List(list) => list.run(),
            Command::Verify(verify) => verify.run(),
        }
    }
}

impl List {
    fn run(self) -> Outcome {
        let mut asked = Map::new();
        let conditions = [
            ("who", self.who),
            ("action", self.action),
            ("object", self.object),
            ("outcome", self.outcome),
            ("from", self.from),
            ("to", self.to),
        ];
        for (name, condition) in conditions {
            if let Some(text) = condition {
                asked.insert(name.to_owned(), text.into());
            }
        }
        asked.insert("limit".to_owned(), self.limit.into());
        let store = self.record.read()?;
        let listed = store.audit(&Principal::owner(), &Value::Object(asked))?;
        if self.json {
            return write_json(&listed);
        }
        if listed.entries.is_empty() {
            output::remark("The record has no entry that fits.");
        }
        for e in &listed.entries {
            // Whatever somebody called themselves does not reach the terminal as it is.
            let told = format!(
                "{} {} {} ({}) {} {} {}: {}",
                e.seq, e.at, e.who, e.role, e.action, e.object, e.outcome, e.reason
            );
            output::line(&told.escape_debug().to_string())?;
        }
        Ok(())
    }
}

impl Verify {
    fn run(self) -> Outcome {
        let anchors = match (&self.anchors, &self.anchor_key) {
            (Some(anchors), Some(key)) => Anchor::read(&text(anchors)?, &Key::pem(&text(key)?)?)?,
            _ => Vec::new(),
        };
        let store = self.record.read()?;
        let found = store.verify_audit_by(&Principal::owner(), &anchors)?;
        if self.json {
            write_json(&found)?;
        }
        match &found.broken {
            None if self.json => Ok(()),
            None if found.entries == 0 => {
                Ok(output::line("the record is whole: it has no entries")?)
            }
            None => {
                let anchors = match found.anchors {
                    0 => String::new(),
                    n => format!("; {n} anchors say the same"),
                };
                Ok(output::line(&format!(
                    "the record is whole: {} entries, the last with the hash {}{anchors}",
                    found.entries, found.head
                ))?)
            }
            Some(broken) => Err(Failure::failed(format!(
                "the record is broken: entry {} {}; the {} before it are whole",
                broken.seq, broken.reason, found.entries
            ))),
        }
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|e| Failure::invalid(format!("`{}` cannot be read: {e}", path.display())))
}

fn write_json<T: serde::Serialize>(found: &T) -> Outcome {
    let text = serde_json::to_string_pretty(found)
        .map_err(|e| Failure::failed(format!("cannot write: {e}")))?;
    Ok(output::line(&text)?)
}
