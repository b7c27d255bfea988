//! Events as they happen: taken durably, answered one by one, and what waits or was kept aside.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::error::{Error, FieldError, Result};
use crate::events::{self, Catalogue, IngestReport, Mapping, Names, Prepared, Reading, Status};
use crate::intake::{Arrival, IngestStatus, Patience, Recovery, Sent, SourceState, Stored};
use crate::query::Instant;
use crate::query::fields::{self, Fields};
use crate::warehouse::{Aside, Keyed, Page};

/// Events as somebody sends them.
#[derive(Clone, Copy, Debug)]
pub struct IngestBatch<'a> {
    /// The events as text.
    pub body: &'a [u8],
    /// How they are written there.
    pub form: BatchForm<'a>,
    /// Which column is what; nothing for our own names, of events that are received now.
    pub mapping: Option<&'a Mapping>,
    /// Where they come from, for the freshness of each source; at most 100 characters.
    pub source: &'a str,
    /// A key by which the same batch is known when it is sent again within 24 hours: it is answered as before and stored once.
    pub key: Option<&'a str>,
    /// By what those of its events that have no id are known when they come again, at any time later.
    pub names: Names<'a>,
    /// At most so many events.
    pub most: usize,
}

/// Whether whoever sent a batch does not wait for its answer any more.
pub type Gone = Arc<dyn Fn() -> bool + Send + Sync>;

/// How events are written in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchForm<'a> {
    /// As one JSON array of objects.
    Array,
    /// As one JSON object a line.
    Lines,
    /// As records of CSV.
    Records {
        /// The line that names the columns.
        header: &'a [u8],
        /// What separates fields.
        delimiter: u8,
    },
}

/// Events that were refused but kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantine {
    /// The events, the latest received first.
    pub events: Vec<Aside>,
    /// How many there are in all.
    pub total: u64,
    /// At most so many are listed.
    pub limit: usize,
    /// After so many.
    pub offset: usize,
    /// Whether there are more behind them.
    pub has_more: bool,
}

/// What became of batches that had been put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedReport {
    /// Events of them that were new.
    pub accepted: u64,
    /// Batches that still cannot be stored.
    pub left: u64,
}

impl IngestBatch<'_> {
    /// Reads where events come from, from its JSON form: `source`, optional.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn source(asked: &Value) -> Result<Option<String>> {
        let mut fields = Fields::of(asked)?;
        let source = fields.optional("source", |v| fields::text_of(v, 1, 100));
        fields.finish(Vec::new())?;
        Ok(source)
    }
}

/// So many events of the quarantine are listed, and sent again, at once.
const LISTED: usize = 10_000;

/// So many bytes of them are read at once, unless one event is larger.
const PIECE: u64 = 8 << 20;

impl Analytics {
    /// Reads which events and users are stored, which the first batch would wait for otherwise: about a second for ten million.
    ///
    /// # Errors
    /// Whatever reading the store raises; `read_only` for a store opened only to read.
    pub fn prepare_ingest(&self) -> Result<()> {
        // A change begins with it, and this one ends there.
        self.warehouse.load().map(drop)
    }

    /// Takes a JSON array of events and answers each: accepted, duplicate, or refused with the reasons. What is accepted is durable,
    /// and every question asked from then on sees it.
    ///
    /// # Errors
    /// `validation_failed` where it is no array; `overloaded` where more arrives than can be stored; a full disk, a store opened
    /// only to read; `forbidden` for a principal who may not send events. Then nothing of it is kept. `parked` where it could not
    /// be stored for no fault of its own: it lies beside the file until [`Analytics::replay_parked`] stores it, once.
    pub fn ingest(&self, who: &Principal, events: &Value) -> Result<IngestReport> {
        let events = access::grant(who, Permission::IngestEvents, events)?;
        let received = self.now();
        let _meaning = self.meaning()?;
        let prepared = events::prepare(&*self.known_catalogue()?, &events, received)?;
        self.take(prepared, ("embedded", 0), received, None, Vec::new())
    }

    /// Takes events as text, as [`Analytics::ingest`] does; the answer is the same, as JSON.
    ///
    /// # Errors
    /// As `ingest`; `invalid_json` for what is no array; `too_many` beyond `most`; `idempotency_key_reused` and
    /// `idempotency_key_in_flight` for a key that belongs to another batch, or to one that is being stored.
    pub fn ingest_batch(&self, who: &Principal, batch: &IngestBatch<'_>) -> Result<String> {
        let granted = access::grant(who, Permission::IngestEvents, batch)?;
        let batch = *granted.inner();
        let received = self.now();
        faults(batch)?;
        let keyed = batch.key.map(|key| Keyed {
            key: digest(&[who.id().as_bytes(), key.as_bytes()]),
            body: digest(&[batch.body]),
            at: received,
        });
        let _meaning = self.meaning()?;
        let mut flight = None;
        if let Some(keyed) = keyed {
            match self.intake.begin(&*self.warehouse, keyed)? {
                Arrival::Answered(answer) => return Ok(answer),
                Arrival::New(new) => flight = Some(new),
            }
        }
        let prepared = self.prepare(who, batch, received)?;
        let bytes = batch.body.len();
        let report = self.take(prepared, (batch.source, bytes), received, keyed, Vec::new());
        if let Some(flight) = &mut flight {
            flight.ended(&report);
        }
        super::json(&report?)
    }

    /// Takes several batches that came together, each as [`Analytics::ingest_batch`] does: they are stored as one change where they can
    /// be. None of them has a key; one whose sender has gone before its turn comes is left out.
    ///
    /// # Errors
    /// For each batch as `ingest_batch`.
    pub fn ingest_batches(
        &self,
        batches: &[(&Principal, IngestBatch<'_>, Gone)],
    ) -> Vec<Result<IngestReport>> {
        let meaning = self.meaning();
        let received = self.now();
        let sent = batches.iter().map(|(who, batch, gone)| {
            let granted = access::grant(who, Permission::IngestEvents, batch)?;
            if meaning.is_err() {
                // On this thread a change is under way.
                drop(self.meaning()?);
            }
            faults(granted.inner())?;
            Ok(Sent {
                prepared: self.prepare(who, granted.inner(), received)?,
                source: batch.source.to_owned(),
                received,
                keyed: None,
                released: Vec::new(),
                patience: Patience(Some(Arc::clone(gone))),
                bytes: batch.body.len() as u64,
            })
        });
        // Those that cannot be read are answered in their places.
        let mut answers: Vec<Option<Result<IngestReport>>> = Vec::with_capacity(batches.len());
        let mut good = Vec::with_capacity(batches.len());
        for sent in sent {
            match sent {
                Ok(sent) => {
                    good.push(sent);
                    answers.push(None);
                }
                Err(error) => answers.push(Some(Err(error))),
            }
        }
        let taken = self.intake.take_all(&*self.warehouse, &|| self.now(), good);
        let mut taken = taken.into_iter();
        let lost = || Err(Error::internal("a batch was given up"));
        let answers = answers.into_iter();
        answers
            .map(|answer| answer.or_else(|| taken.next()).unwrap_or_else(lost))
            .collect()
    }

    fn prepare(
        &self,
        who: &Principal,
        batch: &IngestBatch<'_>,
        received: Instant,
    ) -> Result<Prepared> {
        let (catalogue, plain) = (self.known_catalogue()?, Mapping::default());
        let reading = Reading {
            catalogue: &catalogue,
            mapping: batch.mapping.unwrap_or(&plain),
            live: batch.mapping.is_none(),
            now: received,
            names: batch.names,
        };
        if let BatchForm::Records { header, delimiter } = batch.form {
            let records = access::grant(who, Permission::IngestEvents, (header, batch.body))?;
            return events::prepare_records(&reading, &records, delimiter);
        }
        let texts = texts(batch)?;
        let texts = access::grant(who, Permission::IngestEvents, texts.as_slice())?;
        events::prepare_texts(&reading, &texts)
    }

    fn take(
        &self,
        prepared: Prepared,
        (source, bytes): (&str, usize),
        received: Instant,
        keyed: Option<Keyed>,
        released: Vec<u64>,
    ) -> Result<IngestReport> {
        let sent = Sent {
            prepared,
            source: source.to_owned(),
            received,
            keyed,
            released,
            patience: Patience(self.stop.clone().map(
                |stop| -> Arc<dyn Fn() -> bool + Send + Sync> {
                    Arc::new(move || stop().is_some())
                },
            )),
            bytes: bytes as u64,
        };
        self.intake.take(&*self.warehouse, &|| self.now(), sent)
    }

    /// Events that were refused but kept: those of clocks that cannot be right, and those with too large properties.
    ///
    /// # Errors
    /// `out_of_range` for more than 10,000 at once; `forbidden` for a principal who may not see people.
    pub fn quarantine(&self, who: &Principal, limit: usize, offset: usize) -> Result<Quarantine> {
        access::grant(who, Permission::ReadPeople, ())?;
        if limit == 0 || limit > LISTED {
            return Err(Error::field(
                "limit",
                "out_of_range",
                format!("must be between 1 and {LISTED}"),
            ));
        }
        let (total, events) = self.warehouse.quarantine(&Page { limit, offset })?;
        Ok(Quarantine {
            has_more: ((offset + events.len()) as u64) < total,
            events,
            total,
            limit,
            offset,
        })
    }

    /// Sends events of the quarantine again, as received now: those of these ids, or all. What is no longer refused leaves it. Of many it is
    /// so piece by piece, and what was done of them stays done where the next cannot be.
    ///
    /// # Errors
    /// As `ingest`; `forbidden` for a principal who may not import.
    pub fn replay_quarantine(
        &self,
        who: &Principal,
        ids: Option<&[String]>,
    ) -> Result<IngestReport> {
        let ids = *access::grant(who, Permission::ImportEvents, ids)?.inner();
        let _alone = self.intake.alone(&*self.warehouse)?;
        let _meaning = self.meaning()?;
        let ids: Option<HashSet<u64>> = ids.map(|ids| {
            let number = |id: &String| u64::from_str_radix(id, 16).ok();
            ids.iter().filter_map(number).collect()
        });
        let mut kept = self.warehouse.quarantined()?;
        kept.retain(|(id, _)| ids.as_ref().is_none_or(|ids| ids.contains(id)));
        let mut report = None;
        let mut left = kept.as_slice();
        loop {
            let mut bytes = 0;
            let piece = left.iter().take(LISTED).take_while(|(_, size)| {
                let fits = bytes == 0 || bytes + size <= PIECE;
                bytes += size;
                fits
            });
            let ids: Vec<u64> = piece.map(|(id, _)| *id).collect();
            left = left.get(ids.len()..).unwrap_or_default();
            let more = self.replay(who, &ids)?;
            let whole = match report {
                Some(report) => IngestReport::followed_by(report, more),
                None => more,
            };
            if left.is_empty() {
                return Ok(whole);
            }
            self.stop().check()?;
            report = Some(whole);
        }
    }

    /// Sends these events of the quarantine again.
    fn replay(&self, who: &Principal, ids: &[u64]) -> Result<IngestReport> {
        let aside = match ids {
            [] => Vec::new(),
            ids => self.warehouse.of_quarantine(ids)?,
        };
        let received = self.now();
        let events = aside.iter().map(|held| {
            let mut event = held.event.clone();
            let waited = received.micros().saturating_sub(held.received_at.micros());
            if let Some(event) = event.as_object_mut() {
                event.remove("receivedAt");
                // How far a clock was wrong is what it was when the event came; the time it waited is no part of that.
                let sent = event.get("sentAt").and_then(Value::as_str);
                if let Some(sent) = sent.and_then(|sent| sent.parse::<Instant>().ok()) {
                    let sent = sent.micros().saturating_add(waited);
                    let sent = Instant::saturating_from_micros(sent).to_string();
                    event.insert("sentAt".to_owned(), sent.into());
                }
            }
            event
        });
        let events = Value::Array(events.collect());
        let events = access::grant(who, Permission::ImportEvents, &events)?;
        let mut prepared = events::prepare(&*self.known_catalogue()?, &events, received)?;
        // What is refused again is there already.
        prepared.held.clear();
        prepared.report.quarantined = 0;
        let answers = aside.iter().zip(&prepared.report.events);
        let released = answers
            .filter(|(_, answer)| answer.status != Status::Refused)
            .filter_map(|(held, _)| u64::from_str_radix(&held.id, 16).ok())
            .collect();
        self.take(prepared, ("quarantine", 0), received, None, released)
    }

    /// `quarantine` of a question in its JSON form: `limit` (100 by default) and `offset`.
    ///
    /// # Errors
    /// As `quarantine`.
    pub fn quarantine_json(&self, who: &Principal, asked: &Value) -> Result<Quarantine> {
        access::grant(who, Permission::ReadPeople, ())?;
        let mut fields = Fields::of(asked)?;
        let (limit, offset) = fields.page(1..=1_000, 100);
        fields.finish(Vec::new())?;
        self.quarantine(who, limit, offset)
    }

    /// `replay_quarantine` of a request in its JSON form: `ids`, or all without.
    ///
    /// # Errors
    /// As `replay_quarantine`.
    pub fn replay_quarantine_json(&self, who: &Principal, asked: &Value) -> Result<IngestReport> {
        access::grant(who, Permission::ImportEvents, ())?;
        let mut fields = Fields::of(asked)?;
        let ids = fields.optional("ids", |v| {
            fields::list(v, |v| fields::text(v).map(ToOwned::to_owned))
        });
        fields.finish(Vec::new())?;
        self.replay_quarantine(who, ids.as_deref())
    }

    /// Stores batches that could not be stored when they came and were put beside the file.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not import.
    pub fn replay_parked(&self, who: &Principal) -> Result<ParkedReport> {
        access::grant(who, Permission::ImportEvents, ())?;
        let _meaning = self.meaning()?;
        let (accepted, left) = self.intake.store_parked(&*self.warehouse, self.now())?;
        Ok(ParkedReport { accepted, left })
    }

    /// How the intake of events does: what waits, what became of what came, how old it is, and what was found in the log. It is told
    /// also where the store cannot be read, as after a full disk.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read.
    pub fn ingest_status(&self, who: &Principal) -> Result<IngestStatus> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let stored = self.stored();
        // Where there is room again, there is no trouble any more.
        let _ = self.intake.room();
        let status = self.intake.status();
        Ok(IngestStatus {
            trouble: stored.as_ref().err().map(|e| e.message().to_owned()),
            stored: stored.ok(),
            ..status
        })
    }

    /// Whether there is room for events on the disk. Once a batch was turned away for want of it, a file is written beside the store to
    /// see, until a batch is stored or the file could be written; before that nothing is.
    ///
    /// # Errors
    /// `disk_full` where there is none; whatever else keeps files from being written there.
    pub fn has_room(&self) -> Result<()> {
        self.intake.room()
    }

    /// Adds what another process found in the log of events, which opened the store before and brought it into it, to what
    /// [`Analytics::ingest_status`] tells.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not import.
    pub fn note_recovery(&self, who: &Principal, found: &Recovery) -> Result<()> {
        access::grant(who, Permission::ImportEvents, ())?;
        self.intake.found(found);
        Ok(())
    }

    fn stored(&self) -> Result<Stored> {
        let none = Page {
            limit: 0,
            offset: 0,
        };
        Ok(Stored {
            events: self.warehouse.head()?.events,
            latest: self.warehouse.newest(self.now())?,
            quarantined: self.warehouse.quarantine(&none)?.0,
            set_aside: self.intake.beside(),
            engine_bytes: self.warehouse.memory()? + self.kept.memory()?,
        })
    }

    /// Notes how a source does that somebody reads and sends from, for [`Analytics::ingest_status`].
    ///
    /// # Errors
    /// `forbidden` for a principal who may not send events.
    pub fn note_source(&self, who: &Principal, source: &str, state: SourceState) -> Result<()> {
        access::grant(who, Permission::IngestEvents, ())?;
        self.intake.note(source, state);
        Ok(())
    }

    /// Holds what events mean until those that are read by it are stored; an error inside a change of the same thread.
    pub(super) fn meaning(&self) -> Result<RwLockReadGuard<'_, ()>> {
        self.intake.refuse_inside(&*self.warehouse)?;
        Ok(self.meaning.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Which events mean what, read once until it is changed.
    pub(super) fn known_catalogue(&self) -> Result<Arc<Catalogue>> {
        let known = self
            .catalogue
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut held = self
            .catalogue
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let read = Arc::new(self.warehouse.catalogue()?);
        *held = Some(Arc::clone(&read));
        Ok(read)
    }
}

/// The texts of the events of a batch.
fn texts<'a>(batch: &IngestBatch<'a>) -> Result<Vec<&'a [u8]>> {
    let texts: Vec<&[u8]> = match batch.form {
        BatchForm::Array => {
            let values: Vec<&RawValue> = serde_json::from_slice(batch.body).map_err(|e| {
                Error::field(
                    "body",
                    "invalid_json",
                    format!("is not a JSON array of events: {e}"),
                )
            })?;
            values.into_iter().map(|v| v.get().as_bytes()).collect()
        }
        BatchForm::Lines | BatchForm::Records { .. } => {
            let body = batch
                .body
                .strip_prefix(b"\xef\xbb\xbf")
                .unwrap_or(batch.body);
            let lines = body.split(|byte| *byte == b'\n');
            // Blank lines separate; they are not events.
            lines.filter(|line| !line.trim_ascii().is_empty()).collect()
        }
    };
    if texts.len() > batch.most {
        return Err(Error::field(
            "body",
            "too_many",
            format!("must hold at most {} events", batch.most),
        ));
    }
    Ok(texts)
}

fn faults(batch: &IngestBatch<'_>) -> Result<()> {
    let source = (!(1..=100).contains(&batch.source.chars().count())).then(|| FieldError {
        field: "source".to_owned(),
        code: "invalid_length",
        message: "must have 1 to 100 characters".to_owned(),
    });
    super::refuse(source.into_iter().chain(key_fault(batch.key)).collect())
}

/// What is wrong with a key by which a request is known when it is sent again.
pub(super) fn key_fault(key: Option<&str>) -> Option<FieldError> {
    let key = key?;
    let (code, message) = if !(1..=255).contains(&key.chars().count()) {
        ("invalid_length", "must have 1 to 255 characters")
    } else if !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        ("invalid_character", "must be of printable ASCII characters")
    } else {
        return None;
    };
    Some(FieldError {
        field: "idempotencyKey".to_owned(),
        code,
        message: message.to_owned(),
    })
}

/// The first 128 bits of the SHA-256 of parts, each with its length before it.
pub(super) fn digest(parts: &[&[u8]]) -> u128 {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    }
    let digest = sha.finalize();
    let bytes = digest.iter().take(16);
    bytes.fold(0u128, |key, byte| key << 8 | u128::from(*byte))
}
