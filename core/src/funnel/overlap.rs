//! Funnels in which one event could fill several steps, or equal times do not count as "after".
//!
//! Events of one time are a group. Inside a group rows are assigned to consecutive steps by bipartite matching, since the
//! order inside it is free (F1) and a row fills one step (F3); from group to group, doing as many steps as possible never hurts.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, name keys are below the number of names, rows below the timeline's length"
)]

use super::fast::{Fast, NEVER};
use super::question::MAX_STEPS;
use crate::timeline::Timeline;

/// How many steps the best chain of a user has.
pub(super) fn depth(plan: &Fast, timeline: &Timeline<'_>, span: (i64, i64)) -> usize {
    search(plan, timeline, span, plan.steps).0
}

/// How many steps the best chain of a user has, and the time at which one first had so many.
fn search(
    plan: &Fast,
    timeline: &Timeline<'_>,
    (from, to): (i64, i64),
    steps: usize,
) -> (usize, i64) {
    let mut reached_at = NEVER;
    let mut entry = [NEVER; MAX_STEPS + 1];
    let mut best = 0;
    let mut group = Vec::new();
    let mut row = timeline.ts.partition_point(|ts| *ts < from);
    while row < timeline.ts.len() && best < steps {
        let ts = timeline.ts[row];
        gather(plan, timeline, &mut row, &mut group);
        if group.is_empty() {
            continue;
        }
        let before = entry;
        for (done, reached) in before.iter().enumerate().take(steps) {
            let start = if done == 0 { ts } else { *reached };
            let allowed = if done == 0 {
                ts < to
            } else {
                ts - start <= plan.window
            };
            if !allowed {
                continue;
            }
            let more = matched(plan, &group, done, steps);
            for latest in &mut entry[done + 1..=done + more] {
                *latest = start.max(*latest);
            }
            if done + more > best && more > 0 {
                best = done + more;
                reached_at = ts;
            }
        }
    }
    (best, reached_at)
}

/// Collects the step masks of the events at the time of `row`, and moves `row` behind them.
///
/// More equal masks than steps change nothing, so the group stays small whatever the data.
fn gather(plan: &Fast, timeline: &Timeline<'_>, row: &mut usize, group: &mut Vec<u64>) {
    group.clear();
    let ts = timeline.ts[*row];
    while *row < timeline.ts.len() && timeline.ts[*row] == ts {
        let mask = plan.masks[usize::from(timeline.name[*row])];
        *row += 1;
        if mask != 0
            && (group.len() < plan.steps
                || group.iter().filter(|m| **m == mask).count() < plan.steps)
        {
            group.push(mask);
        }
    }
}

/// How many steps after the first `done` can be filled by distinct rows of one group.
fn matched(plan: &Fast, group: &[u64], done: usize, steps: usize) -> usize {
    let most = if plan.strict { 1 } else { steps - done };
    if let [mask] = group {
        return usize::from(most > 0 && mask >> done & 1 == 1);
    }
    let mut filled_by: Vec<Option<usize>> = vec![None; group.len()];
    for more in 0..most.min(group.len()) {
        let mut seen = vec![false; group.len()];
        if !assign(group, done + more, &mut filled_by, &mut seen) {
            return more;
        }
    }
    most.min(group.len())
}

/// Finds a row for a step, moving other steps to other rows where needed (an augmenting path; at most 64 deep).
fn assign(group: &[u64], step: usize, filled_by: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for row in 0..group.len() {
        if group[row] >> step & 1 == 0 || seen[row] {
            continue;
        }
        seen[row] = true;
        let free = match filled_by[row] {
            None => true,
            Some(other) => assign(group, other, filled_by, seen),
        };
        if free {
            filled_by[row] = Some(step);
            return true;
        }
    }
    false
}

/// The rows of the reported chain of so many steps: the lexicographically earliest ones (F4).
pub(super) fn chain(
    plan: &Fast,
    timeline: &Timeline<'_>,
    (from, to): (i64, i64),
    depth: usize,
) -> Vec<u32> {
    let mask = |row: usize| plan.masks[usize::from(timeline.name[row])];
    // No chain is complete before the first that is, so that no entry older than its window can be completed; of the
    // others, all but tied ones can, by taking the place of the entry of that chain. So few are tried in vain.
    let (_, complete) = search(plan, timeline, (from, to), depth);
    let earliest = from.max(complete - plan.window);
    let first = timeline.ts.partition_point(|ts| *ts < earliest);
    let mut failed = Vec::new();
    for row in first..timeline.ts.len() {
        let ts = timeline.ts[row];
        if ts >= to {
            break;
        }
        let alike = (ts, mask(row));
        if mask(row) & 1 == 0 || failed.contains(&alike) {
            continue;
        }
        if !completes(plan, timeline, &[row], depth) {
            failed.push(alike);
            continue;
        }
        let mut chain = vec![row];
        while chain.len() < depth {
            let from = timeline
                .ts
                .partition_point(|t| *t < timeline.ts[chain[chain.len() - 1]]);
            // Rows alike in time and mask are interchangeable: where one fails, the next need not be tried.
            let mut failed = Vec::new();
            let next = (from..timeline.ts.len()).find(|row| {
                let alike = (timeline.ts[*row], mask(*row));
                if mask(*row) >> chain.len() & 1 == 0
                    || chain.contains(row)
                    || failed.contains(&alike)
                {
                    return false;
                }
                chain.push(*row);
                let fits = completes(plan, timeline, &chain, depth);
                chain.pop();
                if !fits {
                    failed.push(alike);
                }
                fits
            });
            match next {
                Some(row) => chain.push(row),
                None => return Vec::new(),
            }
        }
        return chain.iter().map(|row| *row as u32).collect();
    }
    Vec::new()
}

/// Whether a chain that begins with these rows can be completed within the window.
fn completes(plan: &Fast, timeline: &Timeline<'_>, chain: &[usize], depth: usize) -> bool {
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else {
        return false;
    };
    let (entry, now) = (timeline.ts[*first], timeline.ts[*last]);
    if let [.., previous, _] = chain
        && plan.strict
        && timeline.ts[*previous] == now
    {
        return false;
    }
    let mut done = chain.len();
    let mut row = timeline.ts.partition_point(|ts| *ts < now);
    let mut group = Vec::new();
    while done < depth && row < timeline.ts.len() && timeline.ts[row] - entry <= plan.window {
        let ts = timeline.ts[row];
        if ts == now {
            // What is left of the group of the last row: the rows that the chain does not use.
            group.clear();
            while row < timeline.ts.len() && timeline.ts[row] == ts {
                if !chain.contains(&row) {
                    group.push(plan.masks[usize::from(timeline.name[row])]);
                }
                row += 1;
            }
            if plan.strict {
                continue;
            }
        } else {
            gather(plan, timeline, &mut row, &mut group);
        }
        done += matched(plan, &group, done, depth);
    }
    done >= depth && timeline.ts[*last] - entry <= plan.window
}

#[cfg(test)]
mod tests {
    use crate::access::{Permission, Principal, grant};
    use crate::funnel::{Funnel, answer};
    use crate::query::{Range, Selector, Window};
    use crate::timeline::{Timelines, View};

    /// Where each entry were tried to the end of its window, this would take hours.
    #[test]
    fn one_user_with_many_entries_that_come_to_nothing_costs_one_pass() {
        const EVENTS: i64 = 400_000;
        let start = 1_767_225_600_000_000;
        let rows = (0..EVENTS).map(|i| (0, start + i * 400_000, 0)).chain([(
            0,
            start + EVENTS * 400_000,
            1,
        )]);
        let timelines = Timelines::from_rows(vec!["a".to_owned(), "b".to_owned()], rows).unwrap();
        let steps = [Selector::Any, Selector::from("b")];
        let mut question = Funnel::new(steps, Range::new("2026-01-01", "2026-01-31").unwrap());
        question.window = Window::days(1);
        let view = View::new(&timelines, "2026-03-01T00:00:00Z".parse().unwrap());
        let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
        let answer = answer(&question, &view).unwrap();
        assert_eq!((answer.entered, answer.converted), (1, 1));
        assert_eq!(answer.time_to_convert.seconds.median, Some(86_400.0));
    }
}
