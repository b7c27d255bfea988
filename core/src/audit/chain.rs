//! The chain of hashes: how entries are put at its end, and how it is checked.

use std::collections::HashMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Anchor;
use crate::error::{Error, Result};
use crate::metadata::{Entry, Session, entries};
use crate::timeline::Course;

/// What checking the record found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// How many entries were found whole, from the first on.
    pub entries: u64,
    /// The hash of the last of them: noted down elsewhere, it shows later that nothing up to it was rewritten.
    pub head: String,
    /// How many anchors say the same.
    #[serde(skip_serializing_if = "is_none")]
    pub anchors: u64,
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

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Checks every entry from the first on, and names the first that was changed, removed or put in, or is not what an anchor says.
///
/// # Errors
/// What reading the store raises; `cancelled` or `timed_out`.
pub fn verify(
    session: &mut dyn Session,
    anchors: &[Anchor],
    course: Course<'_>,
) -> Result<Verification> {
    course.stop.check()?;
    let end = entries::head(session)?;
    let mut said: HashMap<i64, Vec<&Anchor>> = HashMap::new();
    for anchor in anchors {
        said.entry(anchor.seq).or_default().push(anchor);
    }
    let mut found = Verification {
        entries: 0,
        head: String::new(),
        anchors: 0,
        broken: None,
    };
    let mut next = 1;
    while next <= end.seq {
        let page = entries::after(session, next - 1, PAGE)?;
        for entry in &page {
            // What was appended since `end` was read is whole as well, but not what the end says.
            if next > end.seq {
                break;
            }
            let wrong = if entry.seq < next {
                Some((entry.seq, "is there twice".to_owned()))
            } else if entry.seq > next {
                Some((next, "is missing".to_owned()))
            } else if hash(&found.head, entry)? != entry.hash {
                Some((entry.seq, "is not what its hash says".to_owned()))
            } else {
                let here = said.remove(&entry.seq).unwrap_or_default();
                found.anchors += here.len() as u64;
                let other = here.into_iter().find(|a| a.hash != entry.hash);
                other.map(|a| {
                    (
                        entry.seq,
                        format!("is not what the anchor of {} says", a.at),
                    )
                })
            };
            if let Some((seq, reason)) = wrong {
                found.broken = Some(Broken { seq, reason });
                return Ok(found);
            }
            found.entries += 1;
            found.head.clone_from(&entry.hash);
            next += 1;
        }
        course.went(found.entries, end.seq.unsigned_abs())?;
        if page.len() < PAGE {
            break;
        }
    }
    // Where the record ends is read behind what is there: what is appended meanwhile moves both.
    let edges = entries::edges(session)?;
    let now = entries::head(session)?;
    if next <= end.seq {
        let behind = edges.is_some_and(|(_, last)| last > next);
        let reason = if behind {
            "is missing"
        } else {
            "is missing: the record was cut off"
        };
        found.broken = Some(Broken {
            seq: next,
            reason: reason.to_owned(),
        });
    } else if let Some(strange) = edges.and_then(|(first, last)| {
        let before = (first < 1).then_some(first);
        before.or((last > now.seq).then_some(last))
    }) {
        found.broken = Some(Broken {
            seq: strange,
            reason: "was put in: the record has no such number".to_owned(),
        });
    } else if let Some(later) = said.keys().min() {
        found.broken = Some(Broken {
            seq: *later,
            reason: "is missing: an anchor says that it was there".to_owned(),
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
