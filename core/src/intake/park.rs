//! Batches that could not be stored: files beside the store, until somebody has them stored after all.

use std::path::{Path, PathBuf};

use super::log::{failure, sync_folder};
use crate::error::Result;

/// The folder of batches that could not be stored.
#[derive(Clone, Debug)]
pub(super) struct Parked(PathBuf);

impl Parked {
    /// Beside a file.
    pub(super) fn beside(path: &Path) -> Self {
        let mut name = path.to_owned().into_os_string();
        name.push(".parked");
        Self(name.into())
    }

    /// Puts the content of a frame there, durably.
    pub(super) fn put(&self, position: u64, content: &[u8]) -> Result<()> {
        let path = self.0.join(format!("{position:020}.frame"));
        let write = || {
            std::fs::create_dir_all(&self.0)?;
            let mut file = std::fs::File::create(&path)?;
            std::io::Write::write_all(&mut file, content)?;
            file.sync_all()?;
            sync_folder(&path)?;
            sync_folder(&self.0)
        };
        write().map_err(|error| failure(&path, error))
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

    /// Reads one.
    pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| failure(path, error))
    }

    /// Removes one that is stored, and the folder with the last.
    pub(super) fn remove(&self, path: &Path) {
        let _ = std::fs::remove_file(path);
        let _ = std::fs::remove_dir(&self.0);
    }
}
