//! Floor 6, producing a day: each of its impressions with the customer's history from strictly before the day, as
//! training rows.
//!
//! 1. The day's impressions are read and sorted by (customer, ranking id, list), and spill to disk beyond a budget.
//! 2. The impressions are cut into row groups, which threads join in parallel: each customer's history as of the day
//!    before is read once and encoded once; each impression element becomes one row.
//! 3. Row groups are written to part files in order. Then the partition appears as a whole, with a manifest that
//!    records what its rows were made from.
//!
//! Several days can be produced together: each customer's histories as of all days are read in one walk, and each day's
//! rows go to its own files. The bytes are the same as if each day were produced alone.
//!
//! With a shuffled order, the second step spools the histories to disk and sorts the impressions, or their rows, by
//! their keys in that order; the third step joins the two.
//!
//! The cut-off is not an argument: it is derived from `dt`, only here.

mod choice;
mod chunks;
mod counters;
mod customer_chunks;
mod day_input;
mod day_options;
mod histories;
mod history_spool;
mod inputs;
mod kept;
mod keyed_rows;
mod manifest;
mod multi_day;
mod options;
mod other_store;
mod prepared_day;
mod read;
mod row_groups;
mod run;
mod shuffled;
mod sorted_impression;
mod spooling;
mod summary;

pub use choice::RowChoice;
pub(crate) use chunks::Chunks;
pub(crate) use counters::{Counters, Counts};
pub(crate) use day_input::DayInput;
pub(crate) use day_options::DayOptions;
pub(crate) use histories::check_fits;
pub(crate) use history_spool::{HistoryPlace, HistorySpool, pack};
pub(crate) use kept::MayBeKept;
pub(crate) use keyed_rows::{Copies, Numbered};
pub(crate) use multi_day::{is_multi_day, produce_multi_day};
pub use options::ProduceOptions;
pub(crate) use other_store::older_partition;
pub use run::produce;
pub(crate) use spooling::Spooling;
pub use summary::ProduceSummary;
