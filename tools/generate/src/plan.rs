//! What the command line means: the laws to draw from, the days to write and the size of each.

use std::ffi::OsString;
use std::path::PathBuf;

use chrono::{Datelike, Days, NaiveDate};
use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::args::Args;
use crate::arrivals::{LATE_DAYS_MAX, Shares};
use crate::customer::Customers;
use crate::item::Items;

/// Times outside these years are not good input, and a late action must not be dated before the first.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2261;

/// Everything that decides the content of a day, and which days to write.
#[derive(Debug)]
pub struct Plan {
    pub(crate) out: PathBuf,
    pub(crate) seed: u64,
    pub(crate) customers: Customers,
    pub(crate) items: Items,
    pub(crate) shares: Shares,
    pub(crate) actions_per_day: u64,
    pub(crate) impressions_per_day: u64,
    pub(crate) list_length: u32,
    pub(crate) files_per_day: u32,
    first: NaiveDate,
    last: NaiveDate,
    first_with_impressions: NaiveDate,
}

impl Plan {
    /// Takes the words of a command line, the program's name first. Fails where they are wrong, do not go together, or
    /// ask for help or the version.
    pub fn parse(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let args = Args::try_parse_from(words)?;
        Self::new(args).map_err(|sentence| Args::command().error(ErrorKind::ValueValidation, sentence))
    }

    /// Takes the arguments as typed; fails with one sentence when they do not go together.
    fn new(args: Args) -> Result<Self, String> {
        let day = |index: u32| args.from.checked_add_days(Days::new(index.into()));
        let (Some(last), Some(first_with_impressions)) =
            (day(args.days.saturating_sub(1)), day(args.days.saturating_sub(args.impression_days)))
        else {
            return Err(format!("{} days from {} do not fit in the calendar", args.days, args.from));
        };
        let earliest = args.from.checked_sub_days(Days::new(LATE_DAYS_MAX.into())).unwrap_or(NaiveDate::MIN);
        if !YEARS.contains(&earliest.year()) || !YEARS.contains(&last.year()) {
            return Err(format!(
                "{} to {last}, with actions up to {LATE_DAYS_MAX} days late, is not within the years {} to {}",
                args.from,
                YEARS.start(),
                YEARS.end()
            ));
        }
        if u64::from(args.list_length) > args.items {
            return Err(format!(
                "--list-length {} is more than --items {}, but a list shows an item only once",
                args.list_length, args.items
            ));
        }
        Ok(Self {
            customers: Customers::new(args.customers, args.sigma),
            items: Items::new(args.items).map_err(|error| format!("--items {}: {error}", args.items))?,
            shares: Shares { late: args.late_share, tie: args.tie_share, duplicate: args.duplicate_share },
            out: args.out,
            seed: args.seed,
            actions_per_day: args.actions_per_day,
            impressions_per_day: args.impressions_per_day,
            list_length: args.list_length,
            files_per_day: args.files_per_day,
            first: args.from,
            last,
            first_with_impressions,
        })
    }

    /// The days to write, in order.
    pub fn dates(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.last;
        self.first.iter_days().take_while(move |date| *date <= last)
    }

    /// Whether this day is among the last ones, which have impressions.
    pub fn has_impressions(&self, date: NaiveDate) -> bool {
        (self.first_with_impressions..=self.last).contains(&date)
    }
}
