//! Unique names: random, and used only if the name is free.
//!
//! A process number is not unique across containers that work on the same disk, and an attacker can put a link at a
//! predictable name. A random name never reaches an output: it names only temporary files and folders.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::{Error, Kind, Result};

/// Number of attempts when the random name is already in use, which cannot happen by coincidence alone.
const TRIES: usize = 8;

/// Number of letters in the random part of a name.
const DRAWN_LETTERS: usize = 16;

/// Returns sixteen random hexadecimal digits.
pub fn drawn() -> Result<String> {
    let mut bytes = [0; DRAWN_LETTERS / 2];
    match getrandom(&mut bytes, GetRandomFlags::empty()) {
        Ok(count) if count == bytes.len() => Ok(format!("{:016x}", u64::from_le_bytes(bytes))),
        _ => Err(Error::new(Kind::Io, "the system gives no random bytes", "fix the system and run again")),
    }
}

/// Returns whether a name that begins with `prefix` ends as this program's names do: with random digits, or with the
/// number of a process, as in versions up to 0.4.0.
pub fn is_drawn(name: &str, prefix: &str) -> bool {
    let is_digit = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
    name.strip_prefix(prefix).is_some_and(|end| (1..=DRAWN_LETTERS).contains(&end.len()) && end.bytes().all(is_digit))
}

/// Creates a folder in `parent` whose name begins with `prefix`. Returns its path.
pub fn folder(parent: &Path, prefix: &str) -> Result<PathBuf> {
    taken(parent, prefix, |path| fs::create_dir(path)).map(|(path, ())| path)
}

/// Creates an empty file in `parent` whose name begins with `prefix`. Opens the file with the options `how`, to which
/// this function adds `create_new`. Returns the path as well.
pub fn file(parent: &Path, prefix: &str, how: &mut fs::OpenOptions) -> Result<(PathBuf, File)> {
    // If a link has this name, the link is not followed.
    taken(parent, prefix, |path| how.write(true).create_new(true).open(path))
}

fn taken<T>(parent: &Path, prefix: &str, mut take: impl FnMut(&Path) -> std::io::Result<T>) -> Result<(PathBuf, T)> {
    let mut tries = 1;
    loop {
        let path = parent.join(format!("{prefix}{}", drawn()?));
        match take(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && tries < TRIES => tries += 1,
            Err(error) => return Err(Error::io("create", &path, error)),
            Ok(made) => return Ok((path, made)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_others_and_no_two_are_the_same() {
        let folder_of_all = tempfile::tempdir().unwrap();
        let names: std::collections::BTreeSet<String> = (0..100)
            .map(|_| {
                let (path, _) = file(folder_of_all.path(), ".a.staging-", &mut File::options()).unwrap();
                path.file_name().unwrap().to_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(names.len(), 100);
        assert!(names.iter().all(|name| is_drawn(name, ".a.staging-")));
        assert!(is_drawn(".a.staging-4711", ".a.staging-"), "the number of a process");
        for other in [".a.staging-", ".a.staging-notes", ".a.staging-0123456789abcdef0", ".b.staging-1"] {
            assert!(!is_drawn(other, ".a.staging-"), "{other}");
        }
    }

    #[test]
    fn what_stands_there_already_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let mut tries = 0;
        let taken = taken(place.path(), "a-", |path| {
            tries += 1;
            if tries == 1 {
                fs::write(path, "not ours")?;
            }
            File::options().write(true).create_new(true).open(path)
        });
        assert_eq!((tries, taken.unwrap().0.metadata().unwrap().len()), (2, 0));
    }
}
