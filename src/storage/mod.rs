//! Floor 1, files and folders as places: only files of finite length are opened, files are identified by their content,
//! and results appear whole or not at all, and durably.

mod apart;
mod durable;
mod fingerprint;
pub mod fresh;
mod own_file;
mod publish;
pub mod regular_file;

pub use apart::{Place, keep_apart, refuse_overlaps};
pub use durable::{sync, sync_with_folders_above};
pub use fingerprint::{Fingerprint, HashedFile};
pub use own_file::{OwnFile, beginning};
pub use publish::{StagedFile, is_left_behind, lock, lock_created, put_in_place, remove_file};
