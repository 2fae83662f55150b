//! The form of times that are text, in the language of chrono.

use std::fmt::Write as _;

use chrono::format::{Fixed, Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveTime};

use crate::model::WrittenTime;

/// A valid form of times.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimeFormat {
    text: String,
    items: Vec<Item<'static>>,
}

/// The instant that a format has to write and read back when it is checked: one with a fraction of a second.
const SAMPLE: (i64, u32) = (1_767_323_045, 123_456_789);

impl TimeFormat {
    /// Parses a format. Fails with what is wrong, as a phrase that follows the text.
    pub fn new(text: &str) -> Result<Self, String> {
        // As in Python, `.%f` is a fraction. Chrono would take `.5` for five nanoseconds.
        let chrono = text.replace(".%f", "%.f");
        let items = |text: &str| StrftimeItems::new(text).parse_to_owned();
        let unknown = |_| "has a % that begins nothing known".to_owned();
        let format = TimeFormat { text: text.to_owned(), items: items(&chrono).map_err(unknown)? };
        if format.items.contains(&Item::Fixed(Fixed::TimezoneName)) {
            return Err("has %Z, the name of a zone, which is no offset".to_owned());
        }
        // Chrono reads %#z but does not write it.
        let written = items(&chrono.replace("%#z", "%z")).map_err(unknown)?;
        let mut sample = String::new();
        let (seconds, nanoseconds) = SAMPLE;
        let parsed = DateTime::from_timestamp(seconds, nanoseconds)
            .and_then(|time| write!(sample, "{}", time.format_with_items(written.iter())).ok())
            .and_then(|()| format.parsed(&sample));
        let parsed = parsed.ok_or("cannot be read back as it is written")?;
        if parsed.timestamp().is_none() && parsed.to_naive_date().is_err() {
            return Err("does not contain the date: it needs a day, a month and a year".to_owned());
        }
        match time_of(&parsed) {
            Ok(_) => Ok(format),
            Err(()) => Err("has a part of the time of day without the parts above it (%H, or %I with %p)".to_owned()),
        }
    }

    /// Returns the text as a person typed it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Parses a time: with `%z` or `%s` an instant, without a time of day a date. Fractions finer than a microsecond
    /// are cut off. `None` for a text of another form.
    pub(crate) fn parse(&self, text: &str) -> Option<WrittenTime> {
        let parsed = self.parsed(text.trim())?;
        if let Some(time_s) = parsed.timestamp() {
            let fraction_us = i64::from(parsed.nanosecond().unwrap_or(0) / 1_000);
            return Some(WrittenTime::Utc(time_s.checked_mul(1_000_000)?.checked_add(fraction_us)?));
        }
        let date = parsed.to_naive_date().ok()?;
        let time = time_of(&parsed).ok()?;
        Some(match (parsed.offset(), time) {
            (Some(offset_s), time) => {
                let wall = date.and_time(time.unwrap_or(NaiveTime::MIN));
                WrittenTime::Utc(wall.and_utc().timestamp_micros() - i64::from(offset_s) * 1_000_000)
            }
            (None, Some(time)) => WrittenTime::Wall(date.and_time(time)),
            (None, None) => WrittenTime::Date(date),
        })
    }

    fn parsed(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        // An hour alone is the full hour.
        if parsed.hour_mod_12().is_some() && parsed.minute().is_none() {
            parsed.set_minute(0).ok()?;
        }
        Some(parsed)
    }
}

/// Returns the time of day, `None` if no part of it is given. Fails if parts are missing.
fn time_of(parsed: &Parsed) -> Result<Option<NaiveTime>, ()> {
    let parts = [parsed.hour_div_12(), parsed.hour_mod_12(), parsed.minute(), parsed.second(), parsed.nanosecond()];
    match parsed.to_naive_time() {
        _ if parsed.timestamp().is_some() || parts.iter().all(Option::is_none) => Ok(None),
        time => time.map(Some).map_err(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<WrittenTime> {
        TimeFormat::new(format).unwrap_or_else(|why| panic!("{format} {why}")).parse(text)
    }

    #[test]
    fn forms_of_exports() {
        let wall = |text: &str| Some(WrittenTime::Wall(text.parse().unwrap()));
        let instant = |text: &str| {
            let time = DateTime::parse_from_rfc3339(text).unwrap();
            Some(WrittenTime::Utc(time.timestamp_micros()))
        };
        assert_eq!(read("%d.%m.%Y %H:%M", " 02.01.2026 03:04 "), wall("2026-01-02T03:04:00"));
        assert_eq!(read("%m/%d/%y %I:%M:%S %p", "1/2/26 3:04:05 PM"), wall("2026-01-02T15:04:05"));
        assert_eq!(read("%Y%m%d%H", "2026010203"), wall("2026-01-02T03:00:00"));
        assert_eq!(read("%Y%m%dT%H%M%S%.f", "20260102T030405.123456789"), wall("2026-01-02T03:04:05.123456789"));
        for fraction in [".%f", "%.f"] {
            let format = format!("%d/%b/%Y:%H:%M:%S{fraction} %z");
            assert_eq!(read(&format, "02/Jan/2026:03:04:05.5 +0200"), instant("2026-01-02T03:04:05.5+02:00"));
            assert_eq!(
                read(&format, "02/Jan/2026:03:04:05.123456 -05:30"),
                instant("2026-01-02T03:04:05.123456-05:30")
            );
        }
        assert_eq!(read("%Y-%m-%d %H:%M:%S%#z", "2026-01-02 03:04:05+02"), instant("2026-01-02T03:04:05+02:00"));
        assert_eq!(read("%Y-%m-%d %z", "2026-01-02 +0200"), instant("2026-01-02T00:00:00+02:00"));
        assert_eq!(read("%d.%m.%Y", "02.01.2026"), Some(WrittenTime::Date("2026-01-02".parse().unwrap())));
        assert_eq!(read("%Y-%j", "2026-002"), Some(WrittenTime::Date("2026-01-02".parse().unwrap())));
        assert_eq!(read("%s", "1767323045"), instant("2026-01-02T03:04:05Z"));
        for text in ["2026-01-02", "31.02.2026", "02.01.2026 10:00", "02.01.", ""] {
            assert_eq!(read("%d.%m.%Y", text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_format_says_why() {
        let why = |text: &str| TimeFormat::new(text).unwrap_err();
        assert!(why("%Y-%m-%d %H:%M:%S %Z").contains("%Z"));
        assert!(why("%Y-%m-%d %Q").contains("nothing known"));
        for text in ["%H:%M", "%m-%d", "%Y-%m", "%d.%m. %H:%M", "noon", "%Y-W%V", "%A"] {
            assert!(why(text).contains("does not contain the date"), "{text}: {}", why(text));
        }
        for text in ["%Y-%m-%d %I:%M", "%Y-%m-%d :%M", "%Y-%m-%d %p", "%Y-%m-%d %H%.f", "%Y-%m-%d %S"] {
            assert!(why(text).contains("a part of the time of day"), "{text}: {}", why(text));
        }
    }
}
