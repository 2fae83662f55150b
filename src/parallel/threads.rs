//! The threads that run jobs, and what ends them together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;

/// Runs `work` with each worker on a thread of its own; the calling thread is the first. If one panics, `stop` is to
/// end the others; then joining them ends the whole command.
pub(super) fn run_all<Worker: Send>(workers: Vec<Worker>, work: impl Fn(Worker) + Sync, stop: impl Fn(Error) + Sync) {
    let work = |worker| {
        let _stop = StopOnPanic(&stop);
        work(worker);
    };
    let mut workers = workers.into_iter();
    let first = workers.next();
    std::thread::scope(|scope| {
        for worker in workers {
            let work = &work;
            // If the system refuses more threads, the existing threads do all of the work.
            let Ok(_) = std::thread::Builder::new().spawn_scoped(scope, move || work(worker)) else { break };
        }
        first.map(work);
    });
}

struct StopOnPanic<'stop, Stop: Fn(Error)>(&'stop Stop);

impl<Stop: Fn(Error)> Drop for StopOnPanic<'_, Stop> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)(panicked());
        }
    }
}

/// Returns the error of a thread that has panicked.
pub(super) fn panicked() -> Error {
    Error::internal("a thread has panicked")
}

/// Locks what threads share; after a panic, too, which ends the command by itself.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
