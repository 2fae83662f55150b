//! What a step from one format version to the next has to do.

use crate::error::Result;
use crate::progress::Progress;
use crate::store::{BulkLoad, RawStore};

/// A step from one format version to the next.
pub trait Migration: Sync {
    /// The version that it starts from; it leads to the one after.
    fn from(&self) -> u8;
    /// What it does, as a phrase for the log.
    fn name(&self) -> &'static str;
    /// The range of keys that it writes beside the old ones: from the first bytes, up to and without the second.
    fn writes(&self) -> (Vec<u8>, Vec<u8>);
    /// Writes everything that the store holds anew, in the order that a load asks for, but for the store record.
    fn rewrite(&self, store: &RawStore, new: &mut BulkLoad<'_>, progress: &dyn Progress) -> Result<()>;
    /// Fails if what was written is not what the store held.
    fn validate(&self, store: &RawStore, progress: &dyn Progress) -> Result<()>;
    /// The store record of the new version, and the ranges of keys of the old one. Memory: that of the values that
    /// are set.
    fn switch(&self, store: &RawStore) -> Result<Switch>;
}

/// The last write of a step.
#[derive(Clone, Debug)]
pub struct Switch {
    /// Keys and their values: the store record, and what else the step cannot write beside the old keys.
    pub set: Vec<(Vec<u8>, Vec<u8>)>,
    /// What goes: ranges of keys, each from the first bytes, up to and without the second.
    pub removed: Vec<(Vec<u8>, Vec<u8>)>,
}
