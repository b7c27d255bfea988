//! One pass over all timelines for a funnel: per user the outcomes of its units, handed to whoever counts or lists them.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: entries are places among a unit's rows, chains places in the timeline"
)]

use super::options::{Entries, Entry, Order, Totals, Unit};
use super::outcome::{Found, Groups, TooComplex};
use super::plan::{Allowed, Plan, Row, Rows};
use super::{anyorder, ordered};
use crate::timeline::Timeline;

/// Which entries an outcome is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// All in the range.
    All,
    /// Those whose waiting is over.
    Matured,
    /// Those of a bucket of the trend.
    Bucket(usize),
}

/// The outcome of one unit: a user, a session, a value held constant, or an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'o> {
    /// Which entries it is of.
    pub(super) of: Of,
    /// Its best chain.
    pub(super) found: &'o Found,
    /// Whether all steps are done.
    pub(super) converted: bool,
    /// Whether it is not, and still can be.
    pub(super) open: bool,
    /// Since when and for how long it was watched, where it did not convert: until its window ended, or until now.
    pub(super) watched: i64,
}

/// All outcomes of one member of the segment.
pub(super) fn member(
    plan: &Plan<'_>,
    timeline: &Timeline<'_>,
    sink: &mut dyn FnMut(Outcome<'_>),
) -> Result<(), TooComplex> {
    for unit in plan.units(timeline) {
        let entries = unit.rows.iter().zip(0_u32..);
        let mut entries: Vec<u32> = entries
            .filter(|(row, _)| plan.enters(row))
            .map(|(_, place)| place)
            .collect();
        let mut allowed = Vec::new();
        if plan.by_entry() {
            allowed = vec![Allowed::ALL; unit.rows.len()];
            entries.retain(|entry| {
                let row = &unit.rows[*entry as usize];
                let Some(its) = plan.allowed(timeline.user, row.ts) else {
                    return false;
                };
                allowed[*entry as usize] = its;
                plan.enters(&Row {
                    mask: row.mask & its.steps,
                    ..*row
                })
            });
        }
        if plan.question.entries == Entries::First {
            entries.truncate(1);
        }
        if entries.is_empty() {
            continue;
        }
        let mut deadlines = vec![i64::MIN; unit.rows.len()];
        for entry in &entries {
            deadlines[*entry as usize] = plan.deadline(unit.rows[*entry as usize].ts);
        }
        let mut kinds: Vec<(Allowed, Vec<Vec<i64>>)> = Vec::new();
        for entry in &entries {
            let its = allowed
                .get(*entry as usize)
                .copied()
                .unwrap_or(Allowed::ALL);
            if !kinds.iter().any(|kind| kind.0 == its) {
                kinds.push((its, enders(plan, &unit, its)));
            }
            if !plan.by_entry() {
                break;
            }
        }
        let unit = Searched {
            plan,
            timeline,
            kinds,
            unit,
            entries,
            deadlines,
            allowed,
        };
        if plan.question.unit == Unit::Totals {
            unit.attempts(sink)?;
        } else {
            unit.best(sink)?;
        }
    }
    Ok(())
}

/// An entry, its best chain, and when an exclusion ends it.
type Tried = (u32, Found, Option<i64>);

struct Searched<'s> {
    plan: &'s Plan<'s>,
    timeline: &'s Timeline<'s>,
    unit: Rows,
    entries: Vec<u32>,
    deadlines: Vec<i64>,
    /// For each row, what it allows as an entry; empty where all allow everything.
    allowed: Vec<Allowed>,
    /// The kinds of entries, by what they allow, with the `enders` of each.
    kinds: Vec<(Allowed, Vec<Vec<i64>>)>,
}

/// For each exclusion that begins with the entry, the times of its rows that fill no step, where attempts are counted; as an
/// entry allows them.
fn enders(plan: &Plan<'_>, unit: &Rows, allowed: Allowed) -> Vec<Vec<i64>> {
    let mut enders = vec![Vec::new(); plan.exclusions.len()];
    if plan.question.unit != Unit::Totals {
        return enders;
    }
    let idle = |row: &&Row| row.mask & allowed.steps == 0;
    for row in unit.rows.iter().filter(idle) {
        for (x, times) in enders.iter_mut().enumerate() {
            if (row.excluded & allowed.excluded) >> x & 1 == 1 && plan.exclusions[x].0 == 0 {
                times.push(row.ts);
            }
        }
    }
    enders
}

impl Searched<'_> {
    /// The best chain of each group of entries, each complete by its entry's deadline.
    fn search(
        &self,
        groups: &Groups,
        bounds: (&[i64], i64),
    ) -> Result<Vec<Option<Found>>, TooComplex> {
        if matches!(&self.kinds[..], [(Allowed::ALL, _)]) {
            return self.search_among(&self.unit, groups, bounds);
        }
        // Entries that allow the same are searched together, and the best of each kind compared.
        let mut best: Vec<Option<Found>> = vec![None; groups.len()];
        for (kind, _) in &self.kinds {
            let mine = |entry: &&u32| self.allowed(**entry) == *kind;
            let of_kind = groups.iter().map(|group| {
                let entries = group.iter().filter(mine);
                entries.copied().collect()
            });
            let found = self.search_among(&self.unit.under(*kind), &of_kind.collect(), bounds)?;
            for (best, found) in best.iter_mut().zip(found) {
                let Some(found) = found else {
                    continue;
                };
                let latest = self.plan.question.entry == Entry::Latest;
                if best
                    .as_ref()
                    .is_none_or(|best| found.is_better(best, latest))
                {
                    *best = Some(found);
                }
            }
        }
        Ok(best)
    }

    fn search_among(
        &self,
        rows: &Rows,
        groups: &Groups,
        (deadlines, back): (&[i64], i64),
    ) -> Result<Vec<Option<Found>>, TooComplex> {
        if self.plan.question.order == Order::Any {
            anyorder::search(self.plan, rows, groups, deadlines)
        } else {
            ordered::search(self.plan, rows, groups, deadlines, back)
        }
    }

    fn allowed(&self, entry: u32) -> Allowed {
        let its = self.allowed.get(entry as usize);
        its.copied().unwrap_or(Allowed::ALL)
    }

    fn bucket(&self, entry: u32) -> Option<usize> {
        let calendar = self.plan.calendar.as_ref()?;
        calendar.locate(self.unit.rows[entry as usize].ts)
    }

    fn matured(&self, entry: u32) -> bool {
        self.deadlines[entry as usize] <= self.plan.as_of
    }

    /// The unit as one: its best chain of all entries, of the matured ones, and of those of each bucket.
    fn best(&self, sink: &mut dyn FnMut(Outcome<'_>)) -> Result<(), TooComplex> {
        let matured: Vec<u32> = self
            .entries
            .iter()
            .copied()
            .filter(|e| self.matured(*e))
            .collect();
        let all_matured = matured.len() == self.entries.len();
        let mut of = vec![Of::All];
        let mut groups: Groups = vec![self.entries.clone()];
        if !all_matured {
            of.push(Of::Matured);
            groups.push(matured);
        }
        if self.plan.calendar.is_some() {
            let mut buckets = std::collections::BTreeMap::<usize, Vec<u32>>::new();
            for entry in &self.entries {
                if let Some(bucket) = self.bucket(*entry) {
                    buckets.entry(bucket).or_default().push(*entry);
                }
            }
            for (bucket, entries) in buckets {
                of.push(Of::Bucket(bucket));
                groups.push(entries);
            }
        }
        let found = self.search(&groups, (&self.deadlines, self.plan.grace))?;
        for ((of, entries), found) in of.into_iter().zip(&groups).zip(&found) {
            let Some(found) = found else {
                continue;
            };
            let open = entries.iter().any(|e| !self.matured(*e));
            self.tell(of, found, open, sink);
            if of == Of::All && all_matured {
                self.tell(Of::Matured, found, open, sink);
            }
        }
        Ok(())
    }

    /// The unit's attempts (F10).
    fn attempts(&self, sink: &mut dyn FnMut(Outcome<'_>)) -> Result<(), TooComplex> {
        let every = self.plan.question.totals == Totals::EveryEntry;
        let (mut ended, mut onwards) = (i64::MIN, None);
        for mut tried in self.tried(every, self.plan.grace)? {
            let ts = self.unit.rows[tried.0 as usize].ts;
            if !every && ts <= ended {
                continue;
            }
            // With a grace a chain may reach back into the attempt before: then it has what comes from its entry on.
            if !every && self.first(&tried.1) <= ended {
                let of_all = match &onwards {
                    Some(of_all) => of_all,
                    None => onwards.insert(self.tried(every, 0)?),
                };
                let of_entry = of_all.binary_search_by_key(&tried.0, |tried| tried.0);
                if let Some(of_entry) = of_entry.ok().and_then(|place| of_all.get(place)) {
                    tried.clone_from(of_entry);
                }
            }
            let (entry, found, excluded) = tried;
            ended = if found.depth == self.plan.required {
                self.last(&found)
            } else {
                excluded.unwrap_or(self.deadlines[entry as usize])
            };
            let matured = self.matured(entry);
            let open = !matured && (every || excluded.is_none());
            self.tell(Of::All, &found, open, sink);
            if matured {
                self.tell(Of::Matured, &found, open, sink);
            }
            if let Some(bucket) = self.bucket(entry) {
                self.tell(Of::Bucket(bucket), &found, open, sink);
            }
        }
        Ok(())
    }

    /// Each entry with its best chain, which may reach so far back, and when an exclusion ends it. What comes after that is no more
    /// of it, unless every entry counts by itself.
    fn tried(&self, every: bool, back: i64) -> Result<Vec<Tried>, TooComplex> {
        let each: Groups = self.entries.iter().map(|e| vec![*e]).collect();
        let found = self.search(&each, (&self.deadlines, back))?;
        let mut tried: Vec<Tried> = self
            .entries
            .iter()
            .zip(found)
            .filter_map(|(entry, found)| {
                let found = found?;
                let excluded = self.excluded(*entry, &found);
                Some((*entry, found, excluded))
            })
            .collect();
        let mut deadlines = Vec::new();
        let mut cut = Vec::new();
        for (place, (entry, found, excluded)) in tried.iter().enumerate() {
            if let Some(end) = excluded.filter(|end| !every && *end < self.last(found)) {
                if deadlines.is_empty() {
                    deadlines.clone_from(&self.deadlines);
                }
                deadlines[*entry as usize] = end;
                cut.push(place);
            }
        }
        if !cut.is_empty() {
            let each: Groups = cut.iter().map(|place| vec![tried[*place].0]).collect();
            for (place, found) in cut.into_iter().zip(self.search(&each, (&deadlines, back))?) {
                if let Some(found) = found {
                    tried[place].1 = found;
                }
            }
        }
        Ok(tried)
    }

    fn times<'f>(&'f self, found: &'f Found) -> impl Iterator<Item = i64> + 'f {
        let chain = found.chain.iter();
        chain.map(|c| self.timeline.ts[c.1 as usize])
    }

    /// The first time of a chain.
    fn first(&self, found: &Found) -> i64 {
        self.times(found).min().unwrap_or(i64::MAX)
    }

    /// The last.
    fn last(&self, found: &Found) -> i64 {
        self.times(found).max().unwrap_or(i64::MIN)
    }

    /// When an exclusion that begins with the entry ends an attempt: at the first row of it that fills no step, unless the
    /// attempt is past the exclusion's end by then.
    fn excluded(&self, entry: u32, found: &Found) -> Option<i64> {
        let ts = self.unit.rows[entry as usize].ts;
        let past = |to: usize| {
            if self.plan.question.order == Order::Any {
                found.depth == self.plan.required
            } else {
                found.chain.iter().any(|c| usize::from(c.0) == to)
            }
        };
        let kind = self.allowed(entry);
        let (_, enders) = self.kinds.iter().find(|k| k.0 == kind)?;
        let exclusions = self.plan.exclusions.iter().zip(enders);
        exclusions
            .filter(|((_, to), _)| !past(*to))
            .filter_map(|(_, times)| times.get(times.partition_point(|t| *t <= ts)).copied())
            .min()
            .filter(|ended| *ended <= self.deadlines[entry as usize])
    }

    fn tell(&self, of: Of, found: &Found, open: bool, sink: &mut dyn FnMut(Outcome<'_>)) {
        let converted = found.depth == self.plan.required;
        let entry = found
            .chain
            .first()
            .map_or(0, |c| self.timeline.ts[c.1 as usize]);
        sink(Outcome {
            of,
            found,
            converted,
            open: open && !converted,
            watched: self.plan.deadline(entry).min(self.plan.as_of) - entry,
        });
    }
}
