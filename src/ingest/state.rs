//! Whether what the store holds of a batch is what lies in its folders.

use std::path::Path;

use super::run::batch_files;
use crate::error::Result;
use crate::files::Fingerprint;
use crate::format::{BatchRecord, FileRecord};
use crate::model::Day;

/// The files of a batch, against the record that the store holds of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BatchState {
    /// Not held, and there are files.
    New,
    /// Held, from the very files that are there.
    Current,
    /// Held, from other files than are there.
    Changed,
    /// Not held, and there is no file.
    Absent,
    /// Held, from files of which none is there any more.
    FilesGone,
}

/// Compares the files of a batch, by name, size and hash of the content, with what the store holds of it. Reads every file whose size agrees.
pub fn batch_state(input: &Path, dt: Day, held: Option<&BatchRecord>) -> Result<BatchState> {
    let files = batch_files(input, dt)?;
    let Some(held) = held else {
        return Ok(if files.is_empty() { BatchState::Absent } else { BatchState::New });
    };
    if files.is_empty() && !held.files.is_empty() {
        return Ok(BatchState::FilesGone);
    }
    if files.len() != held.files.len() {
        return Ok(BatchState::Changed);
    }
    for ((source, file), record) in files.iter().zip(&held.files) {
        let FileRecord { source: held_source, path, bytes, xxh3_128 } = record;
        let named_alike = source.action_type().number() == *held_source && file.name == *path;
        if !named_alike || Fingerprint::size_of(&file.path)? != *bytes {
            return Ok(BatchState::Changed);
        }
        if Fingerprint::of(&file.path)?.xxh3_128 != *xxh3_128 {
            return Ok(BatchState::Changed);
        }
    }
    Ok(BatchState::Current)
}
