//! One JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

use super::{Body, Chunk, Emit};
use crate::error::{Error, Result};
use crate::events::report::Progress;
use crate::events::shape::{Places, Refused, Shape};
use crate::events::source::unreadable;

/// A line longer than this is refused unread: properties have at most 1 MiB.
const LONGEST: usize = 16 << 20;
/// A chunk ends with the line that fills it so far.
const CHUNK_BYTES: usize = 4 << 20;
const CHUNK_LINES: usize = 32_768;

pub(super) fn read(path: &Path, _: &Places, emit: &mut Emit<'_>) -> Result<()> {
    let file = File::open(path).map_err(|e| unreadable(path, e))?;
    let total = file.metadata().map_err(|e| unreadable(path, e))?.len();
    let mut input = BufReader::with_capacity(1 << 20, file);
    let mut progress = Progress {
        total_bytes: Some(total),
        ..Progress::default()
    };
    let mut number = 0;
    loop {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES + (64 << 10));
        let mut lines = Vec::new();
        let mut end = false;
        while bytes.len() < CHUNK_BYTES && lines.len() < CHUNK_LINES {
            let start = bytes.len();
            let (read, whole) =
                line_into(&mut input, &mut bytes).map_err(|e| unreadable(path, e))?;
            if read == 0 {
                end = true;
                break;
            }
            number += 1;
            progress.bytes += read;
            let mark = if number == 1
                && bytes
                    .get(start..)
                    .is_some_and(|b| b.starts_with(b"\xef\xbb\xbf"))
            {
                3
            } else {
                0
            };
            let text = bytes.get(start + mark..).unwrap_or_default();
            if number == 1 && text.trim_ascii_start().starts_with(b"[") {
                return Err(Error::field(
                    "source",
                    "not_ndjson",
                    format!(
                        "`{}` holds one JSON array; one object a line is needed",
                        path.display()
                    ),
                ));
            }
            // Blank lines separate; they are not events.
            if whole && text.trim_ascii().is_empty() {
                bytes.truncate(start);
                continue;
            }
            lines.push((number, whole.then_some(start + mark..bytes.len())));
            progress.rows += 1;
        }
        if !lines.is_empty() || end {
            let go_on = emit(Chunk {
                progress,
                body: Body::Lines(bytes, lines),
            });
            if end || go_on == ControlFlow::Break(()) {
                return Ok(());
            }
        }
    }
}

/// Appends the next line; gives how many bytes it took and whether it was short enough to be kept.
fn line_into(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<(u64, bool)> {
    let start = bytes.len();
    let mut read = 0;
    let mut whole = true;
    loop {
        let found = input.fill_buf()?;
        let (part, done) = match found.iter().position(|b| *b == b'\n') {
            Some(at) => (found.get(..=at).unwrap_or_default(), true),
            None => (found, found.is_empty()),
        };
        whole &= bytes.len() - start + part.len() <= LONGEST;
        if whole {
            bytes.extend_from_slice(part);
        }
        let taken = part.len();
        read += taken as u64;
        input.consume(taken);
        if done {
            if !whole {
                bytes.truncate(start);
            }
            return Ok((read, whole));
        }
    }
}

pub(super) fn line<S: Shape>(
    line: Option<&[u8]>,
    shape: &S,
) -> std::result::Result<S::Out, Refused> {
    let Some(line) = line else {
        return Err(Refused::one(
            "line",
            "too_large",
            "must have at most 16 MiB",
        ));
    };
    match serde_json::from_slice(line) {
        Ok(value) => super::value(&value, shape),
        Err(error) => {
            let what = if error.is_eof() {
                "ends too early"
            } else {
                "is not JSON"
            };
            Err(Refused::one(
                "line",
                "malformed",
                format!("{what}, at its column {}", error.column()),
            ))
        }
    }
}
