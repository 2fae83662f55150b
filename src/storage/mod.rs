//! Floor 1, places: folders on disks of this machine, and the objects below a URL. Only files of finite length are
//! opened, files are identified by their content, and results appear whole or not at all, and durably.

mod apart;
mod durable;
pub(crate) mod fingerprint;
pub mod fresh;
mod kept;
mod objects;
mod own_file;
mod place;
mod publish;
pub mod regular_file;
mod staged;
mod work_folder;

pub(crate) use apart::{keep_apart, refuse_overlaps};
pub(crate) use durable::{sync, sync_with_folders_above};
pub(crate) use fingerprint::{Fingerprint, HashedFile, hash_of_texts};
pub(crate) use kept::{Kept, KeptFile};
pub(crate) use objects::{Found, Level, Objects, Requests, Version, Written};
pub use objects::{RequestCounts, RequestLimits};
pub(crate) use own_file::{OwnFile, beginning};
pub(crate) use place::{Entry, EntryKind, Local, is_object_url};
pub use place::{Place, PlacedFile};
pub(crate) use publish::{StagedFile, is_left_behind, lock, lock_created, put_if_absent, put_in_place};
pub(crate) use staged::{Staged, remove_at};
pub(crate) use work_folder::WorkFolder;
