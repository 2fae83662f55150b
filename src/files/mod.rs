//! Floor 4, files on the way in and on the way out: the only place that names arrow or parquet. It turns input files into the values of
//! [`crate::model`] and training rows into output files; it knows nothing of the store.

mod actions;
mod bad_rows;
mod column;
mod fingerprint;
mod guard;
mod impressions;
mod layout;
mod parquet_error;
mod parquet_file;
mod partition;
mod publish;
mod rows;
mod time_column;
mod time_text;

pub use actions::{ReadAction, read_actions};
pub use bad_rows::{BadRows, QuarantineFolder};
pub use fingerprint::{Fingerprint, Hasher};
pub use guard::is_guarded;
pub use impressions::{ReadImpressions, read_impressions};
pub use layout::{DayFile, IMPRESSIONS, day_files};
pub use partition::{Partition, PartitionFolder};
pub use rows::{Compression, EncodedRowGroup, FileSizes, RowGroup, RowSchema, RowSettings, RowWriter};
