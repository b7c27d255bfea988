//! What usually comes next: Markov chains of order 0 to 3, interpolated (F. Jelinek and R. Mercer, 1980), the weights by Witten and Bell
//! (1991).
//!
//! The chance of an action after a context of k actions is (count + kinds · the chance after the last k - 1 of them) / (total + kinds), where
//! `kinds` is how many different actions have followed the context. So what has been seen often speaks for itself, and what has not
//! leans on shorter contexts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The longest context.
pub(crate) const ORDER: usize = 3;
/// No action: the user has done less than a context is long.
pub(crate) const NOTHING: u16 = u16::MAX;

/// The last actions, the latest first.
pub(crate) type Context = [u16; ORDER];

/// The context after one more action.
pub(crate) fn after(context: Context, action: u16) -> Context {
    let [latest, before, _] = context;
    [action, latest, before]
}

/// How often actions followed contexts of the longest kind; shorter ones are sums of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(HashMap<u64, u64, BuildHasherDefault<Spread>>);

/// Spreads one whole number over 64 bits, by a product and a shift.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u64(u64::from(*b)));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Seen {
    /// Counts an action that followed a context.
    pub(crate) fn add(&mut self, context: Context, action: u16) {
        let [a, b, c] = context.map(u64::from);
        let key = a << 48 | b << 32 | c << 16 | u64::from(action);
        *self.0.entry(key).or_default() += 1;
    }

    /// All contexts with the actions that followed and how often, ascending.
    pub(crate) fn sorted(&self) -> Vec<(Context, u16, u64)> {
        let mut packed: Vec<(u64, u64)> = self.0.iter().map(|(k, n)| (*k, *n)).collect();
        packed.sort_unstable();
        let unpacked = packed.into_iter().map(|(key, n)| {
            let part = |shift: u32| (key >> shift) as u16;
            ([part(48), part(32), part(16)], part(0), n)
        });
        unpacked.collect()
    }

    /// The counts of both.
    pub(crate) fn with(mut self, mut other: Self) -> Self {
        if self.0.len() < other.0.len() {
            std::mem::swap(&mut self, &mut other);
        }
        for (key, n) in other.0 {
            *self.0.entry(key).or_default() += n;
        }
        self
    }
}

/// What followed a context.
#[derive(Clone, Debug, Default)]
struct Followers {
    total: u64,
    /// Actions and how often each followed, by action.
    counts: Vec<(u16, u64)>,
}

/// A chain that has been learned.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// By the length of the context, what followed each.
    orders: [HashMap<u64, Followers, BuildHasherDefault<Spread>>; ORDER + 1],
    /// The actions that may come, ascending.
    actions: Vec<u16>,
}

/// The chance of an action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Chance {
    /// The action.
    pub(crate) action: u16,
    /// Its probability.
    pub(crate) probability: f64,
}

fn key(context: Context, order: usize) -> u64 {
    let all = context.iter().take(order);
    all.fold(order as u64, |key, action| key << 16 | u64::from(*action))
}

impl Chain {
    /// Learns from what was seen.
    pub(crate) fn of(seen: &Seen) -> Self {
        let mut orders: [HashMap<u64, Followers, BuildHasherDefault<Spread>>; ORDER + 1] =
            Default::default();
        for (context, action, n) in seen.sorted() {
            for (order, followers) in orders.iter_mut().enumerate() {
                let known = context.get(order.wrapping_sub(1));
                if known == Some(&NOTHING) {
                    break;
                }
                let followers = followers.entry(key(context, order)).or_default();
                followers.total += n;
                match followers.counts.binary_search_by_key(&action, |c| c.0) {
                    Ok(at) => {
                        if let Some(count) = followers.counts.get_mut(at) {
                            count.1 += n;
                        }
                    }
                    Err(at) => followers.counts.insert(at, (action, n)),
                }
            }
        }
        let [none, ..] = &orders;
        let actions = none
            .values()
            .flat_map(|f| f.counts.iter().map(|c| c.0))
            .collect();
        Self { orders, actions }
    }

    /// Whether nothing was seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The chances of all actions after a context, by action; contexts longer than `order` are cut to it. What is missing to 1 is the
    /// chance of an action never seen.
    pub(crate) fn chances(&self, context: Context, order: usize) -> Vec<Chance> {
        // Without any context all that has been seen is as likely, and so is something new.
        let even = 1.0 / (self.actions.len() as f64 + 1.0);
        let mut chances: Vec<Chance> = self
            .actions
            .iter()
            .map(|action| Chance {
                action: *action,
                probability: even,
            })
            .collect();
        for followers in self.known(context, order) {
            let kinds = followers.counts.len() as f64;
            let of = followers.total as f64 + kinds;
            let mut counts = followers.counts.iter().peekable();
            for chance in &mut chances {
                let count = counts.next_if(|c| c.0 == chance.action).map_or(0, |c| c.1);
                chance.probability = (count as f64 + kinds * chance.probability) / of;
            }
        }
        chances
    }

    /// What followed the contexts that are known, from the empty one on: who has done less, or something that nothing has followed, has no
    /// longer one.
    fn known(&self, context: Context, order: usize) -> impl Iterator<Item = &Followers> {
        let orders = self.orders.iter().take(order + 1).enumerate();
        orders.map_while(move |(length, followers)| followers.get(&key(context, length)))
    }

    /// How long the longest known part of a context is, how often it was seen, and how many observations its chances are worth: these and
    /// one for each kind that followed, which is what shorter contexts weigh.
    pub(crate) fn support(&self, context: Context, order: usize) -> Support {
        let last = self.known(context, order).enumerate().last();
        last.map_or_else(Support::default, |(length, followers)| Support {
            length,
            seen: followers.total,
            worth: followers.total as f64 + followers.counts.len() as f64,
        })
    }
}

/// What chances after a context rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Support {
    /// How long the longest known part of the context is.
    pub(crate) length: usize,
    /// How often something followed it.
    pub(crate) seen: u64,
    /// How many observations the chances are worth.
    pub(crate) worth: f64,
}

impl Support {
    /// Wilson's 95 % interval of a chance that so many observations say.
    pub(crate) fn interval(&self, p: f64) -> [f64; 2] {
        const Z: f64 = 1.959_963_984_540_054;
        let (n, z2) = (self.worth, Z * Z);
        let centre = (n * p + z2 / 2.0) / (n + z2);
        let half = Z / (n + z2) * (n * p * (1.0 - p) + z2 / 4.0).sqrt();
        [(centre - half).max(0.0), (centre + half).min(1.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(sequences: &[&[u16]]) -> Chain {
        let mut seen = Seen::default();
        for sequence in sequences {
            let mut context = [NOTHING; ORDER];
            for action in *sequence {
                seen.add(context, *action);
                context = after(context, *action);
            }
        }
        Chain::of(&seen)
    }

    fn of(chain: &Chain, context: Context, order: usize) -> Vec<(u16, f64)> {
        let chances = chain.chances(context, order);
        chances.iter().map(|c| (c.action, c.probability)).collect()
    }

    #[test]
    fn chances_are_those_of_witten_and_bell() {
        // 0 came three times, 1 twice: two kinds in five, and one place in three for anything.
        let chain = chain(&[&[0, 1, 0], &[0, 1]]);
        let none = [NOTHING; ORDER];
        let zero = (3.0 + 2.0 / 3.0) / 7.0;
        let one = (2.0 + 2.0 / 3.0) / 7.0;
        assert_eq!(of(&chain, none, 3), [(0, zero), (1, one)]);
        // After 0 came 1 twice and nothing else: one kind in two.
        let after_0 = [0, NOTHING, NOTHING];
        assert_eq!(of(&chain, after_0, 0), [(0, zero), (1, one)]);
        assert_eq!(
            of(&chain, after_0, 1),
            [(0, zero / 3.0), (1, (2.0 + one) / 3.0)]
        );
        assert_eq!(
            chain.support(after_0, 3),
            Support {
                length: 1,
                seen: 2,
                worth: 3.0
            }
        );
        // After 0, 1 came 0 once; 7 was never seen and leaves nothing but the empty context.
        assert_eq!(chain.support([1, 0, NOTHING], 3).length, 2);
        assert_eq!(of(&chain, [7, 0, 1], 3), of(&chain, none, 3));
    }

    #[test]
    fn chances_and_that_of_something_new_add_up_to_1() {
        let chain = chain(&[&[0, 1, 2, 0, 1, 3, 2, 2], &[3, 1, 0, 0]]);
        for context in [[0, 1, 2], [2, 2, 3], [NOTHING; 3], [9, 9, 9]] {
            let mut expected = 1.0 / 5.0;
            for followers in chain.known(context, 3) {
                let kinds = followers.counts.len() as f64;
                expected *= kinds / (followers.total as f64 + kinds);
            }
            let sum: f64 = of(&chain, context, 3).iter().map(|c| c.1).sum();
            assert!((sum + expected - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn counts_in_pieces_are_counts_in_one() {
        let mut whole = Seen::default();
        let mut pieces = [Seen::default(), Seen::default()];
        for n in 0..1_000_u16 {
            let context = [n % 7, n % 3, NOTHING];
            whole.add(context, n % 5);
            pieces[usize::from(n % 11 == 0)].add(context, n % 5);
        }
        let [a, b] = pieces;
        assert_eq!(a.with(b).0, whole.0);
    }
}
