//! Times: counts of a unit, and the forms of text.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use lookback::sources::{Sources, TimeUnit};

use super::{Cells, Content, integers, same, texts, typed};
use crate::support::input::us;

fn sources(unit: Option<TimeUnit>) -> Sources {
    let mut sources = Sources::default();
    sources.actions.iter_mut().for_each(|source| source.time_unit = unit);
    sources
}

/// What a store holds after actions at these instants.
fn at(times_us: &[i64]) -> Content {
    let times: TimestampMicrosecondArray = times_us.iter().map(|time| Some(*time)).collect();
    same("click_time", &[typed(times.with_timezone("UTC"))], &sources(None)).unwrap()
}

#[test]
fn a_count_is_the_same_time_in_every_format_and_type() {
    let time_us = us("2026-01-02T03:04:05Z");
    for (unit, per_unit) in
        [(TimeUnit::Seconds, 1_000_000), (TimeUnit::Milliseconds, 1_000), (TimeUnit::Microseconds, 1)]
    {
        let count = time_us / per_unit;
        let plain: ArrayRef = Arc::new(Int64Array::from(vec![count]));
        let types = [DataType::Int64, DataType::UInt64, DataType::Float64];
        let mut forms = integers(&plain, &types);
        forms.extend(integers(&plain, &[DataType::Decimal128(38, 0), DataType::Decimal256(76, 3)]));
        let text = count.to_string();
        let float = format!("{text}.0");
        forms.extend([&text, &float].map(|text| typed(StringArray::from(vec![text.as_str()]))));
        for cell in [text, float] {
            let cell: &'static str = cell.leak();
            forms.extend([
                Cells::Csv(vec![cell]),
                Cells::Json(vec![cell]),
                Cells::Json(vec![format!("\"{cell}\"").leak()]),
            ]);
        }
        assert!(same("click_time", &forms, &sources(Some(unit))).unwrap() == at(&[time_us]), "{}", unit.name());
    }
    let nanoseconds = Cells::Typed(Arc::new(Int64Array::from(vec![time_us * 1_000 + 999])));
    let forms = [nanoseconds, Cells::Csv(vec!["1767323045000000999"]), Cells::Json(vec!["1767323045000000999.9"])];
    assert!(same("click_time", &forms, &sources(Some(TimeUnit::Nanoseconds))).unwrap() == at(&[time_us]));
}

#[test]
fn a_fraction_is_cut_down_towards_the_past() {
    let time_us = us("2026-01-02T03:04:05.123456Z");
    let unscaled = vec![1_767_323_045_123_456_999_i128];
    let mut forms = vec![
        typed(Decimal128Array::from(unscaled).with_precision_and_scale(38, 9).unwrap()),
        typed(Float64Array::from(vec![1_767_323_045.123456])),
        Cells::Csv(vec!["1767323045.1234569"]),
        Cells::Json(vec!["1767323045.123456"]),
        Cells::Json(vec!["1.767323045123456E9"]),
    ];
    forms.extend(texts(&["1767323045.123456"]));
    assert!(same("click_time", &forms, &sources(Some(TimeUnit::Seconds))).unwrap() == at(&[time_us]));
    // The floats around a time of microseconds: each is the time that its text says.
    let times: Vec<i64> = (0..2_000).map(|number| time_us + number * 7_919).collect();
    let floats: Vec<f64> =
        times.iter().map(|time| format!("{}.{:06}", time / 1_000_000, time % 1_000_000).parse().unwrap()).collect();
    let floats = typed(Float64Array::from(floats));
    assert!(same("click_time", &[floats], &sources(Some(TimeUnit::Seconds))).unwrap() == at(&times));
    let cut = [typed(Float64Array::from(vec![1_767_323_045_123.75])), Cells::Csv(vec!["1767323045123.750999"])];
    let expected = at(&[us("2026-01-02T03:04:05.123750Z")]);
    assert!(same("click_time", &cut, &sources(Some(TimeUnit::Milliseconds))).unwrap() == expected);
}

#[test]
fn what_is_no_time_is_refused_in_the_same_words() {
    let seconds = sources(Some(TimeUnit::Seconds));
    let refused = |forms: &[Cells], sources: &Sources| same("click_time", forms, sources).unwrap_err();
    let outside = [
        typed(UInt64Array::from(vec![u64::MAX])),
        typed(Float64Array::from(vec![1.8446744073709552e19])),
        typed(Int64Array::from(vec![i64::MAX])),
        typed(Int64Array::from(vec![-1])),
        typed(Float64Array::from(vec![-0.25])),
        typed(Decimal128Array::from(vec![-25]).with_precision_and_scale(38, 2).unwrap()),
        Cells::Csv(vec!["18446744073709551615"]),
        Cells::Csv(vec!["-0.0000001"]),
        Cells::Json(vec!["1e30"]),
    ];
    assert_eq!(refused(&outside, &seconds), "click_time lies outside the years 1970 to 2261");
    let mut nan = vec![typed(StringArray::from(vec!["NaN"]))];
    nan.extend([typed(Float64Array::from(vec![f64::NAN])), Cells::Csv(vec!["NaN"]), Cells::Json(vec!["\"NaN\""])]);
    assert_eq!(refused(&nan, &seconds), "click_time is not an ISO 8601 time (\"NaN\")");
    let mut other = texts(&["2026-01-02 12:00:00 CET"]);
    other.extend([Cells::Csv(vec!["2026-01-02 12:00:00 CET"]), Cells::Json(vec!["\"2026-01-02 12:00:00 CET\""])]);
    assert_eq!(refused(&other, &sources(None)), "click_time is not an ISO 8601 time (\"2026-01-02 12:00:00 CET\")");
    let nulls = [DataType::Int64, DataType::Float64, DataType::Decimal128(38, 2), DataType::Utf8, DataType::Binary];
    let mut nulls: Vec<Cells> = nulls.iter().map(|to| Cells::Typed(arrow::array::new_null_array(to, 1))).collect();
    nulls.extend([Cells::Csv(vec![""]), Cells::Json(vec!["null"])]);
    assert_eq!(refused(&nulls, &seconds), "click_time is null");
}

/// The store is in New York: what has an offset is no wall time.
#[test]
fn every_way_to_write_an_offset_is_read_in_every_format() {
    let forms = [
        "2026-01-02 03:04:05 UTC",
        "2026-01-02 03:04:05.000000 UTC",
        "2026-01-02T03:04:05UTC",
        "2026-01-02 03:04:05 GMT",
        "2026-01-02 03:04:05 gmt",
        "2026-01-02 05:04:05+02:00",
        "2026-01-02 05:04:05+0200",
        "2026-01-02 05:04:05+02",
        "2026-01-02T05:04:05 +02:00",
        "2026-01-02 05:04:05 +0200",
        "2026-01-02 05:04:05 +02",
        "2026-01-01 22:04:05 -05",
        "2026-01-01 22:04:05",
        "2026-01-01T22:04:05.0",
    ];
    let expected = at(&[us("2026-01-02T03:04:05Z"); 14]);
    let quoted = forms.map(|form| -> &'static str { format!("{form:?}").leak() });
    let mut cells = texts(&forms);
    cells.extend([Cells::Csv(forms.to_vec()), Cells::Json(quoted.to_vec())]);
    assert!(same("click_time", &cells, &sources(None)).unwrap() == expected);
    let plain = [Cells::Csv(forms.to_vec()), Cells::Json(quoted.to_vec())];
    assert!(same("click_time", &plain, &sources(Some(TimeUnit::Seconds))).unwrap() == expected);
    // Text of one kind beside counts: which it is, each cell tells.
    let both = Cells::Csv(vec!["2026-01-02 03:04:05 UTC", "1767323045"]);
    let twice = at(&[us("2026-01-02T03:04:05Z"); 2]);
    assert!(same("click_time", &[both], &sources(Some(TimeUnit::Seconds))).unwrap() == twice);
    let days = [
        Cells::Typed(
            cast(&(Arc::new(arrow::array::Int32Array::from(vec![20_455])) as ArrayRef), &DataType::Date32).unwrap(),
        ),
        Cells::Csv(vec!["2026-01-02"]),
    ];
    assert!(same("click_time", &days, &sources(None)).unwrap() == at(&[us("2026-01-02T05:00:00Z")]));
}
