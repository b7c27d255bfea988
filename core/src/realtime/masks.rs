//! A word of bits for each of many users: a plain table, as a pass over millions of events asks it for each of them.

/// Bits by user.
#[derive(Debug, Default)]
pub(super) struct Masks {
    // INVARIANT: a power of two, at most half full; a mask of 0 is an empty place.
    places: Vec<(u32, u64)>,
    used: usize,
}

impl Masks {
    /// Adds bits, which are not 0, to those of a user.
    pub(super) fn mark(&mut self, user: u32, bits: u64) {
        if self.places.len() < (self.used + 1) * 2 {
            self.grow();
        }
        let mask = self.places.len() - 1;
        let mut place = start(user) & mask;
        while let Some((known, bits_there)) = self.places.get_mut(place) {
            if *bits_there == 0 {
                (*known, *bits_there) = (user, bits);
                self.used += 1;
                return;
            }
            if *known == user {
                *bits_there |= bits;
                return;
            }
            place = (place + 1) & mask;
        }
    }

    /// The bits of all users, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        self.places
            .iter()
            .map(|place| place.1)
            .filter(|bits| *bits != 0)
    }

    fn grow(&mut self) {
        let size = (self.places.len() * 2).max(1 << 10);
        let before = std::mem::replace(&mut self.places, vec![(0, 0); size]);
        self.used = 0;
        for (user, bits) in before.into_iter().filter(|place| place.1 != 0) {
            self.mark(user, bits);
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
        let mut masks = Masks::default();
        for round in 0..3 {
            for user in 0..50_000 {
                masks.mark(user * 7, 1 << round);
            }
        }
        assert_eq!(masks.all().count(), 50_000);
        assert!(masks.all().all(|bits| bits == 0b111));
    }
}
