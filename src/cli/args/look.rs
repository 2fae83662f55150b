//! Arguments of the commands that inspect a store.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::numbers;
use lookback::histories::Question;
use lookback::model::Day;

/// Arguments of `show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The customer's id: an integer, or text where the store's customers are text.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub customer: String,
    /// Show actions from strictly before this day [default: the day after the newest batch].
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Option<Day>,
    /// Show only the newest N actions [default: all that the store keeps].
    #[arg(long, value_name = "N", value_parser = numbers::whole)]
    pub limit: Option<usize>,
}

/// Options of `explain` and `get` that define a history; options of `produce` with the same names mean the same.
#[derive(Args, Debug)]
pub(crate) struct HistoryOptions {
    /// Use only the newest N actions [default, and maximum: as many as the store keeps].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub max_history: Option<NonZeroU32>,
    /// Use only actions of the N days before the day [default: no limit].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub lookback_days: Option<NonZeroU32>,
    /// Use only batches up to and including this day, as on the next morning.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub known_as_of: Option<Day>,
}

impl HistoryOptions {
    /// Returns the question, for a day.
    pub(crate) fn question(&self, dt: Day) -> Question {
        Question::new(dt)
            .max_history(self.max_history.map(|typed| typed.get() as usize))
            .lookback_days(self.lookback_days.map(u32::from))
            .known_as_of(self.known_as_of)
    }
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The day; the history has actions from strictly before this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// The customer's id: an integer, or text where the store's customers are text.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub customer: String,
    /// List only the actions on this item, with their places in the whole history.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub item: Option<String>,
    /// List only the newest N actions [default: all].
    #[arg(long, value_name = "N", value_parser = numbers::whole)]
    pub limit: Option<usize>,
    /// Which actions count.
    #[command(flatten)]
    pub history: HistoryOptions,
}

/// Arguments of `get`.
#[derive(Args, Debug)]
#[command(
    after_help = "Columns: customer_id (int64), and the lists actions (item ids, int64), action_types (int32: 1 click, 2 add to cart, 3 order) and \
                  action_times (microseconds in UTC), newest first and without padding; where the store's customers are text, also customer_text. One line for each customer, in ascending order \
                  of ids; a customer without history has empty lists; forgotten customers are left out and counted. The same store and \
                  customers give the same bytes."
)]
pub(crate) struct Get {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The day; histories have actions from strictly before this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// The customers' ids: integers, or texts where the store's customers are text.
    #[arg(long, value_name = "ID", num_args = 1.., allow_negative_numbers = true, required_unless_present = "customers")]
    pub customer: Vec<String>,
    /// A text file with one customer's id on each line; - for stdin.
    #[arg(long, value_name = "FILE")]
    pub customers: Option<PathBuf>,
    /// Write to this file instead of stdout; it appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Format of the output [default: by the extension of --out (.arrow, .parquet, .jsonl), else jsonl].
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Which actions count.
    #[command(flatten)]
    pub history: HistoryOptions,
    /// Continue although batches before the day are missing in the store.
    #[arg(long)]
    pub allow_gaps: bool,
    /// Continue although actions that the histories should have were pruned.
    #[arg(long)]
    pub allow_pruned: bool,
}

/// How histories are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// A stream of Arrow IPC
    Arrow,
    /// One Parquet file
    Parquet,
    /// JSON lines
    Jsonl,
}

/// Arguments of `status`.
#[derive(Args, Debug)]
pub(crate) struct Status {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
}

/// Arguments of `report`.
#[derive(Args, Debug)]
pub(crate) struct Report {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Output folder, which holds dt=…/; the report then also shows its rows.
    #[arg(long, alias = "out-dir", value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// The page to write, one file that needs no network.
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// The title of the page.
    #[arg(long, value_name = "TEXT", default_value = "lookback report")]
    pub title: String,
}
