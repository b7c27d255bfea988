//! What is known of a user at an instant, and what the user did next: the samples that trees learn from (landmarks: J. Anderson and others,
//! 1983).

use super::classes::Classes;
use crate::learn::chain::{Chain, Context, NOTHING, ORDER, after};
use crate::learn::choice::Features;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// What is known of a user at an instant, from the actions before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Habit {
    /// The instant.
    at: i64,
    /// The last actions.
    pub(super) context: Context,
    /// When the last one was, and the one before it.
    last: i64,
    before: i64,
    /// How many there were in the day before the instant, in the week before it, and ever.
    day: usize,
    week: usize,
    all: usize,
    /// By action: how often, and when last.
    own: Vec<(u16, u32, i64)>,
}

/// A user at an instant in the past, and the action that came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sample {
    pub(super) habit: Habit,
    pub(super) came: u16,
    /// The same for all samples of a user, and for no reason else.
    pub(super) user: u64,
}

impl Habit {
    /// Of these actions, which come before the instant; none without any.
    pub(super) fn of(actions: &[(i64, u16)], at: i64) -> Option<Self> {
        let (last, _) = *actions.last()?;
        let since = |span: i64| {
            let from = at.saturating_sub(span);
            actions.len() - actions.partition_point(|a| a.0 < from)
        };
        let earlier = actions.len().checked_sub(2).and_then(|i| actions.get(i));
        let mut own: Vec<(u16, u32, i64)> = Vec::new();
        for (ts, action) in actions {
            match own.binary_search_by_key(action, |o| o.0) {
                Ok(i) => {
                    if let Some((_, times, last)) = own.get_mut(i) {
                        *times += 1;
                        *last = *ts;
                    }
                }
                Err(i) => own.insert(i, (*action, 1, *ts)),
            }
        }
        let latest = actions.iter().skip(actions.len().saturating_sub(ORDER));
        Some(Self {
            at,
            context: latest.fold([NOTHING; ORDER], |context, a| after(context, a.1)),
            last,
            before: earlier.map_or(last, |a| a.0),
            day: since(DAY),
            week: since(7 * DAY),
            all: actions.len(),
            own,
        })
    }

    /// As trees see it: what is the same for all classes (how long since the last action and before it, how many there were lately and ever,
    /// the hour of the day and of the week, the last two actions), what is of a class (its chance, how often the user did it and
    /// how large a part that is, how long ago, whether it was the last), and the chances of a chain to begin at.
    pub(super) fn features(&self, classes: &Classes, chain: &Chain, order: usize) -> Features<f64> {
        let hours = |micros: i64| libm::log1p(micros.max(0) as f64 / HOUR as f64);
        let ln = |n: usize| libm::log1p(n as f64);
        let count = classes.count();
        let [last, before, _] = self.context.map(|action| classes.of(action));
        // 1970 began on a Thursday; three days earlier was a Monday.
        let hour = (self.at + 3 * DAY).div_euclid(HOUR);
        let common = vec![
            hours(self.at.saturating_sub(self.last)),
            hours(self.last.saturating_sub(self.before)),
            ln(self.day),
            ln(self.week),
            ln(self.all),
            hour.rem_euclid(24) as f64,
            hour.rem_euclid(168) as f64,
            last as f64,
            before as f64,
        ];
        let mut chances = vec![0.0; count];
        for chance in chain.chances(self.context, order) {
            if let Some(sum) = chances.get_mut(classes.of(chance.action)) {
                *sum += chance.probability;
            }
        }
        let known: f64 = chances.iter().sum();
        if let Some(rest) = chances.last_mut() {
            *rest += (1.0 - known).max(0.0);
        }
        let start: Vec<f64> = chances.iter().map(|p| libm::log(p.max(1e-6))).collect();
        let mut done = vec![(0_u32, i64::MIN); count];
        for (action, times, when) in &self.own {
            if let Some((n, last)) = done.get_mut(classes.of(*action)) {
                *n += times;
                *last = (*last).max(*when);
            }
        }
        let own = done.iter().zip(&start).enumerate();
        let own = own.map(|(class, ((n, when), start))| {
            let ago = match n {
                0 => f64::MAX,
                _ => hours(self.at.saturating_sub(*when)),
            };
            vec![
                *start,
                libm::log1p(f64::from(*n)),
                f64::from(*n) / self.all as f64,
                ago,
                f64::from(u8::from(class == last)),
            ]
        });
        Features {
            common,
            own: own.collect(),
            start,
        }
    }
}

/// Instants in the past at which samples are taken: a few for each user in the earlier half of a stretch, so that there is time for
/// something to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// So many instants of a user.
pub(super) const INSTANTS: u64 = 4;

/// 64 bits of a user by nothing but when there were actions.
pub(super) fn mark(actions: &[(i64, u16)]) -> u64 {
    actions.iter().fold(0, |mark, a| mix(mark ^ a.0 as u64))
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Stretch {
    /// The samples of a user within it.
    pub(super) fn samples(
        self,
        actions: &[(i64, u16)],
        user: u64,
    ) -> impl Iterator<Item = Sample> + '_ {
        let part = (self.to - self.from) / (2 * INSTANTS as i64);
        (0..INSTANTS).filter_map(move |n| {
            let by = mix(user ^ (n + 1)) % part.max(1) as u64;
            let at = self.from + n as i64 * part + by as i64;
            let known = actions.partition_point(|a| a.0 < at);
            let (when, came) = *actions.get(known)?;
            let habit = Habit::of(actions.get(..known)?, at)?;
            (when < self.to).then_some(Sample { habit, came, user })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_from_an_instant_on_is_not_known_at_it() {
        let actions = [
            (0, 3),
            (2 * DAY, 1),
            (5 * DAY, 3),
            (5 * DAY + HOUR, 2),
            (9 * DAY, 0),
        ];
        let habit = Habit::of(&actions[..4], 6 * DAY).unwrap();
        assert_eq!(habit.context, [2, 3, 1]);
        assert_eq!((habit.day, habit.week, habit.all), (2, 4, 4));
        assert_eq!(
            habit.own,
            [(1, 1, 2 * DAY), (2, 1, 5 * DAY + HOUR), (3, 2, 5 * DAY)]
        );
        assert_eq!(Habit::of(&[], 0), None);
        let stretch = Stretch {
            from: 4 * DAY,
            to: 10 * DAY,
        };
        let samples: Vec<Sample> = stretch.samples(&actions, 7).collect();
        assert!(!samples.is_empty());
        for sample in samples {
            let known = actions.iter().filter(|a| a.0 < sample.habit.at).count();
            assert_eq!(
                Habit::of(&actions[..known], sample.habit.at).unwrap(),
                sample.habit
            );
            assert_eq!(sample.came, actions[known].1);
            assert!((4 * DAY..7 * DAY).contains(&sample.habit.at));
        }
        // What comes after the stretch is not what came within it.
        let short = Stretch {
            from: 6 * DAY,
            to: 9 * DAY,
        };
        assert_eq!(short.samples(&actions, 7).count(), 0);
    }
}
