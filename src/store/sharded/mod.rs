//! A sharded store: the customers dealt out to N stores by a hash of their ids, kept at a place as numbered versions of
//! immutable files. [`crate::store::versions`] says how a version appears, and why nothing is removed that one names.
//!
//! 1. [`ShardedStore::pin`] reads a version, which stays as it is whatever others do.
//! 2. [`ShardedStore::open`] brings a shard of it to this machine: an ordinary store, in a folder of its own. Table
//!    files are links to those of a cache, which is never written to twice.
//! 3. [`ShardedStore::put`] writes the files that the shard has and the version does not have to the place, under names
//!    that nobody else gives. Nothing has changed so far, however often this is done, and by whom.
//! 4. [`ShardedStore::commit`] makes the next version of all shards with one write that succeeds once.
//!
//! So tasks may do 2 and 3 on any machines, fail, be repeated or come late; what no version names is garbage, and
//! [`ShardedStore::collect`] removes it when it is old.

mod cache;
mod change;
mod commit;
mod create;
mod open_shard;
mod place;
mod shard_files;

pub use change::Change;
pub use open_shard::OpenShard;
pub use place::{Pinned, ShardedStore};
pub use shard_files::ShardFiles;
