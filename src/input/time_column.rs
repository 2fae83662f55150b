//! Columns of times, of any type.

use std::cell::Cell;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, NaiveDateTime};

use super::cells::{Reason, integers, shortened, unpacked};
use super::number_text::WrittenNumber;
use super::text_column::TextColumn;
use super::time_text::parse_time;
use crate::model::{Day, WrittenTime, Zone};
use crate::sources;
use crate::sources::{ActionSource, TimeFormat};

/// The reason why a time outside the supported years is bad.
pub(super) const OUTSIDE: &str = "lies outside the years 1970 to 2261";

/// A column of times. A cell is read as microseconds since 1970-01-01 UTC; finer fractions are cut off (towards the
/// past).
pub(super) struct TimeColumn<'a> {
    zone: &'a Zone,
    cells: Cells,
    /// The unit of numbers, also of those that are text.
    counted_in: Option<sources::TimeUnit>,
    /// The form of texts, if it is not ISO 8601.
    format: Option<&'a TimeFormat>,
    has_met_wall_times: Cell<bool>,
    was_date: Cell<bool>,
}

enum Cells {
    /// Counts of a unit since 1970-01-01 UTC, or since 1970-01-01 on the wall clock.
    Counts { values: Int64Array, unit: TimeUnit, wall: bool },
    /// Days since 1970-01-01.
    Dates(Int32Array),
    /// Counts of the unit that the source config gives, since 1970-01-01 UTC; null also where one is beyond 64 bits.
    Integers { values: Int64Array, unit: sources::TimeUnit, cells: ArrayRef },
    /// Texts; also floats, and decimals with a fraction, as the shortest text that stands for each.
    Texts(TextColumn),
}

impl<'a> TimeColumn<'a> {
    /// Returns `None` unless the column has timestamps, dates or text, or has numbers and the source config gives their
    /// unit.
    pub(super) fn new(source: &ArrayRef, zone: &'a Zone, described: &'a ActionSource) -> Option<Self> {
        let (counted_in, format) = (described.time_unit, described.time_format.as_ref());
        let cells = match source.data_type() {
            DataType::Timestamp(unit, written_zone) => {
                let values = cast(source, &DataType::Int64).ok()?;
                let values = values.as_primitive_opt::<arrow::datatypes::Int64Type>()?.clone();
                Cells::Counts { values, unit: *unit, wall: written_zone.is_none() }
            }
            DataType::Date32 => {
                let values = cast(source, &DataType::Int32).ok()?;
                Cells::Dates(values.as_primitive_opt::<arrow::datatypes::Int32Type>()?.clone())
            }
            DataType::Date64 => {
                let values = cast(&cast(source, &DataType::Date32).ok()?, &DataType::Int32).ok()?;
                Cells::Dates(values.as_primitive_opt::<arrow::datatypes::Int32Type>()?.clone())
            }
            _ => match TextColumn::new(source) {
                Some(texts) => Cells::Texts(texts),
                None => Self::numbers(&unpacked(source)?, counted_in?)?,
            },
        };
        let (has_met_wall_times, was_date) = (Cell::new(false), Cell::new(false));
        Some(TimeColumn { zone, cells, counted_in, format, has_met_wall_times, was_date })
    }

    fn numbers(cells: &ArrayRef, unit: sources::TimeUnit) -> Option<Cells> {
        if let Some(values) = integers(cells) {
            return Some(Cells::Integers { values, unit, cells: ArrayRef::clone(cells) });
        }
        let is_number = cells.data_type().is_floating() || cells.data_type().is_decimal();
        let texts = if is_number { cast(cells, &DataType::Utf8).ok()? } else { return None };
        Some(Cells::Texts(TextColumn::new(&texts)?))
    }

    /// Whether any time read so far was a wall time or a date, whose instant depends on the rules of the zone.
    pub(super) fn has_met_wall_times(&self) -> bool {
        self.has_met_wall_times.get()
    }

    /// Whether the time read last was a date.
    pub(super) fn was_date(&self) -> bool {
        self.was_date.get()
    }

    /// Returns all times and the zone of their days, if every row has an instant in microseconds.
    pub(super) fn plain(&self) -> Option<(&[i64], &'a Zone)> {
        match &self.cells {
            Cells::Counts { values, unit: TimeUnit::Microsecond, wall: false } if values.null_count() == 0 => {
                Some((values.values().as_ref(), self.zone))
            }
            _ => None,
        }
    }

    /// Returns the time in a row and its day, or the reason why it has none. `row` must be below the column's length.
    pub(super) fn get(&self, row: usize) -> Result<(i64, Day), Reason> {
        self.was_date.set(false);
        let outside = || OUTSIDE.to_owned();
        let null = || "is null".to_owned();
        let time_us = match &self.cells {
            Cells::Counts { values, .. } if values.is_null(row) => return Err(null()),
            Cells::Dates(values) if values.is_null(row) => return Err(null()),
            Cells::Integers { cells, .. } if cells.is_null(row) => return Err(null()),
            Cells::Counts { values, unit, wall } => {
                let count = microseconds(values.value(row), *unit).ok_or_else(outside)?;
                if *wall { self.wall(count).ok_or_else(outside)? } else { count }
            }
            Cells::Integers { values, .. } if values.is_null(row) => return Err(outside()),
            Cells::Integers { values, unit, .. } => unit.microseconds(values.value(row)).ok_or_else(outside)?,
            Cells::Dates(values) => self.midnight(Day::from_number(values.value(row)).ok_or_else(outside)?),
            Cells::Texts(texts) => self.written(texts.get(row)?.ok_or_else(null)?)?,
        };
        Ok((time_us, self.zone.day_of(time_us).ok_or_else(outside)?))
    }

    /// Returns the time that a text gives, or the reason why it gives none.
    fn written(&self, text: &str) -> Result<i64, Reason> {
        let outside = || OUTSIDE.to_owned();
        let counted = || {
            let unit = self.counted_in?;
            let trimmed = text.trim();
            let whole = trimmed.parse().ok().map(|count| unit.microseconds(count));
            whole.or_else(|| Some(WrittenNumber::parse(trimmed)?.microseconds(unit)))
        };
        // A text of the given form may be digits alone, which are then no count.
        let written = match self.format.map(|format| (format, format.parse(text))) {
            Some((_, Some(written))) => written,
            described => match (counted(), described) {
                (Some(time_us), _) => return time_us.ok_or_else(outside),
                (None, Some((format, _))) => {
                    return Err(format!("is not a time of the form {} ({:?})", format.text(), shortened(text)));
                }
                (None, None) => {
                    parse_time(text).ok_or_else(|| format!("is not an ISO 8601 time ({:?})", shortened(text)))?
                }
            },
        };
        Ok(match written {
            WrittenTime::Utc(time_us) => time_us,
            WrittenTime::Wall(wall) => self.instant(wall),
            WrittenTime::Date(date) => self.midnight(Day::from_date(date).ok_or_else(outside)?),
        })
    }

    fn wall(&self, count_us: i64) -> Option<i64> {
        Some(self.instant(DateTime::from_timestamp_micros(count_us)?.naive_utc()))
    }

    fn instant(&self, wall: NaiveDateTime) -> i64 {
        self.has_met_wall_times.set(true);
        self.zone.instant_of(wall)
    }

    fn midnight(&self, day: Day) -> i64 {
        self.has_met_wall_times.set(true);
        self.was_date.set(true);
        self.zone.start_of(day)
    }
}

fn microseconds(count: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Second => count.checked_mul(1_000_000),
        TimeUnit::Millisecond => count.checked_mul(1_000),
        TimeUnit::Microsecond => Some(count),
        TimeUnit::Nanosecond => Some(count.div_euclid(1_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoneinfo::bundled_zone;
    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Float64Array, LargeStringArray,
        StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray, UInt64Array,
    };
    use std::sync::Arc;

    fn read(array: impl Array + 'static, zone: &Zone) -> Vec<Result<i64, Reason>> {
        let array: ArrayRef = Arc::new(array);
        counted(array, zone, None)
    }

    fn counted(array: ArrayRef, zone: &Zone, unit: Option<sources::TimeUnit>) -> Vec<Result<i64, Reason>> {
        described(&array, zone, &ActionSource { time_unit: unit, ..clicks() })
    }

    fn clicks() -> ActionSource {
        ActionSource::built_in("clicks").unwrap()
    }

    fn described(array: &ArrayRef, zone: &Zone, source: &ActionSource) -> Vec<Result<i64, Reason>> {
        let column = TimeColumn::new(array, zone, source).unwrap();
        (0..array.len()).map(|row| column.get(row).map(|(time_us, _)| time_us)).collect()
    }

    #[test]
    fn every_unit_and_kind_of_the_contract() {
        let zone = bundled_zone("Europe/Berlin").unwrap();
        let hour = 3_600_000_000;
        let instant = |array| read(array, &zone);
        assert_eq!(instant(TimestampMicrosecondArray::from(vec![7]).with_timezone("UTC")), [Ok(7)]);
        assert_eq!(read(TimestampSecondArray::from(vec![7]).with_timezone("+05:00"), &zone), [Ok(7_000_000)]);
        assert_eq!(read(TimestampMillisecondArray::from(vec![7]).with_timezone("UTC"), &zone), [Ok(7_000)]);
        assert_eq!(read(TimestampNanosecondArray::from(vec![7_999]).with_timezone("UTC"), &zone), [Ok(7)]);
        assert_eq!(read(TimestampMicrosecondArray::from(vec![2 * hour]), &zone), [Ok(hour)], "wall time in winter");
        assert_eq!(read(Date32Array::from(vec![1]), &zone), [Ok(23 * hour)]);
        assert_eq!(read(Date64Array::from(vec![86_400_000]), &zone), [Ok(23 * hour)]);
        let texts = vec!["1970-01-02T00:00:00Z", "1970-01-02 00:00:00", "1970-01-02"];
        assert_eq!(read(LargeStringArray::from(texts), &zone), [Ok(24 * hour), Ok(23 * hour), Ok(23 * hour)]);
    }

    #[test]
    fn what_cannot_be_a_time_says_why() {
        let zone = Zone::utc();
        let reason =
            |results: Vec<Result<i64, Reason>>| results.into_iter().map(Result::unwrap_err).collect::<Vec<_>>();
        let outside = "lies outside the years 1970 to 2261";
        assert_eq!(reason(read(TimestampSecondArray::from(vec![i64::MAX, -1]), &zone)), [outside, outside]);
        assert_eq!(reason(read(TimestampMicrosecondArray::from(vec![None]), &zone)), ["is null"]);
        assert_eq!(reason(read(Date32Array::from(vec![i32::MAX, -1]), &zone)), [outside, outside]);
        assert_eq!(reason(read(StringArray::from(vec!["x"]), &zone)), ["is not an ISO 8601 time (\"x\")"]);
        assert!(TimeColumn::new(&(Arc::new(Int64Array::from(vec![1])) as ArrayRef), &zone, &clicks()).is_none());
    }

    #[test]
    fn integers_count_in_the_unit_of_the_source_and_are_instants() {
        let zone = bundled_zone("Europe/Berlin").unwrap();
        let outside = || Err("lies outside the years 1970 to 2261".to_owned());
        let read = |array: ArrayRef, unit| counted(array, &zone, Some(unit));
        let [s, ms, us, ns] = sources::TimeUnit::ALL;
        let int64 = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
        assert_eq!(read(int64(vec![7, i64::MAX, -90_000]), s), [Ok(7_000_000), outside(), outside()]);
        assert_eq!(read(int64(vec![1_433_221_332_117]), ms), [Ok(1_433_221_332_117_000)]);
        assert_eq!(read(int64(vec![i64::MAX, i64::MIN, 5]), us), [outside(), outside(), Ok(5)]);
        assert_eq!(read(int64(vec![5_999]), ns), [Ok(5)]);
        let unsigned = UInt64Array::from(vec![Some(u64::MAX), None, Some(1)]);
        let expected = [outside(), Err("is null".to_owned()), Ok(1_000)];
        assert_eq!(read(Arc::new(unsigned), ms), expected);
        let texts = StringArray::from(vec!["1433221332117", "2015-06-02T05:02:12.117Z", " 7 ", "x"]);
        let unreadable = Err("is not an ISO 8601 time (\"x\")".to_owned());
        let time = Ok(1_433_221_332_117_000);
        assert_eq!(read(Arc::new(texts), ms), [time.clone(), time, Ok(7_000), unreadable]);
        let stamped = TimestampMicrosecondArray::from(vec![7]).with_timezone("UTC");
        assert_eq!(read(Arc::new(stamped), ms), [Ok(7)], "a timestamp says its unit itself");
    }

    #[test]
    fn a_number_of_any_type_is_the_same_time() {
        let zone = bundled_zone("Europe/Berlin").unwrap();
        let seconds = |array: ArrayRef| counted(array, &zone, Some(sources::TimeUnit::Seconds));
        let time = Ok(1_767_323_045_123_456);
        let decimals = Decimal128Array::from(vec![Some(1_767_323_045_123_456_999), Some(-90_000_000_000_000), None]);
        let decimals = decimals.with_precision_and_scale(38, 9).unwrap();
        let outside = || Err(OUTSIDE.to_owned());
        assert_eq!(seconds(Arc::new(decimals)), [time.clone(), outside(), Err("is null".to_owned())]);
        // No float is this fraction; the shortest text that stands for the nearest one is.
        assert_eq!(
            seconds(Arc::new(Float64Array::from(vec![1_767_323_045.123456, -1.0e300]))),
            [time.clone(), outside()]
        );
        let texts = vec!["1767323045.123456", " 1.767323045123456E9", "1767323045.1234569", "18446744073709551616"];
        let expected = [time.clone(), time.clone(), time.clone(), outside()];
        assert_eq!(seconds(Arc::new(StringArray::from(texts.clone()))), expected);
        let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).chain([&b"\xff"[..]]).collect();
        let mut with_broken = expected.to_vec();
        with_broken.push(Err("is not UTF-8".to_owned()));
        assert_eq!(seconds(Arc::new(BinaryArray::from(bytes))), with_broken);
        let nan = seconds(Arc::new(Float64Array::from(vec![f64::NAN])));
        assert_eq!(nan, seconds(Arc::new(StringArray::from(vec!["NaN"]))), "in the same words");
        assert_eq!(nan, [Err("is not an ISO 8601 time (\"NaN\")".to_owned())]);
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        let unit = Some(sources::TimeUnit::Seconds);
        assert!(TimeColumn::new(&flags, &zone, &ActionSource { time_unit: unit, ..clicks() }).is_none());
    }

    #[test]
    fn texts_of_a_given_form() {
        let zone = bundled_zone("Europe/Berlin").unwrap();
        let read = |format: &str, unit, texts: Vec<&str>| {
            let texts: ArrayRef = Arc::new(StringArray::from(texts));
            let time_format = Some(TimeFormat::new(format).unwrap());
            described(&texts, &zone, &ActionSource { time_format, time_unit: unit, ..clicks() })
        };
        let noon = 1_767_351_600_000_000;
        let wrong = |text: &str| Err(format!("is not a time of the form %d.%m.%Y %H:%M ({text:?})"));
        let found = read("%d.%m.%Y %H:%M", None, vec!["02.01.2026 12:00", "2026-01-02T12:00:00", "7"]);
        assert_eq!(found, [Ok(noon), wrong("2026-01-02T12:00:00"), wrong("7")], "wall time, and no other form");
        assert_eq!(read("%d.%m.%Y %H:%M %z", None, vec!["02.01.2026 12:00 +0100"]), [Ok(noon)]);
        let midnight = noon - 12 * 3_600_000_000;
        assert_eq!(read("%d.%m.%Y", None, vec!["02.01.2026"]), [Ok(midnight)]);
        let seconds = Some(sources::TimeUnit::Seconds);
        assert_eq!(read("%Y%m%d", seconds, vec!["20260102", "1767351600"]), [Ok(midnight), Ok(noon)]);
        assert_eq!(
            read("%d.%m.%Y", None, vec!["02.01.1969", "01.01.2300"]).iter().filter(|time| time.is_err()).count(),
            2
        );
    }
}
