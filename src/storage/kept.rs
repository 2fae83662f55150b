//! Files that are kept for long under names of their own, in a folder or below a URL: each appears whole, none is ever
//! changed, and of two runs that make one name, one wins.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::durable::{sync, sync_with_folders_above};
use super::fingerprint::{Fingerprint, HashedFile};
use super::fresh;
use super::objects::{Fetch, FetchedFile, Found, Objects, Written};
use super::regular_file;
use crate::error::{Error, Result};
use crate::text::Shown as _;

/// What the names of files begin with that are still being written in a folder. Nobody takes them for kept ones.
const UNFINISHED: &str = ".unfinished-";

/// For how long an unfinished file may lie in a folder before it is removed.
const UNFINISHED_MS: i64 = 24 * 3_600 * 1_000;

/// The place of kept files.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// A folder on a disk, which several machines may share.
    Folder(PathBuf),
    /// The objects below a URL.
    Objects(Objects),
}

/// A kept file as a list names it.
#[derive(Clone, Debug)]
pub(crate) struct KeptFile {
    /// Its path or URL.
    pub path: PathBuf,
    pub bytes: u64,
    /// When it was written, by the clock of the place, in milliseconds since 1970.
    pub modified_ms: i64,
    found: Option<Found>,
}

/// A kept file whose content has been copied to a file of the caller's.
pub(crate) enum Arrived {
    Fetched(FetchedFile),
    Copied(File, Fingerprint),
}

impl Kept {
    /// The folder, or the URL without a `/` at its end.
    pub(crate) fn place(&self) -> &Path {
        match self {
            Kept::Folder(folder) => folder,
            Kept::Objects(objects) => objects.url(),
        }
    }

    /// Makes sure that there is an empty file at `path`. Fails if the store of a URL takes no conditional writes.
    pub(crate) fn claim(&self, path: &Path) -> Result<()> {
        match self {
            Kept::Folder(..) => self.create(path, &[]).map(drop),
            Kept::Objects(objects) => objects.claim(path).map(drop),
        }
    }

    /// Reads a small file; `None` if it is missing. Fails if it has more than `bytes_max`.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
        let Kept::Objects(objects) = self else {
            let mut bytes = Vec::new();
            let read = regular_file::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes));
            return match read {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::io("read", path, error)),
                Ok(read) if read as u64 > bytes_max => Err(Error::input(
                    format!("{} has more than the {bytes_max} bytes that it may have", path.shown()),
                    "check the path",
                )),
                Ok(_) => Ok(Some(bytes)),
            };
        };
        Ok(objects.read(path, bytes_max)?.map(|(bytes, _)| bytes))
    }

    /// Writes a small file if there is none of its name. The bytes must tell this run from every other.
    pub(crate) fn create(&self, path: &Path, bytes: &[u8]) -> Result<Written> {
        let folder = match self {
            Kept::Objects(objects) => return objects.write_if(path, bytes, None),
            Kept::Folder(folder) => folder,
        };
        let (aside, file) = unfinished(folder, path)?;
        let made = written(&aside, file, bytes).and_then(|()| match fs::hard_link(&aside, path) {
            Ok(()) => sync_above(path).map(|()| Written::Done),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let there = self.read(path, bytes.len() as u64);
                let is_own = there.is_ok_and(|there| there.is_some_and(|there| there == bytes));
                Ok(if is_own { Written::Done } else { Written::Other })
            }
            Err(error) => Err(Error::io("create", path, error)),
        });
        let _ = fs::remove_file(&aside);
        made
    }

    /// Writes a small file, whatever is there.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        match self {
            Kept::Objects(objects) => objects.write(path, bytes),
            Kept::Folder(folder) => put(folder, path, |aside, file| written(aside, file, bytes)),
        }
    }

    /// Writes the content of a file; at a URL in parts of at most `part_bytes`. Nobody else writes this name.
    ///
    /// Memory: a part.
    pub(crate) fn upload(&self, path: &Path, from: &File, part_bytes: usize) -> Result<()> {
        match self {
            Kept::Objects(objects) => objects.upload(path, from, part_bytes),
            Kept::Folder(folder) => put(folder, path, |aside, mut file| {
                let mut from = from;
                let copied = io::copy(&mut from, &mut file).and_then(|_| file.sync_all());
                copied.map_err(|error| Error::io("write", aside, error))
            }),
        }
    }

    /// Returns a file that a document names, without looking whether it is there.
    pub(crate) fn named(&self, path: PathBuf, bytes: u64) -> Result<KeptFile> {
        let found = match self {
            Kept::Folder(..) => None,
            Kept::Objects(objects) => Some(objects.named(&path, bytes)?),
        };
        Ok(KeptFile { path, bytes, modified_ms: 0, found })
    }

    /// Lists the files directly below `folder`, by name. Fails if there are more than `max`.
    pub(crate) fn below(&self, folder: &Path, max: usize) -> Result<Vec<KeptFile>> {
        if let Kept::Objects(objects) = self {
            let kept = |found: Found| KeptFile {
                path: found.path.clone(),
                bytes: found.bytes,
                modified_ms: found.modified_ms,
                found: Some(found),
            };
            return Ok(objects.below(folder, max)?.into_iter().map(kept).collect());
        }
        let failed = |error: io::Error| Error::io("list", folder, error);
        let mut files = Vec::new();
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(files),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let metadata = match fs::metadata(&path) {
                // Removed since the list was begun.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                metadata => metadata.map_err(|error| Error::io("read", &path, error))?,
            };
            if !metadata.is_file() || path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
                continue;
            }
            if files.len() == max {
                let what = format!("{} has more than {max} files", folder.shown());
                return Err(Error::input(what, "name another folder"));
            }
            files.push(KeptFile { path, bytes: metadata.len(), modified_ms: modified_ms(&metadata), found: None });
        }
        files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// Removes files. One that is missing counts as removed.
    pub(crate) fn remove<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Result<()> {
        if let Kept::Objects(objects) = self {
            return objects.remove(paths);
        }
        for path in paths {
            match fs::remove_file(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(|error| Error::io("remove", path, error))?,
            }
        }
        Ok(())
    }

    /// Removes what runs have left in a folder that were killed while they wrote, if it is older than a day.
    pub(crate) fn remove_unfinished(&self, now_ms: i64) -> Result<()> {
        let Kept::Folder(folder) = self else { return Ok(()) };
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|error| Error::io("list", folder, error))?,
        };
        for entry in entries {
            let path = entry.map_err(|error| Error::io("list", folder, error))?.path();
            let is_unfinished =
                path.file_name().is_some_and(|name| fresh::is_drawn(&name.to_string_lossy(), UNFINISHED));
            let Some(metadata) = fs::symlink_metadata(&path).ok().filter(|_| is_unfinished) else { continue };
            if now_ms.saturating_sub(modified_ms(&metadata)) > UNFINISHED_MS {
                self.remove([path.as_path()])?;
            }
        }
        Ok(())
    }

    /// Copies kept files, each to the next file that `next` gives, in their order; objects several at once.
    pub(crate) fn copy(
        &self,
        files: &[KeptFile],
        next: Box<dyn Fn() -> Result<File> + Send + Sync>,
    ) -> Vec<Result<Arrived>> {
        if let Kept::Objects(objects) = self {
            let found = files.iter().filter_map(|file| file.found.clone());
            return Fetch::into_files(objects, found, next)
                .into_iter()
                .map(|fetched| Ok(Arrived::Fetched(fetched)))
                .collect();
        }
        files.iter().map(|file| copied(&file.path, next()?)).collect()
    }
}

impl Arrived {
    /// Returns the fingerprint of the content, once all of it has arrived.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        match self {
            Arrived::Fetched(fetched) => fetched.fingerprint(),
            Arrived::Copied(_, print) => Ok(*print),
        }
    }

    /// Opens the content.
    pub(crate) fn open(&self) -> Result<File> {
        match self {
            Arrived::Fetched(fetched) => fetched.open(),
            Arrived::Copied(file, _) => {
                file.try_clone().map_err(|error| Error::io("open", Path::new("a scratch file"), error))
            }
        }
    }
}

fn copied(path: &Path, to: File) -> Result<Arrived> {
    let failed = |error: io::Error| Error::io("copy", path, error);
    let mut from = regular_file::open(path).map_err(failed)?;
    let mut hashed = HashedFile::new(to.try_clone().map_err(failed)?);
    io::copy(&mut from, &mut hashed).map_err(failed)?;
    let print = hashed.fingerprint();
    Ok(Arrived::Copied(to, print))
}

/// Creates the folders above `path`, and a file beside the kept ones that is still to be written.
fn unfinished(folder: &Path, path: &Path) -> Result<(PathBuf, File)> {
    for folder in [Some(folder), path.parent()].into_iter().flatten() {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    }
    fresh::file(folder, UNFINISHED, &mut File::options())
}

fn put(folder: &Path, path: &Path, write: impl FnOnce(&Path, File) -> Result<()>) -> Result<()> {
    let (aside, file) = unfinished(folder, path)?;
    let made = write(&aside, file)
        .and_then(|()| fs::rename(&aside, path).map_err(|error| Error::io("put in place", path, error)));
    if made.is_err() {
        let _ = fs::remove_file(&aside);
    }
    made.and_then(|()| sync_above(path))
}

fn written(aside: &Path, mut file: File, bytes: &[u8]) -> Result<()> {
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| Error::io("write", aside, error))
}

fn sync_above(path: &Path) -> Result<()> {
    match path.parent() {
        Some(above) if above.parent().is_some() => sync_with_folders_above(above),
        Some(above) => sync(above),
        None => Ok(()),
    }
}

fn modified_ms(metadata: &fs::Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000).saturating_add(metadata.mtime_nsec() / 1_000_000)
}
