//! Finds the configuration.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::read::parse;
use crate::error::{Error, Result};
use crate::message::message;
use crate::sources::Sources;
use crate::storage::regular_file;
use crate::text::Shown;

/// The name of the file in the input root, or in the root's parent folder.
const FILE_NAME: &str = "lookback.toml";

/// The maximum size of a configuration in bytes: many times that of about a hundred sources.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Returns the sources of the configuration, or the defaults without one: of the file `named`, else of `lookback.toml`
/// in the input root, else of that in the root's parent folder. Fails if the named file does not exist, or if the
/// chosen file cannot be read or is invalid.
pub fn sources(input: Option<&Path>, named: Option<&Path>) -> Result<Sources> {
    let found = match named {
        Some(named) => Some(named.to_owned()),
        None => input.map(beside).transpose()?.flatten(),
    };
    match found {
        Some(path) => parse(&path, &read(&path)?),
        None => Ok(Sources::default()),
    }
}

fn beside(input: &Path) -> Result<Option<PathBuf>> {
    for folder in [Some(input.to_owned()), holder(input)].into_iter().flatten() {
        let path = folder.join(FILE_NAME);
        if path.try_exists().map_err(|error| Error::io("look for", &path, error))? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Returns the parent folder by the path's text, or for a path such as `.`, by the resolved path.
fn holder(input: &Path) -> Option<PathBuf> {
    match (input.file_name(), input.parent()) {
        (Some(_), Some(parent)) if parent.as_os_str().is_empty() => Some(PathBuf::from(".")),
        (Some(_), Some(parent)) => Some(parent.to_owned()),
        _ => input.canonicalize().ok()?.parent().map(Path::to_owned),
    }
}

fn read(path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| Error::io("read the configuration", path, error);
    let mut bytes = Vec::new();
    regular_file::open(path)
        .and_then(|file| file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(Error::input(
            format!("the configuration {} has more than {CONFIG_BYTES_MAX} bytes", path.shown()),
            message!["name the right file with ", Config],
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        Error::input(format!("the configuration {} is not UTF-8", path.shown()), "save it as UTF-8 and run again")
            .caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_comes_first_then_the_folder_that_holds_it_then_the_default() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("input");
        std::fs::create_dir(&root).unwrap();
        let named = |named: Option<&Path>| sources(Some(&root), named).unwrap().impressions.ranking_id;
        let say = |path: &Path, name: &str| {
            std::fs::write(path, format!("[impressions]\ncolumns = {{ ranking_id = {name:?} }}\n")).unwrap();
        };
        assert_eq!(named(None), "ranking_id");
        say(&place.path().join(FILE_NAME), "above");
        assert_eq!(named(None), "above");
        say(&root.join(FILE_NAME), "inside");
        assert_eq!(named(None), "inside");
        say(&place.path().join("other.toml"), "named");
        assert_eq!(named(Some(&place.path().join("other.toml"))), "named");
        assert!(sources(Some(&root), Some(&place.path().join("missing.toml"))).is_err());
        assert_eq!(holder(Path::new("input")), Some(PathBuf::from(".")));
        assert_eq!(holder(Path::new("a/input/")), Some(PathBuf::from("a")));
        assert_eq!(holder(Path::new(".")), Path::new(".").canonicalize().unwrap().parent().map(Path::to_owned));
    }
}
