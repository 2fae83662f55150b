//! Checks whole table files, block by block, against their indexes and RocksDB's manifest.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rocksdb::LiveFile;

use super::block::{Block, Checked, Handle};
use super::footer::Footer;
use super::index::each_block;
use super::{FastPath, OUT_OF_FILE, OUT_OF_PLACE, Unsupported};
use crate::error::Result;
use crate::format::{HISTORY_PREFIX_BYTES, Keyspace};
use crate::parallel::each_in_order;
use crate::storage::regular_file;
use crate::store::folder::Folder;

/// At most this many bytes of a file, plus a block, lie between two boundaries: some 10 ms of work if each value is
/// checked.
const RANGE_BYTES_MAX: u64 = 1 << 20;

/// A smaller file is also split, into about this many ranges, if it has enough blocks.
const RANGES_PER_FILE: u64 = 16;

/// A table file that would mislead a reader.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) struct TableFault {
    /// Its name in the folder of the database.
    pub name: String,
    /// The last key of the blocks before the damage; empty if the damage is in the first block or in the index.
    pub after: Vec<u8>,
    /// The fault, as a phrase.
    pub what: &'static str,
}

/// The result of a survey of table files.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Whether all files could be checked.
    pub are_all_known: bool,
    /// The key prefixes of some customers, ascending.
    boundaries: Vec<Prefix>,
}

type Prefix = [u8; HISTORY_PREFIX_BYTES];

impl Survey {
    /// Returns ranges that cover all possible keys, ascending: the start of each, and the start of the next range.
    ///
    /// The history of a customer lies within one range, and everything after the histories lies in the last range. A
    /// range has 1 MiB of each sorted run, plus a block; more at the start of a file or if a file could not be checked.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let boundaries = || self.boundaries.iter().map(<[u8; HISTORY_PREFIX_BYTES]>::as_slice);
        std::iter::once(&[][..]).chain(boundaries()).zip(boundaries().map(Some).chain([None]))
    }
}

/// Checks these files of a database, several at once, and reports the first fault of each to `report`, in the order of
/// the files: faults of footer and index, of the order of keys, of restarts, a key that belongs in another block by the
/// index, or in another file by RocksDB's manifest. So every key can be found. Blocks with a wrong checksum are
/// skipped: reading keys through RocksDB reports them.
///
/// Compressed files and files of another format version cannot be checked. Memory: for each thread the index of a file,
/// and a block; 9 bytes for each MiB of the files.
pub(in crate::store) fn survey(
    files: &[LiveFile],
    folder: &Folder,
    report: &mut (dyn FnMut(TableFault) -> Result<()> + Send),
) -> Result<Survey> {
    let database = folder.database();
    let mut survey = Survey { are_all_known: true, boundaries: Vec::new() };
    let judge = |live: &LiveFile| {
        let name = live.name.trim_start_matches('/').to_owned();
        let mut keys = Keys::default();
        let opened = regular_file::open(&database.join(&name)).map_err(|_| Unsupported::Unknown);
        let judged = opened.and_then(|file| keys.read(&file)).and_then(|()| keys.compare(live));
        Ok((name, judged, keys.last, keys.boundaries))
    };
    each_in_order(folder.resources(), files, judge, |(name, judged, after, boundaries)| {
        survey.boundaries.extend(boundaries);
        match judged {
            Ok(()) => {}
            Err(Unsupported::Unknown) => survey.are_all_known = false,
            Err(Unsupported::Damaged(what)) => report(TableFault { name, after, what })?,
        }
        Ok(())
    })?;
    survey.boundaries.sort_unstable();
    survey.boundaries.dedup();
    Ok(survey)
}

/// The keys of a file, as far as they have been read.
#[derive(Default)]
pub(super) struct Keys {
    first: Option<Vec<u8>>,
    last: Vec<u8>,
    bytes: Vec<u8>,
    buffer: Vec<u8>,
    boundaries: Vec<Prefix>,
}

impl Keys {
    pub(super) fn read(&mut self, file: &File) -> FastPath<()> {
        let file_bytes = file.metadata().map_err(|_| Unsupported::Unknown)?.len();
        let footer = Footer::read(file, file_bytes)?;
        let (mut blocks, mut ends) = (Vec::new(), Vec::new());
        let (mut parted, range_bytes) = (0, RANGE_BYTES_MAX.min(file_bytes / RANGES_PER_FILE));
        each_block(file, &footer, |end, handle| {
            if handle.end() >= parted + range_bytes && end.first() == Some(&(Keyspace::History as u8)) {
                parted = handle.end();
                self.boundaries.push(prefix(end));
            }
            ends.extend_from_slice(end);
            blocks.push((handle, ends.len()));
            Ok(())
        })?;
        let (mut begin, mut before) = (0, None);
        let mut is_known = true;
        for (handle, end_at) in blocks {
            let end = ends.get(begin..end_at).ok_or(Unsupported::Unknown)?;
            match self.read_block(file, footer.checks, handle, before, end) {
                Err(Unsupported::Unknown) => is_known = false,
                read => read?,
            }
            (begin, before) = (end_at, Some(end));
        }
        if is_known && footer.is_plain { Ok(()) } else { Err(Unsupported::Unknown) }
    }

    /// Reads the next block. By the index its keys are above `before`, the end of the previous block, and not above
    /// `end`.
    fn read_block(
        &mut self,
        file: &File,
        checks: Checked,
        handle: Handle,
        before: Option<&[u8]>,
        end: &[u8],
    ) -> FastPath<()> {
        let Keys { first: first_of_all, last, bytes, buffer, .. } = self;
        let length = usize::try_from(handle.end().saturating_sub(handle.offset)).map_err(|_| Unsupported::Unknown)?;
        bytes.resize(length, 0);
        file.read_exact_at(bytes, handle.offset).map_err(|_| Unsupported::Unknown)?;
        let block = Block::of(checks.check(handle.offset, bytes)?)?;
        let within = |holds: bool| if holds { Ok(()) } else { Err(OUT_OF_PLACE) };
        let mut is_first = true;
        block.check(buffer, |key, _| {
            if !std::mem::take(&mut is_first) {
                return Ok(());
            }
            first_of_all.get_or_insert_with(|| key.to_vec());
            within(before.is_none_or(|before| before < key))
        })?;
        within(buffer.as_slice() <= end)?;
        std::mem::swap(last, buffer);
        Ok(())
    }

    /// Compares the first and last key with RocksDB's manifest.
    fn compare(&self, live: &LiveFile) -> FastPath<()> {
        let Some(first) = &self.first else { return Ok(()) };
        let starts = live.start_key.as_ref().is_none_or(|start| start <= first);
        let ends = live.end_key.as_ref().is_none_or(|end| self.last <= *end);
        if starts && ends { Ok(()) } else { Err(OUT_OF_FILE) }
    }
}

/// Returns the key prefix of a customer from the end key of a block, which may be truncated.
fn prefix(end: &[u8]) -> Prefix {
    let mut prefix = [0; HISTORY_PREFIX_BYTES];
    prefix.iter_mut().zip(end).for_each(|(to, from)| *to = *from);
    prefix
}
