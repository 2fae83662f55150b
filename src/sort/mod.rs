//! Floor 1, sorting more than fits in memory: pieces that are sorted apart, and sorted runs that spill to disk and are merged. A sibling of
//! `store/` and `files/` that knows neither.

mod keys;
mod piece;
mod record;
mod run;
mod shared;
mod sorter;

pub use piece::{PIECE_RECORDS, Piece};
pub use record::Record;
pub use shared::{Feed, SharedSorter};
pub use sorter::{Pieces, Sorted, Sorter};
