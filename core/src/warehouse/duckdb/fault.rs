//! What DuckDB's errors mean to a caller.

use std::path::Path;

use crate::error::{Error, ErrorKind};

/// The error of ours for one of DuckDB's while it worked on a file.
pub(crate) fn of(error: ::duckdb::Error, path: Option<&Path>) -> Error {
    let text = error.to_string();
    let file = path.map_or_else(
        || "the warehouse in memory".to_owned(),
        |p| format!("`{}`", p.display()),
    );
    match classify(&text, &file) {
        Some((kind, code, message)) => Error::new(kind, code, message).caused_by(error),
        None => Error::internal(error),
    }
}

/// The error of a file that is being opened: one that cannot go on is not open, and what made it so is told, such as a full disk.
pub(crate) fn opening(error: Error, path: Option<&Path>) -> Error {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    let cause = cause.filter(|_| error.code() == "invalidated");
    let Some(first) = cause
        .as_deref()
        .and_then(|c| Some(c.split_once("Original error:")?.1))
    else {
        return error;
    };
    let file = path.map_or_else(String::new, |p| format!("`{}`", p.display()));
    match classify(first, &file) {
        Some((kind, code, message)) => Error::new(kind, code, message).caused_by(error),
        None => error,
    }
}

/// The kind, code and sentence of a message of DuckDB's, or `None` where it can only be a fault of ours.
fn classify(text: &str, file: &str) -> Option<(ErrorKind, &'static str, String)> {
    let has = |part: &str| text.contains(part);
    // It names what made it so, such as a full disk, and stays so when that is over: this comes first.
    let found = if has("has been invalidated") {
        (
            ErrorKind::Storage,
            "invalidated",
            format!("{file} met a failure that it cannot go on after; close it and open it again"),
        )
    } else if has("Could not set lock") || has("onflicting lock") {
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
    } else if has("newer version of DuckDB")
        || has("created with a newer")
        || has("storage version")
    {
        newer(file)
    } else if has("No space left")
        || has("ENOSPC")
        || has("File too large")
        || has("Disk quota exceeded")
        || has("max_temp_directory_size")
    {
        (
            ErrorKind::Storage,
            "disk_full",
            format!("no space is left on the disk of {file}; nothing of this change was kept"),
        )
    } else if has("Read-only file system")
        || has("Permission denied")
        || has("Operation not permitted")
        || has("read-only mode")
    {
        (
            ErrorKind::Storage,
            "read_only",
            format!("{file} cannot be written: its folder or file is read-only for this user"),
        )
    } else if has("No such file or directory") || has("does not exist") && has("database") {
        (
            ErrorKind::Storage,
            "not_found",
            format!("{file} does not exist"),
        )
    } else if has("Out of Memory") || has("could not allocate") {
        (
            ErrorKind::Limit,
            "memory_limit",
            format!(
                "the memory limit is too small for this work on {file}; a higher limit would do"
            ),
        )
    } else if has("Corrupt")
        || has("corrupt")
        || has("checksum")
        || has("while replaying WAL")
        // The file ends before what it says to hold.
        || has("Could not read enough bytes")
    {
        (
            ErrorKind::Corrupt,
            "corrupt",
            format!("{file} is damaged; a backup would do"),
        )
    } else if has("INTERRUPT") {
        (
            ErrorKind::Cancelled,
            "cancelled",
            "the work was stopped".to_owned(),
        )
    } else if has("IO Error") {
        (
            ErrorKind::Storage,
            "io",
            format!("{file} could not be read or written: {}", first_line(text)),
        )
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
            "{file} is open for writing in {holder}: ask that process, over HTTP where it is a server, \
             or stop it and open the file read-only"
        ),
    )
}

/// The file was written by a version to come.
pub(super) fn newer(file: &str) -> (ErrorKind, &'static str, String) {
    (
        ErrorKind::Corrupt,
        "newer_format",
        format!(
            "{file} was written by a newer version of travelsense; that version or a later one can open it"
        ),
    )
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?
        .1
        .split_once(after)
        .map(|found| found.0)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_of_the_engine_has_its_kind_and_code() {
        use ErrorKind as K;
        for (text, kind, code) in [
            (
                "IO Error: Could not set lock on file \"/x/w.db\": Conflicting lock is held in /usr/bin/a (PID 4711) by user b. See also https://duckdb.org",
                K::Conflict,
                "locked",
            ),
            (
                "IO Error: The file \"w.db\" exists, but it is not a valid DuckDB database file!",
                K::Corrupt,
                "not_a_database",
            ),
            (
                "IO Error: Could not write file \"w.db\": No space left on device",
                K::Storage,
                "disk_full",
            ),
            (
                "TransactionContext Error: Failed to commit: Could not write all bytes to file: File too large",
                K::Storage,
                "disk_full",
            ),
            (
                "Out of Memory Error: failed to offload data block; max_temp_directory_size was reached",
                K::Storage,
                "disk_full",
            ),
            (
                "IO Error: Cannot open file \"w.db\": Permission denied",
                K::Storage,
                "read_only",
            ),
            (
                "IO Error: Cannot open file \"w.db\": Read-only file system",
                K::Storage,
                "read_only",
            ),
            (
                "IO Error: Cannot open file \"w.db\": No such file or directory",
                K::Storage,
                "not_found",
            ),
            (
                "Out of Memory Error: could not allocate block of size 256.0 KiB (63.9 MiB/64.0 MiB used)",
                K::Limit,
                "memory_limit",
            ),
            ("INTERRUPT Error: Interrupted!", K::Cancelled, "cancelled"),
            (
                "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2",
                K::Corrupt,
                "corrupt",
            ),
            (
                "IO Error: Could not read enough bytes from file \"w.db\": attempted to read 262144 bytes from location 12288",
                K::Corrupt,
                "corrupt",
            ),
            (
                "IO Error: Trying to read a database file with version number 99, but we can only read versions between 64 and 68. The database file was created with a newer version of DuckDB.",
                K::Corrupt,
                "newer_format",
            ),
            (
                "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The database must be restarted prior \
                 to being used again.\nOriginal error: \"Could not write all bytes to file: No space left on device\"",
                K::Storage,
                "invalidated",
            ),
        ] {
            let found = classify(text, "`w.db`").map(|c| (c.0, c.1));
            assert_eq!(found, Some((kind, code)), "{text}");
        }
        let broken = "FATAL Error: Failed: database has been invalidated because of a previous fatal error.\nOriginal error: \"Failed to \
                      create checkpoint because of error: Could not write file \"w.db\": No space left on device\"";
        let broken = || Error::new(K::Storage, "invalidated", "broken").caused_by(broken);
        let told = opening(broken(), Some(Path::new("w.db")));
        assert_eq!((told.kind(), told.code()), (K::Storage, "disk_full"));
        assert!(told.message().contains("`w.db`"));
        let other =
            Error::new(K::Storage, "invalidated", "broken").caused_by("Original error: who knows");
        assert_eq!(opening(other, None).code(), "invalidated");
        let locked = classify(
            "Could not set lock: Conflicting lock is held in /usr/bin/a (PID 4711)",
            "`w.db`",
        )
        .unwrap();
        assert!(
            locked.2.contains("process 4711")
                && locked.2.contains("read-only")
                && locked.2.contains("server")
        );
        assert_eq!(classify("Binder Error: no such column", "`w.db`"), None);
    }
}
