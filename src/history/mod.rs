//! Floor 2, what a history is: its order, how a day is folded into it, how it is cut and padded.
//!
//! Pure functions over values of [`crate::model`]; no I/O, no clock, no randomness. In every list of actions that goes in or comes
//! out, the newest stands first.
//!
//! Invariant: the newest `n` of a union are among the newest `n` of its parts. That is why lists that were cut can be merged and cut
//! again without ever losing an action that counts.

mod cut;
mod fold;
mod order;
mod pad;

pub use cut::since;
pub use fold::{fold, merge};
pub use order::newest_first;
pub use pad::Padded;
