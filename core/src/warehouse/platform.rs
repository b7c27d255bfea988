//! Figures of the platform's tables over time and by groups, in a warehouse that speaks DuckDB's SQL.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type};

use super::{Parameter, Warehouse};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

/// Which rows are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Events of users.
    Events,
    /// Trips on offer; one without a time is there at all times.
    Trips,
    /// Bookings.
    Bookings,
    /// Reviews; their values are ratings.
    Reviews,
    /// Payments and refunds.
    Payments,
    /// Measurements; their values are what was measured.
    Performance,
}

/// What to compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures<'a> {
    /// Of which rows.
    pub subject: Subject,
    /// Where the buckets begin, ascending, and where the last ends.
    pub edges: &'a [Instant],
    /// By this column: `name`, `status`, `currency`, `destination`, `rating`; or by a property where it is none of these; empty for
    /// no groups.
    pub group: &'a str,
    /// Only rows of this status; empty for all.
    pub status: &'a str,
    /// Only rows of this name; empty for all.
    pub name: &'a str,
    /// Only rows whose properties have these values, which are given as JSON and compared as what they are: the number 10 is 10.0 and
    /// not the text "10"; `destination` is a column where the rows have one.
    pub only: &'a [(String, String)],
}

/// The figures of one bucket and group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// The bucket's number; nothing for rows without a time.
    pub bucket: Option<usize>,
    /// The group; nothing for rows without one.
    pub group: Option<String>,
    /// How many rows.
    pub count: u64,
    /// How many of them have a value.
    pub values: u64,
    /// The sum of the values in millionths, to which each is rounded.
    pub sum: i128,
    /// Whether the sum is of all values: some are too large to be counted in millionths.
    pub exact: bool,
    /// The mean of the values, to the accuracy of doubles.
    pub mean: Option<f64>,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// The value that half of them do not exceed, between the two nearest.
    pub median: Option<f64>,
    /// The value that 95 of 100 do not exceed, between the two nearest.
    pub p95: Option<f64>,
}

/// The money of one bucket, group, currency and day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The bucket's number; nothing for rows without a time.
    pub bucket: Option<usize>,
    /// The group.
    pub group: Option<String>,
    /// The currency; nothing is the base currency.
    pub currency: Option<String>,
    /// The UTC day, as it is written.
    pub day: String,
    /// The sum in 10^-4 of the currency's unit.
    pub sum: i128,
    /// The latest rate to the base currency on or before the day, in 10^-8.
    pub rate: Option<i128>,
}

// Rows of every table in one shape. $1 are the edges, $2 and $3 the bounds, $4 the column to group by, $5 the path of a property, $6
// the status and $7 the name that rows must have, $8 the paths of properties and $9 the values that they must have, parted by chr(31), $10
// the destination. A row without a time belongs to no bucket.
macro_rules! typed {
    () => {
        "lambda j: case json_type(j)
            when 'VARCHAR' then 's' || json_extract_string(j, '$')
            when 'BOOLEAN' then 'b' || json_extract_string(j, '$')
            else 'n' || try_cast(json_extract_string(j, '$') as double)::varchar
        end"
    };
}

macro_rules! picked {
    ($rows:literal, $then:literal) => {
        concat!(
            "with rows as (",
            $rows,
            "),
edges as (
    select unnest(range(len(starts))) as slot, unnest(starts) as start
    from (select string_split($1, ',')::bigint[] as starts)
),
picked as (
    select
        ts, amount, currency, value,
        case $4
            when '' then null
            when 'name' then name
            when 'status' then status
            when 'currency' then currency
            when 'destination' then destination
            when 'rating' then value::varchar
            else json_extract_string(properties, $5)
        end as grp
    from rows
    where (ts is null or (ts >= $2 and ts < $3))
        and ($6 = '' or status = $6)
        and ($7 = '' or name = $7)
        and (
            $8 = '$'
            or list_transform(json_extract(coalesce(properties, '{}'), string_split($8, chr(31))), ",
            typed!(),
            ")
                = list_transform(string_split($9, chr(31)), ",
            typed!(),
            ")
        )
        and ($10 = '' or destination = $10)
),
slotted as (
    select p.*, e.slot
    from picked p
    asof left join edges e on epoch_us(p.ts) >= e.start
)",
            $then
        )
    };
}

macro_rules! cells {
    ($rows:literal) => {
        picked!(
            $rows,
            "
select
    slot, grp, count(*) as count, count(value) as valued,
    sum(try_cast(value as decimal(28, 6))) as sum,
    min(value) as least, max(value) as most,
    quantile_cont(value, 0.5) as median, quantile_cont(value, 0.95) as p95,
    count(try_cast(value as decimal(28, 6))) as summed, favg(value) as mean
from slotted
group by slot, grp
order by slot, grp
limit 100001"
        )
    };
}

macro_rules! sums {
    ($rows:literal) => {
        picked!(
            $rows,
            ",
paid as (
    select slot, grp, currency, coalesce(ts, $3)::date as day, sum(amount) as amount
    from slotted
    where amount is not null
    group by all
),
daily as (
    select currency, day, arg_max(rate, content_hash) as rate
    from rates
    group by all
)
select p.slot, p.grp, p.currency, p.day, p.amount, d.rate
from paid p
asof left join daily d on p.currency = d.currency and p.day >= d.day
order by p.slot, p.grp, p.currency, p.day
limit 1000001"
        )
    };
}

macro_rules! subject {
    ($subject:expr, $kind:ident) => {
        match $subject {
            Subject::Events => $kind!(
                "select e.ts, e.amount, e.currency, null::double as value, n.name, null::varchar as status,
                    null::varchar as destination, e.properties
                from events e join names n using (name_key)"
            ),
            Subject::Trips => $kind!(
                "select ts, amount, currency, null::double as value, null::varchar as name, null::varchar as status,
                    destination, properties
                from trips"
            ),
            Subject::Bookings => $kind!(
                "select b.ts, b.amount, b.currency, null::double as value, null::varchar as name, b.status,
                    t.destination, b.properties
                from bookings b left join (select trip_id, min(destination) as destination from trips group by trip_id) t
                    using (trip_id)"
            ),
            Subject::Reviews => $kind!(
                "select r.ts, null::decimal(18, 4) as amount, null::varchar as currency, r.rating as value,
                    null::varchar as name, null::varchar as status, t.destination, r.properties
                from reviews r left join (select trip_id, min(destination) as destination from trips group by trip_id) t
                    using (trip_id)"
            ),
            Subject::Payments => $kind!(
                "select p.ts, p.amount, p.currency, null::double as value, null::varchar as name, p.status,
                    t.destination, p.properties
                from payments p
                left join (select booking_id, min(trip_id) as trip_id from bookings group by booking_id) b using (booking_id)
                left join (select trip_id, min(destination) as destination from trips group by trip_id) t using (trip_id)"
            ),
            Subject::Performance => $kind!(
                "select ts, null::decimal(18, 4) as amount, null::varchar as currency, value, name, null::varchar as status,
                    null::varchar as destination, properties
                from performance"
            ),
        }
    };
}

/// The figures of every bucket and group that has rows, in order.
pub(super) fn cells(warehouse: &dyn Warehouse, asked: &Figures<'_>) -> Result<Vec<Cell>> {
    let batches = warehouse.select(subject!(asked.subject, cells), &values(asked))?;
    let read = batches.iter().map(cells_of).collect::<Option<Vec<_>>>();
    few(read.ok_or_else(shape)?, 100_000)
}

/// The money of every bucket, group, currency and day that has any, in order.
pub(super) fn sums(warehouse: &dyn Warehouse, asked: &Figures<'_>) -> Result<Vec<Sum>> {
    let batches = warehouse.select(subject!(asked.subject, sums), &values(asked))?;
    let read = batches.iter().map(sums_of).collect::<Option<Vec<_>>>();
    few(read.ok_or_else(shape)?, 1_000_000)
}

/// All of them, unless there are more than memory should hold; the statements end one row behind that.
fn few<T>(parts: Vec<Vec<T>>, most: usize) -> Result<Vec<T>> {
    if parts.iter().map(Vec::len).sum::<usize>() > most {
        return Err(Error::new(
            ErrorKind::Limit,
            "too_many_groups",
            "there are too many groups; group by something with fewer values",
        ));
    }
    Ok(parts.into_iter().flatten().collect())
}

fn values(asked: &Figures<'_>) -> [Parameter; 10] {
    let (starts, ends) = match asked.edges {
        [starts @ .., last] => (starts, *last),
        [] => (asked.edges, Instant::MIN),
    };
    let begins = starts.first().copied().unwrap_or(Instant::MIN);
    let edges: Vec<String> = starts.iter().map(|at| at.micros().to_string()).collect();
    // A name within quotes, so that dots in it mean nothing. A path must be one even where nothing is looked up by it.
    let path = |of: &str| match of {
        "" => "$".to_owned(),
        name => format!("$.\"{}\"", name.replace('"', "")),
    };
    let pointer = |of: &str| format!("/{}", of.replace('~', "~0").replace('/', "~1"));
    let placed = !matches!(asked.subject, Subject::Events | Subject::Performance);
    let (mut paths, mut wanted, mut destination) = (Vec::new(), Vec::new(), String::new());
    for (property, value) in asked.only {
        let text = serde_json::from_str::<String>(value).ok();
        match text {
            Some(text) if placed && property == "destination" => destination = text,
            _ => {
                paths.push(pointer(property));
                wanted.push(value.as_str());
            }
        }
    }
    if paths.is_empty() {
        paths.push(path(""));
    }
    [
        Parameter::Text(edges.join(",")),
        Parameter::Time(begins),
        Parameter::Time(ends),
        Parameter::Text(asked.group.to_owned()),
        Parameter::Text(path(asked.group)),
        Parameter::Text(asked.status.to_owned()),
        Parameter::Text(asked.name.to_owned()),
        Parameter::Text(paths.join("\u{1f}")),
        Parameter::Text(wanted.join("\u{1f}")),
        Parameter::Text(destination),
    ]
}

fn shape() -> Error {
    Error::internal("figures came in another shape")
}

/// The rows of one batch; nothing where a column is not what the statement says.
fn cells_of(batch: &RecordBatch) -> Option<Vec<Cell>> {
    let column = |at: usize| batch.columns().get(at);
    let whole = |at: usize| column(at)?.as_primitive_opt::<Int64Type>();
    let real = |at: usize| column(at)?.as_primitive_opt::<Float64Type>();
    let slot = whole(0)?;
    let group = column(1)?.as_string_opt::<i32>()?;
    let (count, valued) = (whole(2)?, whole(3)?);
    let sum = column(4)?.as_primitive_opt::<Decimal128Type>()?;
    let (least, most, median, p95) = (real(5)?, real(6)?, real(7)?, real(8)?);
    let (summed, mean) = (whole(9)?, real(10)?);
    let some = |column: &arrow::array::Float64Array, row: usize| {
        column.is_valid(row).then(|| column.value(row))
    };
    let cell = |row: usize| Cell {
        bucket: slot.is_valid(row).then(|| slot.value(row) as usize),
        group: group.is_valid(row).then(|| group.value(row).to_owned()),
        count: count.value(row) as u64,
        values: valued.value(row) as u64,
        sum: if sum.is_valid(row) { sum.value(row) } else { 0 },
        exact: summed.value(row) == valued.value(row),
        mean: some(mean, row),
        min: some(least, row),
        max: some(most, row),
        median: some(median, row),
        p95: some(p95, row),
    };
    Some((0..batch.num_rows()).map(cell).collect())
}

/// The rows of one batch; nothing where a column is not what the statement says.
fn sums_of(batch: &RecordBatch) -> Option<Vec<Sum>> {
    let column = |at: usize| batch.columns().get(at);
    let slot = column(0)?.as_primitive_opt::<Int64Type>()?;
    let group = column(1)?.as_string_opt::<i32>()?;
    let currency = column(2)?.as_string_opt::<i32>()?;
    let day = column(3)?.as_primitive_opt::<Date32Type>()?;
    let amount = column(4)?.as_primitive_opt::<Decimal128Type>()?;
    let rate = column(5)?.as_primitive_opt::<Decimal128Type>()?;
    let sum = |row: usize| {
        let day = i64::from(day.value(row)) * 86_400_000_000;
        let day = Instant::saturating_from_micros(day).to_string();
        Sum {
            bucket: slot.is_valid(row).then(|| slot.value(row) as usize),
            group: group.is_valid(row).then(|| group.value(row).to_owned()),
            currency: currency
                .is_valid(row)
                .then(|| currency.value(row).to_owned()),
            day: day.chars().take(10).collect(),
            sum: amount.value(row),
            rate: rate.is_valid(row).then(|| rate.value(row)),
        }
    };
    Some((0..batch.num_rows()).map(sum).collect())
}
