//! The stored events of a range as a table for exports, a slice of time at a time, in a warehouse that speaks DuckDB's SQL.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};

use super::{Parameter, Warehouse};
use crate::error::{Error, Result};
use crate::query::{Instant, Span};

/// Which events belong to a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All.
    All,
    /// Those of these names, and those with an amount where that is asked for.
    Some {
        /// The names.
        names: Vec<String>,
        /// Whether events with an amount belong to it, whatever their names.
        paid: bool,
    },
}

impl Wanted {
    fn parameters(&self) -> [Parameter; 3] {
        let (all, names, paid) = match self {
            Self::All => (1, String::new(), 0),
            Self::Some { names, paid } => (0, names.join("\u{1f}"), i64::from(*paid)),
        };
        [
            Parameter::Integer(all),
            Parameter::Text(names),
            Parameter::Integer(paid),
        ]
    }
}

/// Where slices of about so many events begin; events of one instant are in one slice.
const SLICES: &str = "
with wanted as (
    select e.ts, row_number() over (order by e.ts) as place
    from events e
    join names n using (name_key)
    where e.ts >= ?
        and e.ts < ?
        and (? = 1 or list_contains(string_split(?, chr(31)), n.name) or (? = 1 and e.amount is not null))
)
select distinct ts
from wanted
where place % 50000 = 1
order by ts
";

const EVENTS: &str = "
select
    coalesce(e.event_id_text, e.event_id::varchar) as event_id,
    u.id as user_id,
    u.anonymous as anonymous,
    n.name as event,
    e.ts as time,
    e.session_id as session_id,
    e.amount::double as amount,
    e.currency as currency,
    e.properties as properties
from events e
join names n using (name_key)
left join users u using (user_key)
where e.ts >= ?
    and e.ts < ?
    and (? = 1 or list_contains(string_split(?, chr(31)), n.name) or (? = 1 and e.amount is not null))
order by e.ts, n.name, u.id, event_id, e.content_hash
";

/// The columns of a dataset of events.
pub(crate) fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, None);
    Arc::new(Schema::new(vec![
        Field::new("event_id", DataType::Utf8, true),
        Field::new("user_id", DataType::Utf8, true),
        Field::new("anonymous", DataType::Boolean, true),
        Field::new("event", DataType::Utf8, true),
        Field::new("time", time, true),
        Field::new("session_id", DataType::Utf8, true),
        Field::new("amount", DataType::Float64, true),
        Field::new("currency", DataType::Utf8, true),
        Field::new("properties", DataType::Utf8, true),
    ]))
}

/// The events of a range in the order of their times, whatever the order in which they came.
pub(crate) fn events(
    warehouse: Arc<dyn Warehouse>,
    span: Span,
    wanted: &Wanted,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
    let wanted = wanted.parameters();
    let ask = |statement, span: Span, warehouse: &dyn Warehouse, wanted: &[Parameter; 3]| {
        let mut values = vec![Parameter::Time(span.from), Parameter::Time(span.to)];
        values.extend(wanted.iter().cloned());
        warehouse.select(statement, &values)
    };
    let mut starts = Vec::new();
    for batch in ask(SLICES, span, &*warehouse, &wanted)? {
        let times = batch
            .columns()
            .first()
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| Error::internal("times came in another shape"))?;
        let instants = times.values().iter();
        starts.extend(instants.map(|t| Instant::saturating_from_micros(*t)));
    }
    let ends = starts.iter().skip(1).copied().chain([span.to]);
    let slices: Vec<Span> = starts
        .iter()
        .zip(ends)
        .map(|(from, to)| Span { from: *from, to })
        .collect();
    Ok(slices.into_iter().flat_map(move |slice| {
        let batches = ask(EVENTS, slice, &*warehouse, &wanted);
        match batches {
            Ok(batches) => batches.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        }
    }))
}
