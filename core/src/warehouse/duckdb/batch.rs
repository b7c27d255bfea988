//! Events and records as Arrow batches in the types of their tables.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{Field, Schema};

use crate::error::{Error, Result};
use crate::events::batch::field;
use crate::events::model::{Column, Kind};
use crate::events::{Datum, EventBatch, Held, Record};

/// The keys given to a batch of events, row by row.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) user: Vec<Option<u32>>,
    pub(super) anonymous: Vec<Option<u32>>,
    pub(super) name: Vec<u16>,
    pub(super) row: Vec<Option<u32>>,
}

/// Rows for `events`, with their lines at the end.
pub(super) fn events(events: &EventBatch, keys: Keys, version: u64) -> Result<RecordBatch> {
    let rest = |name: &str| {
        let found = events.rest.iter().find(|column| column.0 == name);
        found.map(|column| Arc::clone(&column.1))
    };
    let rows = events.len();
    let mut columns: Vec<(&str, ArrayRef)> = Vec::with_capacity(EVENTS.len() + 1);
    for name in EVENTS {
        let array: ArrayRef = match name {
            "event_id" => Arc::new(events.id.clone()),
            "user_key" => Arc::new(keys.user.iter().copied().collect::<UInt32Array>()),
            "anonymous_key" => Arc::new(keys.anonymous.iter().copied().collect::<UInt32Array>()),
            "name_key" => Arc::new(keys.name.iter().copied().map(Some).collect::<UInt16Array>()),
            "ts" => Arc::new(events.ts.clone()),
            "version" => Arc::new(UInt64Array::from_value(version, rows)),
            "row_key" => Arc::new(keys.row.iter().copied().collect::<UInt32Array>()),
            name => rest(name).ok_or_else(super::unexpected)?,
        };
        columns.push((name, array));
    }
    columns.push((
        "line",
        Arc::new(UInt64Array::from_iter_values(events.lines.iter().copied())),
    ));
    batch(columns)
}

/// The columns of `events`, in order.
pub(super) const EVENTS: [&str; 17] = [
    "event_id",
    "event_id_text",
    "user_key",
    "anonymous_key",
    "session_id",
    "name_key",
    "ts",
    "client_ts",
    "sent_at",
    "received_at",
    "client_seq",
    "content_hash",
    "properties",
    "amount",
    "currency",
    "version",
    "row_key",
];

/// The places among [`EVENTS`] of the user key, the time, the name key, the amount and the currency.
pub(super) const TOLD: [usize; 5] = [2, 6, 5, 13, 14];

/// Rows for a platform table, with their lines; `users` are the keys of the ids, column by column and row by row.
pub(super) fn records(
    columns: &[Column],
    rows: &[(u64, Record)],
    users: &[Vec<Option<u32>>],
) -> Result<RecordBatch> {
    let mut users = users.iter();
    let mut arrays: Vec<(&str, ArrayRef)> = Vec::with_capacity(columns.len() + 2);
    for (place, column) in columns.iter().enumerate() {
        let values = || {
            rows.iter()
                .map(|(_, record)| record.values.get(place).unwrap_or(&Datum::Null))
        };
        let decimal = |datum: &Datum| {
            if let Datum::Decimal(number) = datum {
                Some(*number)
            } else {
                None
            }
        };
        let array: ArrayRef = match column.kind {
            Kind::User | Kind::Anonymous | Kind::Known => {
                let keys = users.next().ok_or_else(super::unexpected)?;
                Arc::new(keys.iter().copied().collect::<UInt32Array>())
            }
            Kind::Time => times(values().map(|v| {
                if let Datum::Time(at) = v {
                    Some(*at)
                } else {
                    None
                }
            })),
            Kind::Date => Arc::new(
                values()
                    .map(|v| {
                        if let Datum::Date(day) = v {
                            Some(*day)
                        } else {
                            None
                        }
                    })
                    .collect::<Date32Array>(),
            ),
            Kind::Text | Kind::Currency | Kind::Properties => text(values().map(|v| {
                if let Datum::Text(text) = v {
                    Some(text.as_str())
                } else {
                    None
                }
            })),
            Kind::Money => decimals(values().map(decimal), 4)?,
            Kind::Rate => decimals(values().map(decimal), 8)?,
            Kind::Number => Arc::new(
                values()
                    .map(|v| {
                        if let Datum::Number(number) = v {
                            Some(*number)
                        } else {
                            None
                        }
                    })
                    .collect::<Float64Array>(),
            ),
        };
        arrays.push((column.name, array));
    }
    arrays.push((
        "content_hash",
        Arc::new(UInt64Array::from_iter_values(
            rows.iter().map(|r| r.1.content_hash),
        )),
    ));
    arrays.push((
        "line",
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|r| r.0))),
    ));
    batch(arrays)
}

/// Rows for `quarantine`.
pub(super) fn held(rows: &[Held]) -> Result<RecordBatch> {
    batch(vec![
        ("event", text(rows.iter().map(|h| Some(h.event.as_str())))),
        ("code", text(rows.iter().map(|h| Some(h.code)))),
        (
            "message",
            text(rows.iter().map(|h| Some(h.message.as_str()))),
        ),
        (
            "received_at",
            times(rows.iter().map(|h| Some(h.received_at))),
        ),
        (
            "content_hash",
            Arc::new(UInt64Array::from_iter_values(
                rows.iter().map(|h| h.content_hash),
            )),
        ),
    ])
}

/// Rows for `users`, from their first key on.
pub(super) fn users<'a>(
    first: usize,
    rows: impl Iterator<Item = (&'a str, bool)> + Clone,
) -> Result<RecordBatch> {
    batch(vec![
        (
            "user_key",
            Arc::new(
                (first..)
                    .zip(rows.clone())
                    .map(|(key, _)| u32::try_from(key).ok())
                    .collect::<UInt32Array>(),
            ),
        ),
        ("id", text(rows.clone().map(|row| Some(row.0)))),
        (
            "anonymous",
            Arc::new(
                rows.map(|row| Some(row.1))
                    .collect::<arrow::array::BooleanArray>(),
            ),
        ),
    ])
}

/// Rows for `names`, from their first key on.
pub(super) fn names(first: usize, rows: &[String]) -> Result<RecordBatch> {
    batch(vec![
        (
            "name_key",
            Arc::new(
                (first..)
                    .zip(rows)
                    .map(|(key, _)| u16::try_from(key).ok())
                    .collect::<UInt16Array>(),
            ),
        ),
        ("name", text(rows.iter().map(|name| Some(name.as_str())))),
    ])
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>())
}

fn decimals(values: impl Iterator<Item = Option<i128>>, scale: i8) -> Result<ArrayRef> {
    let array = values
        .collect::<Decimal128Array>()
        .with_precision_and_scale(18, scale)
        .map_err(Error::internal)?;
    Ok(Arc::new(array))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| field(name, array.data_type()))
        .collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.into_iter().map(|c| c.1).collect(),
    )
    .map_err(Error::internal)
}
