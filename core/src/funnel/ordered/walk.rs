//! The walk along the rows of the best chain from an entry, always to the earliest row that can still make it (F4).
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, rows below the number of rows, places below the rows of their step"
)]

use super::super::outcome::TooComplex;
use super::Search;
use super::tie::{self, Kind, Tie, Within};

/// Steps, from 0, and rows, in the order of the chain.
pub(super) type Chain = Vec<(usize, u32)>;

/// One way to take the rows so far as steps.
#[derive(Clone, Copy, Debug)]
struct State {
    at: Within,
    /// Its place among the states of the row before.
    parent: usize,
}

/// A step that may come next, and from where on its rows are looked at.
struct Head {
    state: State,
    /// The place among the rows of the step.
    place: usize,
    /// The last time that the row may have.
    upper: i64,
}

/// The rows so far, and for each of them the states that a chain along these rows can be in, in the order of their steps.
struct Trail {
    rows: Vec<u32>,
    states: Vec<Vec<State>>,
    /// How many rows the whole chain has.
    goal: usize,
    deadline: i64,
    excluding: bool,
}

impl Trail {
    /// The steps and rows that lead to a state of the last row.
    fn chain(&self, state: &State) -> Chain {
        let mut chain = Vec::with_capacity(self.rows.len());
        let (mut at, mut parent) = (state.at, state.parent);
        for (row, states) in self.rows.iter().zip(before(&self.states)).rev() {
            chain.push((at.step, *row));
            if let Some(state) = states.and_then(|states| states.get(parent)) {
                (at, parent) = (state.at, state.parent);
            }
        }
        chain.reverse();
        chain
    }
}

/// For each row the states of the row before it.
fn before(
    states: &[Vec<State>],
) -> impl DoubleEndedIterator<Item = Option<&Vec<State>>> + ExactSizeIterator {
    (0..states.len()).map(|i| i.checked_sub(1).and_then(|i| states.get(i)))
}

impl Search<'_> {
    /// The earliest rows of a chain of the target from an entry, and of all ways to take them as steps the first; nothing where
    /// there is no such chain.
    pub(super) fn walk(
        &mut self,
        entry: u32,
        optional: usize,
        deadline: i64,
        excluding: bool,
    ) -> Result<Option<Chain>, TooComplex> {
        self.failed.clear();
        let start = State {
            at: Within {
                first: 0,
                step: 0,
                left: optional,
            },
            parent: 0,
        };
        let mut trail = Trail {
            rows: vec![entry],
            states: vec![vec![start]],
            goal: self.required + optional,
            deadline,
            excluding,
        };
        let whole = self.go_on(&mut trail)?;
        Ok(whole.map(|state| trail.chain(&state)))
    }

    /// Completes a trail, and gives the state that it ends in; leaves it as it was where it cannot be completed.
    fn go_on(&mut self, trail: &mut Trail) -> Result<Option<State>, TooComplex> {
        self.count()?;
        let (Some(row), Some(states)) = (trail.rows.last(), trail.states.last()) else {
            return Ok(None);
        };
        let (row, now) = (*row, self.unit.rows[*row as usize].ts);
        if trail.rows.len() == trail.goal {
            return Ok(states.iter().find(|s| self.is_whole(trail, s)).copied());
        }
        let mut heads = self.heads(trail, row, states);
        // Rows alike are interchangeable: where one fails, the next need not be tried.
        let mut failed: Vec<(i64, u64, u64)> = Vec::new();
        loop {
            for head in &mut heads {
                self.seek(trail, row, head);
            }
            let of = |head: &Head| self.at[head.state.at.step].get(head.place).copied();
            let Some(next) = heads.iter().filter_map(of).min() else {
                return Ok(None);
            };
            self.count()?;
            let it = self.unit.rows[next as usize];
            let class = (it.ts, it.mask, it.excluded);
            let again = failed.contains(&class) || trail.rows.contains(&next);
            let mut states: Vec<State> = Vec::new();
            for head in &mut heads {
                if self.at[head.state.at.step].get(head.place) != Some(&next) {
                    continue;
                }
                head.place += 1;
                let mut state = head.state;
                if self.plan.grace == 0 && it.ts > now {
                    state.at.first = state.at.step;
                }
                let Within { first, step, left } = state.at;
                let same = |s: &State| (s.at.first, s.at.step, s.at.left) == (first, step, left);
                let known = self.by_place() && states.iter().any(same);
                if !known && !self.failed.contains(&(step, left, next, first)) {
                    states.push(state);
                }
            }
            if again {
                continue;
            }
            trail.rows.push(next);
            trail.states.push(states);
            if trail.excluding && self.plan.grace > 0 {
                let clean = |s: &State| self.clean_up_to(&trail.chain(s), s.at.step);
                let kept = trail
                    .states
                    .last()
                    .into_iter()
                    .flatten()
                    .filter(|s| clean(s));
                let kept: Vec<State> = kept.copied().collect();
                trail.states.pop();
                trail.states.push(kept);
            }
            if trail.states.last().is_some_and(|states| !states.is_empty())
                && let Some(whole) = self.go_on(trail)?
            {
                return Ok(Some(whole));
            }
            trail.rows.pop();
            let dead = trail.states.pop().unwrap_or_default();
            if self.remembers(next, it.ts > now) {
                let places = dead
                    .iter()
                    .map(|s| (s.at.step, s.at.left, next, s.at.first));
                self.failed.extend(places);
            }
            if failed.first().is_some_and(|f| f.0 != it.ts) {
                failed.clear();
            }
            failed.push(class);
        }
    }

    /// Whether what can come after a row does not depend on how its step was come to.
    fn by_place(&self) -> bool {
        self.plan.grace == 0 || self.plan.exclusions.is_empty()
    }

    /// Whether what fails once from a row, new at its time or not, fails again, whatever rows came before it.
    fn remembers(&self, row: u32, new: bool) -> bool {
        if self.plan.grace > 0 {
            self.disjoint && self.plan.exclusions.is_empty()
        } else {
            new || !matches!(self.ties[row as usize], Tie::Knot(..))
        }
    }

    /// The steps that may come next.
    fn heads(&self, trail: &Trail, row: u32, states: &[State]) -> Vec<Head> {
        let ts = |row: u32| self.unit.rows[row as usize].ts;
        let (now, entry) = (ts(row), trail.rows.first().map_or(i64::MIN, |r| ts(*r)));
        let mut heads = Vec::new();
        for (parent, state) in states.iter().enumerate() {
            let Within { first, step, left } = state.at;
            let leaves = !trail.excluding || self.is_covered(trail, state);
            for (next, then) in self.nexts(step, left) {
                let mut lower = self.lower(next, now).max(entry - self.back);
                if trail.excluding && self.plan.removes {
                    lower = lower.max(self.clean_from(next, trail.deadline));
                }
                let mut upper = self.upper(step, next, now, trail.excluding);
                if !leaves {
                    upper = upper.min(now);
                }
                heads.push(Head {
                    state: State {
                        at: Within {
                            first,
                            step: next,
                            left: then,
                        },
                        parent,
                    },
                    place: self.at[next].partition_point(|r| ts(*r) < lower),
                    upper: upper.min(trail.deadline),
                });
            }
        }
        heads
    }

    /// Moves a head to the first row that can make it; behind all rows where there is none.
    fn seek(&self, trail: &Trail, row: u32, head: &mut Head) {
        let Within { step, left, .. } = head.state.at;
        let rows = &self.at[step];
        let ts = |place: usize| self.unit.rows[rows[place] as usize].ts;
        if let Tie::Knot(knot) = self.ties[row as usize] {
            let end = self.knots[knot].rows.end;
            let mut used = trail.rows.clone();
            // Rows alike are interchangeable here, too.
            let mut unfit: Vec<Kind> = Vec::new();
            while let Some(next) = rows.get(head.place).filter(|r| **r < end) {
                let kind = tie::kind(&self.unit.rows[*next as usize]);
                if !trail.rows.contains(next) && !unfit.contains(&kind) {
                    used.push(*next);
                    let (at, deadline) = (head.state.at, trail.deadline);
                    if self.leaving(knot, &used, at, trail.excluding, deadline) <= deadline {
                        return;
                    }
                    used.pop();
                    unfit.push(kind);
                }
                head.place += 1;
            }
        }
        head.place = self.tables[step][left].next(head.place, trail.deadline);
        if head.place < rows.len() && ts(head.place) > head.upper {
            head.place = rows.len();
        }
    }

    /// Whether every row of the exclusions at work at the time of the last row is in the chain, so that it can leave that time.
    fn is_covered(&self, trail: &Trail, state: &State) -> bool {
        let Some(Tie::Knot(knot)) = trail.rows.last().map(|r| self.ties[*r as usize]) else {
            return true;
        };
        let knot = &self.knots[knot];
        let works = tie::at_work(self.plan, self.limit, state.at.first, state.at.step);
        let meant = |r: &u32| self.unit.rows[*r as usize].excluded & works != 0;
        knot.excluded & works == 0
            || (knot.rows.clone().filter(meant)).all(|r| trail.rows.contains(&r))
    }

    /// Whether a chain of all steps of the target meets no exclusion; of those that end with its steps it is known without a
    /// grace.
    fn is_whole(&self, trail: &Trail, state: &State) -> bool {
        if !trail.excluding {
            return true;
        }
        if self.plan.grace > 0 {
            return self.untouched(&trail.chain(state), trail.deadline);
        }
        let Some(row) = trail.rows.last() else {
            return false;
        };
        let now = self.unit.rows[*row as usize].ts;
        let waits = |(from, to): (usize, usize)| from < self.limit && to >= self.limit;
        let mut exclusions = self.plan.exclusions.iter().zip(&self.excluded);
        let clear = exclusions.all(|(exclusion, times)| {
            let next = times.get(times.partition_point(|t| t.0 <= now));
            !waits(*exclusion) || next.is_none_or(|next| next.0 > trail.deadline)
        });
        !self.plan.removes || clear && self.is_covered(trail, state)
    }

    /// The time before which step `k` comes too early, because an excluded row then lies between it and the deadline.
    fn clean_from(&self, k: usize, deadline: i64) -> i64 {
        let mut from = i64::MIN;
        for (x, exclusion) in self.plan.exclusions.iter().enumerate() {
            if exclusion.0 == k && exclusion.1 >= self.limit {
                // Rows that could be in the chain themselves are left to the walk.
                let times = &self.excluded[x];
                let last = times.partition_point(|t| t.0 <= deadline).checked_sub(1);
                if let Some((ts, row)) = last.map(|last| times[last])
                    && self.unit.rows[row as usize].mask == 0
                {
                    from = from.max(ts);
                }
            }
        }
        from
    }

    /// Whether no exclusion that ends with the step just taken met a row outside the chain. One that can be a later step may yet be
    /// in it, since with a grace a later step may lie before this one.
    fn clean_up_to(&self, chain: &[(usize, u32)], step: usize) -> bool {
        let later = (step + 1..self.limit).fold(0, |mask, k| mask | 1 << k);
        let exclusions = self.plan.exclusions.iter().enumerate();
        exclusions
            .filter(|(_, exclusion)| exclusion.1 == step)
            .all(|(x, exclusion)| self.clean(chain, (x, *exclusion), None, later))
    }

    /// Whether a whole chain meets no exclusion.
    fn untouched(&self, chain: &[(usize, u32)], deadline: i64) -> bool {
        let mut exclusions = self.plan.exclusions.iter().enumerate();
        exclusions.all(|(x, exclusion)| {
            if exclusion.1 < self.limit {
                self.clean(chain, (x, *exclusion), None, 0)
            } else {
                !self.plan.removes || self.clean(chain, (x, *exclusion), Some(deadline), 0)
            }
        })
    }

    /// Whether every row of an exclusion strictly after its first step, and strictly before its second or up to an
    /// instant, is in the chain or can be one of the steps `later`.
    fn clean(
        &self,
        chain: &[(usize, u32)],
        (x, (from, to)): (usize, (usize, usize)),
        until: Option<i64>,
        later: u64,
    ) -> bool {
        let time = |step: usize| {
            let row = chain.iter().find(|c| c.0 == step)?;
            Some(self.unit.rows[row.1 as usize].ts)
        };
        let Some(begins) = time(from) else {
            return true;
        };
        let Some(ends) = until.map(|u| u.saturating_add(1)).or_else(|| time(to)) else {
            return true;
        };
        let times = &self.excluded[x];
        let first = times.partition_point(|t| t.0 <= begins);
        times[first..].iter().take_while(|t| t.0 < ends).all(|t| {
            let row = &self.unit.rows[t.1 as usize];
            row.mask & later != 0 || chain.iter().any(|c| c.1 == t.1)
        })
    }
}
