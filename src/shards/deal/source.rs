//! A store whose customers are dealt out.

use crate::error::Result;
use crate::store::{Folder, RawStore, Store};

/// A store that is read.
pub(in crate::shards) struct From {
    pub(super) raw: RawStore,
    pub(in crate::shards) store: Store,
}

impl From {
    /// Opens a store for reading.
    pub(in crate::shards) fn open(folder: &Folder) -> Result<Self> {
        Ok(From { raw: RawStore::open_reader(folder)?, store: Store::open_reader(folder)? })
    }
}

/// The invariant about the number of a store.
pub(super) const ONE_OF_THEM: &str = "a customer is dealt to one of the stores";
