//! The last minutes, counted by SQL in one statement, so that all figures are of one snapshot.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type};

use super::{Parameter, Warehouse};
use crate::error::{Error, Result};
use crate::query::Instant;

/// A window that ends now, the window before it, and which events mean what.
#[derive(Clone, Copy, Debug)]
pub struct Recent<'a> {
    /// The end of the window, inside it; nothing after it is seen.
    pub as_of: Instant,
    /// The length of the window in seconds; it is `(as_of − window, as_of]`.
    pub window: u32,
    /// The length of its equal parts in seconds, each `(start, end]`.
    pub step: u32,
    /// Events that are page views.
    pub page_views: &'a [String],
    /// Events that are conversions.
    pub conversions: &'a [String],
    /// Events that are errors.
    pub errors: &'a [String],
    /// Events to be counted by themselves: of each list those with one of its names.
    pub counted: &'a [Vec<String>],
}

/// What happened in the window, in its parts, and in the window before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// The window.
    pub now: Tally,
    /// The window before.
    pub before: Tally,
    /// The parts of the window in order.
    pub series: Vec<Tally>,
    /// Amounts of both windows.
    pub amounts: Vec<Amount>,
    /// The events of each list that was asked for.
    pub counted: Vec<Count>,
}

/// The events of some names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// In the window.
    pub now: Counted,
    /// In the window before.
    pub before: Counted,
    /// In the parts of the window, in order.
    pub series: Vec<Counted>,
}

/// So many events, by so many users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// All, those without a user among them (I4).
    pub events: u64,
    /// Distinct users.
    pub users: u64,
}

impl Count {
    /// Nothing, in so many parts.
    pub(crate) fn new(parts: u32) -> Self {
        Self {
            series: vec![Counted::default(); parts as usize],
            ..Self::default()
        }
    }

    /// Counts an event of a part, counted from the beginning of the window before.
    pub(crate) fn event(&mut self, slot: u32, parts: u32) {
        match slot.checked_sub(parts) {
            Some(part) => {
                self.now.events += 1;
                if let Some(counted) = self.series.get_mut(part as usize) {
                    counted.events += 1;
                }
            }
            None => self.before.events += 1,
        }
    }

    /// Counts a user by a bit for each part in which it had an event.
    pub(crate) fn user(&mut self, mask: u64, parts: u32) {
        let later = mask.unbounded_shr(parts);
        self.before.users += u64::from(mask & !(u64::MAX.unbounded_shl(parts)) != 0);
        self.now.users += u64::from(later != 0);
        for (part, counted) in self.series.iter_mut().enumerate() {
            counted.users += later.unbounded_shr(part as u32) & 1;
        }
    }
}

/// Counts of some stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All events.
    pub events: u64,
    /// Those of them without a user (I4).
    pub unattributed: u64,
    /// Distinct users.
    pub users: u64,
    /// Page views.
    pub page_views: u64,
    /// Errors.
    pub errors: u64,
    /// Distinct users with a conversion.
    pub converters: u64,
}

/// The amounts of one part, currency and day, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The part, counted from the beginning of the window before.
    pub slot: u32,
    /// The currency; none is the base currency.
    pub currency: Option<String>,
    /// The first instant of the UTC day.
    pub day: Instant,
    /// The sum in 10^-4 of the currency's unit.
    pub sum: i128,
    /// The latest rate to the base currency on or before the day, in 10^-8.
    pub rate: Option<i128>,
}

/// What a currency was worth on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyRate {
    /// The currency.
    pub currency: String,
    /// The day, counted from 1970-01-01.
    pub day: i32,
    /// One unit of it in the base currency, in 10^-8.
    pub rate: i128,
}

const RATES: &str = "
select currency, day, arg_max(rate, content_hash) as rate
from rates
group by all
order by currency, day
";

/// All rates by currency and day, of a warehouse that speaks DuckDB's SQL.
pub(super) fn rates(warehouse: &dyn Warehouse) -> Result<Vec<DailyRate>> {
    let mut rates = Vec::new();
    for batch in &warehouse.select(RATES, &[])? {
        let mut read = || {
            let column = |at: usize| batch.columns().get(at);
            let currency = column(0)?.as_string_opt::<i32>()?;
            let day = column(1)?.as_primitive_opt::<Date32Type>()?;
            let rate = column(2)?.as_primitive_opt::<Decimal128Type>()?;
            rates.extend((0..batch.num_rows()).map(|row| DailyRate {
                currency: currency.value(row).to_owned(),
                day: day.value(row),
                rate: rate.value(row),
            }));
            Some(())
        };
        read().ok_or_else(|| Error::internal("rates came in another shape"))?;
    }
    // The order of the engine's texts is that of bytes, as is ours; it is made sure of, for it is searched by.
    rates.sort_by(|a, b| (&a.currency, a.day).cmp(&(&b.currency, b.day)));
    Ok(rates)
}

// The bounds are instants computed by the caller, as every calendar is (T5). `slot` counts parts of (start, end].
const RECENT: &str = "
with kinds as materialized (
    select
        name_key,
        list_contains(string_split(?, ','), name_key::varchar) as page_view,
        list_contains(string_split(?, ','), name_key::varchar) as conversion,
        list_contains(string_split(?, ','), name_key::varchar) as error
    from names
),
seen as materialized (
    select
        (epoch_us(e.ts) - ? - 1) // ? as slot,
        e.user_key,
        e.name_key,
        k.page_view,
        k.conversion,
        k.error,
        e.ts::date as day,
        e.currency,
        e.amount
    from events e
    join kinds k using (name_key)
    where e.ts > ? and e.ts <= ?
),
split as (
    select *, (slot >= ?)::bigint as latest from seen
),
counts as (
    select
        latest,
        slot,
        count(*) as events,
        count(*) - count(user_key) as unattributed,
        count(distinct user_key) as users,
        count(*) filter (where page_view) as page_views,
        count(*) filter (where error) as errors,
        count(distinct user_key) filter (where conversion) as converters
    from split
    group by grouping sets ((latest), (latest, slot))
),
amounts as (
    select slot, currency, day, sum(amount) as amount
    from seen
    where amount is not null
    group by all
),
daily as (
    select currency, day, arg_max(rate, content_hash) as rate
    from rates
    group by all
),
lists as (
    select split_part(pair, ':', 1)::bigint as name_key, split_part(pair, ':', 2)::bigint as list
    from (select unnest(string_split(?, ',')) as pair)
    where pair <> ''
),
counted as (
    select latest, slot, list, count(*) as events, count(distinct user_key) as users
    from split
    join lists using (name_key)
    group by grouping sets ((latest, list), (latest, slot, list))
)
select
    latest, slot, events, unattributed, users, page_views, errors, converters,
    null::varchar as currency, null::date as day, null::decimal(38, 4) as amount, null::decimal(18, 8) as rate,
    null::bigint as list
from counts
union all
select latest, slot, events, null, users, null, null, null, null, null, null, null, list
from counted
union all
select
    null, a.slot, null, null, null, null, null, null,
    a.currency, a.day, a.amount, d.rate, null
from amounts a
asof left join daily d on a.currency = d.currency and a.day >= d.day
";

/// Counts the last minutes of a warehouse that speaks DuckDB's SQL.
pub(super) fn recent(warehouse: &dyn Warehouse, asked: &Recent<'_>) -> Result<Live> {
    let names = warehouse.names()?;
    // Keys are digits, so that a list of them can be bound as one text whatever the names are.
    let keys = |wanted: &[String]| {
        let known = names
            .iter()
            .enumerate()
            .filter(|(_, name)| wanted.contains(name));
        Parameter::Text(
            known
                .map(|(key, _)| key.to_string())
                .collect::<Vec<_>>()
                .join(","),
        )
    };
    let mut lists = Vec::new();
    for (list, wanted) in asked.counted.iter().enumerate() {
        let known = names.iter().enumerate();
        let known = known.filter(|(_, name)| wanted.contains(name));
        lists.extend(known.map(|(key, _)| format!("{key}:{list}")));
    }
    let step = i64::from(asked.step.max(1)) * 1_000_000;
    let parts = asked.window / asked.step.max(1);
    let to = asked.as_of.micros();
    let from = to - 2 * i64::from(parts) * step;
    let batches = warehouse.select(
        RECENT,
        &[
            keys(asked.page_views),
            keys(asked.conversions),
            keys(asked.errors),
            Parameter::Integer(from),
            Parameter::Integer(step),
            Parameter::Time(Instant::saturating_from_micros(from)),
            Parameter::Time(asked.as_of),
            Parameter::Integer(i64::from(parts)),
            Parameter::Text(lists.join(",")),
        ],
    )?;
    let mut live = Live {
        series: vec![Tally::default(); parts as usize],
        counted: vec![Count::new(parts); asked.counted.len()],
        ..Live::default()
    };
    for batch in &batches {
        read(batch, parts, &mut live)
            .ok_or_else(|| Error::internal("the last minutes came in another shape"))?;
    }
    // In a fixed order, so that sums are made in the same order whatever the engine's threads did.
    live.amounts
        .sort_by(|a, b| (a.slot, &a.currency, a.day).cmp(&(b.slot, &b.currency, b.day)));
    Ok(live)
}

/// Takes the rows of one batch in; nothing where a column is not what the statement says.
fn read(batch: &RecordBatch, parts: u32, live: &mut Live) -> Option<()> {
    let column = |at: usize| batch.columns().get(at);
    let number = |at: usize| column(at)?.as_primitive_opt::<Int64Type>();
    let (latest, slot) = (number(0)?, number(1)?);
    let (events, unattributed, users) = (number(2)?, number(3)?, number(4)?);
    let (page_views, errors, converters) = (number(5)?, number(6)?, number(7)?);
    let currency = column(8)?.as_string_opt::<i32>()?;
    let day = column(9)?.as_primitive_opt::<Date32Type>()?;
    let amount = column(10)?.as_primitive_opt::<Decimal128Type>()?;
    let rate = column(11)?.as_primitive_opt::<Decimal128Type>()?;
    let list = number(12)?;
    for row in 0..batch.num_rows() {
        let place = slot.is_valid(row).then(|| slot.value(row) as u32);
        if latest.is_null(row) {
            live.amounts.push(Amount {
                slot: place?,
                currency: currency
                    .is_valid(row)
                    .then(|| currency.value(row).to_owned()),
                day: Instant::saturating_from_micros(i64::from(day.value(row)) * 86_400_000_000),
                sum: amount.value(row),
                rate: rate.is_valid(row).then(|| rate.value(row)),
            });
            continue;
        }
        if list.is_valid(row) {
            let counted = Counted {
                events: events.value(row) as u64,
                users: users.value(row) as u64,
            };
            let count = live.counted.get_mut(list.value(row) as usize)?;
            match (latest.value(row), place) {
                (1, None) => count.now = counted,
                (_, None) => count.before = counted,
                (1, Some(place)) => {
                    let part = place.checked_sub(parts)? as usize;
                    *count.series.get_mut(part)? = counted;
                }
                (_, Some(_)) => {}
            }
            continue;
        }
        let tally = Tally {
            events: events.value(row) as u64,
            unattributed: unattributed.value(row) as u64,
            users: users.value(row) as u64,
            page_views: page_views.value(row) as u64,
            errors: errors.value(row) as u64,
            converters: converters.value(row) as u64,
        };
        match (latest.value(row), place) {
            (1, None) => live.now = tally,
            (_, None) => live.before = tally,
            (1, Some(place)) => *live.series.get_mut(place.checked_sub(parts)? as usize)? = tally,
            (_, Some(_)) => {}
        }
    }
    Some(())
}
