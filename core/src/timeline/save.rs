//! Timelines saved beside the warehouse and mapped into memory when it is opened again.
//!
//! The file is only ever a copy: its seal must be the one the warehouse remembers and every checksum must hold, or it is not
//! looked at and the timelines are built anew.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use memmap2::Mmap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::Timelines;
use super::identity::Identity;
use super::part::{self, Part};
use super::partition::{Partition, USERS};
use crate::error::{Error, ErrorKind, Result};
use crate::warehouse::{Head, Saved, Snapshot, Warehouse, timelines_beside};

/// The first bytes of the file, with its format.
const MAGIC: &[u8; 8] = b"tstimel2";

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
    /// Who was who.
    identity: Section,
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
    fn holds(&self, map: &Mmap) -> bool {
        map.get(self.bytes.clone())
            .is_some_and(|bytes| XxHash3_64::oneshot(bytes) == self.hash)
    }
}

const ORDER: u32 = 0x0102_0304;

/// Writes timelines where they can be found again; `false` where it could not be done now, which is no harm.
pub(super) fn save(timelines: &Timelines, warehouse: &dyn Warehouse) -> Result<bool> {
    let Some(mut writer) = Writer::begin(warehouse)? else {
        return Ok(false);
    };
    for partition in &timelines.partitions {
        writer.add(partition);
    }
    let rest = (timelines.unattributed.as_slice(), &*timelines.identity);
    writer.finish(warehouse, &timelines.head, rest)
}

/// What a file holds beside partitions: the times of events without a user, and who is who.
pub(super) type Rest<'a> = (&'a [i64], &'a Identity);

/// Writes a file of timelines, partition by partition: the magic, the sections, the contents, their length, the magic.
pub(super) struct Writer {
    file: BufWriter<File>,
    fresh: PathBuf,
    path: PathBuf,
    end: usize,
    stored: Vec<Stored>,
    /// A disk that is full or will not be written costs a rebuild, not an answer.
    failed: bool,
}

impl Writer {
    /// Nothing where no file can be written.
    pub(super) fn begin(warehouse: &dyn Warehouse) -> Result<Option<Self>> {
        let Some(saved) = warehouse.saved()?.filter(|s| !s.read_only) else {
            return Ok(None);
        };
        let fresh = fresh(&saved);
        let Ok(file) = File::create(&fresh) else {
            return Ok(None);
        };
        let mut file = BufWriter::with_capacity(1 << 20, file);
        let failed = file.write_all(MAGIC).is_err();
        Ok(Some(Self {
            file,
            fresh,
            path: saved.path,
            end: MAGIC.len(),
            stored: Vec::new(),
            failed,
        }))
    }

    pub(super) fn add(&mut self, partition: &Partition) {
        let stored = Stored {
            base: partition.base(),
            parts: partition.parts().map(|part| self.section(part)),
        };
        self.stored.push(stored);
    }

    fn section(&mut self, bytes: &[u8]) -> Section {
        let start = self.end.next_multiple_of(ALIGN);
        let padding = [0; ALIGN];
        let padding = padding.get(..start - self.end).unwrap_or_default();
        self.failed |= self.file.write_all(padding).is_err() || self.file.write_all(bytes).is_err();
        self.end = start + bytes.len();
        Section {
            bytes: start..self.end,
            hash: XxHash3_64::oneshot(bytes),
        }
    }

    /// Ends the file and puts it in its place; `false` where that could not be done now.
    pub(super) fn finish(
        mut self,
        warehouse: &dyn Warehouse,
        head: &Head,
        rest: Rest<'_>,
    ) -> Result<bool> {
        // The seal goes first: a file without its seal is not trusted, and neither is a seal without its file.
        if let Some(seal) = self.end(head, rest)?
            && warehouse.seal(&seal)?
            && fs::rename(&self.fresh, &self.path).is_ok()
        {
            return Ok(true);
        }
        let _ = fs::remove_file(&self.fresh);
        Ok(false)
    }

    /// The timelines just written, mapped; nothing where the file could not be written.
    pub(super) fn mapped(
        mut self,
        warehouse: &dyn Warehouse,
        snapshot: &dyn Snapshot,
        rest: Rest<'_>,
        limit: u64,
    ) -> Result<Option<Timelines>> {
        let head = snapshot.head();
        let Some(seal) = self.end(&head, rest)? else {
            let _ = fs::remove_file(&self.fresh);
            return Ok(None);
        };
        // While a change is under way the warehouse remembers no seal; then the next to open the file builds it again.
        warehouse.seal(&seal)?;
        if fs::rename(&self.fresh, &self.path).is_err() {
            let _ = fs::remove_file(&self.fresh);
            return Ok(None);
        }
        let saved = Saved {
            path: self.path,
            seal: Some(seal),
            read_only: false,
        };
        map(&saved, snapshot, Some(limit), None)
    }

    /// Writes what is left of the file; its seal, where all of it could be written.
    fn end(&mut self, head: &Head, (unattributed, identity): Rest<'_>) -> Result<Option<String>> {
        let contents = Contents {
            order: ORDER.to_ne_bytes(),
            users: USERS,
            version: head.version,
            epoch: head.epoch,
            events: head.events,
            unattributed: self.section(bytemuck::cast_slice(unattributed)),
            identity: self.section(bytemuck::cast_slice(&identity.written())),
            partitions: std::mem::take(&mut self.stored),
        };
        let contents = serde_json::to_vec(&contents).map_err(Error::internal)?;
        let length = (contents.len() as u64).to_le_bytes();
        let mut write = || -> std::io::Result<()> {
            self.file.write_all(&contents)?;
            self.file.write_all(&length)?;
            self.file.write_all(MAGIC)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        let written = !self.failed && write().is_ok();
        Ok(written.then(|| seal(&contents)))
    }
}

/// Takes the file away, and one that was never finished.
pub(super) fn forget(warehouse: &dyn Warehouse) -> Result<()> {
    let Some(saved) = warehouse.saved()? else {
        return Ok(());
    };
    for path in [fresh(&saved), saved.path] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let refused = Error::new(
                    ErrorKind::Storage,
                    "not_erased",
                    format!("`{}` cannot be removed", path.display()),
                );
                return Err(refused.caused_by(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where the file is written before it is put in its place.
fn fresh(saved: &Saved) -> PathBuf {
    saved.path.with_extension("timelines.new")
}

fn seal(contents: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(contents))
}

/// A file of timelines whose sections are looked through before it is known which file the store remembers, since opening a
/// store leaves the other cores idle.
#[derive(Debug)]
pub struct Ahead {
    opened: Arc<Opened>,
    thread: JoinHandle<()>,
}

impl Ahead {
    /// Begins with the file beside a store, where there is one.
    pub(super) fn begin(store: &Path) -> Option<Self> {
        let opened = Arc::new(open(&timelines_beside(store))?);
        let theirs = Arc::clone(&opened);
        let thread = std::thread::Builder::new().spawn(move || theirs.look_through(false));
        Some(Self {
            opened,
            thread: thread.ok()?,
        })
    }
}

/// A file of timelines, and how far it is looked through.
#[derive(Debug)]
struct Opened {
    path: PathBuf,
    map: Arc<Mmap>,
    contents: Contents,
    seal: String,
    /// The section to be looked at next.
    next: AtomicUsize,
    unsound: AtomicBool,
}

impl Opened {
    /// Looks at the sections that nobody looks at yet; gives memory back where it is asked for.
    fn look_through(&self, release: bool) {
        let sections = self.contents.partitions.iter().flat_map(|p| &p.parts);
        let all = sections.chain([&self.contents.unattributed, &self.contents.identity]);
        let mut next = self.next.fetch_add(1, Ordering::Relaxed);
        for (place, section) in all.enumerate() {
            if place == next {
                if !section.holds(&self.map) {
                    self.unsound.store(true, Ordering::Relaxed);
                }
                if release {
                    part::release(&self.map, &section.bytes);
                }
                next = self.next.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The timelines saved last, where they can be trusted and still are a beginning of what is stored.
pub(super) fn load(
    warehouse: &dyn Warehouse,
    limit: Option<u64>,
    ahead: Option<Ahead>,
) -> Result<Option<Timelines>> {
    match warehouse.saved()? {
        Some(saved) => map(&saved, &*warehouse.snapshot()?, limit, ahead),
        None => Ok(None),
    }
}

fn map(
    saved: &Saved,
    snapshot: &dyn Snapshot,
    limit: Option<u64>,
    ahead: Option<Ahead>,
) -> Result<Option<Timelines>> {
    let head = snapshot.head();
    let (opened, thread) = match ahead {
        Some(ahead) if ahead.opened.path == saved.path => (Some(ahead.opened), Some(ahead.thread)),
        _ => (open(&saved.path).map(Arc::new), None),
    };
    let sealed = opened.filter(|opened| saved.seal.as_ref() == Some(&opened.seal));
    let Some(opened) = sealed else {
        return Ok(None);
    };
    let (map, contents) = (&opened.map, &opened.contents);
    let fits = contents.order == ORDER.to_ne_bytes()
        && contents.users == USERS
        && contents.epoch == head.epoch
        && contents.version <= head.version;
    if !fits {
        return Ok(None);
    }
    // Half of it may be mirrored in memory: properties and the engine want the other half.
    let release = limit.is_some_and(|limit| map.len() as u64 > limit / 2);
    let threads = 0..rayon::current_num_threads();
    threads
        .into_par_iter()
        .for_each(|_| opened.look_through(release));
    let ended = thread.is_none_or(|thread| thread.join().is_ok());
    if !ended || opened.unsound.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let bytes = |section: &Section| section.bytes.clone();
    let partitions = contents.partitions.iter().map(|stored| {
        let [offsets, ts, name, row] = &stored.parts;
        Partition::of_parts(
            stored.base,
            Part::Mapped(Arc::clone(map), bytes(offsets)),
            Part::Mapped(Arc::clone(map), bytes(ts)),
            Part::Mapped(Arc::clone(map), bytes(name)),
            Part::Mapped(Arc::clone(map), bytes(row)),
        )
    });
    let Some(partitions) = partitions.collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let times: Part<i64> = Part::Mapped(Arc::clone(map), bytes(&contents.unattributed));
    let known: Part<i64> = Part::Mapped(Arc::clone(map), bytes(&contents.identity));
    let Some(identity) = Identity::read(&known) else {
        return Ok(None);
    };
    Ok(Some(Timelines {
        partitions: partitions.into_iter().map(Arc::new).collect(),
        release,
        spare: Timelines::spares(map.len() as u64, limit),
        names: Arc::new(snapshot.names()?),
        unattributed: Arc::new(times.to_vec()),
        identity: Arc::new(identity),
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

/// A file, its contents and their seal.
fn open(path: &Path) -> Option<Opened> {
    let file = File::open(path).ok()?;
    #[expect(
        unsafe_code,
        reason = "mapping a file hands over memory that the file system owns"
    )]
    // SAFETY: the file is written under another name and only then put here, and is never changed after that.
    let map = unsafe { Mmap::map(&file) }.ok()?;
    let rest = map.strip_suffix(MAGIC)?;
    let (rest, length) = rest.split_last_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let text = rest.get(rest.len().checked_sub(length)?..)?;
    if !map.starts_with(MAGIC) {
        return None;
    }
    Some(Opened {
        path: path.to_owned(),
        contents: serde_json::from_slice(text).ok()?,
        seal: seal(text),
        map: Arc::new(map),
        next: AtomicUsize::new(0),
        unsound: AtomicBool::new(false),
    })
}
