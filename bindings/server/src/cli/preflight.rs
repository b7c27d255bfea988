//! A store whose engine left a log behind is first opened by another process: replaying a damaged log may end the process that does, and
//! must not end the server again and again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::failure::Failure;
use super::store::Store;
use super::{Outcome, store};

/// Opens a store and closes it again
#[derive(Debug, clap::Args)]
pub(super) struct Preflight {
    #[command(flatten)]
    store: Store,
}

impl Preflight {
    /// Opens it and closes it again.
    pub(super) fn run(self) -> Outcome {
        self.store.write()?.close();
        Ok(())
    }
}

/// Sees whether the store can be opened here; where the engine's log stands in the way it is put aside, and where to is told. The log
/// of events has what was acknowledged since the file was whole.
pub(super) fn check(data: &Path) -> Result<Option<PathBuf>, Failure> {
    let mut log = OsString::from(store::file(data));
    log.push(".wal");
    let log = PathBuf::from(log);
    if !std::fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        return Ok(None);
    }
    let failed = |e: std::io::Error| Failure::failed(format!("--data: `{}`: {e}", log.display()));
    let opened = Command::new(std::env::current_exe().map_err(failed)?)
        .args(["preflight", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    let said = String::from_utf8_lossy(&opened.stderr);
    // Anything else that is wrong, such as a full disk, is told when it is opened here.
    let died = opened.status.code().is_none();
    if opened.status.success() || !(died || said.contains("is damaged")) {
        return Ok(None);
    }
    let aside = (1_u32..).map(|number| {
        let mut name = log.clone().into_os_string();
        name.push(format!(".damaged-{number}"));
        PathBuf::from(name)
    });
    let Some(aside) = aside.into_iter().find(|name| !name.exists()) else {
        return Ok(None);
    };
    std::fs::rename(&log, &aside).map_err(failed)?;
    Ok(Some(aside))
}
