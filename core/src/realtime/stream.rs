//! The events of the last two days in memory, second by second and a word each, from which the real-time figures are counted without a
//! look at the file. What is counted is what the SQL counts, at every instant and whatever the order of arrival (I2).

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

/// So many events are held, of 8 bytes each; beyond them the oldest second goes.
const MOST: usize = 5_000_000;

/// A question has so many parts at most, in both windows.
const PARTS: u32 = 32;

/// Nobody.
pub(super) const NO_USER: u32 = u32::MAX;

/// An event has the 32 bits of its user, 12 of its name, and 20 of the microsecond within its second.
pub(super) const NAME: u32 = 20;
pub(super) const NAMES: usize = 1 << 12;
pub(super) const OFFSET: u64 = (1 << NAME) - 1;

/// So many events may wait to be taken in; whoever asks after more reads them from the file.
const PENDING: usize = 200_000;

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
    events: usize,
}

#[derive(Debug, Default)]
pub(super) struct State {
    head: Head,
    /// Everything that happened later is held.
    floor: i64,
    /// Of each event the user, its name, and the microsecond within its second.
    pub(super) seconds: BTreeMap<i64, Vec<u64>>,
    events: usize,
    /// Amounts by when they were paid.
    pub(super) amounts: BTreeMap<i64, Vec<(Option<u16>, i128)>>,
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
        pending.events += arrived.events();
        pending.arrived.push_back(arrived);
        if pending.events > PENDING {
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
        for rows in &arrived.rows {
            let rows = Happened::of(rows.columns());
            let rows = rows.ok_or_else(|| Error::internal("events came in another shape"))?;
            for row in 0..rows.ts.len() {
                self.add(&rows, row);
            }
        }
        self.keep_within();
        self.head = *head;
        Ok(())
    }

    /// Takes the events of a snapshot that were added after a version.
    fn take(&mut self, snapshot: &dyn Snapshot, after: u64) -> Result<()> {
        self.names = snapshot.names()?;
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
        let name = *rows.name.get(row)?;
        if usize::from(name) >= NAMES {
            // So many names have no place in a word: from here on the SQL counts.
            self.let_go(i64::MAX - 1);
            return None;
        }
        let second = ts.div_euclid(SECOND);
        let user = if rows.user.is_valid(row) {
            rows.user.value(row)
        } else {
            NO_USER
        };
        if user != NO_USER {
            self.highest = self.highest.max(user);
        }
        let word =
            u64::from(user) << 32 | u64::from(name) << NAME | ts.rem_euclid(SECOND).unsigned_abs();
        let events = self.seconds.entry(second).or_default();
        if events.len() == events.capacity() && events.len() >= 64 {
            // Doubling would leave half of the longest seconds empty.
            events.reserve_exact(events.len() / 4);
        }
        events.push(word);
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

    /// How many events are held from an instant on, at most.
    pub(super) fn events(&self) -> usize {
        self.events
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
            names: vec!["page_view".to_owned()],
            ..State::default()
        };
        let mut dice = Dice(1);
        // Two hours, in each a million users with two events.
        for i in 0..4_000_000_u64 {
            let user = (i % 1_000_000) as u32;
            let ts = dice.below(7_200 * SECOND as u64).cast_signed() + SECOND;
            state.highest = state.highest.max(user);
            let word = u64::from(user) << 32 | ts.rem_euclid(SECOND).unsigned_abs();
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
            counted: &[],
        };
        let live = count::live(&state, &asked, (SECOND, 300 * SECOND, 12)).unwrap();
        assert!(live.now.users > 860_000, "{}", live.now.users);
    }
}
