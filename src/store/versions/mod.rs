//! Numbered versions of a set of files at a place: backups of a store, or the shards of a sharded store. It knows
//! objects and documents, and nothing of what the files hold.
//!
//! - `files/HASH-BYTES-RUN` is the content of a file, or of several small ones behind one another. It never changes;
//!   HASH and BYTES are of the content, RUN is of the run that wrote it. So no name ever stands for two contents,
//!   and no name that was removed comes back, whatever request is repeated, lost or late.
//! - `versions/NUMBER.json` names the objects of a version. It appears by one conditional put, of the number after the
//!   newest; of two runs one wins. A version that was removed stays for a while as an empty object, so that no run that
//!   was held up takes its number.
//!
//! Why nothing is removed that a version names or will name. Let `time(m)` be when version `m` was written, by the
//! store's clock. Whoever removes is the publisher of some version `m`: it removes what no kept version names, `m`
//! itself included, and what was written more than a grace before `time(m)`, an hour at least. Version `k + 1` names
//! only (1) what version `k` names, and (2) what was written after an hour before `time(k)`: what its own run has
//! written since it saw `k`, and what runs left that were stopped since. Take any object of a version: either all
//! versions back to `m` name it, and `m` is among those that the remover keeps; or it came by (2) after `m`, and is too
//! young for it. No clock but the store's is read, and no run needs to be fast.

mod checkpoint;
mod collect;
mod document;
mod download;
mod name;
mod place;
mod upload;

pub(super) use checkpoint::ids_of;
pub(super) use collect::Removed;
pub(super) use document::{BatchId, Document, Origin, Sharded, ShardedBatch, StoredFile};
pub(super) use name::{Content, ObjectName};
pub(super) use place::{Versions, VersionsOf};
pub(super) use upload::{Base, LocalFile, Uploaded};
