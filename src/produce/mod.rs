//! Floor 6, producing a day: its impressions, each with the customer's history from strictly before it, as training
//! rows.
//!
//! 1. The day's impressions are read and sorted by (customer, ranking id, list), spilling beyond a budget.
//! 2. They are cut into row groups. Any thread joins one: customer by customer the history as of the day before is read
//!    once and encoded once; each impression element becomes one row.
//! 3. Row groups go to part files in their order, and the partition appears whole, with a manifest that says what its
//!    rows rest on.
//!
//! Several days can be produced together: customer by customer, the histories as of all of them are read in one walk,
//! and each day's rows go to its own files. The bytes are those of one day after the other.
//!
//! With a shuffled order, the second step puts histories and impressions aside, and sorts the impressions, or each of
//! their rows, by their places in that order; the third puts the two together again.
//!
//! The cut-off is not an argument: it follows from `dt`, here and nowhere else.

mod choice;
mod chunks;
mod counters;
mod customer_chunks;
mod histories;
mod history_spool;
mod inputs;
mod keyed_rows;
mod manifest;
mod multi_day;
mod options;
mod other_store;
mod prepared_day;
mod read;
mod refusals;
mod row_groups;
mod run;
mod shuffled;
mod sorted_impression;
mod summary;

pub use choice::RowChoice;
pub use inputs::inputs_fingerprint;
pub use multi_day::{is_multi_day, produce_multi_day};
pub use options::ProduceOptions;
pub use refusals::{refuse_gaps, refuse_outdated, refuse_pruned};
pub use run::{produce, produce_sized};
pub use summary::ProduceSummary;
