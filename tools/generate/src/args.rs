//! What was typed on the command line. What it means is [`crate::plan::Plan`].

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Parser, value_parser};

/// So many days fit between 1970 and 2261, the years whose times are good input.
const DAYS_MAX: i64 = 106_000;
/// Ids of customers have room for twice this many: half act, half are only ever shown something.
const CUSTOMERS_MAX: u64 = 1_000_000_000;
/// Item ids are 1 to a billion, each used once at most.
const ITEMS_MAX: u64 = 1_000_000_000;
/// A list is held in memory while it is made, and a page of no shop shows more.
const LIST_LENGTH_MAX: i64 = 1_000;
/// Part numbers have five digits.
const FILES_MAX: i64 = 99_999;
/// Beyond this a single customer makes nearly every action.
const SIGMA_MAX: f64 = 5.0;

/// Write synthetic days of clicks, carts, orders and impressions in the input layout of lookback.
///
/// The content of a day depends only on the seed, the other options and that day: days can be written separately and in
/// any order. Customers' activity is lognormal, items' popularity follows Zipf's law.
#[derive(Clone, Debug, Parser)]
#[command(name = "generate", version)]
pub struct Args {
    /// Folder to write into: the --input of lookback
    #[arg(long, value_name = "ROOT")]
    pub out: PathBuf,
    /// First day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub from: NaiveDate,
    /// Number of days
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=DAYS_MAX))]
    pub days: u32,
    /// Customers who act
    #[arg(long, default_value_t = 120_000, value_parser = value_parser!(u64).range(1..=CUSTOMERS_MAX))]
    pub customers: u64,
    /// Sigma of the customers' lognormal activity: 0 makes all alike, more makes a few do more of everything
    #[arg(long, default_value_t = 1.5, value_parser = sigma)]
    pub sigma: f64,
    /// Items in the catalogue
    #[arg(long, default_value_t = 200_000, value_parser = value_parser!(u64).range(1..=ITEMS_MAX))]
    pub items: u64,
    /// Actions a day, duplicates included
    #[arg(long, default_value_t = 500_000)]
    pub actions_per_day: u64,
    /// How many of the last days have impressions too
    #[arg(long, value_name = "K", default_value_t = 3)]
    pub impression_days: u32,
    /// Impression rows on such a day
    #[arg(long, default_value_t = 20_000)]
    pub impressions_per_day: u64,
    /// Items in the list of an impression row
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=LIST_LENGTH_MAX))]
    pub list_length: u32,
    /// Share of actions dated one to seven days before the day they arrive on
    #[arg(long, default_value_t = 0.01, value_parser = share)]
    pub late_share: f64,
    /// Share of actions with exactly the time of the customer's action before
    #[arg(long, default_value_t = 0.03, value_parser = share)]
    pub tie_share: f64,
    /// Share of rows that repeat the row before in every column
    #[arg(long, default_value_t = 0.001, value_parser = share)]
    pub duplicate_share: f64,
    /// Files in each day folder
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=FILES_MAX))]
    pub files_per_day: u32,
    /// Another seed makes other days of the same kind
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// A date in the one form that folder names use; chrono alone would take `2026-1-1` too.
fn date(text: &str) -> Result<NaiveDate, String> {
    match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) if date.to_string() == text => Ok(date),
        _ => Err("not a date of the form YYYY-MM-DD".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    number_up_to(text, 1.0)
}

fn sigma(text: &str) -> Result<f64, String> {
    number_up_to(text, SIGMA_MAX)
}

fn number_up_to(text: &str, max: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=max).contains(&value) => Ok(value),
        _ => Err(format!("not a number from 0 to {max}")),
    }
}
