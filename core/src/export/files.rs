//! Where the files of exports are until they expire: a folder beside the store, or memory for a store in memory.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::refused;
use crate::error::{Error, ErrorKind, Result};

/// A place for files by names of ours.
#[derive(Debug)]
pub(crate) enum Files {
    /// A folder, which is made when it is first needed.
    Folder(PathBuf),
    /// This process.
    Memory(Mutex<BTreeMap<String, Vec<u8>>>),
}

/// A file to read from.
pub type Reader = Box<dyn Read + Send>;

impl Files {
    /// Beside a store, or in memory where it has no file.
    pub(crate) fn beside(store: Option<&PathBuf>) -> Self {
        match store {
            Some(path) => {
                let mut name = path.clone().into_os_string();
                name.push(".exports");
                Self::Folder(PathBuf::from(name))
            }
            None => Self::Memory(Mutex::default()),
        }
    }

    /// The name of a file: 128 bits of chance in hex, so that nobody comes upon it.
    pub(crate) fn name(chance: [u8; 16]) -> String {
        chance.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Writes a file of that name, all of it or none; gives its size and what `write` gives.
    pub(crate) fn create<T>(
        &self,
        name: &str,
        write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T>,
    ) -> Result<(u64, T)> {
        match self {
            Self::Folder(folder) => {
                fs::create_dir_all(folder).map_err(refused)?;
                let (part, whole) = (folder.join(format!("{name}.part")), folder.join(name));
                let written = written(&part, write);
                let kept = written.and_then(|done| {
                    fs::rename(&part, &whole).map_err(refused)?;
                    Ok(done)
                });
                if kept.is_err() {
                    let _ = fs::remove_file(&part);
                }
                kept
            }
            Self::Memory(files) => {
                let mut bytes = Vec::new();
                let done = write(&mut bytes)?;
                let size = bytes.len() as u64;
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                files.insert(name.to_owned(), bytes);
                Ok((size, done))
            }
        }
    }

    /// What this place is known by among others: what it was called before, or what `make` gives.
    pub(crate) fn home(&self, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let Self::Folder(folder) = self else {
            return make();
        };
        let path = folder.join("home");
        match fs::read_to_string(&path) {
            Ok(name) if !name.is_empty() => Ok(name),
            _ => {
                let name = make()?;
                fs::create_dir_all(folder).map_err(refused)?;
                fs::write(&path, &name).map_err(refused)?;
                Ok(name)
            }
        }
    }

    /// Takes away what was left half written, and gives the names of all others: for whoever opened the store and has written
    /// nothing yet.
    pub(crate) fn sweep(&self) -> Vec<String> {
        let Self::Folder(folder) = self else {
            return Vec::new();
        };
        let mut whole = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let ours = |n: &str| n.len() == 32 && n.bytes().all(|b| b.is_ascii_hexdigit());
            match name.strip_suffix(".part") {
                Some(part) if ours(part) => {
                    let _ = fs::remove_file(entry.path());
                }
                None if ours(&name) => whole.push(name),
                _ => {}
            }
        }
        whole
    }

    /// Opens a file.
    pub(crate) fn open(&self, name: &str) -> Result<Reader> {
        let gone = |e: io::Error| {
            Error::new(
                ErrorKind::NotFound,
                "not_found",
                "the file is not there any more",
            )
            .caused_by(e)
        };
        match self {
            Self::Folder(folder) => {
                // A name that is not of ours could lead elsewhere.
                if !name.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(gone(io::ErrorKind::NotFound.into()));
                }
                Ok(Box::new(File::open(folder.join(name)).map_err(gone)?))
            }
            Self::Memory(files) => {
                let files = files.lock().unwrap_or_else(PoisonError::into_inner);
                let bytes = files.get(name).cloned();
                let bytes = bytes.ok_or_else(|| gone(io::ErrorKind::NotFound.into()))?;
                Ok(Box::new(Cursor::new(bytes)))
            }
        }
    }

    /// Takes a file away, if it is there.
    pub(crate) fn remove(&self, name: &str) {
        match self {
            Self::Folder(folder) if name.bytes().all(|b| b.is_ascii_hexdigit()) => {
                let _ = fs::remove_file(folder.join(name));
            }
            Self::Folder(_) => {}
            Self::Memory(files) => {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                files.remove(name);
            }
        }
    }
}

/// Writes a new file that is on the disk when this returns, readable by nobody else.
fn written<T>(
    path: &PathBuf,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T>,
) -> Result<(u64, T)> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::with_capacity(1 << 18, options.open(path).map_err(refused)?);
    let done = write(&mut file)?;
    let file = file.into_inner().map_err(|e| refused(e.into_error()))?;
    file.sync_all().map_err(refused)?;
    Ok((file.metadata().map_err(refused)?.len(), done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let files = Files::beside(Some(&place.path().join("a.db")));
        for files in [files, Files::beside(None)] {
            let name = Files::name([7; 16]);
            assert_eq!(name, "07".repeat(16));
            let stopped = files.create(&name, |file| {
                file.write_all(b"half").map_err(refused)?;
                Err::<(), _>(Error::new(ErrorKind::Cancelled, "cancelled", "enough"))
            });
            assert_eq!(stopped.unwrap_err().code(), "cancelled");
            assert_eq!(
                files.open(&name).map(|_| ()).unwrap_err().code(),
                "not_found"
            );

            let whole = files.create(&name, |file| file.write_all(b"whole").map_err(refused));
            assert_eq!(whole.unwrap().0, 5);
            let mut text = String::new();
            files
                .open(&name)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "whole");
            files.remove(&name);
            assert_eq!(
                files.open(&name).map(|_| ()).unwrap_err().code(),
                "not_found"
            );
        }
        let folder = fs::read_dir(place.path().join("a.db.exports")).unwrap();
        assert_eq!(folder.count(), 0);
    }

    #[test]
    fn what_was_left_half_written_is_swept_away_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let files = Files::beside(Some(&place.path().join("a.db")));
        assert_eq!(files.sweep(), Vec::<String>::new());
        let folder = place.path().join("a.db.exports");
        fs::create_dir(&folder).unwrap();
        let (whole, half) = (Files::name([1; 16]), Files::name([2; 16]) + ".part");
        for name in [whole.as_str(), half.as_str(), "notes.part", "notes"] {
            fs::write(folder.join(name), "x").unwrap();
        }
        assert_eq!(files.sweep(), [whole]);
        let there = fs::read_dir(&folder).unwrap().count();
        assert!(there == 3 && !folder.join(half).exists());
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("secret"), "x").unwrap();
        let files = Files::beside(Some(&place.path().join("a.db")));
        for name in ["../secret", "/etc/passwd", "..", "."] {
            assert_eq!(
                files.open(name).map(|_| ()).unwrap_err().code(),
                "not_found"
            );
            files.remove(name);
        }
        assert!(place.path().join("secret").exists());
    }
}
