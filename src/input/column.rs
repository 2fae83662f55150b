//! Columns of ids and of text, whatever type they were written with.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::DataType;

/// Why a cell makes its row a bad row: a phrase that fits behind "column X".
pub type Reason = String;

/// A column of ids as int64.
pub struct IdColumn {
    values: Int64Array,
    source: ArrayRef,
}

impl IdColumn {
    /// `None` if the column is of no integer type.
    pub fn new(source: &ArrayRef) -> Option<Self> {
        let integer = match source.data_type() {
            DataType::Dictionary(_, value) => value.is_integer(),
            other => other.is_integer() || *other == DataType::Null,
        };
        if !integer {
            return None;
        }
        // A safe cast gives null for what does not fit.
        let options = CastOptions { safe: true, ..Default::default() };
        let values = cast_with_options(source, &DataType::Int64, &options).ok()?;
        let values = values.as_any().downcast_ref::<Int64Array>()?.clone();
        Some(IdColumn { values, source: Arc::clone(source) })
    }

    /// All ids, where every row has one.
    pub fn plain(&self) -> Option<&[i64]> {
        (self.values.null_count() == 0).then(|| self.values.values().as_ref())
    }

    /// The id in a row, or why there is none. `row` must be below the column's length.
    pub fn get(&self, row: usize) -> Result<i64, Reason> {
        if self.values.is_valid(row) {
            return Ok(self.values.value(row));
        }
        Err(if self.source.is_valid(row) && *self.source.data_type() != DataType::Null {
            "does not fit a signed 64-bit integer".to_owned()
        } else {
            "is null".to_owned()
        })
    }
}

/// A column of text as UTF-8; `None` if it is of no text type.
pub fn text_column(source: &ArrayRef) -> Option<StringArray> {
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
