//! Groups of units by what their chains' rows say (F11).
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: chains hold places in the timeline"
)]

use std::collections::HashSet;

use serde_json::Value;

use super::answer::GroupKind;
use super::options::{Attribution, Breakdown};
use super::outcome::Found;
use crate::error::Result;
use crate::timeline::column::Reader;
use crate::timeline::{Timeline, View};

/// A group: the code of each property's value, `UNSET` where there is none, or `OTHER`.
pub(super) type Key = Vec<u32>;

const UNSET: u32 = u32::MAX;

/// The most groups for each of which there is a place from the beginning.
const FEW: usize = 1 << 10;

/// What the event at a place of a timeline says.
#[inline]
fn code(reader: &Reader<'_>, timeline: &Timeline<'_>, place: u32) -> Option<u32> {
    let i = place as usize;
    reader.code(timeline.user, timeline.ts[i], timeline.row[i])
}

/// The key of what is not shown by itself; no key of values is that long.
pub(super) fn other() -> Key {
    vec![0; 64]
}

/// A breakdown made ready for the pass.
#[derive(Debug)]
pub(super) struct Grouping<'a> {
    by: Attribution,
    readers: Vec<Reader<'a>>,
    /// The groups that are shown by themselves; all where they are not chosen yet.
    pub(super) shown: Option<HashSet<Key>>,
}

impl<'a> Grouping<'a> {
    pub(super) fn new(breakdown: &Breakdown, view: &View<'a>) -> Result<Self> {
        let as_of = view.as_of.micros();
        let readers = breakdown.properties.iter();
        Ok(Self {
            by: breakdown.by,
            readers: readers
                .map(|p| view.columns.reader(p, as_of))
                .collect::<Result<_>>()?,
            shown: None,
        })
    }

    /// The groups of a unit; all different.
    pub(super) fn keys(&self, timeline: &Timeline<'_>, found: &Found) -> Vec<Key> {
        let of = |place: u32| {
            let codes = self.readers.iter().map(|r| code(r, timeline, place));
            codes.map(|code| code.unwrap_or(UNSET)).collect::<Key>()
        };
        let unset = || vec![UNSET; self.readers.len()];
        if self.by != Attribution::Each {
            let chosen = self.chosen(timeline, found);
            return vec![self.shown(chosen.map_or_else(unset, of))];
        }
        let set = |key: &Key| key.iter().any(|code| *code != UNSET);
        let held = found.chain.iter().map(|c| of(c.1)).filter(set);
        let mut keys: Vec<Key> = held.map(|key| self.shown(key)).collect();
        if keys.is_empty() {
            keys.push(self.shown(unset()));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The row of the chain that says the group of a unit.
    #[inline]
    fn chosen(&self, timeline: &Timeline<'_>, found: &Found) -> Option<u32> {
        let mut rows = found.chain.iter();
        let set = |c: &&(u8, u32)| {
            let mut readers = self.readers.iter();
            readers.any(|r| code(r, timeline, c.1).is_some())
        };
        let row = match self.by {
            Attribution::Entry => rows.next(),
            Attribution::Last => rows.rev().find(set),
            Attribution::Step(k) => rows.find(|c| usize::from(c.0) + 1 == k),
            Attribution::First | Attribution::Each => rows.find(set),
        };
        row.map(|c| c.1)
    }

    /// How many groups there can be, where each unit is in one of few: a place for each value, the last for none.
    pub(super) fn few(&self) -> Option<usize> {
        let [reader] = &self.readers[..] else {
            return None;
        };
        let groups = reader.dictionary().values().len() + 1;
        (self.by != Attribution::Each && self.shown.is_none() && groups <= FEW).then_some(groups)
    }

    /// The place of a unit's group among the `few`.
    #[inline]
    pub(super) fn place(&self, timeline: &Timeline<'_>, found: &Found, few: usize) -> usize {
        let row = self.chosen(timeline, found);
        let code = row.and_then(|row| code(&self.readers[0], timeline, row));
        code.map_or(few - 1, |code| code as usize)
    }

    /// The key of the group at a place among the `few`.
    pub(super) fn key_of(place: usize, few: usize) -> Key {
        vec![if place + 1 == few {
            UNSET
        } else {
            place as u32
        }]
    }

    fn shown(&self, key: Key) -> Key {
        match &self.shown {
            Some(shown) if !shown.contains(&key) => other(),
            _ => key,
        }
    }

    /// What is written of a group: its kind and its value, a list where there are several properties.
    pub(super) fn written(&self, key: &Key) -> (GroupKind, Value) {
        if *key == other() {
            return (GroupKind::Other, Value::Null);
        }
        let values = self.texts(key).into_iter();
        let mut values: Vec<Value> = values
            .map(|text| {
                text.and_then(|t| serde_json::from_str(t).ok())
                    .unwrap_or_default()
            })
            .collect();
        let kind = match &values[..] {
            all if all.iter().all(Value::is_null) => GroupKind::NotSet,
            [Value::String(text)] if text.is_empty() => GroupKind::Empty,
            _ => GroupKind::Value,
        };
        let value = if values.len() == 1 {
            values.pop().unwrap_or_default()
        } else {
            Value::Array(values)
        };
        (kind, value)
    }

    /// The values of a group as canonical JSON text.
    pub(super) fn texts(&self, key: &Key) -> Vec<Option<&'a str>> {
        let codes = key.iter().zip(&self.readers);
        codes
            .map(|(code, reader)| (*code != UNSET).then(|| reader.dictionary().value(*code)))
            .collect()
    }
}
