//! Timelines saved beside the warehouse and mapped into memory when it is opened again.
//!
//! The file is only ever a copy: its seal must be the one the warehouse remembers and every checksum must hold, or it is not
//! looked at and the timelines are built anew.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::sync::Arc;

use memmap2::Mmap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::Timelines;
use super::identity::Identity;
use super::part::Part;
use super::partition::{Partition, USERS};
use crate::error::{Error, Result};
use crate::warehouse::{Head, Saved, Warehouse};

/// The first bytes of the file, with its format.
const MAGIC: &[u8; 8] = b"tstimel1";

/// Sections begin at multiples of so many bytes.
const ALIGN: usize = 64;

/// What the file holds and where.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Contents {
    /// A number whose bytes tell the order of bytes.
    order: [u8; 4],
    users: u32,
    version: u64,
    epoch: u64,
    events: u64,
    unattributed: Section,
    partitions: Vec<Stored>,
}

/// A partition: its offsets, times, names and rows.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Stored {
    base: u32,
    parts: [Section; 4],
}

/// Some bytes of the file and their XXH3-64.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
struct Section {
    bytes: Range<usize>,
    hash: u64,
}

impl Section {
    /// The section behind `end`, and the end of it.
    fn behind(end: &mut usize, bytes: &[u8]) -> Self {
        let start = end.next_multiple_of(ALIGN);
        *end = start + bytes.len();
        Self {
            bytes: start..*end,
            hash: XxHash3_64::oneshot(bytes),
        }
    }

    fn holds(&self, map: &Mmap) -> bool {
        map.get(self.bytes.clone())
            .is_some_and(|bytes| XxHash3_64::oneshot(bytes) == self.hash)
    }
}

const ORDER: u32 = 0x0102_0304;

/// Writes timelines where they can be found again; `false` where it could not be done now, which is no harm.
pub(super) fn save(timelines: &Timelines, warehouse: &dyn Warehouse) -> Result<bool> {
    let Some(saved) = warehouse.saved()?.filter(|s| !s.read_only) else {
        return Ok(false);
    };
    let times: &[u8] = bytemuck::cast_slice(&timelines.unattributed);
    let mut end = 0;
    let unattributed = Section::behind(&mut end, times);
    let partitions = timelines.partitions.iter().map(|partition| Stored {
        base: partition.base(),
        parts: partition
            .parts()
            .map(|part| Section::behind(&mut end, part)),
    });
    let contents = Contents {
        order: ORDER.to_ne_bytes(),
        users: USERS,
        version: timelines.head.version,
        epoch: timelines.head.epoch,
        events: timelines.head.events,
        partitions: partitions.collect(),
        unattributed,
    };
    let contents = serde_json::to_vec(&contents).map_err(Error::internal)?;
    let seal = seal(&contents);

    let fresh = saved.path.with_extension("timelines.new");
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&fresh)?);
        file.write_all(MAGIC)?;
        file.write_all(&(contents.len() as u64).to_le_bytes())?;
        file.write_all(&contents)?;
        let mut at = 0;
        let head = 16 + contents.len();
        pad(&mut file, head)?;
        let parts = timelines.partitions.iter().flat_map(|p| p.parts());
        for part in std::iter::once(times).chain(parts) {
            at += pad(&mut file, at)? + part.len();
            file.write_all(part)?;
        }
        file.into_inner()?.sync_all()?;
        fs::rename(&fresh, &saved.path)
    };
    // The seal goes first: a file without its seal is not trusted, and neither is a seal without its file.
    if !warehouse.seal(&seal)? {
        return Ok(false);
    }
    let written = write().is_ok();
    if !written {
        // A full disk costs a rebuild, not an answer.
        let _ = fs::remove_file(&fresh);
    }
    Ok(written)
}

/// Fills up to the next section; gives how many bytes that took.
fn pad(file: &mut impl Write, at: usize) -> std::io::Result<usize> {
    let missing = at.next_multiple_of(ALIGN) - at;
    file.write_all([0; ALIGN].get(..missing).unwrap_or_default())?;
    Ok(missing)
}

fn seal(contents: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(contents))
}

/// The timelines saved last, where they can be trusted and still are a beginning of what is stored.
pub(super) fn load(warehouse: &dyn Warehouse) -> Result<Option<Timelines>> {
    let Some(saved) = warehouse.saved()? else {
        return Ok(None);
    };
    let head = warehouse.head()?;
    let Some((map, contents, start)) = open(&saved) else {
        return Ok(None);
    };
    let fits = contents.order == ORDER.to_ne_bytes()
        && contents.users == USERS
        && contents.epoch == head.epoch
        && contents.version <= head.version;
    // Of another state of who is who nothing can be kept.
    if !fits || (head.identified && contents.version != head.version) {
        return Ok(None);
    }
    let sections = contents.partitions.iter().flat_map(|p| &p.parts);
    let all: Vec<Section> = sections
        .chain([&contents.unattributed])
        .map(|s| s.shifted(start))
        .collect();
    if !all.par_iter().all(|section| section.holds(&map)) {
        return Ok(None);
    }
    let part = |section: &Section| section.shifted(start).bytes;
    let partitions = contents.partitions.iter().map(|stored| {
        let [offsets, ts, name, row] = &stored.parts;
        Partition::of_parts(
            stored.base,
            Part::Mapped(Arc::clone(&map), part(offsets)),
            Part::Mapped(Arc::clone(&map), part(ts)),
            Part::Mapped(Arc::clone(&map), part(name)),
            Part::Mapped(Arc::clone(&map), part(row)),
        )
    });
    let Some(partitions) = partitions.collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let times: Part<i64> = Part::Mapped(Arc::clone(&map), part(&contents.unattributed));
    Ok(Some(Timelines {
        partitions: partitions.into_iter().map(Arc::new).collect(),
        names: Arc::new(warehouse.names()?),
        unattributed: Arc::new(times.to_vec()),
        identity: Arc::new(Identity::new(warehouse.identities()?)),
        head: if contents.version == head.version {
            head
        } else {
            Head {
                version: contents.version,
                events: contents.events,
                unattributed: times.len() as u64,
                ..head
            }
        },
    }))
}

impl Section {
    fn shifted(&self, start: usize) -> Self {
        Self {
            bytes: self.bytes.start.saturating_add(start)..self.bytes.end.saturating_add(start),
            hash: self.hash,
        }
    }
}

/// The file and its contents, where its seal is the one remembered, and where its sections start.
fn open(saved: &Saved) -> Option<(Arc<Mmap>, Contents, usize)> {
    let file = File::open(&saved.path).ok()?;
    #[expect(
        unsafe_code,
        reason = "mapping a file hands over memory that the file system owns"
    )]
    // SAFETY: the file is written under another name and only then put here, and is never changed after that.
    let map = unsafe { Mmap::map(&file) }.ok()?;
    let size = map.get(8..16)?.try_into().map(u64::from_le_bytes).ok()?;
    let end = usize::try_from(size).ok()?.checked_add(16)?;
    let text = map.get(16..end)?;
    if map.get(..8)? != MAGIC || saved.seal.as_deref() != Some(seal(text).as_str()) {
        return None;
    }
    let contents = serde_json::from_slice(text).ok()?;
    Some((Arc::new(map), contents, end.next_multiple_of(ALIGN)))
}
