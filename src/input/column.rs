//! Columns of integers, most of them ids, of any type that files and record batches may have.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float16Type, Float32Type, Float64Type, Int64Type};

use super::cells::{Reason, integers, shown, unpacked};
use super::id_text::{IdFault, parse_id};
use super::text_column::TextColumn;
use crate::model::IdKind;

/// The types of ids, as they follow "needs" in a message.
pub(super) const ID_TYPES: &str = "integers, decimals, whole floats, or text of digits";

/// A column of ids, or of other integers, as int64.
pub(crate) struct IdColumn {
    values: Int64Array,
    cells: Cells,
    of: Option<IdKind>,
}

/// The cells as they are given, for the reason why one is no id.
enum Cells {
    Integers(ArrayRef),
    Floats(ArrayRef),
    Texts(TextColumn),
}

impl IdColumn {
    /// Returns `None` if the column has none of [`ID_TYPES`]. `of` says whose ids it has, `None` for other integers.
    pub(crate) fn new(source: &ArrayRef, of: Option<IdKind>) -> Option<Self> {
        let source = unpacked(source)?;
        let (values, cells) = match source.data_type() {
            DataType::Float64 => (whole::<Float64Type>(&source, f64::MANTISSA_DIGITS), Cells::Floats(source)),
            DataType::Float32 => (whole::<Float32Type>(&source, f32::MANTISSA_DIGITS), Cells::Floats(source)),
            DataType::Float16 => (whole::<Float16Type>(&source, 11), Cells::Floats(source)),
            _ => match integers(&source) {
                Some(values) => (values, Cells::Integers(source)),
                None => {
                    // A decimal with a fraction is read as it is written.
                    let is_decimal = source.data_type().is_decimal();
                    let texts = if is_decimal { cast(&source, &DataType::Utf8).ok()? } else { source };
                    let texts = TextColumn::new(&texts)?;
                    (texts.texts().iter().map(|text| parse_id(text?).ok()).collect(), Cells::Texts(texts))
                }
            },
        };
        Some(IdColumn { values, cells, of })
    }

    /// The ids, null where a row has none.
    pub(super) fn values(&self) -> &Int64Array {
        &self.values
    }

    /// The id in a row, or the reason why it has none. `row` must be below the column's length.
    pub(crate) fn get(&self, row: usize) -> Result<i64, Reason> {
        if self.values.is_valid(row) {
            return Ok(self.values.value(row));
        }
        let (text, fault) = match &self.cells {
            Cells::Integers(cells) | Cells::Floats(cells) if cells.is_null(row) => return Err("is null".to_owned()),
            Cells::Integers(cells) => (shown(cells, row), IdFault::TooLarge),
            Cells::Floats(cells) => {
                let text = shown(cells, row);
                let fault = parse_id(&text).err().unwrap_or(IdFault::Rounded);
                (text, fault)
            }
            Cells::Texts(texts) => {
                let text = texts.get(row)?.ok_or("is null")?;
                (text.to_owned(), parse_id(text).err().unwrap_or(IdFault::NotInteger))
            }
        };
        Err(fault.reason(&text, self.of))
    }

    /// Whether a row has no id. `row` must be below the column's length.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        match &self.cells {
            Cells::Integers(cells) | Cells::Floats(cells) => cells.is_null(row),
            Cells::Texts(texts) => matches!(texts.get(row), Ok(None)),
        }
    }
}

/// Returns the whole floats of so few digits that each is exact; null for others. `digits` are those of the type.
fn whole<T: ArrowPrimitiveType<Native: Into<f64>>>(source: &ArrayRef, digits: u32) -> Int64Array {
    let exact = f64::from(2_u8).powi(digits.cast_signed());
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 2^53")]
    source.as_primitive::<T>().unary_opt::<_, Int64Type>(|value| {
        let value: f64 = value.into();
        (value.abs() < exact && value.fract() == 0.0).then_some(value as i64)
    })
}
