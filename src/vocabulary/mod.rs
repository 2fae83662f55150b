//! Floor 6, vocabularies: the distinct items or customers in the raw input of a range of batch days, with counts, and
//! with the contiguous indices that an embedding table needs. No store is read.
//!
//! 1. The files of each day are read as `ingest` and `produce` read them, several at once. A thread counts equal ids
//!    among each 65,536 that it reads, and hands the counts to a sort by id (`read.rs`).
//! 2. The counts of each id are added up, and the sums sorted by frequency (`run.rs`). Both sorts spill to scratch
//!    files beyond their memory, a 16th of the limit each.
//! 3. The ids get their indices in that order: 1 for the most frequent one; of equally frequent ids the smaller comes
//!    first. 0 stays the padding. Ids that are text come with their texts; two texts of one number are an error.
//!    So the first N ids are the N most frequent ones, and the indices depend on the rows of the input alone.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = example();
//! # let at = |name: &str| folder.path().join(name);
//! use lookback::model::{Day, IdKind};
//! use lookback::progress::Silent;
//! use lookback::vocabulary::{Vocabulary, VocabularyOptions, vocabulary};
//!
//! let (from, to): (Day, Day) = ("2026-01-01".parse()?, "2026-01-02".parse()?);
//! let options = VocabularyOptions::new(at("input"), from, to, IdKind::Items);
//! let summary = vocabulary(&options, &at("items.parquet"), &Silent)?;
//! assert_eq!((summary.ids, summary.actions, summary.impressions), (3, 2, 2));
//!
//! // The same without a file, batch by batch.
//! for batch in Vocabulary::read(&options, &Silent)? {
//!     let batch = batch?;
//!     assert_eq!((batch.indices, batch.ids), (vec![1, 2, 3], vec![12, 11, 13]));
//! }
//! # Ok(())
//! # }
//! ```

mod collisions;
mod id_count;
mod options;
mod read;
mod run;
mod summary;

pub use crate::output::VocabularyBatch;
pub use options::VocabularyOptions;
pub use run::{Vocabulary, vocabulary};
pub use summary::VocabularySummary;
