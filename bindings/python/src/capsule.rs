//! Tables of other libraries, taken over through Arrow's PyCapsule interface without copying them.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

use arrow::array::{RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

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
        stream(&capsule)?.map_err(refuse)
    } else {
        let (schema, array) = table.call_method0("__arrow_c_array__")?.extract()?;
        let batch = array_of(&schema, &array)?.map_err(refuse)?;
        let schema = batch.schema();
        Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
    }
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
    let reader = unsafe { ArrowArrayStreamReader::from_raw(pointer.as_ptr()) };
    Ok(reader.map(|reader| Box::new(reader) as Batches))
}

#[expect(unsafe_code, reason = "Arrow's C data interface hands over pointers")]
fn array_of(
    schema: &Bound<'_, PyCapsule>,
    array: &Bound<'_, PyCapsule>,
) -> PyResult<Result<RecordBatch, ArrowError>> {
    let schema = schema
        .pointer_checked(Some(c"arrow_schema"))?
        .cast::<FFI_ArrowSchema>();
    let array = array
        .pointer_checked(Some(c"arrow_array"))?
        .cast::<FFI_ArrowArray>();
    // SAFETY: capsules of these names hold a valid schema and an array of it; both are moved out and left released.
    let data = unsafe {
        let schema = FFI_ArrowSchema::from_raw(schema.as_ptr());
        from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), &schema)
    };
    Ok(data.and_then(|data| {
        if !matches!(data.data_type(), DataType::Struct(_)) || data.null_count() > 0 {
            return Err(ArrowError::CDataInterface(
                "an array of rows, none of them null, is needed".to_owned(),
            ));
        }
        Ok(RecordBatch::from(StructArray::from(data)))
    }))
}
