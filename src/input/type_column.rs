//! The type of each row: one for all rows, or from a column of values.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, StringArray};

use super::column::{IdColumn, Reason, text_column};
use super::time_column::shortened;
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
    /// Texts, and the type of each text.
    Texts(StringArray, &'a Values),
    /// Integers, and the type of each integer in decimal digits.
    Numbers(IdColumn, &'a Values),
}

impl<'a> TypeColumn<'a> {
    /// Returns `None` if the column has neither text nor integers.
    pub(super) fn new(source: &ArrayRef, values: &'a Values) -> Option<Self> {
        match text_column(source) {
            Some(texts) => Some(TypeColumn::Texts(texts, values)),
            None => Some(TypeColumn::Numbers(IdColumn::new(source)?, values)),
        }
    }

    /// Returns the type of a row, or the reason why it has none. `row` must be below the column's length.
    pub(super) fn get(&self, row: usize) -> Result<Typed, Reason> {
        let looked_up = |values: &Values, text: &str| match values.get(text) {
            Some(Some(action_type)) => Ok(Typed::As(*action_type)),
            Some(None) => Ok(Typed::Ignored),
            None => Err(format!("is an unknown type of action ({:?}): add it to values or ignore", shortened(text))),
        };
        match self {
            TypeColumn::Constant(action_type) => Ok(Typed::As(*action_type)),
            TypeColumn::Texts(texts, _) if texts.is_null(row) => Err("is null".to_owned()),
            TypeColumn::Texts(texts, values) => looked_up(values, texts.value(row)),
            TypeColumn::Numbers(numbers, values) => looked_up(values, &numbers.get(row)?.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, DictionaryArray, Int8Array};
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
        let (click, order) = (Ok(Typed::As(ActionType::CLICK)), Ok(Typed::As(ActionType::ORDER)));
        let texts = [Some("view"), Some("ping"), None, Some("View")];
        let unknown =
            |value: &str| Err(format!("is an unknown type of action ({value:?}): add it to values or ignore"));
        let expected = [click, Ok(Typed::Ignored), Err("is null".to_owned()), unknown("View")];
        assert_eq!(read(Arc::new(StringArray::from(texts.to_vec()))), expected);
        assert_eq!(read(Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>())), expected);
        let numbers = Int8Array::from(vec![Some(7), Some(8), None]);
        assert_eq!(read(Arc::new(numbers)), [order, unknown("8"), Err("is null".to_owned())]);
        assert!(TypeColumn::new(&(Arc::new(BooleanArray::from(vec![true])) as ArrayRef), &values).is_none());
    }
}
