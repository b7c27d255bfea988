//! Counts of many equal buckets, by SQL in one statement, so that all are of one snapshot.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type};

use super::{Amount, Parameter, Tally, Warehouse};
use crate::error::{Error, Result};
use crate::query::Instant;

/// Equal buckets in a row, and which events mean what.
#[derive(Clone, Copy, Debug)]
pub struct Buckets<'a> {
    /// The start of the first; each is `[start, start + step)`.
    pub from: Instant,
    /// The length of each in microseconds.
    pub step: i64,
    /// How many.
    pub count: usize,
    /// Nothing after this instant is seen.
    pub as_of: Instant,
    /// Events that are page views.
    pub page_views: &'a [String],
    /// Events that are conversions.
    pub conversions: &'a [String],
    /// Events that are errors.
    pub errors: &'a [String],
}

/// What happened in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bucketed {
    /// The counts of each.
    pub tallies: Vec<Tally>,
    /// The amounts of each, by currency and day, and the sum of their squares in 10^-8 of the currency's unit squared.
    pub amounts: Vec<(Amount, f64)>,
}

// The bounds are instants computed by the caller, as every calendar is (T5).
const COUNTS: &str = "
with kinds as materialized (
    select
        name_key,
        list_contains(string_split(?, ','), name_key::varchar) as page_view,
        list_contains(string_split(?, ','), name_key::varchar) as conversion,
        list_contains(string_split(?, ','), name_key::varchar) as error
    from names
),
seen as (
    select (epoch_us(e.ts) - ?) // ? as slot, e.user_key, k.page_view, k.conversion, k.error
    from events e
    join kinds k using (name_key)
    where e.ts >= ? and e.ts < ? and e.ts <= ?
)
select
    slot,
    count(*) as events,
    count(*) - count(user_key) as unattributed,
    count(distinct user_key) as users,
    count(*) filter (where page_view) as page_views,
    count(*) filter (where error) as errors,
    count(distinct user_key) filter (where conversion) as converters
from seen
group by slot
";

const AMOUNTS: &str = "
with daily as (
    select currency, day, arg_max(rate, content_hash) as rate
    from rates
    group by all
),
amounts as (
    -- Whole numbers add up to the same in any order; one amount counts for at most 10^10, so that they stay within 128 bits.
    select
        (epoch_us(ts) - ?) // ? as slot,
        currency,
        ts::date as day,
        sum(amount) as amount,
        sum(digits * digits)::double as squares
    from (select ts, currency, amount, (least(abs(amount), 10000000000) * 10000)::hugeint as digits from events)
    where ts >= ? and ts < ? and ts <= ? and amount is not null
    group by all
)
select a.slot, a.currency, a.day, a.amount, d.rate, a.squares
from amounts a
asof left join daily d on a.currency = d.currency and a.day >= d.day
";

const NEWEST: &str = "
select epoch_us(max(ts)) from events where ts <= ?
";

/// The counts, and the amounts where `money` is asked for.
pub(super) fn bucketed(
    warehouse: &dyn Warehouse,
    asked: &Buckets<'_>,
    money: bool,
) -> Result<Bucketed> {
    let names = warehouse.names()?;
    let keys = |wanted: &[String]| {
        let known = names
            .iter()
            .enumerate()
            .filter(|(_, name)| wanted.contains(name));
        let keys: Vec<String> = known.map(|(key, _)| key.to_string()).collect();
        Parameter::Text(keys.join(","))
    };
    let step = asked.step.max(1);
    let length = step.saturating_mul(i64::try_from(asked.count).unwrap_or(i64::MAX));
    let to = Instant::saturating_from_micros(asked.from.micros().saturating_add(length));
    let bounds = [
        Parameter::Integer(asked.from.micros()),
        Parameter::Integer(step),
        Parameter::Time(asked.from),
        Parameter::Time(to),
        Parameter::Time(asked.as_of),
    ];
    let kinds = [
        keys(asked.page_views),
        keys(asked.conversions),
        keys(asked.errors),
    ];
    let mut read = Bucketed {
        tallies: vec![Tally::default(); asked.count],
        amounts: Vec::new(),
    };
    let strange = || Error::internal("counts of buckets came in another shape");
    let counted = [&kinds[..], &bounds[..]].concat();
    for batch in &warehouse.select(COUNTS, &counted)? {
        tallies(batch, &mut read.tallies).ok_or_else(strange)?;
    }
    if money {
        for batch in &warehouse.select(AMOUNTS, &bounds)? {
            amounts(batch, &mut read.amounts).ok_or_else(strange)?;
        }
        read.amounts.sort_by(|(a, _), (b, _)| {
            (a.slot, &a.currency, a.day).cmp(&(b.slot, &b.currency, b.day))
        });
    }
    Ok(read)
}

/// The time of the newest event up to an instant.
pub(super) fn newest(warehouse: &dyn Warehouse, as_of: Instant) -> Result<Option<Instant>> {
    let batches = warehouse.select(NEWEST, &[Parameter::Time(as_of)])?;
    let newest = batches.first().and_then(|batch| {
        let column = batch.columns().first()?.as_primitive_opt::<Int64Type>()?;
        (!column.is_empty() && column.is_valid(0)).then(|| column.value(0))
    });
    Ok(newest.map(Instant::saturating_from_micros))
}

fn tallies(batch: &RecordBatch, into: &mut [Tally]) -> Option<()> {
    let number = |at: usize| batch.columns().get(at)?.as_primitive_opt::<Int64Type>();
    let slot = number(0)?;
    let (events, unattributed, users) = (number(1)?, number(2)?, number(3)?);
    let (page_views, errors, converters) = (number(4)?, number(5)?, number(6)?);
    for row in 0..batch.num_rows() {
        let place = usize::try_from(slot.value(row)).ok()?;
        *into.get_mut(place)? = Tally {
            events: events.value(row) as u64,
            unattributed: unattributed.value(row) as u64,
            users: users.value(row) as u64,
            page_views: page_views.value(row) as u64,
            errors: errors.value(row) as u64,
            converters: converters.value(row) as u64,
        };
    }
    Some(())
}

fn amounts(batch: &RecordBatch, into: &mut Vec<(Amount, f64)>) -> Option<()> {
    let column = |at: usize| batch.columns().get(at);
    let slot = column(0)?.as_primitive_opt::<Int64Type>()?;
    let currency = column(1)?.as_string_opt::<i32>()?;
    let day = column(2)?.as_primitive_opt::<Date32Type>()?;
    let amount = column(3)?.as_primitive_opt::<Decimal128Type>()?;
    let rate = column(4)?.as_primitive_opt::<Decimal128Type>()?;
    let squares = column(5)?.as_primitive_opt::<Float64Type>()?;
    for row in 0..batch.num_rows() {
        let amount = Amount {
            slot: u32::try_from(slot.value(row)).ok()?,
            currency: currency
                .is_valid(row)
                .then(|| currency.value(row).to_owned()),
            day: Instant::saturating_from_micros(i64::from(day.value(row)) * 86_400_000_000),
            sum: amount.value(row),
            rate: rate.is_valid(row).then(|| rate.value(row)),
        };
        into.push((amount, squares.value(row)));
    }
    Some(())
}
