//! A store whose engine left a log behind is first opened by another process: replaying a damaged log may end the process that does, and
//! must not end the server again and again.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use travelsense::{Analytics, Options};

use super::failure::Failure;
use super::store::{self, Store};

/// Opens a store and closes it again
#[derive(Debug, clap::Args)]
pub(super) struct Preflight {
    #[command(flatten)]
    store: Store,
}

/// How the process ends that finds the store damaged, or wants more memory than it may have.
const DAMAGED: u8 = 70;
const ENDLESS: u8 = 71;

impl Preflight {
    /// Opens it and closes it again; the exit code says what stood in the way.
    pub(super) fn run(self) -> ExitCode {
        let opened = Analytics::open_with(Options {
            path: Some(store::file(&self.store.data)),
            ..Options::default()
        });
        match opened {
            Ok(opened) => {
                opened.close();
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
pub(super) fn check(data: &Path) -> Result<Option<PathBuf>, Failure> {
    let mut log = OsString::from(store::file(data));
    log.push(".wal");
    let log = PathBuf::from(log);
    let Some(length) = std::fs::metadata(&log).ok().map(|found| found.len()) else {
        return Ok(None);
    };
    if length == 0 {
        return Ok(None);
    }
    let failed = |e: io::Error| Failure::failed(format!("--data: `{}`: {e}", log.display()));
    let stands_in_the_way = || -> Result<bool, Failure> {
        let opened = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["preflight", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(failed)?;
        let is = |code: u8| opened.code() == Some(i32::from(code));
        // A small log wants more memory than there is only where a length in it is damaged. Anything else that is wrong, such as a
        // full disk, is told when it is opened here.
        Ok(broke(opened) || is(DAMAGED) || is(ENDLESS) && length < SMALL)
    };
    if begins(&log).map_err(failed)? && (!stands_in_the_way()? || !stands_in_the_way()?) {
        return Ok(None);
    }
    put_aside(&log).map_err(failed)
}

/// How a log of the engine begins: with an entry that tells its version.
const BEGINS: [u8; 5] = [0x64, 0x00, 0x62, 0x65, 0x00];

/// Whether a log begins as one does, or was cut short in that; the engine takes anything else for none and throws it away.
fn begins(log: &Path) -> io::Result<bool> {
    let mut found = Vec::new();
    let file = std::fs::File::open(log)?;
    file.take(BEGINS.len() as u64).read_to_end(&mut found)?;
    Ok(BEGINS.starts_with(&found))
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
    let named = |part: &str, number: u32| {
        let mut name = log.to_owned().into_os_string();
        name.push(part);
        if number > 0 {
            name.push(format!(".damaged-{number}"));
        }
        PathBuf::from(name)
    };
    let free = |number: &u32| PARTS.iter().all(|part| !named(part, *number).exists());
    let Some(number) = (1..u32::MAX).find(free) else {
        return Ok(None);
    };
    for part in PARTS.into_iter().filter(|part| named(part, 0).exists()) {
        std::fs::rename(named(part, 0), named(part, number))?;
    }
    Ok(Some(named("", number)))
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
    fn what_is_no_log_of_the_engine_is_put_aside_and_not_thrown_away() {
        let folder = tempfile::TempDir::new().unwrap();
        let data = folder.path().join("events.db");
        let store = Analytics::open(&data).unwrap();
        store
            .ingest(
                &travelsense::Principal::owner(),
                &serde_json::json!([{ "userId": "u", "name": "a", "ts": "2026-01-01T10:00:00Z" }]),
            )
            .unwrap();
        let log = folder.path().join("events.db.wal");
        assert!(begins(&log).unwrap(), "a log of this version of the engine");
        drop(store);
        for (text, aside) in [
            (&[0; 100][..], true),
            (b"garbage", true),
            (&BEGINS[..3], false),
        ] {
            std::fs::write(&log, text).unwrap();
            assert_eq!(!begins(&log).unwrap(), aside, "{text:?}");
        }
        std::fs::write(&log, [0; 100]).unwrap();
        let aside = check(&data).unwrap().unwrap();
        assert_eq!(std::fs::read(aside).unwrap(), [0; 100]);
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
