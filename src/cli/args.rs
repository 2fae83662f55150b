//! What can be typed.

use std::num::{NonZeroU8, NonZeroU32};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::files::Compression;
use crate::model::Day;
use crate::produce::RowChoice;

/// Materialised customer history: for every item shown to a customer, that customer's most recent actions from strictly before that day.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit codes: 0 done, 1 refused or failed (one sentence on stderr), 2 wrong usage.")]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Print one JSON summary on stdout; messages stay on stderr.
    #[arg(long, global = true)]
    pub json: bool,

    /// How many threads to use [default: one per core]. The result is the same with any number.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroU8>,

    /// How much memory to take at most, such as 512MB or 8GiB [default: half of what the machine or its control group has].
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
    pub memory_limit: Option<u64>,
}

/// A number of bytes with a unit: B, kB, MB, GB (thousands), KiB, MiB, GiB (1,024s); without one, bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match text.get(digits.len()..).unwrap_or_default().trim().to_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        other => return Err(format!("{other:?} is no unit: give B, kB, MB, GB, KiB, MiB or GiB")),
    };
    let number: u64 = digits.parse().map_err(|_| "give a whole number and a unit, such as 512MB".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "is more than any machine has".to_owned())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a store with settings other than the defaults; they are fixed for its life.
    Init(Init),
    /// Take one day's batch of clicks, add-to-carts and orders, replacing what was held of it.
    Ingest(Ingest),
    /// Write the training rows of one day: its impressions with each customer's history from strictly before it.
    Produce(Produce),
    /// Ingest a range of days, those not held yet or changed; with --out, also produce its days that have impressions.
    Backfill(Backfill),
    /// Show one customer's history as of a day, as a table.
    Show(Show),
    /// Show what a store holds: batches, gaps, customers, actions, bytes, format version.
    Status(Status),
    /// Write a page with plots about a store and the partitions produced from it; open it in a browser.
    Report(Report),
    /// Remove customers from a store and from its files, for good, and print a receipt.
    Forget(Forget),
    /// Remove the actions of days long past from a store and from its files.
    Prune(Prune),
    /// Copy what a store holds into a folder of backups, beside a running ingest or not.
    Backup(Backup),
    /// Make a store from a backup, comparing every file with its checksum.
    Restore(Restore),
    /// Prove a partition's rows: derive them from the raw files another way, and compare every cell.
    Audit(Audit),
    /// List the partitions that would change, since batches they rest on were added, replaced or removed.
    Stale(Stale),
    /// Show what a partition says of itself: settings, files, and the batches that its rows rest on.
    Manifest(Manifest),
    /// Bring a store to the format version of this program.
    Migrate(Migrate),
    /// Read everything in a store and check it against itself; changes nothing.
    Verify(Verify),
    /// Make anew what a store derives from its portions, where it differs: keyframes, index, roster, totals.
    Repair(Repair),
}

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct Init {
    /// Folder of the store to create.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// How many of the most recent actions a history keeps [1 to 100000].
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_history: u32,
    /// IANA time zone in which days begin, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub timezone: String,
}

/// Arguments of `ingest`.
#[derive(Args, Debug)]
pub struct Ingest {
    /// Folder of the store; created if it is not there.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Input root, which holds clicks/dt=…/, add_to_carts/dt=…/ and orders/dt=…/.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// The batch to take: the day on which its files arrived.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Take a day without any file as an empty batch.
    #[arg(long)]
    pub allow_empty: bool,
    /// Set bad rows aside as Parquet in this folder instead of refusing the batch.
    #[arg(long, value_name = "DIR")]
    pub quarantine: Option<PathBuf>,
}

/// Options of `produce` and `backfill` that shape the rows.
#[derive(Args, Debug)]
pub struct RowOptions {
    /// Length of the padded histories [default: what the store keeps; not more].
    #[arg(long, value_name = "N")]
    pub max_history: Option<NonZeroU32>,
    /// Keep only actions of the N days before the day [default: no limit].
    #[arg(long, value_name = "N")]
    pub lookback_days: Option<NonZeroU32>,
    /// Codec of the output's pages [default: zstd].
    #[arg(long, value_enum)]
    pub compression: Option<Codec>,
    /// Rows of a row group: what a training reader decodes at once [default: 10000].
    #[arg(long, value_name = "N")]
    pub row_group_rows: Option<NonZeroU32>,
    /// Rows of a part file, in whole row groups [default: 1000000].
    #[arg(long, value_name = "N")]
    pub part_rows: Option<NonZeroU32>,
    /// Go on although batches before the day are missing in the store.
    #[arg(long)]
    pub allow_gaps: bool,
    /// Go on although actions that the rows should have were pruned.
    #[arg(long)]
    pub allow_pruned: bool,
    /// Set bad rows aside as Parquet in this folder instead of refusing them all.
    #[arg(long, value_name = "DIR")]
    pub quarantine: Option<PathBuf>,
}

impl RowOptions {
    /// What was typed, and what was not.
    pub fn choice(&self) -> RowChoice {
        let number = |typed: Option<NonZeroU32>| typed.map(|typed| usize::try_from(typed.get()).unwrap_or(usize::MAX));
        RowChoice {
            max_history: number(self.max_history),
            lookback_days: self.lookback_days.map(u32::from),
            compression: self.compression.map(Compression::from),
            row_group_rows: number(self.row_group_rows),
            part_rows: number(self.part_rows),
        }
    }
}

/// Arguments of `produce`.
#[derive(Args, Debug)]
pub struct Produce {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Input root, which holds impressions/dt=…/.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// The day whose impressions become rows; all their actions are from before it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Output folder; the rows go to OUT/dt=…/.
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
pub struct Backfill {
    /// Folder of the store; created if it is not there.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Input root.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
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
    /// Produce only the partitions that are there and stale, as `lookback stale` names them, each with the settings that it has.
    #[arg(long, requires = "out", conflicts_with = "dry_run")]
    pub stale: bool,
    /// Take days without any file as empty batches.
    #[arg(long)]
    pub allow_empty: bool,
    /// Print what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// What the rows look like.
    #[command(flatten)]
    pub rows: RowOptions,
}

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

/// Arguments of `status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
}

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct Report {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Output folder, which holds dt=…/: shows the rows produced too.
    #[arg(long, value_name = "OUT")]
    pub out_dir: Option<PathBuf>,
    /// The page to write, one file that needs no network.
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// The title of the page.
    #[arg(long, value_name = "TEXT", default_value = "lookback report")]
    pub title: String,
}

/// Arguments of `forget`.
#[derive(Args, Debug)]
pub struct Forget {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The customers' ids.
    #[arg(long, value_name = "ID", num_args = 1.., allow_negative_numbers = true, required_unless_present = "customers")]
    pub customer: Vec<i64>,
    /// A text file with one customer's id on each line.
    #[arg(long, value_name = "FILE")]
    pub customers: Option<PathBuf>,
    /// Output folders in which to look for partitions that still have rows of these customers; they are listed.
    #[arg(long, value_name = "OUT", num_args = 1..)]
    pub out: Vec<PathBuf>,
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

/// Arguments of `audit`.
#[derive(Args, Debug)]
#[command(
    after_help = "It reads all raw files of the batches that the partition rests on, and ends with exit code 1 on the first difference: file, row and \
                  column (and the place in a list), all counted from 1, what is there, and the raw file and row that says otherwise."
)]
pub struct Audit {
    /// Folder of the store that the partition was produced from.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Input root, with the raw files as they were then.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// Output folder, which holds dt=…/.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// The day of the partition.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Compare only the rows of N customers, and count the others [default: all].
    #[arg(long, value_name = "N")]
    pub sample: Option<NonZeroU32>,
    /// Chooses which customers the sample has.
    #[arg(long, value_name = "K", default_value_t = 0, requires = "sample")]
    pub seed: u64,
}

/// Arguments of `stale`.
#[derive(Args, Debug)]
#[command(
    after_help = "A scheduler reads `stale` and `without_manifest` of the --json summary, or the exit code with --exit-code. \
                  `lookback backfill --stale` produces again what is listed as stale."
)]
pub struct Stale {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Output folder, which holds dt=…/.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// Judge each partition as known the day before its day: later batches do not count.
    #[arg(long)]
    pub as_daily: bool,
    /// Judge each partition as known on this day: later batches do not count.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "as_daily")]
    pub known_as_of: Option<Day>,
    /// Exit with 1 where a partition is listed, and with 0 only where none is.
    #[arg(long)]
    pub exit_code: bool,
}

/// Arguments of `manifest`.
#[derive(Args, Debug)]
pub struct Manifest {
    /// Output folder, which holds dt=…/.
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// The day of the partition.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// Read the part files instead, and fail on the first that is not as it was written.
    #[arg(long)]
    pub check: bool,
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

/// [`Compression`] as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Codec {
    /// Zstandard, level 1
    Zstd,
    /// Snappy
    Snappy,
    /// LZ4 (raw)
    Lz4,
    /// No compression
    None,
}

impl From<Codec> for Compression {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Zstd => Compression::Zstd,
            Codec::Snappy => Compression::Snappy,
            Codec::Lz4 => Compression::Lz4,
            Codec::None => Compression::None,
        }
    }
}
