//! The files of a batch: those of all its sources.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, io};

use super::layout::{DayFile, FILES_MAX, day_files};
use crate::error::{Error, Result};
use crate::model::Day;
use crate::sources::{ActionSource, Sources};
use crate::storage::Place;
use crate::text::Shown;

/// A file with its source.
pub(crate) type SourceFile<'a> = (&'a ActionSource, DayFile);

/// Returns the files of a batch, source after source, in the order of their names within a source.
pub fn batch_files<'a>(input: &Place, sources: &'a Sources, dt: Day) -> Result<Vec<SourceFile<'a>>> {
    let mut files = Vec::new();
    for source in &sources.actions {
        files.extend(day_files(input, &source.pattern, source.format, dt)?.into_iter().map(|file| (source, file)));
        if files.len() > FILES_MAX {
            return Err(Error::input(
                format!("the batch of {dt} has more than {FILES_MAX} files"),
                "merge some of the files",
            ));
        }
    }
    refuse_shared(&files)?;
    Ok(files)
}

/// What makes a file the same as another.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Identity<'a> {
    /// The device and the number of a file.
    File(u64, u64),
    /// The URL of an object.
    Object(&'a Path),
}

/// Fails if two sources match the same file: its rows would be ingested twice. Links are followed.
fn refuse_shared(files: &[SourceFile<'_>]) -> Result<()> {
    let mut found: BTreeMap<Identity, &SourceFile<'_>> = BTreeMap::new();
    for of_file in files {
        let (source, file) = of_file;
        let failed = |error: io::Error| Error::io("look for", &file.path, error);
        let identity = match file.is_on_disk() {
            false => Identity::Object(&file.path),
            true => {
                let metadata = fs::metadata(&file.path).map_err(failed)?;
                Identity::File(metadata.dev(), metadata.ino())
            }
        };
        let Some((other, other_file)) = found.insert(identity, of_file) else { continue };
        // A file may have two names of its own (hard links); the check of equal content reports those.
        let real = |file: &DayFile| match file.is_on_disk() {
            false => Ok(file.path.clone()),
            true => fs::canonicalize(&file.path).map_err(failed),
        };
        if other.name != source.name && real(file)? == real(other_file)? {
            return Err(Error::input(
                format!(
                    "the file {} matches two sources, {} ({}) and {} ({})",
                    file.path.shown(),
                    other.name,
                    other.pattern.text(),
                    source.name,
                    source.pattern.text()
                ),
                "change one of their patterns, or describe both as one source with a column of types",
            ));
        }
    }
    Ok(())
}
