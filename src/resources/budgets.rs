//! How the memory of [`Resources`] is split into budgets.
//!
//! What grows with the input is sorted within a budget and spills to disk beyond it; what a file announces is compared
//! with a budget before it is read. The rest (row groups, an open store, a load) has bounds of its own, which the least
//! limit leaves room for. The program has the system stand behind all this: it gives no more than the limit, so that
//! what nobody thought of ends that process and no other.

use super::Resources;
use crate::exact::usize_of;

impl Resources {
    /// All of it.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Memory for sorting, of everything that is sorted at once.
    ///
    /// An eighth: a batch of ten times the least limit then takes 84 MiB of 128, also beside other work; with a quarter
    /// it was seen to take 137 where threads came to their turns unevenly.
    pub fn sort_bytes(&self) -> usize {
        self.sort_bytes.unwrap_or_else(|| self.part(8))
    }

    /// Memory for what the raw files say of a group of customers: with 1 GiB some 3,000 with more actions than count,
    /// or ten times as many with a few hundred. A quarter, since all raw files are read once for each group, and what
    /// is gathered takes up to twice as much by the allocator's count (measured).
    pub fn audit_bytes(&self) -> usize {
        self.sort_bytes.unwrap_or_else(|| self.part(4))
    }

    /// The most customers that a command holds at once: ids of 8 bytes, or marks of those whom the store has forgotten,
    /// of 16 bytes, so a quarter of the limit.
    pub fn customers_max(&self) -> usize {
        self.part(64)
    }

    /// Memory for row groups of several days that are gathered at once.
    pub fn rows_bytes(&self) -> usize {
        self.part(2)
    }

    /// The most that one page of an input file may take when it is decompressed.
    pub fn page_bytes(&self) -> usize {
        self.part(16)
    }

    /// The most that one row of a text file may take as it stands.
    ///
    /// A 64th, since the row is there several times over while it is read, and for each file that is read at once; and
    /// so little that a batch's texts can be counted with 31 bits.
    pub fn line_bytes(&self) -> usize {
        self.part(64).min(256 << 20)
    }

    fn part(&self, part: u64) -> usize {
        usize_of(self.memory_bytes / part)
    }
}
