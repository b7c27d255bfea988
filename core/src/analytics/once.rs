//! Requests that make something and come with a key: one that is sent again within 24 hours makes nothing new.

use serde_json::Value;

use super::ingest::{digest, key_fault};
use crate::access::Principal;
use crate::error::{Error, ErrorKind, FieldError, Result};
use crate::metadata::keys::{self, Made};
use crate::metadata::{ObjectId, Session};
use crate::query::Instant;

/// How long keys are known, in microseconds.
const DAY: i64 = 86_400_000_000;

/// A key and what was asked for with it, as they are kept; nothing of either can be read there.
pub(super) struct Once {
    /// Nothing where the request came without a key.
    key: Option<String>,
    body: String,
    now: Instant,
}

impl Once {
    /// A key of somebody for one sort of request.
    pub(super) fn new(
        who: &Principal,
        sort: &str,
        key: Option<&str>,
        (body, now): (&Value, Instant),
    ) -> Self {
        let key = key.map(|key| digest(&[who.id().as_bytes(), sort.as_bytes(), key.as_bytes()]));
        Self {
            key: key.map(|key| format!("{key:032x}")),
            body: format!("{:032x}", digest(&[body.to_string().as_bytes()])),
            now,
        }
    }

    /// What was made under this key before.
    pub(super) fn made(&self, session: &mut dyn Session) -> Result<Option<ObjectId>> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        let Some(made) = keys::find(session, key, self.since())? else {
            return Ok(None);
        };
        if made.body != self.body {
            return Err(Error::new(
                ErrorKind::Conflict,
                "idempotency_key_reused",
                "this key was given to another request within the last 24 hours",
            ));
        }
        made.id.parse().map(Some)
    }

    /// It is made now, in the same change as this is kept.
    pub(super) fn keep(&self, session: &mut dyn Session, id: ObjectId) -> Result<()> {
        let Some(key) = &self.key else {
            return Ok(());
        };
        let made = Made {
            body: self.body.clone(),
            id: id.to_string(),
        };
        keys::keep(session, key, &made, (self.now, self.since()))
    }

    fn since(&self) -> Instant {
        Instant::saturating_from_micros(self.now.micros().saturating_sub(DAY))
    }
}

/// What was read of a request, unless its key is none; what else is wrong with it is told too.
pub(super) fn with_key<T>(read: Result<T>, key: Option<&str>) -> Result<T> {
    with(read, key_fault(key).into_iter().collect())
}

/// What was read, unless there are more faults; then all of them.
pub(super) fn with<T>(read: Result<T>, more: Vec<FieldError>) -> Result<T> {
    if more.is_empty() {
        return read;
    }
    let mut faults = match read {
        Err(error) if error.field_errors().is_empty() => return Err(error),
        Err(error) => error.field_errors().to_vec(),
        Ok(_) => Vec::new(),
    };
    faults.extend(more);
    Err(Error::fields(faults))
}
