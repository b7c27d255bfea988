//! When each source was last heard, kept across restarts: the log has what came since it was emptied, and a small file beside the store
//! what came before.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::frame::Frame;
use super::log::{self, framed, unframed};
use super::{Intake, beside, lock, park};
use crate::error::{Error, Result};
use crate::query::Instant;
use crate::warehouse::{Logged, Warehouse};

/// What the file has behind the name of the store.
const NAME: &str = ".sources";

/// Sources by name, and when they were last heard.
pub(super) type Sources = BTreeMap<String, Heard>;

/// When a source was last heard, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// When its last batch was received.
    pub(super) received: i64,
    /// When the latest of its valid events happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) latest: Option<i64>,
}

/// What the file holds: a frame of this as JSON, so that damage is seen.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Whose it is.
    store: String,
    sources: Sources,
}

/// Takes in that a source was heard.
pub(super) fn hear(sources: &mut Sources, source: &str, heard: Heard) {
    if let Some(known) = sources.get_mut(source) {
        known.received = known.received.max(heard.received);
        known.latest = known.latest.max(heard.latest);
    } else {
        sources.insert(source.to_owned(), heard);
    }
}

impl Intake {
    /// Takes in what is known of the sources of a store that was open before. What cannot be read is not known: nothing else depends
    /// on it.
    pub(super) fn recall(&self, store: &Path, home: &dyn Warehouse, now: Instant) -> Result<()> {
        let (path, log) = (beside(store, NAME), beside(store, super::LOG_NAME));
        if !path.exists() && !log.exists() {
            return Ok(());
        }
        let logged = home.logged()?;
        let mut status = lock(&self.status);
        if let Some(kept) = read(&path).filter(|kept| kept.store == named(&logged)) {
            status.recall(&kept.sources, now);
        }
        for content in log::contents(&log, logged.store, logged.position) {
            if let Ok(sources) = Frame::sources(&content) {
                status.recall(&sources, now);
            }
        }
        Ok(())
    }

    /// Keeps what is known of the sources, before the log is emptied that has it.
    pub(super) fn remember(&self, home: &dyn Warehouse) -> Result<()> {
        let Some(path) = self.path.as_deref().map(|path| beside(path, NAME)) else {
            return Ok(());
        };
        let kept = Kept {
            store: named(&home.logged()?),
            sources: lock(&self.status).heard(),
        };
        let content = serde_json::to_vec(&kept).map_err(Error::internal)?;
        park::write(&path, &framed(0, &content)?).map_err(|error| log::failure(&path, error))
    }
}

fn named(logged: &Logged) -> String {
    format!("{:032x}", logged.store)
}

fn read(path: &Path) -> Option<Kept> {
    let bytes = std::fs::read(path).ok()?;
    serde_json::from_slice(unframed(&bytes)?).ok()
}
