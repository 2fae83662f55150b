//! Arguments of the commands that maintain a store: removing, copying, migrating, checking.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::numbers;
use lookback::model::Day;

/// Arguments of `forget`.
#[derive(Args, Debug)]
pub(crate) struct Forget {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Whom, and where their rows are.
    #[command(flatten)]
    pub whom: Forgotten,
    /// Count what would be removed and list the partitions, but change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Customers to forget, and what becomes of their rows.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("whom").args(["customer", "customers"]).required(true).multiple(true)))]
pub(crate) struct Forgotten {
    /// The customers' ids: integers, or texts where the store's customers are text.
    #[arg(long, value_name = "ID", num_args = 1.., allow_negative_numbers = true)]
    pub customer: Vec<String>,
    /// A text file with one customer's id on each line.
    #[arg(long, value_name = "FILE")]
    pub customers: Option<PathBuf>,
    /// Output folders to search for partitions that still have rows of these customers; the partitions are listed.
    #[arg(long, value_name = "OUT", num_args = 1..)]
    pub out: Vec<PathBuf>,
    /// Rewrite these partitions without the rows of forgotten customers.
    #[arg(long, requires = "out")]
    pub scrub: bool,
}

/// Arguments of `prune`.
#[derive(Args, Debug)]
pub(crate) struct Prune {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Keep the actions of this many days before the day of the newest batch, and of that day.
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub keep_days: NonZeroU32,
    /// Count what would be removed, but remove nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Allow the removal of more than a tenth of the actions.
    #[arg(long)]
    pub allow_large_removal: bool,
}

/// Arguments of `remove`.
#[derive(Args, Debug)]
#[command(
    after_help = "Afterwards the store equals, key by key, a store that never had the batch. `backfill` over a range with that day ingests it again if \
                  its files are still there. Partitions that rest on the batch stay as they are; `lookback stale` lists them."
)]
pub(crate) struct Remove {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The batch to remove.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Print what would be removed, but remove nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `backup`.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Folder or URL of the backups; created if missing. Each further backup copies only new files.
    #[arg(long, value_name = "DIR|URL")]
    pub to: PathBuf,
    /// Delete all but the newest N backups afterwards [default: keep all].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub keep: Option<NonZeroU32>,
    /// With `--keep` at a URL: remove files that no backup uses when they are older than this, such as `24h` or `7d`;
    /// at least an hour [default: 24h].
    #[arg(long, value_name = "AGE", requires = "keep", value_parser = numbers::grace)]
    pub grace: Option<Duration>,
    /// Afterwards, but before backups are deleted, read all files of the backup, also those shared with earlier
    /// backups, and compare them with their checksums.
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `restore`.
#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// Folder or URL of the backups.
    #[arg(long, value_name = "DIR|URL")]
    pub from: PathBuf,
    /// Folder of the store to create.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Number of the backup [default: the newest].
    #[arg(long, value_name = "N", value_parser = numbers::number)]
    pub number: Option<u32>,
}

/// Arguments of `migrate`.
#[derive(Args, Debug)]
pub(crate) struct Migrate {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Take this machine's newer rules of the store's time zone, and assign every action to its day by these rules.
    #[arg(long)]
    pub take_zone_rules: bool,
    /// Print what would be done, but change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("what").args(["store", "backup"]).required(true)))]
pub(crate) struct Verify {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Also compute the content of each keyframe, and look up every key as readers do.
    #[arg(long, requires = "store")]
    pub deep: bool,
    /// Instead of a store, read every file of this folder or URL of backups and compare it with its checksum.
    #[arg(long, value_name = "DIR|URL")]
    pub backup: Option<PathBuf>,
    /// Number of the only backup to read [default: all backups].
    #[arg(long, value_name = "N", requires = "backup")]
    pub number: Option<u32>,
}

/// Arguments of `repair`.
#[derive(Args, Debug)]
pub(crate) struct Repair {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Count what would be written, but write nothing.
    #[arg(long)]
    pub dry_run: bool,
}
