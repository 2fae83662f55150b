//! Files that lookback writes at a path chosen by the user, and how each kind is recognised as lookback's own.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::regular_file;
use crate::error::{Error, Result};
use crate::message::{Message, message};
use crate::text::Shown as _;

/// The most that is read of the beginning of a text.
const BEGINNING_BYTES: u64 = 1 << 20;

/// A kind of file that lookback writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnFile {
    /// The name of this kind of file for messages, such as: a page of the report.
    pub name: fn() -> Message,
    /// Returns whether this file, which is not empty, is of this kind.
    pub is_kind_of: fn(&File) -> bool,
}

impl OwnFile {
    /// Fails unless `target` may be replaced: no file exists there, or an empty file or a file of this kind does. A
    /// link is refused, wherever it leads.
    ///
    /// Memory: the schema of the file at `target`.
    pub(crate) fn check_replaceable(self, target: &Path) -> Result<()> {
        let metadata = match fs::symlink_metadata(target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("open", target, error)),
        };
        if !metadata.is_file() {
            let kind = if metadata.is_dir() { "a folder" } else { "not a regular file" };
            return Err(Error::refused(
                message![("{} is {kind}, so ", target.shown()), { (self.name)() }, " cannot be written there"],
                "name a new file",
            ));
        }
        let file = regular_file::open(target).map_err(|error| Error::io("open", target, error))?;
        if metadata.len() == 0 || (self.is_kind_of)(&file) {
            return Ok(());
        }
        Err(self.not_own(target))
    }

    /// The error for another kind of file at `target`.
    pub(super) fn not_own(self, target: &Path) -> Error {
        Error::refused(
            message![("{} exists already and is not ", target.shown()), { (self.name)() }],
            "move it away or name another file",
        )
    }
}

/// Returns the beginning of a text file; empty if the file is unreadable, since lookback did not write such a file.
///
/// Memory: 1 MiB.
pub(crate) fn beginning(file: &File) -> String {
    let mut bytes = Vec::new();
    let read = file.take(BEGINNING_BYTES).read_to_end(&mut bytes);
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&bytes).into_owned())
}
