//! Floor 6, histories for themselves, without impressions: one of them explained action by action, or those of many
//! customers with the times of their actions.
//!
//! Invariant: what is inside a history here is what a row of `produce` with the same options has, in the same order.

mod explain;
mod get;
mod question;

pub use explain::{Explained, Explanation, LeftOut, LeftOutCounts, explain};
pub use get::{GetSummary, get};
pub use question::Question;
