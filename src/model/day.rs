//! A calendar day.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// A calendar day in the store's zone, 1970-01-01 to 2261-12-31: the years in which an action may lie. In JSON, text as it is displayed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(i32);

/// Days from 0001-01-01 (day 1 of the Common Era, as chrono counts) to 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

/// The calendar date `number` days after 1970-01-01, also beyond the valid days; 1970-01-01 itself beyond what chrono can count.
pub(super) fn date_of(number: i32) -> NaiveDate {
    number.checked_add(EPOCH_FROM_CE).and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or_default()
}

impl Day {
    /// 1970-01-01.
    pub const FIRST: Day = Day(0);
    /// 2261-12-31.
    pub const LAST: Day = Day(106_650);

    /// The day that lies `number` days after 1970-01-01; `None` outside [`Day::FIRST`]..=[`Day::LAST`].
    pub fn from_number(number: i32) -> Option<Self> {
        (Self::FIRST.0..=Self::LAST.0).contains(&number).then_some(Day(number))
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The day of a calendar date; `None` outside the valid years.
    pub fn from_date(date: NaiveDate) -> Option<Self> {
        Self::from_number(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// The calendar date.
    pub fn date(self) -> NaiveDate {
        date_of(self.0)
    }

    /// The day after; `None` at the end of the valid years.
    pub fn next(self) -> Option<Self> {
        Self::from_number(self.0 + 1)
    }

    /// The day before; `None` at 1970-01-01.
    pub fn previous(self) -> Option<Self> {
        Self::from_number(self.0 - 1)
    }

    /// The day `days` earlier, or 1970-01-01 where that would be before it.
    pub fn minus(self, days: u32) -> Self {
        let number = i64::from(self.0) - i64::from(days);
        Day(i32::try_from(number.max(0)).unwrap_or(0))
    }

    /// Every day from this one to `last`, both included, in order; nothing if `last` is earlier.
    pub fn through(self, last: Day) -> impl DoubleEndedIterator<Item = Day> + Clone {
        (self.0..=last.0).map(Day)
    }
}

/// Names days for a person: in order, runs of three and more as `first..last`.
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

    /// Reads `YYYY-MM-DD`, ten characters, nothing else.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "a day is written YYYY-MM-DD, from 1970-01-01 to 2261-12-31";
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(Day::from_date);
        // The round trip refuses what chrono reads kindly, such as 2026-1-2, which no folder is named.
        day.filter(|day| day.to_string() == text).ok_or_else(|| wanted.to_owned())
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
    fn only_the_written_form_is_read() {
        for text in ["2026-1-02", "2026-02-30", "20260102", "2026-01-02 ", "1969-12-31", "2262-01-01", ""] {
            assert!(text.parse::<Day>().is_err(), "{text:?} was read as a day");
        }
        assert_eq!("2024-02-29".parse::<Day>().map(|day| day.number()), Ok(19_782));
    }
}
