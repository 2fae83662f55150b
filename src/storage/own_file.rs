//! Files that lookback writes at a name which somebody chose, and how each kind is told from the file of somebody else.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::regular_file;
use crate::error::{Error, Result};
use crate::message::{Message, message};
use crate::text::Shown as _;

/// What is read of the beginning of a text, at most.
const BEGINNING_BYTES: u64 = 1 << 20;

/// A kind of file that lookback writes.
#[derive(Clone, Copy, Debug)]
pub struct OwnFile {
    /// What such a file is, for messages: a page of the report.
    pub name: fn() -> Message,
    /// Whether this file, which has some bytes, is one.
    pub is_kind_of: fn(&File) -> bool,
}

impl OwnFile {
    /// Fails unless nothing stands at `target`, or an empty file, or one of this kind, which may be replaced. A link
    /// is none, wherever it leads.
    ///
    /// Memory: the schema of the file that stands there.
    pub fn check_replaceable(self, target: &Path) -> Result<()> {
        let metadata = match fs::symlink_metadata(target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("open", target, error)),
        };
        if !metadata.is_file() {
            let kind = if metadata.is_dir() { "a folder" } else { "no regular file" };
            return Err(Error::refused(
                message![("{} is {kind}, where ", target.shown()), { (self.name)() }, " should be written"],
                "name a new file",
            ));
        }
        let file = regular_file::open(target).map_err(|error| Error::io("open", target, error))?;
        if metadata.len() == 0 || (self.is_kind_of)(&file) {
            return Ok(());
        }
        Err(Error::refused(
            message![("{} is there already and is not ", target.shown()), { (self.name)() }],
            "move it away or name another file",
        ))
    }
}

/// The beginning of a text file; empty where it cannot be read, since that is nothing that lookback has written.
///
/// Memory: 1 MiB.
pub fn beginning(file: &File) -> String {
    let mut bytes = Vec::new();
    let read = file.take(BEGINNING_BYTES).read_to_end(&mut bytes);
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&bytes).into_owned())
}
