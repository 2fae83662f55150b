//! Floor 5, files on the way out: training rows, which become partitions with a manifest, histories, and the page of a
//! report; it also makes batches of rows in memory, and reads produced rows back.

mod check;
mod counters;
mod folder;
mod histories;
mod history_file;
mod manifest_file;
mod partition;
mod partition_folder;
mod produced;
mod report_file;
mod row_batches;
mod rows;

pub use check::{check_hashes, check_names, check_sizes};
pub use folder::check_output;
pub use histories::{HistoryFormat, HistoryTarget, HistoryWriter};
pub use partition::Partition;
pub use partition_folder::{PartitionFolder, partitions};
pub use produced::{ProducedFile, ProducedRow, ProducedRows};
pub use report_file::{REPORT_BEGINS, put_report};
pub use row_batches::{BatchShape, HistoryColumns, ItemCells, Layout, RowBatch, TypeCells};
#[cfg(feature = "fuzzing")]
pub use rows::zstd_frame;
pub use rows::{
    Compression, EncodedRowGroup, FileSizes, GroupedWriter, NEWEST_ACTION, RowGroup, RowSchema, RowSettings, RowWriter,
    metadata_if_chosen,
};
