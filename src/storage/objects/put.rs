//! Objects on the way out.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{GetOptions, MultipartId, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion};

use super::below::Objects;
use super::error::{Failure, no_conditions};
use crate::error::{Error, Kind, Result};
use crate::exact::usize_of;
use crate::text::Shown as _;

/// The least bytes of a part of an upload, as S3 has it.
const PART_BYTES_MIN: usize = 5 << 20;

/// A version of an object, for a write on the condition that it is still there.
pub(crate) type Version = UpdateVersion;

/// What became of a conditional write.
#[derive(Debug)]
pub(crate) enum Written {
    /// The object now has the bytes; whether this run or another wrote the very same.
    Done,
    /// Another run has written something else.
    Other,
}

impl Objects {
    /// Reads a small object; `None` if it is missing. Fails if it has more than `bytes_max`.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> Result<Option<(Vec<u8>, Version)>> {
        let key = self.key(path)?;
        let read = self.requests.wait(&self.cancel, async {
            let got = self.outcome("read", path, || async {
                let got = self.store.get_opts(&key, GetOptions::default()).await?;
                let version = Version { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
                if got.meta.size > bytes_max {
                    return Ok(Err(got.meta.size));
                }
                Ok(Ok((got.bytes().await?.to_vec(), version)))
            });
            got.await
        })?;
        match read {
            Ok(Ok(read)) => Ok(Some(read)),
            Ok(Err(bytes)) => Err(Error::input(
                format!("{} has {bytes} bytes, more than the {bytes_max} that it may have", path.shown()),
                "check the URL",
            )),
            Err(_) => Ok(None),
        }
    }

    /// Writes a small object, whatever is there.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let key = self.key(path)?;
        let payload = PutPayload::from(Bytes::copy_from_slice(bytes));
        let put = || self.store.put(&key, payload.clone());
        self.requests.wait(&self.cancel, async { self.done("write", path, put).await.map(drop) })
    }

    /// Writes a small object if there is none, or, with `replaced`, if that version is still there. An answer that was
    /// lost is made good by reading: the bytes must tell this run from every other that could write different ones.
    pub(crate) fn write_if(&self, path: &Path, bytes: &[u8], replaced: Option<&Version>) -> Result<Written> {
        let key = self.key(path)?;
        let payload = PutPayload::from(Bytes::copy_from_slice(bytes));
        let mode = replaced.map_or(PutMode::Create, |version| PutMode::Update(version.clone()));
        let options = PutOptions { mode, ..PutOptions::default() };
        let put = || self.store.put_opts(&key, payload.clone(), options.clone());
        let written = self.requests.wait(&self.cancel, async { self.outcome("write", path, put).await });
        match written? {
            Ok(_) => Ok(Written::Done),
            Err(_) => {
                let there = self.read(path, bytes.len() as u64);
                Ok(if there.is_ok_and(|there| there.is_some_and(|(there, _)| there == bytes)) {
                    Written::Done
                } else {
                    Written::Other
                })
            }
        }
    }

    /// Makes sure that there is an object at `path`, empty if it is new; returns whether it is. Fails if the store
    /// takes no conditional writes.
    ///
    /// One request if the object is there already.
    pub(crate) fn claim(&self, path: &Path) -> Result<bool> {
        let key = self.key(path)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = || self.store.put_opts(&key, PutPayload::new(), options.clone());
        self.requests.wait(&self.cancel, async {
            if self.outcome("read", path, || self.store.head(&key)).await?.is_ok() {
                return Ok(false);
            }
            // The first may find the object missing; the second must find it.
            for is_new in [false, true] {
                if let Err(Failure::Condition) = self.outcome("write", path, put).await? {
                    return Ok(is_new);
                }
            }
            Err(no_conditions(&self.url.shown().to_string()))
        })
    }

    /// Writes the content of a file, in parts of at most `part_bytes` if it is larger. An upload that fails is aborted.
    ///
    /// Memory: a part.
    pub(crate) fn upload(&self, path: &Path, file: &File, part_bytes: usize) -> Result<()> {
        let key = self.key(path)?;
        let bytes = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
        let part_bytes = part_bytes.max(PART_BYTES_MIN);
        if bytes <= part_bytes as u64 {
            let payload = payload_of(path, file, 0, usize_of(bytes))?;
            let put = || self.store.put(&key, payload.clone());
            return self.requests.wait(&self.cancel, async { self.done("write", path, put).await.map(drop) });
        }
        let begin = || self.store.create_multipart(&key);
        let id = self.requests.wait(&self.cancel, async { self.done("write", path, begin).await })?;
        let written = self.requests.wait(&self.cancel, self.parts(path, &key, &id, file, bytes, part_bytes));
        if written.is_err() {
            // Without the request to stop, which is often why. What this cannot remove, a rule of the bucket does.
            let timeout = self.requests.limits().timeout;
            let abort = async { tokio::time::timeout(timeout, self.store.abort_multipart(&key, &id)).await };
            let _ = self.requests.runtime()?.block_on(abort);
        }
        written
    }

    async fn parts(
        &self,
        path: &Path,
        key: &Key,
        id: &MultipartId,
        file: &File,
        bytes: u64,
        part_bytes: usize,
    ) -> Result<()> {
        let mut parts = Vec::new();
        let mut from = 0;
        while from < bytes {
            let payload = payload_of(path, file, from, usize_of((bytes - from).min(part_bytes as u64)))?;
            let put = || self.store.put_part(key, id, parts.len(), payload.clone());
            let part = self.done("write", path, put).await?;
            parts.push(part);
            from += part_bytes as u64;
        }
        let complete = || self.store.complete_multipart(key, id, parts.clone());
        if self.outcome("write", path, complete).await?.is_ok() {
            return Ok(());
        }
        // The upload is no longer there: an earlier attempt has completed it, and its answer was lost.
        let there = self.done("write", path, || self.store.head(key)).await?;
        if there.size == bytes {
            Ok(())
        } else {
            Err(Error::new(
                Kind::Io,
                format!("cannot write {}: its upload was given up meanwhile", path.shown()),
                "run the same command again",
            ))
        }
    }

    /// Removes objects. One that is missing counts as removed.
    pub(crate) fn remove<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Result<()> {
        for path in paths {
            let key = self.key(path)?;
            let removed = || self.store.delete(&key);
            self.requests.wait(&self.cancel, async { self.outcome("remove", path, removed).await.map(drop) })?;
        }
        Ok(())
    }
}

/// Reads part of a file.
fn payload_of(path: &Path, file: &File, from: u64, bytes: usize) -> Result<PutPayload> {
    let mut part = vec![0; bytes];
    file.read_exact_at(&mut part, from).map_err(|error| Error::io("read", path, error))?;
    Ok(PutPayload::from(Bytes::from(part)))
}
