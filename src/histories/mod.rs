//! Floor 6, histories without impressions: one history explained action by action, or the histories of many customers
//! with the times of their actions.
//!
//! Invariant: a history here equals the history in a row of `produce` with the same options, in the same order.

mod asked;
mod explain;
mod get;
mod question;

pub use asked::AskedCustomer;
pub use explain::{Explained, Explanation, LeftOut, LeftOutCounts, explain};
pub use get::{GetSummary, get};
pub use question::Question;
