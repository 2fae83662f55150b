//! How many threads this process has at once, and whether the system allows them.
//!
//! RocksDB starts some of them, and waits forever or ends the process if it cannot. So the program tries to start all
//! threads before it uses RocksDB.

use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use crate::error::{Error, Kind, Result};
use crate::message::message;

/// The most threads that RocksDB starts: two for flushes and compactions, a timer, one for a part of a compaction, one
/// that copies files of a backup, one after an error of the disk, and two to spare.
const ROCKSDB_THREADS: usize = 8;

/// The address space of a thread: the stack that the system gives by default to the threads of RocksDB.
pub const STACK_BYTES: usize = 8 << 20;

/// The most threads that exist at once, besides the first, if `threads` are to work: as many in the pool; during a
/// backfill, as many to load a batch and as many to read the next; and RocksDB's.
pub fn at_once(threads: usize) -> usize {
    threads.saturating_mul(3).saturating_add(ROCKSDB_THREADS)
}

/// Starts as many threads as exist at once if `threads` are to work, then ends them. Fails if the system refuses so
/// many.
pub fn require(threads: usize) -> Result<()> {
    let all = at_once(threads);
    let gate = Mutex::new(());
    let wait = || drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
    let tried = std::thread::scope(|scope| {
        // No thread ends before the last has started.
        let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
        (0..all).try_for_each(|_| Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, wait).map(drop))
    });
    tried.map_err(|error| {
        Error::new(
            Kind::Io,
            message!["cannot start the {all} threads of ", Threads, " {threads} ({error})"],
            message![
                "give a smaller ",
                Threads,
                ", or raise the system's limit (`ulimit -u`, the control group's `pids.max`)"
            ],
        )
        .caused_by(error)
    })
}

/// The error of a thread that could not be started later.
pub fn cannot_start(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(
        Kind::Io,
        format!("cannot start a thread ({error})"),
        message![
            "give a smaller ",
            Threads,
            ", or raise the system's limit (`ulimit -u`, the control group's `pids.max`)"
        ],
    )
    .caused_by(error)
}

/// The default number of threads: one for each core.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_there_are_at_once_can_be_started() {
        require(3).unwrap();
        assert_eq!(at_once(3), 17);
    }
}
