//! Arguments of the commands that check produced partitions.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::config::Configuration;
use super::numbers;
use lookback::model::Day;

/// Arguments of `audit`.
#[derive(Args, Debug)]
#[command(
    after_help = "Reads all raw files of the batches that the partition rests on, and ends with exit code 1 at the first difference. The message names \
                  file, row and column (and the place in a list), all counted from 1, the value, and the raw file and row that contradict it."
)]
pub(crate) struct Audit {
    /// Folder of the store that the partition was produced from.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// What is audited.
    #[command(flatten)]
    pub audited: Audited,
}

/// A partition that is audited, and how.
#[derive(Args, Debug)]
pub(crate) struct Audited {
    /// Input root, with the raw files that the store was filled from.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// How it is described, as it was then.
    #[command(flatten)]
    pub config: Configuration,
    /// Output folder, which holds dt=…/.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// The day of the partition.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Compare only the rows of N customers, and count the others [default: all].
    #[arg(long, value_name = "N", value_parser = numbers::at_least_one)]
    pub sample: Option<NonZeroU32>,
    /// Seed that selects the customers of the sample.
    #[arg(long, value_name = "K", default_value_t = 0, requires = "sample", value_parser = numbers::seed)]
    pub seed: u64,
}

/// Arguments of `stale`.
#[derive(Args, Debug)]
#[command(
    after_help = "A scheduler reads `stale` and `without_manifest` of the --json summary, or the exit code with --exit-code. \
                  `lookback backfill --stale` produces the stale partitions again."
)]
pub(crate) struct Stale {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Which output, and how it is judged.
    #[command(flatten)]
    pub judged: Judged,
}

/// An output whose partitions are judged, and how.
#[derive(Args, Debug)]
pub(crate) struct Judged {
    /// Output folder, which holds dt=…/.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// Judge each partition as known the day before its day: later batches do not count.
    #[arg(long)]
    pub as_daily: bool,
    /// Judge each partition as known on this day: later batches do not count.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "as_daily")]
    pub known_as_of: Option<Day>,
    /// Exit with 3 if a partition is listed, and with 0 only if none is.
    #[arg(long)]
    pub exit_code: bool,
}

/// Arguments of `diff`.
#[derive(Args, Debug)]
#[command(
    after_help = "Rows are matched by dt, ranking_id, customer_id and impression_pos, in any order; places in lists count from 1. Differences between the \
                  manifests in settings, batches and impression files are listed first, and do not count as differences of the rows. \
                  Exit code 0: the same rows; 3: different; 1: failed."
)]
pub(crate) struct Diff {
    /// First output folder, which holds dt=…/.
    #[arg(value_name = "OUT1")]
    pub one: PathBuf,
    /// Second output folder.
    #[arg(value_name = "OUT2")]
    pub other: PathBuf,
    /// Compare the partitions of this day [default: all days that are in both].
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Option<Day>,
    /// List at most N rows of each partition.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = numbers::whole)]
    pub limit: usize,
}

/// Arguments of `manifest`.
#[derive(Args, Debug)]
pub(crate) struct Manifest {
    /// Output folder, which holds dt=…/.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// The day of the partition.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Read the part files instead, and fail at the first that has changed since it was written.
    #[arg(long)]
    pub check: bool,
}
