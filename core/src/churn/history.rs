//! The days on which each user was active, counted back from the instant that a question is as of.

use std::cmp::Ordering;

/// A day of elapsed time, in microseconds; it has nothing to do with calendars.
pub(super) const DAY: i64 = 86_400_000_000;

/// A day on which a user was active.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Day {
    /// How many whole days before the instant: 0 within the last 24 hours.
    pub(super) ago: u32,
    /// How many events.
    pub(super) events: u32,
    /// What they were worth; models are of floating point, sums of money elsewhere are not.
    pub(super) amount: f64,
}

/// A value of an attribute that was said of a user from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    /// How many whole days before the instant.
    pub(super) ago: u32,
    /// Which attribute.
    pub(super) which: usize,
    /// The place of the value among all values in their order.
    pub(super) value: u32,
}

/// A user and the days on which they were active, the earliest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// The key.
    pub(super) user: u32,
    /// Whether the user is of the segment asked for.
    pub(super) member: bool,
    /// At least one day.
    pub(super) days: Vec<Day>,
    /// What was said of their attributes, the earliest first.
    pub(super) said: Vec<Said>,
}

/// How many days before `as_of` an event is, where it is strictly before it: a distance in (d, d + 1] days is d, so that an event is
/// strictly before the cut-off k days back exactly where d >= k (S7).
pub(super) fn ago(as_of: i64, ts: i64) -> Option<u32> {
    let distance = as_of.checked_sub(ts).filter(|d| *d > 0)?;
    Some(u32::try_from((distance - 1) / DAY).unwrap_or(u32::MAX))
}

impl History {
    /// The days strictly before the cut-off so many days back.
    pub(super) fn before(&self, cut: u32) -> &[Day] {
        let n = self.days.partition_point(|d| d.ago >= cut);
        self.days.get(..n).unwrap_or_default()
    }

    /// What was last said of so many attributes strictly before the cut-off so many days back.
    pub(super) fn known(&self, cut: u32, attributes: usize) -> Vec<Option<u32>> {
        let last = |which| {
            let mut latest = self.said.iter().rev();
            latest.find(|s| s.ago >= cut && s.which == which)
        };
        (0..attributes).map(|w| last(w).map(|s| s.value)).collect()
    }

    /// Whether there is activity from the cut-off on, within a horizon of days that ends at or before the instant.
    pub(super) fn returns(&self, cut: u32, horizon: u32) -> bool {
        let n = self.days.partition_point(|d| d.ago >= cut);
        self.days.get(n).is_some_and(|d| d.ago + horizon >= cut)
    }

    fn order(&self, other: &Self) -> Ordering {
        let key = |d: &Day| (d.ago, d.events, d.amount.to_bits());
        let days = self.days.iter().map(key).cmp(other.days.iter().map(key));
        days.then_with(|| self.said.cmp(&other.said))
    }
}

/// Brings users into an order that depends on nothing but what they did, so that sums over them are the same to the last digit in
/// whatever order events were stored (G2); users who did the same are interchangeable.
pub(super) fn arrange(histories: &mut [History]) {
    use rayon::slice::ParallelSliceMut;
    histories.par_sort_unstable_by(|a, b| a.order(b).then(a.user.cmp(&b.user)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(days_ago: &[u32]) -> History {
        let day = |ago: &u32| Day {
            ago: *ago,
            events: 1,
            amount: 0.0,
        };
        History {
            user: 0,
            member: true,
            days: days_ago.iter().map(day).collect(),
            said: Vec::new(),
        }
    }

    #[test]
    fn an_event_at_the_cut_off_is_after_it() {
        assert_eq!(ago(10 * DAY, 10 * DAY), None);
        assert_eq!(ago(10 * DAY, 10 * DAY - 1), Some(0));
        assert_eq!(ago(10 * DAY, 7 * DAY), Some(2));
        assert_eq!(ago(10 * DAY, 7 * DAY - 1), Some(3));
        assert_eq!(ago(i64::MAX, i64::MIN), None);
    }

    #[test]
    fn a_horizon_is_half_open() {
        // The cut-off is 6 days back, the horizon 3 days long: it holds the days 5, 4 and 3 ago.
        for (last, expected) in [(6, false), (5, true), (3, true), (2, false)] {
            assert_eq!(history(&[9, last]).returns(6, 3), expected, "{last}");
        }
        assert_eq!(history(&[9, 6, 5]).before(6).len(), 2);
        assert!(history(&[5]).before(6).is_empty());
    }
}
