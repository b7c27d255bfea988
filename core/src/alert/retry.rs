//! When a notification that could not be delivered is tried again.

use sha2::{Digest, Sha256};

use crate::query::Instant;

/// How long after each failure it is tried again, in seconds.
const DELAYS: [i64; 9] = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 72_000];

/// How often a notification is tried in all before it is given up: over about a day and a half.
pub const ATTEMPTS: u32 = DELAYS.len() as u32 + 1;

/// How long, in microseconds, whoever takes a notification to deliver it has it for themselves.
pub const LEASE: i64 = 120_000_000;

/// When a notification is tried again after it failed so many times; nothing where it is given up.
///
/// Up to a fifth earlier or later, by the notification, so that those which failed together do not come back together.
pub fn after(id: &str, failures: u32, now: Instant) -> Option<Instant> {
    let delay = DELAYS.get(failures.checked_sub(1)? as usize)? * 1_000_000;
    let hash = Sha256::digest(format!("{id}/{failures}"));
    let dice = hash
        .iter()
        .take(2)
        .fold(0, |all, byte| all * 256 + i64::from(*byte));
    let spread = delay * 2 / 5 * dice / 65_535;
    Some(Instant::saturating_from_micros(
        now.micros().saturating_add(delay - delay / 5 + spread),
    ))
}
