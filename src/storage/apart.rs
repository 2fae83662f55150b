//! Places that must not lie in one another: what a command writes, and what it reads.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::text::Shown as _;

/// Where something lies, with what it is: "the store", "the output".
pub type Place<'a> = (&'a str, &'a Path);

/// Fails if `place` lies in one of `others`, or one of them in it, or both are the same. Links are followed; neither
/// has to be there yet.
pub fn keep_apart(place: Place<'_>, others: &[Place<'_>]) -> Result<()> {
    let (what, path) = place;
    let real = real(path)?;
    for (other_what, other) in others {
        let other_real = self::real(other)?;
        if real.starts_with(&other_real) || other_real.starts_with(&real) {
            let (path, other) = (path.shown(), other.shown());
            return Err(Error::refused(
                format!("{what} {path} and {other_what} {other} overlap: one lies in the other, or they are the same"),
                format!("name another place for {what}"),
            ));
        }
    }
    Ok(())
}

/// Fails if what a command writes below the output and the quarantine would come to lie in the input or in the store,
/// or in each other, or these in it.
pub fn refuse_overlaps(input: &Path, store: &Path, out: Option<&Path>, quarantine: Option<&Path>) -> Result<()> {
    let mut others = vec![("the input root", input), ("the store", store)];
    for (what, path) in [("the output", out), ("the quarantine", quarantine)] {
        if let Some(path) = path {
            keep_apart((what, path), &others)?;
            others.push((what, path));
        }
    }
    Ok(())
}

/// Where a path leads, as far as it is there; the rest as it is written.
fn real(path: &Path) -> Result<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let above = match path.parent() {
        None => return Ok(path.to_owned()),
        Some(above) if above == OsStr::new("") => Path::new("."),
        Some(above) => above,
    };
    if above == Path::new(".") && path.file_name().is_none() {
        return path.canonicalize().map_err(|error| Error::io("open", path, error));
    }
    let mut real = real(above)?;
    match path.file_name() {
        Some(name) => real.push(name),
        // It ends with `..`.
        None => _ = real.pop(),
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_overlap_through_links_and_where_nothing_is_yet() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("in/clicks")).unwrap();
        std::os::unix::fs::symlink(at("in"), at("link")).unwrap();
        let overlap = |one: &str, other: &str| {
            let kept = keep_apart(("the output", &at(one)), &[("the input root", &at(other))]);
            let swapped = keep_apart(("the output", &at(other)), &[("the input root", &at(one))]);
            assert_eq!(kept.is_err(), swapped.is_err(), "{one}, {other}");
            kept.is_err()
        };
        for (one, other) in [
            ("in", "in"),
            ("in/clicks", "in"),
            ("in/new/deep", "in"),
            ("link/new", "in"),
            ("new/../in/x", "in"),
            ("link/clicks/..", "in"),
            ("new/a/../b", "new"),
            ("", "in"),
            (".", "new"),
        ] {
            assert!(overlap(one, other), "{one}, {other}");
        }
        for (one, other) in
            [("in2", "in"), ("out", "in"), ("new/../out", "new"), ("in/../out", "link"), ("inner", "in")]
        {
            assert!(!overlap(one, other), "{one}, {other}");
        }
    }
}
