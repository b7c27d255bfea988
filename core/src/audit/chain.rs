//! The chain of hashes: how entries are put at its end, and how it is checked.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::metadata::{Entry, Session, entries};

/// What checking the record found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// How many entries were found whole, from the first on.
    pub entries: u64,
    /// The hash of the last of them: noted down elsewhere, it shows later that nothing up to it was rewritten.
    pub head: String,
    /// The first entry that is not what it was, if any is not.
    pub broken: Option<Broken>,
}

/// An entry that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Broken {
    /// Its number.
    pub seq: i64,
    /// What is wrong with it.
    pub reason: String,
}

/// How many entries are read at once.
const PAGE: usize = 10_000;

/// Puts entries at the end of the chain, in order.
pub(crate) fn append(session: &mut dyn Session, mut fresh: Vec<Entry>) -> Result<()> {
    let mut head = entries::head(session)?;
    for entry in &mut fresh {
        head.seq += 1;
        entry.seq = head.seq;
        entry.hash = hash(&head.hash, entry)?;
        head.hash.clone_from(&entry.hash);
    }
    entries::append(session, &fresh)
}

/// Checks every entry from the first on, and names the first that was changed, removed or put in.
///
/// # Errors
/// What reading the store raises.
pub fn verify(session: &mut dyn Session) -> Result<Verification> {
    let end = entries::head(session)?;
    let mut found = Verification {
        entries: 0,
        head: String::new(),
        broken: None,
    };
    let (mut last, mut next) = (0, 1);
    loop {
        let page = entries::after(session, last, PAGE)?;
        for entry in &page {
            // What was appended since `end` was read is whole as well, but not what the end says.
            if next > end.seq {
                break;
            }
            let wrong = if entry.seq != next {
                Some((next, "is missing".to_owned()))
            } else if hash(&found.head, entry)? != entry.hash {
                Some((entry.seq, "is not what its hash says".to_owned()))
            } else {
                None
            };
            if let Some((seq, reason)) = wrong {
                found.broken = Some(Broken { seq, reason });
                return Ok(found);
            }
            found.entries += 1;
            found.head.clone_from(&entry.hash);
            (last, next) = (entry.seq, next + 1);
        }
        if page.len() < PAGE || next > end.seq {
            break;
        }
    }
    if next <= end.seq {
        found.broken = Some(Broken {
            seq: next,
            reason: "is missing: the record was cut off".to_owned(),
        });
    } else if found.head != end.hash {
        found.broken = Some(Broken {
            seq: end.seq,
            reason: "is not the one the record ended with".to_owned(),
        });
    }
    Ok(found)
}

/// The hash of an entry after one of that hash.
fn hash(before: &str, entry: &Entry) -> Result<String> {
    // A JSON array has one reading only, whatever the texts hold.
    let content = serde_json::to_vec(&(
        before,
        entry.seq,
        entry.at,
        &entry.who,
        &entry.role,
        &entry.origin,
        &entry.request,
        &entry.action,
        &entry.object,
        &entry.outcome,
        &entry.reason,
    ))
    .map_err(Error::internal)?;
    let hash = Sha256::digest(&content);
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}
