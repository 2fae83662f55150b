//! Whether what the store holds of a batch is what lies in its folders.

use std::path::Path;

use super::recorded::Recorded;
use super::run::batch_files;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::format::{BatchRecord, FileRecord, ZoneUse};
use crate::model::Day;
use crate::sources::Sources;
use crate::storage::Fingerprint;

/// The files of a batch, against the record that the store holds of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BatchState {
    /// Not held, and there are files.
    New,
    /// Held, from the very files that are there, described as they are.
    Current,
    /// Held, from other files than are there, or from files that were described otherwise, or by older rules of the
    /// zone that gave its actions other times.
    Changed,
    /// Not held, and there is no file.
    Absent,
    /// Held, from files of which none is there any more.
    FilesGone,
}

/// Compares the files of a batch, by name, size and hash of the content, and what their rows become, with what the
/// store holds of it. Reads every file whose size agrees.
pub fn batch_state(
    input: &Path,
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
        return Ok(BatchState::FilesGone);
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
        if !named_alike || Fingerprint::size_of(&file.path)? != *bytes {
            return Ok(BatchState::Changed);
        }
        if Fingerprint::of(&file.path, cancel)?.xxh3_128 != *xxh3_128 {
            return Ok(BatchState::Changed);
        }
    }
    Ok(BatchState::Current)
}
