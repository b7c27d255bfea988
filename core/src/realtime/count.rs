//! Counts the windows of a question over the words of the events in memory.

use std::collections::BTreeMap;

use super::masks::Masks;
use super::stream::{NAME, NAMES, NO_USER, OFFSET, SECOND, State};
use crate::error::Result;
use crate::query::Instant;
use crate::warehouse::{Amount, Count, Live, Recent, Tally};

const DAY: i64 = 86_400 * SECOND;

/// What an event of a name is, in the bits of a byte.
const PAGE_VIEW: u8 = 1;
const CONVERSION: u8 = 2;
const ERROR: u8 = 4;

/// Counts both windows: `parts` of `step` microseconds each, the first of which begins after `from`.
pub(super) fn live(
    state: &State,
    asked: &Recent<'_>,
    (from, step, parts): (i64, i64, u32),
) -> Result<Live> {
    let to = asked.as_of.micros();
    let mut live = Live {
        series: vec![Tally::default(); parts as usize],
        ..Live::default()
    };
    let mut before = vec![Tally::default(); parts as usize];
    let kinds = table(state.names.iter().map(|name| {
        let is = |list: &[String], kind| if list.contains(name) { kind } else { 0 };
        is(asked.page_views, PAGE_VIEW)
            | is(asked.conversions, CONVERSION)
            | is(asked.errors, ERROR)
    }));
    let each = |take: &mut dyn FnMut(u64, u32)| {
        let seconds = from.div_euclid(SECOND)..=to.div_euclid(SECOND);
        for (second, events) in state.seconds.range(seconds) {
            // A second within one part needs no look at the time of each of its events.
            let (first, last) = (second * SECOND, second * SECOND + SECOND - 1);
            let slot = |ts: i64| ((ts - from - 1) / step) as u32;
            if first > from && last <= to && slot(first) == slot(last) {
                for word in events {
                    take(*word, slot(first));
                }
                continue;
            }
            for word in events {
                let ts = first + (word & OFFSET).cast_signed();
                if ts > from && ts <= to {
                    take(*word, slot(ts));
                }
            }
        }
    };
    let kind = |word: u64| kinds.get(name(word)).copied().unwrap_or_default();
    let events = state.events_since(from);
    let early = (1_u64 << parts) - 1;
    let hit = |bits: u64| u64::from(bits != 0);
    for (turn, mut users) in Masks::in_turns(state.highest, events).enumerate() {
        each(&mut |word, slot| {
            let tally = match slot.checked_sub(parts) {
                Some(part) => live.series.get_mut(part as usize),
                None => before.get_mut(slot as usize),
            };
            let Some(tally) = tally else { return };
            let (kind, user) = (kind(word), (word >> 32) as u32);
            if turn == 0 {
                tally.events += 1;
                tally.page_views += u64::from(kind & PAGE_VIEW != 0);
                tally.errors += u64::from(kind & ERROR != 0);
                tally.unattributed += u64::from(user == NO_USER);
            }
            if user != NO_USER {
                let both = u64::from(kind & CONVERSION != 0) << 32 | 1;
                users.mark(user, both << slot);
            }
        });
        for mask in users.all() {
            let (seen, converted) = (mask & u64::from(u32::MAX), mask >> 32);
            live.before.users += hit(seen & early);
            live.before.converters += hit(converted & early);
            live.now.users += hit(seen >> parts);
            live.now.converters += hit(converted >> parts);
            let (mut seen, converted) = (seen >> parts, converted >> parts);
            while seen != 0 {
                let part = seen.trailing_zeros();
                if let Some(tally) = live.series.get_mut(part as usize) {
                    tally.users += 1;
                    tally.converters += converted >> part & 1;
                }
                seen &= seen - 1;
            }
        }
    }
    for (whole, parts) in [(&mut live.now, &live.series), (&mut live.before, &before)] {
        for part in parts {
            whole.events += part.events;
            whole.unattributed += part.unattributed;
            whole.page_views += part.page_views;
            whole.errors += part.errors;
        }
    }
    for names in asked.counted {
        let wanted = table(
            state
                .names
                .iter()
                .map(|name| u8::from(names.contains(name))),
        );
        let mut count = Count::new(parts);
        // One list after the other, so that users are held once.
        for (turn, mut users) in Masks::in_turns(state.highest, events).enumerate() {
            each(&mut |word, slot| {
                if wanted.get(name(word)) != Some(&1) {
                    return;
                }
                if turn == 0 {
                    count.event(slot, parts);
                }
                let user = (word >> 32) as u32;
                if user != NO_USER {
                    users.mark(user, 1 << slot);
                }
            });
            for mask in users.all() {
                count.user(mask, parts);
            }
        }
        live.counted.push(count);
    }
    live.amounts = sums(state, (from, to, step));
    Ok(live)
}

/// The key of the name of an event.
fn name(word: u64) -> usize {
    (word >> NAME) as usize & (NAMES - 1)
}

/// A byte for each name there may be, so that looking one up is one look.
fn table(of: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut table = vec![0; NAMES];
    for (place, of) in table.iter_mut().zip(of) {
        *place = of;
    }
    table
}

/// The amounts by part, currency and day, in order.
fn sums(state: &State, (from, to, step): (i64, i64, i64)) -> Vec<Amount> {
    let mut sums: BTreeMap<(u32, Option<&str>, i64), i128> = BTreeMap::new();
    let seconds = from.div_euclid(SECOND)..=to.div_euclid(SECOND);
    for (second, paid) in state.amounts.range(seconds) {
        for paid in paid {
            let ts = second * SECOND + paid.at();
            if ts <= from || ts > to {
                continue;
            }
            let slot = ((ts - from - 1) / step) as u32;
            let sum = sums
                .entry((slot, paid.currency(&state.currencies), ts.div_euclid(DAY)))
                .or_default();
            *sum += paid.amount();
        }
    }
    sums.into_iter()
        .map(|((slot, currency, day), sum)| Amount {
            slot,
            currency: currency.map(ToOwned::to_owned),
            day: Instant::saturating_from_micros(day * DAY),
            sum,
            rate: currency.and_then(|code| rate(state, code, day)),
        })
        .collect()
}

/// The latest rate of a currency on or before a day.
fn rate(state: &State, code: &str, day: i64) -> Option<i128> {
    let rates = &state.rates;
    let after = rates.partition_point(|r| (r.currency.as_str(), i64::from(r.day)) <= (code, day));
    let last = rates.get(after.checked_sub(1)?)?;
    (last.currency == code).then_some(last.rate)
}
