//! Users and names as dense keys, given once.

use std::collections::HashMap;

use twox_hash::XxHash3_64;

/// The ids of users, known and anonymous, each with its key: the texts in one piece of memory and a table of keys.
#[derive(Debug, Default)]
pub(super) struct Users {
    text: Vec<u8>,
    // Where the text of a key ends, and in the lowest bit whether it is anonymous.
    ends: Vec<usize>,
    // INVARIANT: a power of two, at most half full; a place holds the upper half of a hash and below it a key, or
    // `EMPTY`, whose key is never given. The hash spares looking at the texts of other ids.
    table: Vec<u64>,
}

const EMPTY: u64 = u64::MAX;

impl Users {
    /// How many keys were given.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The keys of ids, new ones where they have none; `None` where there are no more keys.
    ///
    /// Each pass asks memory for one thing of all ids, so that the waits for it overlap: of many users each is far away.
    pub(super) fn keys<'a>(
        &mut self,
        ids: impl Iterator<Item = Option<&'a str>>,
        anonymous: bool,
    ) -> Option<Vec<Option<u32>>> {
        let mask = self.table.len().saturating_sub(1);
        let sought: Vec<(Option<&str>, u64)> = ids
            .map(|id| (id, id.map_or(0, |id| hash(id, anonymous))))
            .collect();
        let found: Vec<u64> = sought
            .iter()
            .map(|(_, hash)| {
                self.table
                    .get(*hash as usize & mask)
                    .copied()
                    .unwrap_or(EMPTY)
            })
            .collect();
        let spans: Vec<(usize, usize)> = sought
            .iter()
            .zip(&found)
            .map(|((id, hash), found)| match id {
                Some(_) if found >> 32 == hash >> 32 => self.span(*found as u32 as usize),
                _ => (0, 0),
            })
            .collect();
        let mut keys = Vec::with_capacity(sought.len());
        for (((id, hash), found), span) in sought.into_iter().zip(found).zip(spans) {
            keys.push(match id {
                None => None,
                Some(id) if span.1 != 0 && self.is(span, id, anonymous) => Some(found as u32),
                Some(id) => Some(self.find_or_give(hash, id, anonymous)?),
            });
        }
        Some(keys)
    }

    /// The key of one id.
    pub(super) fn key(&mut self, id: &str, anonymous: bool) -> Option<u32> {
        self.find_or_give(hash(id, anonymous), id, anonymous)
    }

    fn find_or_give(&mut self, hash: u64, id: &str, anonymous: bool) -> Option<u32> {
        if self.table.len() < (self.len() + 1) * 2 {
            self.rebuild((self.len() + 1).max(1 << 10) * 4);
        }
        let place = self.place(hash, id, anonymous)?;
        match self.table.get(place).copied()? {
            EMPTY => {
                let key = u32::try_from(self.len())
                    .ok()
                    .filter(|key| *key < u32::MAX)?;
                self.text.extend_from_slice(id.as_bytes());
                self.ends
                    .push(self.text.len() << 1 | usize::from(anonymous));
                *self.table.get_mut(place)? = entry(hash, key);
                Some(key)
            }
            entry => Some(entry as u32),
        }
    }

    /// Gives a key to no id: that of somebody who was erased.
    pub(super) fn skip(&mut self, anonymous: bool) {
        self.ends
            .push(self.text.len() << 1 | usize::from(anonymous));
    }

    /// The id of a key and whether it is anonymous.
    pub(super) fn id(&self, key: usize) -> Option<(&str, bool)> {
        let (start, end) = self.span(key);
        let text = self.text.get(start..end >> 1)?;
        Some((std::str::from_utf8(text).ok()?, end & 1 == 1))
    }

    /// Where the text of a key begins, and its entry among the ends.
    fn span(&self, key: usize) -> (usize, usize) {
        let start = key.checked_sub(1).and_then(|before| self.ends.get(before));
        (
            start.map_or(0, |end| end >> 1),
            self.ends.get(key).copied().unwrap_or_default(),
        )
    }

    /// Whether the text of a span is that id.
    fn is(&self, (start, end): (usize, usize), id: &str, anonymous: bool) -> bool {
        (end & 1 == 1) == anonymous && self.text.get(start..end >> 1) == Some(id.as_bytes())
    }

    /// Forgets the keys from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.ends.truncate(len);
            self.text
                .truncate(self.ends.last().map_or(0, |end| end >> 1));
            self.rebuild(self.table.len());
        }
    }

    /// Where the id is, or the empty place where it belongs.
    fn place(&self, hash: u64, id: &str, anonymous: bool) -> Option<usize> {
        let mask = self.table.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        loop {
            match self.table.get(place).copied()? {
                EMPTY => return Some(place),
                found
                    if found >> 32 == hash >> 32
                        && self.is(self.span(found as u32 as usize), id, anonymous) =>
                {
                    return Some(place);
                }
                _ => place = (place + 1) & mask,
            }
        }
    }

    fn rebuild(&mut self, size: usize) {
        self.table = vec![EMPTY; size.next_power_of_two()];
        let mask = self.table.len() - 1;
        for key in 0..self.len() {
            let Some((id, anonymous)) = self.id(key).filter(|(id, _)| !id.is_empty()) else {
                continue;
            };
            let hash = hash(id, anonymous);
            // No id is there twice: the first empty place is its own.
            let mut place = hash as usize & mask;
            while self.table.get(place).is_some_and(|found| *found != EMPTY) {
                place = (place + 1) & mask;
            }
            if let Some(slot) = self.table.get_mut(place) {
                *slot = entry(hash, key as u32);
            }
        }
    }
}

fn hash(id: &str, anonymous: bool) -> u64 {
    XxHash3_64::oneshot_with_seed(u64::from(anonymous), id.as_bytes())
}

fn entry(hash: u64, key: u32) -> u64 {
    hash >> 32 << 32 | u64::from(key)
}

/// The names of events, each with its key.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<String>,
    keys: HashMap<String, u16>,
}

/// The highest key is left free.
const MOST: usize = 65_535;

impl Names {
    /// All of them by their keys.
    pub(super) fn all(&self) -> &[String] {
        &self.names
    }

    /// The key of a name, a new one where it has none; `None` where there are no more keys.
    pub(super) fn key(&mut self, name: &str) -> Option<u16> {
        if let Some(key) = self.keys.get(name) {
            return Some(*key);
        }
        if self.names.len() >= MOST {
            return None;
        }
        let key = u16::try_from(self.names.len()).ok()?;
        self.names.push(name.to_owned());
        self.keys.insert(name.to_owned(), key);
        Some(key)
    }

    /// Forgets the keys from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        for name in self.names.drain(len.min(self.names.len())..) {
            self.keys.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_key_for_ever_and_known_and_anonymous_ids_are_apart() {
        let mut users = Users::default();
        for round in 0..2 {
            for i in 0..20_000u32 {
                assert_eq!(
                    users.key(&format!("user {i}"), i % 3 == 0),
                    Some(i),
                    "round {round}"
                );
            }
        }
        assert_eq!(users.key("user 0", false), Some(20_000));
        let ids = ["user 3", "user 1", "user 20001", "user 1"];
        let ids = ids.into_iter().map(Some).chain([None]);
        assert_eq!(
            users.keys(ids.clone(), false),
            Some(vec![Some(20_001), Some(1), Some(20_002), Some(1), None])
        );
        assert_eq!(
            users.keys(ids, true),
            Some(vec![
                Some(3),
                Some(20_003),
                Some(20_004),
                Some(20_003),
                None
            ])
        );
        assert_eq!(users.id(7), Some(("user 7", false)));
        users.truncate(5);
        assert_eq!(users.len(), 5);
        assert_eq!(users.key("user 9", true), Some(5));
        assert_eq!(users.key("user 4", false), Some(4));
        assert_eq!(users.key("", false), Some(6));
    }

    #[test]
    fn names_run_out_after_65_535() {
        let mut names = Names::default();
        for i in 0..65_535u32 {
            assert_eq!(names.key(&i.to_string()).map(u32::from), Some(i));
        }
        assert_eq!(names.key("one more"), None);
        assert_eq!(names.key("7"), Some(7));
        names.truncate(65_534);
        assert_eq!(names.key("one more"), Some(65_534));
    }
}
