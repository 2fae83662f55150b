//! A page as one file, which is there whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::message::message;
use crate::storage::StagedFile;
use crate::storage::{OwnFile, beginning};

/// How each page begins; by it, one that may be replaced is told from other files.
pub const REPORT_BEGINS: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>";

/// What stands behind its title.
const POLICY: &str = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";

/// The kind of file that a page is.
pub(super) const REPORT: OwnFile = OwnFile {
    name: || message!["a page of ", [Report]],
    is_kind_of: |file| {
        let text = beginning(file);
        text.starts_with(REPORT_BEGINS) && text.contains(POLICY)
    },
};

/// Puts a page in the place of the one that is at `target`: written aside piece by piece, as `write` gives them,
/// fsynced, and renamed. Creates the folders above it. Gives how many bytes it has. Refused where something else than a
/// page stands there.
pub fn put_report(target: &Path, write: impl FnOnce(&mut dyn FnMut(&str) -> Result<()>) -> Result<()>) -> Result<u64> {
    let staged = StagedFile::create(target, REPORT)?;
    let mut file = BufWriter::new(staged.file()?);
    let failed = |error: std::io::Error| Error::io("write", target, error);
    let mut bytes = 0;
    write(&mut |piece| {
        bytes += piece.len() as u64;
        file.write_all(piece.as_bytes()).map_err(failed)
    })?;
    file.flush().map_err(failed)?;
    staged.publish()?;
    Ok(bytes)
}
