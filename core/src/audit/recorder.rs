//! Writes entries that belong to no change. Those that arrive while others are being written wait and are then written together,
//! in one transaction, so that a busy server does not wait for the disk once a question.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::append;
use crate::error::Result;
use crate::metadata::{Entry, MetadataStore, change};

/// Entries on their way into the record.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    waiting: Mutex<Waiting>,
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    entries: Vec<(u64, Entry)>,
}

impl Recorder {
    /// Makes an entry part of the record, durably.
    ///
    /// # Errors
    /// What the store raises; then the entry is not in the record.
    pub(crate) fn record(&self, store: &dyn MetadataStore, entry: Entry) -> Result<()> {
        let mine = {
            let mut waiting = lock(&self.waiting);
            let ticket = waiting.next;
            waiting.next += 1;
            waiting.entries.push((ticket, entry));
            ticket
        };
        let _turn = lock(&self.turn);
        let batch = {
            let mut waiting = lock(&self.waiting);
            // INVARIANT: what is no longer waiting when a turn begins has been written; a failed turn puts everything back.
            if waiting.entries.iter().all(|(ticket, _)| *ticket != mine) {
                return Ok(());
            }
            std::mem::take(&mut waiting.entries)
        };
        let entries = batch.iter().map(|(_, entry)| entry.clone()).collect();
        change(store, |session| append(session, entries)).inspect_err(|_| {
            let mut waiting = lock(&self.waiting);
            let newer = std::mem::take(&mut waiting.entries);
            let others = batch.into_iter().filter(|(ticket, _)| *ticket != mine);
            waiting.entries = others.chain(newer).collect();
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
