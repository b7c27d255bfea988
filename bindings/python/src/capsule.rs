//! Tables of other libraries, taken over through Arrow's PyCapsule interface without copying them.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

use arrow::array::{Array as _, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use travelsense::Error;
use travelsense::events::DEEPEST_TYPE;

use crate::error::raise;

/// The batches of a table.
pub(crate) type Batches = Box<dyn RecordBatchReader + Send>;

/// Whether an object exports an Arrow stream or an Arrow array.
pub(crate) fn exports(table: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(table.hasattr("__arrow_c_stream__")? || table.hasattr("__arrow_c_array__")?)
}

/// The batches of anything that exports an Arrow stream or an Arrow array.
pub(crate) fn batches(table: &Bound<'_, PyAny>) -> PyResult<Batches> {
    let refuse =
        |e: ArrowError| PyTypeError::new_err(format!("the source is not an Arrow table: {e}"));
    if table.hasattr("__arrow_c_stream__")? {
        let capsule = table
            .call_method0("__arrow_c_stream__")?
            .cast_into::<PyCapsule>()?;
        let batches = stream(&capsule)?.map_err(refuse)?;
        Ok(Box::new(Checked(batches)))
    } else {
        let (schema, array) = table.call_method0("__arrow_c_array__")?.extract()?;
        let batch = array_of(&schema, &array)?.map_err(refuse)?;
        let schema = batch.schema();
        let batches = RecordBatchIterator::new([Ok(batch)], schema);
        Ok(Box::new(Checked(Box::new(batches))))
    }
}

/// Batches as another library hands them over, each checked before anything reads it: a text that is no UTF-8 and an offset
/// beyond its buffer must never reach code that relies on them. Only texts, lists and dictionaries cost anything.
struct Checked(Batches);

impl Iterator for Checked {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.0.next()?;
        Some(batch.and_then(|batch| {
            for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
                column.to_data().validate_full().map_err(|e| {
                    let name = field.name();
                    ArrowError::InvalidArgumentError(format!("the column `{name}` is damaged: {e}"))
                })?;
            }
            Ok(batch)
        }))
    }
}

impl RecordBatchReader for Checked {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

/// Refuses types nested so deep that converting them would need more stack than there is.
fn flat_enough(py: Python<'_>, schema: &FFI_ArrowSchema) -> PyResult<()> {
    fn within(schema: &FFI_ArrowSchema, left: usize) -> bool {
        let mut inner = schema.children().chain(schema.dictionary());
        inner.all(|inner| left > 0 && within(inner, left - 1))
    }
    // The schema itself is one type more.
    if within(schema, DEEPEST_TYPE + 1) {
        return Ok(());
    }
    let message = format!("a column has a type nested more than {DEEPEST_TYPE} deep");
    let error = Error::field("source", "unsupported_type", message);
    Err(raise(py, &error))
}

#[expect(
    unsafe_code,
    reason = "Arrow's C stream interface hands over a pointer"
)]
fn stream(capsule: &Bound<'_, PyCapsule>) -> PyResult<Result<Batches, ArrowError>> {
    let pointer = capsule
        .pointer_checked(Some(c"arrow_array_stream"))?
        .cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name holds a valid stream, which is moved out and left released, as the interface has it.
    let mut stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
    let mut schema = FFI_ArrowSchema::empty();
    if let (Some(get), Some(_)) = (stream.get_schema, stream.release) {
        // SAFETY: the stream is not released, and gives its schema as often as it is asked.
        if unsafe { get(&raw mut stream, &raw mut schema) } == 0 {
            flat_enough(capsule.py(), &schema)?;
        }
    }
    Ok(ArrowArrayStreamReader::try_new(stream).map(|reader| Box::new(reader) as Batches))
}

#[expect(unsafe_code, reason = "Arrow's C data interface hands over pointers")]
fn array_of(
    schema: &Bound<'_, PyCapsule>,
    array: &Bound<'_, PyCapsule>,
) -> PyResult<Result<RecordBatch, ArrowError>> {
    let py = schema.py();
    let schema = schema
        .pointer_checked(Some(c"arrow_schema"))?
        .cast::<FFI_ArrowSchema>();
    let array = array
        .pointer_checked(Some(c"arrow_array"))?
        .cast::<FFI_ArrowArray>();
    // SAFETY: capsules of these names hold a valid schema and an array of it; both are moved out and left released.
    let (schema, array) = unsafe {
        let schema = FFI_ArrowSchema::from_raw(schema.as_ptr());
        (schema, FFI_ArrowArray::from_raw(array.as_ptr()))
    };
    flat_enough(py, &schema)?;
    // SAFETY: as above, and the array is of this schema.
    let data = unsafe { from_ffi(array, &schema) };
    Ok(data.and_then(|data| {
        if !matches!(data.data_type(), DataType::Struct(_)) || data.null_count() > 0 {
            return Err(ArrowError::CDataInterface(
                "an array of rows, none of them null, is needed".to_owned(),
            ));
        }
        Ok(RecordBatch::from(StructArray::from(data)))
    }))
}
