//! The exports under way: which there are, whose turn it is to be written, and how each is stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::export::Files;
use crate::metadata::ObjectId;
use crate::query::Instant;

/// How long a store that is closed waits for its exports to stop; they go on when it is opened again.
const PATIENCE: Duration = Duration::from_secs(10);

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
    pub(in crate::analytics) fn new(files: Files) -> Self {
        Self {
            files,
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

    /// How many there are.
    pub(super) fn under_way(&self) -> usize {
        self.state().running.len()
    }

    /// An export is under way from now on.
    pub(super) fn begin(&self, id: ObjectId) -> Arc<Running> {
        let running = Arc::new(Running::default());
        self.state().running.insert(id, Arc::clone(&running));
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

    /// Stops all; they are as they were when the store is opened again.
    pub(in crate::analytics) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        let state = self.state();
        for running in state.running.values() {
            running.stop.store(true, Ordering::Relaxed);
        }
        self.turned.notify_all();
        let busy = |state: &mut State| !state.running.is_empty();
        drop(self.turned.wait_timeout_while(state, PATIENCE, busy));
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
