//! What can be typed: here the commands and what all of them take, beside this the arguments of each, by what the
//! commands are for.

mod config;
mod fill;
mod look;
mod numbers;
mod output;
mod rows;
mod shell;
mod upkeep;
mod words;

use std::num::NonZeroU8;

use clap::{Parser, Subcommand};

pub use config::{Config, ConfigCheck, Configuration};
pub use fill::{Ingest, Init};
pub use look::{Explain, Format, Get, Report, Show, Status};
pub use output::{Audit, Diff, Manifest, Stale};
pub use rows::{Backfill, Produce};
pub use shell::{Completions, Man};
pub use upkeep::{Backup, Forget, Migrate, Prune, Remove, Repair, Restore, Verify};

/// Materialised customer history: for every item shown to a customer, that customer's most recent actions from strictly
/// before that day.
#[derive(Debug, Parser)]
#[command(version)]
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

    /// How much memory to take at most, such as 512MB or 8GiB [default: half of what the machine or its control group
    /// has].
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
    pub memory_limit: Option<u64>,
}

/// A number of bytes with a unit: B, kB, MB, GB (thousands), KiB, MiB, GiB (1,024s); without one, bytes.
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
    /// Take one day's batch of actions, replacing what was held of it.
    Ingest(Ingest),
    /// Write the training rows of one day: its impressions with each customer's history from strictly before it.
    Produce(Produce),
    /// Ingest a range of days, those not held yet or changed; with --out, also produce its days that have impressions.
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
    /// Remove the actions of days long past from a store and from its files.
    Prune(Prune),
    /// Remove one day's batch: the store is then as if it had never been taken.
    Remove(Remove),
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
    /// Compare the rows of two outputs: which differ and where, and which are in one only.
    Diff(Diff),
    /// Look at the configuration of names and layouts.
    #[command(subcommand)]
    Config(Config),
    /// Bring a store to the format version of this program.
    Migrate(Migrate),
    /// Read everything in a store and check it against itself; changes nothing.
    Verify(Verify),
    /// Make anew what a store derives from its deltas, where it differs: keyframes, batch index, customer index,
    /// totals.
    Repair(Repair),
    /// Print a script that completes the command line in a shell.
    Completions(Completions),
    /// Write the man pages.
    Man(Man),
}
