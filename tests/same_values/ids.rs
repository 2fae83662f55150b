//! Ids of customers and items.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Decimal256Array, Float32Array, Float64Array, Int64Array,
    RecordBatch, RecordBatchIterator, StringArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, i256};
use lookback::input::MemoryInput;
use lookback::sources::Sources;

use super::{Cells, integers, resources, same, texts, typed};

const COLUMNS: [(&str, &str); 2] = [("customer_id", "customer"), ("item_id", "item")];

fn int64(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Decimals of these unscaled values.
fn decimals(values: &[i128], precision: u8, scale: i8) -> Cells {
    typed(Decimal128Array::from(values.to_vec()).with_precision_and_scale(precision, scale).unwrap())
}

#[test]
fn an_id_is_the_same_in_every_format_and_type() {
    let sources = Sources::default();
    let plain = int64(&[7, 12]);
    let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::UInt32));
    let types = [
        DataType::Int64,
        DataType::Int32,
        DataType::Int16,
        DataType::Int8,
        DataType::UInt64,
        DataType::UInt32,
        DataType::UInt16,
        DataType::UInt8,
        DataType::Decimal32(9, 0),
        DataType::Decimal64(18, 0),
        DataType::Decimal128(38, 0),
        DataType::Decimal256(76, 0),
        DataType::Decimal32(9, 2),
        DataType::Decimal64(18, 9),
        DataType::Decimal128(20, 2),
        DataType::Decimal256(76, 38),
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        dictionary,
    ];
    let mut forms = integers(&plain, &types);
    forms.extend(texts(&["7", "12"]));
    forms.extend([[" 7", "12"], ["7.0", "12.00"]].map(|two| typed(StringArray::from(two.to_vec()))));
    for csv in [["7", "12"], ["7.0", "12.0"], ["\"7\"", "\"12\""], [" 7 ", "+12"], ["7.0E0", "1.2E1"]] {
        forms.push(Cells::Csv(csv.to_vec()));
    }
    for json in [["7", "12"], ["7.0", "12.00"], ["\"7\"", "\" 12\""], ["\"7.0\"", "\"12.0\""], ["0.7e1", "1.2E1"]] {
        forms.push(Cells::Json(json.to_vec()));
    }
    for (column, _) in COLUMNS {
        same(column, &forms, &sources).unwrap();
    }
}

#[test]
fn ids_at_the_ends_of_their_range_are_exact() {
    let sources = Sources::default();
    let (first, last) = (i64::MIN.to_string(), i64::MAX.to_string());
    let mut forms = vec![
        Cells::Typed(int64(&[i64::MIN, i64::MAX])),
        decimals(&[i64::MIN.into(), i64::MAX.into()], 38, 0),
        typed(
            Decimal256Array::from(vec![i256::from(i64::MIN), i256::from(i64::MAX)])
                .with_precision_and_scale(76, 0)
                .unwrap(),
        ),
        Cells::Csv(vec!["-9223372036854775808", "9223372036854775807"]),
        Cells::Json(vec!["-9223372036854775808", "\"9223372036854775807\""]),
    ];
    forms.extend(texts(&[&first, &last]));
    // The last floats that are no other integer.
    let floats = vec![
        Cells::Typed(int64(&[9_007_199_254_740_991, -9_007_199_254_740_991])),
        typed(Float64Array::from(vec![9_007_199_254_740_991.0, -9_007_199_254_740_991.0])),
        Cells::Csv(vec!["9007199254740991.0", "-9007199254740991.0"]),
        Cells::Json(vec!["9.007199254740991e15", "-9007199254740991.0"]),
    ];
    let narrow = vec![
        Cells::Typed(int64(&[16_777_215, -16_777_215])),
        typed(Float32Array::from(vec![16_777_215.0, -16_777_215.0])),
    ];
    for (column, _) in COLUMNS {
        for forms in [&forms, &floats, &narrow] {
            same(column, forms, &sources).unwrap();
        }
    }
}

#[test]
fn what_is_no_id_is_refused_in_the_same_words() {
    let sources = Sources::default();
    let unsigned = u64::MAX.to_string();
    for (column, key) in COLUMNS {
        let refused = |forms: Vec<Cells>, reason: &str| {
            let said = same(column, &forms, &sources).unwrap_err();
            assert_eq!(said, format!("{column} {reason}"));
        };
        let written = |text: &'static str, csv: &'static str, json: &'static str| -> Vec<Cells> {
            let bytes = typed(BinaryArray::from(vec![text.as_bytes()]));
            vec![typed(StringArray::from(vec![text])), bytes, Cells::Csv(vec![csv]), Cells::Json(vec![json])]
        };
        let mut forms = written("7.5", "7.5", "7.5");
        forms.extend([
            typed(Float64Array::from(vec![7.5])),
            typed(Float32Array::from(vec![7.5])),
            decimals(&[75], 38, 1),
            Cells::Json(vec!["\"7.5\""]),
        ]);
        refused(forms, "is not an integer (\"7.5\")");
        for (float, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let mut forms = vec![typed(StringArray::from(vec![text]))];
            forms.extend([typed(Float64Array::from(vec![float])), Cells::Csv(vec![text])]);
            refused(forms, &format!("is not an integer ({text:?})"));
        }
        let large = "9007199254740992.0";
        let mut forms = written(large, large, large);
        forms.extend([
            typed(Float64Array::from(vec![9_007_199_254_740_992.0])),
            decimals(&[90_071_992_547_409_920], 38, 1),
        ]);
        let rounded = |text: &str| {
            format!("is a float so large that it may have been rounded ({text:?}): write it as an integer")
        };
        refused(forms, &rounded(large));
        refused(vec![typed(Float32Array::from(vec![16_777_216.0]))], &rounded("16777216.0"));
        let zeros =
            "has leading zeros that an integer loses (\"0042\"): [ids] KEY = \"text\" in lookback.toml keeps them";
        refused(written("0042", "0042", "\"0042\""), &zeros.replace("KEY", key));
        let mut forms = written("18446744073709551615", "18446744073709551615", "18446744073709551615");
        forms.extend([
            typed(UInt64Array::from(vec![u64::MAX])),
            decimals(&[u64::MAX.into()], 38, 0),
            typed(
                Decimal256Array::from(vec![i256::from_i128(u64::MAX.into())]).with_precision_and_scale(76, 0).unwrap(),
            ),
        ]);
        let fits = format!(
            "does not fit a signed 64-bit integer ({unsigned:?}): [ids] {key} = \"text\" in lookback.toml takes it"
        );
        refused(forms, &fits);
        let code = format!("is not an integer (\"U13740\"): [ids] {key} = \"text\" in lookback.toml takes it");
        refused(written("U13740", "U13740", "\"U13740\""), &code);
        refused(written("12E5", "12E5", "12E5"), "is not an integer (\"12E5\")");
        let mut nulls: Vec<Cells> =
            [DataType::Int64, DataType::Utf8, DataType::Binary, DataType::Float64, DataType::Null]
                .into_iter()
                .chain([DataType::Decimal128(38, 0), DataType::Decimal128(38, 2)])
                .map(|to| Cells::Typed(arrow::array::new_null_array(&to, 1)))
                .collect();
        nulls.extend([Cells::Csv(vec![""]), Cells::Json(vec!["null"])]);
        refused(nulls, "is null");
        refused(vec![typed(BinaryArray::from(vec![&b"1\xff"[..]]))], "is not UTF-8");
    }
}

#[test]
fn a_type_without_ids_is_refused_for_all_rows_alike() {
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let dates = cast(&int64(&[7]), &DataType::Timestamp(TimeUnit::Second, None)).unwrap();
    for array in [flags, dates] {
        let rows = RecordBatch::try_from_iter([
            ("customer_id", int64(&[5])),
            ("item_id", Arc::clone(&array)),
            ("click_time", Arc::new(StringArray::from(vec!["2026-01-02"]))),
        ]);
        let rows = rows.unwrap();
        let reader = Box::new(RecordBatchIterator::new([Ok(rows.clone())], rows.schema()));
        let said = MemoryInput::new(&Sources::default(), &resources()).add("clicks", reader).unwrap_err().to_string();
        let needs = format!(
            "column item_id of type {}, but needs integers, decimals, whole floats, or text of digits",
            array.data_type()
        );
        assert!(said.contains(&needs), "{said}");
    }
}
