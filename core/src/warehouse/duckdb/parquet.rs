//! Reads Parquet in an engine of its own, so that the one with the events need not be able to open files.

use std::ops::ControlFlow;
use std::path::Path;

use ::duckdb::{Config, Connection};
use arrow::array::RecordBatch;

use crate::error::{Error, ErrorKind, Result};

/// Hands over the rows of a file in their order, each batch with the number of rows in the whole file.
pub(crate) fn read(
    path: &Path,
    sink: &mut dyn FnMut(RecordBatch, u64) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let failed = |error: ::duckdb::Error| {
        let text = error.to_string();
        let code = if text.contains("No magic bytes")
            || text.contains("Parquet")
            || text.contains("parquet")
        {
            "malformed"
        } else {
            "unreadable"
        };
        let reason = text.lines().next().unwrap_or_default();
        Error::new(
            ErrorKind::Invalid,
            code,
            format!("`{}` cannot be read as Parquet: {reason}", path.display()),
        )
        .caused_by(error)
    };
    let Some(name) = path.to_str() else {
        return Err(Error::field(
            "source",
            "invalid_path",
            format!("`{}` is not UTF-8 text", path.display()),
        ));
    };
    // A path is one file: the engine would take it for a pattern, and the names of its folders for columns.
    let name: String = name
        .chars()
        .map(|c| match c {
            '*' | '?' | '[' => format!("[{c}]"),
            c => c.to_string(),
        })
        .collect();
    // One thread: whoever fetches rows then decodes them, where with more it would spin until the others have.
    let config = Config::default()
        .enable_autoload_extension(false)
        .and_then(|config| config.threads(1))
        .map_err(failed)?;
    let connection = Connection::open_in_memory_with_flags(config).map_err(failed)?;
    let total: i64 = connection
        .query_row(
            "select sum(num_rows)::bigint from parquet_file_metadata(?)",
            [name.as_str()],
            |row| row.get(0),
        )
        .map_err(failed)?;
    let mut statement = connection
        .prepare("from read_parquet(?, hive_partitioning = false)")
        .map_err(failed)?;
    drop(statement.stream_arrow([name.as_str()]).map_err(failed)?);
    while let Some(rows) = statement.step().map_err(failed)? {
        if sink(RecordBatch::from(rows), total.unsigned_abs())? == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}
