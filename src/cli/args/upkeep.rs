//! What keeps a store in order: removing, copying, migrating, checking.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::numbers;
use lookback::model::Day;

/// Arguments of `forget`.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("whom").args(["customer", "customers"]).required(true).multiple(true)))]
pub struct Forget {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The customers' ids.
    #[arg(long, value_name = "ID", num_args = 1.., allow_negative_numbers = true, value_parser = numbers::id)]
    pub customer: Vec<i64>,
    /// A text file with one customer's id on each line.
    #[arg(long, value_name = "FILE")]
    pub customers: Option<PathBuf>,
    /// Output folders in which to look for partitions that still have rows of these customers; they are listed.
    #[arg(long, value_name = "OUT", num_args = 1..)]
    pub out: Vec<PathBuf>,
    /// Rewrite these partitions without the rows of forgotten customers.
    #[arg(long, requires = "out")]
    pub scrub: bool,
    /// Count what would be removed and list the partitions, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `prune`.
#[derive(Args, Debug)]
pub struct Prune {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Keep the actions of this many days before the day of the newest batch, and of that day.
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub keep_days: NonZeroU32,
    /// Count what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Remove it although it is more than a tenth of the actions.
    #[arg(long)]
    pub allow_large_removal: bool,
}

/// Arguments of `remove`.
#[derive(Args, Debug)]
#[command(
    after_help = "Afterwards the store is, key by key, one that never had the batch. `backfill` over a range with that day takes it again where its files are \
                  still there. Partitions that rest on it stay as they are, and `lookback stale` lists them."
)]
pub struct Remove {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The batch to remove.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `backup`.
#[derive(Args, Debug)]
pub struct Backup {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Folder of the backups; created if it is not there. Each further backup copies only what is new.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Afterwards delete all but the newest N backups [default: keep all].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub keep: Option<NonZeroU32>,
    /// Then read the whole backup, also files that it shares with earlier ones, and compare each with its checksum;
    /// before any is deleted.
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `restore`.
#[derive(Args, Debug)]
pub struct Restore {
    /// Folder of the backups.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// Folder of the store to make.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Which backup [default: the newest].
    #[arg(long, value_name = "N", value_parser = numbers::number)]
    pub number: Option<u32>,
}

/// Arguments of `migrate`.
#[derive(Args, Debug)]
pub struct Migrate {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Take the newer rules of the store's time zone that this machine has, and put every action on its day by these.
    #[arg(long)]
    pub take_zone_rules: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("what").args(["store", "backup"]).required(true)))]
pub struct Verify {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Work out the content of each keyframe too, and look every key up as readers do.
    #[arg(long, requires = "store")]
    pub deep: bool,
    /// In place of a store: read every file of this folder of backups and compare it with its checksum.
    #[arg(long, value_name = "DIR")]
    pub backup: Option<PathBuf>,
    /// Only of this backup [default: of all].
    #[arg(long, value_name = "N", requires = "backup")]
    pub number: Option<u32>,
}

/// Arguments of `repair`.
#[derive(Args, Debug)]
pub struct Repair {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Count what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}
