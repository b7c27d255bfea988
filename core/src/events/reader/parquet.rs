//! Parquet, read by the engine in a memory of its own.

use std::ops::ControlFlow;
use std::path::Path;

use super::Emit;
use super::arrow::Batches;
use crate::error::Result;
use crate::events::shape::Places;
use crate::events::source::unreadable;
use crate::warehouse::duckdb::parquet;

pub(super) fn read(path: &Path, places: &Places, emit: &mut Emit<'_>) -> Result<()> {
    // What the file system refuses is said in its own words.
    std::fs::File::open(path)
        .and_then(|file| file.metadata())
        .map_err(|e| unreadable(path, e))
        .and_then(|found| {
            if found.is_dir() {
                return Err(unreadable(path, std::io::ErrorKind::IsADirectory.into()));
            }
            Ok(())
        })?;
    let mut batches = None;
    parquet::read(path, &mut |rows, total| {
        if batches.is_none() {
            batches = Some(Batches::new(&rows.schema(), places, Some(total))?);
        }
        match &mut batches {
            Some(batches) => batches.push(&rows, emit),
            None => Ok(ControlFlow::Break(())),
        }
    })
}
