//! How far sources were read: one small file beside the store, written as a whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use travelsense::Error;

use super::{Result, Trouble};

/// The notes of all sources of a store.
#[derive(Clone, Debug)]
pub(crate) struct Notes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    places: Mutex<BTreeMap<String, Value>>,
}

impl Notes {
    /// Those beside the store of that file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn beside(store: &Path) -> Result<Self> {
        let path = store.with_extension("follow.json");
        let places = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| Trouble::Wrong(format!("`{}` cannot be read: {e}", path.display())))?,
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(super::files::unreadable(&path, &error)),
        };
        Ok(Self(Arc::new(Inner {
            path,
            places: Mutex::new(places),
        })))
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands there of a source; the default where nothing does.
    pub(super) fn get<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T> {
        let Some(note) = self.places().get(name).cloned() else {
            return Ok(T::default());
        };
        let wrong = |e| Trouble::Wrong(format!("the note of `{name}` cannot be read: {e}"));
        serde_json::from_value(note).map_err(wrong)
    }

    /// Notes something of a source, durably.
    pub(super) fn put(&self, name: &str, note: &impl Serialize) -> Result<()> {
        let note = serde_json::to_value(note).map_err(Error::internal)?;
        let mut places = self.places();
        places.insert(name.to_owned(), note);
        let text = serde_json::to_vec(&*places).map_err(Error::internal)?;
        let path = &self.0.path;
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
            Trouble::Broken(format!("`{}` cannot be written: {e}", path.display()))
        })
    }
}
