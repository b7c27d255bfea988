//! The append-only log beside a file: frames that are durable before anybody is told that they are.
//!
//! A frame is its length (4 bytes), the XXH3-64 of position and content (8), its position (8), and the content. The file begins with a
//! mark and the id of the store that it belongs to, so that the log of a file that was replaced is not taken for its own.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_64;

use crate::error::{Error, ErrorKind, Result};

const MARK: &[u8; 16] = b"travelsense log\n";
const HEAD: usize = 32;
const FRAME: usize = 20;

/// The log of a store that is open.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// Where the next frame begins.
    end: u64,
    /// The position of the last frame.
    position: u64,
    /// Whether a write failed in such a way that nothing is known of what the file holds.
    broken: bool,
}

/// What was found in a log.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Positions and contents of the frames behind those that the store holds already.
    pub(super) frames: Vec<(u64, Vec<u8>)>,
    /// How many bytes of a frame whose writing was never finished were cut off.
    pub(super) cut: u64,
    /// Where damaged bytes, or the log of another store, were put.
    pub(super) set_aside: Option<PathBuf>,
}

impl Log {
    /// The log of a store at a path, made where it is absent, and its frames behind the position that the store holds.
    ///
    /// What is damaged is put aside under another name and never stands in the way.
    pub(super) fn open(path: PathBuf, store: u128, held: u64) -> Result<(Self, Found)> {
        let failed = |error| failure(&path, error);
        let mut found = Found::default();
        let mut bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(failed)?,
        };
        let other = match whose(&bytes, store) {
            Whose::Ours => None,
            Whose::Damaged if frames(&bytes, held).next().is_some() => {
                let head = bytes.get(..HEAD).unwrap_or_default();
                found.set_aside = Some(put_aside(&path, head).map_err(failed)?);
                mend(&path, store).map_err(failed)?;
                None
            }
            Whose::Damaged => Some("damaged"),
            Whose::Others => Some("other"),
        };
        if let Some(what) = other {
            let aside = free_name(&path, what);
            std::fs::rename(&path, &aside).map_err(failed)?;
            found.set_aside = Some(aside);
            bytes.clear();
        }
        let mut last = held;
        let mut end = HEAD;
        if bytes.len() < HEAD {
            found.cut = bytes.len() as u64;
            begin(&path, store).map_err(failed)?;
        } else {
            for (start, position, content) in frames(&bytes, held) {
                if let Some(damaged) = bytes.get(end..start).filter(|b| !b.is_empty()) {
                    // Damage costs what it hit, and not what was written behind it.
                    found.set_aside = Some(put_aside(&path, damaged).map_err(failed)?);
                }
                end = start + FRAME + content.len();
                if position > held {
                    found.frames.push((position, content.to_vec()));
                }
                last = last.max(position);
            }
            let rest = bytes.get(end..).unwrap_or_default();
            if is_whole(rest) {
                // A whole frame that is not what was written: the bytes are kept for whoever wants to look.
                found.set_aside = Some(put_aside(&path, rest).map_err(failed)?);
            } else {
                found.cut = rest.len() as u64;
            }
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let mut log = Self {
            path,
            file,
            end: end as u64,
            position: last,
            broken: false,
        };
        log.cut_to(end as u64)?;
        Ok((log, found))
    }

    /// How many bytes its frames take.
    pub(super) fn bytes(&self) -> u64 {
        self.end.saturating_sub(HEAD as u64)
    }

    /// Appends a frame and gives its position, once it is durable; nothing of it is kept where that fails.
    pub(super) fn append(&mut self, content: &[u8]) -> Result<u64> {
        if self.broken {
            let end = self.end;
            self.cut_to(end)?;
        }
        let position = self.position + 1;
        let bytes = framed(position, content)?;
        let end = self.end;
        let written = (self.file.seek(SeekFrom::Start(end)))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // After a failed sync the system may have forgotten what it did not write: the frame goes.
            self.broken = true;
            let error = failure(&self.path, error);
            let _ = self.cut_to(end);
            return Err(error);
        }
        self.end += bytes.len() as u64;
        self.position = position;
        Ok(position)
    }

    /// Takes the frame that was appended last back; it began where the log ended before.
    pub(super) fn take_back(&mut self, end: u64) -> Result<()> {
        self.cut_to(end)
    }

    /// Where the next frame begins.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Forgets all frames, once the store holds them without any log.
    pub(super) fn reset(&mut self) -> Result<()> {
        self.cut_to(HEAD as u64)
    }

    /// Removes the file.
    pub(super) fn remove(self) {
        drop(self.file);
        let _ = std::fs::remove_file(&self.path);
    }

    fn cut_to(&mut self, end: u64) -> Result<()> {
        self.end = end;
        self.broken = true;
        self.file
            .set_len(end)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| failure(&self.path, error))?;
        self.broken = false;
        Ok(())
    }
}

/// The contents of the frames of the log of a store, those that it holds too; none of a log that cannot be read, or is another's.
pub(super) fn contents(path: &Path, store: u128, held: u64) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap_or_default();
    match whose(&bytes, store) {
        Whose::Others => Vec::new(),
        Whose::Ours | Whose::Damaged => frames(&bytes, held)
            .map(|(_, _, content)| content.to_vec())
            .collect(),
    }
}

/// Whose log some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// They begin as they should, as far as they go.
    Ours,
    /// What they begin with is damaged: it says of no other store that it is its.
    Damaged,
    /// Another store's, in the place of whose file ours was put.
    Others,
}

/// The ids of two stores differ in about half of their 128 bits, and never in so few; damage of one in few, or it leaves nothing.
const ALIKE: u32 = 24;

fn whose(bytes: &[u8], store: u128) -> Whose {
    let (Some(mark), Some(Ok(id))) = (
        bytes.get(..16),
        bytes.get(16..HEAD).map(<[u8; 16]>::try_from),
    ) else {
        // A head whose writing was never finished has nothing behind it.
        return Whose::Ours;
    };
    let id = u128::from_le_bytes(id);
    match (mark == MARK, id == store) {
        (true, true) => Whose::Ours,
        (true, false) if id != 0 && id != u128::MAX && (id ^ store).count_ones() > ALIKE => {
            Whose::Others
        }
        _ => Whose::Damaged,
    }
}

/// The sound frames of a log: where each begins, its position and its content.
fn frames(bytes: &[u8], held: u64) -> impl Iterator<Item = (usize, u64, &[u8])> {
    let (mut end, mut after) = (HEAD, 0);
    std::iter::from_fn(move || {
        let found = next(bytes, end, (after, held))?;
        end = found.0 + FRAME + found.2.len();
        after = found.1;
        Some(found)
    })
}

/// A content as a frame.
pub(super) fn framed(position: u64, content: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(content.len()).map_err(|_| {
        Error::new(
            ErrorKind::Limit,
            "batch_too_large",
            "a batch has at most 4 GiB",
        )
    })?;
    let mut bytes = Vec::with_capacity(FRAME + content.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(position, content).to_le_bytes());
    bytes.extend_from_slice(&position.to_le_bytes());
    bytes.extend_from_slice(content);
    Ok(bytes)
}

/// The content of bytes that are one sound frame.
pub(super) fn unframed(bytes: &[u8]) -> Option<&[u8]> {
    frame(bytes, 0).map(|found| found.1)
}

/// The position of a frame behind damage is at most so far from what is known.
const NEAR: u64 = 1 << 20;

/// The next sound frame: where it begins, its position and its content. Behind damage it is the next whose position may follow.
fn next(bytes: &[u8], from: usize, (after, held): (u64, u64)) -> Option<(usize, u64, &[u8])> {
    let near = |at: usize| {
        let position = bytes.get(at + 12..at + FRAME)?.try_into().ok()?;
        let position = u64::from_le_bytes(position);
        (position > after && position <= after.max(held).saturating_add(NEAR)).then_some(())
    };
    let found = |at: usize| frame(bytes, at).map(|(position, content)| (at, position, content));
    found(from).or_else(|| (from..bytes.len()).find_map(|at| near(at).and_then(|()| found(at))))
}

/// The position and the content of the frame that begins there; nothing where there is none, or not a sound one.
fn frame(bytes: &[u8], at: usize) -> Option<(u64, &[u8])> {
    let head = bytes.get(at..at + FRAME)?;
    let length = u32::from_le_bytes(head.get(..4)?.try_into().ok()?);
    let sum = u64::from_le_bytes(head.get(4..12)?.try_into().ok()?);
    let position = u64::from_le_bytes(head.get(12..)?.try_into().ok()?);
    let start = at + FRAME;
    let content = bytes.get(start..start.checked_add(length as usize)?)?;
    (checksum(position, content) == sum).then_some((position, content))
}

/// Whether these bytes are as long as the frame that they begin with says: one that is shorter was never finished.
fn is_whole(rest: &[u8]) -> bool {
    let Some(Ok(length)) = rest.get(..4).map(TryInto::try_into) else {
        return false;
    };
    rest.len() >= FRAME.saturating_add(u32::from_le_bytes(length) as usize)
}

fn checksum(position: u64, content: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(position, content)
}

/// Writes an empty log, durably and as a whole.
fn begin(path: &Path, store: u128) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(MARK)?;
    file.write_all(&store.to_le_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

/// Writes the head of a log that lost it, durably; its frames stay.
fn mend(path: &Path, store: u128) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(MARK)?;
    file.write_all(&store.to_le_bytes())?;
    file.sync_all()
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Puts damaged bytes beside the log, for whoever wants to look.
fn put_aside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let aside = free_name(path, "damaged");
    std::fs::write(&aside, bytes)?;
    Ok(aside)
}

/// The path with a number behind it that no file has yet.
fn free_name(path: &Path, what: &str) -> PathBuf {
    let named = |number: u32| {
        let mut name = path.to_owned().into_os_string();
        name.push(format!(".{what}-{number}"));
        PathBuf::from(name)
    };
    (1..u32::MAX)
        .map(named)
        .find(|name| !name.exists())
        .unwrap_or_else(|| named(0))
}

/// The error for a log that cannot be written or read.
pub(super) fn failure(path: &Path, error: io::Error) -> Error {
    use io::ErrorKind as K;
    let (code, why) = match error.kind() {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => (
            "disk_full",
            "has no space left on its disk; nothing of this batch was kept".to_owned(),
        ),
        K::PermissionDenied | K::ReadOnlyFilesystem => (
            "read_only",
            "cannot be written: its folder or file is read-only for this user".to_owned(),
        ),
        _ => ("io", format!("could not be read or written: {error}")),
    };
    Error::new(
        ErrorKind::Storage,
        code,
        format!("`{}` {why}", path.display()),
    )
    .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(path: &Path, held: u64) -> (Log, Found) {
        Log::open(path.to_owned(), 7, held).unwrap()
    }

    #[test]
    fn frames_come_back_but_for_those_that_the_store_holds() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.log");
        let (mut log, _) = opened(&path, 4);
        assert_eq!(log.append(b"one").unwrap(), 5);
        let before = log.end();
        assert_eq!(log.append(b"two").unwrap(), 6);
        log.take_back(before).unwrap();
        assert_eq!(log.append(b"three").unwrap(), 7);
        drop(log);
        let (mut log, found) = opened(&path, 5);
        assert_eq!(found.frames, [(7, b"three".to_vec())]);
        assert_eq!((found.cut, found.set_aside), (0, None));
        log.reset().unwrap();
        assert_eq!((log.bytes(), log.append(b"four").unwrap()), (0, 8));
    }

    #[test]
    fn wherever_a_log_ends_what_was_finished_is_there() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.log");
        let (mut log, _) = opened(&path, 0);
        let mut ends = vec![log.end()];
        for content in [&b"one"[..], b"", b"three"] {
            log.append(content).unwrap();
            ends.push(log.end());
        }
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (mut log, found) = opened(&path, 0);
            let frames = ends[1..]
                .iter()
                .filter(|end| **end <= length as u64)
                .count();
            assert_eq!(found.frames.len(), frames, "cut at {length}");
            assert_eq!(found.set_aside, None, "cut at {length}");
            // And it can be written on.
            log.append(b"more").unwrap();
            drop(log);
            assert_eq!(opened(&path, 0).1.frames.len(), frames + 1);
        }
    }

    #[test]
    fn a_changed_bit_costs_only_the_frame_that_it_hit_and_that_is_put_aside() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.log");
        let (mut log, _) = opened(&path, 0);
        log.append(b"one").unwrap();
        let first = log.end() as usize;
        log.append(b"two").unwrap();
        log.append(b"three").unwrap();
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        for at in first..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                std::fs::write(&path, &bytes).unwrap();
                let (_, found) = opened(&path, 0);
                let second = at < first + FRAME + 3;
                let lost = if second {
                    b"two".to_vec()
                } else {
                    b"three".to_vec()
                };
                assert_eq!(found.frames.len(), 2, "byte {at}");
                assert!(found.frames.iter().all(|f| f.1 != lost), "byte {at}");
                assert!(found.set_aside.is_some() || !second, "byte {at}");
                if let Some(aside) = &found.set_aside {
                    let length = if second { FRAME + 3 } else { FRAME + 5 };
                    assert_eq!(std::fs::read(aside).unwrap().len(), length);
                    std::fs::remove_file(aside).unwrap();
                } else {
                    assert!(found.cut > 0);
                }
            }
        }
    }

    /// The ids of two stores, made by chance as all are.
    const STORES: [u128; 2] = [
        0x3f6b_2c91_84d7_4e0a_9d15_70c8_e2ab_46f3,
        0xa90d_5e37_1b62_48fc_8e71_d54a_093c_b78e,
    ];

    #[test]
    fn the_log_of_another_store_is_put_aside() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.log");
        let [ours, other] = STORES;
        let (mut log, _) = Log::open(path.clone(), ours, 0).unwrap();
        log.append(b"one").unwrap();
        drop(log);
        assert!(contents(&path, other, 0).is_empty());
        let (_, found) = Log::open(path.clone(), other, 0).unwrap();
        assert!(found.frames.is_empty());
        assert_eq!(found.set_aside, Some(folder.path().join("a.log.other-1")));
    }

    #[test]
    fn a_damaged_head_costs_no_frame_behind_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.log");
        let store = STORES[0];
        let (mut log, _) = Log::open(path.clone(), store, 0).unwrap();
        for content in [&b"one"[..], b"two", b"three"] {
            log.append(content).unwrap();
        }
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        let mut damaged: Vec<(Vec<u8>, usize)> = (0..HEAD * 8)
            .map(|bit| {
                let mut bytes = whole.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                (bytes, 3)
            })
            .collect();
        // A mark, an id, a head, and a head with the first frame, of which nothing is left.
        for (from, to, left) in [
            (0, 16, 3),
            (16, HEAD, 3),
            (0, HEAD, 3),
            (0, HEAD + FRAME, 2),
        ] {
            for nothing in [0, 0xff] {
                let mut bytes = whole.clone();
                bytes[from..to].fill(nothing);
                damaged.push((bytes, left));
            }
        }
        for (bytes, left) in damaged {
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(contents(&path, store, 0).len(), left);
            let (mut log, found) = Log::open(path.clone(), store, 0).unwrap();
            assert_eq!(found.frames.len(), left);
            let aside = found.set_aside.unwrap();
            assert!(
                aside.to_string_lossy().contains(".log.damaged-"),
                "{aside:?}"
            );
            // It is mended, and can be written on.
            log.append(b"more").unwrap();
            drop(log);
            let (_, again) = Log::open(path.clone(), store, 0).unwrap();
            assert_eq!(again.frames.len(), left + 1);
            // A frame that is lost is found lost again, until the log is emptied.
            assert_eq!(again.set_aside.is_none(), left == 3);
        }
        // What has no frame is no log: it stays as it is, under another name.
        let text = b"somebody wrote this, and it is nobody's log of events";
        std::fs::write(&path, text).unwrap();
        let (_, found) = Log::open(path.clone(), store, 0).unwrap();
        assert_eq!(std::fs::read(found.set_aside.unwrap()).unwrap(), text);
    }
}
