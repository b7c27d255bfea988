//! Every chain of distinct rows that the rules allow, one by one, and the best of them (F1–F9, F14).

use chrono::Days;

use super::super::calendar::{last_showing_before, local, midnight};
use super::super::condition::{Condition, lets};
use super::super::{Event, History};
use super::asked::Asked;

/// Steps, from 0, and rows, in the order of the chain.
pub(super) type Chain = Vec<(usize, usize)>;

/// The rows among which chains are looked for.
#[derive(Clone)]
pub(super) struct Unit<'h, 'u> {
    pub(super) asked: &'u Asked,
    history: &'u History,
    pub(super) rows: Vec<&'h Event>,
    /// By row and step, and by row and exclusion.
    fills: Vec<Vec<bool>>,
    excluded: Vec<Vec<bool>>,
    deadlines: Vec<i64>,
    /// How far before its entry a row of a chain may lie.
    back: i64,
}

impl<'h, 'u> Unit<'h, 'u> {
    pub(super) fn new(asked: &'u Asked, history: &'u History, rows: Vec<&'h Event>) -> Self {
        let mean = |conditions: &[&Condition]| -> Vec<Vec<bool>> {
            let row = |event: &&Event| {
                let means = |c: &&Condition| c.means(history, event, asked.as_of);
                conditions.iter().map(means).collect()
            };
            rows.iter().map(row).collect()
        };
        let steps: Vec<_> = asked.steps.iter().map(|s| &s.condition).collect();
        let exclusions: Vec<_> = asked.exclusions.iter().map(|x| &x.condition).collect();
        Self {
            asked,
            history,
            fills: mean(&steps),
            excluded: mean(&exclusions),
            deadlines: rows.iter().map(|row| deadline(asked, row.ts)).collect(),
            back: asked.grace,
            rows,
        }
    }

    /// The same with what the conditions ask of the entry decided (C1); nothing where it is none.
    fn under(&self, entry: usize) -> Option<Self> {
        let lets = |filters: &[serde_json::Value]| {
            lets(filters, self.history, self.rows[entry], self.asked.as_of)
        };
        let steps: Vec<bool> = self
            .asked
            .steps
            .iter()
            .map(|s| lets(&s.condition.filters))
            .collect();
        let exclusions = self.asked.exclusions.iter();
        let exclusions: Vec<bool> = exclusions.map(|x| lets(&x.condition.filters)).collect();
        let both = |rows: &[Vec<bool>], lets: &[bool]| -> Vec<Vec<bool>> {
            let row = |row: &Vec<bool>| row.iter().zip(lets).map(|(a, b)| *a && *b).collect();
            rows.iter().map(row).collect()
        };
        lets(&self.asked.filters).then(|| Self {
            fills: both(&self.fills, &steps),
            excluded: both(&self.excluded, &exclusions),
            ..self.clone()
        })
    }

    /// The same where a chain from a row ends by an instant.
    pub(super) fn until(&self, row: usize, end: i64) -> Self {
        let mut unit = self.clone();
        unit.deadlines[row] = end;
        unit
    }

    /// The same where no row of a chain lies before its entry.
    pub(super) fn onwards(&self) -> Self {
        let mut unit = self.clone();
        unit.back = 0;
        unit
    }

    fn fills(&self, row: usize, step: usize) -> bool {
        self.fills[row][step]
    }

    fn excluded(&self, row: usize, exclusion: usize) -> bool {
        self.excluded[row][exclusion]
    }

    /// The last instant at which a chain from a row may go on.
    pub(super) fn deadline(&self, row: usize) -> i64 {
        self.deadlines[row]
    }

    fn ts(&self, row: usize) -> i64 {
        self.rows[row].ts
    }

    /// The rows that may begin a chain.
    pub(super) fn entries(&self) -> Vec<usize> {
        let (from, to) = self.asked.range.span();
        let begins = |row: usize| {
            let Some(unit) = self.under(row) else {
                return false;
            };
            if self.asked.order == "any" && !self.asked.anchor_first {
                (0..self.asked.steps.len()).any(|k| unit.fills(row, k))
            } else {
                unit.fills(row, 0)
            }
        };
        let mut entries: Vec<usize> = (0..self.rows.len())
            .filter(|row| (from..to).contains(&self.ts(*row)) && begins(*row))
            .collect();
        if self.asked.first_entry {
            entries.truncate(1);
        }
        entries
    }

    /// Required steps of a chain; in any order, its steps.
    pub(super) fn depth(&self, chain: &Chain) -> usize {
        let optional = |c: &&(usize, usize)| self.asked.steps[c.0].optional;
        chain.len() - chain.iter().filter(optional).count()
    }

    /// The best of the chains that begin with a row.
    pub(super) fn best(&self, entry: usize) -> Option<Chain> {
        self.under(entry)?.best_of(entry)
    }

    fn best_of(&self, entry: usize) -> Option<Chain> {
        let mut chains = Vec::new();
        if self.asked.order == "any" {
            self.sets(entry, &mut chains);
        } else {
            self.ordered(&mut vec![(0, entry)], &mut chains);
        }
        let deepest = chains.iter().map(|c| self.depth(c)).max();
        let counts = |chain: &Chain| {
            if self.asked.remove_user {
                Some(self.depth(chain)) == deepest && self.untainted(chain)
            } else {
                self.untouched(chain)
            }
        };
        let counted = chains.into_iter().filter(counts);
        counted.reduce(|best, chain| {
            if self.better(&chain, &best) {
                chain
            } else {
                best
            }
        })
    }

    /// More required steps, then more optional ones, then (where asked for) a later entry, then earlier rows (F4).
    pub(super) fn better(&self, one: &Chain, other: &Chain) -> bool {
        let rows = |c: &Chain| c.iter().map(|c| c.1).collect::<Vec<_>>();
        let steps = |c: &Chain| c.iter().map(|c| c.0).collect::<Vec<_>>();
        let size = |c: &Chain| (self.depth(c), c.len());
        if size(one) != size(other) {
            return size(one) > size(other);
        }
        if self.asked.latest && one[0].1 != other[0].1 {
            return one[0].1 > other[0].1;
        }
        (rows(one), steps(one)) < (rows(other), steps(other))
    }

    fn ordered(&self, chain: &mut Chain, found: &mut Vec<Chain>) {
        found.push(chain.clone());
        let (step, row) = chain[chain.len() - 1];
        let (entry, before) = (self.ts(chain[0].1), self.ts(row));
        for next in step + 1..self.asked.steps.len() {
            let place = &self.asked.steps[next];
            for row in 0..self.rows.len() {
                let ts = self.ts(row);
                let after = if self.asked.strict_increase {
                    ts > before
                } else {
                    ts >= before - self.asked.grace && ts >= entry - self.back
                };
                let gap = (ts - before).max(0);
                if after
                    && ts <= self.deadline(chain[0].1)
                    && place.min_gap.is_none_or(|least| gap >= least)
                    && place.max_gap.is_none_or(|most| gap <= most)
                    && self.fills(row, next)
                    && !chain.iter().any(|c| c.1 == row)
                    && !self.broken(before, ts)
                {
                    chain.push((next, row));
                    self.ordered(chain, found);
                    chain.pop();
                }
            }
            if !place.optional {
                break;
            }
        }
    }

    /// Whether a row of the universe of a strict order lies strictly between two times (F7).
    fn broken(&self, after: i64, before: i64) -> bool {
        let except = &self.asked.universe["except"];
        let outside = |e: &&&Event| {
            except
                .as_array()
                .is_some_and(|names| names.iter().any(|n| n == &e.name))
        };
        self.asked.order == "strict"
            && self
                .rows
                .iter()
                .filter(|e| after < e.ts && e.ts < before)
                .any(|e| !outside(&e))
    }

    fn sets(&self, entry: usize, found: &mut Vec<Chain>) {
        for step in 0..self.asked.steps.len() {
            if (step == 0 || !self.asked.anchor_first) && self.fills(entry, step) {
                self.more(&mut vec![(step, entry)], found);
            }
        }
    }

    fn more(&self, chain: &mut Chain, found: &mut Vec<Chain>) {
        found.push(chain.clone());
        let (entry, last) = (chain[0].1, chain[chain.len() - 1].1);
        // With an anchor a row at the same time may stand before the entry.
        let first = if chain.len() == 1 && self.asked.anchor_first {
            0
        } else {
            last + 1
        };
        for row in first..self.rows.len() {
            let ts = self.ts(row);
            if row == entry || ts < self.ts(entry) || ts > self.deadline(entry) {
                continue;
            }
            for step in 0..self.asked.steps.len() {
                if self.fills(row, step) && !chain.iter().any(|c| c.0 == step) {
                    chain.push((step, row));
                    self.more(chain, found);
                    chain.pop();
                }
            }
        }
    }

    /// Whether a row of an exclusion outside the chain lies after `from` and before `to`.
    fn met(&self, chain: &Chain, exclusion: usize, from: i64, to: i64) -> bool {
        (0..self.rows.len()).any(|row| {
            self.excluded(row, exclusion)
                && from < self.ts(row)
                && self.ts(row) < to
                && !chain.iter().any(|c| c.1 == row)
        })
    }

    /// Whether a chain meets no exclusion between two of its steps (F6); in any order, between its first and its last row.
    fn untouched(&self, chain: &Chain) -> bool {
        let time = |step: usize| chain.iter().find(|c| c.0 == step).map(|c| self.ts(c.1));
        (0..self.asked.exclusions.len()).all(|x| {
            let exclusion = &self.asked.exclusions[x];
            let ends = if self.asked.order == "any" {
                let last = chain.iter().map(|c| self.ts(c.1)).max();
                Some(self.ts(chain[0].1)).zip(last)
            } else {
                time(exclusion.from).zip(time(exclusion.to))
            };
            ends.is_none_or(|(from, to)| !self.met(chain, x, from, to))
        })
    }

    /// The same, and where the chain does not reach an exclusion's end, that it meets none until its window ends.
    fn untainted(&self, chain: &Chain) -> bool {
        let time = |step: usize| chain.iter().find(|c| c.0 == step).map(|c| self.ts(c.1));
        let deadline = self.deadline(chain[0].1);
        self.untouched(chain)
            && (0..self.asked.exclusions.len()).all(|x| {
                let exclusion = &self.asked.exclusions[x];
                match (time(exclusion.from), time(exclusion.to)) {
                    (Some(from), None) => !self.met(chain, x, from, deadline + 1),
                    _ => true,
                }
            })
    }

    /// When an attempt ends that a chain is the best of (F10): when it converts, at an excluded row that no chain of it gets
    /// past, when its window ends; and whether it was an excluded row.
    pub(super) fn end(&self, chain: &Chain) -> (i64, bool) {
        let unit = self.under(chain[0].1).expect("an entry");
        unit.end_of(chain)
    }

    fn end_of(&self, chain: &Chain) -> (i64, bool) {
        let entry = self.ts(chain[0].1);
        if self.depth(chain) == self.asked.required() {
            let last = chain.iter().map(|c| self.ts(c.1)).max();
            return (last.expect("a chain has rows"), false);
        }
        let mut killed: Option<i64> = None;
        for (x, exclusion) in self.asked.exclusions.iter().enumerate() {
            let past = self.asked.order != "any" && chain.iter().any(|c| c.0 == exclusion.to);
            if exclusion.from > 0 || past {
                continue;
            }
            for row in 0..self.rows.len() {
                let ts = self.ts(row);
                let step = (0..self.asked.steps.len()).any(|k| self.fills(row, k));
                if self.excluded(row, x) && !step && entry < ts && ts <= self.deadline(chain[0].1) {
                    killed = Some(killed.map_or(ts, |k| k.min(ts)));
                }
            }
        }
        killed.map_or((self.deadline(chain[0].1), false), |k| (k, true))
    }
}

/// The last instant at which a chain from an entry at `ts` may go on (F2).
pub(super) fn deadline(asked: &Asked, ts: i64) -> i64 {
    let tz = asked.range.tz();
    let end = match asked.window_calendar_days {
        None => ts + asked.window,
        Some(days) => {
            let date = local(tz, ts).date().checked_add_days(Days::new(days));
            last_showing_before(tz, midnight(date.expect("a date"))) - 1
        }
    };
    if asked.all_steps {
        end.min(asked.range.span().1 - 1)
    } else {
        end
    }
}
