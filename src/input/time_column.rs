//! Columns of times, of any type.

use std::cell::Cell;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, NaiveDateTime};

use super::column::{IdColumn, Reason, text_column};
use super::time_text::{WrittenTime, parse_time};
use crate::model::{Day, Zone};
use crate::sources;

/// The reason why a time outside the supported years is bad.
pub(super) const OUTSIDE: &str = "lies outside the years 1970 to 2261";

/// A column of times. A cell is read as microseconds since 1970-01-01 UTC; finer fractions are cut off (towards the
/// past).
pub(super) struct TimeColumn<'zone> {
    zone: &'zone Zone,
    cells: Cells,
    /// The unit of integers, and of texts that are whole numbers.
    counted_in: Option<sources::TimeUnit>,
    has_met_wall_times: Cell<bool>,
    was_date: Cell<bool>,
}

enum Cells {
    /// Counts of a unit since 1970-01-01 UTC, or since 1970-01-01 on the wall clock.
    Counts {
        values: Int64Array,
        unit: TimeUnit,
        wall: bool,
    },
    /// Days since 1970-01-01.
    Dates(Int32Array),
    /// Counts of the unit that the source config gives, since 1970-01-01 UTC.
    Integers(IdColumn, sources::TimeUnit),
    Texts(StringArray),
}

impl<'zone> TimeColumn<'zone> {
    /// Returns `None` unless the column has timestamps, dates or text, or has integers and the source config gives
    /// their unit.
    pub(super) fn new(source: &ArrayRef, zone: &'zone Zone, counted_in: Option<sources::TimeUnit>) -> Option<Self> {
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
            _ => match (text_column(source), counted_in) {
                (Some(texts), _) => Cells::Texts(texts),
                (None, unit) => {
                    let unit = unit?;
                    Cells::Integers(IdColumn::new(source)?, unit)
                }
            },
        };
        Some(TimeColumn { zone, cells, counted_in, has_met_wall_times: Cell::new(false), was_date: Cell::new(false) })
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
    pub(super) fn plain(&self) -> Option<(&[i64], &'zone Zone)> {
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
            Cells::Texts(values) if values.is_null(row) => return Err(null()),
            Cells::Counts { values, unit, wall } => {
                let count = microseconds(values.value(row), *unit).ok_or_else(outside)?;
                if *wall { self.wall(count).ok_or_else(outside)? } else { count }
            }
            Cells::Integers(values, unit) => unit.microseconds(values.get(row)?).ok_or_else(outside)?,
            Cells::Dates(values) => self.midnight(Day::from_number(values.value(row)).ok_or_else(outside)?),
            Cells::Texts(values) => {
                let text = values.value(row);
                let count = self.counted_in.and_then(|unit| Some((unit, text.trim().parse::<i64>().ok()?)));
                if let Some((unit, count)) = count {
                    let time_us = unit.microseconds(count).ok_or_else(outside)?;
                    return Ok((time_us, self.zone.day_of(time_us).ok_or_else(outside)?));
                }
                let unreadable = || format!("is not an ISO 8601 time ({:?})", shortened(text));
                match parse_time(text).ok_or_else(unreadable)? {
                    WrittenTime::Instant(time_us) => time_us,
                    WrittenTime::Wall(wall) => self.instant(wall),
                    WrittenTime::Date(date) => self.midnight(Day::from_date(date).ok_or_else(outside)?),
                }
            }
        };
        Ok((time_us, self.zone.day_of(time_us).ok_or_else(outside)?))
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

/// The beginning of a text, for a message.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoneinfo::bundled_zone;
    use arrow::array::{
        Date32Array, Date64Array, LargeStringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
        TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
    };
    use std::sync::Arc;

    fn read(array: impl Array + 'static, zone: &Zone) -> Vec<Result<i64, Reason>> {
        let array: ArrayRef = Arc::new(array);
        counted(array, zone, None)
    }

    fn counted(array: ArrayRef, zone: &Zone, unit: Option<sources::TimeUnit>) -> Vec<Result<i64, Reason>> {
        let column = TimeColumn::new(&array, zone, unit).unwrap();
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
        assert!(TimeColumn::new(&(Arc::new(Int64Array::from(vec![1])) as ArrayRef), &zone, None).is_none());
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
        let expected = [Err("does not fit a signed 64-bit integer".to_owned()), Err("is null".to_owned()), Ok(1_000)];
        assert_eq!(read(Arc::new(unsigned), ms), expected);
        let texts = StringArray::from(vec!["1433221332117", "2015-06-02T05:02:12.117Z", " 7 ", "x"]);
        let unreadable = Err("is not an ISO 8601 time (\"x\")".to_owned());
        let time = Ok(1_433_221_332_117_000);
        assert_eq!(read(Arc::new(texts), ms), [time.clone(), time, Ok(7_000), unreadable]);
        let stamped = TimestampMicrosecondArray::from(vec![7]).with_timezone("UTC");
        assert_eq!(read(Arc::new(stamped), ms), [Ok(7)], "a timestamp says its unit itself");
    }
}
