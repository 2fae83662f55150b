//! Cells of any type, in plain types: integers and text; and as messages show them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;

/// The reason why a row is bad: a phrase that follows "column X".
pub(crate) type Reason = String;

/// The reason for bytes that are not valid text.
pub(super) const NOT_UTF8: &str = "is not UTF-8";

/// Returns a column without dictionary; a column of nothing but nulls as one of integers.
pub(super) fn unpacked(source: &ArrayRef) -> Option<ArrayRef> {
    match source.data_type() {
        DataType::Dictionary(_, value) => cast(source, value).ok(),
        DataType::Null => cast(source, &DataType::Int64).ok(),
        _ => Some(Arc::clone(source)),
    }
}

/// Returns integers, and decimals without a fraction, as int64: null where one does not fit. `None` for other types.
pub(super) fn integers(source: &ArrayRef) -> Option<Int64Array> {
    if !is_integer(source.data_type()) {
        return None;
    }
    // A safe cast gives null for values that do not fit.
    let options = CastOptions { safe: true, ..Default::default() };
    let values = cast_with_options(source, &DataType::Int64, &options).ok()?;
    values.as_primitive_opt::<Int64Type>().cloned()
}

/// Whether all values of a type are integers.
pub(super) fn is_integer(data_type: &DataType) -> bool {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale == 0,
        other => other.is_integer(),
    }
}

/// A cell as text.
pub(super) fn shown(cells: &ArrayRef, row: usize) -> String {
    array_value_to_string(cells, row).unwrap_or_default()
}

/// Returns a column of text as UTF-8, or `None` if it has no text type.
pub(crate) fn text_column(source: &ArrayRef) -> Option<StringArray> {
    let is_text = |data_type: &DataType| {
        matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
    };
    let text = match source.data_type() {
        DataType::Dictionary(_, value) => is_text(value),
        other => is_text(other),
    };
    let cast = if text { cast(source, &DataType::Utf8).ok()? } else { return None };
    cast.as_any().downcast_ref::<StringArray>().cloned()
}

/// The beginning of a text, for a message.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
