//! Where rows come from.

use std::fmt;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatchReader;

use crate::error::{Error, ErrorKind, Result};

/// Where rows come from.
pub enum Source {
    /// A file, its format told by its extension.
    Path(PathBuf),
    /// A file of that format.
    File(PathBuf, Format),
    /// Arrow batches, for example of another process or language.
    Batches(Box<dyn RecordBatchReader + Send>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "Path({})", path.display()),
            Self::File(path, format) => write!(f, "File({}, {format:?})", path.display()),
            Self::Batches(_) => f.write_str("Batches"),
        }
    }
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// Values separated by commas, or by tabs in a `.tsv`, with the names of the columns in the first line.
    Csv,
    /// Parquet.
    Parquet,
    /// An Arrow IPC stream or file.
    Arrow,
}

impl Format {
    /// The format of that name or extension, for example `ndjson`.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "csv" | "tsv" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "arrows" | "ipc" | "feather" => Some(Self::Arrow),
            _ => None,
        }
    }

    /// The format that a path's extension names.
    ///
    /// # Errors
    /// `unknown_format` where it names none.
    pub fn of(path: &Path) -> Result<Self> {
        path.extension().and_then(|e| e.to_str()).and_then(Self::named).ok_or_else(|| {
            Error::field(
                "source",
                "unknown_format",
                format!(
                    "`{}` has no extension that names a format; .ndjson, .csv, .parquet and .arrow do",
                    path.display()
                ),
            )
        })
    }
}

/// The error for a file that could not be read.
pub(crate) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    use std::io::ErrorKind as K;
    let (code, why) = match error.kind() {
        K::NotFound => ("not_found", "does not exist".to_owned()),
        K::PermissionDenied => ("not_permitted", "may not be read by this user".to_owned()),
        K::IsADirectory => ("is_a_folder", "is a folder".to_owned()),
        _ => ("unreadable", format!("could not be read: {error}")),
    };
    Error::new(
        ErrorKind::Storage,
        code,
        format!("`{}` {why}", path.display()),
    )
    .caused_by(error)
}
