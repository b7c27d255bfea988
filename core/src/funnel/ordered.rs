//! The best chain of a unit's rows for steps in order, with every option: exact, and about one pass over the rows a step.
//!
//! For a target, so many required and so many optional steps, a table says from the last step backwards, for each row that can
//! fill a step, the earliest time by which a chain that goes on from it can be complete. A minimum over a sliding stretch
//! of the next step's rows gives it, since both ends of the stretch only move forward. The table may think too well of rows
//! that are needed twice and of times at which an excluded row stands beside a step's, so a chain is then walked row by row, and
//! a walk that fails goes back. Targets are tried from the best down.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, rows below the number of rows"
)]

use std::collections::{HashSet, VecDeque};

use super::options::{Entry, Order};
use super::outcome::{Found, Groups, PATIENCE, TooComplex, WORK};
use super::plan::{Plan, Rows};

/// No chain.
const NEVER: i64 = i64::MAX;

struct Search<'s> {
    plan: &'s Plan<'s>,
    unit: &'s Rows,
    /// The rows that can fill each step.
    at: Vec<Vec<u32>>,
    /// The times of each exclusion, and the rows.
    excluded: Vec<Vec<(i64, u32)>>,
    /// For each step and number of optional steps still to come, by the step's rows: when a chain can be complete.
    tables: Vec<Vec<Table>>,
    required: usize,
    /// The first step that the target has not.
    limit: usize,
    /// Whether what fails once from a row fails again, whatever came before it.
    forgetful: bool,
    /// From where the walk at hand has failed: step, optional steps to come, row, and the exclusions begun before its time.
    failed: HashSet<(u8, usize, u32, u64)>,
    work: u64,
}

/// Times by place, and of every stretch the least: a row that can still make it is found without trying those that cannot.
struct Table {
    /// A tree: the times begin in its middle, the node above two others has the lesser of them.
    least: Vec<i64>,
    rows: usize,
}

impl Table {
    fn new(rows: usize) -> Self {
        Self {
            least: vec![NEVER; 2 * rows.next_power_of_two()],
            rows,
        }
    }

    fn times(&self) -> &[i64] {
        let middle = self.least.len() / 2;
        &self.least[middle..middle + self.rows]
    }

    fn times_mut(&mut self) -> &mut [i64] {
        let middle = self.least.len() / 2;
        &mut self.least[middle..middle + self.rows]
    }

    /// Fills the tree over the times.
    fn grown(mut self) -> Self {
        for node in (1..self.least.len() / 2).rev() {
            self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]);
        }
        self
    }

    /// The first place from `from` on whose time is no later than a deadline; behind all rows where there is none.
    fn next(&self, from: usize, deadline: i64) -> usize {
        let middle = self.least.len() / 2;
        if from >= self.rows {
            return self.rows;
        }
        let mut node = middle + from;
        while self.least[node] > deadline {
            // To the stretch on the right, which may be longer.
            while node & 1 == 1 {
                if node == 1 {
                    return self.rows;
                }
                node /= 2;
            }
            node += 1;
        }
        while node < middle {
            node *= 2;
            node += usize::from(self.least[node] > deadline);
        }
        // Behind the last row the tree is empty.
        (node - middle).min(self.rows)
    }
}

/// The best chain from the entries of each group; nothing for a group without one.
pub(super) fn search(
    plan: &Plan<'_>,
    unit: &Rows,
    groups: &Groups,
    deadlines: &[i64],
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
    let disjoint = unit.rows.iter().all(|row| row.mask.count_ones() <= 1);
    let apart = || {
        let mut rows = unit.rows.iter();
        rows.all(|row| row.mask == 0 || row.excluded == 0)
    };
    let forgetful = disjoint
        && if plan.grace == 0 {
            apart()
        } else {
            plan.exclusions.is_empty()
        };
    let search = Search {
        plan,
        unit,
        at,
        excluded,
        tables: Vec::new(),
        required: 0,
        limit: 0,
        forgetful,
        failed: HashSet::new(),
        work: 0,
    };
    if plan.removes && !plan.exclusions.is_empty() {
        search.removing(groups, deadlines)
    } else {
        let mut search = search;
        search.run(groups, deadlines, true, &|_, _| true)
    }
}

impl Search<'_> {
    /// Where an excluded row removes an entry: only entries whose deepest chain without exclusions can be had with them.
    fn removing(
        mut self,
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
        let within = self.within(deadlines);
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
                .count();
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
                self.prepare(optional, excluding)?;
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
                while let Some(from) = before.next_if(|from| self.lower(k, from.0) <= now) {
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
            self.failed.clear();
            let mut chain = vec![(0_u8, entry)];
            if self.walk(&mut chain, optional, deadline, excluding)? {
                let depth = self.required;
                return Ok(Some(Found {
                    depth,
                    chain: chain
                        .iter()
                        .map(|(k, r)| (*k, self.unit.rows[*r as usize].at))
                        .collect(),
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
                if exclusion.0 <= k && next <= exclusion.1 && exclusion.1 < self.limit {
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

    /// Fills the tables for the target.
    fn prepare(&mut self, optional: usize, excluding: bool) -> Result<(), TooComplex> {
        let mut tables: Vec<Vec<Table>> = (0..self.limit).map(|_| Vec::new()).collect();
        for k in (0..self.limit).rev() {
            for left in 0..=optional {
                self.plan.go_on()?;
                let rows = &self.at[k];
                let mut table = Table::new(rows.len());
                if self.complete(k, left) {
                    for (time, row) in table.times_mut().iter_mut().zip(rows) {
                        *time = self.unit.rows[*row as usize].ts;
                    }
                } else {
                    for (next, then) in self.nexts(k, left) {
                        let then = tables[next][then].times();
                        self.slide(k, next, then, table.times_mut(), excluding);
                    }
                }
                tables[k].push(table.grown());
            }
        }
        self.tables = tables;
        Ok(())
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
            let (lower, upper) = (self.lower(next, now), self.upper(k, next, now, excluding));
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

    /// Completes a chain with the lexicographically earliest rows; leaves it as it was where it cannot be.
    fn walk(
        &mut self,
        chain: &mut Vec<(u8, u32)>,
        left: usize,
        deadline: i64,
        excluding: bool,
    ) -> Result<bool, TooComplex> {
        let Some(&(k, row)) = chain.last() else {
            return Ok(false);
        };
        self.count()?;
        let step = k;
        let k = usize::from(k);
        if self.complete(k, left) {
            return Ok(!excluding || self.untouched(chain, deadline));
        }
        let ts = |row: u32| self.unit.rows[row as usize].ts;
        let now = ts(row);
        let mut begun = 0_u64;
        for (x, (from, _)) in self.plan.exclusions.iter().enumerate() {
            let before = |c: &(u8, u32)| usize::from(c.0) == *from && ts(c.1) < now;
            begun |= u64::from(chain.iter().any(before)) << x;
        }
        if self.forgetful && self.failed.contains(&(step, left, row, begun)) {
            return Ok(false);
        }
        let entry = ts(chain[0].1);
        // Where each next step stands: its number, what is left after it, its place among its rows, and the last time it may have.
        let nexts = self.nexts(k, left);
        let mut heads: Vec<(usize, usize, usize, i64)> = Vec::with_capacity(nexts.len());
        for (next, then) in nexts {
            let mut lower = self.lower(next, now).max(entry - self.plan.grace);
            if excluding && self.plan.removes {
                lower = lower.max(self.clean_from(next, deadline));
            }
            let place = self.at[next].partition_point(|r| ts(*r) < lower);
            let upper = self.upper(k, next, now, excluding).min(deadline);
            heads.push((next, then, place, upper));
        }
        // Rows alike are interchangeable: where one fails, the next need not be tried.
        let mut failed: Vec<(usize, i64, u64, u64)> = Vec::new();
        loop {
            let mut best: Option<(u32, usize)> = None;
            for (i, (next, then, place, upper)) in heads.iter_mut().enumerate() {
                let rows = &self.at[*next];
                *place = self.tables[*next][*then].next(*place, deadline);
                if let Some(row) = rows.get(*place).filter(|r| ts(**r) <= *upper)
                    && best.is_none_or(|b| *row < b.0)
                {
                    best = Some((*row, i));
                }
            }
            let Some((next_row, i)) = best else {
                if self.forgetful {
                    self.failed.insert((step, left, row, begun));
                }
                return Ok(false);
            };
            self.count()?;
            let row = next_row;
            let (next, then, ..) = heads[i];
            heads[i].2 += 1;
            let it = self.unit.rows[row as usize];
            let class = (next, it.ts, it.mask, it.excluded);
            if failed.first().is_some_and(|f| f.1 != it.ts) {
                failed.clear();
            }
            if chain.iter().any(|c| c.1 == row) || failed.contains(&class) {
                continue;
            }
            chain.push((next as u8, row));
            let whole = (!excluding || self.plan.grace > 0 || self.clean_up_to(chain, next))
                && self.walk(chain, then, deadline, excluding)?;
            if whole {
                return Ok(true);
            }
            chain.pop();
            failed.push(class);
        }
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

    /// Whether no exclusion that ends with the step just taken met a row outside the chain.
    fn clean_up_to(&self, chain: &[(u8, u32)], step: usize) -> bool {
        let exclusions = self.plan.exclusions.iter().enumerate();
        exclusions
            .filter(|(_, exclusion)| exclusion.1 == step)
            .all(|(x, exclusion)| self.clean(chain, x, *exclusion, None))
    }

    /// Whether a whole chain meets no exclusion.
    fn untouched(&self, chain: &[(u8, u32)], deadline: i64) -> bool {
        let mut exclusions = self.plan.exclusions.iter().enumerate();
        exclusions.all(|(x, exclusion)| {
            if exclusion.1 < self.limit {
                self.clean(chain, x, *exclusion, None)
            } else {
                !self.plan.removes || self.clean(chain, x, *exclusion, Some(deadline))
            }
        })
    }

    /// Whether every row of an exclusion strictly after its first step, and strictly before its second or up to an
    /// instant, is in the chain.
    fn clean(
        &self,
        chain: &[(u8, u32)],
        x: usize,
        (from, to): (usize, usize),
        until: Option<i64>,
    ) -> bool {
        let time = |step: usize| {
            let row = chain.iter().find(|c| usize::from(c.0) == step)?;
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
        times[first..]
            .iter()
            .take_while(|t| t.0 < ends)
            .all(|t| chain.iter().any(|c| c.1 == t.1))
    }
}

/// The first of these times after an instant.
fn after(times: &[i64], ts: i64) -> i64 {
    times
        .get(times.partition_point(|t| *t <= ts))
        .copied()
        .unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn the_next_place_in_time_is_the_one_a_scan_finds() {
        for rows in 0..20_usize {
            let mut table = Table::new(rows);
            for (i, time) in table.times_mut().iter_mut().enumerate() {
                *time = (i as i64 * 7 + 3) % 11;
            }
            let table = table.grown();
            for from in 0..rows + 2 {
                for deadline in -1..12 {
                    let scanned = (from..rows).find(|i| table.times()[*i] <= deadline);
                    assert_eq!(table.next(from, deadline), scanned.unwrap_or(rows));
                }
            }
        }
    }
}
