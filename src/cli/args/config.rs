//! What can be typed of the configuration of names and layouts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use lookback::model::Day;

/// Where the names and layouts of the input are described.
#[derive(Args, Debug)]
pub struct Configuration {
    /// Configuration of names and layouts [default: lookback.toml in the input root, else in the folder that holds it,
    /// else none].
    #[arg(long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The same for a command without input.
#[derive(Args, Debug)]
pub struct InitConfiguration {
    /// Configuration with the names and numbers of action types [default: those that the first batch comes with].
    #[arg(long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The commands of `config`.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show what would be read, and with --dt what there is of it on a day and what is missing.
    Check(ConfigCheck),
}

/// Arguments of `config check`.
#[derive(Args, Debug)]
#[command(
    after_help = "With --dt, anything that would keep the day from being read makes the exit code 1; with --store also what `ingest` into it would refuse: \
                      a day far from all others, a source that is missing, types of action that it knows otherwise."
)]
pub struct ConfigCheck {
    /// Input root.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// How it is described.
    #[command(flatten)]
    pub config: Configuration,
    /// Look at the files of this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub dt: Option<Day>,
    /// Judge the day by what this store knows of its batches.
    #[arg(long, value_name = "DIR", requires = "dt")]
    pub store: Option<PathBuf>,
}
