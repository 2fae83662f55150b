//! A page as one file, which is there whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};
use crate::said::said;
use crate::storage::StagedFile;
use crate::storage::{OwnFile, beginning};

/// How each page begins; by it, one that may be replaced is told from other files.
pub const REPORT_BEGINS: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>";

/// What stands behind its title.
const POLICY: &str = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";

/// The kind of file that a page is.
pub(super) const REPORT: OwnFile = OwnFile {
    name: || said!["a page of ", [Report]],
    is_kind_of: |file| {
        let text = beginning(file);
        text.starts_with(REPORT_BEGINS) && text.contains(POLICY)
    },
};

/// Puts a page in the place of the one that is at `target`: written aside, fsynced, and renamed. Creates the folders
/// above it. Refused where something else than a page stands there.
pub fn put_report(target: &Path, page: &str) -> Result<()> {
    let staged = StagedFile::create(target, REPORT)?;
    staged.file()?.write_all(page.as_bytes()).map_err(|error| Error::io("write", target, error))?;
    staged.publish()
}
