//! Arguments of the commands that produce rows, and the options that shape the rows.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::config::Configuration;
use super::fill::AllowedBatches;
use super::{numbers, words};
use lookback::model::{Day, ExtraColumn, ItemType, OrderKind, TableFormat, TypeType};
use lookback::output::Compression;
use lookback::produce::RowChoice;

/// Options of `produce` and `backfill` that shape the rows.
#[derive(Args, Debug)]
pub(crate) struct RowOptions {
    /// Length of the padded histories [default, and maximum: as many actions as the store keeps].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub max_history: Option<NonZeroU32>,
    /// Keep only actions of the N days before the day [default: no limit].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub lookback_days: Option<NonZeroU32>,
    /// Codec of the pages [default: zstd].
    #[arg(long, value_parser = words::codec())]
    pub compression: Option<Compression>,
    /// Rows of a row group, which a training reader decodes at once [default: 10000].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub row_group_rows: Option<NonZeroU32>,
    /// Rows of a part file, in whole row groups [default: 1000000].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub part_rows: Option<NonZeroU32>,
    /// Further columns: dt, history_length, action_ages (days before the day), action_times.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', value_parser = words::extra())]
    pub with: Option<Vec<ExtraColumn>>,
    /// Type of impression_item_id and of the elements of actions [default: int64]. Rows with an item that does not fit
    /// are refused.
    #[arg(long, value_parser = words::item_type())]
    pub item_type: Option<ItemType>,
    /// Type of the elements of action_types [default: int32].
    #[arg(long, value_parser = words::type_type())]
    pub type_type: Option<TypeType>,
    /// Order of the rows [default: customer].
    #[arg(long, value_parser = words::order())]
    pub order: Option<OrderKind>,
    /// Seed of a shuffled order: the same seed gives the same bytes [default: 0].
    #[arg(long, value_name = "N", requires = "order", value_parser = numbers::seed)]
    pub seed: Option<u64>,
    /// Make the output a Delta table: a commit for each partition, and the files of older versions stay.
    #[arg(long, value_parser = words::table())]
    pub table: Option<TableFormat>,
    /// Then remove the files that left the Delta table at least this long ago, such as 7d or 24h (1h or more).
    #[arg(long, value_name = "AGE", requires = "table", value_parser = numbers::grace)]
    pub vacuum: Option<Duration>,
    /// Continue although batches before the day are missing in the store.
    #[arg(long)]
    pub allow_gaps: bool,
    /// Continue although actions that the rows should have were pruned.
    #[arg(long)]
    pub allow_pruned: bool,
    /// Set bad rows aside as Parquet in this folder, or at this URL, instead of refusing them all.
    #[arg(long, value_name = "DIR")]
    pub quarantine: Option<PathBuf>,
}

impl RowOptions {
    /// Returns the options that were given.
    pub(crate) fn choice(&self) -> RowChoice {
        let number = |typed: Option<NonZeroU32>| typed.map(|typed| typed.get() as usize);
        RowChoice::default()
            .max_history(number(self.max_history))
            .lookback_days(self.lookback_days.map(u32::from))
            .compression(self.compression)
            .row_group_rows(number(self.row_group_rows))
            .part_rows(number(self.part_rows))
            .with(self.with.as_ref().map(|columns| columns.iter().copied().collect()))
            .item_type(self.item_type)
            .type_type(self.type_type)
            .order(self.order)
            .seed(self.seed)
    }
}

/// Arguments of `produce`.
#[derive(Args, Debug)]
pub(crate) struct Produce {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Input root, which holds impressions/dt=…/, or what the configuration names.
    // A call by another program may give rows in memory instead.
    #[arg(long, value_name = "ROOT", required = true)]
    pub input: Option<PathBuf>,
    /// How it is described.
    #[command(flatten)]
    pub config: Configuration,
    /// The day whose impressions become rows; all their actions are from before this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Output folder, new or with only partitions in it; the rows go to OUT/dt=…/.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// Use only batches up to and including this day, as a run on the next morning would have.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub known_as_of: Option<Day>,
    /// What the rows look like.
    #[command(flatten)]
    pub rows: RowOptions,
}

/// Arguments of `backfill`.
#[derive(Args, Debug)]
pub(crate) struct Backfill {
    /// Folder of the store; created if there is none.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Which days, and what becomes of them.
    #[command(flatten)]
    pub days: BackfilledDays,
}

/// A range of days that is backfilled, and how.
#[derive(Args, Debug)]
pub(crate) struct BackfilledDays {
    /// Input root.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// How it is described.
    #[command(flatten)]
    pub config: Configuration,
    /// First day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Day,
    /// Last day, included.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Day,
    /// Also produce the days of the range that have impressions, into this folder.
    #[arg(long, value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// Produce each day as known the day before, instead of from the whole store with its late data.
    #[arg(long, requires = "out")]
    pub as_daily: bool,
    /// Produce only existing partitions that are stale (`lookback stale` lists them), each with its own settings.
    #[arg(long, requires = "out", conflicts_with = "dry_run")]
    pub stale: bool,
    /// Accept days without any file as empty batches.
    #[arg(long)]
    pub allow_empty: bool,
    /// Other batches that are accepted.
    #[command(flatten)]
    pub allowed: AllowedBatches,
    /// Print the plan, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// What the rows look like.
    #[command(flatten)]
    pub rows: RowOptions,
}
