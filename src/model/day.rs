//! A calendar day.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// A calendar day in the store's zone, 1970-01-01 to 2261-12-31: the years that actions may have. In JSON, the
/// displayed text.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(i32);

/// Days from 0001-01-01 (day 1 of the Common Era, as chrono counts) to 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

impl Day {
    /// 1970-01-01.
    pub const FIRST: Day = Day(0);
    /// 2261-12-31.
    pub const LAST: Day = Day(106_650);

    /// Returns the day `number` days after 1970-01-01; `None` outside [`Day::FIRST`]..=[`Day::LAST`].
    pub fn from_number(number: i32) -> Option<Self> {
        (Self::FIRST.0..=Self::LAST.0).contains(&number).then_some(Day(number))
    }

    /// Returns the days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Returns the day of a calendar date; `None` outside the valid years.
    pub fn from_date(date: NaiveDate) -> Option<Self> {
        Self::from_number(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// Returns the calendar date.
    pub fn date(self) -> NaiveDate {
        // From 1970-01-01; a day is never negative, and chrono has far later years than any day.
        NaiveDate::default() + Days::new(self.0.unsigned_abs().into())
    }

    /// Returns the next day; `None` at the end of the valid years.
    pub fn next(self) -> Option<Self> {
        Self::from_number(self.0 + 1)
    }

    /// Returns the previous day; `None` at 1970-01-01.
    pub fn previous(self) -> Option<Self> {
        Self::from_number(self.0 - 1)
    }

    /// Returns the day `days` earlier, at the earliest 1970-01-01.
    pub fn minus(self, days: u32) -> Self {
        Day(self.0.saturating_sub_unsigned(days).max(0))
    }

    /// Returns every day from this one to `last`, both included, in order; nothing if `last` is earlier.
    pub fn through(self, last: Day) -> impl DoubleEndedIterator<Item = Day> + Clone {
        (self.0..=last.0).map(Day)
    }
}

/// Lists days for a person: in order, runs of three or more as `first..last`.
pub fn name_days(days: &[Day]) -> String {
    let runs = days.chunk_by(|one, other| one.next() == Some(*other));
    let names = runs.flat_map(|run| match run {
        [first, _, .., last] => vec![format!("{first}..{last}")],
        few => few.iter().map(Day::to_string).collect(),
    });
    names.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date().format("%Y-%m-%d"))
    }
}

impl FromStr for Day {
    type Err = String;

    /// Reads `YYYY-MM-DD`, exactly ten characters. The error says what is wrong and what would be right.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "a day is written YYYY-MM-DD, such as 2026-01-31";
        let parts: Vec<&str> = text.split('-').collect();
        let number = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
        let [Some(year), Some(month), Some(on)] = parts.iter().map(|part| number(part)).collect::<Vec<_>>()[..] else {
            return Err(wanted.to_owned());
        };
        if !(1..=12).contains(&month) {
            return Err(format!("there is no month {month}; {wanted}"));
        }
        let beyond = "days are from 1970-01-01 to 2261-12-31";
        let first = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, 1));
        let first = first.ok_or(beyond)?;
        let Some(date) = first.with_day(on) else {
            let days = first.num_days_in_month();
            return Err(format!("{} has {days} days; {wanted}", first.format("%Y-%m")));
        };
        let day = Day::from_date(date).ok_or(beyond)?;
        // The round trip refuses dates in other spellings, such as 2026-1-2, which no folder has.
        if day.to_string() == text { Ok(day) } else { Err(format!("{wanted}: here {day}")) }
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_are_the_dates_they_say() {
        assert_eq!(Day::FIRST.to_string(), "1970-01-01");
        assert_eq!(Day::LAST.to_string(), "2261-12-31");
        assert_eq!("2261-12-31".parse(), Ok(Day::LAST));
        assert!(Day::LAST.next().is_none() && Day::FIRST.previous().is_none());
    }

    #[test]
    fn runs_of_days_are_named_by_their_ends() {
        let days: Vec<Day> = [1, 2, 4, 5, 6, 9].map(|number| Day::from_number(number).unwrap()).into();
        assert_eq!(name_days(&days), "1970-01-02, 1970-01-03, 1970-01-05..1970-01-07, 1970-01-10");
        assert_eq!(name_days(&[]), "");
    }

    #[test]
    fn what_is_no_day_is_answered_with_what_is_wrong() {
        let said = |text: &str| text.parse::<Day>().unwrap_err();
        assert_eq!(said("2026-01-32"), "2026-01 has 31 days; a day is written YYYY-MM-DD, such as 2026-01-31");
        assert_eq!(said("2026-02-29"), "2026-02 has 28 days; a day is written YYYY-MM-DD, such as 2026-01-31");
        assert!(said("2026-04-00").starts_with("2026-04 has 30 days"));
        assert!(
            said("2026-13-01").starts_with("there is no month 13;")
                && said("2026-0-1").starts_with("there is no month 0;")
        );
        assert!(said("2026-1-2").ends_with(": here 2026-01-02") && said("+2026-01-02").starts_with("a day is written"));
        for text in ["yesterday", "20260102", "2026-01", "2026-01-02T00", "2026-01-9999999999999", ""] {
            assert!(said(text).starts_with("a day is written YYYY-MM-DD"), "{text}");
        }
        for text in ["1969-12-31", "2262-01-01", "9999-01-01", "0000-01-01"] {
            assert_eq!(said(text), "days are from 1970-01-01 to 2261-12-31", "{text}");
        }
    }

    #[test]
    fn only_the_written_form_is_read() {
        for text in ["2026-1-02", "2026-02-30", "20260102", "2026-01-02 ", "1969-12-31", "2262-01-01", ""] {
            assert!(text.parse::<Day>().is_err(), "{text:?} was read as a day");
        }
        assert_eq!("2024-02-29".parse::<Day>().map(|day| day.number()), Ok(19_782));
    }
}
