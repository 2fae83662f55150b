//! Floor 5, files on the way out: training rows, which become partitions with a manifest, histories, vocabularies, and
//! the page of a report; it also makes batches of rows in memory, and reads produced rows back.

mod check;
mod counters;
mod delta;
mod folder;
mod histories;
mod history_file;
mod log_folder;
mod manifest_file;
pub(crate) mod partition;
mod partition_folder;
mod produced;
#[cfg(feature = "report")]
mod report_file;
mod row_batches;
pub(crate) mod rows;
mod task_parts;
mod upload;
mod vocabulary;

pub use check::check_hashes;
#[cfg(feature = "report")]
pub(crate) use check::check_sizes;
pub(crate) use check::{check_content, check_names};
pub use delta::TableFiles;
pub(crate) use delta::{check_table, remove_remains, table_of, vacuum};
pub(crate) use folder::check_output;
pub(crate) use histories::HistoryWriter;
pub use histories::{HistoryFormat, HistoryTarget};
pub(crate) use partition::Partition;
pub use partition_folder::{PartitionFolder, partitions};
pub use produced::{ProducedFile, ProducedRow, ProducedRows};
#[cfg(feature = "report")]
pub(crate) use report_file::{REPORT_BEGINS, put_report};
pub use row_batches::{
    BatchShape, Cells, HistoryColumns, ItemCells, Layout, LendCells, LentCells, RowBatch, TypeCells,
};
pub use rows::{Compression, FileSizes};
pub(crate) use rows::{
    EncodedRowGroup, GroupedWriter, NEWEST_ACTION, RowGroup, RowSchema, RowSettings, RowWriter, metadata_if_chosen,
};
pub use task_parts::{PartsPlace, UploadedParts};
pub use vocabulary::VocabularyBatch;
pub(crate) use vocabulary::{VocabularyWriter, check_vocabulary_file};
