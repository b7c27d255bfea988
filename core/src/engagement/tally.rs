//! Counts users cell by cell.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: buckets are below their calendar's, hours below a week's, periods up to the range's"
)]

use super::fast::Fast;
use super::people::State;
use super::plan::{Count, HOURS, Plan, Scratch, Sink, TRAILING};
use crate::error::Result;
use crate::timeline::{Days, Timeline, View};

/// The numbers of an answer.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) users: u64,
    pub(super) events: u64,
    /// By scale and bucket.
    pub(super) active: [Vec<u64>; 3],
    /// By how many periods, from 1.
    pub(super) sticky: Vec<u64>,
    /// By trailing window: users, and the days on which they are active.
    pub(super) trailing: [[u64; 2]; TRAILING.len()],
    /// By period and state.
    pub(super) states: Vec<[u64; State::ALL.len()]>,
    /// Users with a session.
    pub(super) visitors: u64,
    /// Of each session the microseconds and the events.
    pub(super) lengths: Vec<i64>,
    pub(super) sizes: Vec<i64>,
    pub(super) open: u64,
    /// By hour of the week: events and users.
    pub(super) hours: Vec<[u64; 2]>,
}

impl Tally {
    fn new(plan: &Plan<'_>) -> Self {
        let rows = plan.scale().rows.len();
        Self {
            active: [0, 1, 2].map(|scale| vec![0; plan.scales[scale].rows.len()]),
            sticky: vec![0; rows],
            states: vec![[0; State::ALL.len()]; rows],
            hours: vec![[0; 2]; HOURS],
            ..Self::default()
        }
    }

    /// One pass over all users.
    pub(super) fn run(plan: &Plan<'_>, view: &View<'_>) -> Result<Self> {
        if let Some(fast) = Fast::new(plan)? {
            let empty = || Self::new(plan);
            let user = |tally: &mut Self, t: Timeline<'_>| fast.count(&t, tally);
            let Some(by_day) = &fast.by_day else {
                return view.fold(empty, user, Self::merge);
            };
            let zone = &plan.question.range.zone;
            let days = |tally: &mut Self, days: &Days| fast.count_days(by_day, days, tally);
            return view.fold_days(zone, empty, days, user, Self::merge);
        }
        let (tally, _) = view.fold(
            || (Self::new(plan), Scratch::default()),
            |(tally, scratch), t| plan.each(&t, |m| plan.question.asks(m), scratch, tally),
            |(a, scratch), (b, _)| (a.merge(b), scratch),
        )?;
        Ok(tally)
    }

    fn merge(mut self, mut other: Self) -> Self {
        let sum = |a: &mut [u64], b: &[u64]| a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
        self.users += other.users;
        self.events += other.events;
        self.visitors += other.visitors;
        self.open += other.open;
        for (a, b) in self.active.iter_mut().zip(&other.active) {
            sum(a, b);
        }
        sum(&mut self.sticky, &other.sticky);
        sum(
            self.trailing.as_flattened_mut(),
            other.trailing.as_flattened(),
        );
        sum(self.states.as_flattened_mut(), other.states.as_flattened());
        sum(self.hours.as_flattened_mut(), other.hours.as_flattened());
        self.lengths.append(&mut other.lengths);
        self.sizes.append(&mut other.sizes);
        self
    }
}

impl Sink for Tally {
    #[inline]
    fn count(&mut self, count: Count) {
        match count {
            Count::User => self.users += 1,
            Count::Active(scale, bucket) => self.active[scale][bucket] += 1,
            Count::Sticky(periods) => self.sticky[periods - 1] += 1,
            Count::Trailing(window) => self.trailing[window][0] += 1,
            Count::State(period, state) => self.states[period][state as usize] += 1,
            Count::Session => self.visitors += 1,
            Count::Hour(hour) => self.hours[hour][1] += 1,
        }
    }

    fn events(&mut self, events: usize) {
        self.events += events as u64;
    }

    #[inline]
    fn hour(&mut self, hour: usize) {
        self.hours[hour][0] += 1;
    }

    fn trailing(&mut self, window: usize, days: usize) {
        self.trailing[window][1] += days as u64;
    }

    fn session(&mut self, length: i64, events: usize, open: bool) {
        self.lengths.push(length);
        self.sizes.push(events as i64);
        self.open += u64::from(open);
    }
}
