//! Which event ids may have been stored before: a filter of about 4 bytes an id that never says no wrongly.
//!
//! An index in the engine would cost more than the events themselves; the few ids that the filter holds for known are
//! looked up in the table.

/// 64 bytes, so that a question touches one line of the cache.
const WORDS: usize = 8;
/// Fewer make the engine look up more ids that are new: at 10 million events each look costs as much as storing thousands.
const BITS_PER_ID: usize = 32;

/// The ids seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    layers: Vec<Layer>,
    count: usize,
}

#[derive(Debug)]
struct Layer {
    blocks: Vec<[u64; WORDS]>,
    room: usize,
}

impl Seen {
    /// A filter with room for so many ids; more will find room as they come.
    pub(super) fn with_room(ids: usize) -> Self {
        let mut seen = Self::default();
        seen.grow(ids);
        seen
    }

    /// Whether the id may have been seen before; it has been from now on.
    pub(super) fn insert(&mut self, id: u128) -> bool {
        let hash = mix(id);
        if self.layers.iter().any(|layer| layer.holds(hash)) {
            return true;
        }
        if self.layers.last().is_none_or(|layer| layer.room == 0) {
            self.grow(self.count * 2);
        }
        self.count += 1;
        if let Some(layer) = self.layers.last_mut() {
            layer.insert(hash);
        }
        false
    }

    /// Takes in ids of which nobody asks whether they were seen before; there is room for them.
    pub(super) fn extend(&mut self, ids: impl Iterator<Item = u128>) {
        if let Some(layer) = self.layers.last_mut() {
            // No step waits for the one before, so that the waits for memory overlap.
            for id in ids {
                layer.insert(mix(id));
                self.count += 1;
            }
        }
    }

    fn grow(&mut self, room: usize) {
        let room = room.max(1 << 16);
        let blocks = (room * BITS_PER_ID).div_ceil(WORDS * 64);
        self.layers.push(Layer {
            blocks: vec![[0; WORDS]; blocks],
            room,
        });
    }
}

impl Layer {
    fn place(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.blocks.len() as u128) >> 64) as usize
    }

    fn holds(&self, hash: u64) -> bool {
        self.blocks.get(self.place(hash)).is_some_and(|block| {
            block
                .iter()
                .zip(bits(hash))
                .all(|(word, bit)| word & bit != 0)
        })
    }

    fn insert(&mut self, hash: u64) {
        let place = self.place(hash);
        if let Some(block) = self.blocks.get_mut(place) {
            for (word, bit) in block.iter_mut().zip(bits(hash)) {
                *word |= bit;
            }
        }
        self.room = self.room.saturating_sub(1);
    }
}

/// One bit for each word of a block, from the lower half of the hash: the upper half chose the block.
fn bits(hash: u64) -> [u64; WORDS] {
    const ODD: [u32; WORDS] = [
        0x47b6_137b,
        0x4497_4d91,
        0x8824_ad5b,
        0xa2b7_289d,
        0x7054_95c7,
        0x2df1_424b,
        0x9efc_4947,
        0x5c6b_fb31,
    ];
    ODD.map(|odd| 1 << ((hash as u32).wrapping_mul(odd) >> 26))
}

/// UUIDs of one time share most of their bits: a product of their halves spreads what differs.
fn mix(id: u128) -> u64 {
    let (high, low) = ((id >> 64) as u64, id as u64);
    let product =
        u128::from(high ^ 0xa076_1d64_78bd_642f) * u128::from(low ^ 0xe703_7ed1_a0b4_28db);
    let mixed = (product >> 64) as u64 ^ product as u64;
    let again = u128::from(mixed ^ 0x8ebc_6af0_9c88_c6e3) * 0x5899_65cc_7537_4cc3;
    (again >> 64) as u64 ^ again as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_always_known_and_what_was_not_almost_never() {
        // Ids as alike as ids get: counted, and of version 7.
        for id in [
            |i: u128| i,
            |i: u128| 0x018f_3c8a_0000_7000_8000_0000_0000_0000 + (i << 64) + (i * 7919 % 4096),
        ] {
            let mut seen = Seen::with_room(10);
            let wrong = (0..300_000).filter(|i| seen.insert(id(*i))).count();
            assert!(wrong < 12, "{wrong} of 300,000 new ids were held for known");
            assert!((0..300_000).all(|i| seen.insert(id(i))));
            let mut read = Seen::with_room(300_000);
            read.extend((0..300_000).map(id));
            let wrong = (300_000..600_000).filter(|i| read.insert(id(*i))).count();
            assert!(wrong < 12, "{wrong} of 300,000 new ids were held for known");
            assert!((0..600_000).all(|i| read.insert(id(i))));
        }
    }
}
