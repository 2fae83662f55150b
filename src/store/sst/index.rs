//! The index of a table file: for each block a key that no key in it is above and none behind it is not, and where it
//! is.

use std::fs::File;

use super::block::{Block, Handle};
use super::bytes::Bytes;
use super::footer::Footer;
use super::{FastPath, Unsupported};

/// Shows each entry of a file's index: keys rise, and blocks lie one behind the other from the beginning of the file
/// on, all of them before the index.
///
/// Memory: that of the index, which is at most an eighth of the file.
pub(super) fn each_block(
    file: &File,
    footer: &Footer,
    mut show: impl FnMut(&[u8], Handle) -> FastPath<()>,
) -> FastPath<()> {
    const CUT_OFF: Unsupported = Unsupported::Damaged("an entry of its index is cut off");
    let bytes = footer.checks.read(file, footer.index)?;
    let index = Block::of(&bytes)?;
    let (mut rest, mut number) = (Bytes(index.entries), 0);
    let (mut last, mut end) = (None, 0);
    while !rest.0.is_empty() {
        // Every entry of an index is a restart: nothing shared, the key's length, the key, where the block is.
        let at = index.entries.len() - rest.0.len();
        if number >= index.restarts() || index.restart(number)? != at || rest.length().ok() != Some(0) {
            return Err(Unsupported::Damaged("the restarts of its index are not where its entries are"));
        }
        number += 1;
        let length = rest.length().map_err(|_| CUT_OFF)?;
        let key = rest.take(length).map_err(|_| CUT_OFF)?;
        let handle = Handle::decode(&mut rest).map_err(|_| CUT_OFF)?.before(footer.index.offset)?;
        if last.is_some_and(|last| key <= last) {
            return Err(Unsupported::Damaged("the keys of its index do not rise"));
        }
        if handle.offset != end {
            return Err(Unsupported::Damaged("its blocks do not lie one behind the other"));
        }
        (last, end) = (Some(key), handle.end());
        show(key, handle)?;
    }
    // A table without blocks has one restart all the same.
    if number.max(1) == index.restarts() {
        Ok(())
    } else {
        Err(Unsupported::Damaged("its index has more restarts than entries"))
    }
}
