//! A word of bits for each of many users: a plain table, as a pass over millions of events asks it for each of them.

/// Bits by user.
#[derive(Debug)]
pub(super) enum Masks {
    /// A place for every key there is, where these are not many more than there are events.
    Direct(Vec<u64>),
    /// Places for those that are met.
    Hashed(Hashed),
}

#[derive(Debug, Default)]
pub(super) struct Hashed {
    // INVARIANT: both as long, a power of two, at most half full; a mask of 0 is an empty place. Two tables, since a pair of both would
    // be a third larger.
    users: Vec<u32>,
    masks: Vec<u64>,
    used: usize,
}

impl Masks {
    /// For keys up to the highest, of so many events.
    pub(super) fn of(highest: u32, events: usize) -> Self {
        let keys = highest as usize + 1;
        if keys <= (2 * events).max(1 << 10) {
            Self::Direct(vec![0; keys])
        } else {
            Self::Hashed(Hashed::default())
        }
    }

    /// Adds bits, which are not 0, to those of a user.
    pub(super) fn mark(&mut self, user: u32, bits: u64) {
        match self {
            Self::Direct(masks) => {
                if let Some(mask) = masks.get_mut(user as usize) {
                    *mask |= bits;
                }
            }
            Self::Hashed(hashed) => hashed.mark(user, bits),
        }
    }

    /// The bits of all users, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        let (Self::Direct(masks) | Self::Hashed(Hashed { masks, .. })) = self;
        masks.iter().copied().filter(|bits| *bits != 0)
    }
}

impl Hashed {
    fn mark(&mut self, user: u32, bits: u64) {
        if self.users.len() < (self.used + 1) * 2 {
            self.grow();
        }
        let last = self.users.len() - 1;
        let mut place = start(user) & last;
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
        let size = (self.users.len() * 2).max(1 << 10);
        let users = std::mem::replace(&mut self.users, vec![0; size]);
        let masks = std::mem::replace(&mut self.masks, vec![0; size]);
        self.used = 0;
        for (user, mask) in users.into_iter().zip(masks).filter(|place| place.1 != 0) {
            self.mark(user, mask);
        }
    }
}

/// Where the search for a user begins: neighbouring keys far apart.
fn start(user: u32) -> usize {
    (u64::from(user).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_its_bits() {
        for mut masks in [
            Masks::of(350_000, 200_000),
            Masks::of(u32::MAX - 1, 200_000),
        ] {
            for round in 0..3 {
                for user in 0..50_000 {
                    masks.mark(user * 7, 1 << round);
                }
            }
            assert_eq!(masks.all().count(), 50_000);
            assert!(masks.all().all(|bits| bits == 0b111));
        }
    }
}
