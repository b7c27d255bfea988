//! Batches with keys on their way: each is begun once, and known when it comes again.

use super::keys::{self, Begun, End, Keys};
use super::{Intake, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::warehouse::{Keyed, Warehouse};

/// What is known of a batch with a key when it arrives.
#[derive(Debug)]
pub(crate) enum Arrival<'a> {
    /// It was answered before, like this.
    Answered(String),
    /// It is new.
    New(Flight<'a>),
}

/// A batch with a key that is under way: until this is dropped nobody else begins it.
#[derive(Debug)]
pub(crate) struct Flight<'a> {
    intake: &'a Intake,
    keyed: Keyed,
    end: End,
}

impl Flight<'_> {
    /// It came to an end.
    pub(crate) fn ended<T>(&mut self, taken: &Result<T>) {
        self.end = match taken {
            Ok(_) => End::Stored,
            // It may have failed after it was stored.
            Err(error) if error.kind() == ErrorKind::Internal => End::Doubtful,
            Err(_) => End::Refused,
        };
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let panics = std::thread::panicking();
        let end = if panics { End::Doubtful } else { self.end };
        lock(&self.intake.keys).end(self.keyed, end);
    }
}

impl Intake {
    /// What was answered to the batch of this key; or it is new, and is under way.
    pub(crate) fn begin(&self, home: &dyn Warehouse, keyed: Keyed) -> Result<Arrival<'_>> {
        let begun = lock(&self.keys).begin(keyed)?;
        if begun == Begun::New {
            return Ok(Arrival::New(self.flight(keyed)));
        }
        let flight = (begun == Begun::Unsure).then(|| self.flight(keyed));
        let since = Keys::since(keyed.at);
        match home.answered(keyed.key)?.filter(|a| a.at >= since) {
            Some(answered) if answered.body == keyed.body => Ok(Arrival::Answered(answered.answer)),
            Some(_) => Err(keys::reused()),
            None => flight
                .map(Arrival::New)
                .ok_or_else(|| Error::internal("the answer to a batch was not kept")),
        }
    }

    pub(super) fn flight(&self, keyed: Keyed) -> Flight<'_> {
        Flight {
            intake: self,
            keyed,
            end: End::Refused,
        }
    }
}
