//! A cursor over one sorted run, read from front to back.

use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::block::Block;
use super::table::Table;
use super::{FastPath, OUT_OF_FILE, OUT_OF_PLACE, Unsupported};
use crate::exact::usize_of;
use crate::format::{HISTORY_KEY_BYTES_MAX, KeyBytes, history_key, history_number};

/// Number of blocks read at once when the cursor moves from one block to the next.
const BLOCKS_AHEAD: usize = 2;

/// The kind of a key that is set.
const SET: u8 = 1;

/// A position on an entry of a run, or after the run's last history.
///
/// Memory: two blocks, and the entries of one: 32 bytes for each.
#[derive(Default)]
pub(super) struct RunCursor<'tables> {
    tables: &'tables [Table],
    /// The current table and block.
    table: usize,
    block: usize,
    /// The range of blocks of the table that have been read, and their bytes; behind them is scratch memory.
    read: Range<usize>,
    bytes: Vec<u8>,
    /// Scratch memory for keys while a block is checked.
    buffer: Vec<u8>,
    /// The entries of the current block up to the last history, or up to the first key behind all histories; none if
    /// there is no current block.
    entries: Vec<Entry>,
    /// The current entry.
    place: usize,
    /// The number of the current key in the order of history keys; `None` after the last history.
    pub number: Option<u128>,
    /// The target of the last seek.
    sought: Option<u128>,
    /// Whether the cursor is in a damaged block.
    pub is_damaged: bool,
}

/// An entry of a block that has been found sound.
struct Entry {
    /// The number of the key; `u128::MAX` behind the histories.
    number: u128,
    /// Where its value begins in the bytes read, and its size.
    value_at: u32,
    value_bytes: u32,
    /// The size of the key; 0 behind the histories.
    key_bytes: u8,
    kind: u8,
}

impl<'tables> RunCursor<'tables> {
    /// Returns a cursor without a position.
    pub(super) fn new(tables: &'tables [Table]) -> Self {
        RunCursor { tables, ..Self::default() }
    }

    /// Returns the current key and value. Unsupported unless the key is set.
    pub(super) fn entry(&self) -> FastPath<(KeyBytes, &[u8])> {
        let entry = self.entries.get(self.place).filter(|entry| entry.kind == SET).ok_or(Unsupported::Unknown)?;
        let (at, bytes) = (usize_of(entry.value_at), usize_of(entry.value_bytes));
        let value = self.bytes.get(at..at + bytes).ok_or(Unsupported::Unknown)?;
        Ok((history_key(entry.number, entry.key_bytes), value))
    }

    /// Returns the name of the current table file.
    pub(super) fn file(&self) -> &str {
        self.tables.get(self.table).map_or("", |table| table.name.as_str())
    }

    /// Discards the position.
    pub(super) fn forget(&mut self) {
        (self.number, self.sought) = (None, None);
    }

    /// Goes to the first entry whose key is not below `target`.
    pub(super) fn seek(&mut self, target: u128) -> FastPath<()> {
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
        self.place = self.entries.partition_point(|entry| entry.number < target);
        self.settle()
    }

    /// Returns whether no table before the current table has keys from `target` on.
    fn is_first_with(&self, target: u128) -> bool {
        let before = self.table.checked_sub(1).and_then(|before| self.tables.get(before));
        before.is_none_or(|before| before.blocks.last().is_none_or(|block| block.last < target))
    }

    /// Goes to the next entry.
    pub(super) fn next(&mut self) -> FastPath<()> {
        self.place += 1;
        self.settle()
    }

    /// Goes on to the first entry of the next block if there is no current entry.
    fn settle(&mut self) -> FastPath<()> {
        let entry = loop {
            if let Some(entry) = self.entries.get(self.place) {
                break entry;
            } else if self.tables.get(self.table).is_some_and(|table| self.block + 1 < table.blocks.len()) {
                self.enter(self.table, self.block + 1, BLOCKS_AHEAD)?;
            } else if self.table + 1 < self.tables.len() {
                self.enter(self.table + 1, 0, BLOCKS_AHEAD)?;
            } else {
                self.number = None;
                return Ok(());
            }
        };
        self.number = (entry.key_bytes > 0).then_some(entry.number);
        Ok(())
    }

    /// Goes to the first entry of a block; if the block has to be read, reads up to `at_once` blocks.
    fn enter(&mut self, table: usize, block: usize, at_once: usize) -> FastPath<()> {
        self.place = 0;
        if (table, block) == (self.table, self.block) && !self.entries.is_empty() {
            return Ok(());
        }
        self.entries.clear();
        let found = self.tables.get(table).ok_or(Unsupported::Unknown)?;
        if table != self.table || !self.read.contains(&block) {
            let last = block.saturating_add(at_once).min(found.blocks.len());
            let span = found.blocks.get(block..last).ok_or(Unsupported::Unknown)?;
            let (first, end) =
                (span.first().ok_or(Unsupported::Unknown)?, span.last().ok_or(Unsupported::Unknown)?.end());
            let bytes = end.checked_sub(first.offset).and_then(|bytes| usize::try_from(bytes).ok());
            let bytes = bytes.ok_or(Unsupported::Unknown)?;
            self.read = 0..0;
            // Never shorter again: the bytes behind would be set to zero each time.
            self.bytes.resize(bytes.max(self.bytes.len()), 0);
            let to = self.bytes.get_mut(..bytes).ok_or(Unsupported::Unknown)?;
            found.file.read_exact_at(to, first.offset).map_err(|_| Unsupported::Unknown)?;
            self.read = block..last;
        }
        (self.table, self.block) = (table, block);
        let begin = found.blocks.get(self.read.start).ok_or(Unsupported::Unknown)?.offset;
        let sound = read_block(found, block, begin, &self.bytes, &mut self.buffer, &mut self.entries);
        self.is_damaged = matches!(sound, Err(Unsupported::Damaged(_)));
        if sound.is_err() {
            self.entries.clear();
        }
        sound
    }
}

/// Compares a block's checksum, and checks that its keys ascend, lie above the previous block's last key and up to the
/// block's own by the index, and lie in the file's range by RocksDB's manifest. Otherwise seeks would miss keys.
/// Appends the block's entries to `entries`; `bytes` are those of the file from `begin` on.
fn read_block(
    table: &Table,
    number: usize,
    begin: u64,
    bytes: &[u8],
    buffer: &mut Vec<u8>,
    entries: &mut Vec<Entry>,
) -> FastPath<()> {
    let found = table.blocks.get(number).ok_or(Unsupported::Unknown)?;
    let place = |at: u64| at.checked_sub(begin).and_then(|at| usize::try_from(at).ok()).ok_or(Unsupported::Unknown);
    let (at, end) = (place(found.offset)?, place(found.end())?);
    let with_trailer = bytes.get(at..end).ok_or(Unsupported::Unknown)?;
    let block = Block::of(table.checks.check(found.offset, with_trailer)?)?;
    // Then this holds for the places in it.
    u32::try_from(end).map_err(|_| Unsupported::Unknown)?;
    let within = |number: u128, is_of_block: bool| match (is_of_block, table.keys.contains(&number)) {
        (true, true) => Ok(()),
        (true, false) => Err(OUT_OF_FILE),
        (false, _) => Err(OUT_OF_PLACE),
    };
    let before = number.checked_sub(1).and_then(|before| table.blocks.get(before));
    let is_behind = |key| before.is_none_or(|before| before.last < key || before.is_cut && before.last == key);
    let mut last = None;
    block.check(buffer, |key, value| {
        let (number, key_bytes) = match history_number(key) {
            Some(_) if key.len() > HISTORY_KEY_BYTES_MAX => return Err(Unsupported::Unknown),
            Some(number) => (number, key.len() as u8),
            None => (u128::MAX, 0),
        };
        match last.replace(number) {
            None => within(number, is_behind(number))?,
            // Nothing behind the histories is read.
            Some(last) if key_bytes == 0 && last == number => return Ok(()),
            Some(_) => {}
        }
        let (value_at, value_bytes) = ((at + value.at) as u32, value.bytes as u32);
        entries.push(Entry { number, value_at, value_bytes, key_bytes, kind: value.kind });
        Ok(())
    })?;
    let last = last.ok_or(Unsupported::Unknown)?;
    within(last, last <= found.last)
}
