//! Floor 3, reading `lookback.toml`: the only place that names toml. It finds the file, reads it, and returns
//! [`crate::sources::Sources`], or one sentence that names the file, the line, and the nearest valid word.
//!
#![doc = include_str!("reference.md")]

mod columns;
mod csv;
mod find;
mod ids;
mod nearest;
mod read;
mod row_rules;
mod section;

pub use columns::name_columns;
pub use find::{sources, unused};
pub(crate) use nearest::nearest;
