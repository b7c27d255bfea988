//! Answers as files: CSV, JSON, XLSX and PDF over one model of a report.
//!
//! A report has a title, what it is about, and sections; a section has a table, which arrives batch by batch, and may have a
//! chart. CSV, JSON and XLSX hold no more than one batch at a time, so that a million rows take no more memory than a thousand.

mod cell;
mod csv;
mod files;
pub(crate) mod job;
mod json;
mod pdf;
mod report;
mod request;
#[cfg(test)]
mod tests;
pub(crate) mod widget;
mod xlsx;

use std::io::Write;

use serde::Serialize;

pub(crate) use self::files::Files;
pub use self::files::Reader;
pub use self::job::{DateRange, ExportJob, Status};
pub use self::report::{Form, Kind, Plot, Report, Section, Table};
pub use self::request::{ExportMetric, ExportRequest, ExportType};
use crate::error::{Error, ErrorKind, Result};

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values (RFC 4180) in UTF-8.
    Csv,
    /// One JSON object with typed values.
    Json,
    /// A workbook with a sheet for each section.
    Xlsx,
    /// A4 pages with tables and charts.
    Pdf,
}

impl Format {
    /// All four, in the order the specification names them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Json, Self::Xlsx, Self::Pdf];

    /// Its name, which is also how the names of its files end.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pdf => "application/pdf",
        }
    }
}

/// Told how many rows have been written; an error from it ends the writing with that error.
pub type Progress<'a> = dyn FnMut(u64) -> Result<()> + 'a;

/// Writes a report, and says how many rows of its tables were written.
///
/// # Errors
/// What the tables and `progress` raise; `write_failed` where the sink refuses.
pub fn write(
    format: Format,
    report: Report<'_>,
    sink: impl Write + Send,
    progress: &mut Progress<'_>,
) -> Result<u64> {
    match format {
        Format::Csv => csv::write(report, sink, progress),
        Format::Json => json::write(report, sink, progress),
        Format::Xlsx => xlsx::write(report, sink, progress),
        Format::Pdf => pdf::write(report, sink, progress),
    }
}

/// What a sink that refuses is told as.
fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let error = error.into();
    Error::new(
        ErrorKind::Storage,
        "write_failed",
        format!("the export cannot be written: {error}"),
    )
    .caused_by(error)
}
