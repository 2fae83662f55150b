//! The first version of a sharded store.

use super::place::{Pinned, ShardedStore};
use super::shard_files::ShardFiles;
use crate::error::{Error, Result};
use crate::format::hex;
use crate::model::Shards;
use crate::progress::Progress;
use crate::storage::fresh;
use crate::store::folder::Folder;
use crate::store::handle::Store;
use crate::store::settings::Settings;
use crate::store::versions::{Sharded, ShardedBatch};
use crate::text::Shown as _;

impl ShardedStore {
    /// Makes a sharded store without batches: version 1. Fails if there is one, or anything else of lookback's.
    pub fn create(&self, shards: Shards, settings: Settings, progress: &dyn Progress) -> Result<Pinned> {
        self.begin()?;
        let work = self.cache.work_folder()?;
        let folder = Folder::with(&work.path().join("store"), &self.resources);
        Store::create(&folder, settings)?;
        // All shards begin with the same files.
        let first = self.put_new(0, 0, &folder, progress)?;
        let answers = (0..shards.number()).map(|shard| ShardFiles { shard, ..first.clone() }).collect();
        self.publish_first(&Store::open_reader(&folder)?, shards, "init", answers)
    }

    /// Fails if there is a sharded store, or anything else of lookback's.
    pub(crate) fn begin(&self) -> Result<()> {
        self.versions.claim()?;
        if self.versions.list()?.is_empty() { Ok(()) } else { Err(self.there_already()) }
    }

    /// Makes version 1 of shards that have the customers of a store.
    pub(crate) fn publish_first(
        &self,
        of: &Store,
        shards: Shards,
        change: &str,
        answers: Vec<ShardFiles>,
    ) -> Result<Pinned> {
        let settings = of.settings();
        let batches = of.batches()?;
        let batch = |(dt, batch): (_, &crate::store::Batch)| ShardedBatch { dt, version: 1, actions: batch.actions };
        let sharded = Sharded {
            shards: shards.number(),
            time_zone: settings.zone.name().to_owned(),
            max_history: settings.max_history,
            change: change.to_owned(),
            batches: batches.iter().map(batch).collect(),
            batch_ids: Vec::new(),
            ids: Some(settings.ids),
            secret: of.block_list()?.record().map(|record| hex(&record.secret)),
        };
        let made = self.publish(0, fresh::drawn()?, answers, sharded)?;
        made.ok_or_else(|| self.there_already())
    }

    fn there_already(&self) -> Error {
        let what = format!("there is a sharded store at {}, or was one lately", self.versions.place().shown());
        Error::refused(what, "name another place, or use that one")
    }
}
