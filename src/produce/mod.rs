//! Floor 5, producing a day: its impressions, each with the customer's history from strictly before it, as training rows.
//!
//! 1. The day's impressions are read and sorted by (customer, ranking id, list), spilling beyond a budget.
//! 2. Customer by customer, the history as of the day before is read once and padded once.
//! 3. Each impression element becomes one row; rows go to part files in that order, and the partition appears whole.
//!
//! The cut-off is not an argument: it follows from `dt`, here and nowhere else.

mod histories;
mod inputs;
mod run;
mod sorted_impression;

pub use inputs::inputs_fingerprint;
pub use run::{ProduceOptions, ProduceSummary, produce, refuse_gaps};
