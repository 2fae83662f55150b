//! How many rows of a record batch are taken at once, so that they fit into the memory limit.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::kernels::length::length;
use arrow::compute::{cast, max};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;

use crate::exact::usize_of;

/// The most bytes that a value of fixed length takes, but for bytes of a fixed length.
const NUMBER_BYTES: usize = 32;

/// Values whose lengths are looked at together.
const LENGTHS_AT_ONCE: usize = 8_192;

/// Returns how many rows fit into `budget` if all of them were as long as the longest: at least one, at most `most`.
pub(super) fn rows_at_once(batch: &RecordBatch, most: usize, budget: usize) -> Result<usize, ArrowError> {
    let mut row_bytes = 0_usize;
    for column in batch.columns() {
        row_bytes = row_bytes.saturating_add(value_bytes(column)?);
    }
    Ok((budget / row_bytes.max(1)).clamp(1, most))
}

/// The most bytes that a value of the column takes.
fn value_bytes(column: &ArrayRef) -> Result<usize, ArrowError> {
    Ok(match column.data_type() {
        DataType::Dictionary(..) => value_bytes(column.as_any_dictionary().values())?,
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView => NUMBER_BYTES.saturating_add(longest(column)?),
        // A UUID becomes its text.
        DataType::FixedSizeBinary(length) => {
            NUMBER_BYTES.saturating_add(usize_of(u64::from(length.max(&0).unsigned_abs())))
        }
        DataType::List(_) => list_bytes(column, column.as_list::<i32>().values())?,
        DataType::LargeList(_) => list_bytes(column, column.as_list::<i64>().values())?,
        DataType::FixedSizeList(..) => list_bytes(column, column.as_fixed_size_list().values())?,
        DataType::ListView(_) => list_bytes(column, column.as_list_view::<i32>().values())?,
        DataType::LargeListView(_) => list_bytes(column, column.as_list_view::<i64>().values())?,
        DataType::Struct(_) => {
            let fields = column.as_struct().columns().iter();
            fields.map(value_bytes).try_fold(0_usize, |sum, bytes| Ok::<_, ArrowError>(sum.saturating_add(bytes?)))?
        }
        _ => NUMBER_BYTES,
    })
}

fn list_bytes(lists: &ArrayRef, elements: &ArrayRef) -> Result<usize, ArrowError> {
    Ok(longest(lists)?.saturating_mul(value_bytes(elements)?.saturating_add(NUMBER_BYTES)))
}

fn longest(column: &ArrayRef) -> Result<usize, ArrowError> {
    let mut longest = 0;
    for begin in (0..column.len()).step_by(LENGTHS_AT_ONCE) {
        let lengths = length(&column.slice(begin, LENGTHS_AT_ONCE.min(column.len() - begin)))?;
        let lengths = cast(&lengths, &DataType::Int64)?;
        longest = longest.max(max(lengths.as_primitive::<Int64Type>()).unwrap_or(0));
    }
    Ok(usize_of(longest.max(0).cast_unsigned()))
}
