//! Checks whether the store's version of a batch matches the files in its folders.

use super::recorded::Recorded;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::format::{BatchRecord, FileRecord, ZoneUse};
use crate::input::batch_files;
use crate::model::Day;
use crate::sources::Sources;
use crate::storage::Place;

/// How the files of a batch compare with the store's record of the batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BatchState {
    /// The store does not hold the batch, and there are files.
    New,
    /// Held, from the same files with the same description.
    Current,
    /// Held, but from different files, from files with a different description, or with times by older time zone rules.
    Changed,
    /// The store does not hold the batch, and there is no file.
    Absent,
    /// Held, but all of its files are gone.
    FilesGone,
    /// Held, from rows in memory, and there is no file.
    FromMemory,
}

/// Compares the files of a batch with the store's record: name, size, content hash, and mapping of rows. Reads every
/// file whose size agrees.
pub(crate) fn batch_state(
    input: &Place,
    sources: &Sources,
    dt: Day,
    held: Option<&BatchRecord>,
    cancel: &Cancel,
) -> Result<BatchState> {
    let files = batch_files(input, sources, dt)?;
    let Some(held) = held else {
        return Ok(if files.is_empty() { BatchState::Absent } else { BatchState::New });
    };
    if files.is_empty() && !held.files.is_empty() {
        return Ok(if held.is_from_memory() { BatchState::FromMemory } else { BatchState::FilesGone });
    }
    if held.zone_use == ZoneUse::Outdated {
        return Ok(BatchState::Changed);
    }
    let recorded = Recorded::of(&files)?;
    if files.len() != held.files.len() || recorded.sources != held.sources {
        return Ok(BatchState::Changed);
    }
    for (((_, file), number), record) in files.iter().zip(recorded.numbers).zip(&held.files) {
        let FileRecord { source, path, bytes, xxh3_128 } = record;
        let named_alike = number == *source && file.name == *path;
        if !named_alike || file.size()? != *bytes {
            return Ok(BatchState::Changed);
        }
        if file.fingerprint(cancel)?.xxh3_128 != *xxh3_128 {
            return Ok(BatchState::Changed);
        }
    }
    Ok(BatchState::Current)
}
