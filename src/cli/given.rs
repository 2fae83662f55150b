//! What a program gives a command beside its words.

use std::path::PathBuf;

use lookback::shards::Engine;

pub use super::in_memory::RowsInMemory;

/// What a program gives a command beside its words: rows for one that takes them, an engine for a command on a sharded
/// store whose shards are tasks, and a folder for scratch files.
#[derive(Default)]
pub struct Given {
    /// Rows in memory.
    pub rows: RowsInMemory,
    /// What runs the tasks.
    pub engine: Option<Box<dyn Engine>>,
    /// The folder for scratch files; that of the system without it.
    pub scratch: Option<PathBuf>,
}
