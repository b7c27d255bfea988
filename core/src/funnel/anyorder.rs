//! The best set of a unit's rows for steps in any order (F8).
//!
//! Sets of rows that can fill distinct steps are the independent sets of a transversal matroid, so their most is found by
//! matching, and the greedy set in the order of the rows is the lexicographically earliest. An excluded row that lies
//! strictly between the first and the last row of a set must be of the set itself: the window of an entry ends where these
//! rows no longer fit together.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, rows below the number of rows"
)]

use super::options::Entry;
use super::outcome::{Found, Groups, PATIENCE, TooComplex, WORK};
use super::plan::{Plan, Rows};

/// Rows that fill distinct steps: for each step the mask of the row that fills it.
#[derive(Clone)]
struct Matching {
    filled: Vec<Option<(u32, u64)>>,
}

impl Matching {
    fn new(steps: usize) -> Self {
        Self {
            filled: vec![None; steps],
        }
    }

    fn size(&self) -> usize {
        self.filled.iter().flatten().count()
    }

    /// Adds a row, moving others to other steps where needed; `false` where there is no step for all of them.
    fn add(&mut self, row: u32, mask: u64) -> bool {
        let mut seen = 0;
        self.place(row, mask, &mut seen)
    }

    fn place(&mut self, row: u32, mask: u64, seen: &mut u64) -> bool {
        let mut left = mask & !*seen;
        while left != 0 {
            let step = left.trailing_zeros() as usize;
            *seen |= 1 << step;
            let free = match self.filled[step] {
                None => true,
                Some((other, its)) => self.place(other, its, seen),
            };
            if free {
                self.filled[step] = Some((row, mask));
                return true;
            }
            left = mask & !*seen;
        }
        false
    }
}

/// How many rows of each mask a stretch holds.
#[derive(Default)]
struct Counts {
    masks: Vec<u64>,
    class: Vec<u32>,
    held: Vec<u32>,
    work: u64,
    entries: u64,
}

impl Counts {
    fn new(rows: &Rows, masks: impl Fn(u64) -> u64) -> Self {
        let mut counts = Self::default();
        let mut known = std::collections::HashMap::new();
        for row in &rows.rows {
            let mask = masks(row.mask);
            let class = *known.entry(mask).or_insert_with(|| {
                counts.masks.push(mask);
                counts.masks.len() as u32 - 1
            });
            counts.class.push(class);
        }
        counts.held = vec![0; counts.masks.len()];
        counts
    }

    /// How many distinct steps the rows held can fill.
    fn rank(&mut self, steps: usize) -> usize {
        let mut matching = Matching::new(steps);
        let mut size = 0;
        for (class, held) in self.held.iter().enumerate() {
            for copy in 0..(*held).min(steps as u32) {
                self.work += 1;
                if !matching.add((class as u32) << 8 | copy, self.masks[class]) {
                    break;
                }
                size += 1;
            }
            if size == steps {
                break;
            }
        }
        size
    }
}

/// The best set from the entries of each group; nothing for a group without one.
pub(super) fn search(
    plan: &Plan<'_>,
    unit: &Rows,
    groups: &Groups,
    deadlines: &[i64],
) -> Result<Vec<Option<Found>>, TooComplex> {
    let mut entries: Vec<u32> = groups.iter().flatten().copied().collect();
    entries.sort_unstable();
    entries.dedup();
    let excluded: Vec<u32> = unit
        .rows
        .iter()
        .zip(0_u32..)
        .filter(|(row, _)| row.excluded != 0)
        .map(|(_, place)| place)
        .collect();
    let depths = depths(plan, unit, &excluded, &entries, deadlines)?;
    let classes = classes(unit, others(plan));
    let depth_of = |entry: u32| entries.binary_search(&entry).map_or(0, |i| depths[i]);
    let latest = plan.question.entry == Entry::Latest;
    let best = |group: &Vec<u32>| {
        let depth = group.iter().map(|e| depth_of(*e)).max()?;
        let mut fits = group.iter().copied().filter(|e| depth_of(*e) == depth);
        let entry = if latest {
            fits.next_back()
        } else {
            fits.next()
        }?;
        Some(chain(
            plan,
            unit,
            (&excluded, &classes),
            entry,
            depth,
            deadlines[entry as usize],
        ))
    };
    let mut found = Vec::with_capacity(groups.len());
    for (i, group) in groups.iter().enumerate() {
        if (i as u64).is_multiple_of(PATIENCE) {
            plan.go_on()?;
        }
        found.push(best(group));
    }
    Ok(found)
}

/// The rows of each mask, which are alike.
fn classes(unit: &Rows, masks: impl Fn(u64) -> u64) -> Vec<(u64, Vec<u32>)> {
    let mut known = std::collections::BTreeMap::<u64, Vec<u32>>::new();
    for (row, place) in unit.rows.iter().zip(0_u32..) {
        let mask = masks(row.mask);
        if mask != 0 {
            known.entry(mask).or_default().push(place);
        }
    }
    known.into_iter().collect()
}

/// The rows of a stretch in order, without those of masks for which there is no use any more.
struct Ahead<'c> {
    heads: Vec<(u64, &'c [u32])>,
    end: u32,
}

impl<'c> Ahead<'c> {
    fn new(classes: &'c [(u64, Vec<u32>)], first: u32, end: u32) -> Self {
        let from = |rows: &'c Vec<u32>| &rows[rows.partition_point(|row| *row < first)..];
        Self {
            heads: classes
                .iter()
                .map(|(mask, rows)| (*mask, from(rows)))
                .collect(),
            end,
        }
    }

    /// The next row, its mask, and the place of its mask among those ahead.
    fn next(&mut self) -> Option<(u32, u64, usize)> {
        let heads = self.heads.iter().enumerate();
        let (row, class) = heads
            .filter_map(|(i, (_, rows))| Some((*rows.first()?, i)))
            .min()
            .filter(|(row, _)| *row < self.end)?;
        let (mask, rows) = &mut self.heads[class];
        *rows = &rows[1..];
        Some((row, *mask, class))
    }

    /// Leaves out what comes of a mask before a row; all of it where there is none.
    fn skip(&mut self, class: usize, to: Option<u32>) {
        let rows = &mut self.heads[class].1;
        let place = to.map_or(rows.len(), |to| rows.partition_point(|row| *row < to));
        *rows = &rows[place..];
    }
}

/// What the rows after an anchored entry can fill; in any other order, what they are.
fn others(plan: &Plan<'_>) -> impl Fn(u64) -> u64 + Copy {
    let anchored = plan.question.anchor_first;
    move |mask| if anchored { mask & !1 } else { mask }
}

fn entry_mask(plan: &Plan<'_>, mask: u64) -> u64 {
    if plan.question.anchor_first { 1 } else { mask }
}

/// The number of steps that the best set of each entry fills. Such a set has the entry as its first row.
fn depths(
    plan: &Plan<'_>,
    unit: &Rows,
    excluded: &[u32],
    entries: &[u32],
    deadlines: &[i64],
) -> Result<Vec<usize>, TooComplex> {
    let steps = plan.places.len();
    let mut counts = Counts::new(unit, others(plan));
    let anchored = plan.question.anchor_first;
    let mut depths = vec![0; entries.len()];
    // From entries alike, one after the other, the stretch in which a set can lie only moves forward.
    let alike = |place: &usize| unit.rows[entries[*place] as usize].mask;
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(alike);
    for places in order.chunk_by(|a, b| alike(a) == alike(b)) {
        // The rows of `lower..upper` are held.
        let (mut lower, mut upper) = (0, 0);
        counts.held.fill(0);
        for place in places {
            let entry = entries[*place];
            let end = end(plan, unit, excluded, entry, deadlines[entry as usize]);
            let first = begin(plan, unit, entry);
            while upper < unit.rows.len() && unit.rows[upper].ts <= end {
                counts.held[counts.class[upper] as usize] += 1;
                upper += 1;
            }
            while lower < first {
                counts.held[counts.class[lower] as usize] -= 1;
                lower += 1;
            }
            let own = counts.class[entry as usize] as usize;
            depths[*place] = if anchored {
                // The entry fills the first step, and no other.
                counts.held[own] -= 1;
                let depth = 1 + counts.rank(steps);
                counts.held[own] += 1;
                depth
            } else {
                counts.rank(steps)
            };
            counts.entries += 1;
            if counts.work > WORK {
                return Err(TooComplex);
            }
            if counts.entries.is_multiple_of(PATIENCE) {
                plan.go_on()?;
            }
        }
    }
    Ok(depths)
}

/// The first row that a set from an entry may have: itself, or with an anchor any at its time.
fn begin(plan: &Plan<'_>, unit: &Rows, entry: u32) -> usize {
    if plan.question.anchor_first {
        let ts = unit.rows[entry as usize].ts;
        unit.rows.partition_point(|r| r.ts < ts)
    } else {
        entry as usize
    }
}

/// The last time a row of a set from an entry may have: its deadline, or a time behind which excluded rows lie between
/// that no set with the entry can take in.
fn end(plan: &Plan<'_>, unit: &Rows, excluded: &[u32], entry: u32, deadline: i64) -> i64 {
    if plan.exclusions.is_empty() {
        return deadline;
    }
    let first = unit.rows[entry as usize];
    let mut required = Matching::new(plan.places.len());
    required.add(entry, entry_mask(plan, first.mask));
    let others = others(plan);
    let start = excluded.partition_point(|x| unit.rows[*x as usize].ts <= first.ts);
    for place in &excluded[start..] {
        let row = &unit.rows[*place as usize];
        if row.ts > deadline {
            break;
        }
        if !required.add(*place, others(row.mask)) {
            return row.ts;
        }
    }
    deadline
}

/// The lexicographically earliest set of that many rows from an entry, its steps as early in the list as they can be.
fn chain(
    plan: &Plan<'_>,
    unit: &Rows,
    (excluded, classes): (&[u32], &[(u64, Vec<u32>)]),
    entry: u32,
    depth: usize,
    deadline: i64,
) -> Found {
    let others = others(plan);
    let end = end(plan, unit, excluded, entry, deadline);
    let first = unit.rows[entry as usize];
    let begins = begin(plan, unit, entry);
    let after = unit.rows.partition_point(|r| r.ts <= end);
    let ahead = |end: usize| Ahead::new(classes, begins as u32, end as u32);
    let mut empty = Matching::new(plan.places.len());
    empty.add(entry, entry_mask(plan, first.mask));
    // The last row is at the earliest time by which there can be so many; every excluded row before it must be taken. What
    // does not fit a set now does not fit a larger one.
    let mut most = empty.clone();
    let mut last = first.ts;
    let mut candidates = ahead(after);
    while most.size() < depth
        && let Some((place, mask, class)) = candidates.next()
    {
        if place == entry {
            continue;
        }
        if most.add(place, mask) {
            last = last.max(unit.rows[place as usize].ts);
        } else {
            candidates.skip(class, None);
        }
    }
    let mut chosen = empty;
    let mut rows = vec![entry];
    let time = |place: &u32| unit.rows[*place as usize].ts;
    let between = excluded.partition_point(|x| time(x) <= first.ts);
    let needed = &excluded[between..excluded.partition_point(|x| time(x) < last).max(between)];
    let mut candidates = ahead(unit.rows.partition_point(|r| r.ts <= last));
    while rows.len() < depth
        && let Some((place, mask, class)) = candidates.next()
    {
        if place == entry {
            continue;
        }
        let mut with = chosen.clone();
        if !with.add(place, mask) {
            candidates.skip(class, None);
            continue;
        }
        let left = &needed[needed.partition_point(|n| *n <= place)..];
        let mut all = with.clone();
        if left
            .iter()
            .all(|n| all.add(*n, others(unit.rows[*n as usize].mask)))
        {
            chosen = with;
            rows.push(place);
        } else {
            // Rows alike fit no better as long as the same rows are needed after them.
            candidates.skip(class, left.first().copied());
        }
    }
    let mask = |row: u32| {
        if row == entry {
            entry_mask(plan, first.mask)
        } else {
            others(unit.rows[row as usize].mask)
        }
    };
    // Row by row the earliest step that leaves one for each of the others.
    let mut used = 0_u64;
    let mut chain = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let mut free = mask(*row) & !used;
        while free != 0 {
            let step = free.trailing_zeros();
            let taken = used | 1 << step;
            let mut rest = Matching::new(plan.places.len());
            if rows[i + 1..]
                .iter()
                .all(|r| rest.add(*r, mask(*r) & !taken))
            {
                used = taken;
                chain.push((step as u8, unit.rows[*row as usize].at));
                break;
            }
            free &= free - 1;
        }
    }
    Found { depth, chain }
}
