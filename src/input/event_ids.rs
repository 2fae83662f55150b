//! Columns of event ids, by which rows that were delivered twice are known.

use arrow::array::ArrayRef;

use super::cells::Reason;
use super::text_column::TextColumn;

/// The types of event ids, as they follow "needs" in a message.
pub(super) const EVENT_ID_TYPES: &str = "text, integers or UUIDs";

/// A column of event ids as text: an integer is its decimal digits, so it equals the same digits in a text file.
pub(super) struct EventIds(TextColumn);

impl EventIds {
    /// Returns `None` if the column has none of [`EVENT_ID_TYPES`].
    pub(super) fn new(source: &ArrayRef) -> Option<Self> {
        TextColumn::with_integers(source).map(EventIds)
    }

    /// Returns the id in a row; `None` where it is null or an empty text, so that it equals no other; or the reason why
    /// it is no text. `row` must be below the column's length.
    pub(super) fn get(&self, row: usize) -> Result<Option<&str>, Reason> {
        Ok(self.0.get(row)?.filter(|id| !id.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, BooleanArray, DictionaryArray, Int8Array, StringArray, UInt64Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn the_same_value_is_the_same_id() {
        let read = |array: ArrayRef| -> Vec<Option<String>> {
            let ids = EventIds::new(&array).unwrap();
            (0..array.len()).map(|row| ids.get(row).unwrap().map(str::to_owned)).collect()
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
