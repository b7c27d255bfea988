//! Documents in memory, where nobody else can change them: what lists and reads of them would ask of the engine again and again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::documents::{Document, Find, Found, Holder, Kind, Share, Sort, fold};
use super::{ObjectId, Session, documents};
use crate::error::Result;

/// Documents of more bytes are not held.
const MOST: i64 = 64 << 20;

/// All documents of a kind, the latest first, and with whom they are shared.
#[derive(Debug)]
pub struct Held {
    documents: Vec<Document>,
    places: HashMap<ObjectId, usize>,
    shares: HashMap<ObjectId, Vec<Share>>,
}

impl Held {
    /// Reads them; nothing where they are too many.
    fn read(session: &mut dyn Session, kind: Kind) -> Result<Option<Self>> {
        if documents::bytes(session, kind)? > MOST {
            return Ok(None);
        }
        let (mut documents, given) = documents::all(session, kind)?;
        documents.sort_by_key(|d| (std::cmp::Reverse(d.created_at), d.id));
        let mut shares: HashMap<ObjectId, Vec<Share>> = HashMap::new();
        for (id, share) in given {
            shares.entry(id).or_default().push(share);
        }
        let places = documents.iter().enumerate().map(|(i, d)| (d.id, i));
        Ok(Some(Self {
            places: places.collect(),
            documents,
            shares,
        }))
    }

    /// A document.
    pub(super) fn get(&self, id: ObjectId) -> Option<Document> {
        let place = self.places.get(&id)?;
        self.documents.get(*place).cloned()
    }

    /// With whom a document is shared.
    pub(super) fn shares(&self, id: ObjectId) -> Vec<Share> {
        self.shares.get(&id).cloned().unwrap_or_default()
    }

    /// One page of the documents that somebody may see.
    pub(super) fn find(&self, asked: &Find<'_>) -> Found {
        let sought = fold(asked.search);
        let holders = [
            Holder::User(asked.user.to_owned()),
            Holder::Role(asked.role.to_owned()),
        ];
        let shared = |id: &ObjectId| {
            let with: &[Share] = self.shares.get(id).map_or(&[], Vec::as_slice);
            with.iter().any(|share| holders.contains(&share.holder))
        };
        let wanted = |d: &&Document| {
            (d.owner == asked.user || (d.public && asked.public) || shared(&d.id))
                && d.sought.contains(&sought)
                && (asked.state.is_empty() || d.state == asked.state)
        };
        let mut found: Vec<&Document> = self.documents.iter().filter(wanted).collect();
        match asked.sort {
            Sort::Newest => {}
            Sort::Oldest => found.sort_by_key(|d| (d.created_at, d.id)),
            Sort::Name => found.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id))),
            Sort::NameDown => found.sort_by(|a, b| b.name.cmp(&a.name).then(a.id.cmp(&b.id))),
        }
        let page = found.iter().skip(asked.offset).take(asked.limit);
        Found {
            total: found.len() as u64,
            documents: page.map(|d| (*d).clone()).collect(),
        }
    }
}

/// What an engine holds, and as of how many changes.
#[derive(Debug, Default)]
pub(super) struct Holding {
    changes: AtomicU64,
    known: RwLock<HashMap<Kind, (u64, Known)>>,
    reading: Mutex<()>,
}

/// What is known of a kind since a change.
#[derive(Debug)]
enum Known {
    /// It was asked for once. Only what is asked for again is worth to be read: many change and look by turns.
    Asked,
    Here(Arc<Held>),
    TooMany,
}

impl Holding {
    /// Documents, or with whom they are shared, have changed.
    pub(super) fn change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The documents of a kind as they are now, or nothing where the engine is to be asked.
    pub(super) fn of(&self, kind: Kind, session: &mut dyn Session) -> Result<Option<Arc<Held>>> {
        // Before anything is read: what is read may be newer, and is then read once more.
        let now = self.changes.load(Ordering::Acquire);
        let again = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            match known.get(&kind) {
                Some((at, known)) if *at == now => match known {
                    Known::Here(held) => return Ok(Some(Arc::clone(held))),
                    Known::TooMany => return Ok(None),
                    Known::Asked => true,
                },
                _ => false,
            }
        };
        // Whoever comes while another reads does not wait.
        let Ok(_reading) = self.reading.try_lock() else {
            return Ok(None);
        };
        let (held, known) = if again {
            match Held::read(session, kind)?.map(Arc::new) {
                Some(held) => (Some(Arc::clone(&held)), Known::Here(held)),
                None => (None, Known::TooMany),
            }
        } else {
            (None, Known::Asked)
        };
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(kind, (now, known));
        Ok(held)
    }
}
