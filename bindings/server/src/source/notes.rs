//! How far sources were read: one small file beside the store, written as a whole.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Where notes were put that are damaged.
    aside: Option<PathBuf>,
    places: Mutex<BTreeMap<String, Value>>,
    /// Which sources are called what, by where they are from.
    announced: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

impl Notes {
    /// Those beside the store of that file. A file that is damaged is put aside, and its sources are read from their beginning: events
    /// without ids are known by where they lie, so that none is stored twice.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn beside(store: &Path) -> Result<Self> {
        let path = store.with_extension("follow.json");
        let mut aside = None;
        let places = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(places) => places,
                Err(_) => {
                    let put = put_aside(&path);
                    aside = Some(put.map_err(|e| super::files::unreadable(&path, &e))?);
                    BTreeMap::new()
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(super::files::unreadable(&path, &error)),
        };
        Ok(Self::of(path, places, aside))
    }

    /// None, of a store that is not looked at: by them it is seen whether sources are named rightly.
    pub(crate) fn none(store: &Path) -> Self {
        Self::of(store.with_extension("follow.json"), BTreeMap::new(), None)
    }

    fn of(path: PathBuf, places: BTreeMap<String, Value>, aside: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner {
            path,
            aside,
            places: Mutex::new(places),
            announced: Mutex::default(),
        }))
    }

    /// Where notes were put that are damaged, for whoever should be told.
    pub(crate) fn aside(&self) -> Option<&Path> {
        self.0.aside.as_deref()
    }

    /// Announces that a source is called so, and tells how many are by now.
    pub(super) fn announced(&self, name: &str, from: &str) -> usize {
        let announced = self.0.announced.lock();
        let mut announced = announced.unwrap_or_else(PoisonError::into_inner);
        let sources = announced.entry(name.to_owned()).or_default();
        sources.insert(from.to_owned());
        sources.len()
    }

    /// How many sources announced that they are called so.
    pub(super) fn sources(&self, name: &str) -> usize {
        let announced = self.0.announced.lock();
        let announced = announced.unwrap_or_else(PoisonError::into_inner);
        announced.get(name).map_or(0, BTreeSet::len)
    }

    /// Whether something stands there of a source.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places().contains_key(name)
    }

    /// Notes something of a source under another name than before, durably.
    pub(super) fn rename(&self, from: &str, to: &str, note: &impl Serialize) -> Result<()> {
        let mut places = self.places();
        places.remove(from);
        places.insert(
            to.to_owned(),
            serde_json::to_value(note).map_err(Error::internal)?,
        );
        self.write(&places)
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

    /// What stands there of the files that lie in a folder.
    pub(super) fn below<T: DeserializeOwned>(&self, folder: &Path) -> Vec<(PathBuf, T)> {
        let places = self.places();
        let here = places
            .iter()
            .filter(|(name, _)| Path::new(name).parent() == Some(folder));
        here.filter_map(|(name, note)| {
            Some((
                PathBuf::from(name),
                serde_json::from_value(note.clone()).ok()?,
            ))
        })
        .collect()
    }

    /// Notes something of a source, durably.
    pub(super) fn put(&self, name: &str, note: &impl Serialize) -> Result<()> {
        self.put_all([(name.to_owned(), note)])
    }

    /// Notes something of several sources at once.
    pub(super) fn put_all(
        &self,
        notes: impl IntoIterator<Item = (String, impl Serialize)>,
    ) -> Result<()> {
        let mut places = self.places();
        for (name, note) in notes {
            places.insert(name, serde_json::to_value(note).map_err(Error::internal)?);
        }
        self.write(&places)
    }

    fn write(&self, places: &BTreeMap<String, Value>) -> Result<()> {
        let text = serde_json::to_vec(places).map_err(Error::internal)?;
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

/// Renames a damaged file to a name that no file has.
fn put_aside(path: &Path) -> std::io::Result<PathBuf> {
    let named = |number: u32| {
        let mut name = path.to_owned().into_os_string();
        name.push(format!(".damaged-{number}"));
        PathBuf::from(name)
    };
    let free = (1..u32::MAX).map(named).find(|name| !name.exists());
    let aside = free.unwrap_or_else(|| named(0));
    fs::rename(path, &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_notes_are_put_aside_and_begun_anew() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = folder.path().join("a.db");
        for round in 1..3 {
            fs::write(folder.path().join("a.follow.json"), "{\"a").unwrap();
            let notes = Notes::beside(&store).unwrap();
            assert!(!notes.has("a") && notes.aside().is_some());
            notes.put("a", &1).unwrap();
            assert_eq!(Notes::beside(&store).unwrap().get::<u64>("a").unwrap(), 1);
            let aside = folder.path().join(format!("a.follow.json.damaged-{round}"));
            assert_eq!(fs::read(aside).unwrap(), b"{\"a");
        }
    }
}
