//! Arguments about the configuration of names and layouts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use lookback::model::Day;

/// Where the names and layouts of the input are described.
#[derive(Args, Debug)]
pub(crate) struct Configuration {
    /// Configuration of names and layouts [default: lookback.toml in the input root, else none].
    #[arg(long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The same for a command without input.
#[derive(Args, Debug)]
pub(crate) struct InitConfiguration {
    /// Configuration with the names and numbers of action types, and with what ids are [default: those of the first
    /// batch].
    #[arg(long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The commands of `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show what would be read; with --dt also the files of a day, and what is missing.
    Check(ConfigCheck),
}

/// Arguments of `config check`.
#[derive(Args, Debug)]
#[command(
    after_help = "With --dt, the exit code is 1 if the day cannot be read; with --store also if `ingest` into that store would refuse the day: \
                      if it is far from all other days, a source is missing, or types of action differ from those of the store."
)]
pub(crate) struct ConfigCheck {
    /// Input root.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// How it is described.
    #[command(flatten)]
    pub config: Configuration,
    /// Look at the files of this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Option<Day>,
    /// Also check whether `ingest` into this store would refuse the day.
    #[arg(long, value_name = "DIR", requires = "dt")]
    pub store: Option<PathBuf>,
}
