//! What only the log holds, brought into the store when that is opened.

use super::frame::Frame;
use super::log::Log;
use super::{INVALIDATED, Intake, caught, lock, store};
use crate::error::{Error, ErrorKind, Result};
use crate::intake::Recovery;
use crate::query::Instant;
use crate::warehouse::Warehouse;
use crate::warehouse::duckdb::opening;

impl Intake {
    /// Brings into the store what only the log holds.
    pub(super) fn recover(&self, home: &dyn Warehouse, now: Instant) -> Result<()> {
        let (Some(path), Some(parked)) = (self.log_path(), self.parked()) else {
            return Ok(());
        };
        // What a full disk broke is no fault of a batch either.
        let opening = |error| opening(error, self.path.as_deref());
        let logged = home.logged()?;
        let (mut log, found) = Log::open(path, logged.store, logged.position)?;
        let mut recovery = Recovery {
            cut: found.cut,
            set_aside: found.set_aside,
            ..Recovery::default()
        };
        for (position, content) in &found.frames {
            if parked.holds(*position, content) {
                recovery.parked += 1;
                continue;
            }
            let replay = || {
                caught(|| {
                    let frame = Frame::decode(content)?;
                    store(home, &frame, Some(*position)).map(|_| frame.len())
                })
            };
            let again = |error: Error| match error.kind() {
                // It would find the engine broken, which says nothing of the batch.
                ErrorKind::Storage => Err(error),
                _ => replay(),
            };
            match replay().or_else(again).map_err(opening) {
                Ok(events) => {
                    recovery.replayed += events;
                    recovery.batches += 1;
                }
                // A full disk is no fault of the batch: it stays in the log.
                Err(error) if error.kind() == ErrorKind::Storage && error.code() != INVALIDATED => {
                    return Err(error);
                }
                Err(error) => {
                    parked.put(*position, content)?;
                    recovery.parked += 1;
                    if error.code() == INVALIDATED {
                        // The engine has to be opened again, and will not meet this batch any more.
                        return Err(error);
                    }
                }
            }
        }
        if home.checkpoint(self.keys_before(now))? {
            // How fresh sources are is not worth keeping the log for.
            let _ = self.remember(home);
            log.reset()?;
        }
        *lock(&self.log) = Some(log);
        lock(&self.status).recovery = recovery;
        Ok(())
    }
}
