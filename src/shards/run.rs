//! Makes a version after the newest, shard by shard, and begins again if another run was faster.

use serde::{Deserialize, Serialize};

use super::TRIES;
use crate::error::{Error, Kind, Result};
use crate::progress::Progress;
use crate::store::{Change, OpenShard, Pinned, ShardFiles, ShardedStore};

/// What work on the shards of one version has made.
pub(super) enum Made {
    /// Nothing is to be changed.
    Nothing,
    /// The next version.
    Change(Change),
}

/// The shards of one version at work.
pub(super) struct Run<'a> {
    pub store: &'a ShardedStore,
    pub head: &'a Pinned,
    pub progress: &'a dyn Progress,
    answers: Vec<ShardFiles>,
    pub traffic: Traffic,
}

/// What went to and fro between this machine and the place.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Traffic {
    /// Number of table files that came from the place.
    pub fetched_files: usize,
    /// Total size of the table files that came from the place.
    pub fetched_bytes: u64,
    /// Number of files that were written to the place.
    pub uploaded_files: usize,
    /// Total size of the files that were written to the place.
    pub uploaded_bytes: u64,
}

impl Traffic {
    pub(super) fn add(&mut self, other: Traffic) {
        let Traffic { fetched_files, fetched_bytes, uploaded_files, uploaded_bytes } = other;
        self.fetched_files += fetched_files;
        self.fetched_bytes += fetched_bytes;
        self.uploaded_files += uploaded_files;
        self.uploaded_bytes += uploaded_bytes;
    }

    pub(super) fn add_fetched(&mut self, open: &OpenShard) {
        self.fetched_files += open.fetched_files;
        self.fetched_bytes += open.fetched_bytes;
    }

    pub(super) fn add_uploaded(&mut self, files: &ShardFiles) {
        self.uploaded_files += files.uploaded_files;
        self.uploaded_bytes += files.uploaded_bytes;
    }
}

impl Run<'_> {
    /// Does something to the store of a shard, which it leaves closed, and takes what has become of it.
    pub(super) fn shard<T>(&mut self, number: u32, work: impl FnOnce(&OpenShard) -> Result<T>) -> Result<T> {
        let open = self.store.open(self.head, number, self.progress)?;
        self.done(open, work)
    }

    /// Does the same with a shard that may have an older format, and has the newest afterwards.
    pub(super) fn shard_of_any_format<T>(
        &mut self,
        number: u32,
        work: impl FnOnce(&OpenShard) -> Result<T>,
    ) -> Result<T> {
        let open = self.store.open_of_any_format(self.head, number, self.progress)?;
        self.done(open, work)
    }

    fn done<T>(&mut self, open: OpenShard, work: impl FnOnce(&OpenShard) -> Result<T>) -> Result<T> {
        self.traffic.add_fetched(&open);
        let done = work(&open)?;
        let files = self.store.put(self.head, open, self.progress)?;
        self.traffic.add_uploaded(&files);
        self.answers.push(files);
        Ok(done)
    }

    /// Takes what a task has made of a shard.
    pub(super) fn take(&mut self, files: ShardFiles, traffic: Traffic) {
        self.traffic.add(traffic);
        self.answers.push(files);
    }

    /// Leaves a shard as it is.
    pub(super) fn unchanged(&mut self, number: u32) {
        self.answers.push(self.store.unchanged(self.head, number));
    }
}

/// Runs `work` on the shards of the newest version, and makes the next one of what it answers. Returns the version, new
/// or as it was, with the result. If another run makes the next version meanwhile, all begins again, a bounded number
/// of times.
pub(super) fn next_version<T>(
    store: &ShardedStore,
    progress: &dyn Progress,
    mut work: impl FnMut(&mut Run<'_>) -> Result<(Made, T)>,
) -> Result<(Pinned, Traffic, T)> {
    for _ in 0..TRIES {
        let head = store.pin(None)?;
        let mut run = Run { store, head: &head, progress, answers: Vec::new(), traffic: Traffic::default() };
        let (made, result) = work(&mut run)?;
        let Run { answers, traffic, .. } = run;
        let Made::Change(change) = made else { return Ok((head, traffic, result)) };
        if let Some(next) = store.commit(&head, answers, change)? {
            return Ok((next, traffic, result));
        }
    }
    Err(Error::new(
        Kind::Busy,
        format!("other runs have made the next version of the sharded store {TRIES} times meanwhile"),
        "let the other runs end, and run the same command again",
    ))
}
