//! Valid events, column by column, as a store takes them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray,
    FixedSizeBinaryBuilder, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, TimestampMicrosecondType, UInt64Type};

use super::model::Event;
use crate::error::{Error, Result};

/// Valid events, column by column: the texts that a store gives keys for, and the columns it stores as they are.
#[derive(Clone, Debug)]
pub struct EventBatch {
    pub(crate) lines: Vec<u64>,
    pub(crate) user: StringArray,
    pub(crate) anonymous: StringArray,
    pub(crate) name: StringArray,
    pub(crate) id: FixedSizeBinaryArray,
    pub(crate) ts: TimestampMicrosecondArray,
    /// The columns of the table `events` that need no keys, but for the id and the time.
    pub(crate) rest: Vec<(&'static str, ArrayRef)>,
}

impl EventBatch {
    /// Events with their numbers, ascending.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn new(rows: &[(u64, Event)]) -> Result<Self> {
        let rows: Vec<_> = rows.iter().map(|(line, event)| (*line, event)).collect();
        Self::of(&rows)
    }

    /// The same of events that somebody else has.
    pub(crate) fn of(rows: &[(u64, &Event)]) -> Result<Self> {
        let events = || rows.iter().map(|row| row.1);
        let mut ids = FixedSizeBinaryBuilder::with_capacity(rows.len(), 16);
        for event in events() {
            match &event.id {
                Some(id) => ids
                    .append_value(id.key.to_be_bytes())
                    .map_err(Error::internal)?,
                None => ids.append_null(),
            }
        }
        let times = |value: fn(&Event) -> Option<i64>| -> ArrayRef {
            Arc::new(events().map(value).collect::<TimestampMicrosecondArray>())
        };
        let texts = |value: fn(&Event) -> Option<&str>| -> ArrayRef {
            Arc::new(events().map(value).collect::<StringArray>())
        };
        let amounts = events()
            .map(|e| e.amount)
            .collect::<Decimal128Array>()
            .with_precision_and_scale(18, 4)
            .map_err(Error::internal)?;
        let hashes = UInt64Array::from_iter_values(events().map(|e| e.content_hash));
        Ok(Self {
            lines: rows.iter().map(|row| row.0).collect(),
            user: events().map(|e| e.user.as_deref()).collect(),
            anonymous: events().map(|e| e.anonymous.as_deref()).collect(),
            name: events().map(|e| Some(e.name.as_str())).collect(),
            id: ids.finish(),
            ts: TimestampMicrosecondArray::from_iter_values(events().map(|e| e.ts)),
            rest: vec![
                (
                    "event_id_text",
                    texts(|e| e.id.as_ref().and_then(|id| id.text.as_deref())),
                ),
                ("session_id", texts(|e| e.session.as_deref())),
                (
                    "client_ts",
                    times(|e| Some(e.client_ts).filter(|t| *t != e.ts)),
                ),
                ("sent_at", times(|e| e.sent_at)),
                ("received_at", times(|e| Some(e.received_at))),
                (
                    "client_seq",
                    Arc::new(events().map(|e| e.seq).collect::<Int64Array>()),
                ),
                ("content_hash", Arc::new(hashes)),
                ("properties", texts(|e| e.properties.as_deref())),
                ("amount", Arc::new(amounts)),
                ("currency", texts(|e| e.currency.as_deref())),
            ],
        })
    }

    /// The same events with their numbers raised by so much.
    pub(crate) fn raised(mut self, by: u64) -> Self {
        for line in &mut self.lines {
            *line += by;
        }
        self
    }

    /// The same events with other amounts and currencies, by their names and properties.
    pub(crate) fn promoted(
        &self,
        money: impl Fn(&str, Option<&str>) -> (Option<i128>, Option<String>),
    ) -> Result<Self> {
        let properties = self.rest.iter().find(|column| column.0 == "properties");
        let properties = properties.and_then(|column| column.1.as_string_opt::<i32>());
        let read = (0..self.len()).map(|row| {
            let properties = properties.filter(|texts| texts.is_valid(row));
            money(
                self.name.value(row),
                properties.map(|texts| texts.value(row)),
            )
        });
        let (amounts, currencies): (Vec<_>, Vec<_>) = read.unzip();
        let amounts = Decimal128Array::from(amounts)
            .with_precision_and_scale(18, 4)
            .map_err(Error::internal)?;
        let mut promoted = self.clone();
        for (name, column) in &mut promoted.rest {
            match *name {
                "amount" => *column = Arc::new(amounts.clone()),
                "currency" => *column = Arc::new(StringArray::from(currencies.clone())),
                _ => {}
            }
        }
        Ok(promoted)
    }

    /// Those of the same events whose rows are wanted.
    pub(crate) fn filtered(&self, wanted: impl Fn(usize) -> bool) -> Result<Self> {
        let mask: BooleanArray = (0..self.len()).map(|row| Some(wanted(row))).collect();
        let columns = filter_record_batch(&self.to_columns()?, &mask).map_err(Error::internal)?;
        Self::of_columns(&columns).ok_or_else(|| Error::internal("columns of events that are none"))
    }

    /// As one batch of named columns.
    pub(crate) fn to_columns(&self) -> Result<RecordBatch> {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("line", Arc::new(UInt64Array::from(self.lines.clone()))),
            ("user", Arc::new(self.user.clone())),
            ("anonymous", Arc::new(self.anonymous.clone())),
            ("name", Arc::new(self.name.clone())),
            ("event_id", Arc::new(self.id.clone())),
            ("ts", Arc::new(self.ts.clone())),
        ];
        columns.extend(
            self.rest
                .iter()
                .map(|(name, array)| (*name, Arc::clone(array))),
        );
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        RecordBatch::try_from_iter_with_nullable(columns).map_err(Error::internal)
    }

    /// What [`EventBatch::to_columns`] gave; nothing where a column is missing or of another type.
    pub(crate) fn of_columns(columns: &RecordBatch) -> Option<Self> {
        let named = |name: &str| columns.column_by_name(name).cloned();
        let text = |name: &str| Some(named(name)?.as_string_opt::<i32>()?.clone());
        let rest = REST.iter().map(|name| Some((*name, named(name)?)));
        Some(Self {
            lines: named("line")?
                .as_primitive_opt::<UInt64Type>()?
                .values()
                .to_vec(),
            user: text("user")?,
            anonymous: text("anonymous")?,
            name: text("name")?,
            id: named("event_id")?.as_fixed_size_binary_opt()?.clone(),
            ts: named("ts")?
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .clone(),
            rest: rest.collect::<Option<_>>()?,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The content hashes.
    pub(crate) fn content_hash(&self) -> Option<&UInt64Array> {
        let column = self.rest.iter().find(|c| c.0 == "content_hash")?;
        column.1.as_primitive_opt()
    }

    /// The id of an event.
    pub(crate) fn id(&self, row: usize) -> Option<u128> {
        if row >= self.id.len() || self.id.is_null(row) {
            return None;
        }
        self.id.value(row).try_into().ok().map(u128::from_be_bytes)
    }
}

/// The names of the columns in `rest`, in order.
const REST: [&str; 10] = [
    "event_id_text",
    "session_id",
    "client_ts",
    "sent_at",
    "received_at",
    "client_seq",
    "content_hash",
    "properties",
    "amount",
    "currency",
];

/// The Arrow field of a column, marked where its bytes are a UUID.
pub(crate) fn field(name: &str, kind: &DataType) -> Field {
    let field = Field::new(name, kind.clone(), true);
    match kind {
        DataType::FixedSizeBinary(16) => field.with_metadata(HashMap::from([(
            "ARROW:extension:name".to_owned(),
            "arrow.uuid".to_owned(),
        )])),
        _ => field,
    }
}
