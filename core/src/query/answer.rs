//! How answers get their identity: the same question over the same data gives the same bytes, and the same `_id`.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The `_id` of an answer: the first 24 hex digits of the SHA-256 of its JSON without an `_id`.
pub(crate) fn id<T: Serialize>(answer: &T) -> Result<String> {
    let json = serde_json::to_vec(answer).map_err(Error::internal)?;
    let hash = Sha256::digest(&json);
    Ok(hash.iter().take(12).map(|b| format!("{b:02x}")).collect())
}
