//! Floor 7, the training rows of a day as batches in memory, in any order and layout, epoch after epoch. The rows are
//! prepared as `produce` prepares them; none is written.
//!
//! 1. [`TrainingDay::prepare`] reads impressions and histories as `produce` does, once, and puts both aside: histories
//!    packed into the history spool of shuffled partitions, impressions into another (`impressions.rs`). From then on
//!    neither the store nor the input is read. [`TrainingDay::from_partition`] reads the same from a produced
//!    partition, for who has rows and no store (`partition/`).
//! 2. [`TrainingDay::epoch`] sorts the rows of an epoch by the keys that shuffled partitions have (`order.rs`), and
//!    keeps only where each row's impression is: 12 bytes a row, which can be read from any row on.
//! 3. [`Epoch::batches`] cuts them into global batches (`cuts.rs`) and makes this rank's part of each, on threads in
//!    the background, which keep a bounded number of batches ahead (`assembler.rs`, `batches.rs`).
//!
//! A prepared day can be made again of its parts in another process of the machine (`shared_day.rs`), so that one
//! prepares it for all.
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
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = example();
//! # let at = |name: &str| folder.path().join(name);
//! # use lookback::{ingest::{IngestOptions, Ingester}, model::Day, progress::Silent, store::{Folder, Settings, Store}};
//! # let store_folder = Folder::new(&at("store"));
//! # Store::create(&store_folder, Settings::default())?;
//! # let batch = IngestOptions::new(at("input"), "2026-01-01".parse::<Day>()?);
//! # Ingester::open(&store_folder, &Silent)?.ingest(&batch, &Silent)?;
//! # let store = Store::open_reader(&store_folder)?;
//! use lookback::model::OrderKind;
//! use lookback::output::Layout;
//! use lookback::produce::RowChoice;
//! use lookback::training::{BatchOptions, TrainingDay, TrainingOptions};
//!
//! let rows = RowChoice::default().order(Some(OrderKind::Shuffled)).seed(Some(1));
//! let options = TrainingOptions::new(at("input"), "2026-01-02".parse::<Day>()?).rows(rows);
//! let day = TrainingDay::prepare(&store, &options, &Silent)?;
//! for epoch in 0..3 {
//!     let batches = day.epoch(epoch)?.batches(&BatchOptions::default().layout(Layout::Jagged))?;
//!     let used = batches.used();
//!     for batch in batches {
//!         let batch = batch?;
//!         assert_eq!((batch.rows(), batch.histories.actions.len()), (2, 2));
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
mod gathered;
mod impressions;
mod options;
mod order;
mod partition;
mod prepare;
mod row_limit;
mod shared_day;
mod training_day;
mod used_batches;

pub use batches::RowBatches;
pub use options::{BatchOptions, PartitionOptions, TrainingOptions};
pub use shared_day::DayParts;
pub use training_day::{Epoch, TrainingDay};
pub use used_batches::UsedBatches;
