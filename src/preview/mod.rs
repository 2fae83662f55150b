//! Floor 6, what would be read of an input, and the problems that would stop it, before a store takes anything.

mod csv;
mod day;
mod source;

pub use csv::PreviewedCsv;
pub use day::{PreviewOptions, Previewed, preview};
pub use source::{FoundFiles, PreviewedSource};
