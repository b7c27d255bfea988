//! A word of bits for each of many users: a plain table, as a pass over millions of events asks it for each of them. Where users are
//! many, they are taken in turns, so that the table stays small however many they are.

/// A table has at most so many places for keys that lie side by side: 12 MiB.
const KEYS: usize = 3 << 19;

/// A table of places for those that are met is for at most so many users: 12 MiB too, of which less than half are taken.
const USERS: usize = 450_000;

/// Bits by user, of the users of one turn.
#[derive(Debug)]
pub(super) enum Masks {
    /// A place for every key of the turn, where these are not many more than there are events.
    Direct {
        /// The key of the first place.
        first: u32,
        masks: Vec<u64>,
    },
    /// Places for those that are met.
    Hashed(Hashed),
}

#[derive(Debug)]
pub(super) struct Hashed {
    // INVARIANT: both as long, a power of two, at most half full; a mask of 0 is an empty place. Two tables, since a pair of both would
    // be a third larger.
    users: Vec<u32>,
    masks: Vec<u64>,
    used: usize,
    /// Which turn of how many it is.
    turn: (u64, u64),
}

impl Masks {
    /// The empty tables of all turns, one after the other, for keys up to the highest, of so many events: in each turn all events are
    /// to be gone through, and each user counts in one of them.
    pub(super) fn in_turns(highest: u32, events: usize) -> impl Iterator<Item = Self> {
        Self::turns(highest, events, (KEYS, USERS))
    }

    fn turns(
        highest: u32,
        events: usize,
        (most_keys, most_users): (usize, usize),
    ) -> impl Iterator<Item = Self> {
        let keys = highest as usize + 1;
        let direct = keys <= (2 * events).max(1 << 10);
        let turns = if direct {
            keys.div_ceil(most_keys)
        } else {
            events.div_ceil(most_users)
        };
        (0..turns).map(move |turn| {
            if direct {
                let first = turn * most_keys;
                return Self::Direct {
                    first: first as u32,
                    masks: vec![0; most_keys.min(keys - first)],
                };
            }
            let places = (2 * events.div_ceil(turns)).next_power_of_two();
            Self::Hashed(Hashed::new(places, (turn as u64, turns as u64)))
        })
    }

    /// Adds bits, which are not 0, to those of a user, where it is a user of this turn.
    pub(super) fn mark(&mut self, user: u32, bits: u64) {
        match self {
            Self::Direct { first, masks } => {
                // A user of an earlier turn is far beyond the last place.
                if let Some(mask) = masks.get_mut(user.wrapping_sub(*first) as usize) {
                    *mask |= bits;
                }
            }
            Self::Hashed(hashed) => hashed.mark(user, bits),
        }
    }

    /// The bits of all users of this turn, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        let (Self::Direct { masks, .. } | Self::Hashed(Hashed { masks, .. })) = self;
        masks.iter().copied().filter(|bits| *bits != 0)
    }
}

impl Hashed {
    fn new(places: usize, turn: (u64, u64)) -> Self {
        Self {
            users: vec![0; places],
            masks: vec![0; places],
            used: 0,
            turn,
        }
    }

    fn mark(&mut self, user: u32, bits: u64) {
        let (turn, turns) = self.turn;
        // The highest bits say whose turn it is, the lowest where the search begins.
        if turns > 1 && (start(user) * turns) >> 32 != turn {
            return;
        }
        self.put(user, bits);
    }

    fn put(&mut self, user: u32, bits: u64) {
        if self.users.len() < (self.used + 1) * 2 {
            self.grow();
        }
        let last = self.users.len() - 1;
        let mut place = start(user) as usize & last;
        while let (Some(known), Some(mask)) = (self.users.get_mut(place), self.masks.get_mut(place))
        {
            if *mask == 0 {
                (*known, *mask) = (user, bits);
                self.used += 1;
                return;
            }
            if *known == user {
                *mask |= bits;
                return;
            }
            place = (place + 1) & last;
        }
    }

    fn grow(&mut self) {
        let size = self.users.len() * 2;
        let users = std::mem::replace(&mut self.users, vec![0; size]);
        let masks = std::mem::replace(&mut self.masks, vec![0; size]);
        self.used = 0;
        for (user, mask) in users.into_iter().zip(masks).filter(|place| place.1 != 0) {
            self.put(user, mask);
        }
    }
}

/// Where the search for a user begins, of 2³² places: neighbouring keys far apart.
fn start(user: u32) -> u64 {
    u64::from(user).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_its_bits_in_one_turn() {
        let small = (100_000, 20_000);
        for (highest, events, most, turns) in [
            (350_000, 200_000, (KEYS, USERS), 1),
            (350_000, 200_000, small, 4),
            (u32::MAX - 1, 200_000, (KEYS, USERS), 1),
            (u32::MAX - 1, 200_000, small, 10),
            (0, 0, small, 1),
        ] {
            let (mut met, mut count) = (0, 0);
            for mut masks in Masks::turns(highest, events, most) {
                for round in 0..3 {
                    for user in (0..50_000).map(|n| n * 7).filter(|user| *user <= highest) {
                        masks.mark(user, 1 << round);
                    }
                }
                met += masks.all().count();
                count += 1;
                assert!(masks.all().all(|bits| bits == 0b111));
            }
            assert_eq!((met, count), (if highest == 0 { 1 } else { 50_000 }, turns));
        }
    }
}
