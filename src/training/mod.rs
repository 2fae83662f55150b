//! Floor 7, the training rows of a day as batches in memory, in any order and layout, epoch after epoch. The rows are
//! prepared as `produce` prepares them; none is written.
//!
//! 1. [`TrainingDay::prepare`] reads impressions and histories as `produce` does, once, and puts both aside: histories
//!    packed into the history spool of shuffled partitions, impressions into another (`impressions.rs`). From then on
//!    neither the store nor the input is read.
//! 2. [`TrainingDay::epoch`] sorts the rows of an epoch by the keys that shuffled partitions have (`order.rs`), and
//!    keeps only where each row's impression is: 12 bytes a row, which can be read from any row on.
//! 3. [`Epoch::batches`] cuts them into global batches (`cuts.rs`) and makes this rank's part of each, on threads in
//!    the background, which keep a bounded number of batches ahead (`assembler.rs`, `batches.rs`).
//!
//! The keys of an epoch are hashes with the seed and the epoch as key. A partition's have epoch 0: so the rows of epoch
//! 0 stand in the very order in which `produce` writes them with the same order and seed, there is one definition of
//! what shuffled means, and another row leaves the order of the others as it is. A permutation that can be evaluated at
//! any row (a Feistel network, say) would save the sort of each epoch, half a second for a million rows, but would be a
//! second definition, in which each added row moves all others.
//!
//! Memory, as parts of the limit: an eighth for sorting; an eighth each for impressions, histories and an epoch's
//! order, which go to scratch files beyond it; a quarter for batches, of which at least one has to fit.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use lookback::model::{RowColumns, RowOrder};
//! use lookback::output::Layout;
//! use lookback::produce::DayOptions;
//! use lookback::progress::Silent;
//! use lookback::resources::Resources;
//! use lookback::sources::ImpressionSource;
//! use lookback::store::{Folder, Store};
//! use lookback::training::{BatchOptions, TrainingDay, TrainingOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::open_reader(&Folder::new(Path::new("store")))?;
//! let day = DayOptions {
//!     input: Path::new("input"),
//!     impressions: &ImpressionSource::default(),
//!     dt: "2026-01-31".parse()?,
//!     max_history: None,
//!     lookback_days: None,
//!     known_as_of: None,
//!     columns: RowColumns::default(),
//!     order: RowOrder::Shuffled(0),
//!     allow_gaps: false,
//!     allow_pruned: false,
//!     quarantine: None,
//!     resources: &Resources::default(),
//! };
//! let day = TrainingDay::prepare(&store, &TrainingOptions { day, max_rows_per_customer: None }, &Silent)?;
//! for epoch in 0..3 {
//!     let options = BatchOptions { layout: Layout::Dedup, ..BatchOptions::default() };
//!     let batches = day.epoch(epoch)?.batches(&options)?;
//!     let used = batches.used();
//!     for batch in batches {
//!         let batch = batch?;
//!         println!("{} rows, {} cells", batch.rows(), batch.histories.actions.len());
//!         used.give(batch);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod assembler;
mod batches;
mod cuts;
mod day_rows;
mod impressions;
mod options;
mod order;
mod prepare;
mod row_limit;
mod used_batches;

pub use batches::RowBatches;
pub use options::{BatchOptions, TrainingOptions};
pub use prepare::{Epoch, TrainingDay};
pub use used_batches::UsedBatches;
