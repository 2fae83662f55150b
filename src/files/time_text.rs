//! Times written as text.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A time as it was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WrittenTime {
    /// With an offset: microseconds since 1970-01-01 UTC.
    Instant(i64),
    /// Without one: to be read in the store's zone.
    Wall(NaiveDateTime),
    /// A date alone.
    Date(NaiveDate),
}

/// Reads ISO 8601 in its extended form: `YYYY-MM-DD`, then `T` or a space and `hh:mm[:ss[.fraction]]`, then `Z` or an offset (`+hh:mm`,
/// `+hhmm`, `+hh`) or nothing. Anything finer than a microsecond is cut off. `None` for everything else.
pub fn parse_time(text: &str) -> Option<WrittenTime> {
    let text = text.trim();
    let date = date(text.get(..10)?)?;
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else { return Some(WrittenTime::Date(date)) };
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    let wall = date.and_time(time_of_day(clock.trim_end())?);
    match zone {
        "" => Some(WrittenTime::Wall(wall)),
        "Z" | "z" => Some(WrittenTime::Instant(wall.and_utc().timestamp_micros())),
        offset => Some(WrittenTime::Instant(wall.and_utc().timestamp_micros() - offset_us(offset)?)),
    }
}

/// Ten characters, digits where they belong: chrono alone would take `2026-1-02x`.
fn date(text: &str) -> Option<NaiveDate> {
    let formed = text.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    formed.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    let format = if text.len() > 5 { "%H:%M:%S%.f" } else { "%H:%M" };
    // Two digits for each part: without this, `1:2:3` would pass.
    let whole = text.get(..text.len().min(8))?;
    let formed = whole.bytes().enumerate().all(|(place, byte)| match place {
        2 | 5 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    formed.then(|| NaiveTime::parse_from_str(text, format).ok()).flatten()
}

fn offset_us(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    if ![hours, minutes].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_are_read() {
        let instant = |text: &str| match parse_time(text) {
            Some(WrittenTime::Instant(us)) => us,
            other => panic!("{text}: {other:?}"),
        };
        let noon = 1_767_355_200_000_000;
        for text in [
            "2026-01-02T12:00:00Z",
            "2026-01-02 12:00:00z",
            "2026-01-02T12:00Z",
            "2026-01-02 13:00:00+01:00",
            "2026-01-02T13:00:00+0100",
            "2026-01-02T07:30:00-04:30",
            "2026-01-02 13:00:00+01",
            "2026-01-02 13:00:00 +01:00",
            " 2026-01-02T12:00:00.0000009Z ",
        ] {
            assert_eq!(instant(text), noon, "{text}");
        }
        assert_eq!(instant("2026-01-02T12:00:00.25Z"), noon + 250_000);
        assert_eq!(instant("2026-01-02T12:00:00.123456789Z"), noon + 123_456);
        let wall = "2026-01-02T03:04:05".parse().unwrap();
        assert_eq!(parse_time("2026-01-02 03:04:05"), Some(WrittenTime::Wall(wall)));
        assert_eq!(parse_time("2026-01-02"), Some(WrittenTime::Date(wall.date())));
    }

    #[test]
    fn forms_that_are_not() {
        for text in [
            "",
            "2026",
            "2026-1-2",
            "2026-02-30",
            "2026-01-02T",
            "2026-01-02T25:00:00Z",
            "2026-01-02X12:00:00",
            "2026-01-02T12:00:00+1",
            "2026-01-02T12:00:00+01:60",
            "2026-01-02T1:2:3",
            "1767355200",
            "02.01.2026",
            "2026-01-02T12:00:00ZZ",
            "2026-01-02T12:00:00+é1",
            "2026-01-é2",
            "٢٠٢٦-01-02",
            "2026-01-02T12:00:0é",
        ] {
            assert_eq!(parse_time(text), None, "{text:?}");
        }
    }
}
