//! Makes an ordinary store of one shard, to look at.

use crate::error::Result;
use crate::progress::Progress;
use crate::store::{Folder, Pinned, ShardedStore};

/// Makes an ordinary store of a shard of a version, where no store exists; the sharded store does not know of it.
///
/// Disk: the shard.
pub fn checkout(
    store: &ShardedStore,
    pinned: &Pinned,
    number: u32,
    to: &Folder,
    progress: &dyn Progress,
) -> Result<()> {
    store.open(pinned, number, progress)?.copy_to(to)
}
