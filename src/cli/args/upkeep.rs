//! What keeps a store in order: removing, copying, migrating, checking.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

/// Arguments of `forget`.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("whom").args(["customer", "customers"]).required(true).multiple(true)))]
pub struct Forget {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The customers' ids.
    #[arg(long, value_name = "ID", num_args = 1.., allow_negative_numbers = true)]
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
}

/// Arguments of `prune`.
#[derive(Args, Debug)]
pub struct Prune {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Keep the actions of this many days before the day of the newest batch, and of that day.
    #[arg(long, value_name = "N")]
    pub keep_days: NonZeroU32,
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
    #[arg(long, value_name = "N")]
    pub keep: Option<NonZeroU32>,
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
    #[arg(long, value_name = "N")]
    pub number: Option<u32>,
}

/// Arguments of `migrate`.
#[derive(Args, Debug)]
pub struct Migrate {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Name the steps that would be taken, and take none.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Work out the content of each keyframe too.
    #[arg(long)]
    pub deep: bool,
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
