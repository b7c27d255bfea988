//! What was put beside the store: stored after all, searched by whoever erases, and named where it cannot be read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::frame::{Frame, Key};
use super::park::Parked;
use super::{Intake, caught, lock};
use crate::error::Result;
use crate::events::promoted;
use crate::query::Instant;
use crate::warehouse::{Keyed, Warehouse};

impl Intake {
    /// Stores the batches that were put aside; gives how many events were new and how many batches are left.
    pub(crate) fn store_parked(&self, home: &dyn Warehouse, now: Instant) -> Result<(u64, u64)> {
        let _alone = self.alone(home)?;
        let Some(parked) = self.parked() else {
            return Ok((0, 0));
        };
        let (mut accepted, mut left) = (0, 0);
        for path in parked.all() {
            match self.store_file(home, now, &path) {
                Ok(events) => {
                    accepted += events;
                    parked.remove(&path);
                }
                Err(_) => left += 1,
            }
        }
        Ok((accepted, left))
    }

    /// Stores what a file holds, but for what is stored: the whole file before, or a batch that was sent again under its key.
    fn store_file(&self, home: &dyn Warehouse, now: Instant, path: &Path) -> Result<u64> {
        let own = Keyed {
            key: Parked::key(path),
            body: 0,
            at: now,
        };
        if home.answered(own.key)?.is_some() {
            return Ok(0);
        }
        let mut frame = caught(|| Frame::decode(&Parked::read(path)?))?;
        // What its events mean may have changed since.
        let catalogue = home.catalogue()?;
        for events in &mut frame.events {
            *events = promoted(events, &catalogue)?;
        }
        let mut flights = Vec::new();
        for key in frame.keys.clone() {
            let keyed = Keyed {
                at: now,
                ..key.keyed()?
            };
            lock(&self.keys).fly(keyed)?;
            let flight = self.flight(keyed);
            let Some(answered) = home.answered(keyed.key)? else {
                flights.push(flight);
                continue;
            };
            // A key that was given to another batch since then is that one's.
            if answered.body == keyed.body {
                frame.leave_out(&key)?;
            }
            frame.keys.retain(|k| !k.is(&key));
        }
        frame.keys = frame.keys.into_iter().map(|key| key.at(now)).collect();
        frame.keys.push(Key::new(&own, 0, 0, "{}".to_owned()));
        let kept = self.keep(home, &frame, now);
        for flight in &mut flights {
            flight.ended(&kept);
        }
        Ok(kept?.1.accepted)
    }

    /// Takes what was parked of people with these ids away.
    pub(crate) fn forget_parked(&self, ids: &HashSet<&str>) -> Result<()> {
        let Some(parked) = self.parked() else {
            return Ok(());
        };
        for path in parked.all() {
            // What cannot be read is left to whoever asked, see `beside`.
            let Ok(mut frame) = Parked::read(&path).and_then(|bytes| Frame::decode(&bytes)) else {
                continue;
            };
            if frame.forget(ids)? {
                Parked::replace(&path, &frame.encode()?)?;
            }
        }
        Ok(())
    }

    /// The files beside the store that hold events and cannot be read: whoever erases has to look at them.
    pub(crate) fn beside(&self) -> Vec<PathBuf> {
        let Some(name) = self.path.as_deref().and_then(Path::file_name) else {
            return Vec::new();
        };
        let name = name.to_string_lossy();
        let folder = self.path.as_deref().and_then(Path::parent);
        let folder = folder
            .filter(|f| *f != Path::new(""))
            .unwrap_or(Path::new("."));
        let damaged = |path: &PathBuf| {
            let found = path.file_name().unwrap_or_default().to_string_lossy();
            let rest = found.strip_prefix(&*name).unwrap_or_default();
            [".log.damaged-", ".log.other-", ".wal"]
                .iter()
                .any(|kind| rest.starts_with(kind) && rest.contains('-'))
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(damaged)
            .collect();
        let parked = self.parked().map_or_else(Vec::new, |parked| parked.all());
        files.extend(parked.into_iter().filter(|path| {
            let frame = Parked::read(path).and_then(|bytes| Frame::decode(&bytes));
            frame.is_err()
        }));
        files.sort();
        files
    }
}
