//! Users and names as dense keys, given once.

use std::collections::HashMap;

use twox_hash::XxHash3_64;

/// The ids of users, known and anonymous, each with its key: the texts in one piece of memory and a table of keys.
#[derive(Debug, Default)]
pub(super) struct Users {
    text: String,
    ends: Vec<usize>,
    anonymous: Vec<bool>,
    // INVARIANT: a power of two, at most half full; empty places hold `EMPTY`.
    table: Vec<u32>,
}

const EMPTY: u32 = u32::MAX;

impl Users {
    /// How many keys were given.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The key of an id, a new one where it has none; `None` where there are no more keys.
    pub(super) fn key(&mut self, id: &str, anonymous: bool) -> Option<u32> {
        if self.table.len() < (self.len() + 1) * 2 {
            self.rebuild((self.len() + 1).max(1 << 10) * 4);
        }
        let place = self.place(id, anonymous)?;
        match self.table.get(place).copied()? {
            EMPTY => {
                let key = u32::try_from(self.len()).ok().filter(|key| *key < EMPTY)?;
                self.text.push_str(id);
                self.ends.push(self.text.len());
                self.anonymous.push(anonymous);
                *self.table.get_mut(place)? = key;
                Some(key)
            }
            key => Some(key),
        }
    }

    /// The id of a key and whether it is anonymous.
    pub(super) fn id(&self, key: usize) -> Option<(&str, bool)> {
        let start = match key.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        Some((
            self.text.get(start..*self.ends.get(key)?)?,
            *self.anonymous.get(key)?,
        ))
    }

    /// Forgets the keys from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.ends.truncate(len);
            self.anonymous.truncate(len);
            self.text
                .truncate(self.ends.last().copied().unwrap_or_default());
            self.rebuild(self.table.len());
        }
    }

    /// Where the id is, or the empty place where it belongs.
    fn place(&self, id: &str, anonymous: bool) -> Option<usize> {
        let mask = self.table.len().checked_sub(1)?;
        let mut place =
            XxHash3_64::oneshot_with_seed(u64::from(anonymous), id.as_bytes()) as usize & mask;
        loop {
            match self.table.get(place).copied()? {
                EMPTY => return Some(place),
                key if self.id(key as usize) == Some((id, anonymous)) => return Some(place),
                _ => place = (place + 1) & mask,
            }
        }
    }

    fn rebuild(&mut self, size: usize) {
        self.table = vec![EMPTY; size.next_power_of_two()];
        for key in 0..self.len() {
            let place = self
                .id(key)
                .and_then(|(id, anonymous)| self.place(id, anonymous));
            if let Some(slot) = place.and_then(|place| self.table.get_mut(place)) {
                *slot = key as u32;
            }
        }
    }
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
