//! Compactions that are asked for, and end early where they are asked to stop: RocksDB lets no caller look in between.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use rocksdb::DB;

use crate::error::Result;
use crate::resources::Resources;

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Does work that waits for compactions of the database. Fails where it is asked to stop meanwhile: then the database
/// has ended all of them, as it does when it is closed, and takes no further ones up.
pub fn stoppable(db: &DB, resources: &Resources, work: impl FnOnce()) -> Result<()> {
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
        // Where the system gives no thread, the work goes on to its end.
        let _ = std::thread::Builder::new().spawn_scoped(scope, watch);
        work();
        drop(working);
    });
    resources.check()
}
