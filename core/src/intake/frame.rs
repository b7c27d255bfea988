//! What a frame of the log holds: the events of some batches as Arrow, and beside them what was kept aside and the keys.

use std::collections::HashSet;

use arrow::array::{Array as _, StringArray};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sources::Sources;
use crate::error::{Error, ErrorKind, Result};
use crate::events::outcome::Outcome;
use crate::events::{EventBatch, Held};
use crate::query::Instant;
use crate::warehouse::Keyed;

/// The events of some batches, numbered through.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) events: Vec<EventBatch>,
    pub(super) held: Vec<Held>,
    /// Of batches that came with a key.
    pub(super) keys: Vec<Key>,
    /// Of events that leave the quarantine.
    pub(super) released: Vec<u64>,
    /// From whom they came.
    pub(super) sources: Sources,
}

/// A batch that came with a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    key: String,
    body: String,
    at: i64,
    /// The number of its first event, and how many there are.
    pub(super) first: u64,
    pub(super) sent: u64,
    /// Its answer as it is before anything is known but what was refused.
    before: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    held: Vec<HeldText>,
    keys: Vec<Key>,
    released: Vec<u64>,
    #[serde(default)]
    sources: Sources,
}

/// What of a header says from whom events came.
#[derive(Deserialize)]
struct From {
    #[serde(default)]
    sources: Sources,
}

#[derive(Serialize, Deserialize)]
struct HeldText {
    event: String,
    code: String,
    message: String,
    received_at: i64,
    content_hash: u64,
}

/// The reasons for which events are kept aside.
const CODES: [&str; 2] = ["clock_in_future", "too_large"];

impl Key {
    pub(super) fn new(keyed: &Keyed, first: u64, sent: u64, before: String) -> Self {
        Self {
            key: format!("{:032x}", keyed.key),
            body: format!("{:032x}", keyed.body),
            at: keyed.at.micros(),
            first,
            sent,
            before,
        }
    }

    /// The key itself.
    pub(super) fn keyed(&self) -> Result<Keyed> {
        let number = |hex: &str| u128::from_str_radix(hex, 16).map_err(Error::internal);
        Ok(Keyed {
            key: number(&self.key)?,
            body: number(&self.body)?,
            at: Instant::saturating_from_micros(self.at),
        })
    }

    /// Whether it is the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        (&self.key, self.first) == (&other.key, other.first)
    }

    /// The same, answered at another time.
    pub(super) fn at(mut self, at: Instant) -> Self {
        self.at = at.micros();
        self
    }

    /// What is kept under the key.
    pub(super) fn answered(&self, outcome: &Outcome) -> Result<(Keyed, String)> {
        let keyed = self.keyed()?;
        let mut answer: Value = serde_json::from_str(&self.before).map_err(Error::internal)?;
        outcome.write(&mut answer);
        Ok((keyed, answer.to_string()))
    }
}

impl Frame {
    /// The content of a frame of the log.
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let header = Header {
            held: self
                .held
                .iter()
                .map(|held| HeldText {
                    event: held.event.clone(),
                    code: held.code.to_owned(),
                    message: held.message.clone(),
                    received_at: held.received_at,
                    content_hash: held.content_hash,
                })
                .collect(),
            keys: self.keys.clone(),
            released: self.released.clone(),
            sources: self.sources.clone(),
        };
        let header = serde_json::to_vec(&header).map_err(Error::internal)?;
        let length = u32::try_from(header.len()).map_err(Error::internal)?;
        let mut bytes = Vec::with_capacity(header.len() + 4096);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&header);
        let Some(first) = self.events.first() else {
            return Ok(bytes);
        };
        let schema = first.to_columns()?.schema();
        let mut writer = StreamWriter::try_new(bytes, &schema).map_err(Error::internal)?;
        for events in &self.events {
            writer
                .write(&events.to_columns()?)
                .map_err(Error::internal)?;
        }
        writer.finish().map_err(Error::internal)?;
        writer.into_inner().map_err(Error::internal)
    }

    /// What was encoded.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let (header, rest) = split(bytes)?;
        let header: Header = serde_json::from_slice(header).map_err(Error::internal)?;
        let mut events = Vec::new();
        if !rest.is_empty() {
            for columns in StreamReader::try_new(rest, None).map_err(Error::internal)? {
                let columns = columns.map_err(Error::internal)?;
                events.push(EventBatch::of_columns(&columns).ok_or_else(short)?);
            }
        }
        let held = header.held.into_iter().map(|held| Held {
            code: CODES
                .into_iter()
                .find(|code| *code == held.code)
                .unwrap_or("refused"),
            event: held.event,
            message: held.message,
            received_at: held.received_at,
            content_hash: held.content_hash,
        });
        Ok(Self {
            events,
            held: held.collect(),
            keys: header.keys,
            released: header.released,
            sources: header.sources,
        })
    }

    /// From whom came what was encoded; nothing of a frame of before that was noted.
    pub(super) fn sources(bytes: &[u8]) -> Result<Sources> {
        let header: From = serde_json::from_slice(split(bytes)?.0).map_err(Error::internal)?;
        Ok(header.sources)
    }

    /// Leaves the batch of a key out.
    pub(super) fn leave_out(&mut self, key: &Key) -> Result<()> {
        let last = key.first.saturating_add(key.sent);
        for events in &mut self.events {
            let lines = events.lines.clone();
            let left = |row: usize| lines.get(row).is_none_or(|l| *l < key.first || *l >= last);
            *events = events.filtered(left)?;
        }
        self.events.retain(|events| !events.is_empty());
        if self.keys.len() <= 1 && self.events.is_empty() {
            // What was kept aside and what was released was this batch's.
            self.held.clear();
            self.released.clear();
        }
        Ok(())
    }

    /// Takes everything of the people with these ids away; whether there was anything.
    pub(super) fn forget(&mut self, ids: &HashSet<&str>) -> Result<bool> {
        let before = (self.len(), self.held.len());
        for events in &mut self.events {
            let (user, anonymous) = (events.user.clone(), events.anonymous.clone());
            let of =
                |array: &StringArray, row| array.is_valid(row) && ids.contains(array.value(row));
            *events = events.filtered(|row| !of(&user, row) && !of(&anonymous, row))?;
        }
        self.events.retain(|events| !events.is_empty());
        self.held.retain(|held| {
            // Whose a text is that cannot be read, nobody knows: it is taken for theirs, since nothing of them may stay.
            let Ok(event) = serde_json::from_str::<Value>(&held.event) else {
                return false;
            };
            let of = |name| event.get(name).and_then(Value::as_str);
            [of("userId"), of("anonymousId")]
                .into_iter()
                .flatten()
                .all(|id| !ids.contains(id))
        });
        Ok(before != (self.len(), self.held.len()))
    }

    /// How many events there are.
    pub(super) fn len(&self) -> u64 {
        self.events.iter().map(|events| events.len() as u64).sum()
    }
}

/// The header of a frame, and the events behind it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let length = bytes.get(..4).and_then(|b| b.try_into().ok());
    let end = 4 + u32::from_le_bytes(length.ok_or_else(short)?) as usize;
    let header = bytes.get(4..end).ok_or_else(short)?;
    Ok((header, bytes.get(end..).unwrap_or_default()))
}

fn short() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "corrupt",
        "a frame of the log is shorter than it says",
    )
}
