//! Who is who (I5): devices that turned out to be users, and users that are one and the same, resolved whenever timelines are
//! built and never written to stored events, so that every step can be taken back.

use std::collections::HashMap;

use crate::warehouse::Identities;

/// Tells which user an event counts for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    canonical: HashMap<u32, u32>,
    devices: HashMap<u32, Vec<(i64, Option<u32>)>>,
    /// The sum of the content hashes of aliases and merges.
    pub(crate) hash: u64,
}

impl Identity {
    pub(super) fn new(known: Identities) -> Self {
        let mut devices: HashMap<u32, Vec<(i64, Option<u32>)>> = HashMap::new();
        for (device, ts, user) in known.marks {
            devices.entry(device).or_default().push((ts, user));
        }
        for marks in devices.values_mut() {
            // Those of one time keep the order in which they came, which is that of ids.
            marks.sort_by_key(|mark| mark.0);
            marks.dedup();
            // Between two marks of one user nothing is decided by a third.
            let mut kept: Vec<(i64, Option<u32>)> = Vec::with_capacity(marks.len());
            for mark in marks.drain(..) {
                if let [.., before, last] = kept.as_mut_slice()
                    && before.1 == mark.1
                    && last.1 == mark.1
                {
                    *last = mark;
                } else {
                    kept.push(mark);
                }
            }
            *marks = kept;
        }
        Self {
            canonical: canonical(&known.merges, &known.merged),
            devices,
            hash: known.hash,
        }
    }

    /// As numbers, one after the other, for a file.
    pub(super) fn written(&self) -> Vec<i64> {
        let mut merged: Vec<_> = self.canonical.iter().collect();
        merged.sort_unstable();
        let mut devices: Vec<_> = self.devices.iter().collect();
        devices.sort_unstable();
        let mut numbers = vec![self.hash as i64, merged.len() as i64];
        numbers.extend(
            merged
                .iter()
                .flat_map(|(key, user)| [i64::from(**key), i64::from(**user)]),
        );
        for (device, marks) in devices {
            numbers.extend([i64::from(*device), marks.len() as i64]);
            let nobody = -1;
            numbers.extend(
                marks
                    .iter()
                    .flat_map(|(ts, user)| [*ts, user.map_or(nobody, i64::from)]),
            );
        }
        numbers
    }

    /// What was written; nothing where it is cut short.
    pub(super) fn read(numbers: &[i64]) -> Option<Self> {
        let mut numbers = numbers.iter().copied();
        let hash = numbers.next()? as u64;
        let mut canonical = HashMap::new();
        for _ in 0..numbers.next()? {
            let (key, user) = (numbers.next()?, numbers.next()?);
            canonical.insert(u32::try_from(key).ok()?, u32::try_from(user).ok()?);
        }
        let mut devices = HashMap::new();
        while let Some(device) = numbers.next() {
            let mut marks = Vec::new();
            for _ in 0..numbers.next()? {
                let (ts, user) = (numbers.next()?, numbers.next()?);
                marks.push((ts, u32::try_from(user).ok()));
            }
            devices.insert(u32::try_from(device).ok()?, marks);
        }
        Some(Self {
            canonical,
            devices,
            hash,
        })
    }

    /// The keys whose events may count for another user than they did for an earlier state.
    pub(super) fn moved_since(&self, old: &Self) -> Vec<u32> {
        let of = |known: &Self, key: u32| {
            let marks = known.devices.get(&key);
            let marks = marks.map(|marks| {
                let users = marks
                    .iter()
                    .map(|(ts, user)| (*ts, user.map(|u| known.canonical(u))));
                users.collect::<Vec<_>>()
            });
            (known.canonical(key), marks)
        };
        let mut keys: Vec<u32> = [self, old]
            .iter()
            .flat_map(|known| known.canonical.keys().chain(known.devices.keys()))
            .copied()
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| of(self, *key) != of(old, *key));
        keys
    }

    /// Whether every id stands for itself.
    pub(super) fn is_empty(&self) -> bool {
        self.canonical.is_empty() && self.devices.is_empty()
    }

    /// The user that a known user is.
    #[inline]
    pub(crate) fn canonical(&self, user: u32) -> u32 {
        self.canonical.get(&user).copied().unwrap_or(user)
    }

    /// The keys of all known users that are this one, ascending.
    pub(super) fn keys_of(&self, user: u32) -> Vec<u32> {
        let merged = self.merged_into(&[user]).into_iter().map(|(key, _)| key);
        let mut keys: Vec<u32> = merged.chain([user]).collect();
        keys.sort_unstable();
        keys
    }

    /// The keys that are merged into one of these users, which ascend, each with that user.
    pub(super) fn merged_into(&self, users: &[u32]) -> Vec<(u32, u32)> {
        let merged = self.canonical.iter().map(|(key, user)| (*key, *user));
        merged
            .filter(|(key, user)| key != user && users.binary_search(user).is_ok())
            .collect()
    }

    /// The user that an event of this key at this time counts for.
    ///
    /// A stretch of a device belongs to the next user it is known to be, but not beyond the moment at which it is signed out;
    /// behind the last such moment it belongs to the user before, unless the device was signed out.
    #[inline]
    pub(super) fn resolve(&self, key: u32, ts: i64) -> u32 {
        let Some(marks) = self.devices.get(&key) else {
            return self.canonical(key);
        };
        let next = marks.partition_point(|mark| mark.0 < ts);
        let after = marks.get(next).and_then(|mark| mark.1);
        let before = || next.checked_sub(1).and_then(|i| marks.get(i)?.1);
        after
            .or_else(before)
            .map_or(key, |user| self.canonical(user))
    }
}

/// For each merged user the oldest of those that are one: the first to have an event; of several, the one whose id sorts first.
fn canonical(merges: &[(u32, u32)], merged: &[(u32, Option<i64>, String)]) -> HashMap<u32, u32> {
    let mut group: HashMap<u32, usize> = HashMap::new();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for (one, other) in merges {
        let mut at = |user: u32| {
            *group.entry(user).or_insert_with(|| {
                groups.push(vec![user]);
                groups.len() - 1
            })
        };
        let (a, b) = (at(*one), at(*other));
        if a != b {
            let moved = groups.get_mut(b).map(std::mem::take).unwrap_or_default();
            for user in &moved {
                group.insert(*user, a);
            }
            if let Some(users) = groups.get_mut(a) {
                users.extend(moved);
            }
        }
    }
    let age: HashMap<u32, (i64, &str)> = merged
        .iter()
        .map(|(user, first, id)| (*user, (first.unwrap_or(i64::MAX), id.as_str())))
        .collect();
    let mut oldest = HashMap::new();
    for users in groups {
        let eldest = users.iter().min_by_key(|user| age.get(user));
        if let Some(eldest) = eldest {
            oldest.extend(users.iter().map(|user| (*user, *eldest)));
        }
    }
    oldest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(marks: &[(u32, i64, Option<u32>)], merges: &[(u32, u32)]) -> Identity {
        Identity::new(Identities {
            marks: marks.to_vec(),
            merges: merges.to_vec(),
            merged: (0..10)
                .map(|u| (u, Some(100 - i64::from(u)), u.to_string()))
                .collect(),
            hash: 0,
        })
    }

    #[test]
    fn i5_a_stretch_belongs_to_the_next_user_but_not_beyond_a_sign_out() {
        // e1@1, identify 7@2, e2@3, reset@4, e3@5, identify 8@6 on device 0.
        let known = identity(&[(0, 2, Some(7)), (0, 4, None), (0, 6, Some(8))], &[]);
        let users = [1, 2, 3, 4, 5, 6, 7].map(|ts| known.resolve(0, ts));
        assert_eq!(users, [7, 7, 7, 7, 8, 8, 8]);
        assert_eq!(known.resolve(1, 1), 1);
        let known = identity(&[(0, 2, Some(7)), (0, 4, None)], &[]);
        assert_eq!(known.resolve(0, 5), 0);
        let known = identity(&[(0, 2, Some(7)), (0, 6, Some(8))], &[]);
        assert_eq!([3, 6, 7].map(|ts| known.resolve(0, ts)), [8, 8, 8]);
    }

    #[test]
    fn i5_merged_users_are_the_oldest_of_them_whatever_the_order_and_cycles() {
        for merges in [
            &[(1, 2), (2, 3), (3, 1)][..],
            &[(3, 2), (1, 2)],
            &[(2, 1), (3, 1), (1, 1)],
        ] {
            let known = identity(&[], merges);
            assert_eq!([0, 1, 2, 3, 4].map(|u| known.canonical(u)), [0, 3, 3, 3, 4]);
        }
    }

    #[test]
    fn those_whose_events_move_are_found_and_no_others() {
        let marks = [(0, 2, Some(7)), (1, 2, Some(8)), (2, 2, Some(9))];
        let before = identity(&marks, &[(3, 4)]);
        assert!(before.moved_since(&before).is_empty());
        let nobody = Identity::default();
        assert_eq!(before.moved_since(&nobody), [0, 1, 2, 3]);
        assert_eq!(nobody.moved_since(&before), [0, 1, 2, 3]);
        // A merge moves the younger user and the device that is known to be that user.
        let merged = identity(&marks, &[(3, 4), (7, 8)]);
        assert_eq!(merged.moved_since(&before), [0, 7]);
        let more = identity(&[(0, 1, Some(6)), marks[0], marks[1], marks[2]], &[(3, 4)]);
        assert_eq!(more.moved_since(&before), [0]);
    }

    #[test]
    fn what_was_written_is_read_again() {
        let known = identity(
            &[(0, 2, Some(7)), (0, 4, None), (5, -6, Some(8))],
            &[(1, 2), (3, 4)],
        );
        let numbers = known.written();
        assert_eq!(Identity::read(&numbers), Some(known));
        assert_eq!(Identity::read(&numbers[..numbers.len() - 1]), None);
        let nobody = Identity::default();
        assert_eq!(Identity::read(&nobody.written()), Some(nobody));
    }

    #[test]
    fn many_marks_of_one_user_are_two() {
        let marks: Vec<_> = (0..100).map(|ts| (0, ts, Some(7))).collect();
        let known = identity(&marks, &[]);
        assert_eq!(known.devices[&0], [(0, Some(7)), (99, Some(7))]);
        assert_eq!(known.resolve(0, 50), 7);
    }
}
