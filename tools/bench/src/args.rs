//! What was typed on the command line.

use std::num::NonZeroU8;
use std::path::PathBuf;

use clap::{Parser, ValueEnum, value_parser};
use lookback::model::Day;

/// Measure the parts of lookback on one input and print a Markdown table.
///
/// Wall and CPU seconds are of one pass, the median of all rounds; CPU is of the whole process, user and system, all
/// threads, in steps of 0.01 s. What takes less than half a second is repeated within a round (but for ingest, which
/// needs a fresh store each time). A ratio is the median of the rounds' ratios, with the lowest and the highest behind
/// it.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub struct Args {
    /// Parts to measure [default: all]; pages and produce always take turns
    #[arg(value_name = "NAMES", value_enum)]
    parts: Vec<Part>,
    /// Input root to measure on [default: data set M, generated]
    #[arg(long, value_name = "ROOT", requires = "day")]
    pub data: Option<PathBuf>,
    /// Day of ROOT with impressions; the store is built from the batches before it
    #[arg(long, value_name = "D", requires = "data")]
    pub day: Option<Day>,
    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u16).range(1..))]
    pub rounds: u16,
    /// Threads of batches and of an ingest [default: one per core]; the other parts run on one
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroU8>,
    /// Memory limit of batches and of an ingest in MiB [default: half of the machine's]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(128..))]
    pub memory: Option<u32>,
    /// Folder in which a temporary folder is made [default: that of the system]
    #[arg(long, value_name = "DIR")]
    pub work: Option<PathBuf>,
    /// Generate a tiny data set, to see whether everything runs
    #[arg(long, conflicts_with = "data")]
    pub small: bool,
}

/// What can be measured on its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Part {
    /// Deltas to bytes and back
    Codec,
    /// Customers' days to keyframes, in memory
    Fold,
    /// Histories from the store
    AsOf,
    /// Rows from histories in memory to files
    Pages,
    /// Rows from the store to files
    Produce,
    /// Training rows as batches in memory
    Batches,
    /// One batch into the store
    Ingest,
    /// The store beside a Parquet file of the same actions
    Size,
}

impl Part {
    /// Whether it is measured on a store.
    pub fn needs_stores(self) -> bool {
        self != Part::Codec
    }
}

impl Args {
    /// The parts to measure.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        Part::value_variants().iter().copied().filter(|part| self.has(*part))
    }

    /// Whether this part is to be measured.
    pub fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}
