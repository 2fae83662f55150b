//! Floor 4, files on the way in and on the way out: the only place that names arrow or parquet. It turns input files into the values of
//! [`crate::model`] and training rows into output files; it knows nothing of the store.

mod actions;
mod bad_rows;
mod check;
mod column;
mod fingerprint;
mod footer;
mod guard;
mod impressions;
mod layout;
mod manifest_file;
mod page_header;
mod parquet_error;
mod parquet_file;
mod partition;
mod produced;
mod publish;
mod rows;
mod tally;
mod text_file;
mod thrift;
mod time_column;
mod time_text;

pub use actions::{ReadAction, read_actions, read_numbered_actions};
pub use bad_rows::{BadRows, QuarantineFolder};
pub use check::{check_hashes, check_names, check_sizes};
pub use fingerprint::{Fingerprint, Hasher, files_fingerprint};
pub use guard::is_guarded;
pub use impressions::{ReadImpressions, read_impressions, read_numbered_impressions};
pub use layout::{DayFile, IMPRESSIONS, day_files};
pub use partition::{Partition, PartitionFolder, partitions};
pub use produced::{ProducedFile, ProducedRow, ProducedRows};
pub use rows::{Compression, EncodedRowGroup, FileSizes, NEWEST_ACTION, RowGroup, RowSchema, RowSettings, RowWriter};
pub use text_file::put_text_file;
