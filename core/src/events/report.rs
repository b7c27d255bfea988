//! What became of what was sent: accepted + duplicate + refused = sent, always.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::FieldError;

/// How many refusals of one import are listed; all are counted.
pub const LISTED: usize = 1_000;

/// What became of the rows of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// How many rows were read.
    pub sent: u64,
    /// How many were new, or took the place of another row of a platform table.
    pub accepted: u64,
    /// How many were there already, by their id.
    pub duplicates: u64,
    /// How many were not valid.
    pub refused: u64,
    /// How many of the refused were kept aside in `quarantine`, because their time lies in the future.
    pub quarantined: u64,
    /// How many rows of the same id and another content were kept out (I1).
    pub conflicts: u64,
    /// How many stored rows gave way to one of these.
    pub replaced: u64,
    /// How many were refused for which reason, by the code of the first thing wrong with each.
    pub refused_by_code: BTreeMap<&'static str, u64>,
    /// The first 1,000 refusals.
    pub refusals: Vec<Refusal>,
    /// The data version afterwards; unchanged where nothing was new.
    pub version: u64,
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The line of a text file, from 1, or the row of another source, from 1.
    pub line: u64,
    /// Everything wrong with it.
    pub errors: Vec<FieldError>,
}

/// What became of each event of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestReport {
    /// How many events were sent.
    pub sent: u64,
    /// How many were new.
    pub accepted: u64,
    /// How many were there already, by their id.
    pub duplicates: u64,
    /// How many were not valid.
    pub refused: u64,
    /// How many of the refused were kept aside in `quarantine`, because their time lies in the future.
    pub quarantined: u64,
    /// How many events of the same id and another content were kept out (I1).
    pub conflicts: u64,
    /// How many stored events gave way to one of these.
    pub replaced: u64,
    /// The answer to each event, in the order sent.
    pub events: Vec<EventAnswer>,
    /// The data version afterwards; unchanged where nothing was new.
    pub version: u64,
}

impl IngestReport {
    /// What became of this batch and of one behind it, as of one.
    pub(crate) fn followed_by(mut self, next: Self) -> Self {
        let first = self.sent;
        self.events
            .extend(next.events.into_iter().map(|answer| EventAnswer {
                index: answer.index + first,
                ..answer
            }));
        self.sent += next.sent;
        self.accepted += next.accepted;
        self.duplicates += next.duplicates;
        self.refused += next.refused;
        self.quarantined += next.quarantined;
        self.conflicts += next.conflicts;
        self.replaced += next.replaced;
        self.version = next.version;
        self
    }
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventAnswer {
    /// Its place in the batch, from 0.
    pub index: u64,
    /// What became of it.
    pub status: Status,
    /// Everything wrong with it, where it was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is stored, and durable.
    Accepted,
    /// An event of its id was stored before or came earlier in the batch.
    Duplicate,
    /// It is not valid.
    Refused,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many rows were read.
    pub rows: u64,
    /// How many there are, where the source says so.
    pub total_rows: Option<u64>,
    /// How many bytes of the file were read, where it is read as bytes.
    pub bytes: u64,
    /// How many bytes the file has.
    pub total_bytes: Option<u64>,
}
