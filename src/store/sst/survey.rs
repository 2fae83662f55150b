//! Whole table files, block by block, beside what their indexes and RocksDB's manifest say of them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rocksdb::LiveFile;

use super::block::{Block, Checked, Handle};
use super::footer::Footer;
use super::index::each_block;
use super::{OUT_OF_PLACE, Odd, Plain};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::storage::regular_file;

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

/// Reads these files of a database and gives the first fault of each to `report`: of footer and index, of the order of keys, of restarts, of a key that the index has in
/// another block, or RocksDB's manifest in another file. So every key is found where it is sought. Blocks whose checksum does not match are passed over: whoever reads
/// keys through RocksDB is told of them.
///
/// Gives whether all files could be judged; those that are compressed, or of another format version, cannot. Memory: the index of a file, and a block.
pub(in crate::store) fn survey(
    files: &[LiveFile],
    database: &Path,
    cancel: &Cancel,
    report: &mut dyn FnMut(TableFault) -> Result<()>,
) -> Result<bool> {
    let mut are_all_known = true;
    for live in files {
        cancel.check()?;
        let name = live.name.trim_start_matches('/').to_owned();
        let mut keys = Keys::default();
        match keys.read(&database.join(&name)).and_then(|()| keys.compare(live)) {
            Ok(()) => {}
            Err(Odd::Unknown) => are_all_known = false,
            Err(Odd::Damaged(what)) => report(TableFault { name, after: keys.last, what })?,
        }
    }
    Ok(are_all_known)
}

/// The keys of a file, as far as they have been read.
#[derive(Default)]
struct Keys {
    first: Option<Vec<u8>>,
    last: Vec<u8>,
    bytes: Vec<u8>,
    room: Vec<u8>,
}

impl Keys {
    fn read(&mut self, path: &Path) -> Plain<()> {
        let file = regular_file::open(path).map_err(|_| Odd::Unknown)?;
        let footer = Footer::read(&file, file.metadata().map_err(|_| Odd::Unknown)?.len())?;
        let (mut blocks, mut ends) = (Vec::new(), Vec::new());
        each_block(&file, &footer, |end, handle| {
            ends.extend_from_slice(end);
            blocks.push((handle, ends.len()));
            Ok(())
        })?;
        let (mut begin, mut before) = (0, None);
        let mut is_known = true;
        for (handle, end_at) in blocks {
            let end = ends.get(begin..end_at).ok_or(Odd::Unknown)?;
            match self.read_block(&file, footer.checks, handle, before, end) {
                Err(Odd::Unknown) => is_known = false,
                read => read?,
            }
            (begin, before) = (end_at, Some(end));
        }
        if is_known && footer.is_plain { Ok(()) } else { Err(Odd::Unknown) }
    }

    /// Reads the next block. By the index its keys are above `before`, which ends the block before, and not above `end`.
    fn read_block(
        &mut self,
        file: &File,
        checks: Checked,
        handle: Handle,
        before: Option<&[u8]>,
        end: &[u8],
    ) -> Plain<()> {
        let Keys { first: first_of_all, last, bytes, room } = self;
        let length = usize::try_from(handle.end().saturating_sub(handle.offset)).map_err(|_| Odd::Unknown)?;
        bytes.resize(length, 0);
        file.read_exact_at(bytes, handle.offset).map_err(|_| Odd::Unknown)?;
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
    fn compare(&self, live: &LiveFile) -> Plain<()> {
        let Some(first) = &self.first else { return Ok(()) };
        let starts = live.start_key.as_ref().is_none_or(|start| start <= first);
        let ends = live.end_key.as_ref().is_none_or(|end| self.last <= *end);
        if starts && ends { Ok(()) } else { Err(Odd::Damaged("it has keys that RocksDB's manifest has elsewhere")) }
    }
}
