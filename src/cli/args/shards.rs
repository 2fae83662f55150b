//! Arguments of the commands on sharded stores.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::config::Configuration;
use super::fill::{BatchOptions, NewStore};
use super::output::{Audited, Judged};
use super::rows::{BackfilledDays, RowOptions};
use super::upkeep::Forgotten;
use super::{numbers, parse_size};
use lookback::model::Day;
use lookback::shards::Task;

/// The commands of `shards`.
#[derive(Debug, Subcommand)]
pub(crate) enum Shards {
    /// Make a sharded store without batches.
    Init(ShardsInit),
    /// Show what a version holds, and which versions there are.
    Status(ShardsStatus),
    /// Ingest one day's batch of actions into all shards, and make the next version.
    Ingest(ShardsIngest),
    /// Write the training rows of one day from all shards of a version, as one partition.
    Produce(ShardsProduce),
    /// Ingest the new and changed days of a range, each as a version; with --out, also produce the days that have
    /// impressions.
    Backfill(ShardsBackfill),
    /// Remove one day's batch from all shards, and make the next version.
    Remove(ShardsRemove),
    /// Remove customers from their shards for good, and all earlier versions with them.
    Forget(ShardsForget),
    /// Prove a partition's rows: derive them from the raw files independently, and compare every cell.
    Audit(ShardsAudit),
    /// List the partitions of an output whose rows would change because their batches have changed, and why.
    Stale(ShardsStale),
    /// Read all shards of a version and check that each agrees with itself; changes nothing.
    Verify(ShardsVerify),
    /// Make an ordinary store of one shard of a version, to look at.
    Checkout(ShardsCheckout),
    /// Bring the shards to the format version of this program, and make the next version.
    Migrate(ShardsMigrate),
    /// Make of each shard two, without the input, and with that the next version.
    Split(ShardsSplit),
    /// Make a sharded store of an ordinary one.
    Import(ShardsImport),
    /// Make one ordinary store of all shards of a version.
    Export(ShardsExport),
    /// Remove old versions, and files that no version names.
    Gc(ShardsGc),
}

impl Shards {
    /// Whether a call of the command takes rows in memory, and an engine for its tasks.
    pub(crate) fn takes(&self) -> (bool, bool) {
        let task = match self {
            Shards::Ingest(typed) => &typed.task,
            Shards::Produce(typed) => &typed.task,
            _ => return (false, false),
        };
        (task.task.is_some(), task.task.is_none())
    }
}

/// The task of a shard, which a call of the command is for an engine.
#[derive(Args, Debug)]
pub(crate) struct ShardTask {
    /// The task of a shard, as JSON; its result is its answer.
    // Part of no command line: an engine brings it from the command that it works for.
    #[arg(long, value_name = "JSON", hide = true, value_parser = Task::parse)]
    pub task: Option<Task>,
}

/// The place of a sharded store.
#[derive(Args, Debug)]
pub(crate) struct ShardsPlace {
    /// Folder or URL of the sharded store.
    #[arg(long, value_name = "DIR|URL")]
    pub store: PathBuf,
    /// Folder on a disk of this machine in which table files stay for the next command [default: none stay].
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// The most bytes that stay there, such as 50GB; those not used for longest go first.
    #[arg(long, value_name = "SIZE", requires = "cache", default_value = "50GB", value_parser = parse_size)]
    pub cache_size: u64,
}

/// A version of it.
#[derive(Args, Debug)]
pub(crate) struct ShardsVersion {
    /// The version [default: the newest].
    #[arg(long, value_name = "N", value_parser = numbers::number)]
    pub number: Option<u32>,
}

/// Arguments of `shards init`.
#[derive(Args, Debug)]
pub(crate) struct ShardsInit {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Number of shards: a power of two. One to four gigabytes a shard after a year are a good size.
    #[arg(long, value_name = "N", value_parser = numbers::shards)]
    pub shards: lookback::model::Shards,
    /// What is fixed for its life.
    #[command(flatten)]
    pub settings: NewStore,
}

/// Arguments of `shards status`.
#[derive(Args, Debug)]
pub(crate) struct ShardsStatus {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which version.
    #[command(flatten)]
    pub version: ShardsVersion,
}

/// Arguments of `shards ingest`.
#[derive(Args, Debug)]
pub(crate) struct ShardsIngest {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Input root, which holds clicks/dt=…/, add_to_carts/dt=…/ and orders/dt=…/, or what the configuration names.
    // A call by another program may have an engine instead, or be a task.
    #[arg(long, value_name = "ROOT", required = true)]
    pub input: Option<PathBuf>,
    /// How it is described.
    #[command(flatten)]
    pub config: Configuration,
    /// The batch to ingest: the day on which its files arrived.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// An identity of the batch, such as the snapshot of a table: a store that has it already stays as it is.
    #[arg(long, value_name = "TEXT")]
    pub batch_id: Option<String>,
    /// Which batches are accepted.
    #[command(flatten)]
    pub options: BatchOptions,
    /// The task that the call is.
    #[command(flatten)]
    pub task: ShardTask,
}

/// Arguments of `shards produce`.
#[derive(Args, Debug)]
pub(crate) struct ShardsProduce {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which version.
    #[command(flatten)]
    pub version: ShardsVersion,
    /// Input root, which holds impressions/dt=…/, or what the configuration names.
    // A call by another program may have an engine instead, or be a task.
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
    /// The task that the call is.
    #[command(flatten)]
    pub task: ShardTask,
}

/// Arguments of `shards backfill`.
#[derive(Args, Debug)]
pub(crate) struct ShardsBackfill {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which days, and what becomes of them.
    #[command(flatten)]
    pub days: BackfilledDays,
}

/// Arguments of `shards remove`.
#[derive(Args, Debug)]
pub(crate) struct ShardsRemove {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// The batch to remove.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
}

/// Arguments of `shards forget`.
#[derive(Args, Debug)]
pub(crate) struct ShardsForget {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Whom, and where their rows are.
    #[command(flatten)]
    pub whom: Forgotten,
}

/// Arguments of `shards audit`.
#[derive(Args, Debug)]
pub(crate) struct ShardsAudit {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which version.
    #[command(flatten)]
    pub version: ShardsVersion,
    /// What is audited.
    #[command(flatten)]
    pub audited: Audited,
}

/// Arguments of `shards stale`.
#[derive(Args, Debug)]
#[command(
    after_help = "Each partition is judged by all shards of the version, as `lookback stale` judges by one store. A scheduler reads `stale` and \
                  `without_manifest` of the --json summary, or the exit code with --exit-code."
)]
pub(crate) struct ShardsStale {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which version.
    #[command(flatten)]
    pub version: ShardsVersion,
    /// Which output, and how it is judged.
    #[command(flatten)]
    pub judged: Judged,
}

/// Arguments of `shards verify`.
#[derive(Args, Debug)]
pub(crate) struct ShardsVerify {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which version.
    #[command(flatten)]
    pub version: ShardsVersion,
    /// Also compute the content of each keyframe, and look up every key as readers do.
    #[arg(long)]
    pub deep: bool,
}

/// Arguments of `shards checkout`.
#[derive(Args, Debug)]
pub(crate) struct ShardsCheckout {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which version.
    #[command(flatten)]
    pub version: ShardsVersion,
    /// The shard, from 0.
    #[arg(long, value_name = "N")]
    pub shard: u32,
    /// Folder of the store to create.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// Arguments of `shards migrate`.
#[derive(Args, Debug)]
pub(crate) struct ShardsMigrate {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
}

/// Arguments of `shards split`.
#[derive(Args, Debug)]
pub(crate) struct ShardsSplit {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
}

/// Arguments of `shards import`.
#[derive(Args, Debug)]
pub(crate) struct ShardsImport {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Number of shards: a power of two.
    #[arg(long, value_name = "N", value_parser = numbers::shards)]
    pub shards: lookback::model::Shards,
    /// Folder of the store whose customers are dealt out.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
}

/// Arguments of `shards export`.
#[derive(Args, Debug)]
pub(crate) struct ShardsExport {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// Which version.
    #[command(flatten)]
    pub version: ShardsVersion,
    /// Folder of the store to create.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// Arguments of `shards gc`.
#[derive(Args, Debug)]
pub(crate) struct ShardsGc {
    /// Where.
    #[command(flatten)]
    pub place: ShardsPlace,
    /// How many versions stay, the newest ones.
    #[arg(long, value_name = "N", default_value = "7", value_parser = numbers::at_least_one)]
    pub keep: NonZeroU32,
    /// Remove files that no version names when they are older than this, such as `24h` or `7d`; at least an hour, and
    /// longer than any run takes.
    #[arg(long, value_name = "AGE", default_value = "48h", value_parser = numbers::grace)]
    pub grace: Duration,
}
