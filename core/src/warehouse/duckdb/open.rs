//! Opens a file or memory: settings, locks, and what can be wrong with a path.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ::duckdb::{AccessMode, Config, Connection};

use super::fault;
use super::migrate::{self, Fault};
use crate::error::{Error, ErrorKind, Result};
use crate::warehouse::Open;

/// Opens, sets up and locks the settings; what is returned holds the file until both are dropped.
pub(super) fn open(options: &Open) -> Result<(Connection, Option<Held>)> {
    whole(options.path.as_deref(), || open_here(options))
}

/// Opens a file. Where there is no room to make one, nothing of it stays: whoever opens it later, with room, makes it anew.
pub(crate) fn whole<T>(path: Option<&Path>, open: impl FnOnce() -> Result<T>) -> Result<T> {
    let absent = |path: &&Path| path.metadata().map_or(true, |found| found.len() == 0);
    let absent = path.filter(absent);
    let opened = open().map_err(|error| fault::opening(error, path));
    if let (Some(path), Err(error)) = (absent, &opened)
        && error.code() == "disk_full"
    {
        let mut log = path.to_owned().into_os_string();
        log.push(".wal");
        let _ = std::fs::remove_file(log);
        let _ = std::fs::remove_file(path);
    }
    opened
}

fn open_here(options: &Open) -> Result<(Connection, Option<Held>)> {
    let path = options.path.as_deref();
    let (connection, held) = connect(options)?;
    let file = path.map_or_else(
        || "the warehouse in memory".to_owned(),
        |p| format!("`{}`", p.display()),
    );
    let changed = migrate::run(
        &connection,
        migrate::ALL,
        &file,
        options.read_only,
        options.now,
    )
    .map_err(|fault| match fault {
        Fault::Engine(error) => fault::of(error, path),
        Fault::Ours(error) => error,
    })?;
    if changed && path.is_some() {
        settle(&connection).map_err(|error| fault::of(error, path))?;
    }
    seal(&connection).map_err(|error| fault::of(error, path))?;
    Ok((connection, held))
}

/// Leaves no change of the schema in the log: replaying these has failed in DuckDB before.
pub(crate) fn settle(connection: &Connection) -> ::duckdb::Result<()> {
    connection.execute_batch("checkpoint")
}

/// From here on no statement can reach a file, load an extension or change a setting but how many threads there are: files to import are
/// read by other means.
pub(crate) fn seal(connection: &Connection) -> ::duckdb::Result<()> {
    connection.execute_batch(
        "set enable_external_access = false; set allowed_configs = ['threads']; set lock_configuration = true",
    )
}

/// Opens a file or memory, whatever it holds; what is returned holds the file until both are dropped.
pub(crate) fn connect(options: &Open) -> Result<(Connection, Option<Held>)> {
    let path = options.path.as_deref();
    let mut held = path
        .map(|p| {
            check(p, options.read_only)?;
            let (held, alone) = Held::take(p, options.read_only)?;
            // Closing any handle of a file drops the locks of all others in this process: only the first may look.
            if alone {
                begins_like_ours(p)?;
            }
            Ok(held)
        })
        .transpose()?;
    let failed = |error| fault::of(error, path);

    let config = config(options).map_err(failed)?;
    let connection = match path {
        Some(path) => Connection::open_with_flags(path, config),
        None => Connection::open_in_memory_with_flags(config),
    }
    .map_err(|error| match (failed(error), path) {
        // The folder is there, as was checked: it is one that takes no files, such as those of the kernel.
        (error, Some(path)) if error.code() == "not_found" && !options.read_only => Error::new(
            ErrorKind::Storage,
            "read_only",
            format!(
                "`{}` cannot be made: its folder takes no files",
                path.display()
            ),
        )
        .caused_by(error),
        (error, _) => error,
    })?;
    if let (Some(held), Some(path)) = (&mut held, path) {
        held.made(path);
    }
    Ok((connection, held))
}

fn config(options: &Open) -> ::duckdb::Result<Config> {
    let mut config = Config::default()
        .enable_autoload_extension(false)?
        .with("preserve_insertion_order", "false")?
        .with("arrow_lossless_conversion", "true")?
        .access_mode(if options.read_only {
            AccessMode::ReadOnly
        } else {
            AccessMode::ReadWrite
        })?;
    if let Some(threads) = options.threads {
        config = config.threads(i64::try_from(threads).unwrap_or(i64::MAX).max(1))?;
    }
    if options.path.is_none() {
        // What is to stay in memory leaves no files in the folder it happens to run in.
        config = config.with("temp_directory", "")?;
    }
    if let Some(bytes) = options.memory_limit {
        // With less the engine cannot even replay its own log.
        config = config.max_memory(&format!("{}B", bytes.max(64 << 20)))?;
    }
    Ok(config)
}

/// What can be told about a path before DuckDB sees it.
fn check(path: &Path, read_only: bool) -> Result<()> {
    let missing = |what: &Path| {
        Error::new(
            ErrorKind::Storage,
            "not_found",
            format!("`{}` does not exist", what.display()),
        )
    };
    if path.is_dir() {
        return Err(directory(path));
    }
    if path.exists() {
        return Ok(());
    }
    let folder = folder(path);
    if !folder.is_dir() {
        return Err(missing(folder));
    }
    if read_only {
        return Err(missing(path));
    }
    Ok(())
}

/// A file of the engine has `DUCK` after a checksum of eight bytes; for others, such as those of SQLite, the engine would look
/// for an extension to read them. An empty file becomes a store, and what is not there yet is no concern.
fn begins_like_ours(path: &Path) -> Result<()> {
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(12).read_to_end(&mut start));
    // What cannot be read is told by the engine, with its reason.
    if read.is_err() || start.is_empty() || start.get(8..) == Some(b"DUCK") {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Corrupt,
        "not_a_database",
        format!(
            "`{}` is not a travelsense file: it is no database of DuckDB",
            path.display()
        ),
    ))
}

fn directory(path: &Path) -> Error {
    Error::new(
        ErrorKind::Storage,
        "is_a_folder",
        format!(
            "`{}` is a folder; the path of a file is needed",
            path.display()
        ),
    )
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The files this process has open: how many readers, or one writer.
///
/// The system's file locks belong to a process: a second open in the same process would not be refused, and closing
/// it would drop the lock of the first.
static OPEN: Mutex<BTreeMap<Key, Use>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy, Debug)]
enum Use {
    Readers(usize),
    Writer,
}

/// What a file is known by: its real path, and what the file system calls it, whichever of its names leads there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Path(PathBuf),
    #[cfg(unix)]
    File(u64, u64),
}

impl Key {
    fn of_path(path: &Path) -> Self {
        let real = match (
            path.canonicalize(),
            folder(path).canonicalize(),
            path.file_name(),
        ) {
            (Ok(real), _, _) => real,
            (Err(_), Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        };
        Self::Path(real)
    }

    /// Of a file that is there.
    #[cfg(unix)]
    fn of_file(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let file = path.metadata().ok()?;
        Some(Self::File(file.dev(), file.ino()))
    }

    #[cfg(not(unix))]
    fn of_file(_: &Path) -> Option<Self> {
        None
    }
}

/// A file counted as open in this process, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held(Vec<Key>);

impl Held {
    /// Counts a file as open, and tells whether nobody else in this process has it open.
    fn take(path: &Path, read_only: bool) -> Result<(Self, bool)> {
        let keys: Vec<Key> = [Some(Key::of_path(path)), Key::of_file(path)]
            .into_iter()
            .flatten()
            .collect();
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut uses = Vec::with_capacity(keys.len());
        for key in &keys {
            uses.push(match (open.get(key), read_only) {
                (None, true) => Use::Readers(1),
                (None, false) => Use::Writer,
                (Some(Use::Readers(n)), true) => Use::Readers(n + 1),
                (Some(_), _) => {
                    let (kind, code, message) = fault::locked(
                        &format!("`{}`", path.display()),
                        &format!("this process ({})", std::process::id()),
                    );
                    return Err(Error::new(kind, code, message));
                }
            });
        }
        let mut alone = true;
        for (key, now) in keys.iter().zip(uses) {
            alone &= open.insert(key.clone(), now).is_none();
        }
        Ok((Self(keys), alone))
    }

    /// Counts a file by all it is known by, once it is there.
    fn made(&mut self, path: &Path) {
        if let Some(key) = Key::of_file(path).filter(|key| !self.0.contains(key)) {
            let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
            open.insert(key.clone(), Use::Writer);
            self.0.push(key);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.0 {
            match open.get_mut(key) {
                Some(Use::Readers(n)) if *n > 1 => *n -= 1,
                _ => {
                    open.remove(key);
                }
            }
        }
    }
}
