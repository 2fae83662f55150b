//! Floor 4, files on the way in and on the way out: the only place that names arrow or parquet. It turns input files, Parquet or text, into the values of
//! [`crate::model`] and training rows into output files; it knows nothing of the store.

mod actions;
mod bad_rows;
mod batch_rows;
mod check;
mod column;
mod day_reader;
mod file_kind;
mod fingerprint;
mod footer;
mod guard;
mod histories;
mod impressions;
mod lacking;
mod layout;
mod list_length;
mod look;
mod magic;
mod manifest_file;
mod output_folder;
mod page_header;
mod parquet_error;
mod parquet_file;
mod partition;
mod produced;
mod publish;
mod report_file;
mod rows;
mod same_content;
mod table_folder;
mod tally;
mod text;

mod thrift;
mod time_column;
mod time_text;
mod type_column;
mod written;

pub use actions::{ReadAction, ReadActions, read_actions, read_numbered_actions};
pub use bad_rows::{BadRows, QuarantineFolder};
pub use check::{check_hashes, check_names, check_sizes};
pub use fingerprint::Fingerprint;
pub use guard::is_guarded;
pub use histories::{HistoryFormat, HistoryTarget, HistoryWriter};
pub use impressions::{ReadImpressions, read_impressions, read_numbered_impressions};
pub use lacking::Lacking;
pub use layout::{DayFile, FILES_MAX, day_files};
pub use look::{LookedAt, look_at_actions, look_at_impressions};
pub use output_folder::check_output;
pub use partition::{Partition, PartitionFolder, partitions};
pub use produced::{ProducedFile, ProducedRow, ProducedRows};
pub use report_file::{REPORT_BEGINS, put_report};
#[cfg(feature = "fuzzing")]
pub use rows::zstd_frame;
pub use rows::{
    Compression, EncodedRowGroup, FileSizes, GroupedWriter, NEWEST_ACTION, RowGroup, RowSchema, RowSettings, RowWriter,
    said_if_chosen,
};
pub use same_content::{SameContent, SameContents, note_same_content, same_content};
