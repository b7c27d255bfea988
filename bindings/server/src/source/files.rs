//! Files that grow: what is appended to NDJSON and CSV files, or to the files of a folder.
//!
//! A file is known by what it begins with and by what lies before the place up to which it was read, wherever it lies: one that was
//! renamed goes on, one that begins anew is another. Its events are known by its first line, by what the file system calls it and by how many
//! lie before them, so that whoever is stopped while a piece is stored, or whose notes are lost, gives them again under the same names.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use travelsense::events::Format;

use super::records::{Whole, whole};
use super::{Feed, Lies, Next, Notes, Piece, Result, Taken, Trouble, short};

/// A piece of a file has so many bytes at most, unless one line is longer.
const PIECE: u64 = 4 << 20;

/// A line of more bytes is taken for one that never ends.
const LINE: u64 = 64 << 20;

/// By so many bytes at its beginning, and before the place up to which it was read, a file is known again.
const PRINT: u64 = 4 << 10;

/// How far a file was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Place {
    /// By which its events are known.
    name: String,
    /// Where it lay when it was first seen.
    path: PathBuf,
    /// By which those of the file before it at its path are known.
    before: String,
    /// What the file system calls the file, where it does.
    file: u64,
    /// All before it is stored.
    start: u64,
    /// So many events lie before it, or more.
    events: u64,
    /// The line of a CSV file that names its columns.
    header: String,
    /// What the file begins with, as far as it was read.
    head: String,
    /// What lies before `start`.
    tail: String,
}

impl Place {
    /// The next file of a path.
    fn after(&self) -> Self {
        let before = if self.name.is_empty() {
            self.before.clone()
        } else {
            self.name.clone()
        };
        Self {
            before,
            ..Self::default()
        }
    }

    /// Of a file that lay at a path between two looks.
    fn rotated(path: &Path, entry: &Entry) -> Self {
        Self {
            path: path.to_owned(),
            file: entry.file,
            ..Self::default()
        }
    }

    /// Whether it is a file of which something was read, or that is to be read under the name it once had.
    fn is_begun(&self) -> bool {
        self.start > 0 || !self.path.as_os_str().is_empty()
    }

    /// Names its events, of a file that was never read, by what it begins with; one that begins like the one before it is another all the
    /// same.
    fn named(&mut self, first: &[u8]) {
        let base = format!("file\n{}\n{}\n", hex(&Sha256::digest(first)), self.file);
        let before = self.before.strip_prefix(&base);
        let before = before.and_then(|number| number.parse::<u64>().ok());
        self.name = format!("{base}{}", before.map_or(0, |number| number + 1));
    }

    /// Up to where it was read, with what it is known by.
    fn at(&self, file: &mut File, start: u64) -> std::io::Result<Self> {
        Ok(Self {
            start,
            head: print(file, 0, start.min(PRINT))?,
            tail: print(file, start.saturating_sub(PRINT), start)?,
            ..self.clone()
        })
    }

    /// Whether a file is the one that was read so far.
    fn is_of(&self, file: &mut File, length: u64) -> std::io::Result<bool> {
        // Notes of before say nothing of what was read.
        let known = self.head.is_empty();
        Ok(length >= self.start && (known || *self == self.at(file, self.start)?))
    }

    /// Where it lay when it was first seen.
    fn seen<'a>(&'a self, now: &'a Path) -> &'a Path {
        if self.path.as_os_str().is_empty() {
            now
        } else {
            &self.path
        }
    }
}

/// A file as the folder has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    file: u64,
    length: u64,
    changed: Option<std::time::SystemTime>,
}

/// A file, or the files of a folder.
#[derive(Debug)]
pub(super) struct Files {
    what: PathBuf,
    notes: Notes,
    /// The files of this round that were not looked at.
    round: VecDeque<(PathBuf, Entry)>,
    /// What the files were that had nothing more.
    read: BTreeMap<PathBuf, Entry>,
    /// How many bytes do not come, of files that end within a line.
    rest: BTreeMap<PathBuf, u64>,
    /// Why some do not come.
    troubles: BTreeMap<PathBuf, String>,
    /// What was given and is not taken.
    given: Option<(String, Place, u64)>,
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
            round: VecDeque::new(),
            read: BTreeMap::new(),
            rest: BTreeMap::new(),
            troubles: BTreeMap::new(),
            given: None,
        })
    }

    /// Looks which files there are: those that are followed, and those that were before they got another name.
    fn look(&mut self) -> Result<()> {
        let whole = self.what.is_dir();
        let folder = match (whole, self.what.parent()) {
            (true, _) => self.what.clone(),
            (false, Some(folder)) if !folder.as_os_str().is_empty() => folder.to_owned(),
            (false, _) => PathBuf::from("."),
        };
        let failed = |e: std::io::Error| unreadable(&self.what, &e);
        let folder = fs::canonicalize(folder).map_err(failed)?;
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let Ok(path) = entry.map(|entry| entry.path()) else {
                continue;
            };
            if let Ok(metadata) = fs::metadata(&path)
                && metadata.is_file()
            {
                entries.insert(path, Entry::of(&metadata));
            }
        }
        let only = (!whole).then(|| folder.join(self.what.file_name().unwrap_or_default()));
        if only
            .as_ref()
            .is_some_and(|only| !entries.contains_key(only))
        {
            return Err(unreadable(&self.what, &ErrorKind::NotFound.into()));
        }
        let wanted = |path: &Path| match &only {
            Some(only) => path == only,
            None => followed(path).is_some(),
        };
        let mut known: BTreeMap<PathBuf, Place> = self.notes.below(&folder).into_iter().collect();
        let moved = self.moved(&mut known, &entries, &wanted)?;
        self.troubles.retain(|path, _| entries.contains_key(path));
        self.rest.retain(|path, _| entries.contains_key(path));
        self.round = entries
            .into_iter()
            .filter(|(path, _)| wanted(path) || moved.contains(path))
            .collect();
        // Two names of one file are read as one.
        let mut files = BTreeSet::new();
        self.round
            .make_contiguous()
            .sort_by_key(|(path, _)| !known.contains_key(path));
        self.round
            .retain(|(_, entry)| entry.file == 0 || files.insert(entry.file));
        Ok(())
    }

    /// Follows files to the names they got since they were read, and notes that; gives those that are not followed by their names.
    fn moved(
        &self,
        known: &mut BTreeMap<PathBuf, Place>,
        entries: &BTreeMap<PathBuf, Entry>,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<BTreeSet<PathBuf>> {
        let ours = |path: &Path, place: &Place| wanted(path) || wanted(place.seen(path));
        let stays = |path: &Path, place: &Place| {
            let elsewhere = || entries.values().any(|other| other.file == place.file);
            entries.get(path).is_some_and(|entry| {
                (entry.file == place.file || place.file == 0 || !elsewhere())
                    && (self.read.get(path) == Some(entry) || is_of(path, place).unwrap_or(true))
            })
        };
        let mut fresh: BTreeMap<PathBuf, Place> = BTreeMap::new();
        let mut left: BTreeMap<PathBuf, Place> = BTreeMap::new();
        for (path, place) in &*known {
            if place.start == 0 || !ours(path, place) || stays(path, place) {
                continue;
            }
            // A copy is looked for once, when its file begins anew; else only what the file system knows to be the same.
            let copied = entries.contains_key(path);
            let to = entries.iter().find(|(other, entry)| {
                let same = entry.file == place.file && place.file != 0;
                let free = known
                    .get(*other)
                    .is_none_or(|p| p.start == 0 || p.file != entry.file);
                *other != path
                    && free
                    && !fresh.contains_key(*other)
                    && entry.length >= place.start
                    && (same || copied && !wanted(other))
                    && is_of(other, place).unwrap_or(false)
            });
            if let Some((to, entry)) = to {
                left.insert(path.clone(), place.after());
                let place = Place {
                    file: entry.file,
                    ..place.clone()
                };
                if !wanted(to) {
                    let since = between(path, (to, entry), entries);
                    let since = since.filter(|(other, entry)| {
                        !wanted(other)
                            && known.values().all(|place| {
                                place.file != entry.file || !is_of(other, place).unwrap_or(true)
                            })
                    });
                    fresh.extend(
                        since.map(|(other, entry)| (other.clone(), Place::rotated(path, entry))),
                    );
                }
                fresh.insert(to.clone(), place);
            } else if copied {
                left.insert(path.clone(), place.after());
            }
        }
        let mut moved: BTreeSet<PathBuf> = known
            .iter()
            .filter(|(path, place)| !wanted(path) && place.is_begun() && ours(path, place))
            .map(|(path, _)| path.clone())
            .collect();
        moved.retain(|path| !left.contains_key(path));
        moved.extend(fresh.keys().filter(|path| !wanted(path)).cloned());
        if !left.is_empty() {
            left.extend(fresh);
            let notes = left.iter();
            let notes = notes.map(|(path, place)| (path.display().to_string(), place));
            self.notes.put_all(notes)?;
            known.extend(left);
        }
        Ok(moved)
    }

    /// What a file has that was not taken before.
    fn piece(&mut self, path: &Path, entry: &Entry) -> Result<Option<Piece>> {
        let failed = |e: std::io::Error| unreadable(path, &e);
        let mut file = match File::open(path) {
            // It was moved since the folder was looked at.
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let length = file.metadata().map_err(failed)?.len();
        let key = path.display().to_string();
        let mut place: Place = self.notes.get(&key)?;
        if place.start > 0 && !place.is_of(&mut file, length).map_err(failed)? {
            // It changed since the folder was looked at, where it may have another name now.
            return Ok(None);
        }
        if !place.is_begun() {
            path.clone_into(&mut place.path);
            place.file = entry.file;
        }
        let seen = place.seen(path).to_owned();
        let Some(delimiter) = followed(&seen) else {
            return Ok(None);
        };
        if delimiter.is_some() && place.header.is_empty() {
            let found = read(&mut file, 0, 1, length, None).map_err(failed)?;
            let Whole::Some(mut header) = found else {
                self.rest.insert(path.to_owned(), length);
                return Ok(None);
            };
            let end = header.iter().position(|byte| *byte == b'\n');
            header.truncate(end.map_or(0, |at| at + 1));
            place.start = header.len() as u64;
            place.header = String::from_utf8_lossy(&header).into_owned();
        }
        let found = read(&mut file, place.start, PIECE, length, delimiter).map_err(failed)?;
        let rest = length - place.start.min(length);
        let body = match found {
            Whole::Some(body) => body,
            Whole::None => {
                self.rest.insert(path.to_owned(), rest);
                self.read.insert(path.to_owned(), entry.clone());
                return Ok(None);
            }
            Whole::Never => {
                self.rest.insert(path.to_owned(), rest);
                return Err(Trouble::Broken(format!(
                    "`{}` has a line of more than {LINE} bytes at byte {}: what lies behind it is not read",
                    path.display(),
                    place.start
                )));
            }
        };
        if place.name.is_empty() {
            // With whatever names its columns, which many files have in common.
            let first = body.split_inclusive(|byte| *byte == b'\n').next();
            let first = [place.header.as_bytes(), first.unwrap_or_default()].concat();
            place.named(&first);
        }
        self.rest.remove(path);
        self.read.remove(path);
        let end = place.start + body.len() as u64;
        let lines = body.iter().filter(|byte| **byte == b'\n').count() as u64;
        let piece = Piece {
            source: short(&seen.file_name().unwrap_or_default().to_string_lossy()),
            body,
            records: delimiter.map(|delimiter| (place.header.clone(), delimiter)),
            names: Lies::From(place.name.clone(), place.events),
            behind: Some(length.saturating_sub(end)),
        };
        let place = place.at(&mut file, end).map_err(failed)?;
        self.given = Some((key, place, lines));
        Ok(Some(piece))
    }
}

impl Feed for Files {
    fn next(&mut self) -> Result<Next> {
        // Each file gives one piece a round, so that none waits for another to end.
        for round in 0..2 {
            while let Some((path, entry)) = self.round.pop_front() {
                if self.read.get(&path) == Some(&entry) {
                    continue;
                }
                match self.piece(&path, &entry) {
                    Ok(Some(piece)) => {
                        self.troubles.remove(&path);
                        return Ok(Next::Piece(piece));
                    }
                    Ok(None) => {
                        self.troubles.remove(&path);
                    }
                    Err(trouble @ Trouble::Wrong(_)) => return Err(trouble),
                    // The other files are read all the same.
                    Err(Trouble::Broken(why)) => {
                        self.troubles.insert(path, why);
                    }
                }
            }
            if round == 0 {
                self.look()?;
            }
        }
        Ok(Next::Nothing)
    }

    fn taken(&mut self, became: Taken) -> Result<()> {
        let Some((key, mut place, lines)) = self.given.take() else {
            return Ok(());
        };
        let events = became.accepted + became.duplicates + became.refused;
        // How many were put beside the store is not known; no two must have one place.
        place.events += if became.parked { lines } else { events };
        self.notes.put(&key, &place)
    }

    fn source(&self) -> String {
        short(&self.what.file_name().unwrap_or_default().to_string_lossy())
    }

    fn left(&self) -> Option<u64> {
        Some(self.rest.values().sum())
    }

    fn trouble(&self) -> Option<String> {
        self.troubles.values().next().cloned()
    }
}

impl Entry {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            file: number(metadata),
            length: metadata.len(),
            changed: metadata.modified().ok(),
        }
    }
}

/// Files that were rotated after another of their path: they have its name with something behind it, and were changed since.
fn between<'a>(
    path: &'a Path,
    (to, moved): (&'a Path, &'a Entry),
    entries: &'a BTreeMap<PathBuf, Entry>,
) -> impl Iterator<Item = (&'a PathBuf, &'a Entry)> {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let rotated = move |other: &Path| {
        let other = other.file_name().unwrap_or_default().as_encoded_bytes();
        let rest = other.strip_prefix(name).unwrap_or_default();
        rest.starts_with(b".") || rest.starts_with(b"-")
    };
    let packed = |other: &Path| {
        let extension = other.extension().unwrap_or_default();
        ["gz", "zst", "bz2", "xz", "zip"]
            .iter()
            .any(|packed| extension.eq_ignore_ascii_case(packed))
    };
    entries.iter().filter(move |(other, entry)| {
        *other != to && rotated(other) && !packed(other) && entry.changed >= moved.changed
    })
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

/// Whether the file at a path is the one that was read so far.
fn is_of(path: &Path, place: &Place) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    place.is_of(&mut file, length)
}

/// What a part of a file is known by.
fn print(file: &mut File, from: u64, to: u64) -> std::io::Result<String> {
    Ok(hex(&Sha256::digest(bytes(file, from, to - from)?)))
}

/// The bytes of a file from a place on, at most so many.
fn bytes(file: &mut File, from: u64, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.by_ref().take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whole lines from a place on, about so many bytes; a quoted field of records goes over lines.
fn read(
    file: &mut File,
    start: u64,
    most: u64,
    length: u64,
    delimiter: Option<u8>,
) -> std::io::Result<Whole> {
    let mut wanted = most;
    loop {
        let found = whole(bytes(file, start, wanted)?, delimiter);
        if !matches!(found, Whole::None) {
            return Ok(found);
        }
        if wanted >= LINE && length - start >= LINE {
            return Ok(Whole::Never);
        }
        if start + wanted >= length {
            return Ok(Whole::None);
        }
        wanted = (wanted * 2).max(4096);
    }
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::Broken(format!("`{}` cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests;
