//! Writes a page as one file, which appears whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::message::message;
use crate::storage::StagedFile;
use crate::storage::{OwnFile, beginning};

/// The beginning of each page; it tells a page that may be replaced from other files.
pub(crate) const REPORT_BEGINS: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>";

/// The content policy that follows the title.
const POLICY: &str = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";

/// A page as a kind of own file.
pub(super) const REPORT: OwnFile = OwnFile {
    name: || message!["a page of ", [Report]],
    is_kind_of: |file| {
        let text = beginning(file);
        text.starts_with(REPORT_BEGINS) && text.contains(POLICY)
    },
};

/// Replaces the page at `target`: writes the parts that `write` passes on to a temporary file, fsyncs it, and renames
/// it. Creates the folders above it. Returns the size in bytes. Fails if the file at `target` is not a page.
pub(crate) fn put_report(
    target: &Path,
    write: impl FnOnce(&mut dyn FnMut(&str) -> Result<()>) -> Result<()>,
) -> Result<u64> {
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
