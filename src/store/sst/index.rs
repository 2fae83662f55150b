//! The index of a table file: for each block its position and a separator, a key not below any key of the block and
//! below every later key.

use std::fs::File;

use super::block::{Block, Handle};
use super::bytes::Bytes;
use super::footer::Footer;
use super::{FastPath, Unsupported};

/// Shows each entry of a file's index, and checks that keys ascend and that blocks follow one another from the
/// beginning of the file, all before the index.
///
/// Memory: the size of the index, at most an eighth of the file.
pub(super) fn each_block(
    file: &File,
    footer: &Footer,
    mut show: impl FnMut(&[u8], Handle) -> FastPath<()>,
) -> FastPath<()> {
    const CUT_OFF: Unsupported = Unsupported::Damaged("an entry of its index is cut off");
    let bytes = footer.checks.read(file, footer.index)?;
    let index = Block::of(&bytes)?;
    let (mut rest, mut restarts) = (Bytes(index.entries), index.restarts());
    let (mut last, mut end) = (None, 0);
    while !rest.0.is_empty() {
        // Every entry of an index is a restart: no bytes in common, the key's length, the key, the block's position.
        let at = index.entries.len() - rest.0.len();
        if restarts.next() != Some(at) || rest.length().ok() != Some(0) {
            return Err(Unsupported::Damaged("the restarts of its index do not point to its entries"));
        }
        let length = rest.length().map_err(|_| CUT_OFF)?;
        let key = rest.take(length).map_err(|_| CUT_OFF)?;
        let handle = Handle::decode(&mut rest).map_err(|_| CUT_OFF)?.before(footer.index.offset)?;
        if last.is_some_and(|last| key <= last) {
            return Err(Unsupported::Damaged("the keys of its index are not in ascending order"));
        }
        if handle.offset != end {
            return Err(Unsupported::Damaged("its blocks are not consecutive"));
        }
        (last, end) = (Some(key), handle.end());
        show(key, handle)?;
    }
    // Even a table without blocks has one restart.
    if restarts.nth(usize::from(last.is_none())).is_none() {
        Ok(())
    } else {
        Err(Unsupported::Damaged("its index has more restarts than entries"))
    }
}
