//! Columns of ids and of text, of any Parquet or text type.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::DataType;

/// The reason why a row is bad: a phrase that follows "column X".
pub(crate) type Reason = String;

/// A column of ids as int64.
pub(crate) struct IdColumn {
    values: Int64Array,
    source: ArrayRef,
}

impl IdColumn {
    /// Returns `None` if the column has no integer type.
    pub(crate) fn new(source: &ArrayRef) -> Option<Self> {
        let integer = match source.data_type() {
            DataType::Dictionary(_, value) => value.is_integer(),
            other => other.is_integer() || *other == DataType::Null,
        };
        if !integer {
            return None;
        }
        // A safe cast gives null for values that do not fit.
        let options = CastOptions { safe: true, ..Default::default() };
        let values = cast_with_options(source, &DataType::Int64, &options).ok()?;
        let values = values.as_any().downcast_ref::<Int64Array>()?.clone();
        Some(IdColumn { values, source: Arc::clone(source) })
    }

    /// All ids, if every row has one.
    pub(crate) fn plain(&self) -> Option<&[i64]> {
        (self.values.null_count() == 0).then(|| self.values.values().as_ref())
    }

    /// The id in a row, or the reason why it has none. `row` must be below the column's length.
    pub(crate) fn get(&self, row: usize) -> Result<i64, Reason> {
        if self.values.is_valid(row) {
            return Ok(self.values.value(row));
        }
        Err(if self.is_null(row) { "is null".to_owned() } else { "does not fit a signed 64-bit integer".to_owned() })
    }

    /// Whether a row has no id. `row` must be below the column's length.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.source.is_null(row) || *self.source.data_type() == DataType::Null
    }
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
