//! `travelsense import --follow`: takes what is appended to files, each line once, also over restarts.
//!
//! Before a piece of a file is sent, its beginning and end are written down; it is sent under a key made of both. Whoever is stopped in
//! between sends the very same piece again, and the store knows it by its key.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use travelsense::analytics::{BatchForm, IngestBatch};
use travelsense::events::{Format, Mapping};
use travelsense::{Analytics, Principal};

use super::failure::Failure;
use super::serve::runtime;
use super::{Outcome, output};
use crate::serve::signalled;

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A piece of a file has so many bytes at most, unless one line is longer.
const PIECE: u64 = 4 << 20;

/// A line of more bytes is taken for one that never ends.
const LINE: u64 = 64 << 20;

/// How far each file was read, by its path.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Places(BTreeMap<String, Place>);

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

/// Follows a file or a folder until SIGINT or SIGTERM.
pub(super) fn run(analytics: Analytics, data: &Path, what: &Path, mapping: &Mapping) -> Outcome {
    let notes = super::store::file(data).with_extension("follow.json");
    let mut follower = Follower {
        places: Places::read(&notes)?,
        notes,
        analytics,
        mapping,
    };
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let stop = signalled().map_err(|e| Failure::failed(format!("signals: {e}")))?;
        tokio::pin!(stop);
        loop {
            // A piece is stored within milliseconds; a signal waits for it.
            let taken = follower.look(what)?;
            if taken > 0 {
                output::line(&format!("{taken} events"))?;
            }
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(if taken > 0 { Duration::ZERO } else { LOOK }) => {}
            }
        }
    });
    follower.analytics.close();
    ended
}

struct Follower<'a> {
    places: Places,
    notes: PathBuf,
    analytics: Analytics,
    mapping: &'a Mapping,
}

impl Follower<'_> {
    /// Takes a piece of each file that has grown; how many events were new.
    fn look(&mut self, what: &Path) -> Result<u64, Failure> {
        let mut files = vec![what.to_owned()];
        if what.is_dir() {
            files = fs::read_dir(what)
                .map_err(|e| unreadable(what, &e))?
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.is_file() && followed(path).is_some())
                .collect();
            files.sort();
        }
        let mut accepted = 0;
        for file in files {
            accepted += self.file(&file)?;
        }
        Ok(accepted)
    }

    fn file(&mut self, path: &Path) -> Result<u64, Failure> {
        let Some(delimiter) = followed(path) else {
            let name = path.display();
            return Err(Failure::invalid(format!(
                "--follow: `{name}` is neither NDJSON nor CSV by its name"
            )));
        };
        let mut file = File::open(path).map_err(|e| unreadable(path, &e))?;
        let metadata = file.metadata().map_err(|e| unreadable(path, &e))?;
        let (length, number) = (metadata.len(), number(&metadata));
        let name = fs::canonicalize(path)
            .unwrap_or_else(|_| path.to_owned())
            .display()
            .to_string();
        let mut place = self.places.0.get(&name).cloned().unwrap_or_default();
        if length < place.end || place.end > 0 && place.file != number {
            // It was emptied, or is another file of the same name.
            place = Place {
                generation: place.generation + 1,
                ..Place::default()
            };
        }
        place.file = number;
        if delimiter.is_some() && place.header.is_empty() {
            let Some(header) = header(&mut file, length).map_err(|e| unreadable(path, &e))? else {
                return Ok(0);
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
        let found = piece(&mut file, place.start, most, length, delimiter.is_some());
        let Some(body) = found.map_err(|e| unreadable(path, &e))? else {
            return Ok(0);
        };
        place.end = place.start + body.len() as u64;
        self.places.0.insert(name.clone(), place.clone());
        self.places.write(&self.notes)?;

        let key = format!("follow {} {} {}", place.generation, place.start, place.end);
        let source: String = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .chars()
            .take(100)
            .collect();
        let answer = self.analytics.ingest_batch(
            &Principal::new(name.clone(), "collector"),
            &IngestBatch {
                body: &body,
                form: match delimiter {
                    Some(delimiter) => BatchForm::Records {
                        header: place.header.as_bytes(),
                        delimiter,
                    },
                    None => BatchForm::Lines,
                },
                mapping: Some(self.mapping),
                source: &source,
                key: Some(&key),
                most: usize::MAX,
            },
        )?;
        place.start = place.end;
        self.places.0.insert(name, place);
        self.places.write(&self.notes)?;
        let answer: serde_json::Value =
            serde_json::from_str(&answer).map_err(travelsense::Error::internal)?;
        let count = |name: &str| {
            answer
                .get(name)
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0)
        };
        if count("refused") > 0 {
            let refused = count("refused");
            output::line(&format!("{refused} lines of {source} were refused"))?;
        }
        Ok(count("accepted"))
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
    let lines = piece(file, 0, 1, length, false)?;
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
fn piece(
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

impl Places {
    fn read(path: &Path) -> Result<Self, Failure> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| Failure::failed(format!("`{}` cannot be read: {e}", path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    /// Writes them as a whole, durably.
    fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec(self).map_err(travelsense::Error::internal)?;
        let new = path.with_extension("new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            // Only now does the new name outlast a power cut.
            #[cfg(unix)]
            if let Some(folder) = path.parent() {
                let here = folder.as_os_str().is_empty();
                File::open(if here { Path::new(".") } else { folder })?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|e: std::io::Error| {
            Failure::failed(format!("`{}` cannot be written: {e}", path.display()))
        })
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("`{}` cannot be read: {error}", path.display()))
}
