//! Whether a disk that was full has room again.

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked for.
const AGAIN: Duration = Duration::from_secs(2);

const MEBIBYTE: usize = 1 << 20;

/// Waits until there is room beside a store for what opening it writes; tells whether there was none.
pub(crate) async fn wait(store: PathBuf) -> bool {
    let mut told = false;
    loop {
        let store = store.clone();
        let found = tokio::task::spawn_blocking(move || is_there(&store)).await;
        if found.unwrap_or(true) {
            return told;
        }
        if !told {
            tracing::error!("the disk is full: the store is opened again as soon as there is room");
            told = true;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Whether as much can be written beside a store as its logs hold, which are taken into it when it is opened. Whatever else keeps a file
/// from being written is told by whoever opens the store.
fn is_there(store: &Path) -> bool {
    let beside = |more: &str| -> PathBuf {
        let mut name = OsString::from(store);
        name.push(more);
        name.into()
    };
    let logs = [".log", ".wal"].map(|log| beside(log).metadata().map_or(0, |m| m.len()));
    let pieces = logs.iter().sum::<u64>() / MEBIBYTE as u64 + 1;
    let probe = beside(".room");
    let written = File::create(&probe).and_then(|mut file| {
        let piece = vec![0; MEBIBYTE];
        (0..pieces).try_for_each(|_| file.write_all(&piece))?;
        file.sync_all()
    });
    let _ = std::fs::remove_file(&probe);
    let full = [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::FileTooLarge,
        ErrorKind::WriteZero,
    ];
    !written.is_err_and(|error| full.contains(&error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_looked_for_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("w.db");
        std::fs::write(folder.path().join("w.db.log"), "x").unwrap();
        assert!(is_there(&store));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        // A folder that is not there is no full disk.
        assert!(is_there(&folder.path().join("gone/w.db")));
        // This device is always full.
        #[cfg(target_os = "linux")]
        {
            std::os::unix::fs::symlink("/dev/full", folder.path().join("f.db.room")).unwrap();
            assert!(!is_there(&folder.path().join("f.db")));
        }
    }
}
