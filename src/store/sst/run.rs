//! A cursor over one sorted run, read from front to back.

use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::block::{Block, Checked, KEY_TRAILER_BYTES};
use super::bytes::Bytes;
use super::table::Table;
use super::{FastPath, OUT_OF_FILE, OUT_OF_PLACE, Unsupported};
use crate::format::{HISTORY_KEY_BYTES_MAX, history_number};

/// Number of blocks read at once when the cursor moves from one block to the next.
const BLOCKS_AHEAD: usize = 2;

/// The kind of a key that is set.
const SET: u8 = 1;

/// A position on an entry of a run, or after the run's last history.
///
/// Memory: two blocks.
pub(super) struct RunCursor<'tables> {
    tables: &'tables [Table],
    /// The current table and block.
    table: usize,
    block: usize,
    /// The range of blocks of the table that have been read, and their bytes.
    read: Range<usize>,
    bytes: Vec<u8>,
    /// The range of these blocks that have been found sound.
    checked: Range<usize>,
    /// Scratch memory for keys while a block is checked.
    buffer: Vec<u8>,
    /// The remaining entries of the block, as a range of the bytes.
    rest: Range<usize>,
    /// The current key, with its trailer.
    key: [u8; HISTORY_KEY_BYTES_MAX + KEY_TRAILER_BYTES],
    key_bytes: usize,
    value: Range<usize>,
    /// The number of the current key in the order of history keys; `None` after the last history.
    pub number: Option<u128>,
    /// The target of the last seek.
    sought: Option<u128>,
    /// Whether the cursor is in a damaged block.
    pub is_damaged: bool,
}

impl<'tables> RunCursor<'tables> {
    /// Returns a cursor without a position.
    pub fn new(tables: &'tables [Table]) -> Self {
        RunCursor {
            tables,
            table: 0,
            block: 0,
            read: 0..0,
            bytes: Vec::new(),
            checked: 0..0,
            buffer: Vec::new(),
            rest: 0..0,
            key: [0; HISTORY_KEY_BYTES_MAX + KEY_TRAILER_BYTES],
            key_bytes: 0,
            value: 0..0,
            number: None,
            sought: None,
            is_damaged: false,
        }
    }

    /// Returns the current key. Unsupported unless the key is set.
    pub fn key(&self) -> FastPath<&[u8]> {
        let key = self.key.get(..self.key_bytes).ok_or(Unsupported::Unknown)?;
        let (key, trailer) = key.split_last_chunk::<KEY_TRAILER_BYTES>().ok_or(Unsupported::Unknown)?;
        if trailer.first() == Some(&SET) { Ok(key) } else { Err(Unsupported::Unknown) }
    }

    /// Returns the current value.
    pub fn value(&self) -> FastPath<&[u8]> {
        self.bytes.get(self.value.clone()).ok_or(Unsupported::Unknown)
    }

    /// Returns the name of the current table file.
    pub fn file(&self) -> &str {
        self.tables.get(self.table).map_or("", |table| table.name.as_str())
    }

    /// Discards the position.
    pub fn forget(&mut self) {
        (self.number, self.sought) = (None, None);
    }

    /// Goes to the first entry whose key is not below `target`.
    pub fn seek(&mut self, target: u128) -> FastPath<()> {
        // Entries passed since then belong to the customer sought then, or to earlier customers.
        let is_later_customer = self.sought.replace(target).is_some_and(|sought| sought >> 64 < target >> 64);
        if is_later_customer && self.number.is_none_or(|number| number >= target) {
            return Ok(());
        }
        let ends_before = |table: &Table| table.blocks.last().is_none_or(|block| block.last < target);
        let table = match self.tables.get(self.table) {
            Some(table) if !ends_before(table) && self.is_first_with(target) => self.table,
            _ => self.tables.partition_point(ends_before),
        };
        let Some(found) = self.tables.get(table) else {
            self.number = None;
            return Ok(());
        };
        let is_below = |place: usize| found.blocks.get(place).is_some_and(|block| block.last < target);
        let is_same = table == self.table && !is_below(self.block) && (self.block == 0 || is_below(self.block - 1));
        let block = if is_same { self.block } else { found.blocks.partition_point(|block| block.last < target) };
        self.enter(table, block, 1)?;
        self.go_to_restart_before(target)?;
        self.next()?;
        while self.number.is_some_and(|number| number < target) {
            self.next()?;
        }
        Ok(())
    }

    /// Returns whether no table before the current table has keys from `target` on.
    fn is_first_with(&self, target: u128) -> bool {
        let before = self.table.checked_sub(1).and_then(|before| self.tables.get(before));
        before.is_none_or(|before| before.blocks.last().is_none_or(|block| block.last < target))
    }

    /// Goes to the next entry.
    pub fn next(&mut self) -> FastPath<()> {
        while self.rest.is_empty() {
            if self.tables.get(self.table).is_some_and(|table| self.block + 1 < table.blocks.len()) {
                self.enter(self.table, self.block + 1, BLOCKS_AHEAD)?;
            } else if self.table + 1 < self.tables.len() {
                self.enter(self.table + 1, 0, BLOCKS_AHEAD)?;
            } else {
                self.number = None;
                return Ok(());
            }
        }
        let mut entry = Bytes(self.bytes.get(self.rest.clone()).ok_or(Unsupported::Unknown)?);
        let (shared, more, length) = (entry.length()?, entry.length()?, entry.length()?);
        let own = entry.take(more)?;
        if shared > self.key_bytes {
            return Err(Unsupported::Unknown);
        }
        self.key_bytes = shared + more;
        let Some(to) = self.key.get_mut(shared..self.key_bytes) else {
            // A longer key is not a history key.
            self.number = None;
            self.rest.start = self.rest.end;
            return if self.is_behind_histories(shared, own) { Ok(()) } else { Err(Unsupported::Unknown) };
        };
        to.copy_from_slice(own);
        let before_value = self.rest.end - entry.0.len();
        entry.take(length)?;
        self.value = before_value..before_value + length;
        self.rest.start = self.value.end;
        self.number = history_number(
            self.key
                .get(..self.key_bytes.checked_sub(KEY_TRAILER_BYTES).ok_or(Unsupported::Unknown)?)
                .ok_or(Unsupported::Unknown)?,
        );
        Ok(())
    }

    /// Returns whether a key, given by the number of bytes in common with the previous key and its own bytes, belongs
    /// to a keyspace after the histories.
    fn is_behind_histories(&self, shared: usize, own: &[u8]) -> bool {
        let first = if shared > 0 { self.key.first() } else { own.first() };
        first.is_some_and(|first| history_number(&[*first]).is_none())
    }

    /// Moves before the first entry of a block; if the block has to be read, reads up to `at_once` blocks.
    fn enter(&mut self, table: usize, block: usize, at_once: usize) -> FastPath<()> {
        let found = self.tables.get(table).ok_or(Unsupported::Unknown)?;
        if table != self.table || !self.read.contains(&block) {
            let last = block.saturating_add(at_once).min(found.blocks.len());
            let span = found.blocks.get(block..last).ok_or(Unsupported::Unknown)?;
            let (first, end) =
                (span.first().ok_or(Unsupported::Unknown)?, span.last().ok_or(Unsupported::Unknown)?.end());
            let bytes = end.checked_sub(first.offset).and_then(|bytes| usize::try_from(bytes).ok());
            (self.read, self.checked) = (0..0, 0..0);
            self.bytes.resize(bytes.ok_or(Unsupported::Unknown)?, 0);
            found.file.read_exact_at(&mut self.bytes, first.offset).map_err(|_| Unsupported::Unknown)?;
            self.read = block..last;
        }
        (self.table, self.block) = (table, block);
        let begin = found.blocks.get(self.read.start).ok_or(Unsupported::Unknown)?.offset;
        let entry = found.blocks.get(block).ok_or(Unsupported::Unknown)?;
        let at = entry.offset.checked_sub(begin).and_then(|at| usize::try_from(at).ok()).ok_or(Unsupported::Unknown)?;
        let end =
            entry.end().checked_sub(begin).and_then(|end| usize::try_from(end).ok()).ok_or(Unsupported::Unknown)?;
        let with_trailer = self.bytes.get(at..end).ok_or(Unsupported::Unknown)?;
        if !self.checked.contains(&block) {
            let sound = check_block(found, block, with_trailer, &mut self.buffer);
            self.is_damaged = matches!(sound, Err(Unsupported::Damaged(_)));
            sound?;
            self.checked = if block == self.checked.end { self.checked.start..block + 1 } else { block..block + 1 };
        }
        let entries = Block::of(Checked::without_trailer(with_trailer)?)?.entries.len();
        self.rest = at..at + entries;
        self.key_bytes = 0;
        Ok(())
    }

    /// Moves before the last entry with a full key below `target`; without such an entry, stays at the first.
    fn go_to_restart_before(&mut self, target: u128) -> FastPath<()> {
        let at = self.rest.start;
        let entry =
            self.tables.get(self.table).and_then(|table| table.blocks.get(self.block)).ok_or(Unsupported::Unknown)?;
        let length = usize::try_from(entry.bytes).map_err(|_| Unsupported::Unknown)?;
        let block = Block::of(self.bytes.get(at..at + length).ok_or(Unsupported::Unknown)?)?;
        let (mut low, mut high) = (0, block.restarts());
        while high - low > 1 {
            let middle = low.midpoint(high);
            let mut entry = Bytes(block.entries.get(block.restart(middle)?..).ok_or(Unsupported::Unknown)?);
            let (_, more, _) = (entry.length()?, entry.length()?, entry.length()?);
            let key = entry.take(more)?;
            let key = key
                .get(..key.len().checked_sub(KEY_TRAILER_BYTES).ok_or(Unsupported::Unknown)?)
                .ok_or(Unsupported::Unknown)?;
            if history_number(key).is_some_and(|number| number < target) { low = middle } else { high = middle }
        }
        self.rest.start = at + block.restart(low)?;
        Ok(())
    }
}

/// Compares a block's checksum, and checks that its keys ascend, lie above the previous block's last key and up to the
/// block's own by the index, and lie in the file's range by RocksDB's manifest. Otherwise seeks would miss keys.
fn check_block(table: &Table, number: usize, with_trailer: &[u8], buffer: &mut Vec<u8>) -> FastPath<()> {
    let found = table.blocks.get(number).ok_or(Unsupported::Unknown)?;
    table.checks.check(found.offset, with_trailer)?;
    let place = |key: &[u8]| history_number(key).unwrap_or(u128::MAX);
    let within = |key: &[u8], is_of_block: bool| match (is_of_block, table.keys.contains(&place(key))) {
        (true, true) => Ok(()),
        (true, false) => Err(OUT_OF_FILE),
        (false, _) => Err(OUT_OF_PLACE),
    };
    let block = Block::of(Checked::without_trailer(with_trailer)?)?;
    let before = number.checked_sub(1).and_then(|before| table.blocks.get(before));
    let is_behind = |key| before.is_none_or(|before| before.last < key || before.is_cut && before.last == key);
    block.check(buffer, |first| within(first, is_behind(place(first))))?;
    within(buffer, place(buffer) <= found.last)
}
