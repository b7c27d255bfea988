//! Distinct users of the last minutes where several ids are one user, which only timelines know (I2, I5).

use crate::error::Result;
use crate::query::{Condition, Selector};
use crate::timeline::{Timelines, View};
use crate::warehouse::{Count, Live, Recent, Tally};

/// Users of each part of both windows and of each window: all, and those with a conversion; and those of each list of events.
#[derive(Clone, Debug)]
struct Counts {
    parts: Vec<(u64, u64)>,
    windows: [(u64, u64); 2],
    lists: Vec<Count>,
}

/// Counts the users of a window anew.
pub(super) fn recount(live: &mut Live, timelines: &Timelines, asked: &Recent<'_>) -> Result<()> {
    let view = View::new(timelines, asked.as_of);
    let conversion = view.meaning(&Condition::from(Selector::AnyOf(
        asked.conversions.to_vec(),
    )))?;
    let lists = asked.counted.iter().map(|names| {
        let any = Condition::from(Selector::AnyOf(names.clone()));
        view.meaning(&any)
    });
    let lists = lists.collect::<Result<Vec<_>>>()?;
    let step = i64::from(asked.step.max(1)) * 1_000_000;
    let parts = (asked.window / asked.step.max(1)) as usize;
    let from = asked.as_of.micros() - 2 * parts as i64 * step;
    let empty = || Counts {
        parts: vec![(0, 0); 2 * parts],
        windows: [(0, 0); 2],
        lists: vec![Count::new(parts as u32); lists.len()],
    };
    let counts = view.fold(
        empty,
        |counts, timeline| {
            // Nearly all users of a large store were there before the windows.
            if timeline.ts.last().is_none_or(|last| *last <= from) {
                return;
            }
            let first = timeline.ts.partition_point(|ts| *ts <= from);
            let events = timeline.ts.iter().zip(timeline.name).zip(timeline.row);
            // There are 24 parts at most.
            let (mut seen, mut converted) = (0_u64, 0_u64);
            let mut listed = vec![0_u64; lists.len()];
            for ((ts, name), row) in events.skip(first) {
                let bit = 1_u64.unbounded_shl(((ts - from - 1) / step) as u32);
                seen |= bit;
                if conversion.holds(*name, *row) {
                    converted |= bit;
                }
                for (mask, list) in listed.iter_mut().zip(&lists) {
                    if list.holds(*name, *row) {
                        *mask |= bit;
                    }
                }
            }
            for (count, mask) in counts.lists.iter_mut().zip(listed) {
                count.user(mask, parts as u32);
            }
            let hit = |bits: u64, of: u64| u64::from(bits & of != 0);
            for (part, count) in counts.parts.iter_mut().enumerate() {
                let of = 1_u64.unbounded_shl(part as u32);
                count.0 += hit(seen, of);
                count.1 += hit(converted, of);
            }
            let before = 1_u64.unbounded_shl(parts as u32).wrapping_sub(1);
            for (count, of) in counts.windows.iter_mut().zip([before, !before]) {
                count.0 += hit(seen, of);
                count.1 += hit(converted, of);
            }
        },
        |mut a, b| {
            let pairs = a.parts.iter_mut().zip(&b.parts);
            for (x, y) in pairs.chain(a.windows.iter_mut().zip(&b.windows)) {
                x.0 += y.0;
                x.1 += y.1;
            }
            for (x, y) in a.lists.iter_mut().zip(&b.lists) {
                x.now.users += y.now.users;
                x.before.users += y.before.users;
                for (x, y) in x.series.iter_mut().zip(&y.series) {
                    x.users += y.users;
                }
            }
            a
        },
    )?;
    for (count, known) in live.counted.iter_mut().zip(&counts.lists) {
        count.now.users = known.now.users;
        count.before.users = known.before.users;
        for (part, known) in count.series.iter_mut().zip(&known.series) {
            part.users = known.users;
        }
    }
    let put = |tally: &mut Tally, count: &(u64, u64)| (tally.users, tally.converters) = *count;
    let [before, now] = &counts.windows;
    put(&mut live.before, before);
    put(&mut live.now, now);
    for (tally, count) in live.series.iter_mut().zip(counts.parts.iter().skip(parts)) {
        put(tally, count);
    }
    Ok(())
}
