//! A folder of TZif files, one for each zone, as operating systems have it.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::tzif;
use crate::error::Irregular;
use crate::error::{Cause, Error, Result};
use crate::model::{ZoneRules, is_tzdata_version};
use crate::storage::regular_file;
use crate::text::Shown;

/// The variable that names another folder, as for the C library.
pub(super) const FOLDER_VARIABLE: &str = "TZDIR";

/// The maximum size of a zone's file in bytes; the largest of tzdata have 4 kB.
const ZONE_BYTES_MAX: u64 = 1 << 20;

/// The number of bytes read to find the edition.
const VERSION_BYTES_MAX: u64 = 256;

/// Returns the edition of tzdata of a folder; `None` if the folder does not record it.
pub(super) fn version(folder: &Path) -> Result<Option<String>> {
    for (file, prefix) in [("tzdata.zi", "# version "), ("+VERSION", "")] {
        let Some(bytes) = content(&folder.join(file), VERSION_BYTES_MAX)? else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let version = text.lines().next().and_then(|line| line.strip_prefix(prefix)).map(str::trim);
        if let Some(version) = version.filter(|version| is_tzdata_version(version)) {
            return Ok(Some(version.to_owned()));
        }
    }
    Ok(None)
}

/// Returns the rules of a zone, given a valid name; `None` if the folder lacks it.
pub(super) fn rules(folder: &Path, name: &str, version: Option<String>) -> Result<Option<ZoneRules>> {
    let path = folder.join(name);
    let Some(bytes) = content(&path, ZONE_BYTES_MAX + 1)? else { return Ok(None) };
    let place = path.shown().to_string();
    if bytes.len() as u64 > ZONE_BYTES_MAX {
        return Err(unreadable(&place, "it has more than 1 MiB"));
    }
    tzif::rules(name, &bytes, version).map(Some).map_err(|cause| unreadable(&place, cause))
}

/// Returns the first bytes of a file; `None` if it does not exist.
fn content(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match regular_file::open(path).and_then(|file| file.take(bytes_max).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => match error.get_ref().and_then(|inside| inside.downcast_ref::<Irregular>()) {
            Some(irregular) => Err(unreadable(&path.shown().to_string(), format!("it is {irregular}, not a file"))),
            None => Err(Error::io("read", path, error)),
        },
    }
}

/// Returns the error for a zone file that is unusable.
pub(super) fn unreadable(place: &str, cause: impl Into<Cause>) -> Error {
    let cause = cause.into();
    Error::input(
        format!("{place} has no readable time zone: {cause}"),
        format!("install the system's tzdata again, or set {FOLDER_VARIABLE} to another folder of time zones"),
    )
    .caused_by(cause)
}
