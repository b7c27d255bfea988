//! Reads Parquet in an engine of its own, so that the one with the events need not be able to open files.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use ::duckdb::{Config, Connection};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use crate::error::{Error, ErrorKind, Result};

/// Hands over the rows of a file in their order, each batch with the number of rows in the whole file.
pub(crate) fn read(
    path: &Path,
    sink: &mut dyn FnMut(RecordBatch, u64) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let failed = |error: ::duckdb::Error| {
        let text = error.to_string();
        if text.contains("Could not convert Timestamp(MS)") {
            // The engine makes microseconds of them before anybody sees a row.
            return Error::field(
                "source",
                "invalid_date",
                format!(
                    "`{}` holds a time in milliseconds beyond the year 292,000, which cannot be read; leave it out, or write the column in \
                     microseconds",
                    path.display()
                ),
            );
        }
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
    let names = names(&connection, &name).map_err(failed)?;
    let mut statement = connection
        .prepare("from read_parquet(?, hive_partitioning = false)")
        .map_err(failed)?;
    drop(statement.stream_arrow([name.as_str()]).map_err(failed)?);
    while let Some(rows) = statement.step().map_err(failed)? {
        let rows = named(RecordBatch::from(rows), &names)?;
        if sink(rows, total.unsigned_abs())? == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}

/// The names of a file's columns as they stand in it.
fn names(connection: &Connection, file: &str) -> ::duckdb::Result<Vec<String>> {
    // The rows are those of a tree, every node before its children: first the root, whose children are the columns.
    let mut statement = connection
        .prepare("select name, coalesce(num_children, 0)::bigint from parquet_schema(?)")?;
    let mut rows = statement.query([file])?;
    let (mut names, mut inside) = (Vec::new(), 0);
    let mut root = true;
    while let Some(row) = rows.next()? {
        let (name, children): (String, i64) = (row.get(0)?, row.get(1)?);
        if std::mem::take(&mut root) {
            continue;
        }
        if inside == 0 {
            names.push(name);
        } else {
            inside -= 1;
        }
        inside += children;
    }
    Ok(names)
}

/// A batch with the names of the file: the engine gives another one to a column whose name is there before, in whichever case.
fn named(rows: RecordBatch, names: &[String]) -> Result<RecordBatch> {
    let schema = rows.schema();
    if schema.fields().len() != names.len() {
        return Ok(rows);
    }
    let fields = schema.fields().iter().zip(names);
    let fields: Vec<_> = fields
        .map(|(field, name)| field.as_ref().clone().with_name(name))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), rows.columns().to_vec())
        .map_err(Error::internal)
}
