//! Arrow: batches as they come.

use std::borrow::Cow;
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, RecordBatch, RecordBatchReader, StringArray, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date64Type, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Number, Value};

use super::ipc::{read_ipc, survive};
use super::{Body, Chunk, Emit, Header};
use crate::error::{Error, ErrorKind, Result};
use crate::events::cell::Cell;
use crate::events::report::Progress;
use crate::events::shape::{Places, Refused, Shape};
use crate::events::source::unreadable;

/// A batch of more rows is taken in slices.
const CHUNK_ROWS: usize = 32_768;

/// A column whose type is nested deeper is refused: whatever walks a type needs stack for each of its levels.
pub const DEEPEST_TYPE: usize = 64;

pub(super) fn read(path: &Path, places: &Places, emit: &mut Emit<'_>) -> Result<()> {
    let file = File::open(path).map_err(|e| unreadable(path, e))?;
    let reader =
        read_ipc(BufReader::with_capacity(1 << 20, file)).map_err(|error| match error {
            ArrowError::IoError(_, error) if error.kind() == std::io::ErrorKind::IsADirectory => {
                unreadable(path, error)
            }
            error => failed(error, &format!("`{}`", path.display())),
        })?;
    batches(reader, places, emit)
}

pub(super) fn batches(
    mut reader: Box<dyn RecordBatchReader + '_>,
    places: &Places,
    emit: &mut Emit<'_>,
) -> Result<()> {
    let mut batches = Batches::new(&reader.schema(), places, None)?;
    while let Some(batch) = survive(|| reader.next().transpose()).transpose() {
        let batch = batch.map_err(|error| failed(error, "the Arrow data"))?;
        if batches.push(&batch, emit)? == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}

fn failed(error: ArrowError, what: &str) -> Error {
    use std::io::ErrorKind as K;
    // A file that is cut or says wrong lengths is met as a read of what is not there.
    let cut = |kind: K| matches!(kind, K::UnexpectedEof | K::InvalidInput | K::InvalidData);
    match error {
        ArrowError::IoError(message, source) if !cut(source.kind()) => {
            let message = format!("{what} could not be read: {message}");
            Error::new(ErrorKind::Storage, "unreadable", message)
        }
        error => {
            let message = format!("{what} cannot be read as Arrow: {error}");
            Error::field("source", "malformed", message)
        }
    }
}

/// Batches of one schema on their way to becoming chunks.
pub(super) struct Batches {
    header: Arc<Header>,
    progress: Progress,
}

impl Batches {
    pub(super) fn new(schema: &Schema, places: &Places, total_rows: Option<u64>) -> Result<Self> {
        let names = schema.fields().iter().map(|f| f.name().clone()).collect();
        for field in schema.fields() {
            if let Some(kind) = unsupported(field.data_type(), DEEPEST_TYPE) {
                return Err(Error::field(
                    field.name().clone(),
                    "unsupported_type",
                    format!(
                        "the column has the type {kind}, which cannot be read; leave it out or convert it"
                    ),
                ));
            }
        }
        let header = Arc::new(Header::new(names, places)?);
        Ok(Self {
            header,
            progress: Progress {
                total_rows,
                ..Progress::default()
            },
        })
    }

    pub(super) fn push(
        &mut self,
        batch: &RecordBatch,
        emit: &mut Emit<'_>,
    ) -> Result<ControlFlow<()>> {
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = CHUNK_ROWS.min(batch.num_rows() - start);
            let slice = batch.slice(start, rows);
            let columns = slice
                .columns()
                .iter()
                .map(Column::new)
                .collect::<Result<_>>()?;
            let first = self.progress.rows + 1;
            self.progress.rows += rows as u64;
            let body = Body::Columns(
                first,
                Columns {
                    header: Arc::clone(&self.header),
                    columns,
                    rows,
                },
            );
            if emit(Chunk {
                progress: self.progress,
                body,
            }) == ControlFlow::Break(())
            {
                return Ok(ControlFlow::Break(()));
            }
            start += rows;
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The columns of a batch, ready to give cells.
#[derive(Debug)]
pub(crate) struct Columns {
    header: Arc<Header>,
    columns: Vec<Column>,
    rows: usize,
}

impl Columns {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn row<S: Shape>(
        &self,
        row: usize,
        shape: &S,
    ) -> std::result::Result<S::Out, Refused> {
        shape.build(self.header.row(
            shape.places(),
            self.columns.iter().map(|column| column.cell(row)),
        ))
    }
}

/// A column in one of few types.
#[derive(Debug)]
enum Column {
    Nothing,
    Bool(BooleanArray),
    Int(Int64Array),
    Unsigned(UInt64Array),
    Double(Float64Array),
    Text(StringArray),
    Instant(TimestampMicrosecondArray),
    Local(TimestampMicrosecondArray),
    Date(Date32Array),
    Uuid(FixedSizeBinaryArray),
    /// Decimals, shown as their text.
    Decimal(ArrayRef),
    /// Times of day and spans, shown as their text.
    Shown(ArrayRef),
    Nested(ArrayRef),
}

/// The type, where no column can be made of it.
fn unsupported(kind: &DataType, left: usize) -> Option<String> {
    use DataType as D;
    let Some(left) = left.checked_sub(1) else {
        return Some(format!("nested more than {DEEPEST_TYPE} deep"));
    };
    match kind {
        D::FixedSizeBinary(16) => None,
        D::Binary
        | D::LargeBinary
        | D::BinaryView
        | D::FixedSizeBinary(_)
        | D::Union(..)
        | D::RunEndEncoded(..) => Some(kind.to_string()),
        D::List(inner) | D::LargeList(inner) | D::FixedSizeList(inner, _) | D::Map(inner, _) => {
            unsupported(inner.data_type(), left)
        }
        D::ListView(_) | D::LargeListView(_) => Some(kind.to_string()),
        D::Struct(fields) => fields.iter().find_map(|f| unsupported(f.data_type(), left)),
        D::Dictionary(_, value) => unsupported(value, left),
        _ => None,
    }
}

impl Column {
    fn new(array: &ArrayRef) -> Result<Self> {
        use DataType as D;
        let to = |kind: DataType| cast(array, &kind).map_err(Error::internal);
        let micros = |zone: Option<Arc<str>>| D::Timestamp(TimeUnit::Microsecond, zone);
        Ok(match array.data_type() {
            D::Null => Self::Nothing,
            D::Boolean => Self::Bool(array.as_boolean().clone()),
            D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => {
                Self::Int(to(D::Int64)?.as_primitive().clone())
            }
            D::UInt64 => Self::Unsigned(array.as_primitive().clone()),
            D::Float16 | D::Float64 => Self::Double(to(D::Float64)?.as_primitive().clone()),
            // The nearest double of 0.1f32 is not 0.1: its own shortest text is what was meant.
            D::Float32 => Self::Double(
                array
                    .as_primitive::<arrow::datatypes::Float32Type>()
                    .iter()
                    .map(|f| f.map(|f| f.to_string().parse().unwrap_or(f64::NAN)))
                    .collect(),
            ),
            D::Utf8 => Self::Text(array.as_string().clone()),
            D::LargeUtf8 | D::Utf8View => Self::Text(to(D::Utf8)?.as_string().clone()),
            D::Dictionary(_, value) => return Self::new(&to(value.as_ref().clone())?),
            D::Timestamp(_, None) => Self::Local(to(micros(None))?.as_primitive().clone()),
            D::Timestamp(_, Some(zone)) => {
                Self::Instant(to(micros(Some(Arc::clone(zone))))?.as_primitive().clone())
            }
            D::Date32 => Self::Date(array.as_primitive().clone()),
            // The driver's own cast would wrap around.
            D::Date64 => Self::Date(array.as_primitive::<Date64Type>().unary(|ms| {
                let days = ms.div_euclid(86_400_000);
                i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
            })),
            D::FixedSizeBinary(16) => Self::Uuid(array.as_fixed_size_binary().clone()),
            D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..) => {
                Self::Decimal(Arc::clone(array))
            }
            D::List(_) | D::LargeList(_) | D::FixedSizeList(..) | D::Struct(_) | D::Map(..) => {
                Self::Nested(Arc::clone(array))
            }
            _ => Self::Shown(Arc::clone(array)),
        })
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Nothing => Cell::Null,
            Self::Bool(a) => present(a, row, |row| Cell::Bool(a.value(row))),
            Self::Int(a) => present(a, row, |row| Cell::Int(a.value(row))),
            Self::Unsigned(a) => present(a, row, |row| {
                let number = a.value(row);
                i64::try_from(number)
                    .map_or_else(|_| Cell::Number(number.to_string().into()), Cell::Int)
            }),
            Self::Double(a) => present(a, row, |row| double(a.value(row))),
            Self::Text(a) => present(a, row, |row| Cell::Text(a.value(row).into())),
            Self::Instant(a) => present(a, row, |row| Cell::Micros(a.value(row))),
            Self::Local(a) => present(a, row, |row| Cell::Local(a.value(row))),
            Self::Date(a) => present(a, row, |row| Cell::Date(a.value(row))),
            Self::Uuid(a) => present(a, row, |row| Cell::Text(uuid(a.value(row)).into())),
            Self::Decimal(a) => present(a, row, |row| Cell::Number(shown(a, row).into())),
            Self::Shown(a) => present(a, row, |row| Cell::Text(shown(a, row).into())),
            Self::Nested(a) => present(a, row, |row| match nested(a, row) {
                Some(value) => Cell::Json(Cow::Owned(value)),
                None => Cell::Infinite,
            }),
        }
    }
}

fn present<'a>(array: &dyn Array, row: usize, cell: impl FnOnce(usize) -> Cell<'a>) -> Cell<'a> {
    if row >= array.len() || array.is_null(row) {
        Cell::Null
    } else {
        cell(row)
    }
}

/// Not a number is how many tools write a missing number.
fn double(number: f64) -> Cell<'static> {
    match Number::from_f64(number) {
        Some(number) => Cell::Number(number.to_string().into()),
        None if number.is_nan() => Cell::Null,
        None => Cell::Infinite,
    }
}

fn uuid(bytes: &[u8]) -> String {
    let key = bytes
        .iter()
        .fold(0u128, |key, byte| key << 8 | u128::from(*byte));
    crate::events::model::EventId { key, text: None }.to_string()
}

fn shown(array: &ArrayRef, row: usize) -> String {
    ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())
        .and_then(|formatter| formatter.value(row).try_to_string())
        .unwrap_or_default()
}

/// A list as a JSON array, a struct or a map as a JSON object; `None` where a number in it is infinite.
fn nested(array: &ArrayRef, row: usize) -> Option<Value> {
    use DataType as D;
    let all = |items: ArrayRef| -> Option<Vec<Value>> {
        let column = Column::new(&items).ok()?;
        (0..items.len())
            .map(|i| column.cell(i).into_json().ok())
            .collect()
    };
    match array.data_type() {
        D::List(_) => all(array.as_list::<i32>().value(row)).map(Value::Array),
        D::LargeList(_) => all(array.as_list::<i64>().value(row)).map(Value::Array),
        D::FixedSizeList(..) => all(array.as_fixed_size_list().value(row)).map(Value::Array),
        D::Map(..) => {
            let entries = array.as_map().value(row);
            let mut columns = entries.columns().iter();
            let (keys, values) = (
                all(Arc::clone(columns.next()?))?,
                all(Arc::clone(columns.next()?))?,
            );
            let key = |value: Value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            Some(Value::Object(
                keys.into_iter().map(key).zip(values).collect(),
            ))
        }
        _ => {
            let fields = array.as_struct_opt()?;
            let mut map = Map::new();
            for (field, child) in fields.fields().iter().zip(fields.columns()) {
                let value = Column::new(child).ok()?.cell(row).into_json().ok()?;
                if !value.is_null() {
                    map.insert(field.name().clone(), value);
                }
            }
            Some(Value::Object(map))
        }
    }
}
