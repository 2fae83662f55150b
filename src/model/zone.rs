//! A time zone, and with it the days: which day an instant lies on, and when a day begins.
//!
//! Invariants:
//! - A day begins at the earliest instant whose local date is that day or a later one. A day that a zone skipped is empty.
//! - `day_of(t)` is the newest day that has begun by `t`. So days never overlap and never step back, even where clocks do, and
//!   `time < start_of(d)` says the same as `day_of(time) < d`.
//! - A wall time that happens twice means its earlier instant; one that never happens moves forward by the length of the gap, as
//!   java.time (`ZonedDateTime.ofLocal`), and so Spark, has it.

use std::sync::Arc;

use chrono::{MappedLocalTime, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::{GapInfo, Tz};

use super::Day;
use super::day::date_of;
use crate::error::{Error, Result};

const DAY_US: i64 = 86_400_000_000;

/// A time zone of the IANA database. Holds the beginning of each valid day: 0.9 MB, shared by clones; nothing for UTC.
#[derive(Clone, Debug)]
pub struct Zone {
    tz: Tz,
    /// `starts[n]` is the first microsecond of day `n`; one more than the valid days. `None`: every day has 24 hours from 0.
    starts: Option<Arc<[i64]>>,
}

impl Zone {
    /// The default zone of a store.
    pub fn utc() -> Self {
        Zone { tz: Tz::UTC, starts: None }
    }

    /// The zone of this IANA name, such as `Europe/Berlin`. Fails with what to write instead.
    pub fn named(name: &str) -> Result<Self> {
        let tz: Tz = name.parse().map_err(|_| {
            Error::usage(
                format!("there is no time zone named {name:?}"),
                "name one of the IANA database, such as UTC or Europe/Berlin",
            )
        })?;
        if tz == Tz::UTC {
            return Ok(Self::utc());
        }
        let numbers = Day::FIRST.number()..=Day::LAST.number() + 1;
        let starts = numbers.map(|number| beginning(tz, number)).collect();
        Ok(Zone { tz, starts: Some(starts) })
    }

    /// The IANA name.
    pub fn name(&self) -> &'static str {
        self.tz.name()
    }

    /// The day on which an instant (microseconds since 1970-01-01 UTC) lies; `None` outside the valid years.
    pub fn day_of(&self, time_us: i64) -> Option<Day> {
        let guess = i32::try_from(time_us.div_euclid(DAY_US)).ok()?;
        let Some(starts) = &self.starts else {
            return Day::from_number(guess);
        };
        let begun = |number: i32| {
            usize::try_from(number).ok().and_then(|index| starts.get(index)).map(|start| *start <= time_us)
        };
        // Local time is within two days of UTC, so these loops take at most a few steps.
        let mut number = guess.clamp(Day::FIRST.number(), Day::LAST.number());
        while begun(number + 1) == Some(true) {
            number += 1;
        }
        while begun(number) == Some(false) {
            number -= 1;
        }
        Day::from_number(number)
    }

    /// The first microsecond of a day: its cut-off, since everything earlier lies on days before.
    pub fn start_of(&self, day: Day) -> i64 {
        let start = self.starts.as_ref().and_then(|starts| starts.get(usize::try_from(day.number()).ok()?));
        start.copied().unwrap_or(i64::from(day.number()) * DAY_US)
    }

    /// The instant of a wall time in this zone, in microseconds since 1970-01-01 UTC.
    pub fn instant_of(&self, wall: NaiveDateTime) -> i64 {
        instant(self.tz, wall, |gap_us| gap_us)
    }

    /// The wall time of an instant, as ISO 8601 with the offset; for people, never for reading back.
    pub fn display(&self, time_us: i64) -> String {
        let format = if time_us % 1_000_000 == 0 { "%Y-%m-%d %H:%M:%S%:z" } else { "%Y-%m-%d %H:%M:%S%.6f%:z" };
        match self.tz.timestamp_micros(time_us) {
            MappedLocalTime::Single(time) => time.format(format).to_string(),
            _ => format!("{time_us} us"),
        }
    }
}

/// An instant in UTC to the microsecond, as RFC 3339 with a space: of one length, so that texts sort as times do.
pub fn display_utc(time_us: i64) -> String {
    match chrono::DateTime::from_timestamp_micros(time_us) {
        Some(time) => time.format("%Y-%m-%d %H:%M:%S%.6f%:z").to_string(),
        None => format!("{time_us} us"),
    }
}

/// The instant that [`display_utc`] wrote; `None` where it did not write this.
pub fn parse_utc(text: &str) -> Option<i64> {
    let time = chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.6f%:z").ok()?;
    Some(time.timestamp_micros()).filter(|time_us| display_utc(*time_us) == text)
}

/// When the day `number` begins. At a gap over midnight that is the end of the gap.
fn beginning(tz: Tz, number: i32) -> i64 {
    instant(tz, date_of(number).and_time(NaiveTime::MIN), |_| 0)
}

/// The instant of a wall time; inside a gap, the end of the gap plus `into_gap(microseconds since the gap began)`.
fn instant(tz: Tz, wall: NaiveDateTime, into_gap: impl Fn(i64) -> i64) -> i64 {
    match tz.from_local_datetime(&wall) {
        MappedLocalTime::Single(time) => time.timestamp_micros(),
        MappedLocalTime::Ambiguous(one, other) => one.timestamp_micros().min(other.timestamp_micros()),
        MappedLocalTime::None => {
            let gap = GapInfo::new(&wall, &tz).and_then(|gap| Some((gap.begin?.0, gap.end?)));
            match gap {
                Some((begin, end)) => end.timestamp_micros() + into_gap((wall - begin).num_microseconds().unwrap_or(0)),
                // A gap has both ends; were the database to say otherwise, UTC is the reading without a zone.
                None => wall.and_utc().timestamp_micros(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(text: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn days_of_23_and_25_hours() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let hours = |text: &str| (zone.start_of(day(text).next().unwrap()) - zone.start_of(day(text))) / 3_600_000_000;
        assert_eq!((hours("2026-03-29"), hours("2026-10-25"), hours("2026-06-01")), (23, 25, 24));
        assert_eq!(zone.start_of(day("2026-03-29")), us("2026-03-28T23:00:00Z"));
        assert_eq!(zone.start_of(day("2026-03-30")), us("2026-03-29T22:00:00Z"));
    }

    #[test]
    fn midnight_that_never_happens_begins_after_the_gap() {
        // Clocks in Sao Paulo went from 00:00 to 01:00 on 2018-11-04.
        let zone = Zone::named("America/Sao_Paulo").unwrap();
        assert_eq!(zone.start_of(day("2018-11-04")), us("2018-11-04T03:00:00Z"));
        assert_eq!(zone.day_of(us("2018-11-04T02:59:59Z")), Some(day("2018-11-03")));
    }

    #[test]
    fn midnight_that_happens_twice_begins_at_the_first() {
        // Clocks in St. John's went from 00:01 back to 23:01 on 2010-11-07: the minute after midnight came twice.
        let zone = Zone::named("America/St_Johns").unwrap();
        let start = zone.start_of(day("2010-11-07"));
        assert_eq!(start, us("2010-11-07T02:30:00Z"));
        assert_eq!(zone.day_of(start + 30 * 60_000_000), Some(day("2010-11-07")), "a day that has begun stays begun");
    }

    #[test]
    fn a_skipped_day_is_empty() {
        // Samoa skipped 2011-12-30.
        let zone = Zone::named("Pacific/Apia").unwrap();
        assert_eq!(zone.start_of(day("2011-12-30")), zone.start_of(day("2011-12-31")));
        assert_eq!(zone.day_of(us("2011-12-30T10:00:00Z")), Some(day("2011-12-31")));
        assert_eq!(zone.day_of(us("2011-12-30T09:59:59Z")), Some(day("2011-12-29")));
    }

    #[test]
    fn wall_times_in_gaps_and_overlaps_follow_java_time() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let wall = |text: &str| zone.instant_of(text.parse().unwrap());
        assert_eq!(wall("2026-03-29T02:30:00"), us("2026-03-29T03:30:00+02:00"));
        assert_eq!(wall("2026-10-25T02:30:00"), us("2026-10-25T02:30:00+02:00"));
        assert_eq!(wall("2026-07-01T12:00:00"), us("2026-07-01T12:00:00+02:00"));
    }

    #[test]
    fn day_of_is_the_inverse_of_start_of_in_every_zone() {
        for tz in chrono_tz::TZ_VARIANTS {
            let zone = Zone::named(tz.name()).unwrap();
            for number in (0..30_000).step_by(7).chain([Day::LAST.number()]) {
                let day = Day::from_number(number).unwrap();
                let start = zone.start_of(day);
                let empty = day.next().is_some_and(|next| zone.start_of(next) == start);
                if !empty {
                    assert_eq!(zone.day_of(start), Some(day), "{tz} {day}");
                }
                assert!(zone.day_of(start - 1) < Some(day), "{tz} {day}");
            }
        }
    }

    #[test]
    fn instants_outside_the_valid_years_have_no_day() {
        for zone in [Zone::utc(), Zone::named("Asia/Tokyo").unwrap(), Zone::named("America/New_York").unwrap()] {
            let first = zone.start_of(Day::FIRST);
            assert_eq!(zone.day_of(first), Some(Day::FIRST));
            assert_eq!(zone.day_of(first - 1), None);
            let end = zone.start_of(Day::LAST) + DAY_US;
            assert_eq!(zone.day_of(end - 1), Some(Day::LAST));
            assert_eq!(zone.day_of(end), None, "{}", zone.name());
            assert_eq!((zone.day_of(i64::MIN), zone.day_of(i64::MAX)), (None, None));
        }
    }
}
