//! Whole table files, block by block, beside what their indexes and RocksDB's manifest say of them.

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

/// At most so many bytes of a file, and a block, lie between two boundaries: some 10 ms of work where each value is
/// checked.
const RANGE_BYTES_MAX: u64 = 1 << 20;

/// A smaller file is split too, into about so many ranges, as far as it has blocks.
const RANGES_OF_A_FILE: u64 = 16;

/// A table file that would lead a reader astray.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) struct TableFault {
    /// Its name in the folder of the database.
    pub name: String,
    /// The last key of the blocks before the damage; empty where it is in the first, or in the index.
    pub after: Vec<u8>,
    /// What is wrong, as a phrase.
    pub what: &'static str,
}

/// What table files tell of themselves.
#[derive(Debug)]
pub struct Survey {
    /// Whether all files could be judged.
    pub are_all_known: bool,
    /// What the keys of some customers begin with, ascending.
    boundaries: Vec<Prefix>,
}

type Prefix = [u8; HISTORY_PREFIX_BYTES];

impl Survey {
    /// Splits all possible keys into ranges, in ascending order: where each begins, and where the next begins.
    ///
    /// The history of a customer lies within one range, and everything behind the histories in the last. A range has
    /// 1 MiB of each sorted run, and a block; more where a file begins or could not be judged.
    pub fn ranges(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let boundaries = || self.boundaries.iter().map(<[u8; HISTORY_PREFIX_BYTES]>::as_slice);
        std::iter::once(&[][..]).chain(boundaries()).zip(boundaries().map(Some).chain([None]))
    }
}

/// Reads these files of a database, several at once, and gives the first fault of each to `report`, in the order of the
/// files: of footer and index, of the order of keys, of restarts, of a key that the index has in another block, or
/// RocksDB's manifest in another file. So every key is found where it is sought. Blocks whose checksum does not match
/// are passed over: whoever reads keys through RocksDB is told of them.
///
/// Files that are compressed, or of another format version, cannot be judged. Memory: for each thread the index of a
/// file, and a block; 9 bytes for each MiB of the files.
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
    room: Vec<u8>,
    boundaries: Vec<Prefix>,
}

impl Keys {
    pub fn read(&mut self, file: &File) -> FastPath<()> {
        let file_bytes = file.metadata().map_err(|_| Unsupported::Unknown)?.len();
        let footer = Footer::read(file, file_bytes)?;
        let (mut blocks, mut ends) = (Vec::new(), Vec::new());
        let (mut parted, range_bytes) = (0, RANGE_BYTES_MAX.min(file_bytes / RANGES_OF_A_FILE));
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

    /// Reads the next block. By the index its keys are above `before`, which ends the block before, and not above
    /// `end`.
    fn read_block(
        &mut self,
        file: &File,
        checks: Checked,
        handle: Handle,
        before: Option<&[u8]>,
        end: &[u8],
    ) -> FastPath<()> {
        let Keys { first: first_of_all, last, bytes, room, .. } = self;
        let length = usize::try_from(handle.end().saturating_sub(handle.offset)).map_err(|_| Unsupported::Unknown)?;
        bytes.resize(length, 0);
        file.read_exact_at(bytes, handle.offset).map_err(|_| Unsupported::Unknown)?;
        checks.check(handle.offset, bytes)?;
        let within = |holds: bool| if holds { Ok(()) } else { Err(OUT_OF_PLACE) };
        Block::of(Checked::without_trailer(bytes)?)?.check(room, |first| {
            first_of_all.get_or_insert_with(|| first.to_vec());
            within(before.is_none_or(|before| before < first))
        })?;
        within(room.as_slice() <= end)?;
        std::mem::swap(last, room);
        Ok(())
    }

    /// Compares them with those that RocksDB's manifest says.
    fn compare(&self, live: &LiveFile) -> FastPath<()> {
        let Some(first) = &self.first else { return Ok(()) };
        let starts = live.start_key.as_ref().is_none_or(|start| start <= first);
        let ends = live.end_key.as_ref().is_none_or(|end| self.last <= *end);
        if starts && ends { Ok(()) } else { Err(OUT_OF_FILE) }
    }
}

/// What the keys of a customer begin with, from what ends a block, which may be cut.
fn prefix(end: &[u8]) -> Prefix {
    let mut prefix = [0; HISTORY_PREFIX_BYTES];
    prefix.iter_mut().zip(end).for_each(|(to, from)| *to = *from);
    prefix
}
