//! A time as a text gives it.

use chrono::{NaiveDate, NaiveDateTime};

/// A time as a text gives it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WrittenTime {
    /// With an offset: microseconds since 1970-01-01 UTC.
    Utc(i64),
    /// Without an offset: a time in the store's zone.
    Wall(NaiveDateTime),
    /// A date alone.
    Date(NaiveDate),
}
