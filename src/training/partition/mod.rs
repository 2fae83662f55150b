//! A training day from the rows of a produced partition, without the store or the input.
//!
//! 1. `source.rs` compares the part files with the manifest, and the settings asked for with those of the partition.
//! 2. `read.rs` reads the rows, several row groups at once. Each customer's history is put aside from the customer's
//!    first row; all other rows have to have the same one, which a hash tells. The rest of each row is sorted by
//!    customer and ranking id.
//! 3. `lists.rs` puts the rows back together into impressions. By customer or by carousel a list stands whole, and
//!    begins with position 0. Of shuffled rows several lists may have one customer and ranking id: where their cells
//!    leave open which rows belong together, `list_rows.rs` decides it by the order of the rows, which follows from the
//!    lists.
//! 4. Sorted again, the impressions come in the order in which [`TrainingDay::prepare`] has them, and go the same way.
//!
//! [`TrainingDay::prepare`]: super::TrainingDay::prepare

mod cells;
mod choice;
mod from_partition;
mod known_keys;
mod list_rows;
mod lists;
mod read;
mod row;
mod source;
