//! A page as one file, which is there whole or not at all.

use std::io::Write;
use std::path::Path;

use super::publish::StagedFile;
use super::written::Written;
use crate::error::{Error, Result};

/// How each page begins; by it, one that may be replaced is told from other files.
pub const REPORT_BEGINS: &str = Written::REPORT_BEGINS;

/// Puts a page in the place of the one that is at `target`: written aside, fsynced, and renamed. Creates the folders
/// above it. Refused where something else than a page stands there.
pub fn put_report(target: &Path, page: &str) -> Result<()> {
    let staged = StagedFile::create(target, Written::Report)?;
    staged.file()?.write_all(page.as_bytes()).map_err(|error| Error::io("write", target, &error))?;
    staged.publish()
}
