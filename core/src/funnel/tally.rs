//! Counts the outcomes of units.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: depths are at most the number of steps, buckets below the calendar's, chains hold places in the timeline"
)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::breakdown::{Grouping, Key, entry_of};
use super::fast::{self, Fast};
use super::options::Timed;
use super::outcome::Found;
use super::plan::Plan;
use super::run::{self, Of, Outcome};
use crate::error::{Error, ErrorKind, Result};
use crate::timeline::column::Amounts;
use crate::timeline::{Timeline, View};

/// Takes the outcomes of users, one after the other.
pub(super) trait Sink: Send {
    fn take(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>);
    /// All outcomes of a user were taken.
    fn end(&mut self, user: u32);
    fn merged(self, other: Self) -> Self;
}

struct Pass<S> {
    sink: S,
    room: fast::Room,
    steps: Vec<u16>,
    places: Vec<u32>,
}

/// One pass over all users.
pub(super) fn pass<S: Sink>(
    plan: &Plan<'_>,
    view: &View<'_>,
    empty: impl Fn() -> S + Sync + Send,
) -> Result<S> {
    let fast = Fast::of(plan);
    let too_complex = AtomicBool::new(false);
    let pass = view.fold(
        || Pass {
            sink: empty(),
            room: fast::Room::default(),
            steps: Vec::new(),
            places: Vec::new(),
        },
        |pass, timeline| {
            let sink = &mut pass.sink;
            let mut any = false;
            if !plan.members.hold(&timeline) {
                return;
            }
            let mut seen = timeline;
            let fast = match &fast {
                Some(fast) if !fast.by_row => Some(fast),
                Some(fast)
                    if fast::steps_of(plan, &timeline, &mut pass.places, &mut pass.steps) =>
                {
                    seen.name = &pass.steps;
                    Some(fast)
                }
                _ => None,
            };
            if let Some(fast) = fast {
                fast.member(plan, &seen, &mut pass.room, |outcome| {
                    any = true;
                    sink.take(&seen, &outcome);
                });
            } else if !too_complex.load(Relaxed) {
                let mut take = |outcome: Outcome<'_>| {
                    any = true;
                    sink.take(&timeline, &outcome);
                };
                if run::member(plan, &timeline, &mut take).is_err() {
                    too_complex.store(true, Relaxed);
                }
            }
            if any {
                sink.end(timeline.user);
            }
        },
        |a, b| Pass {
            sink: a.sink.merged(b.sink),
            room: a.room,
            steps: a.steps,
            places: a.places,
        },
    )?;
    if too_complex.into_inner() {
        return Err(Error::new(
            ErrorKind::Limit,
            "too_many_chains",
            "a user has too many events that fit several steps at one time; steps that overlap less would do",
        ));
    }
    Ok(pass.sink)
}

/// Counts of units of one kind: all, of a group, of a bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    /// `depths[d]`: units whose best chain has so many required steps.
    pub(super) depths: Vec<u64>,
    /// Units whose chain has each step.
    pub(super) has: Vec<u64>,
    /// Units that did not convert but still can.
    pub(super) open: u64,
    /// Units entered and converted by entries whose waiting is over.
    pub(super) matured: (u64, u64),
    /// The times of each chain that is timed, one after the other; `ABSENT` for a step that it goes without.
    pub(super) times: Vec<i64>,
    /// How long each unit that may still convert was watched, where some conversion may take longer, and how many others did not
    /// convert.
    pub(super) watched: Vec<i64>,
    pub(super) watched_through: u64,
    /// What the chains' events are worth, all and those of converters.
    pub(super) worth: (i128, i128),
}

/// The time of a step that a chain goes without.
pub(super) const ABSENT: i64 = i64::MIN;

impl Cells {
    fn sized(steps: usize) -> Self {
        Self {
            depths: vec![0; steps + 1],
            has: vec![0; steps],
            ..Self::default()
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if self.depths.is_empty() {
            *self = other;
            return;
        }
        for (mine, theirs) in self.depths.iter_mut().zip(&other.depths) {
            *mine += theirs;
        }
        for (mine, theirs) in self.has.iter_mut().zip(&other.has) {
            *mine += theirs;
        }
        self.open += other.open;
        self.matured.0 += other.matured.0;
        self.matured.1 += other.matured.1;
        self.times.extend(other.times);
        self.watched.extend(other.watched);
        self.watched_through += other.watched_through;
        self.worth.0 += other.worth.0;
        self.worth.1 += other.worth.1;
    }

    /// Units of at least so many required steps.
    pub(super) fn reached(&self, depth: usize) -> u64 {
        self.depths.iter().skip(depth).sum()
    }
}

/// What the pass counts.
#[derive(Debug)]
pub(super) struct Tally<'t> {
    plan: &'t Plan<'t>,
    grouping: Option<&'t Grouping<'t>>,
    amounts: Option<&'t Amounts>,
    optional: bool,
    pub(super) all: Cells,
    pub(super) buckets: Vec<Cells>,
    pub(super) groups: HashMap<Key, Cells>,
    /// The groups by place, as long as units are counted, where there are few.
    few: Vec<Cells>,
    /// Of the unit seen last, its user, the row that decides its group and its entry, and the place of the group.
    placed: ((u32, Option<u32>, u32), usize),
    /// Distinct users that entered and that converted.
    pub(super) users: (u64, u64),
    now: (bool, bool),
    /// The first of what is wrong with the amounts, by its message.
    error: Option<Error>,
}

impl<'t> Tally<'t> {
    pub(super) fn run(
        plan: &'t Plan<'t>,
        view: &View<'t>,
        grouping: Option<&'t Grouping<'t>>,
    ) -> Result<Self> {
        let amounts = if plan.question.revenue {
            Some(view.columns.amounts()?)
        } else {
            None
        };
        let steps = plan.places.len();
        let buckets = plan.calendar.as_ref().map_or(0, |c| c.buckets().len());
        let few = grouping.and_then(Grouping::few).unwrap_or_default();
        let mut tally = pass(plan, view, || Tally {
            plan,
            grouping,
            amounts,
            optional: plan.required < steps,
            all: Cells::sized(steps),
            buckets: vec![Cells::sized(steps); buckets],
            groups: HashMap::new(),
            few: vec![Cells::default(); few],
            // No user has that many rows.
            placed: ((0, Some(u32::MAX), 0), 0),
            users: (0, 0),
            now: (false, false),
            error: None,
        })?;
        for (place, cells) in std::mem::take(&mut tally.few).into_iter().enumerate() {
            if !cells.depths.is_empty() {
                tally.groups.insert(Grouping::key_of(place, few), cells);
            }
        }
        for key in grouping.iter().flat_map(|g| g.always()) {
            let none = tally.groups.entry(key);
            none.or_insert_with(|| Cells::sized(steps));
        }
        match tally.error {
            Some(error) => Err(error),
            None => Ok(tally),
        }
    }

    /// Does something to the cells of each group of a unit.
    #[inline]
    fn in_groups(
        &mut self,
        timeline: &Timeline<'_>,
        found: &Found,
        mut add: impl FnMut(&mut Cells),
    ) {
        let Some(grouping) = self.grouping else {
            return;
        };
        let steps = self.plan.places.len();
        if !self.few.is_empty() {
            let chosen = grouping.chosen(timeline, found);
            let (user, entry) = (timeline.user, entry_of(found));
            if self.placed.0 != (user, chosen, entry) {
                let place = grouping.place(timeline, chosen, entry, self.few.len());
                self.placed = ((user, chosen, entry), place);
            }
            let cells = &mut self.few[self.placed.1];
            if cells.depths.is_empty() {
                *cells = Cells::sized(steps);
            }
            add(cells);
            return;
        }
        for key in grouping.keys(timeline, found) {
            add(self
                .groups
                .entry(key)
                .or_insert_with(|| Cells::sized(steps)));
        }
    }

    fn worth(&mut self, timeline: &Timeline<'_>, found: &Found) -> i128 {
        let Some(amounts) = self.amounts else {
            return 0;
        };
        let mut sum = 0_i128;
        for (_, place) in &found.chain {
            match amounts.worth(timeline.row[*place as usize]) {
                Ok(worth) => sum = sum.saturating_add(worth.unwrap_or(0)),
                Err(error) => {
                    let first = self
                        .error
                        .as_ref()
                        .is_none_or(|e| error.message() < e.message());
                    if first {
                        self.error = Some(error);
                    }
                }
            }
        }
        sum
    }

    fn count(
        &(plan, optional): &(&Plan<'_>, bool),
        cells: &mut Cells,
        timeline: &Timeline<'_>,
        outcome: &Outcome<'_>,
        worth: i128,
    ) {
        let found = outcome.found;
        cells.depths[found.depth] += 1;
        if optional {
            for (step, _) in &found.chain {
                cells.has[usize::from(*step)] += 1;
            }
        }
        cells.open += u64::from(outcome.open);
        cells.worth.0 += worth;
        if outcome.converted {
            cells.worth.1 += worth;
        } else {
            // Who can no longer convert never does.
            if !outcome.open || outcome.watched >= plan.longest() {
                cells.watched_through += 1;
            } else {
                cells.watched.push(outcome.watched);
            }
            if plan.question.timed == Timed::Converters {
                return;
            }
        }
        let times = found.chain.iter().map(|c| timeline.ts[c.1 as usize]);
        let start = cells.times.len();
        if !optional {
            cells.times.extend(times);
            cells.times.resize(start + plan.places.len(), ABSENT);
            return;
        }
        cells.times.resize(start + plan.places.len(), ABSENT);
        for ((step, _), ts) in found.chain.iter().zip(times) {
            cells.times[start + usize::from(*step)] = ts;
        }
    }
}

impl Sink for Tally<'_> {
    #[inline]
    fn take(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>) {
        let how = (self.plan, self.optional);
        match outcome.of {
            Of::All => {
                self.now.0 = true;
                self.now.1 |= outcome.converted;
                let worth = self.worth(timeline, outcome.found);
                Self::count(&how, &mut self.all, timeline, outcome, worth);
                self.in_groups(timeline, outcome.found, |cells| {
                    Self::count(&how, cells, timeline, outcome, worth);
                });
            }
            Of::Matured => {
                let add = |cells: &mut Cells| {
                    cells.matured.0 += 1;
                    cells.matured.1 += u64::from(outcome.converted);
                };
                add(&mut self.all);
                self.in_groups(timeline, outcome.found, add);
            }
            Of::Bucket(bucket) => {
                Self::count(&how, &mut self.buckets[bucket], timeline, outcome, 0);
            }
        }
    }

    fn end(&mut self, _: u32) {
        self.users.0 += u64::from(self.now.0);
        self.users.1 += u64::from(self.now.1);
        self.now = (false, false);
    }

    fn merged(mut self, other: Self) -> Self {
        self.all.merge(other.all);
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            mine.merge(theirs);
        }
        for (key, cells) in other.groups {
            self.groups.entry(key).or_default().merge(cells);
        }
        for (mine, theirs) in self.few.iter_mut().zip(other.few) {
            mine.merge(theirs);
        }
        self.users.0 += other.users.0;
        self.users.1 += other.users.1;
        self.error = match (self.error, other.error) {
            (Some(a), Some(b)) => Some(if b.message() < a.message() { b } else { a }),
            (a, b) => a.or(b),
        };
        self
    }
}
