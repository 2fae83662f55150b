//! Training rows on their way out: gathered into row groups, encoded by any thread, written in order.

mod codec;
mod dictionary;
mod early_sync;
mod error;
mod grouped_writer;
mod list_column;
mod page;
mod plain_column;
mod row_group;
mod schema;
mod settings;
mod writer;
mod zstd_frame;

#[cfg(test)]
mod tests;

pub use codec::Compression;
pub(crate) use grouped_writer::GroupedWriter;
pub(crate) use row_group::EncodedRowGroup;
pub use row_group::RowGroup;
pub use schema::RowSchema;
pub(super) use schema::data_type;
pub(crate) use settings::metadata_if_chosen;
pub use settings::{FileSizes, RowSettings};
pub(crate) use writer::NEWEST_ACTION;
pub use writer::RowWriter;
#[cfg(feature = "internals")]
pub use zstd_frame::fuzz::zstd_frame;
