//! A store whose engine left a log behind is first opened by another process: replaying a damaged log may end the process that does, and
//! must not end the server again and again.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use serde::{Deserialize, Serialize};
use travelsense::{Analytics, Options, Principal, Recovery};

use super::failure::Failure;
use super::output;
use super::store::{self, Store};

/// Opens a store and closes it again
#[derive(Debug, clap::Args)]
pub(super) struct Preflight {
    #[command(flatten)]
    store: Store,

    /// Opens what is kept beside the events too
    #[arg(long)]
    metadata: bool,

    /// Ends when its standard input does, whatever it is at: it is nobody's when whoever began it is gone
    #[arg(long)]
    accompanied: bool,
}

/// How the process ends that finds the store damaged, or wants more memory than it may have.
const DAMAGED: u8 = 70;
const ENDLESS: u8 = 71;

/// What was found before the store is opened.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Where the engine's log was put, which is damaged.
    pub(super) aside: Option<PathBuf>,
    /// What the log of events brought back meanwhile.
    pub(super) recovery: Recovery,
}

/// What the process says that opened the store.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Said {
    recovery: Recovery,
    batches: u64,
}

impl Preflight {
    /// Opens it and closes it again; the exit code says what stood in the way, and what is written what was brought back.
    pub(super) fn run(self) -> ExitCode {
        if self.accompanied {
            std::thread::spawn(|| {
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                std::process::exit(1);
            });
        }
        let opened = Analytics::open_with(Options {
            path: Some(store::file(&self.store.data)),
            ..Options::default()
        });
        let opened = opened.and_then(|opened| {
            if self.metadata {
                opened.metadata()?;
            }
            Ok(opened)
        });
        match opened {
            Ok(opened) => {
                let status = opened.ingest_status(&Principal::owner());
                let recovery = status.map(|status| status.recovery).unwrap_or_default();
                opened.close();
                let said = Said {
                    batches: recovery.batches,
                    recovery,
                };
                // Where nobody listens, it is opened all the same.
                let _ = output::line(&serde_json::to_string(&said).unwrap_or_default());
                ExitCode::SUCCESS
            }
            Err(error) => match error.code() {
                "corrupt" => ExitCode::from(DAMAGED),
                "memory_limit" => ExitCode::from(ENDLESS),
                _ => ExitCode::FAILURE,
            },
        }
    }
}

/// Sees whether the store can be opened here; where the engine's log stands in the way it is put aside, and where to is told. The log
/// of events has what was acknowledged since the file was whole.
///
/// A log stands in the way only where it is damaged, or where the engine breaks over it twice: a process that was killed, for want of
/// memory say, says nothing of the log.
///
/// The engine takes damage in some places for a log whose writing was never finished, and throws the rest of it away without a word: one
/// that does not begin as its logs do is put aside before it sees it, and where it lost more than the batch that was under way, which the
/// log of events then brings back, a copy is kept.
pub(super) fn check(data: &Path) -> Result<Found, Failure> {
    let mut log = OsString::from(store::file(data));
    log.push(".wal");
    let log = PathBuf::from(log);
    let copy = log.with_extension("wal.copy");
    // Left by one that was killed; it holds events, which may be erased.
    let _ = std::fs::remove_file(&copy);
    let Some(length) = std::fs::metadata(&log).ok().map(|found| found.len()) else {
        return Ok(Found::default());
    };
    if length == 0 {
        return Ok(Found::default());
    }
    let failed = |e: io::Error| Failure::failed(format!("--data: `{}`: {e}", log.display()));
    let aside = |aside: Option<PathBuf>, recovery: Recovery| Found { aside, recovery };
    if !begins_well(&log).map_err(failed)? {
        return Ok(aside(put_aside(&log).map_err(failed)?, Recovery::default()));
    }
    // A large one is not worth the time, nor one for which there is no room.
    let copied = length < SMALL && std::fs::copy(&log, &copy).is_ok();
    let found = opened(data, &[], length)
        .map_err(failed)
        .and_then(|tried| match tried {
            Opened::Hindered => Ok(aside(put_aside(&log).map_err(failed)?, Recovery::default())),
            Opened::Done(said) if said.batches > 1 && copied => {
                let kept = free(&log).map(|number| named(&log, "", number));
                if let Some(kept) = &kept {
                    std::fs::rename(&copy, kept).map_err(failed)?;
                }
                Ok(aside(kept, said.recovery))
            }
            Opened::Done(said) => Ok(aside(None, said.recovery)),
        });
    let _ = std::fs::remove_file(&copy);
    found
}

/// The same for the log of what is kept beside the events: dashboards, alert rules, the record of who did what. Nothing else has what
/// was changed since that file was whole.
pub(super) fn check_metadata(data: &Path) -> Result<Option<PathBuf>, Failure> {
    let mut log = OsString::from(store::file(data));
    log.push(".meta.wal");
    let log = PathBuf::from(log);
    let Some(length) = std::fs::metadata(&log).ok().map(|found| found.len()) else {
        return Ok(None);
    };
    let failed = |e: io::Error| Failure::failed(format!("--data: `{}`: {e}", log.display()));
    let stands_in_the_way = length > 0
        && (!begins_well(&log).map_err(failed)?
            || matches!(
                opened(data, &["--metadata"], length).map_err(failed)?,
                Opened::Hindered
            ));
    match stands_in_the_way {
        true => put_aside(&log).map_err(failed),
        false => Ok(None),
    }
}

/// Opens a store by another process, and once more where a log of so many bytes stood in the way.
fn opened(data: &Path, what: &[&str], length: u64) -> io::Result<Opened> {
    let open = || -> io::Result<Opened> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["preflight", "--accompanied", "--data"])
            .arg(data)
            .args(what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // As long as this is open it goes on, and so no longer than this process.
        let open = child.stdin.take();
        let opened = child.wait_with_output()?;
        drop(open);
        let (text, opened) = (opened.stdout, opened.status);
        let is = |code: u8| opened.code() == Some(i32::from(code));
        // A small log wants more memory than there is only where a length in it is damaged. Anything else that is wrong, such as a
        // full disk, is told when it is opened here.
        if broke(opened) || is(DAMAGED) || is(ENDLESS) && length < SMALL {
            return Ok(Opened::Hindered);
        }
        // One that could not open it says nothing.
        let said = serde_json::from_slice(&text).unwrap_or_default();
        Ok(Opened::Done(said))
    };
    match open()? {
        Opened::Hindered => open(),
        done @ Opened::Done(_) => Ok(done),
    }
}

/// How it went to open a store.
enum Opened {
    /// The log of the engine stood in the way.
    Hindered,
    /// It did not.
    Done(Said),
}

/// What every log of the engine begins with: a version, of which only the number differs.
const HEAD: [Option<u8>; 8] = [
    Some(0x64),
    Some(0),
    Some(98),
    Some(0x65),
    Some(0),
    None,
    Some(0xff),
    Some(0xff),
];

/// Whether a log begins as the engine's do, as far as it goes.
fn begins_well(log: &Path) -> io::Result<bool> {
    let mut head = Vec::with_capacity(HEAD.len());
    let file = std::fs::File::open(log)?;
    file.take(HEAD.len() as u64).read_to_end(&mut head)?;
    let mut both = HEAD.iter().zip(&head);
    Ok(both.all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == *is)))
}

/// A log of fewer bytes is replayed within any memory that a server has.
const SMALL: u64 = 32 << 20;

/// Whether a process ended because it broke, and not because it was ended.
fn broke(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        // SIGILL, SIGABRT, SIGSEGV and, with a number of its own on Linux, SIGBUS.
        let bus = if cfg!(target_os = "linux") { 7 } else { 10 };
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        signal.is_some_and(|signal| [4, 6, 11, bus].contains(&signal))
    }
    #[cfg(not(unix))]
    {
        // There the code is that of the exception: an error has its two highest bits.
        status.code().is_some_and(|code| code as u32 >> 30 == 3)
    }
}

/// Renames the engine's log, and what a checkpoint of it that was cut short left beside it.
fn put_aside(log: &Path) -> io::Result<Option<PathBuf>> {
    let Some(number) = free(log) else {
        return Ok(None);
    };
    for part in PARTS
        .into_iter()
        .filter(|part| named(log, part, 0).exists())
    {
        std::fs::rename(named(log, part, 0), named(log, part, number))?;
    }
    Ok(Some(named(log, "", number)))
}

/// The name of a part of the engine's log, where it is or where it is put.
fn named(log: &Path, part: &str, number: u32) -> PathBuf {
    let mut name = log.to_owned().into_os_string();
    name.push(part);
    if number > 0 {
        name.push(format!(".damaged-{number}"));
    }
    PathBuf::from(name)
}

/// The first number under which nothing was put aside.
fn free(log: &Path) -> Option<u32> {
    let free = |number: &u32| PARTS.iter().all(|part| !named(log, part, *number).exists());
    (1..u32::MAX).find(free)
}

/// The files of the engine's log, by what their names have behind that of the log itself, which goes last.
const PARTS: [&str; 3] = [".checkpoint", ".recovery", ""];

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_a_process_that_broke_says_something_of_the_log() {
        let end = |script: &str| {
            let ended = Command::new("sh").args(["-c", script]).status().unwrap();
            broke(ended)
        };
        assert!(end("kill -ABRT $$") && end("kill -SEGV $$"));
        assert!(!end("kill -KILL $$") && !end("kill -TERM $$") && !end("exit 1"));
    }

    #[test]
    fn what_is_no_log_of_the_engine_is_seen_before_it_is_opened() {
        let folder = tempfile::TempDir::new().unwrap();
        let log = folder.path().join("a.db.wal");
        let well = |bytes: &[u8]| {
            std::fs::write(&log, bytes).unwrap();
            begins_well(&log).unwrap()
        };
        let good = b"\x64\0\x62\x65\0\x02\xff\xff\x13\0";
        // Its writing may have ended anywhere.
        assert!((0..good.len()).all(|end| well(&good[..end])));
        assert!(!well(&[0; 100]) && !well(b"garbage"));
        for at in [0, 1, 2, 3, 4, 6, 7] {
            let mut bytes = good.to_vec();
            bytes[at] ^= 1;
            assert!(!well(&bytes), "byte {at}");
        }
    }

    #[test]
    fn the_logs_that_the_engine_writes_begin_so() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = Analytics::open(folder.path().join("a.db")).unwrap();
        let owner = Principal::owner();
        let event = serde_json::json!([{"userId": "u", "name": "a", "ts": "2026-01-05"}]);
        store.ingest(&owner, &event).unwrap();
        let rule = serde_json::json!({"name": "r", "source": {"system": "failures"}, "condition": {"type": "no_data"}});
        store.create_alert(&owner, &rule).unwrap();
        for log in ["a.db.wal", "a.db.meta.wal"] {
            let log = folder.path().join(log);
            assert!(log.metadata().unwrap().len() > HEAD.len() as u64);
            assert!(begins_well(&log).unwrap(), "{log:?}");
        }
    }

    #[test]
    fn all_of_a_log_is_put_aside_and_nothing_before_it_written_over() {
        let folder = tempfile::TempDir::new().unwrap();
        let log = folder.path().join("a.db.wal");
        for round in 1..3 {
            std::fs::write(&log, "log").unwrap();
            std::fs::write(log.with_extension("wal.checkpoint"), "c").unwrap();
            let aside = put_aside(&log).unwrap().unwrap();
            assert!(aside.ends_with(format!("a.db.wal.damaged-{round}")));
            let mut names: Vec<_> = std::fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            assert_eq!(names.len(), 2 * round, "{names:?}");
            assert!(!log.exists());
        }
    }
}
