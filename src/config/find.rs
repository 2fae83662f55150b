//! Finds the configuration.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::read::parse;
use crate::error::{Error, Result};
use crate::message::message;
use crate::resources::Resources;
use crate::sources::Sources;
use crate::storage::regular_file;
use crate::text::{Shown, is_url};

/// The name of the file in the input root.
const FILE_NAME: &str = "lookback.toml";

/// The maximum size of a configuration in bytes: many times that of about a hundred sources.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Returns the sources of the configuration, or the defaults without one: of the file `named`, else of `lookback.toml`
/// in the input root, which may be a URL. Fails if the named file does not exist, or if the chosen file cannot be read
/// or is invalid.
pub fn sources(input: Option<&Path>, named: Option<&Path>, resources: &Resources) -> Result<Sources> {
    let path = match (named, input) {
        (Some(named), _) => named.to_owned(),
        (None, Some(input)) => input.join(FILE_NAME),
        (None, None) => return Ok(Sources::default()),
    };
    // A file that is named has to be there, which reading it says.
    let found = match named {
        Some(named) => Some(read(named)?),
        None => match input.filter(|input| is_url(input.as_os_str())) {
            Some(url) => resources.place(url)?.read(&path, CONFIG_BYTES_MAX)?,
            None => input
                .map(|input| within(input.to_owned()))
                .transpose()?
                .flatten()
                .map(|path| read(&path))
                .transpose()?,
        },
    };
    match found {
        Some(bytes) => parse(&path, &text_of(&path, bytes)?),
        None => Ok(Sources::default()),
    }
}

/// Returns the `lookback.toml` in the parent folder of the input root, if the root itself has none. Nothing uses such a
/// file unless it is named: a file beside the input may describe another one. Beside a URL it is not looked for. Fails
/// if the root cannot be looked into.
pub fn unused(input: &Path) -> Result<Option<PathBuf>> {
    if is_url(input.as_os_str()) {
        return Ok(None);
    }
    match within(input.to_owned())? {
        Some(_) => Ok(None),
        // A folder that may not be looked into has none that could be meant.
        None => Ok(holder(input).and_then(|folder| within(folder).ok()).flatten()),
    }
}

fn within(folder: PathBuf) -> Result<Option<PathBuf>> {
    let path = folder.join(FILE_NAME);
    let is_there = path.try_exists().map_err(|error| Error::io("look for", &path, error))?;
    Ok(is_there.then_some(path))
}

/// Returns the parent folder by the path's text, or for a path such as `.`, by the resolved path.
fn holder(input: &Path) -> Option<PathBuf> {
    match (input.file_name(), input.parent()) {
        (Some(_), Some(parent)) if parent.as_os_str().is_empty() => Some(PathBuf::from(".")),
        (Some(_), Some(parent)) => Some(parent.to_owned()),
        _ => input.canonicalize().ok()?.parent().map(Path::to_owned),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::io("read the configuration", path, error);
    let mut bytes = Vec::new();
    regular_file::open(path)
        .and_then(|file| file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    Ok(bytes)
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String> {
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
    fn a_named_file_comes_first_then_the_root_and_the_folder_that_holds_it_is_only_told() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("input");
        std::fs::create_dir(&root).unwrap();
        let named =
            |named: Option<&Path>| sources(Some(&root), named, &Resources::default()).unwrap().impressions.ranking_id;
        let say = |path: &Path, name: &str| {
            std::fs::write(path, format!("[impressions]\ncolumns = {{ ranking_id = {name:?} }}\n")).unwrap();
        };
        let told = || unused(&root).unwrap();
        assert_eq!((named(None), told()), ("ranking_id".to_owned(), None));
        let above = place.path().join(FILE_NAME);
        say(&above, "above");
        assert_eq!((named(None), told()), ("ranking_id".to_owned(), Some(above.clone())));
        assert_eq!(named(Some(&above)), "above");
        say(&root.join(FILE_NAME), "inside");
        assert_eq!((named(None), told()), ("inside".to_owned(), None));
        say(&place.path().join("other.toml"), "named");
        assert_eq!(named(Some(&place.path().join("other.toml"))), "named");
        assert!(sources(Some(&root), Some(&place.path().join("missing.toml")), &Resources::default()).is_err());
        assert_eq!(holder(Path::new("input")), Some(PathBuf::from(".")));
        assert_eq!(holder(Path::new("a/input/")), Some(PathBuf::from("a")));
        assert_eq!(holder(Path::new(".")), Path::new(".").canonicalize().unwrap().parent().map(Path::to_owned));
    }
}
