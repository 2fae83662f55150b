//! A column that orders the rows of one time: its numbers are added to the time as microseconds.

use super::cells::Reason;
use super::column::IdColumn;
use crate::model::{Day, Zone};

/// The microseconds of a second.
const SECOND_US: i64 = 1_000_000;

/// The column, with its name.
pub(super) struct OrderColumn<'a> {
    pub name: &'a str,
    pub numbers: IdColumn,
}

impl<'a> OrderColumn<'a> {
    /// Returns the time of a row with its number added, which stays within the same second, or of a date within the
    /// same day. Fails with the column at fault, where it is this one, and the reason.
    pub(super) fn ordered(
        &self,
        row: usize,
        (time_us, day): (i64, Day),
        is_date: bool,
        zone: &Zone,
    ) -> Result<i64, (Option<&'a str>, Reason)> {
        let own = |reason| (Some(self.name), reason);
        let number = self.numbers.get(row).map_err(own)?;
        let (limit, of) = if is_date { (zone.end_of(day) - time_us, "day") } else { (SECOND_US, "second") };
        if !is_date && time_us % SECOND_US != 0 {
            return Err((None, format!("is finer than a second, so the column {} cannot order it", self.name)));
        }
        if !(0..limit).contains(&number) {
            return Err(own(format!("is {number}, but only 0 to {} order the rows of a {of}", limit - 1)));
        }
        Ok(time_us + number)
    }
}
