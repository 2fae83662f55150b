//! The files of a shard at the place, on their way from who wrote them to who commits.

use serde::{Deserialize, Serialize};

use crate::model::Ids;
use crate::store::versions::StoredFile;

/// The files of one shard as a task has left them: what [`ShardedStore::put`](super::ShardedStore::put) gives, and
/// [`ShardedStore::commit`](super::ShardedStore::commit) takes. It can be sent as JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ShardFiles {
    /// The number of the shard, from 0.
    pub shard: u32,
    /// The version that they follow.
    pub(super) base: u32,
    pub(super) format_version: u8,
    /// What ids are in the input of the shard, if that is known.
    #[serde(default)]
    pub(super) ids: Option<Ids>,
    pub(super) files: Vec<StoredFile>,
    /// Number of objects that were written for them.
    pub uploaded_files: usize,
    /// Total size of the objects that were written.
    pub uploaded_bytes: u64,
}

/// Returns what the names of a shard's files begin with in a version.
pub(super) fn prefix_of(shard: u32) -> String {
    format!("shard-{shard:05}/")
}
