//! Arguments of the commands that fill a store.

use std::path::PathBuf;

use clap::Args;

use super::config::{Configuration, InitConfiguration};
use super::words;
use lookback::model::{Day, Duplicates};

/// Arguments of `init`.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Folder of the store to create.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// What is fixed for its life.
    #[command(flatten)]
    pub settings: NewStore,
}

/// Settings that are fixed for the life of a store.
#[derive(Args, Debug)]
pub(crate) struct NewStore {
    /// How many of the most recent actions a history keeps [1 to 100000].
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_history: u32,
    /// IANA time zone in which days begin, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub timezone: String,
    /// Actions that are equal in customer, item, time and type, whichever batches bring them.
    #[arg(long, default_value = "keep", value_parser = words::duplicates())]
    pub duplicates: Duplicates,
    /// The names of the action types, and what ids are.
    #[command(flatten)]
    pub config: InitConfiguration,
}

/// Batches that are accepted although they look like a mistake.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct AllowedBatches {
    /// Accept a batch whose day is later than tomorrow by the clock, or over ten years from every other batch or from
    /// more than half of its actions.
    #[arg(long)]
    pub allow_far_day: bool,
    /// Accept a batch without files of a source, although all of the last seven batches had some.
    #[arg(long)]
    pub allow_missing_source: bool,
}

/// Arguments of `ingest`.
#[derive(Args, Debug)]
pub(crate) struct Ingest {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Input root, which holds clicks/dt=…/, add_to_carts/dt=…/ and orders/dt=…/, or what the configuration names.
    // A call by another program may give rows in memory instead.
    #[arg(long, value_name = "ROOT", required = true)]
    pub input: Option<PathBuf>,
    /// How it is described.
    #[command(flatten)]
    pub config: Configuration,
    /// The batch to ingest: the day on which its files arrived.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Day,
    /// If there is no store, create it with this batch and the defaults of `init`.
    #[arg(long)]
    pub create: bool,
    /// Which batches are accepted.
    #[command(flatten)]
    pub options: BatchOptions,
}

/// Options of an ingest.
#[derive(Args, Debug)]
pub(crate) struct BatchOptions {
    /// Accept a day without any file as an empty batch.
    #[arg(long)]
    pub allow_empty: bool,
    /// Other batches that are accepted.
    #[command(flatten)]
    pub allowed: AllowedBatches,
    /// Set bad rows aside as Parquet in this folder, or at this URL, instead of refusing the batch.
    #[arg(long, value_name = "DIR")]
    pub quarantine: Option<PathBuf>,
}
