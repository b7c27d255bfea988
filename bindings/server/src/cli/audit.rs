//! `travelsense audit`: reads and checks the record of who did what.

use serde_json::{Map, Value};
use travelsense::Principal;

use super::failure::Failure;
use super::store::Store;
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
    store: Store,
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
    store: Store,
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
        let store = self.store.read()?;
        let listed = store.audit(&Principal::owner(), &Value::Object(asked))?;
        if self.json {
            return write_json(&listed);
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
        let store = self.store.read()?;
        let found = store.verify_audit(&Principal::owner())?;
        if self.json {
            write_json(&found)?;
        }
        match &found.broken {
            None if self.json => Ok(()),
            None => Ok(output::line(&format!(
                "the record is whole: {} entries, the last with the hash {}",
                found.entries, found.head
            ))?),
            Some(broken) => Err(Failure::failed(format!(
                "the record is broken: entry {} {}; the {} before it are whole",
                broken.seq, broken.reason, found.entries
            ))),
        }
    }
}

fn write_json<T: serde::Serialize>(found: &T) -> Outcome {
    let text = serde_json::to_string_pretty(found)
        .map_err(|e| Failure::failed(format!("cannot write: {e}")))?;
    Ok(output::line(&text)?)
}
