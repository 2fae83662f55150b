//! Columns of labels: flags, numbers or text.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::cells::{Reason, integers, shortened, shown, unpacked};
use super::id_text::parse_id;
use super::text_column::TextColumn;

/// The types of labels, as they follow "needs" in a message.
pub(super) const LABEL_TYPES: &str = "booleans, or 0 and 1 as numbers or text";

/// Whether each item was ordered.
pub(super) struct LabelColumn {
    /// Null where a cell is null, and where it is no label.
    flags: BooleanArray,
    cells: ArrayRef,
    /// The cells, where they are text.
    texts: Option<TextColumn>,
}

impl LabelColumn {
    /// Returns `None` if the column has none of [`LABEL_TYPES`].
    pub(super) fn new(source: &ArrayRef) -> Option<Self> {
        let cells = unpacked(source)?;
        let mut texts = None;
        let flags = match cells.data_type() {
            DataType::Boolean => cells.as_boolean_opt()?.clone(),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                let numbers = cast(&cells, &DataType::Float64).ok()?;
                let numbers: &Float64Array = numbers.as_primitive_opt::<Float64Type>()?;
                numbers.iter().map(|number| number.and_then(|number| flag(number, 0.0, 1.0))).collect()
            }
            _ => match integers(&cells) {
                Some(numbers) => numbers.iter().map(|number| number.and_then(|number| flag(number, 0, 1))).collect(),
                None => {
                    let is_decimal = cells.data_type().is_decimal();
                    let written =
                        if is_decimal { cast(&cells, &DataType::Utf8).ok()? } else { ArrayRef::clone(&cells) };
                    texts.insert(TextColumn::new(&written)?).texts().iter().map(|text| of_text(text?)).collect()
                }
            },
        };
        Some(LabelColumn { flags, cells, texts })
    }

    /// Returns 1 for an ordered item, else 0; null and blank text are 0. Or the reason why it is no label. `row` must
    /// be below the column's length.
    pub(super) fn get(&self, row: usize) -> Result<i32, Reason> {
        if self.flags.is_valid(row) {
            return Ok(i32::from(self.flags.value(row)));
        }
        let text = match &self.texts {
            Some(texts) => texts.get(row)?.map(str::to_owned),
            None => self.cells.is_valid(row).then(|| shown(&self.cells, row)),
        };
        match text.filter(|text| !text.trim_matches([' ', '\t']).is_empty()) {
            Some(text) => Err(format!("is {}, neither 0 nor 1", shortened(&text).escape_debug())),
            None => Ok(0),
        }
    }
}

fn flag<T: PartialEq>(number: T, zero: T, one: T) -> Option<bool> {
    (number == zero || number == one).then(|| number == one)
}

fn of_text(text: &str) -> Option<bool> {
    let text = text.trim_matches([' ', '\t']);
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => parse_id(text).ok().and_then(|number| flag(number, 0, 1)),
    }
}
