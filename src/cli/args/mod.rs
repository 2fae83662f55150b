//! The command line: here the commands and the options of all commands; the other files have the arguments of each
//! command, by purpose.

mod config;
mod fill;
mod look;
mod numbers;
mod output;
mod rows;
mod shards;
mod shell;
mod upkeep;
mod vocabulary;
mod words;

use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use lookback::resources::RequestLimits;

pub(crate) use config::{Config, ConfigCheck, Configuration};
pub(crate) use fill::{BatchOptions, Ingest, Init, NewStore};
pub(crate) use look::{Explain, Format, Get, Report, Show, Status};
pub(crate) use output::{Audit, Audited, Diff, Judged, Manifest, Stale};
pub(crate) use rows::{Backfill, BackfilledDays, Produce, RowOptions};
pub(crate) use shards::{
    ShardTask, Shards, ShardsAudit, ShardsBackfill, ShardsCheckout, ShardsExport, ShardsForget, ShardsGc, ShardsImport,
    ShardsIngest, ShardsInit, ShardsMigrate, ShardsPlace, ShardsProduce, ShardsRemove, ShardsSplit, ShardsStale,
    ShardsStatus, ShardsVerify,
};
pub(crate) use shell::{Completions, Man};
pub(crate) use upkeep::{Backup, Forget, Forgotten, Migrate, Prune, Remove, Repair, Restore, Verify};
pub(crate) use vocabulary::Vocabulary;

/// Materialised customer history: for every item shown to a customer, that customer's most recent actions from strictly
/// before that day.
#[derive(Debug, Parser)]
#[command(version)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Print one JSON summary on stdout; messages stay on stderr.
    #[arg(long, global = true)]
    pub json: bool,

    /// Number of threads [default: one per core]. The result is the same with any number.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroU8>,

    /// Maximum memory, such as 512MB or 8GiB [default: half of the memory of the machine or its control group].
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
    pub memory_limit: Option<u64>,

    /// How requests to object stores are bounded.
    #[command(flatten)]
    pub requests: Requests,
}

/// Options of all commands that read or write at a URL.
#[derive(Args, Debug)]
pub(super) struct Requests {
    /// How often a request to an object store that failed in passing is made again.
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "LOOKBACK_RETRIES",
        default_value_t = 10,
        hide_env_values = true
    )]
    pub retries: u32,

    /// For how many seconds such a request is made again.
    #[arg(long, global = true, value_name = "SECONDS", env = "LOOKBACK_RETRY_SECONDS", default_value_t = 180)]
    pub retry_seconds: u32,

    /// How many seconds a request may wait for the next byte of its answer.
    #[arg(long, global = true, value_name = "SECONDS", env = "LOOKBACK_REQUEST_TIMEOUT", default_value_t = NonZeroU32::new(30).unwrap_or(NonZeroU32::MIN))]
    pub request_timeout: NonZeroU32,

    /// How many requests for files that are read together are made at the same time; of the uploads of a backup, at
    /// most four.
    #[arg(long, global = true, value_name = "N", env = "LOOKBACK_REQUESTS_AT_ONCE", default_value_t = RequestLimits::default().at_once)]
    pub requests_at_once: NonZeroU16,
}

impl Requests {
    /// Returns the limits.
    pub(super) fn limits(&self) -> RequestLimits {
        RequestLimits {
            retries: self.retries,
            retry_time: Duration::from_secs(self.retry_seconds.into()),
            timeout: Duration::from_secs(self.request_timeout.get().into()),
            at_once: self.requests_at_once,
        }
    }
}

/// Parses a number of bytes with a unit: B, kB, MB, GB (thousands), KiB, MiB, GiB (1,024s); without a unit, bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let (_, unit) = text.split_at(digits.len());
    let unit = match unit.trim().to_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        other => return Err(format!("{other:?} is not a unit: give B, kB, MB, GB, KiB, MiB or GiB")),
    };
    let number: u64 = digits.parse().map_err(|_| "give a whole number and a unit, such as 512MB".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "is more than any machine has".to_owned())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a store with settings other than the defaults; they are fixed for its life.
    Init(Init),
    /// Ingest one day's batch of actions, replacing an earlier version of it.
    Ingest(Ingest),
    /// Write the training rows of one day: its impressions with each customer's history from strictly before it.
    Produce(Produce),
    /// Ingest the new and changed days of a range; with --out, also produce the days that have impressions.
    Backfill(Backfill),
    /// Show one customer's history as of a day, as a table.
    Show(Show),
    /// Explain one customer's history as of a day, action by action: where each came from, and which count.
    Explain(Explain),
    /// Get the histories of many customers as of a day, with times and without padding.
    Get(Get),
    /// Show what a store holds: batches, gaps, customers, actions, bytes, format version.
    Status(Status),
    /// Write a page with plots about a store and the partitions produced from it; open it in a browser.
    Report(Report),
    /// Remove customers from a store and from its files, for good, and print a receipt.
    Forget(Forget),
    /// Remove the actions of old days from a store and from its files.
    Prune(Prune),
    /// Remove one day's batch: the store is then as if that batch had never been ingested.
    Remove(Remove),
    /// Copy a store into a folder of backups, also while other commands run.
    Backup(Backup),
    /// Create a store from a backup, comparing every file with its checksum.
    Restore(Restore),
    /// Prove a partition's rows: derive them from the raw files independently, and compare every cell.
    Audit(Audit),
    /// List the partitions whose rows would change because their batches have changed, and why.
    Stale(Stale),
    /// Number the items or customers of a range of days, for embeddings: ids with counts, the most frequent first.
    Vocabulary(Vocabulary),
    /// Show a partition's manifest: settings, files, and the batches that its rows rest on.
    Manifest(Manifest),
    /// Compare the rows of two outputs: which differ and where, and which only one output has.
    Diff(Diff),
    /// Check the configuration of names and layouts.
    #[command(subcommand)]
    Config(Config),
    /// Migrate a store to the format version of this program.
    Migrate(Migrate),
    /// Read a whole store and check that it agrees with itself; changes nothing.
    Verify(Verify),
    /// Rebuild the derived data of a store where it is wrong: keyframes, batch index, customer index, totals.
    Repair(Repair),
    /// Work on a sharded store: the customers dealt out to many stores, which lie at a place as numbered versions.
    #[command(subcommand)]
    Shards(Shards),
    /// Print the completion script for a shell.
    Completions(Completions),
    /// Write the man pages.
    Man(Man),
}
