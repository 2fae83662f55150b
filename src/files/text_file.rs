//! A text as one file, which is there whole or not at all.

use std::io::Write;
use std::path::Path;

use super::publish::StagedFile;
use crate::error::{Error, Result};

/// Puts a text in the place of what is at `target`: written aside, fsynced, and renamed. Creates the folders above it.
pub fn put_text_file(target: &Path, text: &str) -> Result<()> {
    let staged = StagedFile::create(target)?;
    staged.file()?.write_all(text.as_bytes()).map_err(|error| Error::io("write", target, &error))?;
    staged.publish()
}
