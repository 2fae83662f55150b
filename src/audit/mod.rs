//! Floor 6, verifying produced rows: they are derived again from the raw files by a slow independent method, and
//! compared cell by cell.
//!
//! It has in common with production only the typed reading of raw files and the zone's midnights: no delta, keyframe or
//! merge, no join, no page. From the store it uses the zone and the batch records. The rows are read by the ordinary
//! Parquet reader.
//!
//! 1. The rows' sources must be available: the store holds each batch of the manifest with the same files, and the raw
//!    files are the same, byte by byte.
//! 2. For all customers with an impression, or a sample of them, the actions from before the cut-off are gathered from
//!    all raw files, group by group of customers within a budget: of a customer never more than twice `max_history`.
//!    Of actions with event ids only the earliest of each id counts; flat rows are sorted and grouped into lists.
//! 3. They are sorted newest first, cut and padded; each impression of the customer becomes its rows; and each row is
//!    compared with the next row of the partition, in order. For rows in a shuffled order, that order is first computed
//!    from the impressions alone, and compared; then for each group the partition is read, and the histories of its
//!    customers are compared wherever they stand.
//! 4. At the end no row is left over, and each file records the newest action of its rows.
//!
//! Rows of a sharded store stand shard by shard: there customers are in the order of their shards first.
//!
//! The audit ends at the first difference, and names file, row, column, and the raw row that contradicts it.

mod basis;
mod compare;
mod difference;
mod events;
mod flat;
mod group;
mod kept;
mod options;
mod padded;
mod raw;
mod rows;
mod run;
mod sample;
mod shuffled;
mod sources;

pub(crate) use basis::Basis;
pub use options::AuditOptions;
pub(crate) use run::audit_by;
pub use run::{AuditSummary, audit};
