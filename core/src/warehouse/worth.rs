//! What events are worth in the base currency, in a warehouse that speaks DuckDB's SQL.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, UInt32Type};

use super::{Parameter, Warehouse, Worth, Worths};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

const WORTHS: &str = "
with daily as (
    select currency, day, arg_max(rate, content_hash) as rate
    from rates
    group by all
),
paid as (
    select row_key, amount, nullif(currency, ?) as currency, ts::date as day
    from events
    where amount is not null
)
select
    p.row_key,
    p.amount,
    p.currency,
    p.day,
    case when p.currency is null then 1::decimal(18, 8) else d.rate end as rate
from paid p
asof left join daily d on p.currency = d.currency and p.day >= d.day
";

pub(super) fn read(warehouse: &dyn Warehouse, base: &str) -> Result<Worths> {
    let mut worths = Worths::default();
    for batch in &warehouse.select(WORTHS, &[Parameter::Text(base.to_owned())])? {
        take(batch, &mut worths)
            .ok_or_else(|| Error::internal("amounts came in another shape"))??;
    }
    worths.rows.sort_unstable_by_key(|row| row.0);
    Ok(worths)
}

/// Takes the rows of one batch in; nothing where a column is not what the statement says.
fn take(batch: &RecordBatch, worths: &mut Worths) -> Option<Result<()>> {
    let column = |at: usize| batch.columns().get(at);
    let row = column(0)?.as_primitive_opt::<UInt32Type>()?;
    let amount = column(1)?.as_primitive_opt::<Decimal128Type>()?;
    let currency = column(2)?.as_string_opt::<i32>()?;
    let day = column(3)?.as_primitive_opt::<Date32Type>()?;
    let rate = column(4)?.as_primitive_opt::<Decimal128Type>()?;
    for i in 0..batch.num_rows() {
        let worth = if rate.is_valid(i) {
            let Some(worth) = amount.value(i).checked_mul(rate.value(i)) else {
                return Some(Err(Error::new(
                    ErrorKind::Limit,
                    "amount_too_large",
                    "an amount has more than 26 digits before the point",
                )));
            };
            Worth::Base(worth)
        } else {
            let at = Instant::saturating_from_micros(i64::from(day.value(i)) * 86_400_000_000);
            let day = at.to_string().chars().take(10).collect();
            let want = (currency.value(i).to_owned(), day);
            let place = worths.missing.iter().position(|m| *m == want);
            Worth::Missing(place.unwrap_or_else(|| {
                worths.missing.push(want);
                worths.missing.len() - 1
            }) as u32)
        };
        worths.rows.push((row.value(i), worth));
    }
    Some(Ok(()))
}
