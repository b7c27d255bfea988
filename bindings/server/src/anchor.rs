//! Anchors of the record in a file: a line every minute, or every thousand entries, where there are new ones.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use travelsense::access::Signer;
use travelsense::audit::Anchor;
use travelsense::{Analytics, Error, Principal, Result};

/// How often it is looked where the record ends.
const LOOK: Duration = Duration::from_secs(1);

/// After so long, or so many entries, there is another anchor.
const LONGEST: Duration = Duration::from_secs(60);
const MOST: i64 = 1_000;

/// No line has more bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// Where anchors are kept, and what signs them.
#[derive(Clone, Debug)]
pub(crate) struct Anchors {
    file: PathBuf,
    signer: Signer,
}

impl Anchors {
    /// Anchors that are signed so and kept in that file, which grows.
    pub(crate) fn new(file: PathBuf, signer: Signer) -> Self {
        Self { file, signer }
    }

    /// The server has stopped: where the record ends is the last line.
    pub(crate) fn end(&self, analytics: &Analytics) {
        if let Err(error) = self.add(analytics) {
            tracing::error!(?error, "the end of the record cannot be anchored");
        }
    }

    /// Where the record ends now becomes the last line, durably.
    fn add(&self, analytics: &Analytics) -> Result<Anchor> {
        let anchor = analytics.audit_anchor(&Principal::owner())?;
        let line = anchor.sign(&self.signer)?;
        append(&self.file, &line).map_err(Error::internal)?;
        Ok(anchor)
    }
}

/// Adds a whole line, or nothing. A piece of one, as a full disk or a death leaves it, is no anchor, and is cut off.
fn append(file: &Path, line: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).read(true).append(true).open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LINE)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let end = length - (tail.len() - whole) as u64;
    if end < length {
        file.set_len(end)?;
    }
    let written = file
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| file.sync_data());
    if written.is_err() {
        let _ = file.set_len(end);
    }
    written
}

/// Keeps anchors until the server stops; where the record ends then is for [`Anchors::end`].
pub(crate) async fn run(
    analytics: Arc<Analytics>,
    anchors: Anchors,
    mut stopped: watch::Receiver<bool>,
) {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        let (store, kept) = (Arc::clone(&analytics), anchors.clone());
        let due = since.elapsed() >= LONGEST;
        let looked = tokio::task::spawn_blocking(move || {
            let end = store.audit_anchor(&Principal::owner())?.seq;
            if end == last || !due && end - last < MOST {
                return Ok(None);
            }
            kept.add(&store).map(Some)
        });
        match looked.await {
            Ok(Ok(Some(anchor))) => (last, since) = (anchor.seq, Instant::now()),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(?error, "the record cannot be anchored"),
            Err(error) => tracing::error!(%error, "the record cannot be anchored"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_a_line_is_cut_off_and_spoils_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anchors");
        let text = || std::fs::read_to_string(&file).unwrap();
        append(&file, "one").unwrap();
        append(&file, "two").unwrap();
        assert_eq!(text(), "one\ntwo\n");
        std::fs::write(&file, "one\ntw").unwrap();
        append(&file, "three").unwrap();
        assert_eq!(text(), "one\nthree\n");
        std::fs::write(&file, "on").unwrap();
        append(&file, "four").unwrap();
        assert_eq!(text(), "four\n");
    }
}
