//! Requested compactions that can be stopped: RocksDB itself offers no check during a compaction.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use rocksdb::DB;

use crate::error::Result;
use crate::resources::Resources;

/// Interval between checks for a request to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Runs work that waits for compactions of the database. Fails if it is asked to stop in the meantime: then the
/// database has ended all compactions, as it does when it is closed, and starts no more.
pub(crate) fn stoppable(db: &DB, resources: &Resources, work: impl FnOnce()) -> Result<()> {
    resources.check()?;
    std::thread::scope(|scope| {
        let (working, is_done) = sync_channel::<()>(0);
        let watch = move || {
            while is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                if resources.cancel().is_cancelled() {
                    return db.cancel_all_background_work(false);
                }
            }
        };
        // If the system cannot start a thread, the work runs to its end.
        let _ = std::thread::Builder::new().spawn_scoped(scope, watch);
        work();
        drop(working);
    });
    resources.check()
}
