//! Batches that came with a key: one that is sent again is answered as before.

use std::collections::{HashMap, VecDeque};

use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;
use crate::warehouse::Keyed;

/// How long keys are known, in microseconds.
const DAY: i64 = 86_400_000_000;

/// Of so many batches the keys are known.
const MOST: usize = 100_000;

/// The keys of the last day, and of the batches under way.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: HashMap<u128, u128>,
    order: VecDeque<Keyed>,
    flying: HashMap<u128, u128>,
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

    /// Whether a batch of this key was answered before; if not, it is under way from now on.
    pub(super) fn begin(&mut self, keyed: Keyed) -> Result<bool> {
        let since = Self::since(keyed.at);
        while let Some(first) = self.order.front().filter(|first| first.at < since) {
            self.known.remove(&first.key);
            self.order.pop_front();
        }
        let of_another = || {
            Err(Error::new(
                ErrorKind::Conflict,
                "idempotency_key_reused",
                "this key was given to another batch within the last 24 hours",
            ))
        };
        match (self.known.get(&keyed.key), self.flying.get(&keyed.key)) {
            (Some(body), _) | (None, Some(body)) if *body != keyed.body => of_another(),
            (Some(_), _) => Ok(true),
            (None, Some(_)) => Err(Error::new(
                ErrorKind::Conflict,
                "idempotency_key_in_flight",
                "the batch of this key is being stored right now",
            )),
            (None, None) => {
                self.flying.insert(keyed.key, keyed.body);
                Ok(false)
            }
        }
    }

    /// A batch is no longer under way; `stored` where its answer is kept.
    pub(super) fn end(&mut self, keyed: Keyed, stored: bool) {
        self.flying.remove(&keyed.key);
        if stored {
            self.add(keyed);
        }
    }

    fn add(&mut self, keyed: Keyed) {
        self.known.insert(keyed.key, keyed.body);
        self.order.push_back(keyed);
        while self.order.len() > MOST {
            if let Some(first) = self.order.pop_front() {
                self.known.remove(&first.key);
            }
        }
    }
}
