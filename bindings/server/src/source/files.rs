//! Files that grow: what is appended to NDJSON and CSV files, or to the files of a folder.
//!
//! Before a piece of a file is given, its beginning and end are noted: whoever is stopped in between gives the very same piece again,
//! whose events are known by the file, the piece and their places in it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use travelsense::events::Format;

use super::{Feed, Lies, Next, Notes, Piece, Result, Trouble, short};

/// A piece of a file has so many bytes at most, unless one line is longer.
const PIECE: u64 = 4 << 20;

/// A line of more bytes is taken for one that never ends.
const LINE: u64 = 64 << 20;

/// How far a file was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    /// Which file of this name it is: it grows by 1 when the file begins anew.
    generation: u64,
    /// What the file system calls the file, where it does.
    file: u64,
    /// All before it is stored.
    start: u64,
    /// What lies before it may be stored.
    end: u64,
    /// The line of a CSV file that names its columns.
    header: String,
}

/// A file, or the files of a folder.
#[derive(Debug)]
pub(super) struct Files {
    what: PathBuf,
    notes: Notes,
    /// The files of this round that were not looked at.
    left: VecDeque<PathBuf>,
    /// What was given and is not taken.
    given: Option<(String, Place)>,
}

impl Files {
    pub(super) fn new(what: &Path, notes: &Notes) -> Result<Self> {
        if !what.is_dir() && followed(what).is_none() {
            return Err(Trouble::Wrong(format!(
                "`{}` is neither NDJSON nor CSV by its name",
                what.display()
            )));
        }
        Ok(Self {
            what: what.to_owned(),
            notes: notes.clone(),
            left: VecDeque::new(),
            given: None,
        })
    }

    fn look(&mut self) -> Result<()> {
        if !self.what.is_dir() {
            self.left.push_back(self.what.clone());
            return Ok(());
        }
        let entries = fs::read_dir(&self.what).map_err(|e| unreadable(&self.what, &e))?;
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_file() && followed(path).is_some())
            .collect();
        files.sort();
        self.left = files.into();
        Ok(())
    }

    /// What a file has that was not taken before.
    fn piece(&mut self, path: &Path) -> Result<Option<Piece>> {
        let Some(delimiter) = followed(path) else {
            return Ok(None);
        };
        let failed = |e: std::io::Error| unreadable(path, &e);
        let mut file = match File::open(path) {
            // It was moved since the folder was looked at.
            Err(e) if e.kind() == ErrorKind::NotFound && *path != self.what => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let metadata = file.metadata().map_err(failed)?;
        let (length, number) = (metadata.len(), number(&metadata));
        let name = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = name.display().to_string();
        let mut place: Place = self.notes.get(&name)?;
        if length < place.end || place.end > 0 && place.file != number {
            // It was emptied, or is another file of the same name.
            place = Place {
                generation: place.generation + 1,
                ..Place::default()
            };
        }
        place.file = number;
        if delimiter.is_some() && place.header.is_empty() {
            let Some(header) = header(&mut file, length).map_err(failed)? else {
                return Ok(None);
            };
            place.start = header.len() as u64;
            place.end = place.start;
            place.header = String::from_utf8_lossy(&header).into_owned();
        }
        // What was begun before is ended as it was begun.
        let most = match place.end - place.start {
            0 => PIECE,
            begun => begun,
        };
        let found = lines(&mut file, place.start, most, length, delimiter.is_some());
        let Some(body) = found.map_err(failed)? else {
            return Ok(None);
        };
        place.end = place.start + body.len() as u64;
        self.notes.put(&name, &place)?;
        let from = format!("file\n{name}\n{}\n{}", place.generation, place.start);
        let piece = Piece {
            source: short(&path.file_name().unwrap_or_default().to_string_lossy()),
            body,
            records: delimiter.map(|delimiter| (place.header.clone(), delimiter)),
            names: Lies::From(from),
            behind: Some(length - place.end),
        };
        place.start = place.end;
        self.given = Some((name, place));
        Ok(Some(piece))
    }
}

impl Feed for Files {
    fn next(&mut self) -> Result<Next> {
        // Each file gives one piece a round, so that none waits for another to end.
        for round in 0..2 {
            while let Some(path) = self.left.pop_front() {
                if let Some(piece) = self.piece(&path)? {
                    return Ok(Next::Piece(piece));
                }
            }
            if round == 0 {
                self.look()?;
            }
        }
        Ok(Next::Nothing)
    }

    fn taken(&mut self) -> Result<()> {
        match self.given.take() {
            Some((name, place)) => self.notes.put(&name, &place),
            None => Ok(()),
        }
    }

    fn source(&self) -> String {
        short(&self.what.file_name().unwrap_or_default().to_string_lossy())
    }
}

/// What separates the fields of a file that can be followed; nothing inside for NDJSON.
fn followed(path: &Path) -> Option<Option<u8>> {
    let tabs = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
    match Format::of(path).ok()? {
        Format::Ndjson => Some(None),
        Format::Csv => Some(Some(if tabs { b'\t' } else { b',' })),
        _ => None,
    }
}

#[cfg(unix)]
fn number(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> u64 {
    0
}

/// The first line of a file, or nothing where it is not whole yet.
fn header(file: &mut File, length: u64) -> std::io::Result<Option<Vec<u8>>> {
    let lines = lines(file, 0, 1, length, false)?;
    Ok(lines.map(|mut lines| {
        let end = lines
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        lines.truncate(end);
        lines
    }))
}

/// Whole lines from a place on, about so many bytes, or nothing where no line is whole yet; a quoted field may go over lines.
fn lines(
    file: &mut File,
    start: u64,
    most: u64,
    length: u64,
    quoted: bool,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut wanted = most;
    loop {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        std::io::Read::by_ref(file)
            .take(wanted)
            .read_to_end(&mut bytes)?;
        let mut quotes = 0_usize;
        let mut end = None;
        for (at, byte) in bytes.iter().enumerate() {
            quotes += usize::from(quoted && *byte == b'"');
            if *byte == b'\n' && quotes.is_multiple_of(2) {
                end = Some(at + 1);
            }
        }
        if let Some(end) = end {
            bytes.truncate(end);
            return Ok(Some(bytes));
        }
        if start + wanted >= length || wanted >= LINE {
            return Ok(None);
        }
        wanted = (wanted * 2).max(4096);
    }
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::Broken(format!("`{}` cannot be read: {error}", path.display()))
}
