//! Files of one day with the same bytes: mostly a file that was delivered twice. Both are taken, with a note.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::layout::DayFile;
use crate::progress::Progress;
use crate::storage::Fingerprint;
use crate::text::Shown;

/// How many files a summary lists, and how many the notes.
const LISTED: usize = 100;
const NOTED: usize = 5;

/// A file with the same content as an earlier file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SameContent {
    /// The path of the file.
    pub file: String,
    /// The path of the first file with this content.
    pub same_as: String,
}

/// Files with the same content as an earlier file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SameContents {
    /// How many there are.
    pub count: u64,
    /// The first hundred of them.
    pub listed: Vec<SameContent>,
}

/// Finds such files by size and hash, in the order given. Memory: some 100 bytes for each file.
pub(crate) fn same_content<'a>(files: impl Iterator<Item = (&'a DayFile, &'a Fingerprint)>) -> SameContents {
    let (mut first, mut same) = (BTreeMap::new(), SameContents::default());
    for (file, fingerprint) in files {
        let before = *first.entry((fingerprint.bytes, fingerprint.xxh3_128)).or_insert(file);
        if std::ptr::eq(before, file) {
            continue;
        }
        same.count += 1;
        if same.listed.len() < LISTED {
            same.listed.push(SameContent { file: file.path.plain(), same_as: before.path.plain() });
        }
    }
    same
}

/// Writes notes that name the files; if there are many, the first few.
pub(crate) fn note_same_content(same: &SameContents, progress: &dyn Progress) {
    for SameContent { file, same_as } in same.listed.iter().take(NOTED) {
        progress.note(&format!("{file} has the same content as {same_as}: its rows count twice").into());
    }
    let more = same.count.saturating_sub(NOTED as u64);
    if more > 0 {
        progress.note(&format!("more files with the same content as others: {more}").into());
    }
}
