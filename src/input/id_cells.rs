//! The ids of customers or items in a batch of rows, as numbers.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::cells::{Reason, is_integer, unpacked};
use super::column::{ID_TYPES, IdColumn};
use super::id_text::INEXACT;
use super::text_column::TextColumn;
use crate::model::{IdForm, IdKind, Ids, PADDING_ITEM_ID, text_id};

/// How the ids of one column become numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct IdRule {
    of: IdKind,
    form: IdForm,
    /// Is added to integers.
    offset: i64,
}

impl IdRule {
    /// Returns the rule for customers.
    pub(super) fn customers(ids: Ids) -> Self {
        IdRule { of: IdKind::Customers, form: ids.customer, offset: 0 }
    }

    /// Returns the rule for items.
    pub(super) fn items(ids: Ids) -> Self {
        IdRule { of: IdKind::Items, form: ids.item, offset: ids.item_offset }
    }

    /// Returns the types that columns may have, as they follow "needs" in a message.
    pub(super) fn types(self) -> &'static str {
        match self.form {
            IdForm::Integer => ID_TYPES,
            IdForm::Text => "text, integers, whole floats or UUIDs",
        }
    }
}

/// A column of ids as numbers.
pub(super) struct IdCells {
    /// Null where there is no id.
    values: Int64Array,
    cells: Cells,
}

/// The texts of the ids in one row, where ids are text.
#[derive(Clone, Copy)]
pub(crate) struct IdTexts<'batch> {
    pub(super) customers: &'batch IdCells,
    pub(super) row: usize,
    pub(super) items: &'batch IdCells,
    /// Where the first item of the row is.
    pub(super) first_item: usize,
}

impl<'batch> IdTexts<'batch> {
    /// The text of the customer; `None` where customers are integers.
    pub(crate) fn customer(self) -> Option<&'batch str> {
        self.customers.text(self.row)
    }

    /// The text of an item by its number in the row, from 0; likewise. The row must have so many.
    pub(crate) fn item(self, number: usize) -> Option<&'batch str> {
        self.items.text(self.first_item + number)
    }
}

enum Cells {
    Integers(IdColumn, i64),
    Texts(TextColumn),
    /// Floats and decimals with a fraction, those that are whole as texts of their digits.
    Numbers(IdColumn, StringArray),
}

impl IdCells {
    /// Returns `None` if the column has a type that the rule does not take.
    pub(super) fn new(source: &ArrayRef, rule: IdRule) -> Option<Self> {
        let IdRule { of, form, offset } = rule;
        if form == IdForm::Integer {
            let ids = IdColumn::new(source, Some(of))?;
            let values = match offset {
                0 => ids.values().clone(),
                _ => ids.values().iter().map(|id| id.and_then(|id| id.checked_add(offset))).collect(),
            };
            return Some(IdCells { values, cells: Cells::Integers(ids, offset) });
        }
        let source = unpacked(source)?;
        let is_decimal = source.data_type().is_decimal() && !is_integer(source.data_type());
        let numbered = |texts: &StringArray| -> Int64Array {
            texts.iter().map(|text| text.filter(|text| !text.is_empty()).map(text_id)).collect()
        };
        let (values, cells) = if is_decimal || source.data_type().is_floating() {
            let ids = IdColumn::new(&source, Some(of))?;
            let digits = cast(ids.values(), &DataType::Utf8).ok()?.as_string_opt::<i32>()?.clone();
            (numbered(&digits), Cells::Numbers(ids, digits))
        } else {
            let texts = TextColumn::with_integers(&source)?;
            (numbered(texts.texts()), Cells::Texts(texts))
        };
        Some(IdCells { values, cells })
    }

    /// All ids, if every row has one.
    pub(super) fn plain(&self) -> Option<&[i64]> {
        (self.values.null_count() == 0).then(|| self.values.values().as_ref())
    }

    /// The id in a row, or the reason why it has none. `row` must be below the column's length.
    pub(super) fn get(&self, row: usize) -> Result<i64, Reason> {
        if self.values.is_valid(row) {
            return Ok(self.values.value(row));
        }
        Err(self.fault(row))
    }

    /// The same for an item, which the padding is not.
    pub(super) fn item(&self, row: usize) -> Result<i64, Reason> {
        match self.get(row)? {
            PADDING_ITEM_ID => Err(match self.cells {
                Cells::Integers(_, offset) if offset != 0 => {
                    format!("is 0, which is the padding, with item_offset {offset}")
                }
                _ => "is 0, which is the padding: [ids] item_offset in lookback.toml moves ids that count from 0"
                    .to_owned(),
            }),
            item_id => Ok(item_id),
        }
    }

    /// Whether a row has no id. `row` must be below the column's length.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match &self.cells {
            Cells::Integers(ids, _) | Cells::Numbers(ids, _) => ids.is_null(row),
            Cells::Texts(texts) => matches!(texts.get(row), Ok(None)),
        }
    }

    /// The text of an id that is one; `None` for integers. `row` must be below the column's length.
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match &self.cells {
            Cells::Integers(..) => None,
            Cells::Texts(texts) => texts.get(row).ok().flatten(),
            Cells::Numbers(_, digits) => digits.is_valid(row).then(|| digits.value(row)),
        }
    }

    /// Why a row has no id.
    #[cold]
    fn fault(&self, row: usize) -> Reason {
        if self.is_null(row) {
            return "is null".to_owned();
        }
        match &self.cells {
            Cells::Integers(ids, offset) => match ids.get(row) {
                Ok(id) => format!("is {id}, which with item_offset {offset} does not fit a signed 64-bit integer"),
                Err(reason) => reason,
            },
            Cells::Texts(texts) => match texts.get(row) {
                Ok(_) => "is an empty text".to_owned(),
                Err(reason) => reason,
            },
            Cells::Numbers(..) => INEXACT.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, BooleanArray, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int8Array,
        LargeStringArray, StringViewArray, UInt64Array,
    };
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::input::id_text::FLOAT_MAX;

    const TEXT: Ids = Ids { customer: IdForm::Text, item: IdForm::Text, item_offset: 0 };

    fn read(source: ArrayRef, rule: IdRule) -> Vec<Result<i64, Reason>> {
        let cells = IdCells::new(&source, rule).unwrap();
        let all: Vec<_> = (0..source.len()).map(|row| cells.item(row)).collect();
        let plain: Option<Vec<i64>> = all.iter().map(|id| id.clone().ok()).collect();
        assert_eq!(cells.plain().map(<[i64]>::to_vec), plain.or(cells.plain().map(<[i64]>::to_vec)));
        all
    }

    #[test]
    fn what_says_the_same_is_the_same_id() {
        let expected = [Ok(text_id("7")), Err("is null".to_owned()), Ok(text_id("0"))];
        let (texts, numbers) = ([Some("7"), None, Some("0")], [Some(7), None, Some(0)]);
        let decimals = Decimal128Array::from(numbers.map(|id| id.map(i128::from)).to_vec());
        let cents = Decimal128Array::from(numbers.map(|id| id.map(|id| i128::from(id) * 100)).to_vec());
        let sources: [ArrayRef; 10] = [
            Arc::new(StringArray::from(texts.to_vec())),
            Arc::new(LargeStringArray::from(texts.to_vec())),
            Arc::new(StringViewArray::from(texts.to_vec())),
            Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
            Arc::new(Int8Array::from(numbers.to_vec())),
            Arc::new(UInt64Array::from(numbers.map(|id| id.map(|id| id as u64)).to_vec())),
            Arc::new(decimals.with_precision_and_scale(38, 0).unwrap()),
            Arc::new(cents.with_precision_and_scale(38, 2).unwrap()),
            Arc::new(BinaryArray::from(texts.map(|text| text.map(str::as_bytes)).to_vec())),
            Arc::new(Float64Array::from(vec![Some(7.0), None, Some(-0.0)])),
        ];
        for source in sources {
            assert_eq!(read(Arc::clone(&source), IdRule::items(TEXT)), expected, "{}", source.data_type());
        }
        let large = Arc::new(UInt64Array::from(vec![u64::MAX]));
        assert_eq!(read(large, IdRule::customers(TEXT)), [Ok(text_id("18446744073709551615"))]);
        let others = Arc::new(StringArray::from(vec!["", "007", " 7"]));
        let empty = Err("is an empty text".to_owned());
        assert_eq!(read(others, IdRule::items(TEXT)), [empty, Ok(text_id("007")), Ok(text_id(" 7"))]);
        let bytes = Arc::new(BinaryArray::from(vec![&b"7\xff"[..]]));
        assert_eq!(read(bytes, IdRule::items(TEXT)), [Err("is not UTF-8".to_owned())]);
        let fault = || Err(INEXACT.to_owned());
        let narrow = Arc::new(Float32Array::from(vec![16_777_216.0]));
        assert_eq!(read(narrow, IdRule::items(TEXT)), [fault()]);
        let limit = FLOAT_MAX as f64;
        let inexact = Arc::new(Float64Array::from(vec![0.5, limit, f64::NAN, limit - 1.0]));
        let exact = Ok(text_id("9007199254740991"));
        assert_eq!(read(inexact, IdRule::items(TEXT)), [fault(), fault(), fault(), exact]);
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        assert!(IdCells::new(&flags, IdRule::items(TEXT)).is_none());
    }

    #[test]
    fn an_offset_is_added_to_items_alone() {
        let ids = Ids { item_offset: 2, ..Ids::default() };
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), Some(-2), Some(i64::MAX - 1), None]));
        let too_large = "is 9223372036854775806, which with item_offset 2 does not fit a signed 64-bit integer";
        let expected = [
            Ok(2),
            Err("is 0, which is the padding, with item_offset 2".to_owned()),
            Err(too_large.to_owned()),
            Err("is null".to_owned()),
        ];
        assert_eq!(read(Arc::clone(&numbers), IdRule::items(ids)), expected);
        assert_eq!(IdCells::new(&numbers, IdRule::customers(ids)).unwrap().get(0), Ok(0));
        let zero = read(Arc::new(Int64Array::from(vec![0])), IdRule::items(Ids::default()));
        assert!(zero[0].as_ref().is_err_and(|reason| reason.contains("item_offset in lookback.toml")), "{zero:?}");
    }
}
