//! What must not be guessed: keys and ids from the system's source of randomness.

use travelsense::{Error, Result};

/// So many unpredictable bytes, in hexadecimal.
///
/// # Errors
/// `internal` where the system has no source of randomness.
pub(crate) fn hex<const N: usize>() -> Result<String> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal(e.to_string()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// An id that no other request has.
pub(crate) fn id() -> String {
    hex::<16>().unwrap_or_else(|_| "unknown".to_owned())
}
