//! Text on the way in: CSV with a header and JSON lines, plain or compressed. The bytes come unpacked from `unpacked`,
//! are cut into records by `records`, and become batches with the columns and types that the same rows would have in a
//! Parquet file; with each row comes its line.
//!
//! Not by the readers of arrow-csv and arrow-json: these give no line for a row, stop at the first line that is none,
//! and set no bound to a line.
//!
//! What is wrong with one line alone makes that line a bad row; what leaves open where the lines are, or takes more
//! memory than there is, breaks the file.

mod batches;
mod csv;
mod csv_cells;
mod id_text;
mod json_lines;
mod json_list;
mod json_object;
mod records;
mod unpacked;
mod written_rows;

pub(super) use batches::{TextBatches, TextFile};
