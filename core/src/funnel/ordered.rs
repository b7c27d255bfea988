//! The best chain of a unit's rows for steps in order, with every option: exact, and about one pass over the rows a step.
//!
//! For a target, so many required and so many optional steps, a table says from the last step backwards, for each row that can
//! fill a step, the earliest time by which a chain that goes on from it can be complete. A minimum over a sliding stretch
//! of the next step's rows gives it, since both ends of the stretch only move forward; among rows of one time, which could be
//! needed twice, a matching does. A chain is then walked row by row. Only with a grace, and where an excluded row removes the
//! user, the table may think too well of a row: a walk that fails then goes back. Targets are tried from the best down.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, rows below the number of rows"
)]

mod table;
mod tie;
mod walk;

use std::collections::{HashSet, VecDeque};

use super::options::{Entry, Order};
use super::outcome::{Found, Groups, PATIENCE, TooComplex, WORK};
use super::plan::{Plan, Rows};
use table::Table;
use tie::{Kind, Knot, Tie, Within};

/// No chain.
const NEVER: i64 = i64::MAX;

struct Search<'s> {
    plan: &'s Plan<'s>,
    unit: &'s Rows,
    /// The rows that can fill each step.
    at: Vec<Vec<u32>>,
    /// The times of each exclusion, and the rows.
    excluded: Vec<Vec<(i64, u32)>>,
    /// How each row stands to the others of its time.
    ties: Vec<Tie>,
    knots: Vec<Knot>,
    /// For each step and number of optional steps still to come, by the step's rows: when a chain can be complete.
    tables: Vec<Vec<Table>>,
    /// The same for chains that go on at a later time, where there are knots.
    beyond: Vec<Vec<Vec<i64>>>,
    required: usize,
    /// The first step that the target has not.
    limit: usize,
    /// Whether no row can fill two steps.
    disjoint: bool,
    /// How far before its entry a row of a chain may lie.
    back: i64,
    /// From where the walk at hand has failed: step, optional steps to come, row, and the first step at its time.
    failed: HashSet<(usize, usize, u32, usize)>,
    work: u64,
}

/// The best chain from the entries of each group, none of its rows further before its entry than `back`; nothing for a group
/// without one.
pub(super) fn search(
    plan: &Plan<'_>,
    unit: &Rows,
    groups: &Groups,
    deadlines: &[i64],
    back: i64,
) -> Result<Vec<Option<Found>>, TooComplex> {
    let steps = plan.places.len();
    let mut at = vec![Vec::new(); steps];
    let mut excluded = vec![Vec::new(); plan.exclusions.len()];
    for (i, row) in unit.rows.iter().enumerate() {
        let mut mask = row.mask;
        while mask != 0 {
            at[mask.trailing_zeros() as usize].push(i as u32);
            mask &= mask - 1;
        }
        let mut mask = row.excluded;
        while mask != 0 {
            excluded[mask.trailing_zeros() as usize].push((row.ts, i as u32));
            mask &= mask - 1;
        }
    }
    let (ties, knots) = tie::ties(plan, &unit.rows);
    let mut search = Search {
        plan,
        unit,
        at,
        excluded,
        ties,
        knots,
        tables: Vec::new(),
        beyond: Vec::new(),
        required: 0,
        limit: 0,
        disjoint: !unit.rows.iter().any(|row| tie::several(row.mask)),
        back,
        failed: HashSet::new(),
        work: 0,
    };
    let found = if plan.removes && !plan.exclusions.is_empty() {
        search.removing(groups, deadlines)
    } else {
        search.run(groups, deadlines, true, &|_, _| true)
    };
    plan.tried(search.work)?;
    found
}

impl Search<'_> {
    /// Where an excluded row removes an entry: only entries whose deepest chain without exclusions can be had with them.
    fn removing(
        &mut self,
        groups: &Groups,
        deadlines: &[i64],
    ) -> Result<Vec<Option<Found>>, TooComplex> {
        let mut depths = vec![0_usize; self.unit.rows.len()];
        let mut entries: Vec<u32> = groups.iter().flatten().copied().collect();
        entries.sort_unstable();
        entries.dedup();
        let each: Groups = entries.iter().map(|e| vec![*e]).collect();
        let free = self.run(&each, deadlines, false, &|_, _| true)?;
        for (entry, found) in entries.iter().zip(free) {
            depths[*entry as usize] = found.map_or(0, |f| f.depth);
        }
        self.run(groups, deadlines, true, &|entry, depth| {
            depths[entry as usize] == depth
        })
    }

    fn run(
        &mut self,
        groups: &Groups,
        deadlines: &[i64],
        excluding: bool,
        admits: &dyn Fn(u32, usize) -> bool,
    ) -> Result<Vec<Option<Found>>, TooComplex> {
        let places = &self.plan.places;
        let mut found: Vec<Option<Found>> = vec![None; groups.len()];
        let mut left: Vec<usize> = (0..groups.len())
            .filter(|g| !groups[*g].is_empty())
            .collect();
        let bounds = self.reach();
        let mut within = self.within(deadlines);
        if !self.disjoint {
            within = within.min(tie::apart(self.plan, &self.unit.rows));
        }
        let deepest = places
            .iter()
            .enumerate()
            .filter(|(k, p)| !p.optional && bounds[*k])
            .map(|(_, p)| p.rank)
            .max()
            .unwrap_or(0)
            .min(within);
        for required in (1..=deepest).rev() {
            self.required = required;
            self.limit = places
                .iter()
                .position(|p| !p.optional && p.rank > required)
                .unwrap_or(places.len());
            let most = (0..self.limit)
                .filter(|k| places[*k].optional && bounds[*k])
                .count()
                .min(self.unit.rows.len().saturating_sub(required));
            for optional in (0..=most).rev() {
                if left.is_empty() {
                    return Ok(found);
                }
                if required == 1 && optional == 0 && self.plan.exclusions.is_empty() {
                    for group in left {
                        found[group] = self.entered(&groups[group]);
                    }
                    return Ok(found);
                }
                if optional == most {
                    self.prepare(most, excluding)?;
                }
                let mut still = Vec::new();
                for group in left {
                    found[group] =
                        self.first(&groups[group], optional, deadlines, excluding, admits)?;
                    if found[group].is_none() {
                        still.push(group);
                    }
                }
                left = still;
            }
        }
        Ok(found)
    }

    /// Whether each step can be reached at all: it and all required steps before it have rows.
    fn reach(&self) -> Vec<bool> {
        let mut open = true;
        let places = self.plan.places.iter().zip(&self.at);
        places
            .map(|(place, rows)| {
                let here = open && !rows.is_empty();
                open &= place.optional || !rows.is_empty();
                here
            })
            .collect()
    }

    /// How deep a chain can be by times alone, from any entry: a row may stand for several steps, and nothing excludes. No bound
    /// where optional steps or a grace leave more open.
    fn within(&self, deadlines: &[i64]) -> usize {
        let places = &self.plan.places;
        if self.plan.grace > 0 || self.plan.required < places.len() {
            return places.len();
        }
        let ts = |row: &u32| self.unit.rows[*row as usize].ts;
        // The rows that a chain can come to, and the latest deadline of such a chain.
        let entries = self.at[0]
            .iter()
            .map(|row| (ts(row), deadlines[*row as usize]));
        let mut reached: Vec<(i64, i64)> =
            entries.filter(|(ts, deadline)| ts <= deadline).collect();
        let mut window: VecDeque<(i64, i64)> = VecDeque::new();
        for (k, rows) in self.at.iter().enumerate().skip(1) {
            if reached.is_empty() {
                return k - 1;
            }
            window.clear();
            let mut before = reached.iter().peekable();
            let mut here = Vec::new();
            for row in rows {
                let now = ts(row);
                let alone = self.ties[*row as usize] == Tie::Alone;
                let follows = |from: i64| self.lower(k, from) <= now && !(alone && from == now);
                while let Some(from) = before.next_if(|from| follows(from.0)) {
                    while window.back().is_some_and(|w| w.1 <= from.1) {
                        window.pop_back();
                    }
                    window.push_back(*from);
                }
                let gap = places[k].max_gap;
                while window
                    .front()
                    .is_some_and(|w| gap.is_some_and(|gap| now - w.0 > gap))
                {
                    window.pop_front();
                }
                if let Some((_, deadline)) = window.front().filter(|w| now <= w.1) {
                    here.push((now, *deadline));
                }
            }
            reached = here;
        }
        if reached.is_empty() {
            places.len() - 1
        } else {
            places.len()
        }
    }

    /// The chain of an entry alone.
    fn entered(&self, entries: &[u32]) -> Option<Found> {
        let entry = match self.plan.question.entry {
            Entry::Latest => entries.last(),
            Entry::Earliest => entries.first(),
        };
        entry.map(|row| Found {
            depth: 1,
            chain: vec![(0, self.unit.rows[*row as usize].at)],
        })
    }

    /// The first chain of the target from one of these entries, by the order of reporting.
    fn first(
        &mut self,
        entries: &[u32],
        optional: usize,
        deadlines: &[i64],
        excluding: bool,
        admits: &dyn Fn(u32, usize) -> bool,
    ) -> Result<Option<Found>, TooComplex> {
        let latest = self.plan.question.entry == Entry::Latest;
        let mut failed = (i64::MIN, 0, 0);
        for i in 0..entries.len() {
            let entry = entries[if latest { entries.len() - 1 - i } else { i }];
            let deadline = deadlines[entry as usize];
            let place = self.at[0].partition_point(|r| *r < entry);
            if self.tables[0][optional].times()[place] > deadline || !admits(entry, self.required) {
                continue;
            }
            let row = &self.unit.rows[entry as usize];
            let class = (row.ts, row.mask, row.excluded);
            if class == failed {
                continue;
            }
            if let Some(chain) = self.walk(entry, optional, deadline, excluding)? {
                let at = |(k, r): (usize, u32)| (k as u8, self.unit.rows[r as usize].at);
                return Ok(Some(Found {
                    depth: self.required,
                    chain: chain.into_iter().map(at).collect(),
                }));
            }
            failed = class;
        }
        Ok(None)
    }

    /// The steps that may come after step `k`, and the optional ones still to come after each.
    fn nexts(&self, k: usize, left: usize) -> Vec<(usize, usize)> {
        let mut nexts = Vec::new();
        for next in k + 1..self.limit {
            let optional = self.plan.places[next].optional;
            if !optional || left > 0 {
                nexts.push((next, left - usize::from(optional)));
            }
            if !optional {
                break;
            }
        }
        nexts
    }

    fn complete(&self, k: usize, left: usize) -> bool {
        left == 0 && self.plan.places[k].rank == self.required
    }

    /// The earliest time at which step `next` may follow a row at `ts`.
    fn lower(&self, next: usize, ts: i64) -> i64 {
        let gap = self.plan.places[next].min_gap;
        if gap > 0 {
            ts.saturating_add(gap)
        } else if self.plan.question.strict_increase {
            ts + 1
        } else {
            ts - self.plan.grace
        }
    }

    /// The latest.
    fn upper(&self, k: usize, next: usize, ts: i64, excluding: bool) -> i64 {
        let mut upper = self.plan.places[next]
            .max_gap
            .map_or(i64::MAX, |gap| ts.saturating_add(gap));
        if self.plan.question.order == Order::Strict {
            upper = upper.min(after(&self.unit.walls, ts));
        }
        if excluding && self.plan.grace == 0 {
            for (exclusion, times) in self.plan.exclusions.iter().zip(&self.excluded) {
                let counts = exclusion.1 < self.limit || self.plan.removes;
                if exclusion.0 <= k && next <= exclusion.1 && counts {
                    upper = upper.min(
                        times
                            .get(times.partition_point(|t| t.0 <= ts))
                            .map_or(i64::MAX, |t| t.0),
                    );
                }
            }
        }
        upper
    }

    /// Fills the tables for all targets with so many required, and up to so many optional steps.
    fn prepare(&mut self, optional: usize, excluding: bool) -> Result<(), TooComplex> {
        self.tables = (0..self.limit).map(|_| Vec::new()).collect();
        self.beyond = (0..self.limit).map(|_| Vec::new()).collect();
        for k in (0..self.limit).rev() {
            for left in 0..=optional {
                self.plan.go_on()?;
                let rows = &self.at[k];
                let mut times = vec![NEVER; rows.len()];
                if self.complete(k, left) {
                    for (time, row) in times.iter_mut().zip(rows) {
                        *time = self.unit.rows[*row as usize].ts;
                    }
                } else {
                    for (next, then) in self.nexts(k, left) {
                        let then = self.tables[next][then].times();
                        self.slide(k, next, then, &mut times, excluding);
                    }
                }
                let mut table = Table::new(rows.len());
                table.times_mut().copy_from_slice(&times);
                if !self.knots.is_empty() {
                    self.beyond[k].push(times);
                    self.untie(k, left, table.times_mut(), excluding);
                }
                self.tables[k].push(table.grown());
            }
        }
        Ok(())
    }

    /// Makes the times of the rows of knots exact, as the first that a chain has of them.
    fn untie(&self, k: usize, left: usize, times: &mut [i64], excluding: bool) {
        let at = Within {
            first: k,
            step: k,
            left,
        };
        // Rows alike have the same time.
        let mut known: Vec<(usize, Kind, i64)> = Vec::new();
        for (time, row) in times.iter_mut().zip(&self.at[k]) {
            let Tie::Knot(knot) = self.ties[*row as usize] else {
                continue;
            };
            let kind = tie::kind(&self.unit.rows[*row as usize]);
            if known.first().is_some_and(|k| k.0 != knot) {
                known.clear();
            }
            let alike = known.iter().find(|k| k.1 == kind).map(|k| k.2);
            *time = alike.unwrap_or_else(|| {
                let time = self.leaving(knot, &[*row], at, excluding, i64::MIN);
                known.push((knot, kind, time));
                time
            });
        }
    }

    /// When a chain that has these rows of a knot can be complete: the earliest time, or any that is early enough.
    fn leaving(&self, knot: usize, used: &[u32], at: Within, excluding: bool, enough: i64) -> i64 {
        let knot = &self.knots[knot];
        let mut least = NEVER;
        let see = |step: usize, left: usize| {
            // All rows of the knot that can fill the step go on alike.
            let rows = &self.at[step];
            let place = rows.partition_point(|r| *r < knot.rows.start);
            if rows.get(place).is_some_and(|r| knot.rows.contains(r)) {
                least = least.min(self.beyond[step][left][place]);
            }
            least <= enough
        };
        let used = used.iter().filter(|r| knot.rows.contains(*r));
        let used = used.map(|r| tie::kind(&self.unit.rows[*r as usize]));
        tie::exits(self.plan, (self.limit, excluding), knot, used, at, see);
        least
    }

    /// Lowers the times of step `k` to what going on with step `next` gives.
    fn slide(&self, k: usize, next: usize, then: &[i64], table: &mut [i64], excluding: bool) {
        let ts = |row: u32| self.unit.rows[row as usize].ts;
        let ahead = &self.at[next];
        // Places among `ahead`, latest first; times of completion ascend from the back to the front.
        let mut window: VecDeque<usize> = VecDeque::new();
        let mut entering = ahead.len();
        for (place, row) in self.at[k].iter().enumerate().rev() {
            let now = ts(*row);
            let upper = self.upper(k, next, now, excluding);
            let mut lower = self.lower(next, now);
            if self.ties[*row as usize] != Tie::Free {
                lower = lower.max(now + 1);
            }
            while entering > 0 && ts(ahead[entering - 1]) >= lower {
                entering -= 1;
                while window.back().is_some_and(|p| then[*p] >= then[entering]) {
                    window.pop_back();
                }
                window.push_back(entering);
            }
            while window.front().is_some_and(|p| ts(ahead[*p]) > upper) {
                window.pop_front();
            }
            if let Some(best) = window.front() {
                table[place] = table[place].min(then[*best].max(now));
            }
        }
    }

    /// Counts the rows tried; an error where they are too many, or the question is given up.
    fn count(&mut self) -> Result<(), TooComplex> {
        self.work += 1;
        if self.work > WORK {
            return Err(TooComplex);
        }
        if self.work.is_multiple_of(PATIENCE) {
            self.plan.go_on()?;
        }
        Ok(())
    }
}

/// The first of these times after an instant.
fn after(times: &[i64], ts: i64) -> i64 {
    times
        .get(times.partition_point(|t| *t <= ts))
        .copied()
        .unwrap_or(i64::MAX)
}
