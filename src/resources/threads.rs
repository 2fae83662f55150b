//! How many threads this process has at once, and whether the system allows them.
//!
//! Some of them RocksDB starts, which waits for ever or ends the process where it cannot. So they are tried before it
//! is asked for anything.

use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use crate::error::{Error, Kind, Result};
use crate::message::message;

/// What RocksDB starts at most: two for flushes and compactions, a timer, one for a part of a compaction, one that
/// copies files of a backup, one after an error of the disk, and two to spare.
const ROCKSDB_THREADS: usize = 8;

/// What a thread takes of the address space: the stack that the system gives to those that RocksDB starts, unless it
/// was told otherwise.
pub const STACK_BYTES: usize = 8 << 20;

/// How many threads there are at once, at most, besides the first, where `threads` are to work: as many in the pool;
/// during a backfill as many again that load a batch and that read the next; and RocksDB's.
pub fn at_once(threads: usize) -> usize {
    threads.saturating_mul(3).saturating_add(ROCKSDB_THREADS)
}

/// Starts as many threads as there are at once where `threads` are to work, and has them end. Fails where the system
/// does not allow so many.
pub fn require(threads: usize) -> Result<()> {
    let all = at_once(threads);
    let gate = Mutex::new(());
    let wait = || drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
    let tried = std::thread::scope(|scope| {
        // None of them ends before the last one has begun.
        let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
        (0..all).try_for_each(|_| Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, wait).map(drop))
    });
    tried.map_err(|error| {
        Error::new(
            Kind::Io,
            message!["cannot start the {all} threads that there are at once with ", Threads, " {threads} ({error})"],
            message![
                "give a smaller ",
                Threads,
                ", or have the system allow more (`ulimit -u`, the control group's `pids.max`)"
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
            ", or have the system allow more (`ulimit -u`, the control group's `pids.max`)"
        ],
    )
    .caused_by(error)
}

/// How many threads work unless the caller says: one for each core.
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
