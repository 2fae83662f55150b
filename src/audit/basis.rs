//! What an audit takes from a store, or from all shards of a sharded one.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Result;
use crate::format::{BatchRecord, files_fingerprint};
use crate::model::{Day, TypeTable};
use crate::store::{BlockList, Store};

/// Everything but the rows that an audit is not told by raw files.
///
/// Memory: that of the block list; of shards, some 100 bytes for each batch.
pub(crate) struct Basis<'a> {
    /// What has the settings and the records of batches. Of shards, one: all have the settings, and the files of a
    /// batch.
    pub store: &'a Store,
    /// Where it lies.
    pub place: &'a Path,
    /// The names of the action types.
    pub types: TypeTable,
    /// The forgotten customers.
    pub block_list: BlockList,
    /// The fingerprints of batches by all shards; `None`: those of the records.
    pub files: Option<BTreeMap<Day, String>>,
}

impl<'a> Basis<'a> {
    /// Returns what a store gives.
    pub(super) fn of(store: &'a Store) -> Result<Self> {
        let (place, types) = (store.folder().path(), store.settings().types.clone());
        Ok(Basis { store, place, types, block_list: store.block_list()?, files: None })
    }

    /// Returns the record of a batch that has this fingerprint in a manifest; `None` if there is no such batch.
    pub(super) fn batch(&self, day: Day, fingerprint: &str) -> Result<Option<BatchRecord>> {
        let is_same = |record: &BatchRecord| match &self.files {
            Some(files) => files.get(&day).is_some_and(|held| held == fingerprint),
            None => files_fingerprint(record) == fingerprint,
        };
        Ok(self.store.batch(day)?.filter(is_same))
    }
}
