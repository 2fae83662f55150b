//! Times written as text.

use chrono::{NaiveDate, NaiveTime};

use crate::model::WrittenTime;

/// Parses ISO 8601 in its extended form: `YYYY-MM-DD`, then `T` or a space and `hh:mm[:ss[.fraction]]`, then `Z`,
/// `UTC`, `GMT` or an offset (`+hh:mm`, `+hhmm`, `+hh`), each with or without spaces before it, or nothing. Fractions
/// finer than a microsecond are cut off. `None` for any other text.
pub(super) fn parse_time(text: &str) -> Option<WrittenTime> {
    let text = text.trim();
    let date = date(text.get(..10)?)?;
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else { return Some(WrittenTime::Date(date)) };
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let begins_zone = |byte| matches!(byte, b'Z' | b'z' | b'+' | b'-' | b'U' | b'u' | b'G' | b'g');
    let zone_at = rest.bytes().position(begins_zone).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    let clock = clock.trim_end();
    let wall = date.and_time(usual_time_of_day(clock.as_bytes()).or_else(|| time_of_day(clock))?);
    match zone {
        "" => Some(WrittenTime::Wall(wall)),
        utc if ["Z", "UTC", "GMT"].iter().any(|name| utc.eq_ignore_ascii_case(name)) => {
            Some(WrittenTime::Utc(wall.and_utc().timestamp_micros()))
        }
        offset => Some(WrittenTime::Utc(wall.and_utc().timestamp_micros() - offset_us(offset)?)),
    }
}

/// Parses a date of ten characters, with digits where they belong.
fn date(text: &str) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
}

/// Parses `hh:mm:ss`, with or without a fraction of one to nine digits, the form of nearly all times. `None` for any
/// other form, which may still be valid.
fn usual_time_of_day(text: &[u8]) -> Option<NaiveTime> {
    let ([h1, h2, b':', m1, m2, b':', s1, s2], fraction) = text.split_first_chunk::<8>()? else { return None };
    let nanoseconds = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            (digits.len()..9).try_fold(number(digits)?, |number, _| number.checked_mul(10))?
        }
        _ => return None,
    };
    NaiveTime::from_hms_nano_opt(number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?, nanoseconds)
}

/// Parses at most nine digits and nothing else.
fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |number: u32, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn dates_and_usual_times_are_as_chrono_has_them(
            day in "[0-9]{4}-[01][0-9]-[0-3][0-9]",
            clock in "[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?",
        ) {
            prop_assert_eq!(date(&day), NaiveDate::parse_from_str(&day, "%Y-%m-%d").ok());
            // Chrono decides about a leap second.
            let usual = usual_time_of_day(clock.as_bytes());
            prop_assert!(usual.is_none() || usual == time_of_day(&clock), "{}: {:?}", clock, usual);
            prop_assert!(usual.is_some() || clock[6..8] == *"60" || time_of_day(&clock).is_none(), "{}", clock);
        }
    }

    #[test]
    fn forms_that_are_read() {
        let instant = |text: &str| match parse_time(text) {
            Some(WrittenTime::Utc(us)) => us,
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
            "2026-01-02 13:00:00 +0100",
            "2026-01-02 07:00:00.000 -05",
            "2026-01-02 12:00:00 UTC",
            "2026-01-02 12:00:00.000000 UTC",
            "2026-01-02T12:00:00GMT",
            "2026-01-02 12:00 gmt",
            "2026-01-02 12:00:00 Z",
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
            "2026-01-02 12:00:00 UTC+1",
            "2026-01-02 12:00:00 UT",
            "2026-01-02 12:00:00 CET",
            "2026-01-02 UTC",
            "2026-01-02T12:00:00+é1",
            "2026-01-é2",
            "٢٠٢٦-01-02",
            "2026-01-02T12:00:0é",
        ] {
            assert_eq!(parse_time(text), None, "{text:?}");
        }
    }
}
