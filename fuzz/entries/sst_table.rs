//! What is run on bytes as a table file: by the fuzzer (see `fuzz/README.md`), and by the tests.

use std::fs::File;
use std::io::Write;

use rustix::fs::{MemfdFlags, memfd_create};

use super::block::{Block, Checked, Handle};
use super::bytes::Bytes;
use super::run::RunCursor;
use super::survey::Keys;
use super::table::Table;
use super::{FastPath, Unsupported};
use crate::format::KeyBytes;

/// So many of the keys are also sought.
const SOUGHT: usize = 64;

/// Bytes of a footer, and where its own checksum stands in it, before what checksums are mixed with and how long the
/// metaindex is.
const FOOTER_BYTES: usize = 53;
const FOOTER_CHECKSUM: std::ops::Range<usize> = 5..9;

/// Blocks are mended as long as they have no more than so many times the bytes of the file.
const MENDED_TIMES_MAX: usize = 4;

/// Reads any bytes as a table file that is a sorted run, as they are and with checksums made right: as `verify` does,
/// then from front to back as far as there are histories, then some of the keys by seeking.
///
/// Gives how many entries there were, or a name for why it is not read. Panics where keys do not rise, or one is not
/// found where it is. Memory: some times the bytes.
pub fn sst_table(bytes: &[u8]) -> Result<usize, &'static str> {
    let mut mended = bytes.to_vec();
    mend(&mut mended);
    let as_it_is = read(bytes);
    let read = if mended == bytes { as_it_is } else { read(&mended) };
    read.map_err(|odd| match odd {
        Unsupported::Unknown => "left to RocksDB",
        Unsupported::Damaged(what) => what,
    })
}

fn read(bytes: &[u8]) -> FastPath<usize> {
    let file = || -> std::io::Result<File> {
        let mut file = File::from(memfd_create("table", MemfdFlags::CLOEXEC)?);
        file.write_all(bytes)?;
        Ok(file)
    };
    let file = file().map_err(|_| Unsupported::Unknown)?;
    let judged = Keys::default().read(&file);
    let tables = [Table::read("table", file)?];
    let numbers = walk(&tables)?;
    for number in numbers.iter().step_by(numbers.len().div_ceil(SOUGHT).max(1)) {
        let mut cursor = RunCursor::new(&tables);
        assert_eq!(cursor.seek(*number), Ok(()));
        assert_eq!(cursor.number, Some(*number), "a key is not found where it is");
    }
    match judged {
        Err(damaged @ Unsupported::Damaged(_)) => Err(damaged),
        _ => Ok(numbers.len()),
    }
}

/// The numbers of all keys of a run, from front to back.
fn walk(tables: &[Table]) -> FastPath<Vec<u128>> {
    let mut cursor = RunCursor::new(tables);
    cursor.seek(0)?;
    let (mut numbers, mut last) = (Vec::new(), KeyBytes::default());
    while let Some(number) = cursor.number {
        assert!(numbers.last().is_none_or(|last| *last <= number), "numbers of keys do not rise");
        // All keys before those of histories have one number, and nobody reads them here.
        if let (Ok((key, _)), 1..) = (cursor.entry(), number) {
            assert!(*last < *key, "keys do not rise");
            last = key;
        }
        numbers.push(number);
        cursor.next()?;
    }
    Ok(numbers)
}

/// Makes the checksums of footer and blocks those of their bytes, as far as one leads to the other: else nothing that
/// is changed would be looked at.
fn mend(bytes: &mut [u8]) -> Option<()> {
    let at = bytes.len().checked_sub(FOOTER_BYTES)?;
    let footer = bytes.get_mut(at..)?;
    let mut numbers = Bytes(footer.get(FOOTER_CHECKSUM.end..)?);
    let (base, length) = (numbers.u32().ok()?, u64::from(numbers.u32().ok()?));
    let checks = Checked { base };
    footer.get_mut(FOOTER_CHECKSUM)?.fill(0);
    let (last, before) = footer.split_last()?;
    let sum = Checked::mixed(before, *last).wrapping_add(checks.modifier(at as u64));
    footer.get_mut(FOOTER_CHECKSUM)?.copy_from_slice(&sum.to_le_bytes());

    let end = (at as u64).checked_sub(Handle::TRAILER_BYTES)?;
    let metaindex = Handle { offset: end.checked_sub(length)?, bytes: length };
    let metaindex = mend_block(bytes, checks, metaindex)?.to_vec();
    let mut rest = Bytes(Block::of(&metaindex).ok()?.entries);
    let mut left = bytes.len() * MENDED_TIMES_MAX;
    while let Some((key, mut value)) = entry(&mut rest) {
        let Ok(handle) = Handle::decode(&mut value) else { continue };
        let Some(block) = mend_block(bytes, checks, handle).map(<[u8]>::to_vec) else { continue };
        if key != b"rocksdb.index" {
            continue;
        }
        let mut rest = Bytes(Block::of(&block).ok()?.entries);
        while let Some(handle) = index_entry(&mut rest) {
            left = left.checked_sub(mend_block(bytes, checks, handle).map_or(0, <[u8]>::len))?;
        }
    }
    Some(())
}

/// What a key has of its own, and the value.
fn entry<'bytes>(rest: &mut Bytes<'bytes>) -> Option<(&'bytes [u8], Bytes<'bytes>)> {
    let (_, own, length) = (rest.length().ok()?, rest.length().ok()?, rest.length().ok()?);
    Some((rest.take(own).ok()?, Bytes(rest.take(length).ok()?)))
}

/// Where the block of an entry of an index is.
fn index_entry(rest: &mut Bytes<'_>) -> Option<Handle> {
    let (_, length) = (rest.length().ok()?, rest.length().ok()?);
    rest.take(length).ok()?;
    Handle::decode(rest).ok()
}

/// Makes the checksum of a block right, and gives the block.
fn mend_block(bytes: &mut [u8], checks: Checked, handle: Handle) -> Option<&[u8]> {
    let (at, end) = (usize::try_from(handle.offset).ok()?, usize::try_from(handle.end()).ok()?);
    let (with_compression, sum) = bytes.get_mut(at..end)?.split_last_chunk_mut::<4>()?;
    let (compression, block) = with_compression.split_last()?;
    *sum = Checked::mixed(block, *compression).wrapping_add(checks.modifier(handle.offset)).to_le_bytes();
    Some(block)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::test_runner::{RngSeed, TestRunner};
    use rocksdb::SstFileWriter;

    use super::super::tests::{day, entry};
    use super::*;
    use crate::format::Key;
    use crate::store::engine::options::options;

    /// One change of a file: places are parts of its length.
    #[derive(Clone, Debug)]
    enum Change {
        Flip(Index, u8),
        Set(Index, u8),
        /// So many bytes stand over those elsewhere.
        Copy(Index, Index, usize),
        Remove(Index, usize),
        /// So many bytes come again behind themselves.
        Repeat(Index, usize),
        CutOff(usize),
    }

    impl Change {
        fn make(&self, bytes: &mut Vec<u8>) {
            let all = bytes.len();
            let place = |index: &Index| index.index(all.max(1)).min(all);
            let span = |index: &Index, length: usize| place(index)..(place(index) + length).min(all);
            match self {
                Change::Flip(at, bit) => bytes.iter_mut().skip(place(at)).take(1).for_each(|byte| *byte ^= 1 << bit),
                Change::Set(at, to) => bytes.iter_mut().skip(place(at)).take(1).for_each(|byte| *byte = *to),
                Change::Copy(from, to, length) => {
                    let (copied, to) = (bytes[span(from, *length)].to_vec(), place(to));
                    bytes.iter_mut().skip(to).zip(copied).for_each(|(to, from)| *to = from);
                }
                Change::Remove(at, length) => drop(bytes.drain(span(at, *length))),
                Change::Repeat(at, length) => {
                    let again = bytes[span(at, *length)].to_vec();
                    let end = span(at, *length).end;
                    drop(bytes.splice(end..end, again));
                }
                Change::CutOff(length) => bytes.truncate(bytes.len().saturating_sub(*length)),
            }
        }
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let (place, length) = (any::<Index>, || prop_oneof![1..40_usize, 1..2_000_usize]);
        let change = prop_oneof![
            6 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
            6 => (place(), any::<u8>()).prop_map(|(at, to)| Change::Set(at, to)),
            4 => (place(), place(), length()).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
            1 => (place(), length()).prop_map(|(at, length)| Change::Remove(at, length)),
            1 => (place(), length()).prop_map(|(at, length)| Change::Repeat(at, length)),
            1 => length().prop_map(Change::CutOff),
        ];
        proptest::collection::vec(change, 0..5)
    }

    /// A table file of many blocks, with keys before and behind those of histories, and hardly any values.
    fn small_blocks() -> Vec<u8> {
        let mut blocks = rocksdb::BlockBasedOptions::default();
        blocks.set_format_version(6);
        blocks.set_block_size(300);
        let mut options = options();
        options.set_block_based_table_factory(&blocks);
        let mut keys: Vec<Vec<u8>> =
            (0..12).flat_map(|customer| (5..60).map(move |on| entry(customer, on, on % 3, 0).0)).collect();
        keys.extend([Key::Store.encode().to_vec(), Key::Totals.encode().to_vec()]);
        keys.extend((0..9).map(|number| Key::Batch(day(number)).encode().to_vec()));
        keys.sort();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("000001.sst");
        let mut writer = SstFileWriter::create(&options);
        writer.open(&path).unwrap();
        keys.iter().for_each(|key| writer.put(key, [7]).unwrap());
        writer.finish().unwrap();
        fs::read(path).unwrap()
    }

    /// What the fuzzer runs (see `fuzz/README.md`), here on table files that have been changed in some places.
    #[test]
    fn changed_tables_have_rising_keys_or_a_named_failure() {
        const SEED: u64 = 2_026;
        let whole = small_blocks();
        assert_eq!(sst_table(&whole), Ok(12 * 55 + 1));
        let met = std::cell::RefCell::new(BTreeMap::<&str, usize>::new());
        let config = ProptestConfig {
            cases: 2_000,
            rng_seed: RngSeed::Fixed(SEED),
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let ran = TestRunner::new(config).run(&changes(), |changes| {
            let mut bytes = whole.clone();
            changes.iter().for_each(|change| change.make(&mut bytes));
            let mut outcome = Ok(0);
            let taken = allocation_counter::measure(|| outcome = sst_table(&bytes)).bytes_max;
            prop_assert!(taken <= 32 * bytes.len() as u64 + (64 << 10), "{taken} bytes of memory for {}", bytes.len());
            *met.borrow_mut().entry(outcome.map_or_else(|name| name, |_| "read")).or_default() += 1;
            Ok(())
        });
        assert!(ran.is_ok(), "seed {SEED}: {ran:?}");
        // Changes get past the checksums: else all of them would be left to RocksDB.
        let met = met.into_inner();
        assert!(met.len() >= 10 && met["read"] > 100, "{met:?}");
    }
}
