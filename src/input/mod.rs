//! Floor 4, files on the way in: Parquet and text become the values of [`crate::model`]. It finds the files of a day,
//! types their rows, and finds the bad rows; nothing here knows the store or the output rows.

mod actions;
mod bad_rows;
mod batch_files;
pub(crate) mod column;
mod day_batch;
mod day_reader;
mod file_kind;
mod impressions;
mod lacking;
mod layout;
mod look;
mod magic;
pub(crate) mod parquet;
mod same_content;
mod table_folder;
mod text;
mod time_column;
mod time_text;
mod type_column;
mod wanted;

pub use actions::{ReadAction, read_actions};
#[cfg(test)]
pub(crate) use bad_rows::BAD_ROWS;
pub use bad_rows::{BadRows, QuarantineFolder};
pub(crate) use batch_files::SourceFile;
pub use batch_files::batch_files;
pub(crate) use impressions::ReadImpressions;
pub use impressions::read_impressions;
pub(crate) use lacking::Lacking;
pub use layout::{DayFile, day_files};
pub(crate) use look::{LookedAt, look_at_actions, look_at_impressions};
pub use parquet::guard::is_guarded;
pub(crate) use same_content::{SameContent, SameContents, note_same_content, same_content};
