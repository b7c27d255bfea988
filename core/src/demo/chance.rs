//! Seeded chance in whole numbers only, so that no platform's floating point can change a byte of the demo data.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One stream of chance. Streams of the same seed are independent, whoever draws from them and in whatever order.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of that number.
    pub(super) fn of(seed: u64, stream: u64) -> Self {
        let mut key = *b"travelsense demo data, seed ....";
        // The seed fills the front of the key; what follows only makes it 32 bytes.
        for (to, from) in key.iter_mut().zip(seed.to_le_bytes()) {
            *to = from;
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number below `n`; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// Whether something happens that does so `share` times in 10,000.
    pub(super) fn hits(&mut self, share: u64) -> bool {
        self.below(10_000) < share
    }

    /// One of the choices, each as likely as its weight.
    pub(super) fn pick<T: Copy + Default>(&mut self, choices: &[(u64, T)]) -> T {
        let mut mark = self.below(choices.iter().map(|c| c.0).sum());
        for (weight, choice) in choices {
            if mark < *weight {
                return *choice;
            }
            mark -= weight;
        }
        T::default()
    }

    /// A wait with this mean: mostly shorter, sometimes up to five times as long.
    pub(super) fn wait(&mut self, mean: i64) -> i64 {
        // Quantiles of the exponential distribution at every sixteenth, in thousandths; the logarithm is not computed
        // because its last bit may differ from one machine to another.
        const KNOTS: [i64; 17] = [
            0, 65, 134, 208, 288, 375, 470, 575, 693, 827, 981, 1_163, 1_386, 1_674, 2_079, 2_773,
            5_000,
        ];
        let at = self.below(16 << 16) as i64;
        let (knot, part) = ((at >> 16) as usize, at & 0xffff);
        let low = KNOTS.get(knot).copied().unwrap_or_default();
        let high = KNOTS.get(knot + 1).copied().unwrap_or(low);
        let thousandths = (low << 16) + (high - low) * part;
        ((i128::from(mean) * i128::from(thousandths)) / (1_000 << 16)) as i64
    }
}

/// Sixteen hex digits' worth of identity: the same parts, the same number, and no two alike in practice.
pub(super) fn hash(parts: [u64; 4]) -> u64 {
    // SplitMix64, folded over the parts.
    parts
        .into_iter()
        .fold(0x9e37_79b9_7f4a_7c15, |state: u64, part| {
            let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
}
