//! Training rows in memory, a batch at a time, in one of three layouts. Nothing here knows where rows and histories
//! come from; nothing is written.
//!
//! A batch has B rows, U different histories and T actions in them; L is the maximum length of a history.
//!
//! | layout | cells of a column of actions | which history a row has |
//! |---|---|---|
//! | `padded` | B × L, each history padded with zeros | its own: row n has cells n × L and following |
//! | `dedup` | U × L | `inverse`: B places among the U histories |
//! | `jagged` | T, without padding | `inverse`, and `offsets`: U + 1 places among the T actions |

mod batch;
mod cells;
mod layout;
mod memory;
mod record_batch;
mod writer;

pub use batch::RowBatch;
pub use cells::{ItemCells, TypeCells};
pub use layout::{BatchShape, Layout};
pub use memory::{Cells, LendCells, LentCells};
pub use writer::HistoryColumns;
