//! The exports under way: which there are, whose turn it is to be written, and how each is stopped.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::export::Files;
use crate::metadata::ObjectId;
use crate::query::Instant;

/// How often it is looked which files have expired, in microseconds.
const SWEPT: u64 = 60_000_000;

/// How many exports are written at once; others wait.
pub(super) const AT_ONCE: usize = 2;

/// The exports under way in this process, and where files are.
#[derive(Debug)]
pub(in crate::analytics) struct Exports {
    pub(super) files: Files,
    state: Mutex<State>,
    /// Told whenever an export is over, or another may begin.
    turned: Condvar,
    closing: AtomicBool,
    /// Files that were there when the store was opened.
    found: Mutex<Vec<String>>,
    /// What the store is known by, once somebody asked.
    home: Mutex<Option<String>>,
    /// When it was looked last which files have expired, in microseconds.
    swept: AtomicI64,
}

#[derive(Debug, Default)]
struct State {
    running: BTreeMap<ObjectId, Arc<Running>>,
    writing: usize,
}

/// An export under way.
#[derive(Debug, Default)]
pub(super) struct Running {
    pub(super) stop: AtomicBool,
    pub(super) rows: AtomicU64,
}

impl Exports {
    /// Of a store that may be written, what an earlier process left half written is taken away.
    pub(in crate::analytics) fn new(files: Files, read_only: bool) -> Self {
        let found = if read_only { Vec::new() } else { files.sweep() };
        Self {
            files,
            found: Mutex::new(found),
            home: Mutex::default(),
            state: Mutex::default(),
            turned: Condvar::new(),
            closing: AtomicBool::new(false),
            swept: AtomicI64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to look which files have expired, which whoever asks then does.
    pub(super) fn are_to_be_swept(&self, now: Instant) -> bool {
        let last = self.swept.load(Ordering::Relaxed);
        let due = last.abs_diff(now.micros()) >= SWEPT;
        due && self.swept.swap(now.micros(), Ordering::Relaxed) == last
    }

    /// What the store is known by, which `make` gives where it has no name yet.
    pub(super) fn home(&self, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if home.is_none() {
            *home = Some(self.files.home(make)?);
        }
        Ok(home.clone().unwrap_or_default())
    }

    /// The files that were there when the store was opened, told once.
    pub(super) fn found(&self) -> Vec<String> {
        std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many there are.
    pub(super) fn under_way(&self) -> usize {
        self.state().running.len()
    }

    /// An export is under way from now on; where the store is being closed it stops at once.
    pub(super) fn begin(&self, id: ObjectId) -> Arc<Running> {
        let mut state = self.state();
        let running = Arc::new(Running {
            stop: AtomicBool::new(self.are_closing()),
            ..Running::default()
        });
        state.running.insert(id, Arc::clone(&running));
        running
    }

    /// An export is not under way: it never had its turn.
    pub(super) fn forget(&self, id: ObjectId) {
        self.state().running.remove(&id);
    }

    /// Has an export stop that is under way here.
    pub(super) fn stop(&self, id: ObjectId) {
        if let Some(running) = self.running(id) {
            running.stop.store(true, Ordering::Relaxed);
            self.turned.notify_all();
        }
    }

    /// Whether all are being stopped since the store is closed.
    pub(super) fn are_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    pub(super) fn running(&self, id: ObjectId) -> Option<Arc<Running>> {
        self.state().running.get(&id).cloned()
    }

    /// Waits until an export is over, but no longer than that.
    pub(super) fn wait(&self, id: ObjectId, most: Duration) {
        let under_way = |state: &mut State| state.running.contains_key(&id);
        drop(
            self.turned
                .wait_timeout_while(self.state(), most, under_way),
        );
    }

    /// Waits for a turn to write; `false` where the export was stopped before.
    pub(super) fn turn(&self, running: &Running) -> bool {
        let waits =
            |state: &mut State| state.writing >= AT_ONCE && !running.stop.load(Ordering::Relaxed);
        let state = self.turned.wait_while(self.state(), waits);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.writing += 1;
        !running.stop.load(Ordering::Relaxed)
    }

    /// An export that had its turn is over.
    fn over(&self, id: ObjectId) {
        let mut state = self.state();
        state.writing = state.writing.saturating_sub(1);
        state.running.remove(&id);
        self.turned.notify_all();
    }

    /// Has all stop; they are as they were when the store is opened again.
    pub(in crate::analytics) fn wind_down(&self) {
        let state = self.state();
        self.closing.store(true, Ordering::Relaxed);
        for running in state.running.values() {
            running.stop.store(true, Ordering::Relaxed);
        }
        self.turned.notify_all();
    }

    /// Has all stop, and waits for it no longer than that.
    pub(in crate::analytics) fn close(&self, most: Duration) {
        self.wind_down();
        let busy = |state: &mut State| !state.running.is_empty();
        drop(self.turned.wait_timeout_while(self.state(), most, busy));
    }
}

/// Says that an export is over, however it ended.
pub(super) struct Over<'a> {
    exports: &'a Exports,
    id: ObjectId,
}

impl<'a> Over<'a> {
    pub(super) fn of(exports: &'a Exports, id: ObjectId) -> Self {
        Self { exports, id }
    }
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.exports.over(self.id);
    }
}

/// A sink that takes nothing more once its export is to stop: a format that is put together at its end is given up too.
pub(super) struct Heeding<'a> {
    pub(super) sink: &'a mut (dyn Write + Send),
    pub(super) running: &'a Running,
}

impl Write for Heeding<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.running.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the export was stopped"));
        }
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Instant;

    #[test]
    fn a_sink_takes_nothing_more_of_an_export_that_is_to_stop() {
        let (running, mut kept) = (Running::default(), Vec::new());
        let mut sink = Heeding {
            sink: &mut kept,
            running: &running,
        };
        sink.write_all(b"some").unwrap();
        running.stop.store(true, Ordering::Relaxed);
        assert!(sink.write_all(b"more").is_err());
        assert_eq!(kept, b"some");
    }

    #[test]
    fn what_begins_while_the_store_is_closed_stops_at_once() {
        let exports = Exports::new(Files::beside(None), false);
        let id = |n: u8| ObjectId::new(Instant::MIN, [n; 8]);
        let before = exports.begin(id(1));
        exports.wind_down();
        let after = exports.begin(id(2));
        for running in [before, after] {
            assert!(!exports.turn(&running));
        }
        // Neither is ever over, and still they are not waited for longer than that.
        exports.close(Duration::from_millis(20));
        assert_eq!(exports.under_way(), 2);
    }
}
