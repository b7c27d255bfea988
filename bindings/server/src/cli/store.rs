//! Finds and opens the store of events that a command works on, and of what is kept beside them.

use std::path::{Path, PathBuf};

use travelsense::{Analytics, Options};

use super::failure::Failure;

/// Which store of events.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Store {
    /// The folder (or the DuckDB file) that holds the events
    #[arg(long, value_name = "DIR", env = "TRAVELSENSE_DATA")]
    pub(super) data: PathBuf,
}

/// The file inside a data folder.
const FILE: &str = "travelsense.db";

/// The store's file: the path itself if it is a file or is named like one, else the file in that folder.
pub(super) fn file(data: &Path) -> PathBuf {
    let named = data.extension().is_some_and(|e| e == "db" || e == "duckdb");
    if !data.is_dir() && (named || data.is_file()) {
        data.to_owned()
    } else {
        data.join(FILE)
    }
}

impl Store {
    /// Opens it to read; it must be there.
    pub(super) fn read(&self) -> Result<Analytics, Failure> {
        let path = file(&self.data);
        if !path.exists() {
            return Err(Failure::invalid(format!(
                "--data: there are no events at `{}`; `travelsense import` puts some there, `travelsense demo` makes some up",
                path.display()
            )));
        }
        Ok(Analytics::open_with(Options {
            path: Some(path),
            read_only: true,
            ..Options::default()
        })?)
    }

    /// Opens it to write; it is made if it is not there.
    pub(super) fn write(&self) -> Result<Analytics, Failure> {
        open(&self.data, Options::default())
    }
}

/// Which store of dashboards, alert rules and the record: beside the events, or elsewhere.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Metadata {
    /// The folder (or the DuckDB file) that holds the events, with the rest beside it
    #[arg(
        long,
        value_name = "DIR",
        env = "TRAVELSENSE_DATA",
        required_unless_present = "metadata"
    )]
    data: Option<PathBuf>,
    /// Where it is kept if not there, such as postgres://user@host/database
    #[arg(
        long,
        value_name = "URL",
        env = "TRAVELSENSE_METADATA",
        hide_env_values = true
    )]
    metadata: Option<String>,
}

impl Metadata {
    /// Opens it to read, which needs no events where it is kept elsewhere.
    pub(super) fn read(&self) -> Result<Analytics, Failure> {
        match (&self.metadata, &self.data) {
            (None, Some(data)) => Store { data: data.clone() }.read(),
            _ => self.elsewhere(true),
        }
    }

    /// Opens it to write, which needs no events where it is kept elsewhere.
    pub(super) fn write(&self) -> Result<Analytics, Failure> {
        match (&self.metadata, &self.data) {
            (None, Some(data)) => Store { data: data.clone() }.write(),
            _ => self.elsewhere(false),
        }
    }

    /// Opens it to write, with the events.
    pub(super) fn with_events(&self) -> Result<Analytics, Failure> {
        let data = self.data.as_deref().ok_or_else(|| {
            Failure::invalid("--data: is required, as it is the events that are looked at")
        })?;
        let metadata = self.metadata.clone();
        let options = Options {
            metadata,
            ..Options::default()
        };
        open(data, options)
    }

    fn elsewhere(&self, read_only: bool) -> Result<Analytics, Failure> {
        Ok(Analytics::open_with(Options {
            metadata: self.metadata.clone(),
            read_only,
            ..Options::default()
        })?)
    }
}

/// Opens a data folder to write, with the folder made where it is missing.
pub(super) fn open(data: &Path, options: Options) -> Result<Analytics, Failure> {
    let path = file(data);
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| {
            Failure::failed(format!(
                "--data: cannot make the folder `{}`: {e}",
                folder.display()
            ))
        })?;
    }
    Ok(Analytics::open_with(Options {
        path: Some(path),
        ..options
    })?)
}
