//! A page as one file, which is there whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::publish::StagedFile;
use super::written::Written;
use crate::error::{Error, Result};

/// How each page begins; by it, one that may be replaced is told from other files.
pub const REPORT_BEGINS: &str = Written::REPORT_BEGINS;

/// Puts a page in the place of the one that is at `target`: written aside piece by piece, as `write` gives them, fsynced, and renamed. Creates the folders
/// above it. Gives how many bytes it has. Refused where something else than a page stands there.
pub fn put_report(target: &Path, write: impl FnOnce(&mut dyn FnMut(&str) -> Result<()>) -> Result<()>) -> Result<u64> {
    let staged = StagedFile::create(target, Written::Report)?;
    let mut file = BufWriter::new(staged.file()?);
    let failed = |error: std::io::Error| Error::io("write", target, &error);
    let mut bytes = 0;
    write(&mut |piece| {
        bytes += piece.len() as u64;
        file.write_all(piece.as_bytes()).map_err(failed)
    })?;
    file.flush().map_err(failed)?;
    staged.publish()?;
    Ok(bytes)
}
