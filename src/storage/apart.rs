//! Places that must stay apart: the places that a command writes to and those that it reads.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::text::{Shown as _, is_url};

/// A path or URL with a name for messages: "the store", "the output".
pub(crate) type Named<'a> = (&'a str, &'a Path);

/// Fails if `place` lies in one of `others`, one of `others` lies in `place`, or both are the same place. Links are
/// followed; the paths may lead to places that do not exist yet.
pub(crate) fn keep_apart(place: Named<'_>, others: &[Named<'_>]) -> Result<()> {
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

/// Fails if two of these lie in each other: the input, the store, and the folders that a command writes below the
/// output and the quarantine.
pub(crate) fn refuse_overlaps(
    input: Option<&Path>,
    store: &Path,
    out: Option<&Path>,
    quarantine: Option<&Path>,
) -> Result<()> {
    let mut others: Vec<Named<'_>> = input.map(|input| ("the input root", input)).into_iter().collect();
    keep_apart(("the store", store), &others)?;
    others.push(("the store", store));
    for (what, path) in [("the output", out), ("the quarantine", quarantine)] {
        if let Some(path) = path {
            keep_apart((what, path), &others)?;
            others.push((what, path));
        }
    }
    Ok(())
}

/// Returns the real path: links are resolved in the part that exists, the rest stays as written.
fn real(path: &Path) -> Result<PathBuf> {
    if is_url(path.as_os_str()) {
        return Ok(path.to_owned());
    }
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
        // The path ends with `..`.
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
