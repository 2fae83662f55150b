//! Making what is on disk outlast a power loss.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, Result};

/// Makes the content of a file, or the names in a folder, durable.
pub fn sync(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| Error::io("fsync", path, error))
}

/// Makes the names in a folder durable, and its own, and those of the folders above it: any of them may have been made
/// by this run, or by one before it that was killed.
///
/// Ends where another file system begins. Folders that may not be opened are left out, since their owner made them.
pub fn sync_with_folders_above(folder: &Path) -> Result<()> {
    sync(folder)?;
    let failed = |path: &Path, error: io::Error| Error::io("fsync", path, error);
    let real = fs::canonicalize(folder).map_err(|error| failed(folder, error))?;
    let device = fs::metadata(&real).map_err(|error| failed(folder, error))?.dev();
    for above in real.ancestors().skip(1) {
        match File::open(above).and_then(|above| Ok((above.metadata()?.dev(), above))) {
            Ok((of_above, _)) if of_above != device => break,
            Ok((_, above_file)) => above_file.sync_all().map_err(|error| failed(above, error))?,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(failed(above, error)),
        }
    }
    Ok(())
}
