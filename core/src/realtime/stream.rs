//! The events of the last two days in memory, second by second and a word each, from which the real-time figures are counted without a
//! look at the file. What is counted is what the SQL counts, at every instant and whatever the order of arrival (I2).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arrow::array::Array as _;

use super::count;
use crate::error::{Error, Result};
use crate::query::Instant;
use crate::warehouse::{Arrived, DailyRate, Happened, Head, Live, Recent, Snapshot, Warehouse};

/// A day of windows, and the windows before them.
const SPAN: i64 = 2 * 86_400 * SECOND;
pub(super) const SECOND: i64 = 1_000_000;

/// How far back it goes where there are too many events for two days, in seconds.
const SPANS: [i64; 8] = [172_800, 86_400, 28_800, 10_800, 7_200, 3_600, 1_800, 600];

/// So many bytes are held, of which an event takes 8; beyond them the oldest second goes. With what a question takes beside it and what
/// may wait, it stays within 64 MiB.
const MOST: usize = 46 << 20;

/// What a second takes beside its events or amounts: its place in the tree, and what an allocation costs.
const PLACE: usize = 64;

/// A question has so many parts at most, in both windows.
const PARTS: u32 = 32;

/// Nobody.
pub(super) const NO_USER: u32 = u32::MAX;

/// An event has the 32 bits of its user, 12 of its name, and 20 of the microsecond within its second.
pub(super) const NAME: u32 = 20;
pub(super) const NAMES: usize = 1 << 12;
pub(super) const OFFSET: u64 = (1 << NAME) - 1;

/// So many bytes of events may wait to be taken in; whoever asks after more reads them from the file.
const PENDING: usize = 5 << 20;

/// The last two days of a store.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    held: RwLock<Option<State>>,
    /// Whether anybody has asked: whoever asks once is answered by SQL, which is less work than to hold two days for them.
    asked: AtomicBool,
    /// Whether events are held, so that those that arrive are wanted.
    wanted: AtomicBool,
    /// What arrived since.
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    arrived: VecDeque<Arc<Arrived>>,
    bytes: usize,
}

/// An amount within its second, in 24 bytes: the number that it is would be aligned to 32.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    at: u32,
    /// The place of its currency, counted from 1; 0 where it has none.
    currency: u16,
    amount: [u8; 16],
}

#[derive(Debug, Default)]
pub(super) struct State {
    head: Head,
    /// Everything that happened later is held.
    floor: i64,
    /// Of each event the user, its name, and the microsecond within its second.
    pub(super) seconds: BTreeMap<i64, Vec<u64>>,
    /// Amounts by the second in which they were paid.
    pub(super) amounts: BTreeMap<i64, Vec<Paid>>,
    /// What both take, places for more included.
    bytes: usize,
    pub(super) currencies: Vec<String>,
    pub(super) rates: Vec<DailyRate>,
    /// The names by their keys.
    pub(super) names: Vec<String>,
    /// The highest user key of all that were held.
    pub(super) highest: u32,
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

    /// Hears of events that were stored.
    pub(crate) fn hear(&self, arrived: Arc<Arrived>) {
        if !self.wanted.load(Ordering::Relaxed) {
            return;
        }
        let mut pending = self.pending();
        pending.bytes += arrived.bytes();
        pending.arrived.push_back(arrived);
        if pending.bytes > PENDING {
            // From here on there is a gap, which whoever asks next reads from the file.
            *pending = Pending::default();
        }
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
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
            *held = Some(self.caught_up(state, warehouse, version, now)?);
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
        let version = warehouse.head()?.version;
        {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(state) = held.as_ref().filter(|state| state.head.version >= version)
                && state.floor <= from
            {
                return count::live(state, asked, (from, step, parts));
            }
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let state = match held.take() {
            Some(state) if state.head.version >= version => state,
            Some(state) => self.caught_up(state, warehouse, version, now)?,
            None => {
                self.wanted.store(true, Ordering::Relaxed);
                State::build(warehouse, now, most)?
            }
        };
        let floor = held.insert(state).floor;
        drop(held);
        if floor > from {
            return warehouse.recent(asked);
        }
        // Others may count at the same time, and what came meanwhile does no harm.
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        match held.as_ref().filter(|state| state.floor <= from) {
            Some(state) => count::live(state, asked, (from, step, parts)),
            None => warehouse.recent(asked),
        }
    }

    /// With what was stored up to a version at least: of what was heard where that leaves no gap, else from the file.
    fn caught_up(
        &self,
        mut state: State,
        warehouse: &dyn Warehouse,
        version: u64,
        now: Instant,
    ) -> Result<State> {
        let heard = std::mem::take(&mut *self.pending());
        for arrived in heard.arrived {
            state.arrive(&arrived)?;
        }
        state.let_go(now.micros() - SPAN);
        if state.head.version >= version {
            return Ok(state);
        }
        state.caught_up(warehouse, now)
    }
}

impl State {
    fn build(warehouse: &dyn Warehouse, now: Instant, most: usize) -> Result<Self> {
        let snapshot = warehouse.snapshot()?;
        let mut state = Self {
            head: snapshot.head(),
            rates: warehouse.rates()?,
            most,
            ..Self::default()
        };
        for span in SPANS {
            state.floor = now.micros() - span * SECOND;
            let since = Instant::saturating_from_micros(state.floor);
            // A quarter more, as places are made for more than come.
            if snapshot.count_since(since)? <= most as u64 / 10 {
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
            return Self::build(warehouse, now, self.most);
        }
        let after = self.head.version;
        self.take(&*snapshot, after)?;
        self.head = head;
        Ok(self)
    }

    /// Takes in a change, where it is the next.
    fn arrive(&mut self, arrived: &Arrived) -> Result<()> {
        let (own, head) = (&self.head, &arrived.head);
        if head.version != own.version + 1
            || head.epoch != own.epoch
            || head.records_hash != own.records_hash
        {
            return Ok(());
        }
        self.names.extend(arrived.names.iter().cloned());
        let last = self.seconds.keys().next_back().copied();
        for rows in &arrived.rows {
            let rows = Happened::of(rows.columns());
            let rows = rows.ok_or_else(|| Error::internal("events came in another shape"))?;
            for row in 0..rows.ts.len() {
                self.add(&rows, row)?;
            }
        }
        self.fit_from(last.map_or(i64::MIN, |last| last - 1));
        self.keep_within();
        self.head = *head;
        Ok(())
    }

    /// Takes the events of a snapshot that were added after a version.
    fn take(&mut self, snapshot: &dyn Snapshot, after: u64) -> Result<()> {
        self.names = snapshot.names()?;
        let since = Instant::saturating_from_micros(self.floor);
        snapshot.happened(after, since, &mut |rows| {
            for row in 0..rows.ts.len() {
                self.add(&rows, row)?;
            }
            self.keep_within();
            Ok(())
        })?;
        self.fit_from(i64::MIN);
        Ok(())
    }

    /// Takes away the empty places of seconds that are over, which hardly grow any more.
    fn fit_from(&mut self, first: i64) {
        let last = self.seconds.keys().next_back();
        let Some(over) = last.map(|last| last - 1).filter(|over| *over > first) else {
            return;
        };
        for (_, events) in self.seconds.range_mut(first..over) {
            self.bytes -= fit(events);
        }
        for (_, paid) in self.amounts.range_mut(first..over) {
            self.bytes -= fit(paid);
        }
    }

    fn add(&mut self, rows: &Happened<'_>, row: usize) -> Result<()> {
        let (Some(ts), Some(name)) = (rows.ts.get(row), rows.name.get(row)) else {
            return Err(Error::internal("events came in another shape"));
        };
        let (ts, name) = (*ts, *name);
        if ts <= self.floor {
            return Ok(());
        }
        if usize::from(name) >= NAMES {
            // So many names have no place in a word: from here on the SQL counts.
            self.let_go(i64::MAX - 1);
            return Ok(());
        }
        let second = ts.div_euclid(SECOND);
        let at = ts.rem_euclid(SECOND).unsigned_abs();
        let user = if rows.user.is_valid(row) {
            rows.user.value(row)
        } else {
            NO_USER
        };
        if user != NO_USER {
            self.highest = self.highest.max(user);
        }
        let word = u64::from(user) << 32 | u64::from(name) << NAME | at;
        self.bytes += put(&mut self.seconds, second, word);
        if rows.amount.is_valid(row) {
            let code = rows
                .currency
                .is_valid(row)
                .then(|| rows.currency.value(row));
            let paid = Paid {
                at: at as u32,
                currency: code.map_or(0, |code| self.currency(code)),
                amount: rows.amount.value(row).to_le_bytes(),
            };
            self.bytes += put(&mut self.amounts, second, paid);
        }
        Ok(())
    }

    /// The place of a currency, counted from 1; there are fewer than 65,535 codes of three letters.
    fn currency(&mut self, code: &str) -> u16 {
        let known = self.currencies.iter().position(|known| known == code);
        let place = known.unwrap_or_else(|| {
            self.currencies.push(code.to_owned());
            self.currencies.len() - 1
        });
        place as u16 + 1
    }

    /// How many events are held from an instant on, at most.
    pub(super) fn events_since(&self, from: i64) -> usize {
        let seconds = self.seconds.range(from.div_euclid(SECOND)..);
        seconds.map(|(_, events)| events.len()).sum()
    }

    /// Lets the oldest seconds go while all takes too much.
    fn keep_within(&mut self) {
        while self.bytes > self.most {
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
        // The first second of which anything stays.
        let stays = (until + 1).div_euclid(SECOND);
        while let Some(first) = self.seconds.first_entry().filter(|s| *s.key() < stays) {
            self.bytes -= room(&first.remove());
        }
        while let Some(first) = self.amounts.first_entry().filter(|s| *s.key() < stays) {
            self.bytes -= room(&first.remove());
        }
        self.floor = until;
    }
}

impl Paid {
    /// The microsecond within its second.
    pub(super) fn at(&self) -> i64 {
        i64::from(self.at)
    }

    /// In 10^-4 of the currency's unit.
    pub(super) fn amount(&self) -> i128 {
        i128::from_le_bytes(self.amount)
    }

    /// Its currency, of all that there are.
    pub(super) fn currency<'a>(&self, all: &'a [String]) -> Option<&'a str> {
        let place = usize::from(self.currency).checked_sub(1)?;
        all.get(place).map(String::as_str)
    }
}

/// Puts one more into a second, and says how many bytes that took. Doubling would leave half of the longest seconds empty.
fn put<T>(seconds: &mut BTreeMap<i64, Vec<T>>, second: i64, one: T) -> usize {
    let (place, all) = match seconds.entry(second) {
        Entry::Vacant(new) => (PLACE, new.insert(Vec::new())),
        Entry::Occupied(known) => (0, known.into_mut()),
    };
    let before = all.capacity();
    if all.len() == before {
        all.reserve_exact((all.len() / 4).max(4));
    }
    all.push(one);
    place + (all.capacity() - before) * size_of::<T>()
}

/// Takes away places that are empty, and says how many bytes they were.
fn fit<T>(all: &mut Vec<T>) -> usize {
    let before = all.capacity();
    all.shrink_to_fit();
    (before - all.capacity()) * size_of::<T>()
}

/// What a second takes.
fn room<T>(all: &Vec<T>) -> usize {
    PLACE + all.capacity() * size_of::<T>()
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
        for case in 0..16 {
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
                    let counted = [
                        vec!["search".to_owned()],
                        vec!["page_view".to_owned(), "payment".to_owned()],
                        vec!["never".to_owned()],
                    ];
                    let asked = Recent {
                        counted: counted.get(..dice.below(4) as usize).unwrap(),
                        as_of,
                        window,
                        step,
                        page_views: &meanings.page_views,
                        conversions: &meanings.conversions,
                        errors: &meanings.errors,
                    };
                    // With little room it goes back less far, and the rest is the SQL's.
                    let most = if case % 2 == 0 { MOST } else { 4_000 };
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
                state.bytes,
                state.seconds.values().map(room).sum::<usize>()
                    + state.amounts.values().map(room).sum::<usize>()
            );
            assert!(case % 2 == 0 || state.bytes <= 4_000);
        }
    }
}
