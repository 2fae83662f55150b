//! How the memory of [`Resources`] is split into budgets.
//!
//! Data that grows with the input is sorted within a budget and spills to disk beyond it; sizes that a file announces
//! are compared with a budget before the file is read. Everything else (row groups, an open store, a load) has bounds
//! of its own, which fit into the minimum limit. As a last resort, the program has the system enforce the limit: an
//! allocation that no budget covers ends this process and no other.

use super::Resources;
use crate::exact::usize_of;

impl Resources {
    /// Returns the whole memory limit.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Memory for sorting, for all sorts that run at once.
    ///
    /// An eighth of the limit: a batch of ten times the minimum limit then takes 84 MiB of 128, even beside other work;
    /// with a quarter, 137 MiB was measured when threads progressed unevenly.
    pub fn sort_bytes(&self) -> usize {
        self.sort_bytes.unwrap_or_else(|| self.part(8))
    }

    /// Memory for the actions that an audit gathers from raw files for a group of customers: 1 GiB holds some 3,000
    /// with more actions than are kept, or ten times as many with a few hundred. A quarter of the limit, since all raw
    /// files are read for each group, and gathered data takes up to twice as much by the allocator's count (measured).
    pub(crate) fn audit_bytes(&self) -> usize {
        self.sort_bytes.unwrap_or_else(|| self.part(4))
    }

    /// The most customers that a command holds at once. An id takes 8 bytes, and the mark of a forgotten customer takes
    /// 16, so these take at most a quarter of the limit.
    pub fn customers_max(&self) -> usize {
        self.part(64)
    }

    /// Memory for gathering row groups of several days at once.
    pub(crate) fn rows_bytes(&self) -> usize {
        self.part(2)
    }

    /// The most bytes that one page of an input file may take when decompressed.
    pub(crate) fn page_bytes(&self) -> usize {
        self.part(16)
    }

    /// The most bytes that one row of a text file may take in the file.
    ///
    /// A 64th of the limit, since a row is in memory several times while it is read, and once more for each file read
    /// at once; capped so that the bytes of a batch's texts can be counted with 31 bits.
    pub(crate) fn line_bytes(&self) -> usize {
        self.part(64).min(256 << 20)
    }

    /// Memory for a spool of training rows: the impressions of a day, its histories, or the order of an epoch. An
    /// eighth each, so that they, sorting and batches take three quarters of the limit.
    pub(crate) fn spool_bytes(&self) -> usize {
        self.sort_bytes.unwrap_or_else(|| self.part(8))
    }

    /// Memory for batches of training rows that are in work or wait for the caller.
    pub(crate) fn batches_bytes(&self) -> usize {
        self.part(4)
    }

    /// The most bytes of a part of an upload, which is in memory while it is sent.
    pub(crate) fn upload_bytes(&self) -> usize {
        self.part(16).min(64 << 20)
    }

    /// Memory for the parts of files on their way to an object store, for all that are written at once.
    pub(crate) fn uploads_bytes(&self) -> usize {
        self.part(32)
    }

    fn part(&self, part: u64) -> usize {
        usize_of(self.memory_bytes / part)
    }
}
