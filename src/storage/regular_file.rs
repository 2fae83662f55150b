//! Opens only regular files and folders. Opening a pipe waits for its writer, and reading a device may never end.
//!
//! Every file to be read is opened here (a test holds this), except the system's own files under `/proc` and `/sys`.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::Irregular;

/// Returns what is found instead of a regular file; `None` for a regular file.
fn irregular(found: FileType) -> Option<Irregular> {
    let kind = match found {
        found if found.is_file() => return None,
        found if found.is_dir() => "a folder",
        found if found.is_fifo() => "a named pipe",
        found if found.is_socket() => "a socket",
        found if found.is_char_device() || found.is_block_device() => "a device",
        _ => "something else",
    };
    Some(Irregular(kind))
}

/// Opens a regular file to be read. Fails on anything else, without waiting. Links are followed.
pub fn open(path: &Path) -> io::Result<File> {
    open_one_of(path, |found| found.is_file())
}

/// Opens a regular file or a folder, to be locked.
pub fn open_or_folder(path: &Path) -> io::Result<File> {
    open_one_of(path, |found| found.is_file() || found.is_dir())
}

/// Returns the content of a regular file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Fails, with the path, if anything below a folder is neither a regular file nor a folder; for folders whose files a
/// library opens. A missing folder counts as empty.
pub fn check_below(folder: &Path) -> Result<(), (Box<Path>, io::Error)> {
    let failed = |error: io::Error| (Box::from(folder), error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let mut found = entry.file_type().map_err(failed)?;
        if found.is_symlink() {
            match fs::metadata(&path) {
                Ok(metadata) => found = metadata.file_type(),
                // The file has just been removed, or the link leads nowhere: the code that opens the file reports this.
                Err(_) => continue,
            }
        }
        if found.is_dir() {
            check_below(&path)?;
        } else if let Some(irregular) = irregular(found) {
            return Err((path.into(), io::Error::other(irregular)));
        }
    }
    Ok(())
}

/// The type is checked before opening, since opening a device may have effects, and again after opening, since the name
/// may lead elsewhere by then.
fn open_one_of(path: &Path, is_wanted: impl Fn(FileType) -> bool) -> io::Result<File> {
    let check = |found: FileType| match irregular(found) {
        Some(irregular) if !is_wanted(found) => Err(io::Error::other(irregular)),
        _ => Ok(()),
    };
    check(fs::metadata(path)?.file_type())?;
    let file = File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    check(file.metadata()?.file_type())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    fn fifo(path: &Path) {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    }

    fn why(opened: io::Result<File>) -> String {
        opened.unwrap_err().get_ref().unwrap().downcast_ref::<Irregular>().unwrap().to_string()
    }

    #[test]
    fn only_files_with_an_end_are_opened() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("file"), "x").unwrap();
        symlink(at("file"), at("link")).unwrap();
        fifo(&at("pipe"));
        symlink(at("pipe"), at("link-to-pipe")).unwrap();
        let _listener = UnixListener::bind(at("socket")).unwrap();
        assert_eq!((read(&at("file")).unwrap(), read(&at("link")).unwrap()), (b"x".to_vec(), b"x".to_vec()));
        assert_eq!(why(open(place.path())), "a folder");
        assert_eq!(why(open(&at("pipe"))), "a named pipe");
        assert_eq!(why(open(&at("link-to-pipe"))), "a named pipe");
        assert_eq!(why(open(&at("socket"))), "a socket");
        assert_eq!(why(open(Path::new("/dev/zero"))), "a device");
        assert_eq!(open(&at("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(open_or_folder(place.path()).is_ok() && open_or_folder(&at("file")).is_ok());
        assert_eq!(why(open_or_folder(&at("pipe"))), "a named pipe");
    }

    #[test]
    fn what_is_below_a_folder_is_named() {
        let place = tempfile::tempdir().unwrap();
        let deep = place.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "").unwrap();
        symlink("nowhere", deep.join("dangling")).unwrap();
        assert!(check_below(place.path()).is_ok() && check_below(&deep.join("none")).is_ok());
        fifo(&deep.join("pipe"));
        assert_eq!(*check_below(place.path()).unwrap_err().0, *deep.join("pipe"));
    }
}
