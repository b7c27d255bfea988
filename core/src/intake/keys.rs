//! Batches that came with a key: one that is sent again is answered as before.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;
use crate::warehouse::Keyed;

/// How long keys are known, in microseconds.
const DAY: i64 = 86_400_000_000;

/// Of so many batches the keys are known without asking the store.
const MOST: usize = if cfg!(test) { 100 } else { 100_000 };

/// The keys of the last day, and of the batches under way.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: HashMap<u128, u128>,
    order: VecDeque<Keyed>,
    flying: HashMap<u128, u128>,
    /// Of batches of which nobody knows whether they were stored.
    doubtful: HashSet<u128>,
    /// Whether the store knows keys of the last day that are not here.
    partial: bool,
}

/// What is known of the batch of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It was answered.
    Answered,
    /// It is under way from now on, and only the store knows whether it was answered before.
    Unsure,
    /// It is new, and under way from now on.
    New,
}

/// How a batch that was under way ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its answer is kept.
    Stored,
    /// Nothing of it is kept.
    Refused,
    /// The store knows.
    Doubtful,
}

impl Keys {
    pub(super) fn of(known: Vec<Keyed>) -> Self {
        let mut keys = Self::default();
        for keyed in known {
            keys.add(keyed);
        }
        keys
    }

    /// Since when keys are known.
    pub(super) fn since(now: Instant) -> Instant {
        Instant::saturating_from_micros(now.micros() - DAY)
    }

    /// Begins a batch, unless it was answered before.
    pub(super) fn begin(&mut self, keyed: Keyed) -> Result<Begun> {
        let since = Self::since(keyed.at);
        while let Some(first) = self.order.front().filter(|first| first.at < since) {
            self.known.remove(&first.key);
            self.order.pop_front();
        }
        match (self.known.get(&keyed.key), self.flying.get(&keyed.key)) {
            (Some(body), _) | (None, Some(body)) if *body != keyed.body => Err(reused()),
            (Some(_), _) => Ok(Begun::Answered),
            (None, _) => {
                self.fly(keyed)?;
                let unsure = self.partial || self.doubtful.contains(&keyed.key);
                Ok(if unsure { Begun::Unsure } else { Begun::New })
            }
        }
    }

    /// A batch is under way, unless it is already.
    pub(super) fn fly(&mut self, keyed: Keyed) -> Result<()> {
        if self.flying.contains_key(&keyed.key) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "idempotency_key_in_flight",
                "the batch of this key is being stored right now",
            ));
        }
        self.flying.insert(keyed.key, keyed.body);
        Ok(())
    }

    /// A batch is no longer under way.
    pub(super) fn end(&mut self, keyed: Keyed, end: End) {
        self.flying.remove(&keyed.key);
        match end {
            End::Stored => {
                self.doubtful.remove(&keyed.key);
                self.add(keyed);
            }
            End::Refused => {}
            End::Doubtful if self.doubtful.len() < MOST => drop(self.doubtful.insert(keyed.key)),
            End::Doubtful => self.partial = true,
        }
    }

    fn add(&mut self, keyed: Keyed) {
        self.known.insert(keyed.key, keyed.body);
        self.order.push_back(keyed);
        while self.order.len() > MOST {
            if let Some(first) = self.order.pop_front() {
                self.known.remove(&first.key);
                self.partial = true;
            }
        }
    }
}

/// A key that belongs to another batch.
pub(super) fn reused() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "idempotency_key_reused",
        "this key was given to another batch within the last 24 hours",
    )
}
