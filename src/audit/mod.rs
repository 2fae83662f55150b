//! Floor 6, proving produced rows: they are derived once more from the raw files, the slow way, and compared cell by
//! cell.
//!
//! It shares with the way that made them only the typed reading of raw files and the zone's midnights: no delta,
//! keyframe or merge, no join, no page. Of the store it takes the zone and the records of the batches. The rows come
//! through the ordinary Parquet reader.
//!
//! 1. What the rows rest on must be at hand: each batch of the manifest is held by the store with those files, and the
//!    raw files are these, byte by byte.
//! 2. Of all customers shown something, or of a sample of them, the actions from before the cut-off are gathered from
//!    all raw files, group by group of customers within a budget: of a customer never more than twice `max_history`.
//! 3. They are sorted newest first, cut and padded; each impression of the customer becomes its rows; and each is
//!    compared with the row that comes next in the partition, in order. Where rows stand in a shuffled order, that
//!    order is worked out first, from the impressions alone, and compared; then for each group the partition is read,
//!    and the histories of its customers are compared wherever they stand.
//! 4. At the end no row is left over, and each file says the newest action of its rows.
//!
//! The first difference ends it, named with file, row, column, and the raw row that says otherwise.

mod compare;
mod difference;
mod group;
mod options;
mod padded;
mod rows;
mod run;
mod sample;
mod shuffled;
mod sources;

pub use options::AuditOptions;
pub use run::{AuditSummary, audit};
