//! Floor 1, external sorting: buckets that are sorted separately, and sorted runs that spill to disk and are merged. It
//! knows none of the records.

mod bucket;
mod fields;
mod keys;
mod record;
mod run;
mod shared;
mod sorter;

pub use bucket::{BUCKET_RECORDS, Bucket};
pub use fields::{Fields, put_text};
pub use record::Record;
pub use shared::{Feed, SharedSorter};
pub use sorter::{Buckets, Sorted, Sorter};
