//! Text on the way in: CSV with a header and JSON lines, plain or compressed. `unpacked` decompresses the bytes,
//! `records` cuts them into records, and these become batches with the columns that the same rows would have in a
//! Parquet file, as text; each row keeps its line.
//!
//! The readers of arrow-csv and arrow-json would not do: they give no line for a row, stop at the first malformed line,
//! and set no limit to the length of a line.
//!
//! A fault of one line alone makes that line a bad row; a fault that hides where lines begin, or a line that exceeds
//! the memory limit, makes the file unusable.

mod batches;
mod csv;
mod csv_cells;
mod dialect;
mod json_elements;
mod json_id;
mod json_lines;
mod json_list;
mod json_object;
mod json_rows;
mod object_scan;
mod records;
mod unpacked;
mod written_rows;

pub(super) use batches::{TextBatches, TextFile};
