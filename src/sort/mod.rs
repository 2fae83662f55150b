//! Floor 1, sorting more than fits in memory: buckets that are sorted apart, and sorted runs that spill to disk and are
//! merged. A sibling of `store/` and `files/` that knows neither.

mod bucket;
mod keys;
mod record;
mod run;
mod shared;
mod sorter;

pub use bucket::{BUCKET_RECORDS, Bucket};
pub use record::Record;
pub use shared::{Feed, SharedSorter};
pub use sorter::{Buckets, Sorted, Sorter};
