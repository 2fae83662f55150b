//! Histories, each written once and read for each row that has it.

use std::path::Path;

use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};
use crate::history::{self, History, PackedHistory};
use crate::resources::{Spool, SpoolContent};

/// Where a history is in the spool.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct HistoryPlace {
    /// Offset of its first byte.
    pub offset: u64,
    /// Its size in bytes; 0 for a history without actions.
    pub bytes: u32,
    /// Its number of actions.
    pub actions: u32,
}

/// Packed histories: 5 bytes for each action, or 9 if items are larger than 32 bits; with days and times 8 bytes more
/// for each of these.
///
/// Memory: that of its [`Spool`].
pub(crate) struct HistorySpool(Spool);

impl HistorySpool {
    /// Returns the histories to be appended to `spool`.
    pub(crate) fn new(spool: Spool) -> Self {
        HistorySpool(spool)
    }

    /// Returns where the packed histories are.
    pub(crate) fn content(&self) -> SpoolContent<'_> {
        self.0.content()
    }

    /// Appends packed histories. Returns the offset of the first.
    pub(crate) fn append(&mut self, packed: &[u8]) -> Result<u64> {
        self.0.append(packed)
    }

    /// Returns the history at `place`. `buffer` is used for its bytes.
    pub(crate) fn read<'bytes>(
        &'bytes self,
        place: HistoryPlace,
        buffer: &'bytes mut Vec<u8>,
    ) -> Result<PackedHistory<'bytes>> {
        if place.bytes == 0 {
            return Ok(PackedHistory::empty());
        }
        let packed = self.0.read(place.offset, usize_of(place.bytes), buffer)?;
        PackedHistory::read(packed, usize_of(place.actions)).ok_or_else(|| {
            let other = std::io::Error::other("its content is not what was written");
            Error::io("read", Path::new("a file of histories"), other)
        })
    }
}

/// Appends a history. Returns its place, with the offset in `bytes`.
pub(crate) fn pack(history: &History, bytes: &mut Vec<u8>) -> Result<HistoryPlace> {
    let begin = bytes.len();
    if history.is_empty() {
        return Ok(HistoryPlace::default());
    }
    history::pack(&history.view(), bytes).held("a history has fewer than 2^32 days")?;
    Ok(HistoryPlace { offset: begin as u64, bytes: short(bytes.len() - begin)?, actions: short(history.len())? })
}

/// A history has no more than 100,000 actions of some 25 bytes.
fn short(number: usize) -> Result<u32> {
    u32::try_from(number).held("a packed history takes less than 4 GiB")
}
