//! The events of the last two days in memory, second by second and a word each, from which the real-time figures are counted without a
//! look at the file. What is counted is what the SQL counts, at every instant and whatever the order of arrival (I2).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use arrow::array::Array as _;

use super::masks::Masks;
use crate::error::Result;
use crate::query::Instant;
use crate::warehouse::{
    Amount, DailyRate, Happened, Head, Live, Recent, Snapshot, Tally, Warehouse,
};

/// A day of windows, and the windows before them.
const SPAN: i64 = 2 * 86_400 * SECOND;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// How far back it goes where there are too many events for two days, in seconds.
const SPANS: [i64; 8] = [172_800, 86_400, 28_800, 10_800, 7_200, 3_600, 1_800, 600];

/// So many events are held, of 8 bytes each; beyond them the oldest second goes.
const MOST: usize = 5_000_000;

/// A question has so many parts at most, in both windows.
const PARTS: u32 = 32;

/// Nobody.
const NO_USER: u32 = u32::MAX;

const PAGE_VIEW: u64 = 1 << 20;
const CONVERSION: u64 = 1 << 21;
const ERROR: u64 = 1 << 22;
const OFFSET: u64 = (1 << 20) - 1;

/// The last two days of a store.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    held: RwLock<Option<State>>,
    /// Whether anybody has asked: whoever asks once is answered by SQL, which is less work than to hold two days for them.
    asked: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    head: Head,
    /// Everything that happened later is held.
    floor: i64,
    /// Of each event the user, what it is, and the microsecond within its second.
    seconds: BTreeMap<i64, Vec<u64>>,
    events: usize,
    /// Amounts by when they were paid.
    amounts: BTreeMap<i64, Vec<(Option<u16>, i128)>>,
    currencies: Vec<String>,
    rates: Vec<DailyRate>,
    /// What events of each name are.
    kinds: Vec<u64>,
    meanings: [Vec<String>; 3],
    most: usize,
}

impl Windows {
    /// What [`Warehouse::recent`] answers, from memory where that goes back far enough.
    pub(crate) fn recent(
        &self,
        warehouse: &dyn Warehouse,
        asked: &Recent<'_>,
        now: Instant,
    ) -> Result<Live> {
        if !self.asked.swap(true, Ordering::Relaxed) {
            return warehouse.recent(asked);
        }
        self.within(warehouse, asked, now, MOST)
    }

    /// Takes in what was stored since, where anybody has asked for anything yet.
    pub(crate) fn refresh(&self, warehouse: &dyn Warehouse, now: Instant) -> Result<()> {
        let version = warehouse.head()?.version;
        let old = |held: &Option<State>| held.as_ref().is_some_and(|s| s.head.version < version);
        if !old(&self.held.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = held.take() {
            *held = Some(state.caught_up(warehouse, now)?);
        }
        Ok(())
    }

    fn within(
        &self,
        warehouse: &dyn Warehouse,
        asked: &Recent<'_>,
        now: Instant,
        most: usize,
    ) -> Result<Live> {
        let parts = asked.window / asked.step.max(1);
        let step = i64::from(asked.step.max(1)) * SECOND;
        let from = asked.as_of.micros() - 2 * i64::from(parts) * step;
        if 2 * parts > PARTS || parts == 0 || from < now.micros() - SPAN {
            return warehouse.recent(asked);
        }
        let head = warehouse.head()?;
        let current = |state: &State| state.head.version >= head.version && state.means(asked);
        {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(state) = held.as_ref().filter(|state| current(state))
                && state.floor <= from
            {
                return state.count(asked, from, step, parts);
            }
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let state = match held.take() {
            Some(state) if current(&state) => state,
            Some(state) if state.means(asked) => state.caught_up(warehouse, now)?,
            _ => {
                let meanings = [asked.page_views, asked.conversions, asked.errors];
                State::build(warehouse, meanings.map(<[String]>::to_vec), now, most)?
            }
        };
        let state = held.insert(state);
        if state.floor > from {
            drop(held);
            return warehouse.recent(asked);
        }
        state.count(asked, from, step, parts)
    }
}

impl State {
    /// Whether it was built with the same meanings of events.
    fn means(&self, asked: &Recent<'_>) -> bool {
        let [page_views, conversions, errors] = &self.meanings;
        page_views == asked.page_views && conversions == asked.conversions && errors == asked.errors
    }

    fn build(
        warehouse: &dyn Warehouse,
        meanings: [Vec<String>; 3],
        now: Instant,
        most: usize,
    ) -> Result<Self> {
        let snapshot = warehouse.snapshot()?;
        let mut state = Self {
            head: snapshot.head(),
            rates: warehouse.rates()?,
            meanings,
            most,
            ..Self::default()
        };
        for span in SPANS {
            state.floor = now.micros() - span * SECOND;
            let since = Instant::saturating_from_micros(state.floor);
            if snapshot.count_since(since)? <= most as u64 {
                break;
            }
        }
        state.take(&*snapshot, 0)?;
        Ok(state)
    }

    /// With what was stored since; anew where stored events gave way to others or amounts may be worth something else.
    fn caught_up(mut self, warehouse: &dyn Warehouse, now: Instant) -> Result<Self> {
        let snapshot = warehouse.snapshot()?;
        let head = snapshot.head();
        if head.epoch != self.head.epoch || head.records_hash != self.head.records_hash {
            drop(snapshot);
            return Self::build(warehouse, self.meanings, now, self.most);
        }
        let after = self.head.version;
        self.take(&*snapshot, after)?;
        self.head = head;
        self.let_go(now.micros() - SPAN);
        Ok(self)
    }

    /// Takes the events of a snapshot that were added after a version.
    fn take(&mut self, snapshot: &dyn Snapshot, after: u64) -> Result<()> {
        let names = snapshot.names()?;
        let [page_views, conversions, errors] = &self.meanings;
        self.kinds
            .extend(names.iter().skip(self.kinds.len()).map(|name| {
                let is = |list: &[String], kind| if list.contains(name) { kind } else { 0 };
                is(page_views, PAGE_VIEW) | is(conversions, CONVERSION) | is(errors, ERROR)
            }));
        let since = Instant::saturating_from_micros(self.floor);
        let mut latest = i64::MIN;
        let mut touched = Vec::new();
        snapshot.happened(after, since, &mut |rows| {
            for row in 0..rows.ts.len() {
                let Some(second) = self.add(&rows, row) else {
                    continue;
                };
                latest = latest.max(second);
                if touched.last() != Some(&second) {
                    touched.push(second);
                }
            }
            self.keep_within();
            Ok(())
        })?;
        // Seconds that are over hardly grow any more.
        for second in touched {
            if let Some(events) = self
                .seconds
                .get_mut(&second)
                .filter(|_| second + 2 < latest)
            {
                events.shrink_to_fit();
            }
        }
        Ok(())
    }

    fn add(&mut self, rows: &Happened<'_>, row: usize) -> Option<i64> {
        let ts = *rows.ts.get(row)?;
        if ts <= self.floor {
            return None;
        }
        let second = ts.div_euclid(SECOND);
        let user = if rows.user.is_valid(row) {
            rows.user.value(row)
        } else {
            NO_USER
        };
        let kind = self.kinds.get(usize::from(*rows.name.get(row)?)).copied();
        let word =
            u64::from(user) << 32 | kind.unwrap_or_default() | ts.rem_euclid(SECOND).unsigned_abs();
        self.seconds.entry(second).or_default().push(word);
        self.events += 1;
        if rows.amount.is_valid(row) {
            let currency = rows
                .currency
                .is_valid(row)
                .then(|| self.currency(rows.currency.value(row)));
            let paid = self.amounts.entry(ts).or_default();
            paid.push((currency, rows.amount.value(row)));
        }
        Some(second)
    }

    /// The number of a currency; there are fewer than 65,536 codes of three letters.
    fn currency(&mut self, code: &str) -> u16 {
        let known = self.currencies.iter().position(|known| known == code);
        known.unwrap_or_else(|| {
            self.currencies.push(code.to_owned());
            self.currencies.len() - 1
        }) as u16
    }

    /// Lets the oldest seconds go while there are too many events.
    fn keep_within(&mut self) {
        while self.events > self.most {
            let Some(first) = self.seconds.keys().next().copied() else {
                return;
            };
            self.let_go((first + 1) * SECOND - 1);
        }
    }

    /// Lets go of what happened until then.
    fn let_go(&mut self, until: i64) {
        if until <= self.floor {
            return;
        }
        let second = until.div_euclid(SECOND);
        while let Some(first) = self.seconds.first_entry().filter(|s| *s.key() < second) {
            self.events -= first.remove().len();
        }
        if until.rem_euclid(SECOND) == SECOND - 1
            && let Some(gone) = self.seconds.remove(&second)
        {
            self.events -= gone.len();
        }
        self.floor = until;
        self.amounts = self.amounts.split_off(&(until + 1));
    }

    /// Counts both windows.
    fn count(&self, asked: &Recent<'_>, from: i64, step: i64, parts: u32) -> Result<Live> {
        let to = asked.as_of.micros();
        let mut live = Live {
            series: vec![Tally::default(); parts as usize],
            ..Live::default()
        };
        let mut before = vec![Tally::default(); parts as usize];
        let mut users = Masks::default();
        let seconds = from.div_euclid(SECOND)..=to.div_euclid(SECOND);
        for (second, events) in self.seconds.range(seconds) {
            for word in events {
                let ts = second * SECOND + (word & OFFSET).cast_signed();
                if ts <= from || ts > to {
                    continue;
                }
                let slot = ((ts - from - 1) / step) as u32;
                let tally = match slot.checked_sub(parts) {
                    Some(part) => live.series.get_mut(part as usize),
                    None => before.get_mut(slot as usize),
                };
                let Some(tally) = tally else { continue };
                tally.events += 1;
                tally.page_views += u64::from(word & PAGE_VIEW != 0);
                tally.errors += u64::from(word & ERROR != 0);
                let user = (word >> 32) as u32;
                if user == NO_USER {
                    tally.unattributed += 1;
                } else {
                    let both = u64::from(word & CONVERSION != 0) << 32 | 1;
                    users.mark(user, both << slot);
                }
            }
        }
        let early = (1_u64 << parts) - 1;
        for mask in users.all() {
            let (seen, converted) = (mask & u64::from(u32::MAX), mask >> 32);
            let hit = |bits: u64| u64::from(bits != 0);
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
        for (whole, parts) in [(&mut live.now, &live.series), (&mut live.before, &before)] {
            for part in parts {
                whole.events += part.events;
                whole.unattributed += part.unattributed;
                whole.page_views += part.page_views;
                whole.errors += part.errors;
            }
        }
        live.amounts = self.sums(from, to, step);
        Ok(live)
    }

    /// The amounts by part, currency and day, in order.
    fn sums(&self, from: i64, to: i64, step: i64) -> Vec<Amount> {
        let mut sums: BTreeMap<(u32, Option<&str>, i64), i128> = BTreeMap::new();
        for (ts, paid) in self.amounts.range(from + 1..=to) {
            let slot = ((ts - from - 1) / step) as u32;
            let day = ts.div_euclid(DAY);
            for (currency, amount) in paid {
                let code = currency.and_then(|c| self.currencies.get(usize::from(c)));
                let sum = sums
                    .entry((slot, code.map(String::as_str), day))
                    .or_default();
                *sum += amount;
            }
        }
        sums.into_iter()
            .map(|((slot, currency, day), sum)| Amount {
                slot,
                currency: currency.map(ToOwned::to_owned),
                day: Instant::saturating_from_micros(day * DAY),
                sum,
                rate: currency.and_then(|code| self.rate(code, day)),
            })
            .collect()
    }

    /// The latest rate of a currency on or before a day.
    fn rate(&self, code: &str, day: i64) -> Option<i128> {
        let after = self
            .rates
            .partition_point(|r| (r.currency.as_str(), i64::from(r.day)) <= (code, day));
        let last = self.rates.get(after.checked_sub(1)?)?;
        (last.currency == code).then_some(last.rate)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use serde_json::json;

    use super::*;
    use crate::access::{self, Permission, Principal};
    use crate::events::{self, Catalogue};
    use crate::warehouse::{Duckdb, Open};

    /// Numbers that look like chance, the same in each run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33) % n
        }
    }

    const NOW: i64 = 1_772_366_400 * SECOND + 250_000;

    fn at(micros: i64) -> Instant {
        Instant::from_micros(micros).unwrap()
    }

    fn store() -> Duckdb {
        Duckdb::open(&Open {
            path: None,
            read_only: false,
            threads: Some(1),
            memory_limit: None,
            now: at(NOW),
        })
        .unwrap()
    }

    static NEXT: AtomicU64 = AtomicU64::new(0);

    fn send(store: &Duckdb, dice: &mut Dice, count: u64) {
        let names = [
            "page_view",
            "complete_booking",
            "error",
            "payment",
            "search",
        ];
        let events: Vec<_> = (0..count)
            .map(|_| {
                let ago = match dice.below(4) {
                    0 => dice.below(20) * 30 * SECOND as u64,
                    1 => dice.below(7_200 * SECOND as u64),
                    2 => dice.below(180_000) * SECOND as u64,
                    _ => dice.below(600 * SECOND as u64),
                };
                let ts = at(NOW - ago.cast_signed() + dice.below(3).cast_signed() - 1);
                // Some are sent twice, and some of those with another content.
                let id = match dice.below(10) {
                    0 => NEXT.load(Ordering::Relaxed).saturating_sub(dice.below(5)),
                    _ => NEXT.fetch_add(1, Ordering::Relaxed),
                };
                let mut event = json!({
                    "eventId": id.to_string(),
                    "name": names[dice.below(5) as usize],
                    "ts": ts,
                    "amount": dice.below(1_000),
                    "currency": if dice.below(2) == 0 { "EUR" } else { "CHF" },
                });
                if dice.below(8) > 0 {
                    event["userId"] = json!(format!("u{}", dice.below(40)));
                }
                event
            })
            .collect();
        let events = json!(events);
        let events = access::grant(&Principal::owner(), Permission::IngestEvents, &events).unwrap();
        events::ingest(store, &Catalogue::default(), &events, at(NOW)).unwrap();
    }

    #[test]
    fn what_is_counted_in_memory_is_what_the_sql_counts_whatever_came_when() {
        let meanings = Catalogue::default();
        for case in 0..40 {
            let mut dice = Dice(case * 977 + 5);
            let store = store();
            let windows = Windows::default();
            for round in 0..6 {
                let count = dice.below(60);
                send(&store, &mut dice, count);
                for (window, step) in [
                    (300, 30),
                    (900, 60),
                    (3_600, 300),
                    (86_400, 7_200),
                    (7_000, 7_000),
                ] {
                    let back = [
                        0,
                        1,
                        30 * SECOND,
                        3_600 * SECOND,
                        dice.below(90_000 * SECOND as u64).cast_signed(),
                    ];
                    let as_of = at(NOW - back[dice.below(5) as usize]);
                    let asked = Recent {
                        as_of,
                        window,
                        step,
                        page_views: &meanings.page_views,
                        conversions: &meanings.conversions,
                        errors: &meanings.errors,
                    };
                    // With little room it goes back less far, and the rest is the SQL's.
                    let most = if case % 2 == 0 { MOST } else { 50 };
                    let mine = windows.within(&store, &asked, at(NOW), most).unwrap();
                    let sql = store.recent(&asked).unwrap();
                    assert_eq!(
                        mine, sql,
                        "case {case}, round {round}, {window} s to {as_of}"
                    );
                }
            }
            let held = windows.held.read().unwrap();
            let state = held.as_ref().unwrap();
            assert_eq!(
                state.events,
                state.seconds.values().map(Vec::len).sum::<usize>()
            );
            assert!(case % 2 == 0 || state.events <= 50);
        }
    }

    #[test]
    #[ignore = "fills 64 MiB"]
    fn a_million_users_in_an_hour_fit() {
        let mut state = State {
            floor: 0,
            most: MOST,
            kinds: vec![PAGE_VIEW],
            ..State::default()
        };
        let mut dice = Dice(1);
        // Two hours, in each a million users with two events.
        for i in 0..4_000_000_u64 {
            let user = (i % 1_000_000) as u32;
            let ts = dice.below(7_200 * SECOND as u64).cast_signed() + SECOND;
            let word = u64::from(user) << 32 | PAGE_VIEW | ts.rem_euclid(SECOND).unsigned_abs();
            state
                .seconds
                .entry(ts.div_euclid(SECOND))
                .or_default()
                .push(word);
            state.events += 1;
        }
        for events in state.seconds.values_mut() {
            events.shrink_to_fit();
        }
        let held: usize = state
            .seconds
            .values()
            .map(|events| 64 + events.capacity() * 8)
            .sum();
        assert!(held <= 64 << 20, "{held} bytes");
        let asked = Recent {
            as_of: at(7_201 * SECOND),
            window: 3_600,
            step: 300,
            page_views: &[],
            conversions: &[],
            errors: &[],
        };
        let live = state.count(&asked, SECOND, 300 * SECOND, 12).unwrap();
        assert!(live.now.users > 860_000, "{}", live.now.users);
    }
}
