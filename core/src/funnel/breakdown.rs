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
use crate::query::Property;
use crate::timeline::column::Reader;
use crate::timeline::{Timeline, View};

/// A group: the code of each property's value, `UNSET` where there is none, or `OTHER`.
pub(super) type Key = Vec<u32>;

const UNSET: u32 = u32::MAX;

/// The most groups for each of which there is a place from the beginning.
const FEW: usize = 1 << 10;

/// The row of the entry.
pub(super) fn entry_of(found: &Found) -> u32 {
    found.chain.first().map_or(0, |c| c.1)
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
    /// For each property, whether it is looked up at the time of the entry.
    at_entry: Vec<bool>,
    /// The groups that are shown by themselves; all where they are not chosen yet.
    pub(super) shown: Option<HashSet<Key>>,
}

impl<'a> Grouping<'a> {
    pub(super) fn new(breakdown: &Breakdown, view: &View<'a>) -> Result<Self> {
        let as_of = view.as_of.micros();
        let readers = breakdown.properties.iter();
        Ok(Self {
            // Who is of a cohort as of the question is so at every row.
            by: match &breakdown.properties[..] {
                [cohort] if cohort.fixed() => Attribution::Entry,
                _ => breakdown.by,
            },
            readers: readers
                .clone()
                .map(|p| view.columns.reader_of_entry(p, as_of))
                .collect::<Result<_>>()?,
            at_entry: readers.map(Property::at_entry).collect(),
            shown: None,
        })
    }

    /// The group of one row of a chain from an entry.
    pub(super) fn at(&self, timeline: &Timeline<'_>, place: u32, entry: u32) -> Key {
        let codes = self.codes(timeline, place, entry);
        codes.map(|code| code.unwrap_or(UNSET)).collect()
    }

    /// What each property says at one row of a chain from an entry.
    #[inline]
    fn codes(
        &self,
        timeline: &Timeline<'_>,
        place: u32,
        entry: u32,
    ) -> impl Iterator<Item = Option<u32>> {
        let readers = self.readers.iter().zip(&self.at_entry);
        readers.map(move |(reader, at_entry)| {
            let i = if *at_entry { entry } else { place } as usize;
            reader.code(timeline.user, timeline.ts[i], timeline.row[i])
        })
    }

    /// The groups of a unit; all different.
    pub(super) fn keys(&self, timeline: &Timeline<'_>, found: &Found) -> Vec<Key> {
        let entry = entry_of(found);
        let of = |place: u32| self.at(timeline, place, entry);
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
    pub(super) fn chosen(&self, timeline: &Timeline<'_>, found: &Found) -> Option<u32> {
        let mut rows = found.chain.iter();
        let entry = entry_of(found);
        let set = |c: &&(u8, u32)| {
            let mut codes = self.codes(timeline, c.1, entry);
            codes.any(|code| code.is_some())
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

    /// The place of a unit's group among the `few`, as the chosen row decides it.
    #[inline]
    pub(super) fn place(
        &self,
        timeline: &Timeline<'_>,
        chosen: Option<u32>,
        entry: u32,
        few: usize,
    ) -> usize {
        let code = chosen.and_then(|row| self.codes(timeline, row, entry).next()?);
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

    /// The groups that are there even where nobody is of them: of one cohort, who is in it and who is not.
    pub(super) fn always(&self) -> Vec<Key> {
        match &self.readers[..] {
            [Reader::Cohort { .. }] => vec![vec![0], vec![1]],
            _ => Vec::new(),
        }
    }

    /// A group as people read it.
    pub(super) fn label(&self, kind: GroupKind, value: &Value) -> String {
        let one = |(value, reader): (&Value, &Reader<'_>)| match (value, reader) {
            (Value::Bool(inside), Reader::Cohort { .. }) => {
                if *inside { "in" } else { "not in" }.to_owned()
            }
            (Value::Null, _) => "(not set)".to_owned(),
            (Value::String(text), _) if text.is_empty() => "(empty)".to_owned(),
            (Value::String(text), _) => text.clone(),
            (other, _) => other.to_string(),
        };
        match (kind, value) {
            (GroupKind::NotSet, _) => "(not set)".to_owned(),
            (GroupKind::Empty, _) => "(empty)".to_owned(),
            (GroupKind::Other, _) => "Other".to_owned(),
            (GroupKind::Value, Value::Array(values)) if self.readers.len() > 1 => {
                let labels = values.iter().zip(&self.readers).map(one);
                labels.collect::<Vec<_>>().join(", ")
            }
            (GroupKind::Value, value) => self
                .readers
                .first()
                .map(|reader| one((value, reader)))
                .unwrap_or_default(),
        }
    }

    /// The values of a group as canonical JSON text.
    pub(super) fn texts(&self, key: &Key) -> Vec<Option<&'a str>> {
        let codes = key.iter().zip(&self.readers);
        codes
            .map(|(code, reader)| (*code != UNSET).then(|| reader.dictionary().value(*code)))
            .collect()
    }
}
