//! Columns of event ids, by which rows that were delivered twice are known.

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::column::text_column;

/// A column of event ids as text: an integer is its decimal digits, so it equals the same digits in a text file.
pub(super) struct EventIds(StringArray);

impl EventIds {
    /// Returns `None` if the column has neither text nor integers.
    pub(super) fn new(source: &ArrayRef) -> Option<Self> {
        if let Some(texts) = text_column(source) {
            return Some(EventIds(texts));
        }
        let is_integer = match source.data_type() {
            DataType::Dictionary(_, value) => value.is_integer(),
            other => other.is_integer(),
        };
        let digits = if is_integer { cast(source, &DataType::Utf8).ok()? } else { return None };
        text_column(&digits).map(EventIds)
    }

    /// Returns the id in a row; `None` where it is null or an empty text, so that it equals no other. `row` must be
    /// below the column's length.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        Some(self.0.is_valid(row).then(|| self.0.value(row))?).filter(|id| !id.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, DictionaryArray, Int8Array, UInt64Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn the_same_value_is_the_same_id() {
        let read = |array: ArrayRef| -> Vec<Option<String>> {
            let ids = EventIds::new(&array).unwrap();
            (0..array.len()).map(|row| ids.get(row).map(str::to_owned)).collect()
        };
        let expected = |ids: &[&str]| -> Vec<Option<String>> {
            ids.iter().map(|id| Some((*id).to_owned()).filter(|id| !id.is_empty())).collect()
        };
        assert_eq!(read(Arc::new(StringArray::from(vec![Some("7"), Some(""), None]))), expected(&["7", "", ""]));
        assert_eq!(read(Arc::new(Int8Array::from(vec![Some(7), None, Some(-1)]))), expected(&["7", "", "-1"]));
        assert_eq!(read(Arc::new(UInt64Array::from(vec![u64::MAX]))), expected(&["18446744073709551615"]));
        let packed: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
        assert_eq!(read(Arc::new(packed)), expected(&["a", "b", "a"]));
        assert!(EventIds::new(&(Arc::new(BooleanArray::from(vec![true])) as ArrayRef)).is_none());
    }
}
