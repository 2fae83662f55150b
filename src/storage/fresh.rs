//! Names that nothing else has: drawn by chance, and taken only where nothing stood before.
//!
//! The number of a process tells it from no process of another container, which may work on the same disk; and a name
//! that can be guessed may be a link that somebody has put there. A drawn name never reaches an output: it is that of
//! something on its way, or of nothing at all.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::rand::{GetRandomFlags, getrandom};

use crate::error::{Error, Kind, Result};

/// Names are drawn this often where they turn out to be taken, which chance alone never makes them.
const TRIES: usize = 8;

/// Letters of what is drawn.
const DRAWN_LETTERS: usize = 16;

/// Sixteen hexadecimal digits by chance.
pub fn drawn() -> Result<String> {
    let mut bytes = [0; DRAWN_LETTERS / 2];
    match getrandom(&mut bytes, GetRandomFlags::empty()) {
        Ok(count) if count == bytes.len() => Ok(format!("{:016x}", u64::from_le_bytes(bytes))),
        _ => Err(Error::new(Kind::Io, "the system gives no random bytes", "mend the system and run again")),
    }
}

/// Whether a name that begins with `prefix` ends as names of this program do: with what was drawn, or with the number
/// of a process, as up to 0.4.0.
pub fn is_drawn(name: &str, prefix: &str) -> bool {
    let is_digit = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
    name.strip_prefix(prefix).is_some_and(|end| (1..=DRAWN_LETTERS).contains(&end.len()) && end.bytes().all(is_digit))
}

/// Creates a folder in `parent` whose name begins with `prefix`. Gives its path.
pub fn folder(parent: &Path, prefix: &str) -> Result<PathBuf> {
    taken(parent, prefix, |path| fs::create_dir(path)).map(|(path, ())| path)
}

/// Creates a file in `parent` whose name begins with `prefix`, empty, in the way that `how` says: `create_new` is set
/// here. Gives its path too.
pub fn file(parent: &Path, prefix: &str, how: &mut fs::OpenOptions) -> Result<(PathBuf, File)> {
    // Where the name is that of a link, the link is not followed.
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
