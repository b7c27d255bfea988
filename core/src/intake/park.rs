//! Batches that could not be stored: files beside the store, until somebody has them stored after all.
//!
//! A file holds one whole frame of the log, so that its damage is seen, and its name says when it was put there and what it held: by
//! it the store knows that it has stored the file already.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use twox_hash::{XxHash3_64, XxHash3_128};

use super::log::{failure, framed, sync_folder, unframed};
use crate::error::{Error, ErrorKind, Result};

/// The folder of batches that could not be stored.
#[derive(Clone, Debug)]
pub(super) struct Parked(PathBuf);

impl Parked {
    /// Beside a file.
    pub(super) fn beside(path: &Path) -> Self {
        Self(super::beside(path, ".parked"))
    }

    fn place(&self, number: u64, content: &[u8], again: u32) -> PathBuf {
        let hash = XxHash3_64::oneshot(content);
        self.0
            .join(format!("{number:020}-{hash:016x}-{again}.frame"))
    }

    /// Whether this very content is there under this number.
    pub(super) fn holds(&self, number: u64, content: &[u8]) -> bool {
        self.place(number, content, 0).exists()
    }

    /// Puts the content of a frame there, durably and never in the place of another.
    pub(super) fn put(&self, number: u64, content: &[u8]) -> Result<()> {
        let bytes = framed(number, content)?;
        let failed = |error| failure(&self.0, error);
        std::fs::create_dir_all(&self.0).map_err(failed)?;
        sync_folder(&self.0).map_err(failed)?;
        for again in 0..u32::MAX {
            let path = self.place(number, content, again);
            if !path.exists() {
                return write(&path, &bytes).map_err(failed);
            }
        }
        Err(Error::internal("no name is left for a batch"))
    }

    /// Puts another content in the place of a file.
    pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
        let bytes = framed(0, content)?;
        write(path, &bytes).map_err(|error| failure(path, error))
    }

    /// The files there, in the order in which they were put there.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.0) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "frame"))
            .collect();
        files.sort();
        files
    }

    /// The content of one.
    pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
        let bytes = std::fs::read(path).map_err(|error| failure(path, error))?;
        unframed(&bytes).map(<[u8]>::to_vec).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "corrupt",
                format!("`{}` is damaged", path.display()),
            )
        })
    }

    /// The key under which the store knows that it has stored one.
    pub(super) fn key(path: &Path) -> u128 {
        let name = path.file_name().unwrap_or_default();
        XxHash3_128::oneshot(name.as_encoded_bytes())
    }

    /// Removes one that is stored, and the folder with the last.
    pub(super) fn remove(&self, path: &Path) {
        let _ = std::fs::remove_file(path);
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Writes a file as a whole, durably.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = super::beside(path, ".new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder(path)
}
