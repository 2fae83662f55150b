//! Floor 1, jobs on several threads whose results are taken in the order of the jobs: by one taker ([`ordered_map()`]),
//! by several ([`broadcast()`]), or by a caller who pulls them ([`ReadAhead`]).

mod broadcast;
mod ordered_map;
mod read_ahead;
mod threads;

pub(crate) use broadcast::broadcast;
pub(crate) use ordered_map::{each, each_in_order, ordered_map};
pub use read_ahead::ReadAhead;
