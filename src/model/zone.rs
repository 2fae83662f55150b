//! A time zone: which day an instant belongs to, and when a day begins.
//!
//! Invariants:
//! - A day begins at the earliest instant whose local date is that day or a later one. A day that a zone skipped is
//!   empty.
//! - `day_of(t)` is the newest day that has started by `t`. So days never overlap and never step back, even where
//!   clocks do, and `time < start_of(d)` is equivalent to `day_of(time) < d`.
//! - A wall time that occurs twice means its earlier instant; a wall time that never occurs moves forward by the length
//!   of the gap, as in java.time (`ZonedDateTime.ofLocal`) and therefore Spark.
//! - All of this follows from the rules given to the zone, which a store records, and never from those of the running
//!   program.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDateTime};

use super::Day;
use super::zone_rules::{OffsetChange, RULES_BEGIN_S, RULES_END_S, ZoneRules};

const DAY_S: i64 = 86_400;
const DAY_US: i64 = DAY_S * SECOND_US;
const SECOND_US: i64 = 1_000_000;

/// The zone whose rules never change and so need no record.
const UTC: &str = "UTC";

/// A time zone with its rules. Memory: 0.9 MB, the beginning of each valid day, shared by clones; nothing for UTC.
#[derive(Clone, Debug)]
pub struct Zone {
    name: Arc<str>,
    rules: Arc<ZoneRules>,
    /// `starts[n]` is the first microsecond of day `n`; one entry more than the valid days. `None`: every day has 24
    /// hours from 0.
    starts: Option<Arc<[i64]>>,
}

impl Zone {
    /// The default zone of a store.
    pub fn utc() -> Self {
        Self::new(UTC, ZoneRules::utc())
    }

    /// Returns the zone of this name, with these rules.
    pub fn new(name: &str, rules: ZoneRules) -> Self {
        let starts = (!rules.is_utc()).then(|| beginnings(&rules).into());
        Zone { name: name.into(), rules: Arc::new(rules), starts }
    }

    /// Returns the IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the rules.
    pub fn rules(&self) -> &ZoneRules {
        &self.rules
    }

    /// Returns the fingerprint of the rules up to the beginning of a day, which determine all earlier days, instants
    /// and ages; `None` for UTC.
    pub(crate) fn rules_fingerprint(&self, until: Day) -> Option<String> {
        (!self.is_utc()).then(|| self.rules.fingerprint(Some(self.start_of(until))))
    }

    /// Whether this is the zone `UTC`, whose rules never change.
    pub fn is_utc(&self) -> bool {
        &*self.name == UTC
    }

    /// Returns the day of an instant (microseconds since 1970-01-01 UTC); `None` outside the valid years.
    pub fn day_of(&self, time_us: i64) -> Option<Day> {
        let guess = i32::try_from(time_us.div_euclid(DAY_US)).ok()?;
        let Some(starts) = &self.starts else {
            return Day::from_number(guess);
        };
        let has_begun = |number: i32| {
            usize::try_from(number).ok().and_then(|index| starts.get(index)).map(|start| *start <= time_us)
        };
        // Local time is within two days of UTC, so these loops take a few steps at most.
        let mut number = guess.clamp(Day::FIRST.number(), Day::LAST.number());
        while has_begun(number + 1) == Some(true) {
            number += 1;
        }
        while has_begun(number) == Some(false) {
            number -= 1;
        }
        Day::from_number(number)
    }

    /// Returns the first microsecond of a day: its cut-off, since everything earlier belongs to days before.
    pub fn start_of(&self, day: Day) -> i64 {
        self.start_of_number(day.number())
    }

    /// Returns the first microsecond after a day.
    pub fn end_of(&self, day: Day) -> i64 {
        self.start_of_number(day.number() + 1)
    }

    #[expect(clippy::indexing_slicing, reason = "there is a start of each valid day and of the one behind the last")]
    fn start_of_number(&self, number: i32) -> i64 {
        match &self.starts {
            Some(starts) => starts[number.unsigned_abs() as usize],
            None => i64::from(number) * DAY_US,
        }
    }

    /// Whether a day begins and ends as it does in `other`.
    pub(crate) fn has_day_of(&self, other: &Zone, day: Day) -> bool {
        (self.start_of(day), self.end_of(day)) == (other.start_of(day), other.end_of(day))
    }

    /// Returns the instant of a wall time in this zone, in microseconds since 1970-01-01 UTC.
    pub fn instant_of(&self, wall: NaiveDateTime) -> i64 {
        let wall_us = wall.and_utc().timestamp_micros();
        let wall_s = wall_us.div_euclid(SECOND_US);
        let changes = self.rules.changes();
        // Clocks are less than 26 hours from UTC, so all earlier changes precede the wall time.
        let first = changes.partition_point(|change| change.at_s < wall_s - 2 * DAY_S);
        let before = first.checked_sub(1).and_then(|place| changes.get(place));
        let mut offset_s = before.map_or(self.rules.first_offset_s(), |change| change.offset_s);
        for change in changes.iter().skip(first) {
            // The first span of one offset that contains this wall time, or that ends before it while the next span
            // starts after it.
            if wall_s - i64::from(offset_s) < change.at_s || wall_s < change.at_s + i64::from(change.offset_s) {
                break;
            }
            offset_s = change.offset_s;
        }
        wall_us - i64::from(offset_s) * SECOND_US
    }

    /// Formats the wall time of an instant as ISO 8601 with the offset; for people only.
    pub fn display(&self, time_us: i64) -> String {
        let format = if time_us % SECOND_US == 0 { "%Y-%m-%d %H:%M:%S%:z" } else { "%Y-%m-%d %H:%M:%S%.6f%:z" };
        let offset = FixedOffset::east_opt(self.rules.offset_at(time_us.div_euclid(SECOND_US)));
        match DateTime::from_timestamp_micros(time_us).zip(offset) {
            Some((time, offset)) => time.with_timezone(&offset).format(format).to_string(),
            None => format!("{time_us} us"),
        }
    }
}

/// Formats an instant in UTC to the microsecond, as RFC 3339 with a space: of fixed length, so texts sort as times do.
pub(crate) fn display_utc(time_us: i64) -> String {
    match chrono::DateTime::from_timestamp_micros(time_us) {
        Some(time) => time.format("%Y-%m-%d %H:%M:%S%.6f%:z").to_string(),
        None => format!("{time_us} us"),
    }
}

/// Returns the instant that [`display_utc`] formatted; `None` for any other text.
pub(crate) fn parse_utc(text: &str) -> Option<i64> {
    let time = chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.6f%:z").ok()?;
    Some(time.timestamp_micros()).filter(|time_us| display_utc(*time_us) == text)
}

/// Returns the beginning of each valid day, and of the day after the last: in the first span of one offset in which a
/// clock shows the day's midnight or later.
fn beginnings(rules: &ZoneRules) -> Vec<i64> {
    let ends = rules.changes().iter().map(|change| change.at_s).chain([RULES_END_S]);
    let first = OffsetChange { at_s: RULES_BEGIN_S, offset_s: rules.first_offset_s() };
    let mut spans = [first].into_iter().chain(rules.changes().iter().copied()).zip(ends).peekable();
    let numbers = Day::FIRST.number()..=Day::LAST.number() + 1;
    let beginning = |number: i32| {
        let midnight_s = i64::from(number) * DAY_S;
        while spans.peek().is_some_and(|(span, end_s)| end_s + i64::from(span.offset_s) <= midnight_s) {
            spans.next();
        }
        let start_s = spans.peek().map_or(midnight_s, |(span, _)| span.at_s.max(midnight_s - i64::from(span.offset_s)));
        start_s * SECOND_US
    };
    numbers.map(beginning).collect()
}
