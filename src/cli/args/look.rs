//! What looks into a store.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use crate::histories::Question;
use crate::model::Day;

/// Arguments of `show`.
#[derive(Args, Debug)]
pub struct Show {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The customer's id.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub customer: i64,
    /// Show what is from strictly before this day [default: the day after the newest batch].
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Option<Day>,
    /// Show only the newest N actions [default: all that the store keeps].
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// Options of `explain` and `get` that say what a history is; those of `produce` with the same names mean the same.
#[derive(Args, Debug)]
pub struct HistoryOptions {
    /// The newest N actions count [default: as many as the store keeps; not more].
    #[arg(long, value_name = "N")]
    pub max_history: Option<NonZeroU32>,
    /// Only actions of the N days before the day count [default: no limit].
    #[arg(long, value_name = "N")]
    pub lookback_days: Option<NonZeroU32>,
    /// Only batches up to and including this day count, as on the next morning.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub known_as_of: Option<Day>,
}

impl HistoryOptions {
    /// What was typed, for a day.
    pub fn question(&self, dt: Day) -> Question {
        Question {
            dt,
            max_history: self.max_history.map(|typed| usize::try_from(typed.get()).unwrap_or(usize::MAX)),
            lookback_days: self.lookback_days.map(u32::from),
            known_as_of: self.known_as_of,
        }
    }
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The day: its history is what is from strictly before it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// The customer's id.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub customer: i64,
    /// List only the actions on this item, with their places in the whole history.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub item: Option<i64>,
    /// List only the newest N of them [default: all].
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Which actions count.
    #[command(flatten)]
    pub history: HistoryOptions,
}

/// Arguments of `status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
}
