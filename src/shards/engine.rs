//! Who runs the work on shards elsewhere: the tasks of a cluster.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::output::PartsPlace;
use crate::store::Pinned;

/// Runs a task for each shard of a version, anywhere, and brings back what they answer.
///
/// A task does its work as often as its engine likes: what is not used of it is garbage that the next run, or
/// [`crate::store::ShardedStore::collect`], removes.
pub trait Engine: Send + Sync {
    /// Runs the task of each shard, with the rows of its customers, and returns what each has answered, in any order.
    fn run(&self, tasks: &Tasks) -> Result<Vec<String>>;
}

/// What the tasks of a command have in common, beside its settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Tasks {
    /// The version that they work on.
    pub version: u32,
    /// How many there are: one for each shard.
    pub shards: u32,
    /// Where they write the parts of a partition, if that is what they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<PartsPlace>,
}

/// One of the tasks: the fields of [`Tasks`] but for their number, and the shard, from 0.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Task {
    /// The version that it works on.
    pub version: u32,
    /// The shard.
    pub shard: u32,
    /// Where it writes the parts of a partition, if that is what it does.
    #[serde(default)]
    pub parts: Option<PartsPlace>,
}

impl Task {
    /// Reads a task. Fails with the reason as a phrase.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// Runs a task for each shard, and reads the answers.
pub(super) fn answers<A: DeserializeOwned>(
    engine: &dyn Engine,
    pinned: &Pinned,
    parts: Option<PartsPlace>,
) -> Result<Vec<A>> {
    let tasks = Tasks { version: pinned.version(), shards: pinned.shards().number(), parts };
    let said = engine.run(&tasks)?;
    let read = |answer: &String| {
        serde_json::from_str(answer)
            .map_err(|error| Error::internal("a task has answered something else").caused_by(error))
    };
    said.iter().map(read).collect()
}
