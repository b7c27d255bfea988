//! What DuckDB's errors mean to a caller.

use std::path::Path;

use crate::error::{Error, ErrorKind};

/// The error of ours for one of DuckDB's while it worked on a file.
pub(super) fn of(error: ::duckdb::Error, path: Option<&Path>) -> Error {
    let text = error.to_string();
    let file = path.map_or_else(|| "the warehouse in memory".to_owned(), |p| format!("`{}`", p.display()));
    match classify(&text, &file) {
        Some((kind, code, message)) => Error::new(kind, code, message).caused_by(error),
        None => Error::internal(error),
    }
}

/// The kind, code and sentence of a message of DuckDB's, or `None` where it can only be a fault of ours.
fn classify(text: &str, file: &str) -> Option<(ErrorKind, &'static str, String)> {
    let has = |part: &str| text.contains(part);
    let found = if has("Could not set lock") || has("onflicting lock") {
        let holder = match between(text, "(PID ", ")") {
            Some(pid) => format!("process {pid}"),
            None => "another process".to_owned(),
        };
        locked(file, &holder)
    } else if has("not a valid DuckDB database file") {
        (
            ErrorKind::Corrupt,
            "not_a_database",
            format!("{file} is not a travelsense file: it is no database at all"),
        )
    } else if has("newer version of DuckDB") || has("created with a newer") || has("storage version") {
        newer(file)
    } else if has("No space left") || has("ENOSPC") || has("File too large") || has("Disk quota exceeded")
        || has("max_temp_directory_size")
    {
        (
            ErrorKind::Storage,
            "disk_full",
            format!("no space is left on the disk of {file}; nothing of this change was kept"),
        )
    } else if has("Read-only file system") || has("Permission denied") || has("Operation not permitted")
        || has("read-only mode")
    {
        (
            ErrorKind::Storage,
            "read_only",
            format!("{file} cannot be written: its folder or file is read-only for this user"),
        )
    } else if has("No such file or directory") || has("does not exist") && has("database") {
        (ErrorKind::Storage, "not_found", format!("{file} does not exist"))
    } else if has("Out of Memory") || has("could not allocate") {
        (
            ErrorKind::Limit,
            "memory_limit",
            format!("the memory limit is too small for this work on {file}; a higher limit would do"),
        )
    } else if has("Corrupt") || has("corrupt") || has("checksum") || has("while replaying WAL") {
        (ErrorKind::Corrupt, "corrupt", format!("{file} is damaged; a backup would do"))
    } else if has("INTERRUPT") {
        (ErrorKind::Cancelled, "cancelled", "the work was stopped".to_owned())
    } else if has("IO Error") {
        (ErrorKind::Storage, "io", format!("{file} could not be read or written: {}", first_line(text)))
    } else {
        return None;
    };
    Some(found)
}

/// Somebody else has the file open.
pub(super) fn locked(file: &str, holder: &str) -> (ErrorKind, &'static str, String) {
    (
        ErrorKind::Conflict,
        "locked",
        format!(
            "{file} is open for writing in {holder}; open it read-only once that has closed it, \
             or ask the server that holds it"
        ),
    )
}

/// The file was written by a version to come.
pub(super) fn newer(file: &str) -> (ErrorKind, &'static str, String) {
    (
        ErrorKind::Corrupt,
        "newer_format",
        format!("{file} was written by a newer version of travelsense; that version or a later one can open it"),
    )
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|found| found.0)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}
