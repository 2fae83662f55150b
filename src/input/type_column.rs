//! The type of each row: one for all rows, or from a column of values.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;

use super::cells::{Reason, shortened};
use super::text_column::TextColumn;
use crate::model::ActionType;

/// The values that a source config maps to a type; `None` marks a value to be ignored.
type Values = BTreeMap<String, Option<ActionType>>;

/// The type of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Typed {
    /// An action of this type.
    As(ActionType),
    /// No action.
    Ignored,
}

/// The types of the rows of a batch.
pub(super) enum TypeColumn<'a> {
    /// All rows have this type.
    Constant(ActionType),
    /// Texts, or integers in decimal digits, and the type of each text.
    Texts(TextColumn, &'a Values),
}

impl<'a> TypeColumn<'a> {
    /// Returns `None` if the column has neither text nor integers.
    pub(super) fn new(source: &ArrayRef, values: &'a Values) -> Option<Self> {
        Some(TypeColumn::Texts(TextColumn::with_integers(source)?, values))
    }

    /// Returns the type of a row, or the reason why it has none. `row` must be below the column's length.
    pub(super) fn get(&self, row: usize) -> Result<Typed, Reason> {
        let (texts, values) = match self {
            TypeColumn::Constant(action_type) => return Ok(Typed::As(*action_type)),
            TypeColumn::Texts(texts, values) => (texts, values),
        };
        let text = texts.get(row)?.ok_or("is null")?;
        match values.get(text) {
            Some(Some(action_type)) => Ok(Typed::As(*action_type)),
            Some(None) => Ok(Typed::Ignored),
            None => Err(format!("is an unknown type of action ({:?}): add it to values or ignore", shortened(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, BinaryArray, BooleanArray, Decimal128Array, DictionaryArray, Int8Array, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn texts_and_numbers_stand_for_types() {
        let values: Values = [
            ("view".to_owned(), Some(ActionType::CLICK)),
            ("7".to_owned(), Some(ActionType::ORDER)),
            ("ping".to_owned(), None),
        ]
        .into();
        let read = |array: ArrayRef| -> Vec<Result<Typed, Reason>> {
            let column = TypeColumn::new(&array, &values).unwrap();
            (0..array.len()).map(|row| column.get(row)).collect()
        };
        let (click, order) = (Ok(Typed::As(ActionType::CLICK)), || Ok(Typed::As(ActionType::ORDER)));
        let texts = [Some("view"), Some("ping"), None, Some("View")];
        let unknown =
            |value: &str| Err(format!("is an unknown type of action ({value:?}): add it to values or ignore"));
        let expected = [click, Ok(Typed::Ignored), Err("is null".to_owned()), unknown("View")];
        assert_eq!(read(Arc::new(StringArray::from(texts.to_vec()))), expected);
        assert_eq!(read(Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>())), expected);
        let numbers = Int8Array::from(vec![Some(7), Some(8), None]);
        assert_eq!(read(Arc::new(numbers)), [order(), unknown("8"), Err("is null".to_owned())]);
        let decimals = Decimal128Array::from(vec![7]).with_precision_and_scale(38, 0).unwrap();
        assert_eq!(read(Arc::new(decimals)), [order()]);
        let bytes = BinaryArray::from(vec![&b"view"[..], b"\xff"]);
        assert_eq!(read(Arc::new(bytes)), [Ok(Typed::As(ActionType::CLICK)), Err("is not UTF-8".to_owned())]);
        assert!(TypeColumn::new(&(Arc::new(BooleanArray::from(vec![true])) as ArrayRef), &values).is_none());
    }
}
