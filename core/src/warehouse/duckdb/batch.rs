//! Events and records as Arrow batches in the types of their tables.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, FixedSizeBinaryBuilder, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema};

use crate::error::{Error, Result};
use crate::events::model::{Column, Kind};
use crate::events::{Datum, Event, Held, Record};

/// An event with the keys it was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed<'a> {
    pub(super) line: u64,
    pub(super) event: &'a Event,
    pub(super) user: Option<u32>,
    pub(super) anonymous: Option<u32>,
    pub(super) name: u16,
}

/// Rows for `events`, with the line at the end where `lines` asks for it.
pub(super) fn events(rows: &[Keyed<'_>], version: u64, lines: bool) -> Result<RecordBatch> {
    let mut ids = FixedSizeBinaryBuilder::with_capacity(rows.len(), 16);
    for row in rows {
        match &row.event.id {
            Some(id) => ids
                .append_value(id.key.to_be_bytes())
                .map_err(Error::internal)?,
            None => ids.append_null(),
        }
    }
    let events = || rows.iter().map(|row| row.event);
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("event_id", Arc::new(ids.finish())),
        (
            "event_id_text",
            text(events().map(|e| e.id.as_ref().and_then(|id| id.text.as_deref()))),
        ),
        (
            "user_key",
            Arc::new(rows.iter().map(|row| row.user).collect::<UInt32Array>()),
        ),
        (
            "anonymous_key",
            Arc::new(
                rows.iter()
                    .map(|row| row.anonymous)
                    .collect::<UInt32Array>(),
            ),
        ),
        ("session_id", text(events().map(|e| e.session.as_deref()))),
        (
            "name_key",
            Arc::new(UInt16Array::from_iter_values(
                rows.iter().map(|row| row.name),
            )),
        ),
        ("ts", times(events().map(|e| Some(e.ts)))),
        (
            "client_ts",
            times(events().map(|e| Some(e.client_ts).filter(|t| *t != e.ts))),
        ),
        ("sent_at", times(events().map(|e| e.sent_at))),
        ("received_at", times(events().map(|e| Some(e.received_at)))),
        (
            "client_seq",
            Arc::new(events().map(|e| e.seq).collect::<Int64Array>()),
        ),
        (
            "content_hash",
            Arc::new(UInt64Array::from_iter_values(
                events().map(|e| e.content_hash),
            )),
        ),
        (
            "properties",
            text(events().map(|e| e.properties.as_deref())),
        ),
        ("amount", decimals(events().map(|e| e.amount), 4)?),
        ("currency", text(events().map(|e| e.currency.as_deref()))),
        (
            "version",
            Arc::new(UInt64Array::from_value(version, rows.len())),
        ),
    ];
    if lines {
        columns.push((
            "line",
            Arc::new(UInt64Array::from_iter_values(
                rows.iter().map(|row| row.line),
            )),
        ));
    }
    batch(columns)
}

/// Rows for a platform table, with their lines; `users` are the keys of the users, row by row.
pub(super) fn records(
    columns: &[Column],
    rows: &[(u64, Record)],
    users: &[Option<u32>],
) -> Result<RecordBatch> {
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
            Kind::User => Arc::new(users.iter().copied().collect::<UInt32Array>()),
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
        .map(|(name, array)| {
            let field = Field::new(*name, array.data_type().clone(), true);
            match array.data_type() {
                DataType::FixedSizeBinary(16) => field.with_metadata(HashMap::from([(
                    "ARROW:extension:name".to_owned(),
                    "arrow.uuid".to_owned(),
                )])),
                _ => field,
            }
        })
        .collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.into_iter().map(|c| c.1).collect(),
    )
    .map_err(Error::internal)
}
