//! The way back: the files of a shard to the place, and all shards to the next version.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use super::change::Change;
use super::open_shard::OpenShard;
use super::place::{Pinned, ShardedStore};
use super::shard_files::{ShardFiles, prefix_of};
use crate::error::{Error, Result};
use crate::exact::Held;
use crate::progress::Progress;
use crate::storage::fresh;
use crate::store::engine::checkpoint::at_checkpoint;
use crate::store::folder::Folder;
use crate::store::versions::{Content, Document, LocalFile, ObjectName, Origin, Sharded, StoredFile, ids_of};

impl ShardedStore {
    /// Writes the files of a shard to the place that the version does not have. The store in its folder must be closed.
    ///
    /// Memory: [`crate::resources::Resources::uploads_bytes`].
    pub fn put(&self, pinned: &Pinned, open: OpenShard, progress: &dyn Progress) -> Result<ShardFiles> {
        let (origin, ids, files, uploaded) = at_checkpoint(&open.folder, |db| {
            let origin = Origin::of(db, &open.folder)?;
            let files = LocalFile::of(db, &open.folder)?;
            let is_whole = |file: &&StoredFile| file.object.content.bytes == file.bytes;
            let whole = open.files.iter().filter(is_whole).map(|file| &file.object);
            let objects: BTreeMap<Content, ObjectName> =
                whole.map(|object| (object.content.clone(), object.clone())).collect();
            // A link to a file of the cache is that very file, and nobody has written to it.
            let known = |file: &LocalFile| {
                let metadata = std::fs::metadata(&file.path).map_err(|error| Error::io("read", &file.path, error))?;
                Ok(open.known.get(&(metadata.dev(), metadata.ino())).cloned())
            };
            let resources = &self.resources;
            let (stored, uploaded) =
                self.versions.upload_beside(&origin.run, objects, &files, &known, resources, progress)?;
            self.keep_tables(&files, &stored)?;
            Ok((origin, ids_of(db, &open.folder)?, stored, uploaded))
        })?;
        Ok(ShardFiles {
            shard: open.shard.number,
            base: pinned.version(),
            format_version: origin.format_version,
            ids: Some(ids),
            files,
            uploaded_files: uploaded.objects,
            uploaded_bytes: uploaded.bytes,
        })
    }

    /// Writes the files of a store that was made anew, as those of a shard of the version after `base`. The store must
    /// be closed.
    pub(crate) fn put_new(
        &self,
        base: u32,
        shard: u32,
        folder: &Folder,
        progress: &dyn Progress,
    ) -> Result<ShardFiles> {
        at_checkpoint(folder, |db| {
            let origin = Origin::of(db, folder)?;
            let (files, none, resources) = (LocalFile::of(db, folder)?, BTreeMap::new(), &self.resources);
            let written = self.versions.upload_beside(&origin.run, none, &files, &|_| Ok(None), resources, progress)?;
            let (stored, uploaded) = written;
            self.keep_tables(&files, &stored)?;
            let (format_version, ids) = (origin.format_version, Some(ids_of(db, folder)?));
            let (uploaded_files, uploaded_bytes) = (uploaded.objects, uploaded.bytes);
            Ok(ShardFiles { shard, base, format_version, ids, files: stored, uploaded_files, uploaded_bytes })
        })
    }

    /// Keeps the tables of a checkpoint in the cache, so that whoever opens the shard next on this machine need not
    /// fetch what was made here.
    fn keep_tables(&self, files: &[LocalFile], stored: &[StoredFile]) -> Result<()> {
        let objects: BTreeMap<&str, &ObjectName> =
            stored.iter().map(|file| (file.name.as_str(), &file.object)).collect();
        for file in files.iter().filter(|file| file.name.ends_with(".sst")) {
            let object = objects.get(file.name.as_str()).held("a table has an object of its own")?;
            self.cache.keep(object, &file.path)?;
        }
        self.cache.trim()
    }

    /// Returns what to answer for a shard that stays as it is.
    pub fn unchanged(&self, pinned: &Pinned, shard: u32) -> ShardFiles {
        ShardFiles {
            shard,
            base: pinned.version(),
            format_version: pinned.format_version(),
            ids: pinned.ids(),
            files: pinned.files_of(shard),
            uploaded_files: 0,
            uploaded_bytes: 0,
        }
    }

    /// Makes the version after `pinned`, of one answer for each shard. Returns `None`, with nothing changed, if another
    /// run has made that version: then its work is to be done again from the new one.
    pub fn commit(&self, pinned: &Pinned, answers: Vec<ShardFiles>, change: Change) -> Result<Option<Pinned>> {
        let Some(number) = pinned.version().checked_add(1) else {
            return Err(Error::refused("there is no further number", "name another place"));
        };
        let sharded = change.applied(&pinned.sharded, number);
        self.publish(pinned.version(), pinned.document.origin.store.clone(), answers, sharded)
    }

    /// Makes the version after `base`, or the first after 0.
    pub(super) fn publish(
        &self,
        base: u32,
        store: String,
        answers: Vec<ShardFiles>,
        sharded: Sharded,
    ) -> Result<Option<Pinned>> {
        let mut by_shard: BTreeMap<u32, ShardFiles> = BTreeMap::new();
        for answer in answers {
            let shard = answer.shard;
            if answer.base != base {
                let what = format!("the files of shard {shard} follow version {}, and not {base}", answer.base);
                return Err(Error::internal(what));
            }
            if by_shard.insert(shard, answer).is_some() {
                return Err(Error::internal(format!("shard {shard} has answered twice")));
            }
        }
        if !by_shard.keys().copied().eq(0..sharded.shards) {
            let what = format!("{} of {} shards have answered", by_shard.len(), sharded.shards);
            return Err(Error::internal(what));
        }
        let format_version = by_shard.values().map(|answer| answer.format_version).max();
        let format_version = format_version.held("a sharded store has a shard")?;
        // All shards have the same batches, and with them the same ids.
        let ids = by_shard.values().find_map(|answer| answer.ids);
        let sharded = Sharded { ids: ids.or(sharded.ids), ..sharded };
        let lookback = env!("CARGO_PKG_VERSION").to_owned();
        let origin = Origin { run: fresh::drawn()?, lookback, store, format_version };
        let named = by_shard.into_values().flat_map(|answer| {
            let prefix = prefix_of(answer.shard);
            answer.files.into_iter().map(move |file| StoredFile { name: format!("{prefix}{}", file.name), ..file })
        });
        let document = Document::new(base + 1, origin, named.collect()).of_shards(sharded);
        if !self.versions.publish(&document)? {
            return Ok(None);
        }
        self.pinned(document).map(Some)
    }
}
