//! How answers get their identity: the same question over the same data gives the same bytes, and the same `_id`.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Zone;
use crate::error::{Error, Result};

/// What an answer is and what it was computed from (G2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// The first 24 hex digits of `resultHash`.
    #[serde(rename = "_id", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The SHA-256, in hex, of everything in the answer but this stamp: equal numbers of equal questions have equal hashes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub result_hash: String,
    /// What it was computed from.
    #[serde(flatten)]
    pub versions: Option<Versions>,
}

/// The versions of what an answer is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// Of everything stored: equal for equal contents, whatever the order, the batches and the number of loads.
    pub data_version: String,
    /// Of who is who (I5).
    pub identity_version: String,
    /// Of the time zone database.
    pub tzdb: &'static str,
}

impl Versions {
    /// The versions of a store whose contents and identities have these hashes.
    pub(crate) fn new(events: u64, contents: [u64; 2], identities: u64) -> Self {
        Self {
            data_version: format!("{events}-{:016x}{:016x}", contents[0], contents[1]),
            identity_version: format!("{identities:016x}"),
            tzdb: Zone::database_version(),
        }
    }
}

/// The stamp of an answer that has an empty one.
pub(crate) fn stamp<T: Serialize>(answer: &T, versions: Versions) -> Result<Stamp> {
    let hash = hash(answer)?;
    Ok(Stamp {
        id: hash.chars().take(24).collect(),
        result_hash: hash,
        versions: Some(versions),
    })
}

fn hash<T: Serialize>(answer: &T) -> Result<String> {
    let json = serde_json::to_vec(answer).map_err(Error::internal)?;
    let hash = Sha256::digest(&json);
    Ok(hash.iter().map(|b| format!("{b:02x}")).collect())
}
