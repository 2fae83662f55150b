//! The extension module `lookback._native`: the facade of the library as the Python package needs it. What users call
//! stands in `python/lookback/`; nothing here has a default or a docstring for them.
//!
//! Work runs without the interpreter's lock on a thread of its own, while the caller's thread looks for signals and
//! passes progress on (`work.rs`). What has threads or files is never used or dropped in a process forked from the one
//! that made it (`own.rs`).

mod arrow_stream;
mod batch;
mod batches;
mod call;
mod column;
mod day;
mod errors;
mod histories;
mod own;
mod resources;
mod rows_in_memory;
mod shards;
mod shared_columns;
mod shared_day;
mod shared_memory;
mod vocabulary;
mod work;

use pyo3::prelude::*;

/// The module.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::arrow_stream::ArrowStream;
    #[pymodule_export]
    use super::batch::Batch;
    #[pymodule_export]
    use super::batches::Batches;
    #[pymodule_export]
    use super::call::{call, program};
    #[pymodule_export]
    use super::column::Column;
    #[pymodule_export]
    use super::day::{Day, from_partition, prepare, shared_day, unused_configuration};
    #[pymodule_export]
    use super::histories::histories;
    #[pymodule_export]
    use super::resources::{Stop, default_memory};
    #[pymodule_export]
    use super::shards::shards_of;
    #[pymodule_export]
    use super::shared_columns::{Lender, receive};
    #[pymodule_export]
    use super::shared_day::{Board, lock};
    #[pymodule_export]
    use super::vocabulary::vocabulary;
}
