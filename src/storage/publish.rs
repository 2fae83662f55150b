//! Makes files and folders appear whole or not at all: written aside, fsynced, renamed, then the parent folder fsynced.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::durable::{sync, sync_with_folders_above};
use super::fresh;
use super::own_file::OwnFile;
use crate::error::{Error, Result};

/// Number of attempts to create and lock a folder when another process removes the folder before the lock is taken.
const TRIES: usize = 50;
use super::regular_file;

/// A file that is written beside its final path. If dropped before `publish`, it is removed; the next process that
/// writes the same path removes what a killed process has left.
pub(crate) struct StagedFile {
    target: PathBuf,
    aside: PathBuf,
    kind: OwnFile,
    /// Locked while the file is written.
    file: File,
}

impl StagedFile {
    /// Creates the file that will replace `target`, and the folders above it. Fails if `target` exists and may not be
    /// replaced (see [`OwnFile::check_replaceable`]).
    pub(crate) fn create(target: &Path, kind: OwnFile) -> Result<Self> {
        kind.check_replaceable(target)?;
        let folder = folder_of(target);
        // One process at a time cleans up and creates its file: otherwise it could remove a new file before its lock.
        let turn = lock_created(folder)?;
        remove_left_behind(target)?;
        let (aside, file) = fresh::file(folder, &aside_prefix(target), &mut File::options())?;
        let staged = StagedFile { target: target.to_owned(), aside, kind, file };
        staged.file.lock().map_err(|error| Error::io("lock", &staged.aside, error))?;
        drop(turn);
        Ok(staged)
    }

    /// Returns the empty file to write to.
    pub(crate) fn file(&self) -> Result<File> {
        self.file.try_clone().map_err(|error| Error::io("open", &self.aside, error))
    }

    /// Moves the complete file to its final path.
    pub(crate) fn publish(self) -> Result<()> {
        self.file.sync_all().map_err(|error| Error::io("fsync", &self.aside, error))?;
        // Another file may have appeared there in the meantime.
        self.kind.check_replaceable(&self.target)?;
        fs::rename(&self.aside, &self.target).map_err(|error| Error::io("put in place", &self.target, error))?;
        sync_with_folders_above(folder_of(&self.target))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.aside);
    }
}

/// Removes the file at `target`, if there is one, and the files that killed processes have left beside it. Fails if
/// another kind of file is at `target`.
pub(crate) fn remove_file(target: &Path, kind: OwnFile) -> Result<()> {
    kind.check_replaceable(target)?;
    let folder = folder_of(target);
    if !folder.exists() {
        return Ok(());
    }
    let _turn = lock(folder)?;
    remove_left_behind(target)?;
    match fs::remove_file(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|error| Error::io("remove", target, error)).and_then(|()| sync(folder)),
    }
}

fn remove_left_behind(target: &Path) -> Result<()> {
    let (folder, prefix) = (folder_of(target), aside_prefix(target));
    for entry in fs::read_dir(folder).map_err(|error| Error::io("list", folder, error))? {
        let path = entry.map_err(|error| Error::io("list", folder, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if fresh::is_drawn(&name, &prefix) && is_left_behind(&path) {
            match fs::remove_file(&path) {
                // The process that made it has just ended, and removed it itself.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(|error| Error::io("remove", &path, error))?,
            }
        }
    }
    Ok(())
}

fn aside_prefix(target: &Path) -> String {
    format!(".{}.staging-", target.file_name().unwrap_or_default().to_string_lossy())
}

/// Moves the folder `staged` to `target`. The folder that was at `target`, if any, is then at `staged` or `replaced`.
///
/// On file systems that can exchange two names in one step (ext4, xfs, btrfs, tmpfs and others), the partition exists
/// at every moment. Elsewhere the partition is missing between two renames, and after a crash at that moment it stays
/// missing until the next run.
pub(crate) fn put_in_place(staged: &Path, target: &Path, replaced: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::io("put in place", target, error);
    let exists = target.try_exists().map_err(failed)?;
    if !exists {
        fs::rename(staged, target).map_err(failed)?;
    } else if renameat_with(CWD, staged, CWD, target, RenameFlags::EXCHANGE).is_err() {
        fs::rename(target, replaced).map_err(failed)?;
        fs::rename(staged, target).map_err(failed)?;
    }
    sync_with_folders_above(folder_of(target))
}

/// Moves the complete file `aside` to `target` durably, unless something is there; returns whether this call has put it
/// there. Of several processes one wins, and no process ever sees half of the file.
pub(crate) fn put_if_absent(aside: &Path, target: &Path) -> Result<bool> {
    let failed = |error: std::io::Error| Error::io("put in place", target, error);
    sync(aside)?;
    let moved = match renameat_with(CWD, aside, CWD, target, RenameFlags::NOREPLACE) {
        // The file system has no such rename; a second name is refused in the same way, if the first is taken.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => fs::hard_link(aside, target),
        moved => moved.map_err(std::io::Error::from),
    };
    match moved {
        Ok(()) => sync(folder_of(target)).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Returns the folder that contains the path.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits for the lock on a file or folder. The lock is held until the returned file is dropped.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = regular_file::open_or_folder(path).map_err(|error| Error::io("open", path, error))?;
    file.lock().map_err(|error| Error::io("lock", path, error))?;
    Ok(file)
}

/// Locks a folder as [`lock`] does, and creates the folder if it is missing. Other processes may remove the folder
/// while it is empty and they hold the lock.
pub(crate) fn lock_created(folder: &Path) -> Result<File> {
    let mut tries = 1;
    loop {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
        let locked =
            regular_file::open_or_folder(folder).and_then(|file| file.lock().map(|()| file)).and_then(|file| {
                let (open, there) = (file.metadata()?, fs::metadata(folder)?);
                let is_there = (open.dev(), open.ino()) == (there.dev(), there.ino());
                if is_there { Ok(file) } else { Err(ErrorKind::NotFound.into()) }
            });
        match locked {
            Err(error) if error.kind() == ErrorKind::NotFound && tries < TRIES => tries += 1,
            locked => return locked.map_err(|error| Error::io("lock", folder, error)),
        }
    }
}

/// Returns whether a killed process has left this file or folder: no process holds its lock.
pub(crate) fn is_left_behind(path: &Path) -> bool {
    regular_file::open_or_folder(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::own_file::beginning;
    use std::io::Write;

    const BEGINS: &str = "a page\n";
    const PAGE: OwnFile = OwnFile { name: || "a page".into(), is_kind_of: |file| beginning(file).starts_with(BEGINS) };

    fn page(body: &str) -> String {
        format!("{BEGINS}{body}")
    }

    fn staged(target: &Path, text: &str) -> StagedFile {
        let staged = StagedFile::create(target, PAGE).unwrap();
        staged.file().unwrap().write_all(text.as_bytes()).unwrap();
        staged
    }

    #[test]
    fn two_at_once_for_one_place_are_each_whole() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("deep/page.html");
        let page = |number: usize| page(&number.to_string().repeat(100_000));
        let (one, other) = (staged(&target, &page(1)), staged(&target, &page(2)));
        one.publish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), page(1));
        other.publish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), page(2));
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn many_at_once_for_one_place_leave_one_whole_file() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("deep/page.html");
        std::thread::scope(|scope| {
            for number in 0..8 {
                let target = &target;
                scope.spawn(move || {
                    for _ in 0..20 {
                        staged(target, &page(&number.to_string().repeat(50_000))).publish().unwrap();
                    }
                });
            }
        });
        let text = fs::read_to_string(&target).unwrap();
        assert!((0..8).any(|number| text == page(&number.to_string().repeat(50_000))), "not one whole page");
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_could_be_guessed_is_not_written_through() {
        let place = tempfile::tempdir().unwrap();
        let (target, other) = (place.path().join("page.html"), place.path().join("other"));
        fs::write(&other, "someone's").unwrap();
        let guessed = place.path().join(format!(".page.html.staging-{}", std::process::id()));
        std::os::unix::fs::symlink(&other, &guessed).unwrap();
        staged(&target, BEGINS).publish().unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "someone's");
        assert_eq!(fs::read_to_string(&target).unwrap(), BEGINS);
    }

    #[test]
    fn of_many_that_put_a_file_in_one_place_one_wins() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("7.json");
        let won: usize = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|number| {
                    let (target, aside) = (&target, place.path().join(format!("aside-{number}")));
                    scope.spawn(move || {
                        fs::write(&aside, page(&number.to_string().repeat(50_000))).unwrap();
                        usize::from(put_if_absent(&aside, target).unwrap())
                    })
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
        let text = fs::read_to_string(&target).unwrap();
        assert!((0..8).any(|number| text == page(&number.to_string().repeat(50_000))), "not one whole file");
    }

    #[test]
    fn of_what_stands_beside_it_only_what_has_such_a_name_goes() {
        let place = tempfile::tempdir().unwrap();
        let names = [".page.html.staging-1", ".page.html.staging-0123456789abcdef", ".page.html.staging-notes"];
        for name in names {
            fs::write(place.path().join(name), "x").unwrap();
        }
        drop(staged(&place.path().join("page.html"), "half a page"));
        let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [names[2]]);
    }
}
