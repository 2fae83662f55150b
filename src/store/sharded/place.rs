//! The place of a sharded store, and its versions.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::cache::Cache;
use super::shard_files::prefix_of;
use crate::error::{Error, Kind, Result};
use crate::exact::Held;
use crate::format::{FORMAT_VERSION, Secret};
use crate::message::message;
use crate::model::{Day, Ids, Shards};
use crate::resources::Resources;
use crate::storage::keep_apart;
use crate::store::versions::{Document, Removed, Sharded, StoredFile, Versions, VersionsOf};
use crate::text::Shown as _;

/// A sharded store at a place: a folder that all machines share, or a URL.
#[derive(Debug)]
pub struct ShardedStore {
    pub(super) versions: Versions,
    pub(super) resources: Resources,
    pub(super) cache: Cache,
}

/// One version of a sharded store, which does not change.
#[derive(Clone, Debug)]
pub struct Pinned {
    pub(super) document: Arc<Document>,
    pub(super) sharded: Sharded,
    pub(super) shards: Shards,
}

impl Pinned {
    pub(super) fn new(document: Document) -> Result<Self, String> {
        let sharded = document.sharded.clone().ok_or("it is none of a sharded store")?;
        let shards = Shards::new(sharded.shards).ok_or("its number of shards is not a power of two")?;
        let mut files = document.files.iter().map(|file| file.name.as_str()).peekable();
        for shard in 0..shards.number() {
            let prefix = prefix_of(shard);
            let mut count = 0;
            while files.next_if(|name| name.starts_with(&prefix)).is_some() {
                count += 1;
            }
            if count == 0 {
                return Err(format!("it has no files of shard {shard}"));
            }
        }
        match files.next() {
            None => Ok(Pinned { document: Arc::new(document), sharded, shards }),
            Some(name) => Err(format!("{name} is of no shard")),
        }
    }

    /// The number of the version.
    pub fn version(&self) -> u32 {
        self.document.number
    }

    /// The number of shards.
    pub fn shards(&self) -> Shards {
        self.shards
    }

    /// The zone in which days begin.
    pub fn time_zone(&self) -> &str {
        &self.sharded.time_zone
    }

    /// The most actions in a history.
    pub fn max_history(&self) -> usize {
        self.sharded.max_history
    }

    /// What ids are in the input; `None` if the version does not say so, as the first ones did not.
    pub fn ids(&self) -> Option<Ids> {
        self.sharded.ids
    }

    /// What the version has done to the one before, in words.
    pub fn change(&self) -> &str {
        &self.sharded.change
    }

    /// Returns the days of its batches, each with its actions before any cut and the version that brought it so.
    pub fn batches(&self) -> impl ExactSizeIterator<Item = (Day, u64, u32)> {
        self.sharded.batches.iter().map(|batch| (batch.dt, batch.actions, batch.version))
    }

    /// Returns the secret of the block lists of its shards, if a customer has been forgotten.
    pub(crate) fn secret(&self) -> Result<Option<Secret>> {
        let number = self.sharded.secret.as_deref().map(|digits| u128::from_str_radix(digits, 16)).transpose();
        Ok(number.held("the secret of a version is hexadecimal digits")?.map(u128::to_be_bytes))
    }

    /// Whether a batch of this day has come under this identity, in this version or an earlier one, and the day was not
    /// removed since.
    pub fn has_had(&self, dt: Day, batch_id: &str) -> bool {
        self.sharded.batch_ids.iter().any(|held| held.dt == dt && held.id == batch_id)
    }

    /// Returns for each shard the size of its files.
    pub fn bytes_of_shards(&self) -> Vec<u64> {
        (0..self.shards.number()).map(|shard| self.files_of(shard).iter().map(|file| file.bytes).sum()).collect()
    }

    /// Returns the format version of its shards.
    pub fn format_version(&self) -> u8 {
        self.document.origin.format_version
    }

    /// Returns the files of a shard, under the names that they have in a store.
    pub(super) fn files_of(&self, shard: u32) -> Vec<StoredFile> {
        let prefix = prefix_of(shard);
        let of_shard = |file: &StoredFile| {
            file.name.strip_prefix(&prefix).map(|name| StoredFile { name: name.to_owned(), ..file.clone() })
        };
        let begin = self.document.files.partition_point(|file| file.name < prefix);
        self.document.files.iter().skip(begin).map_while(of_shard).collect()
    }
}

impl ShardedStore {
    /// Opens the place of a sharded store; makes no request. `cache` is a folder on a disk of this machine in which
    /// table files stay, up to so many bytes, for who opens a shard again; without one they last as long as the shard
    /// is open, in the folder for scratch files. Fails if there are no credentials for a URL, and if cache and place
    /// lie in each other.
    pub fn connect(place: &Path, cache: Option<(&Path, u64)>, resources: &Resources) -> Result<Self> {
        if let Some((folder, _)) = cache {
            keep_apart(("the cache", folder), &[("the store", place)])?;
        }
        let versions = Versions::connect(place, VersionsOf::Shards, resources)?;
        let cache = match cache {
            Some((folder, bytes_max)) => Cache::open(folder, bytes_max)?,
            None => Cache::of_its_own(resources.scratch_folder())?,
        };
        Ok(ShardedStore { versions, resources: resources.clone(), cache })
    }

    /// Returns its folder or URL.
    pub fn place(&self) -> &Path {
        self.versions.place()
    }

    /// Returns what work on it may use.
    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Reads a version, the newest if none is named.
    pub fn pin(&self, version: Option<u32>) -> Result<Pinned> {
        let numbers = self.version_numbers()?;
        let place = || self.versions.place().shown().to_string();
        let Some(newest) = numbers.last().copied() else {
            return Err(Error::refused(
                format!("there is no sharded store at {}", place()),
                message!["name another place, or make one with ", [Shards]],
            ));
        };
        let number = version.unwrap_or(newest);
        let document = if numbers.contains(&number) { self.versions.document(number)? } else { None };
        let Some(document) = document else {
            let there: Vec<String> = numbers.iter().map(u32::to_string).collect();
            return Err(Error::refused(
                format!("there is no version {number} of the sharded store at {}", place()),
                format!("versions there: {}", there.join(", ")),
            ));
        };
        self.pinned(document)
    }

    /// Fails if the shards of a version have another format version than this program works with.
    pub(crate) fn refuse_other_format(&self, pinned: &Pinned) -> Result<()> {
        let found = pinned.format_version();
        if found == FORMAT_VERSION {
            return Ok(());
        }
        let (place, program) = (self.versions.place().shown(), env!("CARGO_PKG_VERSION"));
        let what = format!(
            "the shards of version {} at {place} have format version {found}, and this program (lookback {program}) works with format version {FORMAT_VERSION}",
            pinned.version()
        );
        let remedy = if found > FORMAT_VERSION {
            message!["use a newer lookback"]
        } else {
            message!["migrate the newest version with ", [ShardsMigrate Store = (place)]]
        };
        Err(Error::refused(what, remedy))
    }

    /// Returns the numbers of all versions that can be read, ascending.
    pub fn version_numbers(&self) -> Result<Vec<u32>> {
        let there = self.versions.list()?.into_iter().filter(|version| !version.is_removed);
        Ok(there.map(|version| version.number).collect())
    }

    pub(super) fn pinned(&self, document: Document) -> Result<Pinned> {
        let number = document.number;
        Pinned::new(document).map_err(|why| self.versions.damaged(number, "its document", &why))
    }

    /// Removes all versions but the newest `keep`, at least one, and files that no version names and that were written
    /// longer than `grace`, at least an hour, before the newest version. Returns how many versions and files were
    /// removed, and the size of the files.
    pub fn collect(&self, keep: usize, grace: Duration) -> Result<(usize, usize, u64)> {
        let head = self.pin(None)?;
        let Removed { versions, objects, bytes } = self.versions.collect(&head.document, keep, grace)?;
        Ok((versions, objects, bytes))
    }

    /// Returns the error for a version that was removed while it was in use, if that is why files are missing.
    pub(super) fn removed_meanwhile(&self, pinned: &Pinned, error: Error) -> Error {
        let number = pinned.version();
        match self.versions.document(number) {
            Ok(None) => Error::new(
                Kind::Busy,
                format!(
                    "version {number} of the sharded store at {} was removed meanwhile",
                    self.versions.place().shown()
                ),
                "run the same command again, and keep more versions if that happens often",
            )
            .caused_by(error),
            _ => error,
        }
    }
}
