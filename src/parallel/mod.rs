//! Floor 1, jobs on several threads whose results are taken in the order of the jobs: by one taker ([`ordered_map()`]),
//! or by several ([`broadcast()`]).

mod broadcast;
mod ordered_map;
mod threads;

pub use broadcast::broadcast;
pub use ordered_map::{each, each_in_order, ordered_map};
