//! Arguments of `vocabulary`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::config::Configuration;
use super::{numbers, words};
use lookback::model::{Day, IdKind};

/// Arguments of `vocabulary`.
#[derive(Args, Debug)]
#[command(
    after_help = "Columns: index (1, 2, …; 0 stays the padding), item_id or customer_id, actions and impressions (how often each item was shown, or how \
                  many impression lists a customer has), all int64; behind the id its text, where \
                  [ids] in lookback.toml says that ids are text. The most frequent id comes first, by actions and impressions \
                  together; of equally frequent ids the smaller. The same rows give the same bytes. No store is read; bad rows are \
                  judged as by `ingest` and `produce`."
)]
pub(crate) struct Vocabulary {
    /// Input root, which holds clicks/dt=…/, add_to_carts/dt=…/, orders/dt=…/ and impressions/dt=…/, or what the
    /// configuration names.
    #[arg(long, value_name = "ROOT")]
    pub input: PathBuf,
    /// How it is described.
    #[command(flatten)]
    pub config: Configuration,
    /// First batch day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Day,
    /// Last batch day, included.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Day,
    /// The ids.
    #[arg(long, value_parser = words::id_kind())]
    pub of: IdKind,
    /// The Parquet file to write; it appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Leave out ids with fewer actions and impressions together.
    #[arg(long, value_name = "N", default_value = "1", value_parser = numbers::at_least_one)]
    pub min_count: NonZeroU32,
    /// Set bad rows aside as Parquet in this folder, or at this URL, as `ingest` and `produce` do, instead of refusing
    /// them.
    #[arg(long, value_name = "DIR")]
    pub quarantine: Option<PathBuf>,
}
