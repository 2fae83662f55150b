//! Floor 4, rows on the way in: Parquet, text and record batches in memory become the values of [`crate::model`]. It
//! finds the files of a day, types their rows, and finds the bad rows; nothing here knows the store or the output rows.
//!
//! [`Input`] says where rows come from; [`MemoryInput`] holds those that a program has in memory.

pub(crate) mod actions;
pub(crate) mod bad_rows;
pub(crate) mod batch_files;
pub(crate) mod cells;
mod column;
mod day_batch;
mod day_reader;
pub(crate) mod distinct;
mod event_ids;
mod exploded;
mod file_kind;
pub(crate) mod flat_lists;
mod id_cells;
mod id_text;
pub(crate) mod impressions;
mod label_column;
mod lacking;
pub(crate) mod layout;
mod look;
mod magic;
mod memory;
mod memory_input;
mod number_text;
mod order_column;
pub(crate) mod parquet;
mod read_options;
mod same_content;
mod shape;
mod slices;
pub(crate) mod subject;
mod table_folder;
mod text;
mod text_column;
mod time_column;
mod time_text;
mod type_column;
mod uuid;
mod wanted;
mod written;

pub(crate) use actions::{ReadAction, read_actions, read_actions_with_event_ids, read_actions_with_texts};
#[cfg(test)]
pub(crate) use bad_rows::BAD_ROWS;
pub(crate) use bad_rows::{BadRows, QuarantineFolder};
pub(crate) use batch_files::{SourceFile, batch_files};
pub(crate) use distinct::{IdentifiedAction, each_distinct};
pub(crate) use flat_lists::{FlatLists, FlatRow};
pub(crate) use id_cells::IdTexts;
pub(crate) use impressions::{ReadImpressions, read_shown, read_shown_with_texts};
pub(crate) use lacking::Lacking;
pub(crate) use layout::{DayFile, day_files};
pub(crate) use look::{LookedAt, look_at_actions, look_at_impressions};
pub use memory_input::{Input, MemoryInput, RecordBatches};
pub use parquet::guard::is_guarded;
pub(crate) use same_content::{SameContent, SameContents, note_same_content, same_content};
pub(crate) use wanted::wrong_type;
pub(crate) use written::Written;
