//! Floor 1, external sorting: buckets that are sorted separately, and sorted runs that spill to disk and are merged. It
//! knows none of the records.

mod bucket;
mod fields;
mod keys;
mod record;
mod run;
mod shared;
mod sorter;

pub(crate) use bucket::{BUCKET_RECORDS, Bucket};
pub(crate) use fields::{Fields, put_text};
pub(crate) use record::Record;
pub(crate) use shared::{Feed, SharedSorter};
pub use sorter::Sorter;
pub(crate) use sorter::{Buckets, Sorted};
