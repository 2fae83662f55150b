//! What looks into a store.

use std::path::PathBuf;

use clap::Args;

use crate::model::Day;

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
