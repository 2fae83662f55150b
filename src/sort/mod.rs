//! Floor 4, sorting more than fits in memory: sorted runs that spill to disk and are merged. A sibling of `store/` and `files/` that knows
//! neither.

mod radix;
mod run;
mod scratch;
mod sorter;

pub use radix::sort_by_leading;
pub use scratch::Scratch;
pub use sorter::{Record, SORT_BYTES_DEFAULT, Sorted, Sorter};
