//! Times as object stores write them: seconds and milliseconds since 1970 to text, and back where it is needed.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a server tells when an object was written")]
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Year, month and day of a day since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// `2026-11-30T12:00:00.000Z`, as in XML.
pub fn iso(millis: i64) -> String {
    let (year, month, day) = date(millis.div_euclid(86_400_000));
    let rest = millis.rem_euclid(86_400_000);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1_000)
}

/// `Mon, 30 Nov 2026 12:00:00 GMT`, as in headers.
pub fn http(millis: i64) -> String {
    let days = millis.div_euclid(86_400_000);
    let (year, month, day) = date(days);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][usize::try_from(days.rem_euclid(7)).unwrap()];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months[usize::try_from(month - 1).unwrap()];
    format!("{weekday}, {day:02} {month} {year} {} GMT", &iso(millis)[11..19])
}

/// The time of `20261130T120000Z`, as in `x-amz-date`; `None` where it is none.
pub fn parse(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let seconds = number(9, 11)? * 3_600 + number(11, 13)? * 60 + number(13, 15)?;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((days * 86_400 + seconds) * 1_000)
}

#[test]
fn times_are_written_and_read() {
    for (millis, iso_text, http_text, amz) in [
        (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT", "19700101T000000Z"),
        (1_709_210_096_789, "2024-02-29T12:34:56.789Z", "Thu, 29 Feb 2024 12:34:56 GMT", "20240229T123456Z"),
        (1_796_040_000_000, "2026-11-30T12:00:00.000Z", "Mon, 30 Nov 2026 12:00:00 GMT", "20261130T120000Z"),
    ] {
        assert_eq!(iso(millis), iso_text);
        assert_eq!(http(millis), http_text);
        assert_eq!(parse(amz), Some(millis / 1_000 * 1_000));
    }
    assert_eq!(parse("yesterday"), None);
}
