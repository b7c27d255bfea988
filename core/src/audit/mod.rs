//! The record: who did what, when, from where, with which outcome and why. Every entry holds the hash of the one before it, so that
//! none can be changed, removed or put between others unseen.

mod anchor;
mod chain;
mod list;
mod recorder;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use self::anchor::Anchor;
pub(crate) use self::chain::append;
pub use self::chain::{Broken, Verification, verify};
pub use self::list::{Listed, list};
pub(crate) use self::recorder::Recorder;
use crate::access::Principal;
use crate::error::{Error, ErrorKind};
use crate::metadata::Entry;
use crate::query::Instant;

/// Something done to something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What, such as `dashboard.update`; what stands before the dot groups actions.
    pub action: &'static str,
    /// To what, such as `dashboard/6955b90001020304050607ff`.
    pub object: String,
}

impl Act {
    /// This action on that object.
    pub fn new(action: &'static str, object: impl Into<String>) -> Self {
        Self {
            action,
            object: object.into(),
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// Whoever asked may not.
    Refused,
    /// It could not be done.
    Failed,
}

impl Outcome {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Allowed, Self::Refused, Self::Failed];

    /// How something ended that was not done, and what the record says of it. A fault of ours is not described to those who read the
    /// record.
    pub fn of(error: &Error) -> (Self, &str) {
        match error.kind() {
            ErrorKind::Forbidden | ErrorKind::Unauthenticated => (Self::Refused, error.message()),
            ErrorKind::Internal => (Self::Failed, error.code()),
            _ => (Self::Failed, error.message()),
        }
    }

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The longest text of an entry in characters; what a caller made up may be longer.
const LONGEST: usize = 500;

/// An entry that has no place in the record yet.
pub(crate) fn entry(
    who: &Principal,
    act: &Act,
    (outcome, reason): (Outcome, &str),
    at: Instant,
) -> Entry {
    // PostgreSQL takes no NUL within text.
    let plain = |text: &str| -> String {
        let shown = text.chars().map(|c| if c == '\0' { '\u{fffd}' } else { c });
        shown.take(LONGEST).collect()
    };
    Entry {
        at,
        who: plain(who.id()),
        role: plain(who.role()),
        origin: plain(who.origin()),
        request: plain(who.request()),
        action: act.action.to_owned(),
        object: plain(&act.object),
        outcome: outcome.name().to_owned(),
        reason: plain(reason),
        ..Entry::default()
    }
}
