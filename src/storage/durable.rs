//! Makes files and folders survive a power loss.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, Result};

/// Makes the content of a file, or the names in a folder, durable.
pub(crate) fn sync(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| Error::io("fsync", path, error))
}

/// Makes durable the names in a folder, the folder's own name, and the names of the folders above it: this run may have
/// created any of these folders, or an earlier run that was killed.
///
/// Stops at the border of the file system. Folders that may not be opened are skipped, since their owner created them.
pub(crate) fn sync_with_folders_above(folder: &Path) -> Result<()> {
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
