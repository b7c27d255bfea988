//! Values separated by commas or tabs, with the names of the columns in the first line.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::{Body, Chunk, Emit, Header};
use crate::error::{Error, Result};
use crate::events::cell::Cell;
use crate::events::report::Progress;
use crate::events::shape::{Places, Refused, Shape};
use crate::events::source::unreadable;

const CHUNK_ROWS: usize = 32_768;
const CHUNK_BYTES: usize = 8 << 20;

/// A record of more bytes is an error: it is a quote that is never closed, and would take all memory there is.
const RECORD_BYTES: usize = 16 << 20;

/// Reads no more than what is left, which whoever consumes records renews.
struct Bounded<R> {
    inner: R,
    left: Rc<std::cell::Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left.get() == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let read = self.inner.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(read));
        Ok(read)
    }
}

pub(super) fn read(path: &Path, places: &Places, emit: &mut Emit<'_>) -> Result<()> {
    let mut file = File::open(path).map_err(|e| unreadable(path, e))?;
    let total = file.metadata().map_err(|e| unreadable(path, e))?.len();
    // The reader of the driver takes a mark of the byte order for a part of the first name.
    let mut start = Vec::new();
    file.by_ref()
        .take(3)
        .read_to_end(&mut start)
        .map_err(|e| unreadable(path, e))?;
    if start == b"\xef\xbb\xbf" {
        start.clear();
    }
    let tabs = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
    let left = Rc::new(std::cell::Cell::new(RECORD_BYTES));
    let mut reader = ReaderBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        .flexible(true)
        .has_headers(false)
        .from_reader(Bounded {
            inner: std::io::Cursor::new(start)
                .chain(std::io::BufReader::with_capacity(1 << 20, file)),
            left: Rc::clone(&left),
        });
    let failed = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            Error::field(
                "source",
                "malformed",
                format!(
                    "`{}` has a record of more than {} MiB; a quote may never be closed",
                    path.display(),
                    RECORD_BYTES >> 20
                ),
            )
        }
        csv::ErrorKind::Io(error) => unreadable(path, error),
        other => Error::field(
            "source",
            "malformed",
            format!("`{}` is not CSV: {other:?}", path.display()),
        ),
    };

    let mut names = ByteRecord::new();
    if !reader.read_byte_record(&mut names).map_err(failed)? {
        return Err(Error::field(
            "source",
            "no_columns",
            format!(
                "`{}` is empty; its first line must name the columns",
                path.display()
            ),
        ));
    }
    let names = names
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    let header = Arc::new(Header::new(names, places)?);

    let mut progress = Progress {
        total_bytes: Some(total),
        ..Progress::default()
    };
    let mut end = false;
    while !end {
        let mut records = Vec::new();
        let mut bytes = 0;
        while records.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
            let mut record = ByteRecord::new();
            if !reader.read_byte_record(&mut record).map_err(failed)? {
                end = true;
                break;
            }
            left.set(RECORD_BYTES);
            bytes += record.as_slice().len();
            records.push((record.position().map_or(0, csv::Position::line), record));
        }
        progress.rows += records.len() as u64;
        progress.bytes = reader.position().byte().min(total);
        if emit(Chunk {
            progress,
            body: Body::Fields(Arc::clone(&header), records),
        }) == ControlFlow::Break(())
        {
            return Ok(());
        }
    }
    Ok(())
}

pub(super) fn record<S: Shape>(
    header: &Header,
    record: &ByteRecord,
    shape: &S,
) -> std::result::Result<S::Out, Refused> {
    if record.len() != header.names.len() {
        let message = format!(
            "has {} fields where the first line names {}",
            record.len(),
            header.names.len()
        );
        return Err(Refused::one("line", "wrong_column_count", message));
    }
    if let Some(name) = header
        .names
        .iter()
        .zip(record)
        .find(|(_, field)| std::str::from_utf8(field).is_err())
    {
        return Err(Refused::one(name.0, "malformed", "is not UTF-8 text"));
    }
    let cells = record.iter().map(|field| match std::str::from_utf8(field) {
        Ok("") | Err(_) => Cell::Null,
        Ok(text) => Cell::Loose(text.into()),
    });
    shape.build(header.row(shape.places(), cells))
}

/// The records of a text whose columns another text names.
pub(super) fn records(
    header: &[u8],
    body: &[u8],
    delimiter: u8,
    places: &Places,
) -> Result<(Header, Vec<ByteRecord>)> {
    let read = |text: &[u8]| {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(text);
        let records: std::result::Result<Vec<ByteRecord>, _> = reader.byte_records().collect();
        records.map_err(|e| Error::field("body", "malformed", format!("is not CSV: {e}")))
    };
    let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
    let names = read(header)?.into_iter().next().unwrap_or_default();
    let names = names
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    Ok((Header::new(names, places)?, read(body)?))
}
